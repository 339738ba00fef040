"""A damaged state while eight requests run over its cache: all are answered, and the next ones hit again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from prompts import prose
from rockllama import Server, said, sized, wait_until

GUIDE = "You are a friendly guide to a town by the sea. " + prose(4)
QUESTION = "What should I see first?"
SCRIPT = "answer word \nrepeat 3\ntoken_delay_ms 30\n"
CLIENTS = 8


def truncated(server, state):
    server.state_file("guide").write_bytes(state[:len(state) // 2])


def flipped(server, state):
    data = bytearray(state)
    for place in range(0, len(data), max(1, len(data) // 100)):
        data[place] ^= 0x20
    server.state_file("guide").write_bytes(bytes(data))


def removed(server, state):
    server.state_file("guide").unlink(missing_ok=True)


def empty(server, state):
    server.state_file("guide").write_bytes(b"")


def of_another_engine(server, state):
    server.state_file("guide").unlink(missing_ok=True)
    (server.caches / "demo/guide.rkllm_cache").write_bytes(state)


def of_another_model(server, state):
    """The model's file has one weight changed, or the script a line more."""
    model = next(server.models.glob("demo/model.*"))
    data = bytearray(model.read_bytes())
    if model.suffix == ".script":
        data += b"# changed\n"
    else:
        data[-4096] ^= 0x10
    model.unlink()
    model.write_bytes(bytes(data))


def ask(server, **fields):
    return server.chat(QUESTION, max_tokens=3, **fields)


def ask_all(server, during=lambda: None):
    """Eight at once; `during` happens while they run."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs = [pool.submit(ask, server, use_cache="guide") for _ in range(CLIENTS)]
        during()
        answers = [job.result() for job in jobs]
    for answer in answers:
        assert said(answer) and answer["usage"]["cache"]["name"] == "guide"
        assert answer["usage"]["cache_hit"] or answer["usage"]["cache"]["reason"], answer["usage"]
    return answers


def expect_hits_again(server):
    cold = said(ask(server, use_cache="guide", cache_prompt=False))
    hit = wait_until(lambda: (answer := ask(server, use_cache="guide"))["usage"]["cache_hit"] and answer, what="a hit")
    assert said(hit) == cold
    assert server.get("/health").status_code == 200


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    settings = {"models": {"preload": ["demo"], "allow_scripted": True}}
    with Server(tmp_path_factory.mktemp("load"), settings=settings) as server:
        server = server.add_model() if request.param == "real" else server.add_script("demo", SCRIPT)
        server.start().create_cache("guide", GUIDE, format="chat")
        yield server


DAMAGES = [truncated, flipped, removed, empty, of_another_engine, of_another_model]
CASES = [("scripted", damage) for damage in DAMAGES] + [("real", damage) for damage in sized([], [], DAMAGES)]
EACH_CASE = pytest.mark.parametrize("server, damage", CASES, indirect=["server"],
                                    ids=[f"{model}-{damage.__name__}" for model, damage in CASES])


@EACH_CASE
def test_damage_that_eight_requests_find_at_once_costs_no_answer(server, damage):
    wait_until(server.state_file("guide").exists, what="a state")
    server.stop()
    damage(server, server.state_file("guide").read_bytes())
    server.start()
    assert not all(answer["usage"]["cache"]["tier"] == "disk" for answer in ask_all(server))
    expect_hits_again(server)


@EACH_CASE
def test_damage_in_the_middle_of_eight_requests_costs_no_answer(server, damage):
    wait_until(server.state_file("guide").exists, what="a state")
    server.restart()
    state = server.state_file("guide").read_bytes()
    ask_all(server, during=lambda: damage(server, state))
    expect_hits_again(server)


def test_a_state_that_kills_the_worker_under_eight_requests_is_put_away(scripted):
    server = scripted("answer yes\nonce may-restore crash_on_restore\n", settings={"models": {"preload": ["demo"]}})
    (server.folder / "may-restore").touch()
    server.start().create_cache("guide", GUIDE)
    server.stop()
    (server.folder / "may-restore").unlink()
    server.start()
    assert {said(answer) for answer in ask_all(server)} == {"yes"}
    assert (server.folder / "may-restore").exists()
    expect_hits_again(server)
