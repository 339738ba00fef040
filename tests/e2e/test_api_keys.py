"""API keys: who may call, and what the log and the folder show of them."""

import httpx
import openai
import pytest

SETTINGS = {"server": {"api_keys": [{"name": "ann", "key": "key-of-ann"}], "api_keys_file": "keys"}}


@pytest.fixture
def closed(scripted):
    server = scripted("answer hello\n", settings=SETTINGS)
    (server.folder / "keys").write_text("# more callers\nbob:key-of-bob\n")
    return server.start()


def test_only_callers_with_a_key_are_answered(closed):
    body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}

    def status(path="/v1/chat/completions", **headers):
        return httpx.post(f"{closed.url}{path}", json=body, headers=headers, timeout=60).status_code

    assert status(authorization="Bearer key-of-ann") == 200
    assert status(**{"x-api-key": "key-of-bob"}) == 200
    for wrong in ({}, {"authorization": "Bearer key-of-an"}, {"authorization": "Basic key-of-ann"}, {"x-api-key": ""}):
        assert status(**wrong) == 401, wrong
    assert [httpx.get(f"{closed.url}{path}").status_code for path in ("/", "/health", "/v1/health", "/ready")] == [200] * 4
    assert [httpx.get(f"{closed.url}{path}").status_code for path in ("/v1/models", "/v1/cache")] == [401] * 2

    with pytest.raises(openai.AuthenticationError) as refused:
        closed.openai().models.list()
    assert refused.value.code == "invalid_api_key"
    assert refused.value.response.headers["www-authenticate"] == "Bearer"

    log = closed.log()
    assert "caller=ann" in log and "caller=bob" in log and "key-of" not in log
    assert (closed.caches / ".secret").stat().st_mode & 0o777 == 0o600
    assert (closed.caches / ".secret").stat().st_size == 32


def test_faulty_keys_stop_the_start(make_server):
    server = make_server(settings={"server": {"api_keys": ["topsecret"]}})
    server.launch()
    assert server.process.wait(20) == 2
    assert "server.api_keys: entry 1" in server.log() and "topsecret" not in server.log()
