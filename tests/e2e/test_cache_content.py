"""Caches of messages and tools, caches that continue others, and named caches that are found without being asked for."""

import json

import httpx
import pytest
from prompts import prose
from rockllama import PATIENCE, events, said, sized, wait_until

pytestmark = pytest.mark.surface

SHOTS = [{"role": "system", "content": "You name the colour of a thing in one word. " + prose(8, seed=40)},
         {"role": "user", "content": "Grass?"}, {"role": "assistant", "content": "Green."},
         {"role": "user", "content": "Snow?"}, {"role": "assistant", "content": "White."}]
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather.",
                                         "parameters": {"type": "object", "properties": {"town": {"type": "string"}}}}}


@pytest.fixture(scope="module")
def server(shared):
    """The shared server; what these tests create has names of its own."""
    return shared


def create(server, name, status=200, **fields):
    response = server.post("/v1/cache/demo", {"cache_name": name, **fields})
    assert response.status_code == status, response.text
    return response.json()


def progress_of(server, name, **fields):
    """The events of a streamed creation: the progress of the chat state, and the object at the end."""
    body = {"cache_name": name, "stream": True, **fields}
    with httpx.stream("POST", f"{server.url}/v1/cache/demo", json=body, timeout=60 * PATIENCE) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        seen = list(events(response))
    assert seen[-1] == "[DONE]"
    steps = [json.loads(event) for event in seen[:-1]]
    return [step for step in steps if step["object"] == "cache.progress" and step["format"] == "chat"], steps[-1]


def without_state(server, question, cache, **fields):
    """The answer of the same request when nothing is reused."""
    answer = server.chat(question, use_cache=cache, cache_prompt=False, **fields)
    assert not answer["usage"]["cache_hit"]
    return said(answer)


def test_a_conversation_is_cached_used_and_restored_after_a_restart(make_server):
    server = make_server().add_model().start()
    created = create(server, "shots", messages=SHOTS)
    assert created["binary"] is True and created["states"] == ["chat"] and created["prompt_tokens"] > 80
    info = server.cache("shots")
    assert info["prompt_tokens"] == created["prompt_tokens"] and info["parent"] is None
    assert json.loads(info["content"])["messages"] == SHOTS
    cold = without_state(server, "Coal?", "shots")
    warm = server.chat("Coal?", use_cache="shots")
    assert warm["usage"]["cached_prompts"] == ["shots"] and said(warm) == cold
    assert warm["usage"]["prompt_tokens_details"]["cached_tokens"] == created["prompt_tokens"]
    server.restart()
    restored = server.chat("Coal?", use_cache="shots")
    assert restored["usage"]["cache"]["tier"] == "disk" and said(restored) == cold
    assert "nothing was rebuilt" in create(server, "shots", messages=SHOTS)["message"]


def test_messages_that_repeat_the_caches_are_not_doubled(server):
    create(server, "repeated", messages=SHOTS)
    over = server.chat("Coal?", use_cache="repeated")
    question = {"role": "user", "content": "Coal?"}
    whole = server.post("/v1/chat/completions", {"model": "demo", "messages": [*SHOTS, question], "max_tokens": 12,
                                                 "temperature": 0, "use_cache": "repeated"}).json()
    assert whole["usage"]["prompt_tokens"] == over["usage"]["prompt_tokens"]
    assert whole["usage"]["cache_hit"] and said(whole) == said(over)


def test_a_state_is_made_for_stored_messages_and_for_a_child(server):
    create(server, "first", messages=SHOTS)
    create(server, "second", messages=[{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "Blue."}],
           parent="first")
    for name in ("first", "second"):
        server.delete(f"/v1/cache/demo/{name}?binary_only=true")
        made = server.post("/v1/cache/demo/generate-binary", {"cache_name": name}).json()
        assert made["object"] == "binary_cache.created" and made["size_mb"] > 0
    assert server.cache("second")["parent"] == "first"
    assert server.chat("Coal?", use_cache="second")["usage"]["cached_prompts"] == ["second"]


def test_tools_are_stored_and_said_to_have_no_effect_where_the_template_prints_none(server):
    created = create(server, "tools", prompt="Be brief. " + prose(8, seed=41), tools=[TOOL])
    assert created["binary"] and created["states"] == ["chat"]
    stored = json.loads(server.cache("tools")["content"])
    assert stored["tools"] == [TOOL] and stored["messages"][0]["role"] == "system"
    assert "does not print tools" in created["message"]
    assert server.chat("Hello", use_cache="tools")["usage"]["cached_prompts"] == ["tools"]


def test_tools_alone_can_be_a_cache(server):
    create(server, "alone", tools=[TOOL])
    assert json.loads(server.cache("alone")["content"])["tools"] == [TOOL]
    assert server.chat("Hello", use_cache="alone")["choices"]


@pytest.mark.parametrize("fields, param", [
    ({}, "prompt"),
    ({"prompt": "a", "content": "a"}, "content"),
    ({"prompt": "a", "messages": SHOTS}, "messages"),
    ({"content": "a", "messages": SHOTS}, "messages"),
    ({"content": "a", "tools": [TOOL]}, "tools"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "king", "content": "a"}]}, "messages[0].role"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"messages": SHOTS, "format": "raw"}, "format"),
    ({"prompt": "a", "format": "xml"}, "format"),
    ({"prompt": "a", "parent": 1}, "parent"),
])
def test_a_bad_field_is_named(server, fields, param):
    assert create(server, "bad", status=400, **fields)["error"]["param"] == param
    assert server.get("/v1/cache/demo/bad").status_code == 404


