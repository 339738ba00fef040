"""The cross-built programs hold the instructions that Cortex-A76 and A55 have, and none that they lack."""

import collections
import re
import subprocess
from pathlib import Path

import pytest
from includes import ROOT

INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\t[0-9a-f]{8} \t(\S+)(.*)$")
# The 8-bit matrix products of i8mm, the products of bf16, and the vector lengths of SVE and SME.
TOO_NEW = re.compile(r"(?:[su]|us)mmla|usdot|sudot|bf(?:mmla|dot|cvt|mlal)\w*|cnt[bhwd]|rdvl|addvl|ptrues?|while(?:l[eot]|ls)|smst\w+")
SCALABLE_REGISTER = re.compile(r"\bz\d+\.[bhsdq]\b|\bp\d+/[zm]\b|\bz\d+\[")


def instructions(program):
    """How often each mnemonic occurs, and the lines that use scalable registers."""
    listing = subprocess.Popen(["aarch64-linux-gnu-objdump", "-d", "-w", str(program)], stdout=subprocess.PIPE, text=True)
    mnemonics, scalable = collections.Counter(), []
    for line in listing.stdout:
        found = INSTRUCTION.match(line)
        if found:
            mnemonics[found[1]] += 1
            if SCALABLE_REGISTER.search(found[2]):
                scalable.append(line)
    assert listing.wait() == 0
    return mnemonics, scalable


@pytest.fixture(scope="module")
def programs():
    folder = ROOT / "build/aarch64/bin"
    if not (folder / "rockllama-worker").exists():
        pytest.skip("no aarch64 build")
    return folder


@pytest.mark.parametrize("name", ["rockllama", "rockllama-worker"])
def test_no_program_has_an_instruction_that_the_board_lacks(programs: Path, name):
    mnemonics, scalable = instructions(programs / name)
    assert scalable == []
    assert [mnemonic for mnemonic in mnemonics if TOO_NEW.fullmatch(mnemonic)] == []


def test_the_worker_computes_with_dot_products_and_half_precision(programs: Path):
    mnemonics, _ = instructions(programs / "rockllama-worker")
    assert mnemonics["sdot"] > 100
    listing = subprocess.run(["aarch64-linux-gnu-readelf", "-h", str(programs / "rockllama-worker")], capture_output=True,
                             text=True, check=True).stdout
    assert re.search(r"Machine:\s+AArch64", listing)
