"""What /v1/completions takes beside one text, with the official client against the real model."""

import openai
import pytest
from rockllama import said

PROMPT = "The capital of France is"


def complete(server, **fields):
    return server.openai().completions.create(
        **{"model": "demo", "prompt": PROMPT, "max_tokens": 6, "temperature": 0, **fields})


def refused(server, **fields):
    with pytest.raises(openai.BadRequestError) as error:
        complete(server, **fields)
    return error.value


def tokens_of(server, text):
    return server.post("/tokenize", {"model": "demo", "content": text}).json()["tokens"]


def test_each_prompt_gets_its_answers_in_order(shared):
    prompts = [PROMPT, "Once upon a time"]
    answer = complete(shared, prompt=prompts, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    alone = [complete(shared, prompt=prompt) for prompt in prompts]
    assert answer.usage.prompt_tokens == sum(one.usage.prompt_tokens for one in alone)
    assert answer.choices[0].text != answer.choices[2].text


def test_a_stream_of_several_prompts_tells_each_by_its_index(shared):
    texts, ends = {}, set()
    for chunk in complete(shared, prompt=[PROMPT, "Once upon a time"], stream=True):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
            if choice.finish_reason:
                ends.add(choice.index)
    assert ends == {0, 1} and texts[0] != texts[1]


def test_token_ids_are_continued_like_their_text(shared):
    ids = tokens_of(shared, PROMPT)
    answer = complete(shared, prompt=ids)
    assert answer.usage.prompt_tokens == len(ids)
    assert answer.choices[0].text == complete(shared).choices[0].text
    assert len(complete(shared, prompt=[ids, ids[:2]]).choices) == 2


def test_an_echo_begins_with_the_prompt(shared):
    plain = complete(shared).choices[0].text
    assert complete(shared, echo=True).choices[0].text == PROMPT + plain
    assert complete(shared, echo=True, prompt=tokens_of(shared, PROMPT)).choices[0].text == PROMPT + plain
    chunks = complete(shared, echo=True, stream=True)
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == PROMPT + plain


def test_an_echo_leaves_out_the_text_of_a_cache(shared):
    answer = shared.complete(PROMPT, use_cache="guide", echo=True, max_tokens=2)
    assert said(answer).startswith(PROMPT)


def test_the_best_answers_are_told_and_all_are_counted(shared):
    answer = complete(shared, best_of=3, n=2, temperature=1.2, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.logprobs is None for choice in answer.choices)
    assert answer.usage.completion_tokens > 12
    means = [sum(choice.logprobs.token_logprobs) / len(choice.logprobs.token_logprobs)
             for choice in complete(shared, best_of=3, n=2, temperature=1.2, seed=1, logprobs=0).choices]
    assert means[0] >= means[1]


@pytest.mark.surface
def test_what_cannot_be_served_is_refused_with_its_path(shared):
    cases = [({"prompt": []}, "prompt"), ({"prompt": [[]]}, "prompt[0]"), ({"prompt": [10**8]}, "prompt"),
             ({"prompt": ["a", [1, 10**8]]}, "prompt[1]"), ({"prompt": ["a", "word " * 20000]}, "prompt[1]"),
             ({"echo": True, "logprobs": 1}, "echo"), ({"echo": "yes"}, "echo"), ({"suffix": 1}, "suffix"),
             ({"best_of": 1, "n": 2}, "best_of"), ({"prompt": ["a"] * 65}, "prompt")]
    for fields, path in cases:
        assert refused(shared, **fields).param == path, fields


def test_a_model_that_cannot_fill_in_refuses_a_suffix(shared):
    error = refused(shared, suffix=" Paris.")
    assert error.code == "unsupported" and error.param == "suffix"


@pytest.mark.surface
def test_an_engine_without_logprobs_refuses_candidates(scripted):
    server = scripted("answer Hi.").start()
    error = refused(server, best_of=2)
    assert error.code == "unsupported" and error.param == "best_of"
