"""A state that is damaged, foreign or deadly costs time, never an answer and never the server."""

import os
import random

import pytest
from prompts import GUIDE
from rockllama import MODEL_FILE, Server, said, sized, wait_until

QUESTION = "What should I see first?"


class Prepared:
    """A server with a cache, what it answers, and the bytes of its state as they should be."""

    def __init__(self, server):
        self.server = server
        server.create_cache("guide", GUIDE, format="chat")
        self.answer = said(server.chat(QUESTION, use_cache="guide"))
        self.state = server.state_file("guide").read_bytes()

    def ask(self):
        answer = self.server.chat(QUESTION, use_cache="guide")
        assert said(answer) == self.answer
        assert self.server.get("/health").status_code == 200
        return answer["usage"]

    def expect_found_out(self):
        """Not used, with a reason."""
        usage = self.ask()
        assert usage["cache_hit"] is False and usage["cached_prompts"] is None
        assert usage["cache"]["tier"] == "text" and usage["cache"]["reason"]

    def expect_rebuilt(self):
        self.expect_found_out()
        wait_until(lambda: self.ask()["cache_hit"], what="the rebuilt state")

    def damage(self, data):
        """Puts `data` in the state's place while the server is down, so that nothing is resident."""
        self.server.stop()
        self.server.state_file("guide").write_bytes(data)
        self.server.start()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    settings = {"models": {"preload": ["demo"]}}
    with Server(tmp_path_factory.mktemp("damage"), settings=settings).add_model() as server:
        yield Prepared(server.start())