def test_a_cache_of_messages_does_not_stand_before_a_raw_prompt(server):
    create(server, "spoken", messages=SHOTS)
    answer = server.complete("Once upon a time", use_cache="spoken", cache_prompt="exact")
    assert not answer["usage"]["cache_hit"] and "raw" in answer["usage"]["cache"]["reason"]
    assert said(answer) == said(server.complete("Once upon a time", cache_prompt=False))


def test_the_states_follow_the_format(server):
    text = prose(12, seed=42)
    # The raw one at once only where that is quick.
    assert create(server, "both", prompt=text)["states"] in (["chat"], ["chat", "raw"])
    assert create(server, "chat-only", prompt=text, format="chat")["states"] == ["chat"]
    assert create(server, "raw-only", prompt=text, format="raw")["states"] == ["raw"]
    assert server.complete(" And", use_cache="raw-only")["usage"]["cached_prompts"] == ["raw-only"]


def test_a_child_is_built_from_its_parents_state_and_follows_an_edit(make_server):
    server = make_server().add_model().start()
    base, more = prose(60, seed=43), prose(10, seed=44)
    parent = create(server, "base", prompt=base, format="chat")
    steps, created = progress_of(server, "child", prompt=more, parent="base", format="chat")
    assert created["binary"] and created["prompt_tokens"] > parent["prompt_tokens"]
    # What the parent's state held was never prefilled.
    assert steps[0]["done"] == parent["prompt_tokens"]
    assert [step["done"] for step in steps] == sorted(step["done"] for step in steps)
    assert steps[-1]["done"] == steps[-1]["total"] == created["prompt_tokens"]
    assert server.cache("child")["parent"] == "base"

    over = server.chat("Where?", use_cache="child")
    assert over["usage"]["cached_prompts"] == ["child"] and said(over) == without_state(server, "Where?", "child")
    assert over["usage"]["prompt_tokens_details"]["cached_tokens"] == created["prompt_tokens"]
    listed = server.chat("Where?", use_cache=["base", "child"])
    assert listed["usage"]["cached_prompts"] == ["child"] and said(listed) == said(over)
    assert said(server.chat("Where?", model="demo@child")) == said(over)

    (server.caches / "demo/base.bin").write_text("Answer in French. " + prose(3, seed=45))
    edited = server.chat("Where?", use_cache="child", max_tokens=sized(4, 12))
    assert not edited["usage"]["cache_hit"] or edited["usage"]["cached_prompts"] != ["child"]
    assert edited["usage"]["prompt_tokens"] < over["usage"]["prompt_tokens"]
    wait_until(lambda: server.chat("Where?", use_cache="child", max_tokens=1)["usage"]["cached_prompts"] == ["child"],
               what="the child's new state")
    again = server.chat("Where?", use_cache="child", max_tokens=sized(4, 12))
    assert said(again) == said(edited)


def test_the_parents_state_serves_where_the_child_has_none(server):
    create(server, "trunk", prompt=prose(30, seed=46), format="chat")
    create(server, "branch", prompt=prose(6, seed=47), parent="trunk", format="chat")
    assert server.delete("/v1/cache/demo/branch?binary_only=true").status_code == 200
    answer = server.chat("Who?", use_cache="branch")
    usage = answer["usage"]
    assert usage["cache_hit"] and usage["cache"]["name"] == "branch" and usage["cached_prompts"] == ["trunk"]
    assert "trunk" in usage["cache"]["reason"] and said(answer) == without_state(server, "Who?", "branch")


def test_a_parent_must_be_there_and_goes_only_with_its_children(server):
    assert create(server, "orphan", status=404, prompt="a", parent="nobody")["error"]["param"] == "parent"
    create(server, "root", prompt=prose(6, seed=48), format="chat")
    create(server, "leaf", messages=SHOTS[1:3], parent="root")
    refused = server.delete("/v1/cache/demo/root")
    assert refused.status_code == 409 and "leaf" in refused.json()["error"]["message"]
    assert server.delete("/v1/cache/demo/root?cascade=maybe").json()["error"]["param"] == "cascade"
    assert server.delete("/v1/cache/demo/root?cascade=true").status_code == 200
    assert server.get("/v1/cache/demo/leaf").status_code == server.get("/v1/cache/demo/root").status_code == 404


def test_a_named_cache_is_found_without_being_asked_for(server):
    text = "You are the keeper of a lighthouse. " + prose(12, seed=49)
    create(server, "keeper", prompt=text, format="chat")
    found = server.chat("Who are you?", system=text)
    assert found["usage"]["cached_prompts"] == ["keeper"] and found["usage"]["cache"]["name"] == "keeper"
    none = server.chat("Who are you?", system=text, cache_prompt=False)
    assert none["usage"]["cached_prompts"] is None and not none["usage"]["cache_hit"]
    assert said(none) == said(found)
    create(server, "keeper-raw", prompt=text, format="raw")
    raw = server.complete(text + " And then", max_tokens=4)
    assert raw["usage"]["cached_prompts"] == ["keeper-raw"]
    server.delete("/v1/cache/demo/keeper")
    assert server.chat("Who are you?", system=text)["usage"]["cached_prompts"] is None
