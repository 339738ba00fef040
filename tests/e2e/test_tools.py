"""Tools, JSON and reasoning with the official client: scripted answers, and the real model held to a grammar."""

import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel
from rockllama import VOCABULARIES

QUESTION = [{"role": "user", "content": "How is the weather in Bern?"}]
WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"enum": ["Bern", "Rome"]}}, "required": ["city"],
                   "additionalProperties": False}}}
CALL = r'<tool_call>\n{"name": "weather", "arguments": {"city": "Bern"}}\n</tool_call>'


def with_template(server, name):
    path = server.models / "demo/chat_template.jinja"
    path.unlink(missing_ok=True)
    path.write_text((VOCABULARIES / f"templates/{name}.jinja").read_text())
    return server.start()


def ask(client, **fields):
    return client.chat.completions.create(**{"model": "demo", "messages": QUESTION, **fields})


def joined(chunks):
    """The message that the chunks of one choice make, and its finish reason."""
    text, reasoning, calls, reason = "", "", [], None
    for chunk in chunks:
        choice = chunk.choices[0]
        text += choice.delta.content or ""
        reasoning += getattr(choice.delta, "reasoning_content", None) or ""
        for part in choice.delta.tool_calls or []:
            if part.index == len(calls):
                calls.append({"id": part.id, "name": part.function.name, "arguments": ""})
            calls[part.index]["arguments"] += part.function.arguments
        reason = choice.finish_reason or reason
    return text, reasoning, calls, reason


def test_a_tool_is_called_and_its_result_is_taken(scripted):
    client = with_template(scripted(f"answer {CALL}\n"), "Qwen-Qwen2.5-7B-Instruct").openai()
    choice = ask(client, tools=[WEATHER]).choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    call = choice.message.tool_calls[0]
    assert call.type == "function" and call.function.name == "weather"
    assert json.loads(call.function.arguments) == {"city": "Bern"}
    again = ask(client, tools=[WEATHER], messages=[*QUESTION, choice.message.model_dump(exclude_none=True),
                                                   {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}])
    assert again.usage.prompt_tokens > 0
    plain = ask(client, tools=[WEATHER], tool_choice="none").choices[0]
    assert plain.finish_reason == "stop" and plain.message.content.startswith("<tool_call>")


def test_a_stream_of_tool_calls_says_what_the_whole_answer_says(scripted):
    server = with_template(scripted(f"answer Let me see.\\n{CALL}\n"), "Qwen-Qwen2.5-7B-Instruct")
    whole = ask(server.openai(), tools=[WEATHER]).choices[0]
    text, _, calls, reason = joined(ask(server.openai(), tools=[WEATHER], stream=True))
    assert reason == whole.finish_reason == "tool_calls"
    assert text == whole.message.content
    assert [(call["name"], call["arguments"]) for call in calls] == [
        (call.function.name, call.function.arguments) for call in whole.message.tool_calls]
    assert all(call["id"].startswith("call_") for call in calls)


def test_reasoning_is_split_off(scripted):
    server = with_template(scripted("answer <think>\\nEasy.\\n</think>\\n\\nSunny.\n"), "Qwen-Qwen3-0.6B")
    thinking = {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}}
    whole = ask(server.openai(), **thinking).choices[0]
    assert whole.message.content == "Sunny." and whole.message.reasoning_content.strip() == "Easy."
    text, reasoning, _, _ = joined(ask(server.openai(), stream=True, **thinking))
    assert (text, reasoning) == (whole.message.content, whole.message.reasoning_content)


def test_what_an_engine_without_grammars_cannot_hold_is_refused(scripted):
    client = with_template(scripted("answer no\n"), "Qwen-Qwen2.5-7B-Instruct").openai()
    for fields, param in [({"tools": [WEATHER], "tool_choice": "required"}, "tool_choice"), ({"logprobs": True}, "logprobs")]:
        with pytest.raises(openai.BadRequestError) as caught:
            ask(client, **fields)
        assert caught.value.param == param and caught.value.code == "unsupported"


