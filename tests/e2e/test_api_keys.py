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


def limited(scripted, script="answer hello\n", **limits):
    server = scripted(script, settings={"server": {**SETTINGS["server"], **limits}})
    (server.folder / "keys").write_text("bob:key-of-bob\n")
    return server.start()


def client_of(server, name, **options):
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=f"key-of-{name}", max_retries=0, **options)


def ask(client, **fields):
    return client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "hi"}], **fields)


def test_a_key_is_held_to_its_rate_and_told_what_is_left(scripted):
    server = limited(scripted, key_requests_per_minute=2)
    first = client_of(server, "ann").chat.completions.with_raw_response.create(
        model="demo", messages=[{"role": "user", "content": "hi"}])
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["x-ratelimit-reset-requests"] == "30s"
    ask(client_of(server, "ann"), stream=True).close()
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client_of(server, "ann"))
    assert refused.value.code == "rate_limit_exceeded"
    headers = refused.value.response.headers
    assert 1 <= int(headers["retry-after"]) <= 30 and headers["x-ratelimit-remaining-requests"] == "0"
    assert ask(client_of(server, "bob")).choices[0].message.content == "hello"
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_key_may_have_so_many_requests_at_once(scripted):
    server = limited(scripted, "answer hello\nrepeat 1000\ntoken_delay_ms 20\n", key_parallel=1)
    client = client_of(server, "ann")
    stream = ask(client, stream=True)
    next(iter(stream))
    with pytest.raises(openai.RateLimitError):
        ask(client, max_tokens=1)
    assert ask(client_of(server, "bob"), max_tokens=1)
    stream.close()
    # The client waits as long as Retry-After says, and tries again.
    assert ask(client.with_options(max_retries=5), max_tokens=1)
    for _ in range(5):
        assert ask(client, max_tokens=1)


def test_pages_of_listed_origins_may_call(scripted):
    server = scripted("answer hello\n", settings={"server": {**SETTINGS["server"], "api_keys_file": "",
                                                             "cors_origins": ["https://chat.example"]}}).start()
    url = f"{server.url}/v1/chat/completions"
    asks = {"origin": "https://chat.example", "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type"}
    allowed = httpx.options(url, headers=asks)
    assert allowed.status_code == 200 and not allowed.content
    assert allowed.headers["access-control-allow-origin"] == "https://chat.example"
    assert allowed.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    refused = httpx.post(url, json={}, headers={"origin": "https://chat.example"})
    assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == "https://chat.example"
    other = httpx.options(url, headers={**asks, "origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers
    assert httpx.options(url).status_code == 405


def test_faulty_keys_stop_the_start(make_server):
    server = make_server(settings={"server": {"api_keys": ["topsecret"]}})
    server.launch()
    assert server.process.wait(20) == 2
    assert "server.api_keys: entry 1" in server.log() and "topsecret" not in server.log()
