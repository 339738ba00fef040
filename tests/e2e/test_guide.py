"""Every example of docs/prompt-caches.md that is marked so is run as it stands, and gives what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rockllama import BINARY

pytestmark = pytest.mark.surface

GUIDE = Path(__file__).parents[2] / "docs/prompt-caches.md"
EXAMPLE = re.compile(r"<!-- run -->\n```(\w+)\n(.*?)```\n((?:<!-- expect .*? -->\n)*)", re.S)


def examples():
    return [(language, code, re.findall(r"<!-- expect (.*?) -->", expected))
            for language, code, expected in EXAMPLE.findall(GUIDE.read_text())]


def run(language, code, folder, port):
    code = code.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    program = {"bash": ["bash", "-euc"], "python": [sys.executable, "-c"]}[language]
    environment = {**os.environ, "PATH": f"{BINARY.parent}:{os.environ['PATH']}", "ROCKLLAMA_SERVER_PORT": str(port)}
    return subprocess.run([*program, code], cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL)


def test_the_page_has_its_examples():
    assert GUIDE.read_text().count("<!-- run -->") == len(examples()) >= 8


@pytest.mark.whole_model
def test_every_example_of_the_guide_does_what_it_says(make_server):
    server = make_server().add_model("smollm2-135m").start()
    for language, code, expected in examples():
        done = run(language, code, server.folder, server.port)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        for text in expected:
            assert text in done.stdout + done.stderr, f"{code}\n{done.stdout}\n{done.stderr}"
