"""Measures the server around the engine: the scripted engine answers at once, so what is seen is HTTP, JSON, frames."""

import argparse
import asyncio
import json
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from report import middle, percentile
from servers import Rockllama, exit_in_order

CHATML = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
STREAMS = 8
SETTLE_S = 4  # after thousands of clients have left at once
STEP_MS = 10  # between the tokens of a stream where their path is measured
HEALTH_LIMIT_MS, SLOWED_LIMIT, IDLE_LIMIT_KIB, PATH_LIMIT_US = 50, 1.10, 20, 200


def request(path, body=None, connection="keep-alive"):
    data = b"" if body is None else json.dumps(body).encode()
    return (f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


def question(max_tokens, stream=True):
    return {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": max_tokens, "stream": stream}


def connect(port):
    peer = socket.socket()
    peer.connect(("127.0.0.1", port))
    return peer


class HttpBenchmark:
    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.rows = []
        self.figures = {}

    def server(self, name, script):
        model = {"model.script": script, "tokenizer.gguf": self.options.vocabulary.resolve(),
                 "chat_template.jinja": CHATML}
        settings = {"models": {"parallel": 64}, "server": {"queue_limit": 512}}
        return Rockllama(self.options.rockllama, self.folder / name, model, settings)

    def row(self, what, value, unit, limit=None, better=None):
        """`better`: how the figure stands to its limit, 1 and more is met."""
        met = "" if limit is None else "yes" if better >= 1 else "NO"
        self.rows.append([what, "" if better is None else better, met, value, unit, "" if limit is None else limit])
        self.figures[what] = value

    async def with_server(self, name, script, work):
        server = self.server(name, script)
        try:
            await server.start()
            await work(server)
        finally:
            server.discard()

    async def run(self):
        await self.with_server("speed", "answer a b c d e f g h\nrepeat 10000", self.speed)
        await self.with_server("clock", f"answer a b c d\nrepeat 10000\nclock\ntoken_delay_ms {STEP_MS}", self.token_path)
        await self.with_server("transport", f"answer a b c d\nrepeat 5000\ntoken_delay_ms {STEP_MS}", self.transport)

    # -- speed -------------------------------------------------------------------------------------------------------

    async def speed(self, server):
        for what, path, body in (("/health", "/health", None),
                                 ("chat of one token", "/v1/chat/completions", question(1, stream=False))):
            times = self.latencies(server.port, request(path, body))
            self.row(f"{what}, one client: median", middle(times) * 1000, "µs")
            self.row(f"{what}, one client: p99", percentile(times, 0.99) * 1000, "µs")
            self.wrk(server.port, what, path, body)
        for streams in (1, STREAMS):
            await self.streamed(server, streams)

    def latencies(self, port, bytes_to_send):
        peer = connect(port)
        times = []
        for _ in range(self.options.requests):
            began = time.perf_counter()
            peer.sendall(bytes_to_send)
            self.read_answer(peer)
            times.append((time.perf_counter() - began) * 1000)
        peer.close()
        return times

    @staticmethod
    def read_answer(peer):
        received = b""
        while b"\r\n\r\n" not in received:
            received += peer.recv(65536)
        head, body = received.split(b"\r\n\r\n", 1)
        missing = int(re.search(rb"content-length: (\d+)", head.lower()).group(1)) - len(body)
        while missing > 0:
            missing -= len(peer.recv(65536))

    def wrk(self, port, what, path, body):
        """From 8 connections, by another client than ours."""
        if shutil.which("wrk") is None:
            return self.row(f"{what}, wrk, 8 connections", "wrk is not installed", "")
        script = self.folder / "wrk.lua"
        lines = [] if body is None else [f'wrk.method = "POST"\nwrk.body = [[{json.dumps(body)}]]']
        script.write_text("\n".join(lines))
        command = ["wrk", "-t1", "-c8", f"-d{self.options.seconds}s", "--latency", "-s", str(script),
                   f"http://127.0.0.1:{port}{path}"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if failed := re.search(r"Non-2xx.*", out):
            print(f"{what}: {failed.group(0)}", file=sys.stderr)
        self.row(f"{what}, wrk, 8 connections", float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "requests/s")
        return None

    async def streamed(self, server, streams):
        tokens = self.options.tokens
        read = await self.client(server.port, "streams", streams, tokens)
        if read["events"] < streams * tokens:
            raise RuntimeError(f"{read['events']} events of {streams * tokens} came")
        self.row(f"{streams} stream{'s' if streams > 1 else ''}", streams * tokens / read["seconds"], "tokens/s")

    async def client(self, *arguments):
        """What stream_clients says: in Python the clients would use the cores more than the server does."""
        process = await asyncio.create_subprocess_exec(str(self.options.clients), *map(str, arguments),
                                                       stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"stream_clients {arguments} failed")
        return json.loads(out)

    # -- the path of a token -----------------------------------------------------------------------------------------

    async def token_path(self, server):
        """From the engine's clock, which is the text of each token, to the client's, which is the same clock."""
        for streams in (1, STREAMS):
            read = await self.client(server.port, "streams", streams, self.options.steps)
            for name in ("p50", "p99"):
                value = read[f"{name}_us"]
                self.row(f"engine to client, {streams} streams: {name}", value, "µs", PATH_LIMIT_US, PATH_LIMIT_US / value)

    # -- transport ---------------------------------------------------------------------------------------------------

    async def transport(self, server):
        alone = await self.paced_streams(server)
        await self.idle(server)
        halves = f"{self.options.halves} half requests"
        peers = []
        await self.besides(server, alone, halves, asyncio.to_thread(self.send_halves, server.port, peers))
        await asyncio.sleep(self.options.patience)
        self.cut_off(halves, sum(self.is_closed(peer) for peer in peers), len(peers))
        await asyncio.sleep(SETTLE_S)
        slow = f"{self.options.slow} slow readers"
        readers = await self.besides(server, alone, slow,
                                     self.client(server.port, "slow", self.options.slow, self.options.patience))
        self.cut_off(slow, readers["closed"], readers["readers"])

    async def paced_streams(self, server):
        """4 streams with a question to /health every 20 ms beside them."""
        return await self.client(server.port, "streams", 4, self.options.steps, 20)

    async def idle(self, server):
        count = self.options.idle
        before = server.memory_mib()
        peers = [connect(server.port) for _ in range(count)]
        for peer in peers:
            peer.sendall(request("/health"))
        for peer in peers:
            self.read_answer(peer)
        await asyncio.sleep(0.5)
        each_kib = (server.memory_mib() - before) * 1024 / count
        self.row(f"{count} idle connections: memory of each", each_kib, "KiB", IDLE_LIMIT_KIB,
                 IDLE_LIMIT_KIB / max(each_kib, 0.01))
        for peer in peers:
            peer.close()

    async def besides(self, server, alone, what, clients):
        """/health and streams that run already, while many odd clients come; gives what those say."""
        streams = asyncio.create_task(self.paced_streams(server))
        await asyncio.sleep(0.3)
        arrival = asyncio.create_task(clients)
        read = await streams
        health, slowed = read["slowest_health_ms"], read["seconds"] / alone["seconds"]
        self.row(f"{what}: slowest /health", health, "ms", HEALTH_LIMIT_MS, HEALTH_LIMIT_MS / health)
        self.row(f"{what}: streams slower by", slowed, "times", SLOWED_LIMIT, SLOWED_LIMIT / slowed)
        return await arrival

    def send_halves(self, port, peers):
        for _ in range(self.options.halves):
            peers.append(connect(port))
            peers[-1].sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")

    def cut_off(self, what, gone, count):
        """How many the server has closed after its time limits."""
        self.row(f"{what}: cut off in {self.options.patience} s", gone, f"of {count}", count, gone / count)

    @staticmethod
    def is_closed(peer):
        peer.setblocking(False)
        try:
            while peer.recv(1 << 18):
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            peer.close()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rockllama", type=Path, required=True)
    parser.add_argument("--clients", type=Path, required=True, help="the program stream_clients")
    parser.add_argument("--vocabulary", type=Path, required=True, help="a GGUF file with a tokenizer")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=3, help="that wrk runs")
    parser.add_argument("--tokens", type=int, default=5000, help="of each stream at full speed")
    parser.add_argument("--steps", type=int, default=500, help="tokens of each stream with a pace")
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--halves", type=int, default=5000)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--patience", type=int, default=45, help="seconds for the server to cut off who is slow")
    parser.add_argument("--json", type=Path, default=Path("build/bench/http.json"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    exit_in_order()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="rockllama-bench-") as folder:
        benchmark = HttpBenchmark(options, folder)
        asyncio.run(benchmark.run())
    print(report.table(["what", "times better than the limit", "met", "figure", "unit", "limit"], benchmark.rows))
    report.write_json(options.json, {"machine": report.machine(), "figures": benchmark.figures})


if __name__ == "__main__":
    main()
