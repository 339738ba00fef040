"""Workers that crash, hang and babble: streams end, unbegun requests run again, the server answers throughout."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from rockllama import PATIENCE, alive, events, said, sized, wait_until

SLOW = "answer word \nrepeat 400\ntoken_delay_ms 20\n"
LINE = [{"role": "user", "content": "go"}]

# Long enough for a load on a machine that has other work to do.
HANG_FLOOR_MS = 3000 * PATIENCE


def open_stream(server, **fields):
    body = {"model": "demo", "messages": LINE, "stream": True, "max_tokens": 400, **fields}
    return server._http.stream("POST", "/v1/chat/completions", json=body)


def read_to_end(stream):
    return list(events(stream))


def is_error(data):
    return data != "[DONE]" and "error" in json.loads(data)


def test_a_stream_whose_worker_is_killed_ends_with_an_error_and_the_model_comes_back(scripted):
    server = scripted(SLOW).start()
    server.chat("load", max_tokens=1)
    with open_stream(server) as stream:
        lines = events(stream)
        for _ in range(4):
            next(lines)
        worker, = server.workers()
        os.kill(worker, signal.SIGKILL)
        assert server.get("/health").status_code == 200
        rest = list(lines)
    assert any(map(is_error, rest)), rest[-3:]
    assert said(server.chat("again", max_tokens=2)).startswith("word")
    replacement, = server.workers()
    assert replacement != worker and not alive(worker)


def test_the_openai_client_sees_a_broken_stream_as_an_error(scripted):
    server = scripted("answer word \nrepeat 400\ntoken_delay_ms 5\ncrash_on_token 6\n").start()
    with pytest.raises(openai.APIError):
        list(server.openai().chat.completions.create(model="demo", messages=LINE, stream=True))
    assert server.get("/health").status_code == 200


def test_a_request_that_had_not_begun_is_run_again(scripted):
    server = scripted("answer fine\nonce died abort_on_start\n").start()
    assert said(server.chat("hello")) == "fine"
    assert (server.folder / "died").exists()


def test_a_request_whose_answer_was_not_sent_yet_is_run_again(scripted):
    server = scripted("answer one two three four five six\nonce died crash_on_token 3\n").start()
    assert said(server.chat("hello", max_tokens=60)) == "one two three four five six"
    assert (server.folder / "died").exists()


def test_a_waiting_request_survives_the_death_of_its_worker(scripted):
    server = scripted("answer fine\nload_delay_ms 300\nprefill_delay_ms_per_token 40\n").start()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.chat, "hello")
        worker, = wait_until(server.workers, what="a worker")
        time.sleep(0.6)
        os.kill(worker, signal.SIGKILL)
        assert said(answer.result()) == "fine"


def test_a_request_that_kills_the_worker_alone_gets_500_and_others_go_on(scripted):
    server = scripted("answer fine\ncrash_if_prompt_contains poison\n").start()
    assert said(server.chat("hello")) == "fine"
    error = server.chat("this is poison", status=500)["error"]
    assert error["type"] and "/" not in error["message"]
    assert said(server.chat("hello")) == "fine"
    with ThreadPoolExecutor(3) as pool:
        good = [pool.submit(server.chat, f"hello {i}") for i in range(2)]
        bad = pool.submit(server.chat, "poison again", status=500)
        assert [said(job.result()) for job in good] == ["fine", "fine"]
        bad.result()


def test_a_worker_that_hangs_is_killed_and_replaced(scripted):
    server = scripted("answer word \nrepeat 50\nonce hung hang_on_token 3\n", settings={"worker": {"hang_floor_ms": HANG_FLOOR_MS}}).start()
    with open_stream(server) as stream:
        assert any(map(is_error, read_to_end(stream)))
    assert said(server.chat("again", max_tokens=2)).startswith("word")


def test_a_worker_that_hangs_before_the_answer_is_replaced_and_the_request_run_again(scripted):
    server = scripted("answer fine\nonce hung hang_on_token 1\n", settings={"worker": {"hang_floor_ms": HANG_FLOOR_MS}}).start()
    assert said(server.chat("hello")) == "fine"


def test_a_load_that_hangs_is_given_up_and_tried_again(scripted):
    server = scripted("answer fine\nonce hung hang_on_load\n", settings={"worker": {"hang_floor_ms": HANG_FLOOR_MS}}).start()
    assert said(server.chat("hello")) == "fine"


def test_garbage_from_a_worker_ends_the_worker_and_not_the_server(scripted):
    server = scripted("answer word \nrepeat 50\nonce babbled garbage_frame_on_token 3\n").start()
    with open_stream(server) as stream:
        assert any(map(is_error, read_to_end(stream)))
    assert server.get("/health").status_code == 200
    assert said(server.chat("again", max_tokens=2)).startswith("word")


def test_a_worker_that_is_killed_again_and_again_comes_back_every_time(scripted):
    server = scripted("answer fine\n", settings={"worker": {"restart_backoff_ms": 50}}).start()
    for _ in range(sized(2, 4, 10)):
        assert said(server.chat("hello")) == "fine"
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
    assert said(server.chat("hello")) == "fine"


def test_no_worker_outlives_a_server_that_was_killed(scripted):
    server = scripted(SLOW).start()
    server.chat("load", max_tokens=1)
    workers = server.workers()
    assert workers
    server.kill()
    wait_until(lambda: not any(map(alive, workers)), 5, "the end of the workers")


def test_a_stopped_server_takes_its_hanging_worker_along(scripted):
    server = scripted("answer fine\nhang_on_token 1\n", settings={"server": {"shutdown_grace_s": 1}}).start()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.post, "/v1/chat/completions", {"model": "demo", "messages": LINE})
        wait_until(server.workers, what="a worker")
        server.stop()


def leave_in_mid_stream(server, **fields):
    with open_stream(server, **fields) as stream:
        lines = events(stream)
        for _ in range(3):
            next(lines)


def test_a_client_that_leaves_frees_the_model(scripted):
    """One at a time, 400 tokens of 20 ms: 8 s, if the first went on."""
    server = scripted(SLOW, settings={"models": {"parallel": 1}}).start()
    leave_in_mid_stream(server)
    started = time.monotonic()
    server.chat("next", max_tokens=2)
    assert "cancelled" in server.log().lower() or time.monotonic() - started < 6


def test_a_client_that_leaves_in_the_prefill_frees_the_model(scripted):
    server = scripted("answer fine\nprefill_delay_ms_per_token 2\n", settings={"models": {"parallel": 1}}).start()
    server.chat("load")
    long_prompt = [{"role": "user", "content": "word " * 6000}]
    with pytest.raises(openai.APITimeoutError):
        server.openai().with_options(timeout=1.0).chat.completions.create(model="demo", messages=long_prompt)
    started = time.monotonic()
    assert said(server.chat("next")) == "fine"
    assert "cancelled" in server.log().lower() or time.monotonic() - started < 9


def test_a_full_queue_answers_429_with_retry_after(scripted):
    server = scripted(SLOW, settings={"server": {"queue_limit": 2, "heartbeat_s": 1},
                                     "models": {"parallel": 1}}).start()
    server.chat("load", max_tokens=1)
    with open_stream(server) as first, open_stream(server):
        lines = events(first)
        next(lines)
        with pytest.raises(openai.RateLimitError) as caught:
            server.openai().chat.completions.create(model="demo", messages=LINE)
        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert server.get("/health").status_code == 200


def test_a_long_prefill_sends_heartbeats_and_the_headers_come_at_once(scripted):
    server = scripted("answer fine\nprefill_delay_ms_per_token 5\n", settings={"server": {"heartbeat_s": 1}}).start()
    server.chat("load")
    body = {"model": "demo", "messages": [{"role": "user", "content": "word " * 700}], "stream": True}
    with server._http.stream("POST", "/v1/chat/completions", json=body) as stream:
        lines = [line for line in stream.iter_lines() if line]
    assert any(line.startswith(":") for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_requests_share_the_model_side_by_side(scripted):
    server = scripted("answer word \nrepeat 30\ntoken_delay_ms 20\n").start()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: said(server.chat("go", max_tokens=100)), range(4)))
    assert len(set(answers)) == 1 and answers[0].split() == ["word"] * 30
