"""Chat and raw completions with the official client against the real model."""

import asyncio

import pytest
from rockllama import said, sized

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


def ask(client, **fields):
    return client.chat.completions.create(**{"model": "demo", "messages": QUESTION, "max_tokens": 16, "temperature": 0,
                                             **fields})


def test_a_chat_is_answered_with_true_token_counts(shared):
    answer = ask(shared.openai())
    assert answer.choices[0].message.content
    assert answer.choices[0].message.role == "assistant"
    assert answer.object == "chat.completion" and answer.model == "demo"
    usage = answer.usage
    assert usage.prompt_tokens > 10 and 1 <= usage.completion_tokens <= 16
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_says_what_the_whole_answer_says(shared):
    client = shared.openai()
    whole = ask(client)
    chunks = list(ask(client, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert all(chunk.usage is None for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_last_chunk_carries_the_usage_when_asked(shared):
    chunks = list(ask(shared.openai(), stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_ends_with_done(shared):
    response = shared.post("/v1/chat/completions", {"model": "demo", "messages": QUESTION, "max_tokens": 4, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.rstrip().endswith("data: [DONE]")


def test_the_async_client_runs_several_chats_at_once(shared):
    async def run():
        async with shared.async_openai() as client:
            answers = await asyncio.gather(*[ask(client) for _ in range(sized(2, 4))])
            stream = await ask(client, stream=True)
            return answers, [chunk async for chunk in stream]

    answers, chunks = asyncio.run(run())
    assert all(answer.choices[0].message.content for answer in answers)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


@pytest.mark.whole_model
def test_a_raw_completion_continues_the_text(shared):
    client = shared.openai()
    fields = {"model": "demo", "prompt": "The capital of France is", "max_tokens": 6, "temperature": 0}
    whole = client.completions.create(**fields)
    assert "Paris" in whole.choices[0].text and whole.object == "text_completion"
    parts = [chunk.choices[0].text for chunk in client.completions.create(stream=True, **fields)]
    assert "".join(parts) == whole.choices[0].text


def test_max_tokens_ends_an_answer_with_length(shared):
    for field in ("max_tokens", "max_completion_tokens"):
        body = {"model": "demo", "messages": QUESTION, "temperature": 0, field: 3}
        answer = shared.post("/v1/chat/completions", body).json()
        assert answer["usage"]["completion_tokens"] == 3
        assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.whole_model
def test_max_tokens_beyond_the_context_is_lowered_and_not_refused(shared):
    answer = shared.chat("Say only the word yes.", max_tokens=1_000_000, stop=["."])
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(shared):
    def answer(seed):
        return said(shared.chat("Write a line about the sea.", use_cache="guide", temperature=1.0, seed=seed,
                                max_tokens=sized(8, 20)))

    assert answer(7) == answer(7)
    assert len({answer(seed) for seed in range(sized(3, 6))}) > 1


def test_a_logit_bias_can_force_a_token(shared):
    answer = shared.complete("The capital of France is", max_tokens=4, logit_bias={"42": 100})
    assert answer["usage"]["completion_tokens"] == 4
    text = said(answer)
    assert text == text[:len(text) // 4] * 4


def test_every_sampling_field_is_taken(shared):
    answer = shared.chat("Hello", temperature=0.8, top_p=0.9, top_k=20, min_p=0.05, repeat_penalty=1.1,
                         frequency_penalty=0.2, presence_penalty=0.2, seed=3, max_tokens=4)
    assert answer["usage"]["completion_tokens"] <= 4
    for mirostat in (1, 2):
        answer = shared.chat("Hello", temperature=0.8, mirostat=mirostat, mirostat_tau=5.0, mirostat_eta=0.1, seed=3,
                             max_tokens=4)
        assert answer["usage"]["completion_tokens"] <= 4


def test_a_long_answer_never_splits_a_character(shared):
    answer = ""
    stream = shared.openai().chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "Answer only with emoji and Chinese words: the weather?"}],
        max_tokens=80, temperature=1.2, seed=5, stream=True)
    for chunk in stream:
        answer += chunk.choices[0].delta.content or ""
    assert "�" not in answer


def test_a_request_without_model_goes_to_the_loaded_one(shared):
    response = shared.post("/v1/chat/completions", {"messages": QUESTION, "max_tokens": 2})
    assert response.status_code == 200 and response.json()["model"] == "demo"


def test_unknown_fields_of_other_clients_are_let_pass(shared):
    """What Open WebUI and its like add to a request."""
    answer = shared.post("/v1/chat/completions", {
        "model": "demo", "messages": QUESTION, "max_tokens": 2, "chat_id": "1", "session_id": "2", "id": "3",
        "metadata": {"user_id": "4", "features": {"web_search": False}}, "user": {"name": "x"}, "features": {},
        "variables": {"{{USER_NAME}}": "x"}, "background_tasks": {"title_generation": True}, "tool_ids": None,
        "params": {}, "num_ctx": 4096, "keep_alive": "5m"})
    assert answer.status_code == 200, answer.text


def test_content_may_be_a_list_of_text_parts(shared):
    parts = [{"type": "text", "text": "What is the capital "}, {"type": "text", "text": "of France?"}]
    answer = shared.chat("x", messages=[{"role": "user", "content": parts}], cache_prompt=False)
    assert said(answer) == said(shared.chat("What is the capital of France?", cache_prompt=False))


def test_a_body_is_json_under_any_content_type(shared):
    response = shared._http.post("/v1/chat/completions", content=b'{"model":"demo","max_tokens":1,"messages":'
                                 b'[{"role":"user","content":"Hi"}]}', headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status_code == 200


def test_logprobs_are_those_of_the_tokens_that_are_said(shared):
    choice = ask(shared.openai(), logprobs=True, top_logprobs=3).choices[0]
    tokens = choice.logprobs.content
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == choice.message.content
    for token in tokens:  # greedy
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert token.top_logprobs[0].logprob == token.logprob
    streamed = list(ask(shared.openai(), logprobs=True, stream=True))
    told = [one for chunk in streamed if chunk.choices[0].logprobs for one in chunk.choices[0].logprobs.content]
    assert [one.token for one in told] == [one.token for one in tokens]


def test_logprobs_of_a_text_have_their_places(shared):
    choice = shared.openai().completions.create(model="demo", prompt="The capital of France is", max_tokens=6,
                                                temperature=0, logprobs=2).choices[0]
    assert "".join(choice.logprobs.tokens) == choice.text
    for token, offset, top in zip(choice.logprobs.tokens, choice.logprobs.text_offset, choice.logprobs.top_logprobs):
        assert choice.text[offset:].startswith(token) and len(top) == 2


def test_several_answers_have_their_own_index_and_seed(shared):
    answer = ask(shared.openai(), n=3, temperature=1.5, seed=1, max_tokens=12)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1
    assert answer.usage.completion_tokens > 12
    texts, ends = ["", "", ""], set()
    for chunk in ask(shared.openai(), n=3, temperature=1.5, seed=1, max_tokens=12, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
        if chunk.choices[0].finish_reason:
            ends.add(chunk.choices[0].index)
    assert all(texts) and ends == {0, 1, 2}
