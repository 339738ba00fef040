"""Chat and raw completions on the RKLLM engine, with the runtime of each ABI."""

from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from prompts import prose
from rkllm import VERSIONS, RkllmServer
from rockllama import events, said, sized

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module", params=VERSIONS)
def server(request, tmp_path_factory):
    with RkllmServer(tmp_path_factory.mktemp("rkllm"), request.param) as server:
        server.version = request.param
        yield server.start()


def stream(server, **fields):
    return server.openai().chat.completions.create(**{
        "model": "demo", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 12, "stream": True, **fields})


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_chat_is_answered_with_true_token_counts(server):
    answer = server.chat(QUESTION)
    assert said(answer)
    usage = answer["usage"]
    assert usage["prompt_tokens"] > 10 and 1 <= usage["completion_tokens"] <= 12
    assert usage["cache_hit"] is False


def test_a_stream_says_what_the_whole_answer_says(server):
    chunks = list(stream(server))
    assert text_of(chunks) == said(server.chat(QUESTION))
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


def test_max_tokens_ends_an_answer_with_length(server):
    answer = server.chat(QUESTION, max_tokens=3)
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["choices"][0]["finish_reason"] == "length"


def test_an_answer_ends_before_a_stop_string(server):
    whole = said(server.chat(QUESTION))
    stop = whole[len(whole) // 2:len(whole) // 2 + 3]
    answer = server.chat(QUESTION, stop=stop)
    assert said(answer) == whole[:whole.index(stop)]
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_an_answer_in_json_is_checked_when_it_is_whole(server):
    answer = server.chat(QUESTION, response_format={"type": "json_object"}, max_tokens=sized(8, 20))
    assert "cannot be held to response_format" in answer["warnings"][0]
    assert answer["usage"]["prompt_tokens"] > 10


def test_a_raw_completion_continues_the_text(server):
    answer = server.complete("The capital of France is", max_tokens=4)
    assert said(answer) and answer["usage"]["completion_tokens"] <= 4


def test_a_prompt_beyond_the_context_is_refused_before_the_runtime_sees_it(server):
    server.chat(QUESTION, max_tokens=1)
    workers = server.workers()
    with pytest.raises(openai.BadRequestError) as caught:
        list(stream(server, messages=[{"role": "user", "content": prose(120)}]))
    assert caught.value.code == "context_length_exceeded"
    assert "1024" in caught.value.message
    assert server.workers() == workers


def test_what_the_runtime_cannot_honour_is_named_in_a_warning(server):
    answer = server.chat(QUESTION, temperature=0, max_tokens=2, seed=7)
    assert "seed" in " ".join(answer["warnings"])
    warnings = " ".join(server.chat(QUESTION, temperature=0.9, max_tokens=2).get("warnings", []))
    assert ("temperature" in warnings) == (server.version != "1.3.0")


def test_a_client_that_leaves_in_the_answer_frees_the_model(server):
    body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}], "stream": True, "max_tokens": 400}
    with server._http.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = events(response)
        for _ in range(3):
            next(lines)
    assert said(server.chat(QUESTION, max_tokens=2))


def test_a_client_that_leaves_in_the_prefill_frees_the_model(server):
    with pytest.raises(openai.APITimeoutError):
        server.openai().with_options(timeout=0.1).chat.completions.create(
            model="demo", messages=[{"role": "user", "content": prose(sized(20, 40))}])
    assert said(server.chat(QUESTION, max_tokens=2))


def test_requests_wait_for_each_other(server):
    alone = said(server.chat(QUESTION, max_tokens=6))
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: said(server.chat(QUESTION, max_tokens=6)), range(3)))
    assert answers == [alone] * 3


def test_a_character_in_several_pieces_is_never_split(server):
    text = text_of(stream(server, messages=[{"role": "user", "content": "Answer only with emoji: how is the weather?"}],
                          max_tokens=sized(20, 40)))
    assert "\ufffd" not in text
