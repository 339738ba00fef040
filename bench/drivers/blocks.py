"""Measures what the block size of the cut plan costs and buys: the speed of a prefill, and how long it makes a running
stream wait for its next token; and the same wait while a large state is restored."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import report
from client import call, chat
from prose import QUESTIONS, prose
from report import middle
from servers import Rockllama, exit_in_order, threads

PROMPT = 2880  # tokens of prose


class Blocks:
    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.rows = []

    async def run(self):
        for block in self.options.blocks:
            settings = {"models": {"parallel": 2, "kv_tokens": 8192, "block_tokens": block, "threads": threads()}}
            server = Rockllama(self.options.rockllama, self.folder / str(block),
                               {"model.gguf": self.options.model.resolve()}, settings)
            try:
                await server.start()
                await chat(server.port, "", "Hello!")
                self.rows.append([str(block), *await self.measure(server)])
            finally:
                server.discard()

    async def measure(self, server):
        speeds, gaps, restore_gaps = [], [], []
        for round_number in range(self.options.rounds):
            print(f"{server.folder.name} tokens, round {round_number + 1}", file=sys.stderr)
            system = prose(PROMPT, round_number)
            alone = await chat(server.port, system, QUESTIONS[0], 1, cache_prompt=False)
            speeds.append(alone.usage["prompt_tokens"] / alone.ttft_ms * 1000)
            gaps.append(await self.gap_beside(server, {"system": system, "cache_prompt": False}))
            name = f"r{round_number}"
            await call(server.port, "POST", "/v1/cache/bench", {"cache_name": name, "prompt": system, "format": "chat"})
            restore_gaps.append(await self.gap_beside(server, {"system": "", "use_cache": name}))
        return middle(speeds), middle(gaps), middle(restore_gaps)

    async def gap_beside(self, server, other):
        """The longest wait between two tokens of a stream while `other` is prefilled or restored."""
        stream = asyncio.create_task(chat(server.port, "", "Tell me a long story.", self.options.tokens,
                                          cache_prompt=False, logit_bias={"0": -100, "2": -100}))
        await asyncio.sleep(0.5)
        await chat(server.port, other.pop("system"), QUESTIONS[1], 1, **other)
        return (await stream).longest_gap_ms


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rockllama", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=300, help="of the stream beside")
    parser.add_argument("--blocks", type=lambda text: [int(part) for part in text.split(",")],
                        default=[32, 64, 128, 256, 512])
    parser.add_argument("--json", type=Path, default=Path("build/bench/blocks.json"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    exit_in_order()
    with tempfile.TemporaryDirectory(prefix="rockllama-bench-") as folder:
        blocks = Blocks(options, folder)
        asyncio.run(blocks.run())
    head = ["block_tokens", "prefill tokens/s", "longest gap beside a prefill, ms", "beside a restore of its state, ms"]
    print(report.table(head, blocks.rows))
    report.write_json(options.json, {"machine": report.machine(), "columns": head, "rows": blocks.rows})


if __name__ == "__main__":
    main()
