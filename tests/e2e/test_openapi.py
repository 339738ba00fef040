"""The OpenAPI document, held against the running server."""

import re
from pathlib import Path

import pytest

API_DOC = Path(__file__).parents[2] / "docs/api.md"
pytestmark = pytest.mark.surface


def schema_of(document, path, method="get"):
    """The schema of the answer, without references at its top."""
    content = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    return document["components"]["schemas"][content["schema"]["$ref"].split("/")[-1]]


def check(schema, answer, document):
    for name in schema.get("required", []):
        assert name in answer, (name, answer)
    for name, value in answer.items():
        check_value(schema.get("properties", {}).get(name, {}), value, document, name)


def check_value(schema, value, document, name):
    if "$ref" in schema:
        return check(document["components"]["schemas"][schema["$ref"].split("/")[-1]], value, document)
    kinds = schema.get("type", [])
    python = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
              "null": type(None)}
    if kinds:
        assert any(isinstance(value, python[kind]) for kind in ([kinds] if isinstance(kinds, str) else kinds)), (name, value)
    assert value == schema.get("const", value), name
    if isinstance(value, list) and "items" in schema:
        for entry in value:
            check_value(schema["items"], entry, document, name)


def test_answers_are_as_the_document_says(shared):
    document = shared.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0" and document["info"]["version"]
    for path, values in {"/v1/models": {}, "/v1/models/{id}": {"id": "demo"}, "/v1/models/loaded": {},
                         "/v1/models/available": {}, "/v1/cache": {}, "/v1/cache/{model}": {"model": "demo"},
                         "/v1/cache/{model}/{name}": {"model": "demo", "name": "guide"}, "/health": {}, "/ready": {}}.items():
        check(schema_of(document, path), shared.get(path.format(**values)).json(), document)
    chat = {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
    for path, body in {"/v1/chat/completions": chat, "/v1/completions": {"prompt": "a", "max_tokens": 2},
                       "/v1/responses": {"input": "a", "max_output_tokens": 2}, "/v1/embeddings": {"input": ["a"]},
                       "/tokenize": {"content": "a"}, "/detokenize": {"tokens": [1]},
                       "/apply-template": chat, "/v1/chat/completions/input_tokens": chat,
                       "/v1/models/load": {"model": "demo"}}.items():
        check(schema_of(document, path, "post"), shared.post(path, body).json(), document)
    check(document["components"]["schemas"]["Error"], shared.post("/v1/embeddings", {}).json(), document)


def test_a_page_shows_the_document(shared):
    page = shared.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert 'fetch("openapi.json")' in page.text


def test_the_guide_says_of_each_field_what_each_engine_does_with_it(shared):
    table = API_DOC.read_text().split("## Fields on each engine")[1].split("\n## ")[0]
    told = {}
    for row in re.findall(r"^\| (`.*?) \| ([CTR ]+) \| (.+?) \| (.+?) \|$", table, re.MULTILINE):
        for name in re.findall(r"`([a-z_]+)[`.]", row[0]):
            told.setdefault(name, set()).update(row[1].split())
    schemas = shared.get("/openapi.json").json()["components"]["schemas"]
    for request, letter in {"ChatRequest": "C", "CompletionRequest": "T", "ResponseRequest": "R"}.items():
        fields = schemas[request]["properties"]
        assert len(fields) > 25
        assert [name for name in fields if letter not in told.get(name, set())] == [], request
