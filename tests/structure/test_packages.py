"""script/bootstrap knows which Debian packages are missing, also on a machine with packages of two architectures."""

import os
import subprocess

import pytest
from includes import ROOT

# What dpkg-query prints for a name: the package of each architecture.
KNOWN = {"libssl-dev": "installed amd64\ninstalled arm64\n", "libssl-dev:arm64": "installed arm64\n",
         "libfmt-dev": "installed arm64\n", "json-dev": "installed all\n", "cmake": "not-installed amd64\n",
         "g++": "installed amd64\n"}


@pytest.fixture
def missing(tmp_path):
    for name, printed in KNOWN.items():
        (tmp_path / name).write_text(printed)
    (tmp_path / "dpkg").write_text("#!/bin/sh\necho amd64\n")
    (tmp_path / "dpkg-query").write_text(f'#!/bin/sh\ncd {tmp_path}; for name; do :; done; cat "$name"\n')
    for program in ("dpkg", "dpkg-query"):
        (tmp_path / program).chmod(0o755)

    def ask(*packages):
        command = f"set -euo pipefail; source {ROOT}/script/lib/packages.sh; missing_packages {' '.join(packages)}"
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}).stdout.split()

    return ask


def test_a_package_that_is_there_for_two_architectures_is_not_missing(missing):
    assert missing("libssl-dev", "libssl-dev:arm64", "json-dev", "g++") == []


def test_a_package_of_another_architecture_does_not_count(missing):
    assert missing("libfmt-dev", "g++") == ["libfmt-dev"]


def test_what_was_removed_or_never_was_is_missing(missing):
    assert missing("cmake", "unknown", "json-dev") == ["cmake", "unknown"]
