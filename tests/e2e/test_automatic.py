"""Reuse that nobody asked for: of conversations, over restarts where files are allowed, and between callers."""

import os
import signal

import httpx
import pytest
from prompts import GUIDE
from rockllama import PATIENCE, said, wait_until

KEYS = {"ann": "key-of-ann", "bob": "key-of-bob"}


class Conversation:
    """Turns of one chat, each with all that was said before."""

    def __init__(self, server, system, caller=None):
        self.server, self.caller = server, caller
        self.messages = [{"role": "system", "content": system}]

    def turn(self, text, **fields):
        """The usage of the answer."""
        self.messages.append({"role": "user", "content": text})
        headers = {"Authorization": f"Bearer {KEYS[self.caller]}"} if self.caller else {}
        body = {"model": "demo", "messages": self.messages, "max_tokens": 8, "temperature": 0, **fields}
        response = httpx.post(f"{self.server.url}/v1/chat/completions", json=body, headers=headers, timeout=60 * PATIENCE)
        assert response.status_code == 200, response.text
        answer = response.json()
        self.messages.append({"role": "assistant", "content": said(answer)})
        return answer["usage"]


def cached(usage):
    return usage["prompt_tokens_details"]["cached_tokens"]


def files(server):
    return sorted(path.name for path in (server.caches / "demo/auto").glob("*"))


@pytest.mark.whole_model  # what two layers say is tokenized otherwise when it is read again
def test_a_conversation_goes_on_after_the_end_of_server_and_worker(make_server):
    server = make_server(settings={"cache": {"automatic_files": True}, "models": {"preload": ["demo"]}}).add_model().start()
    talk = Conversation(server, GUIDE)
    first = talk.turn("Who are you?")
    assert cached(first) == 0 and not first["cache_hit"]
    second = talk.turn("And what can you do?")
    assert cached(second) > first["prompt_tokens"] - 8
    assert second["cache_hit"] and second["cached_prompts"] is None
    assert second["cache"]["name"] is None and second["cache"]["tier"] in ("resident", "memory")

    server.restart()
    assert files(server)
    third = talk.turn("Then do it.")
    assert cached(third) >= second["prompt_tokens"] - 8 and third["cache"]["tier"] == "disk", third
    assert third["cache_hit"] and third["cached_prompts"] is None

    stats = server.get("/v1/cache/demo").json()["stats"]
    assert stats["use"]["automatic_entries"] > 0 and stats["use"]["automatic_mb"] > 0
    assert stats["budget"]["automatic_mb"] == 1024 and stats["use"]["automatic_written_today_mb"] > 0
    assert stats["models"]["demo"]["prefill_tokens_per_second"] > 0

    worker = server.workers()[0]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: server.workers() and server.workers() != [worker], what="the next worker")
    after = Conversation(server, GUIDE)
    after.messages = talk.messages[:-2]
    usage = after.turn("Then do it.")
    assert cached(usage) > 0 and usage["cache"]["tier"] == "disk", usage


def test_callers_share_named_caches_alone_and_nothing_goes_to_disk_unasked(make_server):
    settings = {"server": {"api_keys": [f"{name}:{key}" for name, key in KEYS.items()]}, "models": {"preload": ["demo"]}}
    server = make_server(settings=settings).add_model().start()
    system = "You answer in rhymes. " * 30

    assert cached(Conversation(server, system, "ann").turn("Who are you?")) == 0
    assert cached(Conversation(server, system, "bob").turn("Who are you?")) == 0
    mine = Conversation(server, system, "ann").turn("Who are you?")
    assert cached(mine) > 100 and mine["cached_prompts"] is None

    created = httpx.post(f"{server.url}/v1/cache/demo", json={"cache_name": "guide", "prompt": GUIDE, "format": "chat"},
                         headers={"x-api-key": KEYS["ann"]}, timeout=60 * PATIENCE)
    assert created.json()["binary"], created.text
    for caller in KEYS:
        usage = Conversation(server, GUIDE, caller).turn("Who are you?")
        assert usage["cached_prompts"] == ["guide"] and cached(usage) >= created.json()["prompt_tokens"] - 1, usage

    server.restart()
    assert cached(Conversation(server, system, "ann").turn("Who are you?")) == 0
    assert files(server) == []
