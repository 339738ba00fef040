#!/usr/bin/env python3
"""Writes what one library of rkllm_sim needs to know of its ABI: a header of field offsets, and the list of its exports.

    sim_layouts.py abi.json VERSION HEADER EXPORTS

Every header has the same names: those of all versions since 1.1.0. What a version lacks is there as absent.
"""

import json
import sys
from pathlib import Path

FIRST = (1, 1)  # rkllm_sim knows the versions from here on
SCALARS = {"int": "int32_t", "int32_t": "int32_t", "uint32_t": "uint32_t", "int8_t": "int8_t",
           "uint8_t": "uint8_t", "float": "float", "bool": "bool", "size_t": "std::size_t"}
WHOLES = ("struct ", "array of ", "inline struct")
POINTERS = {"const char": "const char*", "char": "const char*", "float": "const float*", "const float": "const float*",
            "int32_t": "const int32_t*"}


def cpp_type(text):
    """The type that a field is read as; None for what is taken apart into its members, and for arrays."""
    if text.startswith("pointer to "):
        return POINTERS.get(text.removeprefix("pointer to "), "void*")
    if text.startswith("enum "):
        return "uint32_t"
    if text.endswith("(function pointer)"):
        return "void*"
    return None if text.startswith(WHOLES) else SCALARS[text]


def members(struct):
    """Field name (dots become _) -> (type, offset), of the fields that can be read."""
    return {field["name"].replace(".", "_"): (cpp_type(field["type"]), field["offset"])
            for field in struct["fields"] if cpp_type(field["type"])}


def known(versions):
    return [facts for name, facts in versions.items() if tuple(map(int, name.split("b")[0].split(".")[:2])) >= FIRST]


def struct_lines(name, versions, own):
    """One struct: all members of all versions; those of `own` with their offsets."""
    struct = own["structs"].get(name)
    here = members(struct) if struct else {}
    everywhere = {}
    for facts in known(versions):
        if name in facts["structs"]:
            everywhere.update({member: kind for member, (kind, _) in members(facts["structs"][name]).items()})
    yield f"struct {name}Layout {{"
    yield f"  static constexpr std::size_t size = {struct['size'] if struct else 0};"
    for member, kind in everywhere.items():
        yield f"  static constexpr Field<{kind}> {member}{{{here[member][1] if member in here else ''}}};"
    yield "};"


def enum_lines(versions, own):
    values = {name: value for enum in own["enums"].values() for name, value in enum["values"].items()}
    names = {name: None for facts in known(versions) for enum in facts["enums"].values() for name in enum["values"]}
    for name in names:
        yield f"inline constexpr uint32_t {name} = {values.get(name, 'kNoValue')};"


def function_lines(own):
    functions = own["functions"]
    clear = functions.get("rkllm_clear_kv_cache", {"params": []})
    callback = own["callbacks"]["LLMResultCallback"]
    facts = {"kCallbackReturnsInt": callback["returns"] == "int",
             "kInitTakesCallbackStruct": "RKLLMCallback" in functions["rkllm_init"]["params"][2]["type"],
             "kClearTakesRanges": len(clear["params"]) == 4}
    for name, value in facts.items():
        yield f"inline constexpr bool {name} = {str(value).lower()};"


def header(versions, version, own):
    names = {name: None for facts in known(versions) for name in facts["structs"]}
    yield f"// The ABI of rkllm {version}, written by tools/rkllm/sim_layouts.py from abi.json."
    yield "#pragma once"
    yield '#include "rkllm_sim/field.h"'
    yield "namespace rkllm_sim::abi {"
    for name in names:
        yield from struct_lines(name, versions, own)
    yield from enum_lines(versions, own)
    yield from function_lines(own)
    yield "}  // namespace rkllm_sim::abi"


def exports(own):
    return "{\n  global:\n" + "".join(f"    {name};\n" for name in own["functions"]) + "  local: *;\n};\n"


def main(abi_file, version, header_file, exports_file):
    abi = json.loads(Path(abi_file).read_text())
    own = abi["versions"][abi["same_as"].get(version, version)]
    Path(header_file).write_text("\n".join(header(abi["versions"], version, own)) + "\n")
    Path(exports_file).write_text(exports(own))


if __name__ == "__main__":
    main(*sys.argv[1:])
