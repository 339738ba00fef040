"""Embeddings with the official client, on both engines."""

import math

import openai
import pytest
from rkllm import VERSIONS, RkllmServer
from rockllama import sized

TEXTS = ["The cat sleeps on the warm sofa in the living room.",
         "A kitten is napping on a cozy couch at home.",
         "The central bank raised interest rates to fight inflation."]
# The order of sums differs with what else is in a decode call.
SAME = 0.999


@pytest.fixture(scope="module", params=["llama.cpp", *VERSIONS])
def server(request, tmp_path_factory):
    if request.param == "llama.cpp":
        yield request.getfixturevalue("shared")
    else:
        with RkllmServer(tmp_path_factory.mktemp("rkllm"), request.param) as server:
            yield server.start()


def embed(server, texts, **fields):
    return server.openai().embeddings.create(model="demo", input=texts, **fields)


def vectors(server, texts, **fields):
    return [entry.embedding for entry in embed(server, texts, **fields).data]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_a_batch_is_answered_in_order_with_true_token_counts(server):
    answer = embed(server, TEXTS)
    assert [entry.index for entry in answer.data] == [0, 1, 2]
    assert answer.object == "list" and answer.model == "demo"
    assert all(entry.object == "embedding" for entry in answer.data)
    alone = [embed(server, text) for text in TEXTS]
    assert answer.usage.prompt_tokens == sum(one.usage.prompt_tokens for one in alone) > 20
    assert answer.usage.total_tokens == answer.usage.prompt_tokens
    for one, entry in zip(alone, answer.data, strict=True):
        assert dot(one.data[0].embedding, entry.embedding) > SAME
        assert math.isclose(dot(entry.embedding, entry.embedding), 1, abs_tol=1e-4)


@pytest.mark.whole_model
def test_texts_that_mean_the_same_are_nearer_than_others(shared):
    cat, kitten, bank = vectors(shared, TEXTS)
    assert dot(cat, kitten) > dot(cat, bank)
    assert dot(cat, kitten) > dot(kitten, bank)


@pytest.mark.surface
def test_base64_holds_the_same_floats(server):
    # The client asks for base64 and decodes it unless it is told a format.
    assert vectors(server, TEXTS) == vectors(server, TEXTS, encoding_format="float")


def test_token_ids_are_embedded_like_their_text(server):
    plain = vectors(server, [[504, 2644, 30]])
    assert len(plain) == 1
    assert vectors(server, [504, 2644, 30]) == plain
    assert len(vectors(server, [[504, 2644, 30], [504]])) == 2


def test_bad_inputs_are_refused_with_their_path(server):
    cases = [("", "input"), ([], "input"), ([[]], "input[0]"), (["a", ""], "input[1]"), ([10**8], "input"),
             ([[1], [10**8]], "input[1]")]
    for value, path in cases:
        with pytest.raises(openai.BadRequestError) as refused:
            embed(server, value)
        assert refused.value.param == path, value
    with pytest.raises(openai.BadRequestError) as refused:
        embed(server, "a", dimensions=7)
    assert refused.value.param == "dimensions" and "7" in refused.value.message


def test_an_input_beyond_the_context_is_refused_with_both_numbers(server):
    with pytest.raises(openai.BadRequestError) as refused:
        embed(server, ["short", "word " * 20000])
    assert refused.value.code == "context_length_exceeded"
    assert refused.value.param == "input[1]"
    assert "20000" in refused.value.message or "20001" in refused.value.message


@pytest.mark.surface
def test_many_inputs_and_chats_go_side_by_side(shared):
    with shared.openai() as client:
        texts = [f"Sentence number {i} of a list." for i in range(sized(5, 20))]
        answer = client.embeddings.create(model="demo", input=texts)
    assert len(answer.data) == len(texts)
    assert len({tuple(entry.embedding[:4]) for entry in answer.data}) == len(texts)


@pytest.mark.surface
def test_an_engine_without_embeddings_says_so(scripted):
    server = scripted("answer Hi.").start()
    with pytest.raises(openai.BadRequestError) as refused:
        embed(server, "a")
    assert refused.value.code == "unsupported" and "no embeddings" in refused.value.message


def test_settings_of_a_model_choose_pooling_and_limit(make_server):
    server = make_server().add_model()
    (server.models / "demo" / "model.json").write_text(
        '{"embedding": {"max_context_len": 8, "pooling_strategy": "last", "normalize": false}}')
    server.start()
    vector = vectors(server, "One two three.")[0]
    assert abs(dot(vector, vector) - 1) > 0.01
    with pytest.raises(openai.BadRequestError) as refused:
        embed(server, "One two three four five six seven eight nine ten.")
    assert "at most 8 tokens" in refused.value.message
