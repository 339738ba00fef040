"""How prompts reach the runtime: as tokens, rendered by us, or through the runtime's own template."""

import pytest
from prompts import GUIDE
from rkllm import COUNTING, VERSIONS, RkllmServer
from rockllama import CHATML, said

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
