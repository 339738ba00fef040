"""Sums up a folder of results: GoogleTest's JSON, pytest's JUnit XML and the steps that script/test counted itself.

Prints what failed, then `N passed, N failed`. The exit status is 1 when something failed or nothing was run.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def googletest(path):
    for suite in json.loads(path.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            if test["result"] == "COMPLETED":
                yield f"{path.stem}: {suite['name']}.{test['name']}", not test.get("failures")


def pytest(path):
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("skipped") is None:
            failed = case.find("failure") is not None or case.find("error") is not None
            yield f"{path.stem}: {case.get('classname')}.{case.get('name')}", not failed


def steps(path):
    for line in path.read_text().splitlines():
        result, name = line.split(" ", 1)
        yield name, result == "passed"


def main(folder):
    results = []
    for path in sorted(Path(folder).iterdir()):
        read = {".json": googletest, ".xml": pytest}.get(path.suffix, steps)
        results.extend(read(path))
    failed = [name for name, passed in results if not passed]
    for name in failed:
        print(f"FAILED {name}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