def test_a_truncated_state_is_found_out_at_20_places(prepared):
    size = len(prepared.state)
    places = [0, 1, 7, 8, 64, size - 1] + [size * i // 15 for i in range(1, 15)]
    for place in places[:sized(3, 6, 20)]:
        prepared.damage(prepared.state[:place])
        prepared.expect_found_out()


def test_a_damaged_state_is_listed_with_the_reason_until_it_is_made_again(scripted):
    server = scripted("answer yes\nonce may-save crash_on_save\n")
    (server.folder / "may-save").touch()
    server.start().create_cache("guide", GUIDE, format="chat")
    server.stop()
    (server.folder / "may-save").unlink()
    state = server.state_file("guide")
    state.write_bytes(state.read_bytes()[:-1])
    server.start()
    usage = server.chat(QUESTION, use_cache="guide")["usage"]
    assert usage["cache_hit"] is False and usage["cache"]["reason"]

    def listed():
        found = server.cache("guide")["binary"]
        return found and found[0]["status"] not in ("ready", "building") and found[0]["reason"]

    wait_until(listed, what="the reason in the listing")
    wait_until(lambda: server.chat(QUESTION, use_cache="guide")["usage"]["cache_hit"], what="the rebuilt state")


def test_flipped_bits_are_found_out(prepared):
    chance = random.Random(1)
    for count in [1] * sized(1, 2, 20) + [1000]:
        data = bytearray(prepared.state)
        for _ in range(count):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        prepared.damage(bytes(data))
        prepared.expect_found_out()


def test_a_state_that_is_missing_is_made_again(prepared):
    wait_until(lambda: prepared.ask()["cache_hit"], what="a state")
    prepared.server.stop()
    prepared.server.state_file("guide").unlink()
    prepared.server.start()
    prepared.expect_rebuilt()


def copy_with_other_bytes(source, target):
    """The model with one weight changed: of the same shape and metadata, and another model all the same."""
    data = bytearray(source.read_bytes())
    data[-4096] ^= 0x10
    target.write_bytes(data)


def test_the_state_of_another_model_of_the_same_shape_is_not_used(make_server):
    server = make_server().add_model()
    server.start()
    server.create_cache("guide", GUIDE)
    server.stop()
    model = server.models / "demo/model.gguf"
    model.unlink()
    copy_with_other_bytes(MODEL_FILE, model)
    server.start()
    answer = server.chat(QUESTION, use_cache="guide")
    assert answer["usage"]["cache_hit"] is False and answer["usage"]["cache"]["reason"]
    wait_until(lambda: server.chat(QUESTION, use_cache="guide", max_tokens=1)["usage"]["cache_hit"], what="a new state")


def test_a_state_copied_from_another_cache_is_not_used(make_server):
    server = make_server().add_model().start()
    server.create_cache("guide", GUIDE)
    expected = said(server.chat(QUESTION, use_cache="guide"))
    server.create_cache("other", GUIDE.replace("town", "city"))
    server.stop()
    server.state_file("guide").write_bytes(server.state_file("other").read_bytes())
    server.start()
    answer = server.chat(QUESTION, use_cache="guide")
    assert said(answer) == expected and answer["usage"]["cache_hit"] is False


@pytest.mark.parametrize("metadata", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format_version": 99}'])
def test_damaged_metadata_leaves_the_text_usable(scripted, metadata):
    server = scripted("answer yes\n").start()
    server.create_cache("guide", GUIDE)
    server.stop()
    (server.caches / "demo/guide.json").write_bytes(metadata)
    server.start()
    answer = server.chat(QUESTION, use_cache="guide")
    assert said(answer) == "yes" and answer["usage"]["cache"]["name"] == "guide"
    assert server.cache("guide")["content"] == GUIDE


def test_a_crash_in_a_restore_quarantines_the_state_and_the_text_answers(scripted):
    server = scripted("answer yes\nonce may-restore crash_on_restore\n", settings={"models": {"preload": ["demo"]}})
    (server.folder / "may-restore").touch()
    server.start().create_cache("guide", GUIDE)
    server.restart()
    assert server.chat(QUESTION, use_cache="guide")["usage"]["cache"]["tier"] == "disk"
    server.stop()
    (server.folder / "may-restore").unlink()
    server.start()
    answer = server.chat(QUESTION, use_cache="guide")
    assert said(answer) == "yes" and answer["usage"]["cache_hit"] is False
    assert "quarantine" in answer["usage"]["cache"]["reason"]
    assert (server.folder / "may-restore").exists()
    assert server.get("/health").status_code == 200
    assert said(server.chat(QUESTION, use_cache="guide")) == "yes"


def test_what_is_no_file_in_the_folder_is_no_cache_and_in_nobodys_way(scripted):
    server = scripted("answer yes\n").start()
    server.create_cache("guide", GUIDE)
    folder = server.folder / "cache" / "demo"
    os.mkfifo(folder / "pipe.bin")
    (folder / "place.llama_cache").mkdir()
    made = server.create_cache("place", "Another text. " + GUIDE)
    assert made["binary"] is False and "folder" in made["warning"]
    assert server.chat(QUESTION, use_cache="place")["usage"]["cache"]["tier"] == "text"
    assert "pipe" not in [info["cache_name"] for info in server.get("/v1/cache/demo").json()["data"]]
    for name in ("place", "guide"):
        assert server.delete(f"/v1/cache/demo/{name}").status_code == 200
    assert (folder / "pipe.bin").exists() and (folder / "place.llama_cache").is_dir()


def test_a_model_that_cannot_save_keeps_the_text(scripted):
    server = scripted("answer yes\nrefuse_save\n").start()
    created = server.create_cache("guide", GUIDE)
    assert created["object"] == "cache.created" and created["binary"] is False and created["warning"]
    assert said(server.chat(QUESTION, use_cache="guide")) == "yes"
    again = server.post("/v1/cache/demo/generate-binary", {"cache_name": "guide"}).json()
    assert again["object"] == "cache.created" and again["binary"] is False and again["warning"]


def test_a_crash_while_saving_keeps_the_text_and_the_server(scripted):
    server = scripted("answer yes\ncrash_on_save\n").start()
    created = server.create_cache("guide", GUIDE)
    assert created["binary"] is False and created["warning"]
    assert said(server.chat(QUESTION, use_cache="guide")) == "yes"
    wait_until(lambda: not list((server.caches / "demo").glob("guide*_cache")), what="the end of the half-written file")
