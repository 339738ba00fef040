"""The server is free of llama.cpp, and the worker keeps llama.cpp's symbols to itself."""

import re
import subprocess
from pathlib import Path

import pytest
from includes import ROOT

FOREIGN = re.compile(r"\b(?:llama|ggml|gguf)_\w+")


def symbols(*arguments):
    return subprocess.run(["nm", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def programs():
    folder = ROOT / "build/release/bin"
    if not (folder / "rockllama-worker").exists():
        pytest.skip("no release build")
    return folder


def test_the_worker_exports_no_symbol_of_llama_cpp(programs: Path):
    exported = symbols("-D", "--defined-only", programs / "rockllama-worker")
    assert FOREIGN.findall(exported) == []


def test_the_worker_does_contain_llama_cpp(programs: Path):
    assert "llama_decode" in FOREIGN.findall(symbols(programs / "rockllama-worker"))


def test_the_server_contains_nothing_of_llama_cpp(programs: Path):
    own = {name for name in FOREIGN.findall(symbols("-C", programs / "rockllama"))}
    assert own == set()
