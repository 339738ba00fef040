"""Measures rockllama and llama.cpp's llama-server side by side, on the same requests, round by round in turn.

bench/compare builds both and the program that measures the limit, then runs this.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import report
from client import call, chat, together
from prose import QUESTIONS, prose
from report import middle
from servers import LlamaServer, Rockllama, exit_in_order, threads

PERSONAS = 16
BURST = 8
SHORT, LONG = 330, 2880  # tokens of prose; with template and question 365 and 2,900
OURS, THEIRS = "rockllama", "llama-server"
PARTS = ("one", "restart", "personas", "eight", "memory")
# What is measured, in which unit, and how many times better ours must be (0 = no goal). Hot: a question that nobody
# asked over the prompt; repeated: the very same request again.
GOALS = (("short cold", "ms TTFT", 0.95), ("short hot", "ms TTFT", 0.95), ("short repeated", "ms TTFT", 0),
         ("long cold", "ms TTFT", 0.95), ("long hot", "ms TTFT", 0.95), ("long repeated", "ms TTFT", 0),
         ("short restore", "ms", 2), ("long restore", "ms", 2), ("restart", "ms TTFT", 15),
         ("personas", "ms TTFT", 0.95), ("burst, nobody before", "ms slowest TTFT", 1),
         ("burst, first", "ms slowest TTFT", 10), ("burst, later", "ms slowest TTFT", 1),
         ("one stream", "tokens/s", 0.95), ("eight streams", "tokens/s", 0.95))


def decoded_together(streams):
    """Tokens per second while all of them run."""
    begin, end = max(s.piece_ms[0] for s in streams), min(s.piece_ms[-1] for s in streams)
    return sum(begin < ms <= end for s in streams for ms in s.piece_ms) / (end - begin) * 1000


class Samples:
    """Figures by what was measured and whose they are."""

    def __init__(self):
        self._values = defaultdict(lambda: defaultdict(list))

    def add(self, what, server, value):
        self._values[what][server.name].append(value)

    def middle(self, what, name):
        return middle(self._values.get(what, {}).get(name, []))

    def as_json(self):
        return {what: dict(of) for what, of in self._values.items()}


class Comparison:
    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.samples = Samples()
        self.burst_tokens = (0, 0)  # of the prefix, of what each client adds

    def pair(self, name, parallel, cells):
        model = {"model.gguf": self.options.model.resolve()}
        ours = Rockllama(self.options.rockllama, self.folder / f"{name}-ours", model,
                         {"models": {"parallel": parallel, "kv_tokens": cells, "threads": threads()}})
        theirs = LlamaServer(self.options.llama_server, self.folder / f"{name}-theirs", self.options.model.resolve(),
                             parallel, cells, threads())
        return [ours, theirs]

    async def with_pair(self, name, parallel, cells, work):
        """work(server, round) for both servers in turn, each round."""
        servers = self.pair(name, parallel, cells)
        try:
            for server in servers:
                await server.start()
                await chat(server.port, "", "Hello!")  # so that cold means the prompt, not the first touch of the weights
            for round_number in range(self.options.rounds):
                for server in servers if round_number % 2 == 0 else reversed(servers):
                    print(f"{name}, round {round_number + 1} of {self.options.rounds}, {server.name}", file=sys.stderr)
                    await work(server, round_number)
                self.save()
        finally:
            for server in servers:
                server.discard()

    # -- one client ------------------------------------------------------------------------------------------------

    async def one_client(self, server, round_number):
        for length, tokens in (("short", SHORT), ("long", LONG)):
            system = prose(tokens, tokens + round_number)
            cold = await chat(server.port, system, QUESTIONS[0])
            self.samples.add(f"{length} cold", server, cold.ttft_ms)
            for question in QUESTIONS[1:4]:
                hot = await chat(server.port, system, question)
                self.samples.add(f"{length} hot", server, hot.ttft_ms)
                again = await chat(server.port, system, question)
                self.samples.add(f"{length} repeated", server, again.ttft_ms)
            await self.restored(server, length, system, f"{length}{round_number}")
        one = await chat(server.port, "", "Tell me a long story.", self.options.tokens, logit_bias=self.endless())
        self.samples.add("one stream", server, decoded_together([one]))

    def endless(self):
        """Biases that keep a model from ending its answer."""
        return {str(token): -100 for token in self.options.end_tokens}

    async def restored(self, server, length, system, name):
        """The state of the prompt is saved, another request takes its place in the buffer, and it is restored."""
        other = prose(SHORT, 7)
        if server.name == OURS:
            await call(server.port, "POST", "/v1/cache/bench", {"cache_name": name, "prompt": system, "format": "chat"})
            await chat(server.port, other, QUESTIONS[1], cache_prompt=False)
            answer = await chat(server.port, "", QUESTIONS[2], use_cache=name)
            restore_ms = answer.usage["cache"]["restore_ms"]
        else:
            slot = "/slots/0?action="
            await chat(server.port, system, QUESTIONS[2], id_slot=0)
            await call(server.port, "POST", slot + "save", {"filename": name})
            await chat(server.port, other, QUESTIONS[1], id_slot=0)
            restored = await call(server.port, "POST", slot + "restore", {"filename": name})
            restore_ms = restored["timings"]["restore_ms"]
            await chat(server.port, system, QUESTIONS[2], id_slot=0)
        self.samples.add(f"{length} restore", server, restore_ms)

    async def restart(self, server, round_number):
        system = prose(SHORT, 500 + round_number)
        name, fields = f"restart{round_number}", {}
        if server.name == OURS:
            await call(server.port, "POST", "/v1/cache/bench", {"cache_name": name, "prompt": system, "format": "chat"})
            fields = {"use_cache": name}
        else:
            await chat(server.port, system, QUESTIONS[0])
        await server.restart()
        first = await chat(server.port, system, QUESTIONS[1], **fields)
        self.samples.add("restart", server, first.ttft_ms)

    async def personas(self, server, round_number):
        """Every round all personas ask once; the first round is cold."""
        for persona in range(PERSONAS):
            answer = await chat(server.port, prose(SHORT, 900 + persona), QUESTIONS[round_number % len(QUESTIONS)])
            if round_number > 0:
                self.samples.add("personas", server, answer.ttft_ms)

    # -- several clients ---------------------------------------------------------------------------------------------

    async def burst(self, server, system, questions):
        answers = await together(*(chat(server.port, system, question) for question in questions))
        if server.name == OURS:
            usage = answers[0].usage
            shared = usage["prompt_tokens_details"]["cached_tokens"]
            self.burst_tokens = (shared, usage["prompt_tokens"] - shared)
        return max(answer.ttft_ms for answer in answers)

    async def eight_clients(self, server, round_number):
        system = prose(SHORT, 2000 + round_number)
        self.samples.add("burst, nobody before", server, await self.burst(server, system, QUESTIONS))
        system = prose(SHORT, 3000 + round_number)
        await chat(server.port, system, "Hello!")
        self.samples.add("burst, first", server, await self.burst(server, system, QUESTIONS))
        for again in range(2):
            questions = [f"{again}: {question}" for question in QUESTIONS]  # that nobody has asked yet
            self.samples.add("burst, later", server, await self.burst(server, system, questions))
        streams = await together(*(chat(server.port, "", f"Tell me long story number {i}.", self.options.tokens,
                                        logit_bias=self.endless()) for i in range(BURST)))
        self.samples.add("eight streams", server, decoded_together(streams))

    async def memory(self, requests):
        """Buffers as small as the work allows: ours shares the prompt's cells, a slot of theirs holds all of it."""
        prompt, answer = LONG + 150, 64
        ours_cells = prompt + 2 * answer * requests
        theirs_cells = (prompt + 2 * answer) * requests
        servers = [self.pair(f"memory{requests}", requests, ours_cells)[0],
                   self.pair(f"memory{requests}b", requests, theirs_cells)[1]]
        for server in servers:
            try:
                await server.start()
                system = prose(LONG, 42)
                await chat(server.port, system, "Hello!")
                await together(*(chat(server.port, system, question, answer // 2, logit_bias=self.endless())
                                 for question in QUESTIONS[:requests]))
                await asyncio.sleep(1)  # for what is copied to memory afterwards
                self.samples.add(f"memory {requests}", server, server.memory_mib("RssAnon"))
            finally:
                server.discard()

    def limit_ms(self):
        """8 suffixes in one batch over one prefix, straight on libllama."""
        prefix, suffix = self.burst_tokens
        out = subprocess.run([self.options.limit, self.options.model, str(prefix), str(suffix), str(BURST),
                              str(threads())], check=True, capture_output=True, text=True).stdout
        return json.loads(out)["ms"]

    async def run(self):
        pairs = {"one": (1, 4096, self.one_client), "restart": (1, 4096, self.restart),
                 "personas": (1, 4096, self.personas), "eight": (BURST, BURST * 1024, self.eight_clients)}
        for name, (parallel, cells, work) in pairs.items():
            if name in self.options.parts:
                await self.with_pair(name, parallel, cells, work)
        if "memory" in self.options.parts:
            for requests in (1, BURST):
                await self.memory(requests)
        rows = self.verdicts()
        self.save(rows)
        return rows

    def save(self, rows=()):
        """Also what there is after each round: the whole takes half an hour, and longer on a small board."""
        report.write_json(self.options.json, {"machine": report.machine(), "model": self.options.model.name,
                                              "rows": list(rows), "samples": self.samples.as_json()})

    # -- the report --------------------------------------------------------------------------------------------------

    def verdicts(self):
        """Rows of the table: what, times better, wanted, met, ours, theirs, unit."""
        rows = []
        for what, unit, wanted in GOALS:
            ours, theirs = self.samples.middle(what, OURS), self.samples.middle(what, THEIRS)
            if ours == ours and theirs == theirs:
                rows.append(row_of(what, ours / theirs if "/s" in unit else theirs / ours, wanted, ours, theirs, unit))
        if "eight" in self.options.parts:
            ours, limit_ms = self.samples.middle("burst, later", OURS), self.limit_ms()
            rows.append(row_of("burst, later / limit", limit_ms / ours, 1 / 1.5, ours, limit_ms, "ms"))
        if "memory" in self.options.parts:
            ours, theirs = (self.samples.middle(f"memory {BURST}", name) / self.samples.middle("memory 1", name)
                            for name in (OURS, THEIRS))
            rows.append(row_of("memory, 8 requests / 1", 1 / ours, 1 / 1.3, ours, theirs, "times RssAnon"))
        return rows


def row_of(what, better, wanted, ours, theirs, unit):
    met = "" if wanted == 0 else "yes" if better >= wanted else "NO"
    return [what, better, wanted or "", met, ours, theirs, unit]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rockllama", type=Path, required=True)
    parser.add_argument("--llama-server", type=Path, required=True)
    parser.add_argument("--limit", type=Path, required=True, help="the program shared_prefix_bench")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file with a chat template")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128, help="that each stream generates")
    parser.add_argument("--end-tokens", type=lambda text: [int(t) for t in text.split(",")], default=[0, 2],
                        help="ids that end an answer; kept from being sampled where speed is measured")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS, help=f"of {','.join(PARTS)}")
    parser.add_argument("--json", type=Path, default=Path("build/bench/compare.json"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    exit_in_order()
    with tempfile.TemporaryDirectory(prefix="rockllama-bench-") as folder:
        comparison = Comparison(options, folder)
        rows = asyncio.run(comparison.run())
    head = ["what", "times better", "wanted", "met", "rockllama", "llama-server or limit", "unit"]
    print(report.table(head, rows))


if __name__ == "__main__":
    main()