CITY = {"type": "json_schema", "json_schema": {"name": "city", "schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def test_an_answer_that_fits_is_told_without_its_fence(scripted):
    client = with_template(scripted(r'answer ```json\n{"city": "Bern"}\n```'), "Qwen-Qwen2.5-7B-Instruct").openai()
    answer = ask(client, response_format=CITY)
    assert answer.choices[0].message.content == '{"city": "Bern"}'
    assert "checked and fits" in answer.model_extra["warnings"][0]
    chunks = list(ask(client, response_format=CITY, stream=True))
    assert joined(chunks)[0] == '{"city": "Bern"}'
    assert "checked and fits" in chunks[-1].model_extra["warnings"][0]


def test_an_answer_that_does_not_fit_is_asked_for_once_more(scripted):
    client = with_template(scripted("answer Sunny in Bern."), "Qwen-Qwen2.5-7B-Instruct").openai()
    once = ask(client).usage.completion_tokens
    for stream in (False, True):
        answer = ask(client, response_format=CITY, stream=stream)
        warnings = (list(answer)[-1] if stream else answer).model_extra["warnings"]
        assert "does not fit it: it is no JSON" in warnings[0]
    answer = ask(client, response_format=CITY)
    assert answer.choices[0].message.content == "Sunny in Bern."
    assert answer.usage.completion_tokens == 2 * once


def test_a_schema_that_refers_to_itself_cannot_be_checked(scripted):
    client = with_template(scripted("answer {}"), "Qwen-Qwen2.5-7B-Instruct").openai()
    endless = {"type": "json_schema", "json_schema": {"name": "list", "schema": {"properties": {"next": {"$ref": "#"}}}}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, response_format=endless)
    assert caught.value.param == "response_format" and caught.value.code == "unsupported"


def test_tools_are_refused_where_the_template_prints_none(shared):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(shared.openai(), tools=[WEATHER])
    assert caught.value.param == "tools"


@pytest.mark.whole_model  # two layers may write spaces for ever
def test_a_required_tool_is_called_by_the_real_model(make_server):
    client = with_template(make_server().add_model(), "Qwen-Qwen2.5-7B-Instruct").openai()
    for choice in ("required", {"type": "function", "function": {"name": "weather"}}):
        answer = ask(client, tools=[WEATHER], tool_choice=choice, max_tokens=200, temperature=0, parallel_tool_calls=False)
        assert answer.choices[0].finish_reason == "tool_calls"
        call = answer.choices[0].message.tool_calls[0]
        assert call.function.name == "weather" and json.loads(call.function.arguments)["city"] in ("Bern", "Rome")


class Weather(BaseModel):
    city: Literal["Bern", "Rome"]
    sunny: bool


@pytest.mark.whole_model
def test_the_parse_helper_gets_what_its_schema_says(shared):
    answer = shared.openai().chat.completions.parse(
        model="demo", messages=QUESTION, response_format=Weather, max_tokens=400, temperature=0)
    assert answer.choices[0].finish_reason == "stop"
    assert isinstance(answer.choices[0].message.parsed, Weather)


@pytest.mark.whole_model
def test_a_json_object_is_one(shared):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
    held = {"type": "json_schema", "json_schema": {"name": "held", "strict": True, "schema": schema}}
    fields = {"max_tokens": 200, "temperature": 0}
    text, _, _, reason = joined(ask(shared.openai(), response_format=held, stream=True, **fields))
    assert reason == "stop" and isinstance(json.loads(text)["ok"], bool)
    free = ask(shared.openai(), response_format={"type": "json_object"}, **fields)
    assert free.choices[0].message.content.lstrip().startswith("{")


def test_a_schema_that_cannot_be_followed_is_named(shared):
    bad = {"type": "json_schema", "json_schema": {"name": "bad", "schema": {"type": "nonsense"}}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(shared.openai(), response_format=bad)
    assert caught.value.param == "response_format"
