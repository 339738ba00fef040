"""/v1/responses with the official client: whole and streamed, conversations that go on, tools, reasoning, schemas."""

import json

import openai
import pytest
from rockllama import VOCABULARIES
from test_tools import CALL, Weather, with_template

WEATHER = {"type": "function", "name": "weather", "description": "The weather of a city.", "strict": True,
           "parameters": {"type": "object", "properties": {"city": {"enum": ["Bern", "Rome"]}}, "required": ["city"],
                          "additionalProperties": False}}


def respond(client, **fields):
    return client.responses.create(**{"model": "demo", "input": "What is the capital of France?", "max_output_tokens": 12,
                                      "temperature": 0, **fields})


@pytest.mark.surface
def test_a_response_has_the_shape_that_the_client_knows(shared):
    response = respond(shared.openai(), instructions="Be brief.", metadata={"a": "b"})
    assert response.object == "response" and response.model == "demo" and response.error is None
    assert response.status in ("completed", "incomplete")
    assert response.output_text == response.output[0].content[0].text != ""
    assert response.output[0].type == "message" and response.output[0].role == "assistant"
    assert response.instructions == "Be brief." and response.metadata == {"a": "b"} and response.temperature == 0
    usage = response.usage
    assert usage.input_tokens > 10 and 1 <= usage.output_tokens <= 12
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


@pytest.mark.surface
def test_a_response_says_what_a_chat_says(shared):
    chat = shared.chat("What is the capital of France?", system="Be brief.", cache_prompt=False)
    response = respond(shared.openai(), instructions="Be brief.", extra_body={"cache_prompt": False})
    assert response.output_text == chat["choices"][0]["message"]["content"]
    assert response.usage.input_tokens == chat["usage"]["prompt_tokens"]


def test_a_stream_says_what_the_whole_response_says(shared):
    client = shared.openai()
    whole = respond(client)
    events = list(respond(client, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:4]] == ["response.created", "response.in_progress", "response.output_item.added",
                                                    "response.content_part.added"]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    last = events[-1]
    assert last.type == f"response.{whole.status}" and last.response.output_text == whole.output_text
    assert last.response.id == events[0].response.id
    assert client.responses.retrieve(last.response.id).output_text == whole.output_text


@pytest.mark.surface
def test_the_stream_helper_follows_the_events(shared):
    with shared.openai().responses.stream(model="demo", input="Hi", max_output_tokens=300, temperature=0,
                                          extra_body={"stop": ["."]}) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert final.status == "completed" and final.output_text == "".join(deltas)


@pytest.mark.surface
def test_a_limit_makes_a_response_incomplete(shared):
    response = respond(shared.openai(), max_output_tokens=2)
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"
    assert response.output[0].status == "incomplete" and response.usage.output_tokens == 2


# Two layers write no text that reads back as the same tokens, and so short a prompt has no cut before its end.
@pytest.mark.whole_model
def test_a_conversation_goes_on_over_its_warm_prefix(shared):
    client = shared.openai()
    first = respond(client, input="My dog is called Waldi. " * 10)
    second = respond(client, input="What is my dog called?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    assert second.usage.input_tokens_details.cached_tokens > 50
    items = [{"role": "user", "content": "My dog is called Waldi. " * 10}, *[item.model_dump() for item in first.output],
             {"role": "user", "content": "What is my dog called?"}]
    assert respond(client, input=items).usage.input_tokens == second.usage.input_tokens


@pytest.mark.surface
def test_responses_are_read_and_forgotten(shared):
    client = shared.openai()
    response = respond(client)
    assert client.responses.retrieve(response.id).model_dump() == response.model_dump()
    client.responses.delete(response.id)
    for forgotten in (lambda: client.responses.retrieve(response.id), lambda: client.responses.delete(response.id),
                      lambda: respond(client, previous_response_id=response.id)):
        with pytest.raises(openai.NotFoundError) as caught:
            forgotten()
        assert caught.value.code == "not_found"
    unstored = respond(client, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unstored.id)


@pytest.mark.surface
def test_only_so_many_responses_are_kept_and_only_for_their_key(scripted):
    server = scripted("answer Fine.\n", settings={"server": {
        "stored_responses": 2, "api_keys": [{"name": "a", "key": "key-a"}, {"name": "b", "key": "key-b"}]}})
    server.start()
    base, other = (openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0) for key in ("key-a", "key-b"))
    ids = [respond(base).id for _ in range(3)]
    with pytest.raises(openai.NotFoundError):
        base.responses.retrieve(ids[0])
    assert base.responses.retrieve(ids[2]).id == ids[2]
    for ask in (lambda: other.responses.retrieve(ids[2]), lambda: other.responses.delete(ids[2]),
                lambda: respond(other, previous_response_id=ids[2])):
        with pytest.raises(openai.NotFoundError):
            ask()


