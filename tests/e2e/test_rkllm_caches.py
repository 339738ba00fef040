"""Prompt caches on the RKLLM engine: made, used, used after a restart, damaged, removed; with the runtime of each ABI."""

import pytest
from prompts import GUIDE
from rkllm import COUNTING, VERSIONS, RkllmServer
from rockllama import said, wait_until

QUESTION = "What should I see first?"


class Prepared:
    def __init__(self, server, version):
        self.server = server
        self.version = version
        self.created = server.create_cache("guide", GUIDE, format="chat")

    def ask(self, **fields):
        answer = self.server.chat(QUESTION, use_cache="guide", max_tokens=4, **fields)
        assert said(answer)
        return answer["usage"]

    def expect_used(self, usage):
        """A hit is said only where the runtime's own count shows it."""
        assert usage["cache"]["name"] == "guide"
        if self.version in COUNTING:
            assert usage["cache_hit"] is True, usage
            assert usage["cache"]["tier"] == "disk" and usage["cache"]["tokens"] > 80
            assert usage["cached_prompts"] == ["guide"]
        else:
            assert usage["cache_hit"] is False
            assert "unverified" in usage["cache"]["reason"]


@pytest.fixture(scope="module", params=VERSIONS)
def prepared(request, tmp_path_factory):
    with RkllmServer(tmp_path_factory.mktemp("caches"), request.param) as server:
        yield Prepared(server.start(), request.param)


@pytest.mark.emulated
def test_a_cache_is_made_with_its_state(prepared):
    assert prepared.created["object"] == "cache.created" and prepared.created["binary"] is True, prepared.created
    assert prepared.created["prompt_tokens"] > 80
    assert prepared.server.state_file("guide").stat().st_size > 10000
    info = prepared.server.cache("guide")
    assert info["binary"][0]["engine"] == "rkllm" and info["binary"][0]["status"] == "ready"


@pytest.mark.emulated
def test_a_cache_is_used(prepared):
    prepared.expect_used(prepared.ask())
    prepared.expect_used(prepared.ask(stream=False))


def test_a_cache_serves_a_stream(prepared):
    chunks = list(prepared.server.openai().chat.completions.create(
        model="demo", messages=[{"role": "user", "content": QUESTION}], max_tokens=4, stream=True,
        stream_options={"include_usage": True}, extra_body={"use_cache": "guide"}))
    prepared.expect_used(chunks[-1].usage.model_dump())


@pytest.mark.emulated
def test_a_cache_outlives_the_server(prepared):
    prepared.server.restart()
    prepared.expect_used(prepared.ask())


def test_a_request_without_the_cache_is_not_answered_over_it(prepared):
    usage = prepared.server.chat("Hello", max_tokens=4)["usage"]
    assert usage["cache_hit"] is False and usage["prompt_tokens"] < 80


def test_a_damaged_state_is_answered_from_the_text_and_made_again(prepared):
    prepared.server.stop()
    state = prepared.server.state_file("guide")
    state.write_bytes(state.read_bytes()[:-100])
    prepared.server.start()
    usage = prepared.ask()
    assert usage["cache_hit"] is False and usage["cache"]["reason"]
    wait_until(lambda: prepared.server.cache("guide")["binary"][0]["status"] == "ready", what="the state")
    prepared.expect_used(prepared.ask())


def test_a_raw_completion_uses_a_cache_of_its_own_kind(prepared):
    prepared.server.create_cache("raw", GUIDE, format="raw")
    answer = prepared.server.complete(" The first sight is", use_cache="raw", max_tokens=4)
    assert said(answer) and answer["usage"]["cache"]["name"] == "raw"
    if prepared.version in COUNTING:
        assert answer["usage"]["cache_hit"] is True


def test_a_removed_cache_is_gone_with_its_state(prepared):
    prepared.server.create_cache("gone", GUIDE + " And goodbye.", format="chat")
    assert prepared.server.delete("/v1/cache/demo/gone").status_code == 200
    assert not prepared.server.state_file("gone").exists()
    assert prepared.server.chat(QUESTION, use_cache="gone", max_tokens=2)["usage"]["cache_hit"] is False
