"""Caches out of one server and into another one."""

import io
import json
import tarfile

import pytest
from prompts import prose
from rockllama import PATIENCE, wait_until

SCRIPT = "answer fine\n"


def exported(server, name, query="", model="demo"):
    response = server.get(f"/v1/cache/{model}/{name}/export{query}")
    assert response.status_code == 200, response.text
    return response


def imported(server, archive, query="", model="demo", status=200):
    response = server._http.post(f"/v1/cache/{model}/import{query}", content=archive, timeout=60 * PATIENCE)
    assert response.status_code == status, response.text
    return response.json()


def entries(archive):
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def files(server, model="demo"):
    folder = server.caches / model
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def archive(shared):
    if "traveller" not in [info["cache_name"] for info in shared.get("/v1/cache/demo").json()["data"]]:
        shared.create_cache("traveller", prose(20, seed=41))
    return exported(shared, "traveller").content


def test_an_archive_is_a_plain_tar(shared, archive):
    response = exported(shared, "traveller")
    assert response.headers["content-type"] == "application/x-tar"
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["content-disposition"] == 'attachment; filename="traveller.tar"'
    found = entries(archive)
    assert list(found)[:3] == ["manifest.json", "text", "state.chat"]
    assert found["text"].decode() == prose(20, seed=41)
    assert found["state.chat"] == shared.state_file("traveller").read_bytes()
    manifest = json.loads(found["manifest.json"])
    assert manifest["cache_name"] == "traveller" and manifest["states"][0]["size"] == len(found["state.chat"])
    assert list(entries(exported(shared, "traveller", "?states=false").content)) == ["manifest.json", "text"]
    assert shared.get("/v1/cache/demo/traveller/export?states=maybe").status_code == 400
    assert shared.get("/v1/cache/demo/nobody/export").status_code == 404


def test_a_state_is_used_on_another_server_of_the_same_model(archive, make_server):
    server = make_server().add_model().start()
    answer = imported(server, archive)
    assert answer["object"] == "cache.imported" and answer["model"] == "demo" and answer["cache_name"] == "traveller"
    assert answer["text"] is True
    assert [(state["format"], state["status"]) for state in answer["states"]][0] == ("chat", "ready")
    assert server.cache("traveller")["source"] == "import"
    usage = server.chat("Hello", use_cache="traveller")["usage"]
    assert usage["cache_hit"] is True and usage["cache"]["tier"] == "disk" and usage["cached_prompts"] == ["traveller"]
    assert imported(server, archive, "?name=renamed&overwrite=false")["cache_name"] == "renamed"
    assert "exists" in imported(server, archive, "?name=renamed&overwrite=false", status=409)["error"]["message"]
    assert server.chat("Hello", use_cache="renamed")["usage"]["cache_hit"] is True


def test_a_state_of_another_model_is_dropped_and_said_so(archive, scripted):
    server = scripted(SCRIPT).start()
    answer = imported(server, archive)
    assert answer["states"][0]["status"] == "dropped" and "another model" in answer["states"][0]["reason"]
    assert "dropped" in answer["message"]
    assert server.cache("traveller")["content"] == prose(20, seed=41)


def test_a_hostile_or_damaged_archive_writes_nothing(archive, make_server):
    server = make_server(settings={"cache": {"import_limit_mib": 16}}).add_model().start()
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("../evil")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    flipped = bytearray(archive)
    flipped[len(archive) // 2] ^= 1
    for bad in [b"", b"x", archive[:-1], archive[:5000], archive + b"\0" * 512, bytes(flipped), evil.getvalue()]:
        assert "archive" in imported(server, bad, status=400)["error"]["message"]
    assert imported(server, b"\0" * (17 << 20), status=413)["error"]
    assert imported(server, archive, "?name=../x", status=400)["error"]["param"] == "name"
    assert imported(server, archive, model="nobody", status=404)["error"]["code"] == "model_not_found"
    assert files(server) == [] and not (server.folder / "evil").exists()
    assert sorted(path.name for path in server.caches.iterdir() if "import" in path.name) == []
    assert imported(server, archive)["states"][0]["status"] == "ready"
    wait_until(lambda: "traveller.llama_cache" in files(server), what="the state")
