"""Named prompt caches over HTTP: create, read, use, delete."""

import pytest
from prompts import GUIDE, prose
from rockllama import wait_until


@pytest.fixture(scope="module")
def server(shared):
    """The shared server; what these tests create has names of its own."""
    return shared


def test_a_cache_is_created_with_its_state(server):
    created = server.create_cache("made", prose(12, seed=1))
    assert created["object"] == "cache.created"
    assert created["model"] == "demo" and created["cache_name"] == "made"
    assert created["binary"] is True and "chat" in created["states"]
    assert created["prompt_tokens"] > 50 and created["ttft_ms"] > 0 and created["size_mb"] > 0
    assert created["message"].startswith("Binary cache generated successfully (")
    assert server.state_file("made").exists()
    assert (server.caches / "demo/made.bin").read_text() == prose(12, seed=1)


def test_a_short_prompt_gets_a_hint(server):
    assert "hardly pays" in server.create_cache("tiny", "Be brief.")["message"]


def test_the_same_text_again_is_answered_at_once(server):
    server.create_cache("again", prose(10, seed=2))
    before = server.state_file("again").stat()
    again = server.create_cache("again", prose(10, seed=2))
    assert again["binary"] is True and "nothing was rebuilt" in again["message"]
    after = server.state_file("again").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_another_text_replaces_a_cache_unless_overwrite_is_false(server):
    server.create_cache("name", prose(10, seed=3))
    refused = server.create_cache("name", prose(10, seed=4), status=409, overwrite=False)
    assert refused["error"]["message"]
    assert server.cache("name")["content"] == prose(10, seed=3)
    server.create_cache("name", prose(10, seed=4))
    assert server.cache("name")["content"] == prose(10, seed=4)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65, "with space", "-first", "ünicode", "a\x00b"])
def test_an_odd_name_is_refused_at_creation(server, name):
    error = server.create_cache(name, "text", status=400)["error"]
    assert error["param"] == "cache_name"


def test_creation_needs_a_known_model_and_a_text(server):
    assert server.create_cache("x", "text", model="nobody", status=404)["error"]["code"] == "model_not_found"
    assert server.create_cache("x", "", status=400)["error"]
    assert server.post("/v1/cache/demo", {"cache_name": "x"}).status_code == 400


def test_a_cache_is_listed_and_read(server):
    text = prose(10, seed=5)
    server.create_cache("listed", text)
    info = server.cache("listed")
    assert info["object"] == "cache" and info["content"] == text
    assert info["cache_name"] == "listed" and info["model_name"] == "demo" and info["source"] == "api"
    assert info["content_length"] == len(text) and info["has_text"] and info["has_binary"]
    state = info["binary"][0]
    assert state["status"] == "ready" and state["format"] == "chat" and state["tokens"] > 0 and state["engine"]
    assert isinstance(info["created_at"], (int, float)) and info["created_at"] > 1.7e9
    of_model = server.get("/v1/cache/demo").json()
    assert of_model["object"] == "list" and of_model["model"] == "demo" and of_model["count"] == len(of_model["data"])
    assert "listed" in [entry["cache_name"] for entry in of_model["data"]]
    everything = server.get("/v1/cache").json()
    assert "listed" in [entry["cache_name"] for entry in everything["data"]["demo"]]


def test_hits_are_counted(server):
    server.create_cache("counted", prose(10, seed=6))
    for _ in range(2):
        assert server.chat("Hello", use_cache="counted", max_tokens=1)["usage"]["cache_hit"]
    wait_until(lambda: server.cache("counted")["hits"] == 2, what="the second hit")
    assert server.cache("counted")["last_used_at"] > 1.7e9


def test_a_text_cache_gets_its_state_on_demand(server):
    body = {"cache_name": "text-only", "content": prose(10, seed=7)}
    created = server.post("/v1/cache/demo", body).json()
    assert created["binary"] is False and not server.state_file("text-only").exists()
    made = server.post("/v1/cache/demo/generate-binary", {"cache_name": "text-only"}).json()
    assert made["object"] == "binary_cache.created" and made["size_mb"] > 0 and made["ttft_ms"] > 0
    usage = server.chat("Hello", use_cache="text-only")["usage"]
    assert usage["cache_hit"] and usage["cached_prompts"] == ["text-only"]


def test_a_text_cache_gets_its_state_at_first_use(server):
    server.post("/v1/cache/demo", {"cache_name": "lazy", "content": prose(10, seed=8)})
    assert server.chat("Hello", use_cache="lazy")["usage"]["cache"]["name"] == "lazy"
    wait_until(lambda: server.chat("Hello", use_cache="lazy", max_tokens=1)["usage"]["cache_hit"], what="the state")


def test_a_state_can_be_made_from_a_prompt_of_the_request(server):
    made = server.post("/v1/cache/demo/generate-binary", {"cache_name": "direct", "prompt": prose(10, seed=9)})
    assert made.status_code == 200 and made.json()["object"] == "binary_cache.created"
    missing = server.post("/v1/cache/demo/generate-binary", {"cache_name": "never-made"})
    assert missing.status_code == 404


def test_a_cache_is_deleted_with_its_files(server):
    server.create_cache("gone", prose(10, seed=10))
    answer = server.delete("/v1/cache/demo/gone")
    assert answer.json() == {"object": "cache.deleted", "model": "demo", "cache_name": "gone", "deleted": True}
    assert server.get("/v1/cache/demo/gone").status_code == 404
    assert server.delete("/v1/cache/demo/gone").status_code == 404
    assert [path.name for path in (server.caches / "demo").iterdir() if path.name.startswith("gone")] == []


