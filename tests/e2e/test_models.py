"""Which models there are, loading and unloading, several at once."""

import openai
import pytest
from rockllama import alive, said, wait_until

ONE = "answer I am one\n"
TWO = "answer I am two\n"


@pytest.fixture
def pair(scripted):
    return scripted(ONE, models={"second": TWO})


def loaded(server):
    return server.get("/v1/models/loaded").json()


def test_two_models_are_served_under_their_names_at_once(pair):
    server = pair.start()
    client = server.openai()
    assert {"demo", "second"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("second").id == "second"
    assert said(server.chat("who", model="demo")) == "I am one"
    assert said(server.chat("who", model="second")) == "I am two"
    assert len(server.workers()) == 2


def test_the_least_recently_used_model_makes_room(scripted):
    server = scripted(ONE, settings={"models": {"max_loaded": 1}}, models={"second": TWO}).start()
    server.chat("who", model="demo")
    first, = server.workers()
    assert said(server.chat("who", model="second")) == "I am two"
    wait_until(lambda: not alive(first), what="the end of the first worker")
    assert said(server.chat("who", model="demo")) == "I am one"


def test_the_available_models_are_listed_with_what_is_loaded(pair):
    server = pair.start()
    server.chat("who", model="second")
    available = server.get("/v1/models/available").json()
    assert available["total"] == 2
    models = {model["name"]: model for model in available["models"]}
    assert models["second"]["loaded"] and not models["demo"]["loaded"]
    assert models["demo"]["filename"] == "model.script" and models["demo"]["path"] == "demo/model.script"
    assert set(models["demo"]) >= {"name", "filename", "path", "size_mb", "loaded"}
    assert available["loaded_model"] == "second"


def test_a_model_is_loaded_and_unloaded_on_request_and_its_memory_given_back(pair):
    server = pair.start()
    answer = server.post("/v1/models/load", {"model": "second"}).json()
    assert answer["success"] is True and answer["model_name"] == "second" and answer["loaded"] is True
    worker, = server.workers()
    answer = server.post("/v1/models/unload", {"model": "second"})
    assert answer.status_code == 200 and answer.json()["success"] is True
    wait_until(lambda: not alive(worker), what="the end of the worker")
    assert server.workers() == []
    assert server.post("/v1/models/load", {"model": "nobody"}).status_code == 404


def test_an_idle_model_is_unloaded_and_comes_back(scripted):
    server = scripted(ONE, settings={"models": {"keep_alive_s": 0.5}}).start()
    assert said(server.chat("who")) == "I am one"
    wait_until(lambda: server.workers() == [], what="the idle unload")
    assert said(server.chat("who")) == "I am one"


def test_preloaded_models_are_ready_when_the_server_is(scripted):
    server = scripted(ONE, settings={"models": {"preload": ["demo"]}, }).start()
    assert len(server.workers()) == 1
    assert server.get("/ready").status_code == 200
    assert "demo" in str(loaded(server))


def test_ready_waits_for_the_preload(scripted):
    server = scripted(ONE + "load_delay_ms 1500\n", settings={"models": {"preload": ["demo"]}})
    server.start(ready=False)
    assert server.get("/health").status_code == 200
    assert server.get("/ready").status_code == 503
    wait_until(lambda: server.get("/ready").status_code == 200, what="/ready")


def test_a_client_comes_again_when_the_load_outlasts_its_wait(scripted):
    server = scripted(ONE + "load_delay_ms 2500\n", settings={"server": {"load_timeout_s": 1}}).start(ready=False)
    ask = {"model": "demo", "messages": [{"role": "user", "content": "who"}]}
    with pytest.raises(openai.InternalServerError) as late:
        server.openai().chat.completions.create(**ask)
    assert late.value.status_code == 503 and int(late.value.response.headers["retry-after"]) >= 1
    answer = server.openai().with_options(max_retries=3).chat.completions.create(**ask)
    assert answer.choices[0].message.content == "I am one"


def test_a_folder_that_is_added_is_noticed_without_a_restart(pair):
    server = pair.start()
    server.add_script("third", "answer I am three\n")
    assert said(server.chat("who", model="third")) == "I am three"


def test_scripts_are_no_models_unless_allowed(make_server):
    server = make_server().add_script("demo", ONE).start(ready=False)
    assert server.get("/v1/models").json()["data"] == []
    assert server.chat("who", status=404)["error"]["code"] == "model_not_found"


def test_a_file_that_is_no_model_is_an_error_and_the_server_lives(make_server, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\x00" * 100)
    server = make_server().add_model("bad", file=tmp_path / "bad.gguf").add_model("demo").start(ready=False)
    answer = server.post("/v1/chat/completions", {"model": "bad", "messages": [{"role": "user", "content": "Hi"}]})
    assert answer.status_code in (500, 503)
    assert said(server.chat("Hello"))


@pytest.mark.whole_model
def test_two_real_models_answer_side_by_side(make_server):
    server = make_server().add_model("left").add_model("right").start(ready=False)
    for name in ("left", "right", "left"):
        assert "Paris" in said(server.complete("The capital of France is", model=name))
    assert len(server.workers()) == 2


def test_the_start_page_says_what_runs_here(shared):
    answer = shared.get("/")
    assert answer.status_code == 200 and "RockchipLlama" in answer.text
    assert shared.get("/v1/health").json() == shared.get("/health").json() or shared.get("/v1/health").status_code == 200
