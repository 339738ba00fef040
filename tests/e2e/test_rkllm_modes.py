"""How prompts reach the runtime: as tokens, rendered by us, or through the runtime's own template."""

import pytest
from prompts import GUIDE
from rkllm import COUNTING, VERSIONS, RkllmServer
from rockllama import CHATML, VOCABULARIES, said

QUESTION = "What should I see first?"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_without_a_tokenizer_is_answered_and_its_tokens_counted_where_the_runtime_does(tmp_path, version):
    with RkllmServer(tmp_path / "server", version, tokenizer=False) as server:
        server.start()
        answer = server.chat(QUESTION)
        assert said(answer)
        assert (answer["usage"]["prompt_tokens"] > 0) == (version in COUNTING)


@pytest.mark.parametrize("mode", ["tokens", "rendered", "native"])
def test_each_way_of_prompts_answers_over_a_cache(tmp_path, mode):
    with RkllmServer(tmp_path / "server", overrides={"prompt_mode": mode}) as server:
        (server.models / "demo/chat_template.jinja").write_text(CHATML)
        server.plant("special_tokens on")
        server.start()
        assert said(server.chat(QUESTION))
        server.create_cache("guide", GUIDE, format="chat")
        answer = server.chat(QUESTION, use_cache="guide")
        assert said(answer) and answer["usage"]["cache"]["name"] == "guide"


@pytest.mark.parametrize("mode, printed", [("tokens", True), ("rendered", True), ("native", False)])
def test_tools_are_printed_by_our_template_and_refused_where_the_runtimes_own_is_used(tmp_path, mode, printed):
    weather = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    with RkllmServer(tmp_path / "server", overrides={"prompt_mode": mode}) as server:
        template = (VOCABULARIES / "templates/Qwen-Qwen2.5-7B-Instruct.jinja").read_text()
        (server.models / "demo/chat_template.jinja").write_text(template)
        server.start()
        body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 2}
        plain, with_tools = (server.post("/v1/chat/completions", {**body, **extra}) for extra in ({}, {"tools": [weather]}))
        assert plain.status_code == 200
        if printed:
            counts = [answer.json()["usage"]["prompt_tokens"] for answer in (plain, with_tools)]
            assert counts[1] > counts[0] + 50
        else:
            assert with_tools.status_code == 400 and with_tools.json()["error"]["param"] == "tools"
