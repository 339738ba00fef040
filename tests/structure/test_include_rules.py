"""Who may include whom: the tables of docs/architecture.md against the sources."""

import pytest
from includes import ROOT, folder_path, read_rules, sources, violations


@pytest.fixture(scope="module")
def rules():
    return read_rules((ROOT / "docs/architecture.md").read_text())


def test_every_source_keeps_the_include_rules(rules):
    found = [fault for name, path in sources() for fault in violations(name, path.read_text(), rules)]
    assert found == []


def test_every_folder_of_the_rules_exists(rules):
    missing = [name for name in rules.folders
               if not folder_path(name).is_dir() and not (ROOT / f"src/{name}.cc").is_file()]
    assert missing == []


@pytest.mark.parametrize("path, include", [
    ("base/hash.cc", '#include "domain/model.h"'),
    ("http/router.cc", '#include "service/service.h"'),
    ("service/caches.cc", '#include "http/message.h"'),
    ("engines/scripted/script.cc", '#include "engines/llama_cpp/llama_model.h"'),
    ("worker/session.cc", '#include "service/service.h"'),
    ("service/caches.cc", "#include <llama.h>"),
    ("worker/session.cc", "#include <ggml-backend.h>"),
    ("rkllm_sim/runtime.cc", '#include "engines/rkllm/runtime.h"'),
    ("service/caches.cc", "#include <nlohmann/json.hpp>"),
    ("cli/bench_ttft.cc", "#include <boost/beast/http.hpp>"),
    ("service/caches.cc", "#include <archive_entry.h>"),
    ("worker/model_loader.cc", '#include "engines/rkllm/abi_1_3_0.h"'),
    ("base/hash.cc", '# include  "chat/border.h"'),
    ("base/hash.cc", '#include "tests/support/faulty_file_system.h"'),
    ("new_folder/thing.cc", ""),
])
def test_a_planted_violation_is_found(rules, path, include):
    assert len(violations(path, f"#pragma once\n{include}\n", rules)) == 1


def test_what_the_rules_allow_is_not_reported(rules):
    text = '#include "base/hash.h"\n#include "cache/cache_store.h"\n#include <vector>\n#include <nlohmann/json.hpp>\n'
    assert violations("cache/cache_store.cc", text, rules) == []
    assert violations("cache/cache_store_test.cc", '#include "tests/support/memory_file_system.h"\n', rules) == []


def test_a_rule_that_allows_all_allows_every_folder(rules):
    assert violations("main.cc", '#include "api/api.h"\n#include "cli/server_setup.h"\n', rules) == []
