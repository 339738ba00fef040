"""A runtime that crashes and hangs again and again: what the server remembers of it, and what it says."""

import json
import subprocess

import pytest
from prompts import GUIDE
from rockllama import BINARY, PATIENCE, said, wait_until

QUICK = {"worker": {"restart_backoff_ms": 1}}
ERROR = "E rkllm: failed to malloc npu memory"


def test_a_model_that_crashes_in_each_load_is_left_alone_until_somebody_asks(scripted):
    server = scripted(f"print {ERROR}\ncrash_on_load\n", settings=QUICK, models={"other": "answer fine\n"}).start()
    words = server.chat("hello", status=500)["error"]["message"]
    assert "5 times" in words and ERROR in words and "/srv" not in words
    model = wait_until(lambda: (found := server.get("/v1/models/demo").json())["status"] == "failed" and found,
                       what="the mark")
    assert ERROR in model["log"] and ERROR in model["failure"]
    assert ERROR in server.log()
    crashes = server.log().count("warning model demo: its process ended")
    assert server.chat("hello", status=500)["error"]["message"] == words
    assert server.log().count("warning model demo: its process ended") == crashes
    assert said(server.chat("hello", model="other")) == "fine"
    assert any("demo" in line for line in server.get("/health").json()["models"]["failed"])
    assert server.post("/v1/models/load", {"model": "demo"}).status_code == 500
    assert server.log().count("warning model demo: its process ended") == crashes + 5
    script = server.models / "demo/model.script"
    script.write_text("answer mended\n")
    assert said(server.chat("hello")) == "mended"
    assert server.get("/v1/models/demo").json()["failure"] is None


def test_what_a_runtime_says_of_itself_is_shown_and_the_doctor_shows_it(scripted):
    server = scripted("answer fine\nprint I rkllm: rkllm-runtime version: 1.2.1, rknpu driver version: 0.9.6, "
                      "platform: RK3588\n").start()
    server.chat("hello")
    runtime = server.get("/v1/models/demo").json()["runtime"]
    assert (runtime["version"], runtime["driver_version"]) == ("1.2.1", "0.9.6")
    done = subprocess.run([str(BINARY), "doctor", "--json", "--url", server.url], cwd=server.folder,
                          capture_output=True, timeout=60 * PATIENCE, check=True)
    found = {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["demo: runtime"]["level"] == "problem" and "0.9.6" in found["demo: runtime"]["what"]


def test_a_runtime_that_dies_of_saving_is_remembered_and_tried_again_when_asked(scripted):
    server = scripted("answer yes\ncrash_on_save\n", settings=QUICK).start()
    for name in ("one", "two"):
        assert server.create_cache(name, GUIDE)["binary"] is False
    losses = server.log().count("warning model demo: its process ended")
    third = server.create_cache("three", GUIDE)
    assert third["binary"] is False and "retry_binary" in third["warning"]
    assert said(server.chat("hello", use_cache="three")) == "yes"
    assert server.get("/v1/models/demo").json()["saving_problem"]
    server.restart()
    assert server.create_cache("four", GUIDE)["binary"] is False
    assert "its process ended" not in server.log()
    (server.models / "demo/model.script").write_text("answer yes\n# mended\n")
    assert server.post("/v1/models/unload", {"model": "demo"}).status_code == 200
    assert server.create_cache("five", GUIDE)["binary"] is True, "another model file is another model"
    assert losses >= 2


def test_retry_binary_makes_the_state_where_saving_works_again(scripted):
    fault = "once {0} crash_on_save\n"
    script = "answer yes\n" + "".join(fault.format(name) for name in ("first", "second"))
    server = scripted(script, settings=QUICK).start()
    for _ in range(2):
        assert server.create_cache("guide", GUIDE)["binary"] is False
    assert server.create_cache("guide", GUIDE)["binary"] is False
    done = subprocess.run([str(BINARY), "cache", "create", "guide", "--prompt", GUIDE, "--retry-binary", "--url",
                           server.url], cwd=server.folder, capture_output=True, timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stderr
    assert server.cache("guide")["has_binary"] is True
    assert server.get("/v1/models/demo").json()["saving_problem"] is None
    assert server.create_cache("other", GUIDE + "More.")["binary"] is True


@pytest.mark.surface
def test_a_hang_in_a_save_and_in_a_restore_costs_the_state_and_not_the_answer(scripted):
    settings = {"worker": {"restart_backoff_ms": 1, "hang_floor_ms": 2500 * PATIENCE},
                "models": {"block_tokens": 1}}
    script = "answer yes\nonce may-save hang_on_save\nonce may-restore hang_on_restore\n"
    server = scripted(script, settings=settings).start()
    created = server.create_cache("guide", GUIDE)
    assert created["binary"] is False and "hung" in created["warning"]
    assert server.create_cache("guide", GUIDE)["binary"] is True
    assert said(server.chat("hello", use_cache="guide")) == "yes"
    assert any(state["status"] == "quarantined" for state in server.cache("guide")["binary"]) or \
        server.cache("guide")["has_binary"]
