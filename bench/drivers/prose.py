"""Text to measure with: plain prose, the same on every machine."""

_SUBJECTS = ["The harbour office", "Our night train", "The old library", "A small workshop", "The hill garden",
             "The market council", "The stone bridge", "A travelling teacher"]
_VERBS = ["keeps a written record of", "is glad to explain", "has never charged for", "asks every visitor about",
          "was the first to offer", "closes early because of"]
_OBJECTS = ["the boats that arrive before noon", "lost gloves and other small things", "warm meals in the winter months",
            "the repair of clocks and radios", "the paths that lead to the coast"]
_TOKENS_PER_SENTENCE = 15  # of the demo model; others are near enough


def prose(tokens, variant):
    """About `tokens` tokens. Texts of different variants differ from their first words on."""
    sentences = [f"{variant} rules stand in this handbook for guests."]
    for i in range(tokens // _TOKENS_PER_SENTENCE):
        n = i + variant * 3
        sentences.append(f"{_SUBJECTS[n % 8]} {_VERBS[n // 2 % 6]} {_OBJECTS[n // 3 % 5]}.")
    return " ".join(sentences)


QUESTIONS = ["What should a guest know first?", "Who keeps the record?", "When does it close early?",
             "Where do the paths lead?", "What costs nothing at all?", "Who was the first to offer it?",
             "What is repaired here?", "Which boats arrive before noon?"]
