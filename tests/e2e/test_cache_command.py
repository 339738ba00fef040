"""`rockllama cache` and `rockllama models`: with a running server, on the folder alone, in pipes."""

import json
import os
import subprocess

import pytest
from prompts import prose
from rockllama import BINARY, PATIENCE, Server

pytestmark = pytest.mark.surface

PROMPT = prose(12, seed=51)


def run(server, *arguments, code=0, data=None, url=True):
    """The output of one command in the server's folder: bytes of stdout, text of stderr."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ROCKLLAMA_")}
    where = ["--url", server.url] if url else []
    done = subprocess.run([str(BINARY), *arguments, *where], cwd=server.folder, env=environment, input=data or b"",
                          capture_output=True, timeout=120 * PATIENCE)
    assert done.returncode == code, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    return done.stdout, done.stderr.decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # Nothing listens at port 1: the server takes a free one, which its settings do not know.
    settings = {"server": {"port": 1}, "models": {"preload": ["demo"]}}
    with Server(tmp_path_factory.mktemp("command"), settings=settings).add_model() as running:
        running.start()
        (running.folder / "prompt.txt").write_text(PROMPT)
        yield running


def test_a_cache_lives_its_life_on_a_server(server):
    made, _ = run(server, "cache", "create", "coding", "--file", "prompt.txt", "--pinned")
    assert made.decode().startswith("coding: Binary cache generated successfully (")
    assert server.cache("coding")["pinned"] is True and server.cache("coding")["has_binary"] is True
    table = run(server, "cache", "list")[0].decode().splitlines()
    assert table[0].split()[:4] == ["MODEL", "NAME", "TOKENS", "SIZE"]
    line = next(line for line in table if " coding " in line)
    assert line.startswith("demo") and "chat ready" in line and "pinned" in line
    assert "now" in line
    shown = run(server, "cache", "show", "coding")[0].decode()
    assert "state       chat ready" in shown and PROMPT[:100] in shown
    assert json.loads(run(server, "cache", "show", "coding", "--json")[0])["content"] == PROMPT
    assert json.loads(run(server, "cache", "list", "--json")[0])["data"]["demo"]
    _, words = run(server, "cache", "create", "coding", "--prompt", "x", "--no-overwrite", code=1)
    assert "exists already" in words and "\n" == words[-1] and words.count("\n") == 1
    assert "deleted" in run(server, "cache", "rm", "coding", "--binary-only")[0].decode()
    assert server.cache("coding")["has_binary"] is False
    assert "successfully" in run(server, "cache", "warm", "coding")[0].decode()
    assert server.cache("coding")["has_binary"] is True
    warmed = json.loads(run(server, "cache", "warm", "--json")[0])
    assert [cache["cache_name"] for cache in warmed["data"]] == [info["cache_name"] for info in
                                                                 server.get("/v1/cache/demo").json()["data"]]
    run(server, "cache", "rm", "coding")
    assert "no cache" in run(server, "cache", "rm", "coding", code=1)[1]
    assert "no cache" in run(server, "cache", "warm", "coding", code=1)[0].decode()


def test_an_archive_goes_through_pipes_and_files(server):
    run(server, "cache", "create", "piped", "--prompt", PROMPT)
    archive, _ = run(server, "cache", "export", "piped")
    assert archive.startswith(b"manifest.json\0")
    told = run(server, "cache", "import", "--name", "from-pipe", data=archive)[0].decode()
    assert told.startswith("from-pipe: Cache imported") and "chat state ready" in told
    run(server, "cache", "export", "piped", "-o", "piped.tar", "--no-states")
    assert (server.folder / "piped.tar").stat().st_size < len(archive)
    answer = json.loads(run(server, "cache", "import", "piped.tar", "--name", "from-file", "--json")[0])
    assert answer["object"] == "cache.imported" and answer["states"] == []
    assert server.chat("Hello", use_cache="from-pipe")["usage"]["cache_hit"] is True
    run(server, "cache", "export", "nobody", "-o", "nobody.tar", code=1)
    assert not list(server.folder.glob("nobody.tar*"))
    assert "archive" in run(server, "cache", "import", "prompt.txt", code=1)[1]


def test_input_that_is_no_text_is_refused(server):
    assert "cannot be read" in run(server, "cache", "create", "folder", "--file", ".", code=1)[1]
    assert "folder" in run(server, "cache", "import", ".", code=1)[1]
    assert "UTF-8" in run(server, "cache", "create", "bytes", "--file", "-", data=b"\xff\xfe", code=2)[1]
    assert "empty" in run(server, "cache", "create", "nothing", "--file", "-", code=1)[1]
    assert "'nobody'" in run(server, "cache", "create", "child", "--prompt", "x", "--parent", "nobody", code=1)[1]


def test_models_are_listed(server):
    for arguments in (["models"], ["models", "list"]):
        lines = run(server, *arguments)[0].decode().splitlines()
        assert lines[0].split() == ["NAME", "FILE", "SIZE", "LOADED"] and lines[1].split()[-1] == "yes"


def test_wrong_usage_is_code_2_and_a_silent_server_is_said(server):
    for arguments in (["cache"], ["cache", "show"], ["cache", "create", "x"], ["cache", "list", "--nope"],
                      ["cache", "create", "x", "--prompt", "a", "--file", "b"]):
        run(server, *arguments, code=2, url=False)
    # The folder is in use, and the settings name an address where nothing listens.
    assert "in use by a server" in run(server, "cache", "list", code=1, url=False)[1]
    _, words = run(server, "cache", "list", "--url", "http://127.0.0.1:1", code=1, url=False)
    assert "no server answers" in words
    run(server, "cache", "list", "--url", "ftp://x", code=2, url=False)


def test_the_folder_is_enough_where_no_server_runs(make_server):
    server = make_server(settings={"server": {"port": 1}}).add_model()
    (server.folder / "config/rockllama.json").write_text(json.dumps(server.settings))

    def local(*arguments, **options):
        return run(server, *arguments, url=False, **options)

    assert "There are no prompt caches yet" in local("cache", "list")[0].decode()
    local("cache", "create", "note", "--prompt", "Be brief.", "--text-only")
    assert (server.caches / "demo/note.bin").read_text() == "Be brief."
    for arguments in (["create", "x", "--prompt", "x"], ["warm"]):
        assert "needs a running server" in local("cache", *arguments, code=1)[1]
    archive, _ = local("cache", "export", "note")
    assert "is deleted" in local("cache", "rm", "note")[0].decode()
    assert "note" not in local("cache", "list")[0].decode()
    local("cache", "import", "-", "--name", "again", data=archive)
    assert json.loads(local("cache", "show", "again", "--json")[0])["source"] == "import"
    assert local("models")[0].decode().splitlines()[1].split()[-1] == "no"
    assert "no cache" in local("cache", "show", "note", code=1)[1]
    server.start()
    assert server.cache("again")["content"] == "Be brief."
