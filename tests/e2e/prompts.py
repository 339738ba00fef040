"""Texts for the tests: plain prose of a chosen length, the same on every machine."""

_SUBJECTS = ["The harbour", "An old library", "The night train", "A small workshop", "The northern garden", "Our market",
             "The stone bridge", "A quiet museum"]
_VERBS = ["opens before sunrise for", "keeps its best stories from", "has always welcomed", "was rebuilt by",
          "is slowly changing for", "still belongs to"]
_OBJECTS = ["fishermen and their families", "students of every age", "people who travel light", "the clockmakers' guild",
            "anyone with an hour to spare", "children on their way to school", "the volunteers of the quarter"]


def prose(sentences, seed=0):
    """About 11 tokens a sentence."""
    parts = []
    for i in range(sentences):
        n = i * 7 + seed * 13
        parts.append(f"{_SUBJECTS[n % 8]} {_VERBS[(n // 3 + i) % 6]} {_OBJECTS[(n // 2 + seed) % 7]}.")
    return " ".join(parts)


GUIDE = "You are a friendly guide to a town by the sea. " + prose(10)
