"""Errors as the official client sees them: its exception classes, the field at fault, both numbers."""

import openai
import pytest
from prompts import prose

pytestmark = pytest.mark.surface

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def client(shared):
    return shared.openai()


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=MESSAGES)
    assert caught.value.code == "model_not_found"
    assert "demo" in caught.value.message


@pytest.mark.parametrize("fields, param", [
    ({"temperature": 3}, "temperature"),
    ({"temperature": "warm"}, "temperature"),
    ({"top_p": -1}, "top_p"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"stop": 5}, "stop"),
    ({"mirostat": 3}, "mirostat"),
    ({"logit_bias": {"x": 1}}, "logit_bias"),
    ({"messages": []}, "messages"),
    ({"messages": "Hello"}, "messages"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": "a"}, {"role": "wizard", "content": "b"}]}, "messages[1].role"),
    ({"stream": "yes"}, "stream"),
    ({"n": 17}, "n"),
    ({"top_logprobs": 2}, "top_logprobs"),
])
def test_a_bad_field_is_named_by_its_path(client, fields, param):
    body = {"model": "demo", "messages": MESSAGES, **fields}
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body=body, cast_to=object)
    assert (caught.value.param or "").startswith(param)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.body["message"]


def test_an_image_is_refused_with_its_place(client):
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="demo", messages=[{"role": "user", "content": content}])
    assert caught.value.param.startswith("messages[0].content")


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(make_server):
    server = make_server().add_model(overrides={"context_tokens": 512}).start()
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            server.openai().chat.completions.create(
                model="demo", messages=[{"role": "user", "content": prose(80)}], stream=stream)
        assert caught.value.code == "context_length_exceeded"
        numbers = [int(word) for word in caught.value.message.replace(",", " ").replace(".", " ").split() if word.isdigit()]
        assert 512 in numbers and max(numbers) > 512
    assert server.chat("Hello")["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"[" * 100_000, b'{"a":' * 5000 + b"1",
                                  b'{"messages": "\xff\xfe"}'])
def test_a_body_that_is_no_request_is_refused(shared, body):
    response = shared._http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_address_is_not_found_in_the_same_shape(shared):
    response = shared.get("/v1/nothing")
    assert response.status_code == 404
    assert set(response.json()["error"]) >= {"message", "type", "param", "code"}


def test_a_body_over_the_limit_is_refused(make_server):
    server = make_server(settings={"server": {"body_limit_mib": 1}}).add_model().start()
    response = server.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * (2 << 20)}]})
    assert response.status_code == 413
    assert server.get("/health").status_code == 200
