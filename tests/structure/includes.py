"""Reads the include rules of docs/architecture.md and the includes of the sources. No test of its own."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Sources of each library whose use is limited, by what stands in the angle brackets.
LIBRARIES = {
    "llama.cpp": re.compile(r"^(llama.*|ggml.*|gguf.*|common|chat.*|sampling|log|json-schema-to-grammar|mtmd.*|jinja/.*)\.h(pp)?$"),
    "JSON": re.compile(r"^nlohmann/"),
    "valijson": re.compile(r"^valijson/"),
    "OpenSSL": re.compile(r"^openssl/"),
    "Boost": re.compile(r"^boost/"),
    "CLI11": re.compile(r"^CLI/"),
    "libarchive": re.compile(r"^archive(_entry)?\.h$"),
}
# Headers of ours that hold what comes from outside.
OWN_HEADERS = {"RKLLM structs": re.compile(r"^engines/rkllm/(abi_\d.*|group_binding)\.h$")}


@dataclass(frozen=True)
class Rules:
    folders: dict  # folder -> the folders that it may include, besides itself
    libraries: dict  # library -> the folders that may include it


def table(text, name):
    body = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL).group(1)
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in body.strip().splitlines()]
    return {row[0]: {item for item in re.split(r",\s*", row[1]) if item} for row in rows[2:]}


def read_rules(text):
    folders = table(text, "include-rules")
    everything = set(folders)
    return Rules({name: everything if allowed == {"all"} else allowed for name, allowed in folders.items()},
                 table(text, "library-rules"))


def folder_of(path, folders):
    """The rule that a path below src/ falls under: the longest folder that is named; src/main.cc is `main`."""
    parts = Path(path).parts
    if len(parts) == 1:
        return Path(path).stem
    for length in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:length]) in folders:
            return "/".join(parts[:length])
    return None


def violations(path, text, rules):
    """What is wrong with the includes of one source; `path` as sources() gives it."""
    folder = folder_of(path, rules.folders)
    if folder is None or folder not in rules.folders:
        return [f"{path}: its folder is in no rule of docs/architecture.md"]
    found = []
    for bracket, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.MULTILINE):
        found += [f"{path}: {library} belongs to {', '.join(sorted(rules.libraries[library]))} only"
                  for library, pattern in (LIBRARIES if bracket == "<" else OWN_HEADERS).items()
                  if pattern.match(name) and folder not in rules.libraries[library]]
        if bracket == "<":
            continue
        if name.startswith("tests/support/") and path.endswith("_test.cc"):
            continue
        other = folder_of(name, rules.folders)
        if other != folder and other not in rules.folders[folder]:
            found.append(f"{path}: {folder} may not include {name}")
    return found


def folder_path(name):
    """Where a folder of the rules is: below src/, but for rkllm_sim."""
    return ROOT / name if name == "rkllm_sim" else ROOT / "src" / name


def sources():
    """Paths of all sources as they are included: relative to src/, or rkllm_sim/..."""
    for base, top in ((ROOT / "src", ROOT / "src"), (ROOT, ROOT / "rkllm_sim")):
        yield from sorted((path.relative_to(base).as_posix(), path) for ext in ("h", "cc") for path in top.rglob(f"*.{ext}"))
