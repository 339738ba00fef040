"""Many requests, each with a fault of the runtime at random: all are answered or refused, and nothing is left behind."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from prompts import GUIDE
from rkllm import RkllmServer
from rockllama import PATIENCE, alive, children, sized, wait_until

CALLS = ["init", "run", "save", "load", "abort", "destroy"]
HANGS = sized([], ["hang run", "hang save"])  # sanitizers wait too long for them to be found out
FAULTS = [f"segfault {call}" for call in CALLS] + HANGS + ["cannot_save", "truncated_save", "disk_full", "garbage_text",
                                                           "null_handle", "abort_past_context"]


def plant_one(server, chance):
    """Mostly one that strikes once, so that the second chance of a request shows, too."""
    fault = chance.choice(FAULTS)
    once = "once " if chance.random() < 0.7 or fault.startswith("hang") else ""
    server.plant(once + fault, f"run_token {chance.choice([0, 0, 2, 5])}")
    return fault


def send(server, chance):
    kind = chance.choice(["chat", "stream", "cached", "raw", "create"])
    messages = [{"role": "user", "content": f"Tell me about number {chance.randrange(1000)}."}]
    body = {"model": "demo", "messages": messages, "max_tokens": 8}
    if kind == "create":
        return server.post("/v1/cache/demo", {"cache_name": f"c{chance.randrange(3)}",
                                              "prompt": f"{GUIDE} Number {chance.randrange(1000)}."})
    if kind == "raw":
        return server.post("/v1/completions", {"model": "demo", "prompt": "The sea is", "max_tokens": 8})
    if kind == "cached":
        body["use_cache"] = "guide"
    return server.post("/v1/chat/completions", {**body, "stream": kind == "stream"})


def answered_or_refused(response):
    if response.headers["content-type"].startswith("text/event-stream"):
        return response.text.rstrip().endswith("data: [DONE]") or '"error"' in response.text
    body = response.json()
    return response.status_code == 200 or bool(body["error"]["message"])


@pytest.mark.timeout(sized(300, 300, 3600))
def test_random_faults_leave_a_server_that_answers_and_nothing_else(tmp_path):
    chance = random.Random(4)
    settings = {"worker": {"restart_backoff_ms": 10, "hang_floor_ms": 4000 * PATIENCE}}
    with RkllmServer(tmp_path / "server", settings=settings, overrides={"block_tokens": 8}) as server:
        server.start()
        server.create_cache("guide", GUIDE)
        descriptors = server.descriptors()
        for number in range(sized(8, 30, 500)):
            fault = plant_one(server, chance)
            with ThreadPoolExecutor(2) as pool:
                responses = list(pool.map(lambda _: send(server, chance), range(1 + number % 2)))
            assert all(map(answered_or_refused, responses)), (number, fault, [each.text for each in responses])
            assert server.get("/health").status_code == 200
        server.plant()
        server.post("/v1/models/load", {"model": "demo"})
        body = {"model": "demo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
        wait_until(lambda: server.post("/v1/chat/completions", body).status_code == 200, 30, "an answer")
        wait_until(lambda: len(server.workers()) == 1 and children(server.process.pid) == server.workers(), what="one worker")
        wait_until(lambda: server.descriptors() <= descriptors + 2, what="closed descriptors")
        workers = server.workers()
        server.stop()
        assert not any(map(alive, workers))
        assert [path.name for path in server.scratch.iterdir()] == []
        assert [path.name for path in server.caches.rglob("*~new*")] == []
