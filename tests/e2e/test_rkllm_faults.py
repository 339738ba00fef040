"""Every fault that the vendor's runtime is known for, planted by name: requests are answered or refused, the server stays."""

import json

import pytest
from prompts import GUIDE
from rkllm import RkllmServer, library
from rockllama import PATIENCE, events, said, wait_until

QUESTION = "What should I see first?"


def hang(fault):
    """Sanitizers wait too long for it to be found out."""
    return pytest.param(fault, marks=pytest.mark.surface)


# Soon found out to hang: a short least time, and small blocks, which are what a hang is measured by before any speed is.
HANGS_SOON = {"settings": {"worker": {"hang_floor_ms": 4000 * PATIENCE, "restart_backoff_ms": 20}},
              "overrides": {"block_tokens": 8}}


@pytest.fixture
def make_rkllm(tmp_path):
    servers = []

    def make(version="1.2.1", **options):
        servers.append(RkllmServer(tmp_path / f"server{len(servers)}", version, **options))
        return servers[-1]

    yield make
    try:
        for server in servers:
            server.stop()
    finally:
        for server in servers:
            server.discard()


@pytest.fixture
def server(make_rkllm):
    return make_rkllm(**HANGS_SOON).start()


def ask(server, **fields):
    return server.post("/v1/chat/completions", {"model": "demo", "messages": [{"role": "user", "content": QUESTION}],
                                                "max_tokens": 4, **fields})


def expect_refused(response):
    assert response.status_code >= 500, response.text
    message = response.json()["error"]["message"]
    assert message
    return message


def expect_fine(server):
    """Once nothing is planted any more, the model answers again; one that had failed too often is asked for by name."""
    server.plant()
    server.post("/v1/models/load", {"model": "demo"})
    wait_until(lambda: ask(server).status_code == 200, what="an answer")
    assert server.get("/health").status_code == 200


def expect_text_alone(server, created):
    """A cache whose state could not be saved keeps its text, and leaves nothing half-written."""
    assert created["object"] == "cache.created" and created["binary"] is False and created["warning"], created
    answer = server.chat(QUESTION, use_cache="guide", max_tokens=4)
    assert said(answer) and answer["usage"]["cache_hit"] is False
    assert not server.state_file("guide").exists()


@pytest.mark.parametrize("fault", ["segfault init", "null_handle", "too_many_open_files 100000000", "context_limit 512"])
def test_a_load_that_fails_is_said_and_tried_again(server, fault):
    server.plant(fault)
    expect_refused(ask(server))
    expect_fine(server)


def test_a_load_beyond_the_models_limit_says_both_numbers(server):
    server.plant("context_limit 512")
    message = expect_refused(ask(server))
    assert "1024" in message and "512" in message


def test_a_model_that_dies_in_each_load_is_left_alone_and_shows_the_runtimes_last_lines(make_rkllm):
    server = make_rkllm().start()
    server.plant("segfault init")
    assert "left alone" in expect_refused(ask(server))
    model = server.get("/v1/models/demo").json()
    assert model["status"] == "failed" and "Segmentation fault" in model["failure"]
    assert "rkllm-runtime version: 1.2.1" in model["log"][-1]
    server.plant()
    assert "left alone" in expect_refused(ask(server))  # until its settings, its file or a client say so
    settings = server.models / "demo/model.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "context_tokens": 768}))
    assert ask(server).status_code == 200


@pytest.mark.parametrize("fault", ["segfault init", hang("hang init"), "segfault run", hang("hang run")])
def test_what_happens_once_is_tried_again_for_the_same_request(server, fault):
    if fault.endswith("run"):
        assert ask(server).status_code == 200
    server.plant(f"once {fault}")
    assert ask(server).status_code == 200
    assert server.faults.read_text() == ""


def test_a_run_that_crashes_every_time_is_refused(server):
    server.plant("segfault run")
    expect_refused(ask(server))
    expect_fine(server)


@pytest.mark.parametrize("fault", ["segfault run", hang("hang run")])
def test_a_stream_that_had_begun_ends_with_an_error(server, fault):
    assert ask(server).status_code == 200
    server.plant(f"once {fault}", "run_token 4")
    body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}], "stream": True, "max_tokens": 40}
    with server._http.stream("POST", "/v1/chat/completions", json=body) as response:
        data = [json.loads(each) for each in events(response) if each != "[DONE]"]
    assert any("error" in each for each in data), data[-2:]
    expect_fine(server)


