"""Stop strings: the answer ends before them, and no part of one is ever sent."""

import pytest
from rockllama import said

ANSWER = "one two three four five six"


@pytest.fixture
def server(scripted):
    return scripted(f"answer {ANSWER}\n").start()


@pytest.mark.parametrize("stop, expected", [
    ("three", "one two "),
    (["three"], "one two "),
    (["six", "four", "five"], "one two three "),
    (" fo", "one two three"),
    ("ree fo", "one two th"),
    ("o", ""),
    ("never said", ANSWER),
])
def test_an_answer_ends_before_the_stop_string(server, stop, expected):
    answer = server.chat("go", stop=stop, max_tokens=60)
    assert said(answer) == expected
    assert answer["choices"][0]["finish_reason"] == "stop"
    stream = server.openai().chat.completions.create(model="demo", messages=[{"role": "user", "content": "go"}], stop=stop,
                                                     stream=True, max_tokens=60)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == expected


def test_what_only_begins_like_a_stop_string_is_sent_in_the_end(server):
    assert said(server.chat("go", stop="six seven", max_tokens=60)) == ANSWER


def test_a_stop_string_also_ends_a_raw_completion(server):
    assert said(server.complete("go", stop=["four"], max_tokens=60)) == "one two three "