def test_only_the_state_can_be_deleted(server):
    server.create_cache("stripped", prose(10, seed=11))
    assert server.delete("/v1/cache/demo/stripped?binary_only=true").status_code == 200
    info = server.cache("stripped")
    assert info["has_text"] and not info["has_binary"] and not server.state_file("stripped").exists()


def test_creation_can_stream_its_progress(server):
    response = server.post("/v1/cache/demo", {"cache_name": "streamed", "prompt": prose(40, seed=12), "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "cache.created" in response.text


@pytest.mark.parametrize("use_cache", ["no-such-cache", None, 5, {}, [], [3], "../../etc/passwd", "x" * 5000, ["nope"]])
def test_a_cache_that_is_not_there_is_a_warning_and_never_an_error(server, use_cache):
    answer = server.chat("What is the capital of France?", use_cache=use_cache)
    assert answer["usage"]["cached_prompts"] is None and answer["usage"]["cache"]["name"] is None
    assert answer["usage"]["cache"]["reason"]
    assert answer["choices"][0]["message"]["content"]


def test_of_a_list_the_longest_that_fits_serves(server):
    server.create_cache("short", prose(8, seed=13))
    server.create_cache("long", prose(20, seed=14))
    usage = server.chat("Hello", use_cache=["nope", "short", "long"])["usage"]
    assert usage["cache_hit"] and usage["cached_prompts"] == ["long"]


def test_an_alias_is_the_model_with_the_cache(server):
    answer = server.chat("Hello", model="demo@guide")
    assert answer["usage"]["cached_prompts"] == ["guide"]
    assert "demo@guide" in [model["id"] for model in server.get("/v1/models").json()["data"]]
    unknown = server.chat("Hello", model="demo@nope")
    assert unknown["usage"]["cached_prompts"] is None and unknown["usage"]["cache"]["reason"]


def test_a_response_says_what_was_reused(server):
    response = server.post("/v1/chat/completions", {"model": "demo", "use_cache": "guide", "max_tokens": 2,
                                                    "messages": [{"role": "user", "content": "Hello"}]})
    usage = response.json()["usage"]
    assert usage["cache_hit"] is True and usage["cached_prompts"] == ["guide"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["cache"]["tokens"] > 50
    assert usage["cache"]["tier"] in ("resident", "disk") and usage["cache"]["restore_ms"] >= 0
    assert usage["timings"]["ttft_ms"] > 0
    assert response.headers["x-prompt-cache"].startswith("hit; name=guide; tokens=")
    chunks = list(server.openai().chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "Hello"}], max_tokens=2, stream=True,
        stream_options={"include_usage": True}, extra_body={"use_cache": "guide"}))
    assert chunks[-1].usage.model_extra["cached_prompts"] == ["guide"]


def test_a_system_message_of_the_same_text_is_not_doubled(server):
    plain = server.chat("Hello", use_cache="guide")["usage"]["prompt_tokens"]
    assert server.chat("Hello", system=GUIDE, use_cache="guide")["usage"]["prompt_tokens"] == plain
    assert server.chat("Hello", system="Be brief.", use_cache="guide")["usage"]["prompt_tokens"] > plain


def test_the_system_cache_is_made_at_load_from_the_file(make_server):
    server = make_server(settings={"models": {"preload": ["demo"]}}, system_prompt=GUIDE).add_model().start()
    info = server.cache("system")
    assert info["content"] == GUIDE and info["has_binary"] and info["source"].endswith("system.txt")
    assert server.chat("Hello", use_cache="system")["usage"]["cache_hit"]
    made = server.state_file("system").stat().st_mtime_ns
    server.restart()
    assert server.state_file("system").stat().st_mtime_ns == made
    server.create_cache("system", prose(12))
    (server.folder / "config/system.txt").write_text(GUIDE + " Changed.")
    server.restart()
    assert server.cache("system")["content"] == prose(12)


def test_an_edited_text_makes_the_state_stale_and_is_what_answers(make_server):
    server = make_server().add_model().start()
    server.create_cache("edited", prose(12))
    (server.caches / "demo/edited.bin").write_text(prose(12, seed=3))
    usage = server.chat("Hello", use_cache="edited")["usage"]
    assert usage["cached_prompts"] is None and usage["cache"]["tier"] == "text" and usage["cache"]["reason"]
    wait_until(lambda: server.chat("Hello", use_cache="edited", max_tokens=1)["usage"]["cache_hit"], what="the new state")
    assert server.cache("edited")["content"] == prose(12, seed=3)


def test_a_text_that_a_person_put_into_the_folder_is_a_cache(make_server):
    server = make_server().add_model()
    (server.caches / "demo").mkdir(parents=True)
    (server.caches / "demo/by-hand.bin").write_text(prose(12))
    server.start()
    assert server.cache("by-hand")["has_text"]
    assert server.chat("Hello", use_cache="by-hand")["usage"]["cache"]["name"] == "by-hand"


@pytest.mark.whole_model
def test_a_limit_that_leaves_no_room_is_507_with_numbers(make_server):
    server = make_server(settings={"cache": {"max_total_mib": 1}}).add_model().start()
    refused = server.post("/v1/cache/demo", {"cache_name": "large", "prompt": prose(20, seed=60)})
    error = refused.json()["error"]
    assert refused.status_code == 507 and error["code"] == "no_space" and error["param"] == "cache.max_total_mib"
    assert "1.00 MiB" in error["message"]
    assert server.get("/v1/cache/demo/large").status_code == 404
    assert server.post("/v1/cache/demo", {"cache_name": "small", "content": "a text"}).status_code == 200
