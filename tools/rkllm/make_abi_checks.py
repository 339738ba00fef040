#!/usr/bin/env python3
"""make_abi_checks.py ABI_JSON OUTPUT_FOLDER: what the build holds src/engines/rkllm against.

layouts.inc      a static_assert for every struct, field, enumerator and called function of each ABI group
versions.inc     {version, group}, for the versions that the engine knows
functions.inc    {function, group}, for each function that a group's header declares
"""

import json
import sys
from pathlib import Path

# Declared by the headers, but never called by us.
NOT_CALLED = {
    "rkllm_destroy": "it can hang: the process is ended instead",
    "rkllm_run_async": "silent or hanging before 1.2.2; rkllm_run on a thread of ours does the same",
    "rkllm_set_cross_attn_params": "for custom models alone",
}


def groups(abi):
    """(first version, all versions) of each group that the engine binds: those with RKLLMInput."""
    for group in abi["abi_groups"]:
        versions = group["versions"]
        if "RKLLMInput" in abi["versions"][versions[0]]["structs"]:
            yield versions[0], versions


def identifier(version):
    return version.replace(".", "_")


# Types that size and offset do not tell apart (float from int32_t, signed from unsigned).
SCALARS = ("int", "int8_t", "uint8_t", "int32_t", "uint32_t", "float", "bool", "size_t")


def struct_checks(name, struct):
    yield f"static_assert(sizeof({name}) == {struct['size']});"
    yield f"static_assert(alignof({name}) == {struct['align']});"
    for field in struct["fields"]:
        member = f"std::declval<{name}&>().{field['name']}"
        yield f"static_assert(offsetof({name}, {field['name']}) == {field['offset']});"
        yield f"static_assert(sizeof({member}) == {field['size']});"
        if field["type"] in SCALARS:
            yield f"static_assert(std::is_same_v<decltype(({member})), {field['type']}&>);"


def enum_checks(name, enum):
    yield f"static_assert(sizeof({name}) == {enum['size']});"
    for enumerator, value in enum["values"].items():
        yield f"static_assert({enumerator} == {value});"


def function_type(declaration, pointer=""):
    parameters = ", ".join(parameter["c"] for parameter in declaration["params"])
    return f"{declaration['returns'].removeprefix('struct ')} ({pointer})({parameters})"


def function_checks(version):
    for name, declaration in version["callbacks"].items():
        yield f"static_assert(std::is_same_v<{name}, {function_type(declaration, '*')}>);"
    for name, declaration in version["functions"].items():
        if name not in NOT_CALLED:
            yield f"static_assert(std::is_same_v<decltype(Calls::{name}), {function_type(declaration, '*')}>);"


def checks(abi):
    for first, _ in groups(abi):
        version = abi["versions"][first]
        yield f"namespace rockllama::rkllm::abi_{identifier(first)} {{"
        for name, struct in version["structs"].items():
            # Of a feature that is not used.
            if name != "RKLLMCrossAttnParam":
                yield from struct_checks(name, struct)
        for name, enum in version["enums"].items():
            yield from enum_checks(name, enum)
        yield from function_checks(version)
        yield "}"


def version_rows(abi):
    for first, versions in groups(abi):
        for version in versions:
            yield f'{{"{version}", AbiGroup::k{identifier(first)}}},'


def function_rows(abi):
    for first, _ in groups(abi):
        for function in abi["versions"][first]["functions"]:
            yield f'{{"{function}", AbiGroup::k{identifier(first)}}},'


def main():
    abi = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("layouts.inc", checks(abi)), ("versions.inc", version_rows(abi)),
                        ("functions.inc", function_rows(abi))):
        (folder / name).write_text("\n".join(["// Made by tools/rkllm/make_abi_checks.py from abi.json.", *lines, ""]))


if __name__ == "__main__":
    main()
