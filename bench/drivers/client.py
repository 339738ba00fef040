"""Asks a server on loopback as a client does, and notes when each piece of the answer came."""

import asyncio
import json
import time
from dataclasses import dataclass, field

TIMEOUT_S = 600
_LINE_LIMIT = 1 << 22


@dataclass
class Answer:
    """Times are in ms from the sending of the request."""
    piece_ms: list = field(default_factory=list)  # when each piece of text came
    total_ms: float = 0.0
    usage: dict = field(default_factory=dict)

    @property
    def ttft_ms(self):
        return self.piece_ms[0]

    @property
    def tokens(self):
        return self.usage.get("completion_tokens", len(self.piece_ms))

    @property
    def longest_gap_ms(self):
        return max((b - a for a, b in zip(self.piece_ms, self.piece_ms[1:])), default=0.0)


class HttpError(Exception):
    pass


def _head(method, path, body):
    return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


async def _read_head(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    return int(lines[0].split()[1]), "transfer-encoding: chunked" in lines


async def _pieces(reader, chunked):
    """The body, piece by piece."""
    while not chunked:
        piece = await reader.read(65536)
        if not piece:
            return
        yield piece
    while size := int(await reader.readline(), 16):
        yield (await reader.readexactly(size + 2))[:-2]


async def _events(reader, chunked):
    rest = b""
    async for piece in _pieces(reader, chunked):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])


async def _stream(port, body):
    answer = Answer()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LINE_LIMIT)
    try:
        began = time.perf_counter()
        writer.write(_head("POST", "/v1/chat/completions", body))
        status, chunked = await _read_head(reader)
        if status != 200:
            raise HttpError(f"{status} {await reader.read(2000)}")
        async for event in _events(reader, chunked):
            now = (time.perf_counter() - began) * 1000
            if "error" in event:
                raise HttpError(str(event["error"]))
            if event.get("choices") and event["choices"][0]["delta"].get("content"):
                answer.piece_ms.append(now)
            answer.usage = event.get("usage") or answer.usage
        answer.total_ms = (time.perf_counter() - began) * 1000
    finally:
        writer.close()
    return answer


async def chat(port, system, question, max_tokens=8, **fields):
    """One streamed, greedy chat."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    body = {"messages": messages, "max_tokens": max_tokens, "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}, **fields}
    return await asyncio.wait_for(_stream(port, json.dumps(body).encode()), TIMEOUT_S)


async def call(port, method, path, body=None):
    """The JSON of a plain answer; HttpError where the status is not 200."""
    async def exchange():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LINE_LIMIT)
        try:
            writer.write(_head(method, path, b"" if body is None else json.dumps(body).encode()))
            status, chunked = await _read_head(reader)
            text = b"".join([piece async for piece in _pieces(reader, chunked)])
        finally:
            writer.close()
        if status != 200:
            raise HttpError(f"{method} {path}: {status} {text[:2000]}")
        return json.loads(text)

    return await asyncio.wait_for(exchange(), TIMEOUT_S)


async def together(*requests):
    """The answers of requests that are sent at once."""
    return await asyncio.gather(*requests)
