"""The drivers of bench/ at their smallest: what they measure is theirs to say, that they still run is said here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rockllama import BINARY, MODEL_FILE, VOCABULARIES

DRIVERS = Path(__file__).parents[2] / "bench/drivers"
SMALL_MODEL = os.environ.get("ROCKLLAMA_SMALL_MODEL", str(MODEL_FILE))


def drive(name, tmp_path, *options):
    file = tmp_path / f"{name}.json"
    subprocess.run([sys.executable, str(DRIVERS / f"{name}.py"), "--rockllama", str(BINARY), "--json", str(file), *options],
                   check=True, timeout=280, cwd=tmp_path)
    return json.loads(file.read_text())


@pytest.mark.surface
def test_the_http_benchmark_runs(tmp_path):
    programs = ["--clients", str(BINARY.parent / "stream_clients"),
                "--vocabulary", str(VOCABULARIES / "ggml-vocab-gpt-2.gguf")]
    figures = drive("http_server", tmp_path, *programs, "--requests", "5", "--seconds", "1", "--tokens", "20",
                    "--steps", "40", "--idle", "5", "--halves", "5", "--slow", "2", "--patience", "0")["figures"]
    assert figures["engine to client, 8 streams: p50"] > 0
    assert figures["5 half requests: slowest /health"] > 0


@pytest.mark.surface
def test_the_scaling_benchmark_runs(tmp_path):
    sizes = ["--lengths", "32", "--caches", "2", "--requests", "2", "--rounds", "1"]
    figures = drive("scaling", tmp_path, "--model", SMALL_MODEL, *sizes, "--plots", str(tmp_path))["ttft_ms"]
    assert set(figures) == {"length", "caches", "requests"}
    assert (tmp_path / "scaling-length.svg").read_text().startswith("<svg")
