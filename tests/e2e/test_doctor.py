"""`rockllama doctor` on a PC, on what looks like a board, with and without a server; and the script for the clocks."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from prompts import prose
from rockllama import BINARY, PATIENCE

pytestmark = pytest.mark.surface

CLOCKS = Path(__file__).parents[2] / "script/rk3588-clocks"
POLICY = "sys/devices/system/cpu/cpufreq/policy0"
NPU = "sys/class/devfreq/fdab0000.npu"


def doctor(folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ROCKLLAMA_", "RKLLM_"))}
    done = subprocess.run([str(BINARY), "doctor", *arguments], cwd=folder, env=environment, capture_output=True,
                          timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def findings(folder, *arguments):
    report = json.loads(doctor(folder, "--json", *arguments))
    return {finding["subject"]: finding for finding in report["findings"]}, report


@pytest.fixture
def board(tmp_path):
    """What the kernel of a board with an old driver and idle clocks shows."""
    root = tmp_path / "root"
    for path, text in {
        "proc/device-tree/compatible": "radxa,rock-5b\0rockchip,rk3588\0",
        "proc/device-tree/model": "Radxa ROCK 5B\0",
        "sys/kernel/debug/rknpu/version": "RKNPU driver: v0.9.6\n",
        f"{POLICY}/scaling_governor": "ondemand\n", f"{POLICY}/scaling_cur_freq": "408000\n",
        f"{POLICY}/cpuinfo_max_freq": "1800000\n",
        f"{NPU}/governor": "rknpu_ondemand\n", f"{NPU}/cur_freq": "300000000\n", f"{NPU}/max_freq": "1000000000\n",
        "usr/lib/librkllmrt.so": "\x7fELF...RKLLM SDK (version: 1.2.1 (0123456))...",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_a_pc_without_anything_is_told_what_is_not_there(tmp_path):
    (tmp_path / "empty").mkdir()
    found, report = findings(tmp_path, "--root", str(tmp_path / "empty"))
    assert {finding["level"] for finding in found.values()} <= {"ok", "note"}
    assert "no librkllmrt.so" in found["rkllm runtime"]["what"]
    assert report["server"]["running"] is False and report["models"] == []
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]
    assert "-> " in doctor(tmp_path)


def test_a_board_is_told_what_to_do(tmp_path, board):
    found, report = findings(tmp_path, "--root", str(board))
    assert found["soc"]["what"] == "rk3588, Radxa ROCK 5B"
    assert found["npu driver"]["level"] == "problem" and "0.9.8" in found["npu driver"]["what"]
    assert found["rkllm runtime"]["level"] == "ok" and report["machine"]["runtime"]["version"] == "1.2.1"
    assert "rk3588-clocks performance" in found["npu clock"]["advice"]
    assert [clock["governor"] for clock in report["machine"]["clocks"]] == ["ondemand", "rknpu_ondemand"]


def test_a_running_server_gives_the_figures_of_break_even(scripted):
    server = scripted("answer fine\nprefill_delay_ms_per_token 0.1\n").start()
    found, _ = findings(server.folder, "--url", server.url)
    assert "not loaded" in found["demo: break-even"]["what"]
    prompt = prose(5, seed=7)
    server.create_cache("guide", prompt)
    server.chat("hello", use_cache="guide")
    found, report = findings(server.folder, "--url", server.url)
    stats = server.get("/v1/cache/demo").json()["stats"]["models"]["demo"]
    model, = report["models"]
    assert report["server"]["running"] is True and model["status"] == "loaded"
    for figure in ("prefill_tokens_per_second", "restore_mb_per_second", "break_even_tokens"):
        assert model[figure] == stats[figure], figure
    assert model["context_tokens"] > 0
    assert [state["status"] for state in model["states"]] == ["ready"] * len(model["states"])
    server.stop()
    found, report = findings(server.folder)
    assert "GET /v1/cache" in found["demo: break-even"]["advice"]
    assert report["models"][0]["caches"] == 1 and report["flash"]["read_mb_per_second"] > 0
    assert not [path for path in server.caches.rglob("*doctor*")]


def clocks(root, verb):
    done = subprocess.run([str(CLOCKS), verb], env={**os.environ, "ROCKLLAMA_CLOCKS_ROOT": str(root)},
                          capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def test_the_script_sets_the_clocks_and_puts_them_back(board):
    governors = [board / POLICY / "scaling_governor", board / NPU / "governor"]
    before = [file.read_text() for file in governors]
    assert clocks(board, "restore")[0] == 1
    for _ in range(2):  # the second time it must not keep its own setting as what was there before
        assert clocks(board, "performance") == (0, "")
        assert [file.read_text() for file in governors] == ["performance\n"] * 2
    assert clocks(board, "show")[1].splitlines()[0] == f"performance /{POLICY}/scaling_governor"
    assert clocks(board, "restore") == (0, "")
    assert [file.read_text() for file in governors] == before
    assert clocks(board, "restore")[0] == 1
    assert clocks(board, "nonsense")[0] == 2


def test_the_script_says_when_there_is_nothing_to_set(tmp_path):
    code, words = clocks(tmp_path, "performance")
    assert code == 1 and "no clock" in words
