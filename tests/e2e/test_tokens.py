"""Tokens, templates and counts without a run."""

import pytest
from rkllm import RkllmServer

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe of <|im_start|>?"}]


@pytest.fixture(scope="module", params=["llama.cpp", "rkllm"])
def server(request, tmp_path_factory):
    if request.param == "llama.cpp":
        yield request.getfixturevalue("shared")
    else:
        with RkllmServer(tmp_path_factory.mktemp("rkllm")) as server:
            yield server.start()


def ask(server, path, **body):
    response = server.post(path, {"model": "demo", **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_text_comes_back_from_its_tokens(server):
    text = "Grüße! 1 + 1 = 2 <|im_end|> 😀"
    tokens = ask(server, "/tokenize", content=text)["tokens"]
    assert ask(server, "/detokenize", tokens=tokens) == {"content": text}
    pieces = [entry["piece"] for entry in ask(server, "/tokenize", content=text, with_pieces=True)["tokens"]]
    spelled = b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces)
    assert spelled.decode() == text


def test_a_count_is_the_usage_of_a_real_run(server):
    for fields in [{}, {"use_cache": "guide"}]:
        counted = ask(server, "/v1/chat/completions/input_tokens", messages=CHAT, **fields)
        assert counted["object"] == "response.input_tokens"
        answer = ask(server, "/v1/chat/completions", messages=CHAT, max_tokens=1, **fields)
        assert counted["input_tokens"] == answer["usage"]["prompt_tokens"] > 5


def test_the_rendered_template_has_as_many_tokens_as_the_chat(server):
    prompt = ask(server, "/apply-template", messages=CHAT)["prompt"]
    assert prompt.endswith("<|im_start|>assistant\n") and "Größe" in prompt
    counted = ask(server, "/v1/chat/completions/input_tokens", messages=CHAT)["input_tokens"]
    assert len(ask(server, "/tokenize", content=prompt)["tokens"]) == counted


@pytest.mark.surface
def test_what_is_wrong_is_refused_with_its_path(server):
    cases = [("/tokenize", {}, "content"), ("/tokenize", {"content": 5}, "content"), ("/detokenize", {}, "tokens"),
             ("/detokenize", {"tokens": [10**8]}, "tokens"), ("/apply-template", {"messages": []}, "messages"),
             ("/v1/chat/completions/input_tokens", {"messages": 5}, "messages")]
    for path, body, param in cases:
        response = server.post(path, {"model": "demo", **body})
        assert response.status_code == 400 and response.json()["error"]["param"] == param, (path, response.text)


def test_a_model_without_a_tokenizer_says_so(tmp_path):
    with RkllmServer(tmp_path, tokenizer=False, overrides={"prompt_mode": "native"}) as server:
        server.start()
        for path, body in [("/tokenize", {"content": "a"}), ("/detokenize", {"tokens": [1]}),
                           ("/v1/chat/completions/input_tokens", {"messages": CHAT})]:
            response = server.post(path, {"model": "demo", **body})
            assert response.status_code == 400 and response.json()["error"]["code"] == "unsupported", response.text
