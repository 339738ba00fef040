"""Caches that nobody has to ask for: made at start, used by default, behind a path, from config/system.txt."""

from prompts import GUIDE, prose
from rockllama import said, wait_until

FINE = "answer fine\n"
HELLO = [{"role": "user", "content": "Hello"}]


def startup(server):
    return server.get("/health").json()["startup_caches"]


def wait_for_startup_caches(server):
    wait_until(lambda: startup(server)["done"] == startup(server)["total"], what="the caches at start")


def ask(server, path, **body):
    response = server.post(path, {"max_tokens": 4, "temperature": 0, **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_caches_at_start_are_made_once_and_used(make_server):
    caches = [{"model": "demo", "name": "guide", "prompt": GUIDE, "pinned": True, "required": True},
              {"name": "notes", "file": "notes.txt", "format": "chat"}]
    server = make_server(settings={"startup_caches": caches}).add_model()
    (server.folder / "config/notes.txt").write_text(prose(12) + "\n")
    server.start()
    wait_for_startup_caches(server)
    assert startup(server) == {"done": 2, "total": 2, "failed": [], "current": None}
    info = server.cache("notes")
    assert info["content"] == prose(12) and info["source"] == "startup" and info["has_binary"]
    assert server.cache("guide")["pinned"]
    assert server.chat("Hello", use_cache="guide")["usage"]["cache_hit"]
    files = [server.state_file("guide"), server.state_file("notes"), server.caches / "demo/guide.bin"]
    made = [file.stat().st_mtime_ns for file in files]
    server.restart()
    wait_for_startup_caches(server)
    assert [file.stat().st_mtime_ns for file in files] == made
    server.settings["startup_caches"] = {"guide": prose(14)}
    server.restart()
    wait_for_startup_caches(server)
    assert server.cache("guide")["content"] == prose(14)
    assert server.chat("Hello", use_cache="guide")["usage"]["cache_hit"]


def test_a_required_cache_holds_back_ready_but_no_chat(scripted):
    settings = {"startup_caches": [{"name": "long", "prompt": "word " * 300, "required": True, "format": "chat"}]}
    server = scripted(FINE + "prefill_delay_ms_per_token 4\n", settings=settings).start(ready=False)
    wait_until(lambda: (startup(server)["current"] or {}).get("total_tokens"), what="progress")
    answer = server.get("/ready")
    assert answer.status_code == 503 and answer.json()["ready"] is False
    assert said(server.chat("Hello")) == "fine"
    current = answer.json()["startup_caches"]["current"]
    assert (current["model"], current["name"]) == ("demo", "long") and current["total_tokens"] >= 300
    wait_until(lambda: server.get("/ready").status_code == 200, what="/ready")
    assert startup(server)["done"] == 1
    assert "startup cache demo/long (1 of 1): begins" in server.log()


def test_a_required_cache_that_cannot_be_made_ends_the_wait_with_the_reason(scripted):
    settings = {"startup_caches": [{"name": "guide", "prompt": GUIDE, "required": True}]}
    server = scripted(FINE + "refuse_save\n", settings=settings).start()
    failure, = server.get("/ready").json()["startup_caches"]["failed"]
    assert failure["name"] == "guide" and failure["reason"] in server.log()
    assert said(server.chat("Hello", use_cache="guide")) == "fine"


def test_settings_that_are_wrong_are_all_named_at_once(scripted):
    settings = {"startup_caches": [{"name": "../x", "prompt": "a"}, {"name": "b", "file": "missing.txt"}],
                "endpoints": {"/v1/mine": "c", "mine": "c"}}
    server = scripted(FINE, settings=settings).launch()
    assert server.process.wait(20) == 2
    for place in ["startup_caches[0].name", "startup_caches[1].file", "endpoints./v1/mine", "endpoints.mine"]:
        assert f"error: config/rockllama.json: {place}: " in server.log()
    server.settings = {"endpoints": {"/health": "c"}, "models": {"allow_scripted": True}}
    assert server.launch().process.wait(20) == 2
    assert "endpoints./health" in server.log()


def test_paths_of_the_endpoint_map_bring_model_and_cache(make_server):
    endpoints = {"/api/code/complete": {"kind": "completion", "model": "demo", "cache": "guide"}, "/api/guide": "guide"}
    server = make_server(settings={"endpoints": endpoints}).add_model().start()
    assert "endpoint: POST /api/code/complete (completion, model demo, cache guide)" in server.log()
    server.create_cache("guide", GUIDE)
    chat = ask(server, "/api/guide", messages=HELLO)
    assert chat["object"] == "chat.completion" and chat["usage"]["cached_prompts"] == ["guide"]
    assert said(chat) == said(server.chat("Hello", use_cache="guide", max_tokens=4))
    completion = ask(server, "/api/code/complete", prompt=" The harbour")
    assert completion["object"] == "text_completion" and completion["usage"]["cache"]["name"] == "guide"
    assert ask(server, "/api/guide", messages=HELLO, use_cache=None)["usage"]["cache"]["name"] is None
    assert server.post("/api/guide", {"model": "nobody", "messages": HELLO}).status_code == 404
    assert server.get("/api/guide").status_code == 405


def test_the_default_cache_serves_chats_without_a_system_message(make_server):
    settings = {"cache": {"default_cache": "guide"}}
    server = make_server(settings=settings).add_model().add_model("own", overrides={"default_cache": "brief"}).start()
    server.create_cache("guide", GUIDE)
    server.create_cache("other", prose(12))
    assert server.chat("Hello")["usage"]["cached_prompts"] == ["guide"]
    assert server.chat("Hello", system="Be brief.")["usage"]["cache"]["name"] is None
    assert server.chat("Hello", use_cache=None)["usage"]["cache"]["name"] is None
    assert server.chat("Hello", use_cache="other")["usage"]["cached_prompts"] == ["other"]
    assert server.complete("The harbour")["usage"]["cache"]["name"] is None
    server.create_cache("brief", prose(13), model="own")
    assert server.chat("Hello", model="own")["usage"]["cached_prompts"] == ["brief"]


def test_a_system_cache_that_was_deleted_is_made_again_at_the_next_load(scripted):
    server = scripted(FINE, system_prompt=GUIDE).start()
    server.chat("Hello")
    assert server._http.delete("/v1/cache/demo/system").status_code == 200
    assert server.get("/v1/cache/demo/system").status_code == 404
    server.post("/v1/models/unload", {"model": "demo"})
    server.chat("Hello")
    assert server.cache("system")["content"] == GUIDE
