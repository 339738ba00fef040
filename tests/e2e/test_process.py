"""The server as a process: start, wrong settings, bad clients, the end."""

import json
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from rockllama import BINARY, PATIENCE, sized, wait_until

ONE = "answer I am one\n"


def run(*arguments, cwd):
    return subprocess.run([str(BINARY), *arguments], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=30 * PATIENCE)


def send(port, data, wait=True):
    with socket.create_connection(("127.0.0.1", port), timeout=10 * PATIENCE) as connection:
        connection.sendall(data)
        if not wait:
            return b""
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def test_sigterm_ends_the_server_with_0(scripted):
    server = scripted(ONE).start()
    server.chat("hello")
    server.stop()  # checks the exit code and that the worker is gone


def lines_after_sigterm(server):
    with server._http.stream("POST", "/v1/chat/completions", json={
            "model": "demo", "messages": [{"role": "user", "content": "go"}], "stream": True}) as stream:
        lines = stream.iter_lines()
        next(lines)
        server.process.send_signal(signal.SIGTERM)
        return [line for line in lines if line]


def test_sigterm_lets_a_running_answer_finish(scripted):
    server = scripted("answer word \nrepeat 40\ntoken_delay_ms 20\n").start()
    rest = lines_after_sigterm(server)
    assert rest[-1] == "data: [DONE]"
    assert server.process.wait(20 * PATIENCE) == 0


def test_sigterm_tells_whom_it_cuts_off(scripted):
    server = scripted("answer word \nrepeat 4000\ntoken_delay_ms 50\n", settings={"server": {"shutdown_grace_s": 1}})
    server.start()
    rest = lines_after_sigterm(server)
    assert "error" in json.loads(rest[-1].removeprefix("data: "))
    assert server.process.wait(20 * PATIENCE) == 0


@pytest.mark.parametrize("asked", [{}, {"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}])
def test_engine_threads_do_not_spin_for_long_unless_told_to(scripted, asked):
    server = scripted("answer one\n", environment={"OMP_WAIT_POLICY": None, **asked}).start(ready=False)
    server.chat("load")
    names = dict(line.split("=", 1) for line in
                 Path(f"/proc/{server.workers()[0]}/environ").read_text().split("\0") if "=" in line)
    told = {name: names[name] for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT") if name in names}
    assert told == asked if asked else int(told["GOMP_SPINCOUNT"]) < 100_000


def test_sigint_ends_it_as_well(scripted):
    server = scripted(ONE).start()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20 * PATIENCE) == 0


def test_a_port_in_use_is_said_in_plain_words(scripted, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port), cwd=tmp_path)
    assert result.returncode == 1
    assert str(port) in result.stderr and "--port" in result.stderr


def test_wrong_settings_are_all_named_at_once_with_exit_code_2(tmp_path):
    config = tmp_path / "my.json"
    config.write_text('{"server": {"port": "many", "queue_limit": -1}, "cache": 5}')
    result = run("serve", "--config", str(config), cwd=tmp_path)
    assert result.returncode == 2
    for path in ("server.port", "server.queue_limit", "cache"):
        assert path in result.stderr


def test_wrong_usage_ends_with_2(tmp_path):
    assert run("serve", "--no-such-option", cwd=tmp_path).returncode == 2
    assert run("no-such-command", cwd=tmp_path).returncode == 2
    assert run(cwd=tmp_path).returncode == 2
    assert run("version", cwd=tmp_path).returncode == 0


def test_a_second_server_over_the_same_cache_folder_refuses(scripted):
    server = scripted(ONE).start()
    result = run("serve", "--port", "0", cwd=server.folder)
    assert result.returncode == 1 and "cache" in result.stderr


def test_a_start_without_models_says_what_to_do(make_server):
    server = make_server().start(ready=False)
    assert "models" in server.log() and ".gguf" in server.log()
    assert server.get("/health").status_code == 200


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 4096,
    b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
    b"GET /v1/cache/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
])
def test_garbage_never_gets_a_success_and_never_ends_the_server(shared, data):
    answer = send(shared.port, data)
    assert answer == b"" or re.match(rb"HTTP/1\.[01] [45]\d\d ", answer), answer[:200]
    assert shared.get("/health").status_code == 200


def test_health_answers_while_many_connections_send_half_a_request(scripted):
    server = scripted(ONE).start()
    held = []
    try:
        for _ in range(sized(50, 400, 900)):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10 * PATIENCE)
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Le")
            held.append(connection)
        for _ in range(5):
            assert server.get("/health").status_code == 200
        assert server.chat("hello")
    finally:
        for connection in held:
            connection.close()


def test_a_connection_that_never_finishes_its_header_is_closed(scripted):
    server = scripted(ONE, settings={"server": {"header_timeout_s": 1}}).start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20 * PATIENCE) as connection:
        connection.sendall(b"GET / HT")
        received = b""
        while piece := connection.recv(4096):
            received += piece
    assert received == b"" or received.startswith(b"HTTP/1.1 408")


def test_a_client_that_does_not_read_does_not_hold_the_model(scripted):
    server = scripted("answer word \nrepeat 20000\n", settings={"models": {"parallel": 1}, "server": {"write_timeout_s": 1}},
                      ).start()
    server.chat("load", max_tokens=1)
    body = b'{"model":"demo","stream":true,"messages":[{"role":"user","content":"go"}]}'
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.5)
        assert server.chat("next", max_tokens=2)


def test_a_connection_is_kept_for_the_next_request(shared):
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10 * PATIENCE) as connection:
        for _ in range(3):
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            assert head.startswith(b"HTTP/1.1 200")


def test_every_request_is_one_line_in_the_log(scripted):
    server = scripted(ONE).start()
    server.create_cache("guide", "You are a guide. " * 40)
    server.chat("hello", use_cache="guide")
    line = wait_until(lambda: [line for line in server.log().splitlines() if "guide" in line and "200" in line],
                      what="the log line")
    assert "demo" in line[-1]