@pytest.mark.parametrize("fault", ["segfault abort", hang("hang abort")])
def test_an_abort_that_fails_costs_one_answer_at_most(server, fault):
    assert ask(server).status_code == 200
    server.plant(f"once {fault}")
    response = ask(server)
    assert response.status_code == 200 or expect_refused(response)
    expect_fine(server)


@pytest.mark.parametrize("fault", ["segfault save", hang("hang save"), "cannot_save", "truncated_save", "disk_full"])
def test_a_state_that_cannot_be_saved_leaves_the_text(server, fault):
    assert ask(server).status_code == 200
    server.plant(fault)
    expect_text_alone(server, server.create_cache("guide", GUIDE, format="chat"))
    expect_fine(server)


@pytest.mark.parametrize("fault", ["segfault load", hang("hang load")])
def test_a_state_that_kills_the_runtime_is_answered_from_the_text(server, fault):
    assert ask(server).status_code == 200
    server.create_cache("guide", GUIDE, format="chat")
    server.plant(f"once {fault}")
    answer = server.chat(QUESTION, use_cache="guide", max_tokens=4)
    assert said(answer) and answer["usage"]["cache_hit"] is False and answer["usage"]["cache"]["reason"]
    expect_fine(server)


@pytest.mark.parametrize("fault", ["segfault destroy", hang("hang destroy")])
def test_a_handle_is_not_destroyed_but_left_to_the_end_of_its_process(server, fault):
    assert ask(server).status_code == 200
    server.plant(fault)
    assert server.post("/v1/models/unload", {"model": "demo"}).status_code == 200
    assert ask(server).status_code == 200
    server.stop()


@pytest.mark.surface
@pytest.mark.parametrize("version", ["1.2.1", "1.3.0"])
def test_a_second_model_that_finds_no_memory_is_refused(make_rkllm, version):
    server = make_rkllm(version, settings={"models": {"max_loaded": 2}, "worker": {"restart_backoff_ms": 20}})
    server.add_rkllm("second").start()
    server.plant("second_init_out_of_memory")
    assert ask(server).status_code == 200
    response = ask(server, model="second")
    assert response.status_code == 200 or expect_refused(response)
    assert ask(server).status_code == 200


@pytest.mark.surface
def test_garbage_is_passed_on_as_valid_text(server):
    server.plant("garbage_text")
    response = ask(server)
    assert response.status_code == 200
    assert response.json()["usage"]["completion_tokens"] >= 1


@pytest.mark.surface
def test_an_answer_never_reaches_the_end_of_the_context(make_rkllm):
    server = make_rkllm(overrides={"context_tokens": 256}).start()
    server.plant("abort_past_context")
    answer = server.chat(QUESTION, max_tokens=100000)
    assert answer["choices"][0]["finish_reason"] in ("stop", "length")


@pytest.mark.surface
def test_the_asynchronous_interface_is_not_relied_on(server):
    server.plant("async_never_finishes")
    assert ask(server).status_code == 200


@pytest.mark.surface
@pytest.mark.parametrize("switch", ["waits_for_utf8", "running_is_zero", "special_tokens on", "special_tokens off"])
def test_what_nobody_knows_for_sure_may_be_either_way(server, switch):
    server.plant(switch)
    assert ask(server).status_code == 200


def copy_that_says(folder, version, other):
    """The library of one ABI with the version string of another."""
    copy = folder / "librkllmrt.so"
    copy.write_bytes(library(version).read_bytes().replace(f"(version: {version})".encode(), f"(version: {other})".encode()))
    return copy


@pytest.mark.surface
@pytest.mark.parametrize("version, other", [("1.3.0", "1.2.1"), ("1.2.1", "1.3.0"), ("1.2.0", "1.1.4"), ("1.2.1", "9.9.9")])
def test_a_library_that_lies_about_its_version_is_refused(make_rkllm, tmp_path, version, other):
    server = make_rkllm(runtime=copy_that_says(tmp_path, version, other)).start()
    assert other in expect_refused(ask(server))
    assert server.get("/health").status_code == 200


@pytest.mark.surface
def test_a_library_that_is_none_is_refused(make_rkllm, tmp_path):
    (tmp_path / "librkllmrt.so").write_text("not a library")
    server = make_rkllm(runtime=tmp_path / "librkllmrt.so").start()
    expect_refused(ask(server))
    assert "librkllmrt.so cannot be opened" in server.log()
