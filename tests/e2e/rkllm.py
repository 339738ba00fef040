"""Servers over the RKLLM engine, with the stand-ins of rkllm_sim for the vendor's library."""

import json
import os
from pathlib import Path

from rockllama import BINARY, MODEL_FILE, SIZE, Server

# What the stand-in says does not matter here.
SMALL_MODEL_FILE = Path(os.environ.get("ROCKLLAMA_SMALL_MODEL", MODEL_FILE))
LIBRARIES = BINARY.parents[1] / "lib/rkllm_sim"
GROUPS = ["1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"]  # one version for each ABI
VERSIONS = ["1.2.1"] if SIZE == "small" else GROUPS  # the sanitizers run one
COUNTING = {"1.2.1", "1.2.3", "1.3.0"}  # these say how many tokens they prefilled


def library(version):
    return LIBRARIES / version / "librkllmrt.so"


class RkllmServer(Server):
    """A server with the model `demo` as a .rkllm file, and a file of planted faults that the runtime reads at each call."""

    def __init__(self, folder, version="1.2.1", settings=None, overrides=None, tokenizer=True, runtime=None):
        folder = Path(folder)
        self.faults = folder / "faults"
        self.scratch = folder / "tmp"
        settings = {"rkllm": {"library": str(runtime or library(version))},
                    "worker": {"restart_backoff_ms": 20}, **(settings or {})}
        super().__init__(folder, settings=settings, environment={"ROCKLLAMA_SIM_FAULTS": str(self.faults),
                                                                 "TMPDIR": str(self.scratch)})
        self.scratch.mkdir()
        self.add_rkllm("demo", overrides, tokenizer)

    def add_rkllm(self, name, overrides=None, tokenizer=True):
        """The runtime chooses tokens by itself unless told otherwise; here it is greedy."""
        folder = self.models / name
        folder.mkdir()
        (folder / "model.rkllm").symlink_to(SMALL_MODEL_FILE)
        if tokenizer:
            (folder / "tokenizer.gguf").symlink_to(SMALL_MODEL_FILE)
        facts = {"context_tokens": 1024, "sampling": {"temperature": 0}, **(overrides or {})}
        (folder / "model.json").write_text(json.dumps(facts))
        return self

    def plant(self, *lines):
        """These faults and no others, from the next call of the library on."""
        fresh = self.folder / "faults.new"
        fresh.write_text("".join(f"{line}\n" for line in lines))
        os.replace(fresh, self.faults)

    def state_file(self, name, model="demo"):
        return self.caches / model / f"{name}.rkllm_cache"

    def descriptors(self):
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))
