"""Sums up a folder of results: GoogleTest's JSON, pytest's JUnit XML and the steps that script/test counted itself.

Prints what failed and why, then `N passed, N failed`. The exit status is 1 when something failed or nothing was run.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MAX_REASON = 1000  # characters


def googletest(path):
    for suite in json.loads(path.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            if test["result"] == "COMPLETED":
                reasons = [failure["failure"] for failure in test.get("failures", [])]
                yield f"{path.stem}: {suite['name']}.{test['name']}", not reasons, "\n".join(reasons)


def pytest(path):
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("skipped") is None:
            reasons = [problem.get("message") or "" for problem in [*case.iter("failure"), *case.iter("error")]]
            yield f"{path.stem}: {case.get('classname')}.{case.get('name')}", not reasons, "\n".join(reasons)


def steps(path):
    for line in path.read_text().splitlines():
        result, name = line.split(" ", 1)
        yield name, result == "passed", ""


def last_words(path):
    """Of a program that died; the steps count it."""
    print(f"LAST WORDS of {path.stem}:\n{path.read_text(errors='replace')}")
    return []


def main(folder):
    results = []
    for path in sorted(Path(folder).iterdir()):
        read = {".json": googletest, ".xml": pytest, ".log": last_words}.get(path.suffix, steps)
        results.extend(read(path))
    failed = [(name, reason) for name, passed, reason in results if not passed]
    for name, reason in failed:
        print(f"FAILED {name}")
        if reason:
            print(reason[:MAX_REASON])
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
