"""Fields by which clients tell OpenAI's platform how to treat a request, with the official client."""

import openai
import pytest

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


def ask(server, **fields):
    return server.openai().chat.completions.create(
        **{"model": "demo", "messages": QUESTION, "max_tokens": 3, "temperature": 0, **fields})


def test_the_fingerprint_is_in_all_answers_and_chunks(shared):
    fingerprint = ask(shared).system_fingerprint
    assert fingerprint.startswith("fp_")
    chunks = list(ask(shared, stream=True, stream_options={"include_usage": True}))
    assert {chunk.system_fingerprint for chunk in chunks} == {fingerprint}
    text = shared.openai().completions.create(model="demo", prompt="Once", max_tokens=2)
    assert text.system_fingerprint == fingerprint


def test_the_service_tier_is_told_as_it_was_asked_for(shared):
    assert ask(shared).service_tier is None
    assert ask(shared, service_tier="flex").service_tier == "flex"
    assert {chunk.service_tier for chunk in ask(shared, service_tier="auto", stream=True)} == {"auto"}


@pytest.mark.surface
def test_fields_without_effect_are_taken(shared):
    answer = ask(shared, user="me", metadata={"a": "b"}, store=True, prompt_cache_key="me", verbosity="low",
                 safety_identifier="x", modalities=["text"], prediction={"type": "content", "content": "Paris"},
                 extra_body={"prompt_cache_retention": "24h"})
    assert answer.choices[0].message.content == ask(shared).choices[0].message.content


@pytest.mark.surface
def test_bad_values_are_refused_with_their_path(shared):
    cases = [({"service_tier": "gold"}, "service_tier"), ({"store": "yes"}, "store"), ({"metadata": []}, "metadata"),
             ({"user": 1}, "user"), ({"verbosity": "loud"}, "verbosity"), ({"prompt_cache_key": 1}, "prompt_cache_key"),
             ({"prediction": {"type": "content"}}, "prediction.content"),
             ({"modalities": ["text", "audio"]}, "modalities[1]")]
    for fields, path in cases:
        with pytest.raises(openai.BadRequestError) as refused:
            ask(shared, extra_body=fields)
        assert refused.value.param == path, fields
