"""An answer over a cache is the answer without its state: the same tokens, only sooner."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from prompts import GUIDE, prose
from rockllama import Server, said, sized

QUESTIONS = ["What should I see first?", "Where do the fishermen go?", "Tell me about the library.", "Who is welcome?",
             "When does the market open?"]
TOKENS = sized(12, 16, 32)


def answers(server, cache, questions=None, **fields):
    """What is said over a cache, greedy and sampled with a seed, with the usage of each."""
    found = []
    for question in (questions or QUESTIONS)[:sized(2, 3, 5)]:
        for sampling in ({"temperature": 0}, {"temperature": 0.8, "seed": 11}):
            answer = server.chat(question, use_cache=cache, max_tokens=TOKENS, **sampling, **fields)
            found.append((said(answer), answer["usage"]))
    return found


def texts(found):
    return [text for text, _ in found]


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """Answers over GUIDE from a server that reuses nothing: the cache's text serves, every time."""
    with Server(tmp_path_factory.mktemp("cold")).add_model() as server:
        server.start().post("/v1/cache/demo", {"cache_name": "guide", "content": GUIDE})
        found = answers(server, "guide", cache_prompt=False)
        assert not any(usage["cache_hit"] for _, usage in found)
        return texts(found)


@pytest.mark.emulated
def test_a_cached_chat_equals_the_cold_one_token_for_token(make_server, cold):
    server = make_server().add_model().start()
    server.create_cache("guide", GUIDE)
    fresh = answers(server, "guide")
    assert all(usage["cache_hit"] for _, usage in fresh)
    assert texts(fresh) == cold
    server.restart()
    restored = answers(server, "guide")
    assert restored[0][1]["cache"]["tier"] == "disk"
    assert texts(restored) == cold
    for seed in range(1, sized(2, 2, 4)):
        server.chat("Hello", system=prose(20, seed=seed), max_tokens=4)
    assert texts(answers(server, "guide")) == cold


def test_a_cache_made_while_the_server_is_busy_gives_the_same_answers(make_server, cold):
    server = make_server().add_model().start()
    with ThreadPoolExecutor(3) as pool:
        busy = [pool.submit(server.chat, f"Tell a long story, number {i}.", max_tokens=sized(20, 60, 120)) for i in range(2)]
        created = server.create_cache("guide", GUIDE)
        for job in busy:
            job.result()
    assert created["binary"]
    found = answers(server, "guide")
    assert all(usage["cache_hit"] for _, usage in found)
    assert texts(found) == cold


def test_a_chat_with_the_text_as_its_own_system_message_equals_the_cached_one(make_server, cold):
    server = make_server().add_model().start()
    server.create_cache("guide", GUIDE)
    own = [said(server.chat(question, system=GUIDE, use_cache="guide", max_tokens=TOKENS, **sampling))
           for question in QUESTIONS[:sized(2, 3, 5)]
           for sampling in ({"temperature": 0}, {"temperature": 0.8, "seed": 11})]
    assert own == cold


BORDERS = {
    "between words": (prose(10) + " The first", " thing that visitors see is"),
    "inside a word": (prose(10) + " The harb", "our master said that"),
    "inside a number": (prose(10) + " In the year 19", "84 the town"),
    "before a space": (prose(10) + " Hello ", " world"),
    "after a line end": (prose(10) + "\n\n", "Chapter two"),
    "between a character and its accent": (prose(10) + " The cafe", "́ in the harbour"),
    "inside an emoji of several code points": (prose(10) + " A family: \U0001f468\u200d", "\U0001f469\u200d\U0001f467 came"),
    "inside a character's tokens": (prose(10) + " 你", "好世界，今天"),
    "an empty prompt": (prose(10) + " The end", ""),
}


@pytest.fixture(scope="module")
def raw_server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("raw")).add_model() as server:
        yield server.start()


@pytest.mark.parametrize("border", BORDERS)
def test_a_raw_completion_with_a_state_equals_the_one_without(raw_server, border):
    text, prompt = BORDERS[border]
    name = border.replace(" ", "-").replace("'", "")
    raw_server.post("/v1/cache/demo", {"cache_name": name, "content": text})
    without = raw_server.complete(prompt, use_cache=name, cache_prompt=False, max_tokens=TOKENS)
    assert not without["usage"]["cache_hit"]
    assert raw_server.create_cache(name, text, format="raw")["binary"]
    with_state = raw_server.complete(prompt, use_cache=name, max_tokens=TOKENS)
    assert said(with_state) == said(without)
    assert with_state["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"]
    whole = raw_server.complete(text + prompt, cache_prompt=False, max_tokens=1)
    assert whole["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"]


def test_a_raw_completion_reuses_the_raw_state(raw_server):
    raw_server.create_cache("raw-hit", prose(20), format="raw")
    usage = raw_server.complete(" And then", use_cache="raw-hit")["usage"]
    assert usage["cache_hit"] and usage["cached_prompts"] == ["raw-hit"]


@pytest.mark.whole_model
def test_answers_given_side_by_side_are_answers_to_their_own_question(shared):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda country: said(shared.complete(f"The capital of {country} is", max_tokens=4)),
                              ["France", "Italy", "Germany", "Japan"]))
    assert ["Paris" in found[0], "Rome" in found[1], "Berlin" in found[2], "Tokyo" in found[3]] == [True] * 4
