"""Measures how TTFT grows: with the length of the prefix, with the number of caches in use, with requests at once."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import report
from client import call, chat, together
from plot import Line, plot
from prose import QUESTIONS, prose
from report import middle
from servers import Rockllama, exit_in_order, threads

COLD, RESIDENT, RESTORED = "cold", "resident", "restored from its file"


class Scaling:
    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.figures = {}

    async def with_server(self, name, models, work):
        settings = {"models": {"threads": threads(), **models}, "cache": {"automatic_memory_mib": 2048}}
        server = Rockllama(self.options.rockllama, self.folder / name, {"model.gguf": self.options.model.resolve()},
                           settings)
        try:
            await server.start()
            await chat(server.port, "", "Hello!")
            await work(server)
        finally:
            server.discard()

    async def run(self):
        await self.with_server("length", {"parallel": 1, "kv_tokens": 8448}, self.by_length)
        await self.with_server("caches", {"parallel": 1, "kv_tokens": 4096}, self.by_caches)
        await self.with_server("requests", {"parallel": max(self.options.requests), "kv_tokens": 16384}, self.by_requests)

    def note(self, what, size, state, values):
        """ms of TTFT."""
        self.figures.setdefault(what, {}).setdefault(state, []).append([size, middle(values)])

    async def by_length(self, server):
        for tokens in self.options.lengths:
            cold, resident, restored = [], [], []
            for round_number in range(self.options.rounds):
                print(f"prefix of {tokens} tokens, round {round_number + 1}", file=sys.stderr)
                system, name = prose(tokens, tokens + round_number), f"c{tokens}-{round_number}"
                first = await chat(server.port, system, QUESTIONS[0], cache_prompt=False)
                cold.append(first.ttft_ms)
                await call(server.port, "POST", "/v1/cache/bench",
                           {"cache_name": name, "prompt": system, "format": "chat"})
                await chat(server.port, "", "Hello!", cache_prompt=False)
                restored.append((await chat(server.port, "", QUESTIONS[0], use_cache=name)).ttft_ms)
                resident.append((await chat(server.port, "", QUESTIONS[1], use_cache=name)).ttft_ms)
            size = first.usage["prompt_tokens"]
            for state, values in ((COLD, cold), (RESIDENT, resident), (RESTORED, restored)):
                self.note("length", size, state, values)

    async def by_caches(self, server):
        """Prefixes that are used in turn, so that each was out of the buffer since its last use."""
        made = 0
        for count in self.options.caches:
            while made < count:
                await chat(server.port, prose(365, 5000 + made), QUESTIONS[0])
                made += 1
            values = []
            for turn in range(max(count, 3 * self.options.rounds)):
                print(f"{count} caches, turn {turn + 1}", file=sys.stderr)
                answer = await chat(server.port, prose(365, 5000 + turn % count), QUESTIONS[1 + turn // count % 7])
                values.append(answer.ttft_ms)
            self.note("caches", count, "conversations in turn", values)

    async def by_requests(self, server):
        for count in self.options.requests:
            slowest, median = [], []
            for round_number in range(self.options.rounds):
                print(f"{count} requests at once, round {round_number + 1}", file=sys.stderr)
                system = prose(365, 9000 + 100 * count + round_number)
                await chat(server.port, system, "Hello!")
                answers = await together(*(chat(server.port, system, f"{QUESTIONS[i % 8]} ({i})") for i in range(count)))
                slowest.append(max(answer.ttft_ms for answer in answers))
                median.append(middle([answer.ttft_ms for answer in answers]))
            self.note("requests", count, "slowest", slowest)
            self.note("requests", count, "median", median)


AXES = {"length": "tokens of the prompt", "caches": "conversations in use", "requests": "requests at once, one prefix"}


def print_tables(figures):
    for what, lines in figures.items():
        sizes = [size for size, _ in next(iter(lines.values()))]
        rows = [[str(size), *(points[i][1] for points in lines.values())] for i, size in enumerate(sizes)]
        print(report.table([AXES[what], *(f"{state}, TTFT ms" for state in lines)], rows), end="\n\n")


def numbers(text):
    return [int(part) for part in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rockllama", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file with a chat template")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lengths", type=numbers, default=[128, 256, 512, 1024, 2048, 4096, 8000], help="tokens")
    parser.add_argument("--caches", type=numbers, default=[1, 4, 16, 64])
    parser.add_argument("--requests", type=numbers, default=[1, 2, 4, 8, 16])
    parser.add_argument("--plots", type=Path, help="a folder for scaling-*.svg")
    parser.add_argument("--json", type=Path, default=Path("build/bench/scaling.json"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    exit_in_order()
    with tempfile.TemporaryDirectory(prefix="rockllama-bench-") as folder:
        scaling = Scaling(options, folder)
        asyncio.run(scaling.run())
    print_tables(scaling.figures)
    report.write_json(options.json, {"machine": report.machine(), "ttft_ms": scaling.figures})
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        for what, lines in scaling.figures.items():
            svg = plot([Line(state, points) for state, points in lines.items()], AXES[what], "TTFT in ms")
            (options.plots / f"scaling-{what}.svg").write_text(svg)


if __name__ == "__main__":
    main()
