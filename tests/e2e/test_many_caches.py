"""A folder of very many caches: the server starts, lists them and answers over one."""

import json

import pytest
from prompts import GUIDE
from rockllama import said, sized

pytestmark = pytest.mark.surface

COUNT = sized(100, 500, 10_000)


def copy_cache(folder, name, text, metadata):
    """Text and metadata as the store writes them."""
    file = folder / f"{name}.bin"
    file.write_text(text)
    info = file.stat()
    seen = {"inode": info.st_ino, "mtime_ns": info.st_mtime_ns, "size": info.st_size}
    (folder / f"{name}.json").write_text(json.dumps({**metadata, "cache_name": name, "text_file": seen}))


def test_a_server_over_very_many_caches_lists_them_and_answers(scripted):
    server = scripted("answer yes\nrefuse_save\n").start()
    server.create_cache("first", GUIDE)
    server.stop()
    folder = server.caches / "demo"
    metadata = json.loads((folder / "first.json").read_text())
    names = [f"cache-{i:05}" for i in range(COUNT)]
    for name in names:
        copy_cache(folder, name, GUIDE, metadata)
    server.start()
    listed = server.get("/v1/cache/demo").json()
    assert [info["cache_name"] for info in listed["data"]] == [*names, "first"] and listed["count"] == COUNT + 1
    assert all(info["has_text"] and info["content_length"] == len(GUIDE) for info in listed["data"])
    answer = server.chat("hello", use_cache=names[COUNT // 2])
    assert said(answer) == "yes" and answer["usage"]["cache"]["name"] == names[COUNT // 2]
    assert server.cache(names[-1])["content"] == GUIDE
    assert server.delete(f"/v1/cache/demo/{names[0]}").status_code == 200
    assert server.get("/v1/cache/demo").json()["count"] == COUNT
