"""Shape of the sources: short files, and nothing of one machine in them."""

import re

from includes import ROOT

MAX_LINES = 500
FOLDERS = ("src", "rkllm_sim", "tests", "fuzz", "script", "bench", "cmake", "tools", "docs", "config")
TOP = ("README.md", "CONTRIBUTING.md", "CMakeLists.txt", "CMakePresets.json")


def text_files():
    for path in [ROOT / name for name in TOP] + [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]:
        if path.is_file() and "__pycache__" not in path.parts and "corpus" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text(errors="replace")


def test_no_source_is_longer_than_500_lines():
    suffixes = (".h", ".cc", ".py", ".cmake")
    long = {name: text.count("\n") for name, text in text_files()
            if name.endswith(suffixes) and text.count("\n") > MAX_LINES}
    assert long == {}


def test_no_file_names_a_home_folder_of_one_machine():
    pattern = re.compile(r"(?<![\w.$}])/(?:root|home/\w+|farm)/")
    assert [name for name, text in text_files() if pattern.search(text)] == []


def test_nothing_is_left_to_do():
    pattern = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert [name for name, text in text_files() if pattern.search(text)] == []
