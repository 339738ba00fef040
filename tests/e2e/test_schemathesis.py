"""schemathesis against the document that the server gives of itself: what comes back is what the document says, and no 500."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rockllama import sized
from test_tools import with_template

pytestmark = pytest.mark.surface
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = sized(2, 4, 160)  # of each of the 30 operations


@pytest.mark.timeout(3600)
def test_answers_are_as_the_document_says_whatever_is_asked(scripted, tmp_path):
    server = with_template(scripted("answer Fine.\n", settings={"server": {"heartbeat_s": 1}}), "Qwen-Qwen2.5-7B-Instruct")
    report = tmp_path / "report.har"
    run = subprocess.run(
        [str(Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/openapi.json", "--checks", CHECKS,
         "--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color", "--suppress-health-check", "all",
         "--generation-database", "none", "--request-timeout", "60", "--report-har-path", str(report)],
        capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)})
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    statuses = [entry["response"]["status"] for entry in json.loads(report.read_text())["log"]["entries"]]
    assert len(statuses) >= sized(20, 40, 2000) and 500 not in statuses
    assert server.get("/health").status_code == 200