def test_a_tool_is_called_and_its_result_is_taken_by_id(scripted):
    client = with_template(scripted(f"answer {CALL}\n"), "Qwen-Qwen2.5-7B-Instruct").openai()
    asked = respond(client, input="How is the weather in Bern?", tools=[WEATHER], max_output_tokens=100)
    call = asked.output[0]
    assert call.type == "function_call" and call.name == "weather" and call.call_id.startswith("call_")
    assert json.loads(call.arguments) == {"city": "Bern"}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
    again = respond(client, input=[result], tools=[WEATHER], previous_response_id=asked.id, max_output_tokens=100)
    assert again.usage.input_tokens > asked.usage.input_tokens


@pytest.mark.surface
def test_a_stream_of_calls_says_what_the_whole_response_says(scripted):
    client = with_template(scripted(f"answer Let me see.\\n{CALL}\n"), "Qwen-Qwen2.5-7B-Instruct").openai()
    fields = {"input": "How is the weather in Bern?", "tools": [WEATHER], "max_output_tokens": 100}
    whole = respond(client, **fields)
    assert [item.type for item in whole.output] == ["message", "function_call"]
    with client.responses.stream(model="demo", **fields) as stream:
        events = list(stream)
    arguments = [event for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(event.delta for event in arguments) == whole.output[1].arguments
    final = events[-1].response
    assert [(item.type, getattr(item, "arguments", None)) for item in final.output] == [
        (item.type, getattr(item, "arguments", None)) for item in whole.output]


@pytest.mark.surface
def test_reasoning_is_an_item_of_its_own(scripted):
    client = with_template(scripted("answer <think>\\nEasy.\\n</think>\\n\\nSunny.\n"), "Qwen-Qwen3-0.6B").openai()
    whole = respond(client, reasoning={"effort": "low"}, max_output_tokens=100)
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert whole.output[0].content[0].text.strip() == "Easy." and whole.output_text == "Sunny."
    events = list(respond(client, reasoning={"effort": "low"}, max_output_tokens=100, stream=True))
    thought = "".join(event.delta for event in events if event.type == "response.reasoning_text.delta")
    assert thought == whole.output[0].content[0].text


@pytest.mark.surface
def test_the_parse_helper_gets_what_its_schema_says(shared):
    response = shared.openai().responses.parse(model="demo", input="How is the weather in Bern?", text_format=Weather,
                                               max_output_tokens=400, extra_body={"seed": 1})
    assert response.status == "completed" and isinstance(response.output_parsed, Weather)


@pytest.mark.surface
def test_what_cannot_be_served_is_refused_with_its_path(shared):
    client = shared.openai()
    for fields, param, code in [({"tools": [{"type": "web_search"}]}, "tools[0].type", "unsupported"),
                                ({"background": True}, "background", "unsupported"),
                                ({"input": []}, "input", None),
                                ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
                                 "input[0].content[0]", "unsupported_content"),
                                ({"max_output_tokens": 0}, "max_output_tokens", None)]:
        with pytest.raises(openai.BadRequestError) as caught:
            respond(client, **fields)
        assert caught.value.param == param and caught.value.code == code


@pytest.mark.surface
def test_a_stream_that_fails_says_so_in_its_last_event(scripted):
    client = scripted("answer word \nrepeat 400\ntoken_delay_ms 5\ncrash_on_token 6\n").start().openai()
    events = list(respond(client, max_output_tokens=400, stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error" and events[-1].response.error.message
