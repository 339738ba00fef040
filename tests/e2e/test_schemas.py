"""Random schemas of the documented subset: the demo model's answer is an instance of each."""

import json
import random
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest
from rockllama import sized

pytestmark = pytest.mark.surface
PER_TEST = 10
TESTS = sized(1, 1, 20)


def text_schema(draw):
    return {"type": "string", "minLength": draw.randint(0, 3), "maxLength": draw.randint(3, 8)}


def integer_schema(draw):
    low = draw.randint(-1000, 1000)
    return {"type": "integer", "minimum": low, "maximum": low + draw.randint(0, 5000)}


def choice_schema(draw):
    return {"enum": draw.sample(["red", "green \"x\"", 3, True, None, 2.5, "Zürich"], draw.randint(1, 4))}


def format_schema(draw):
    return {"type": "string", "format": draw.choice(["date", "time", "date-time", "uuid"])}


def pattern_schema(draw):
    return {"type": "string", "pattern": draw.choice(["^[a-z]{2,4}$", "^(yes|no)$", "^[0-9]{3}-[0-9]{2}$"])}


def array_schema(draw, depth):
    if draw.random() < 0.2:
        return {"type": "array", "prefixItems": [schema(draw, depth - 1) for _ in range(2)], "minItems": 2}
    return {"type": "array", "items": schema(draw, depth - 1), "minItems": draw.randint(0, 1), "maxItems": draw.randint(1, 3)}


def object_schema(draw, depth):
    names = draw.sample(["name", "age", "a b", "größe", "list", "kind"], draw.randint(1, 3))
    return {"type": "object", "properties": {name: schema(draw, depth - 1) for name in names},
            "required": draw.sample(names, draw.randint(0, len(names))), "additionalProperties": False}


def any_schema(draw, depth):
    return {"anyOf": [schema(draw, depth - 1) for _ in range(2)]}


def schema(draw, depth):
    plain = [text_schema, integer_schema, choice_schema, format_schema, pattern_schema, lambda _: {"type": "boolean"},
             lambda _: {"type": ["integer", "null"]}, lambda _: {"const": draw.choice(["x", 1, {"a": [1]}])}]
    nested = [array_schema, object_schema, any_schema]
    if depth > 0 and draw.random() < 0.5:
        return draw.choice(nested)(draw, depth)
    return draw.choice(plain)(draw)


@pytest.mark.parametrize("test", range(TESTS))
def test_the_answer_is_an_instance_of_its_schema(shared, test):
    def check(number):
        asked = object_schema(random.Random(number), 3)
        held = {"type": "json_schema", "json_schema": {"name": "asked", "strict": True, "schema": asked}}
        answer = shared.chat("Give me an example.", response_format=held, max_tokens=3000, temperature=0.7, seed=number)
        choice = answer["choices"][0]
        assert choice["finish_reason"] == "stop", (number, asked, choice)
        try:
            jsonschema.Draft202012Validator(asked).validate(json.loads(choice["message"]["content"]))
        except (ValueError, jsonschema.ValidationError) as error:
            raise AssertionError(f"schema {number}: {json.dumps(asked)}: {choice['message']['content']}") from error

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(check, range(test * PER_TEST, (test + 1) * PER_TEST)))
