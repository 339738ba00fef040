"""LangChain and OpenAI's agents, unchanged: a conversation with a tool each, over chat completions and over responses."""

import asyncio

import pytest
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunConfig, Runner, function_tool
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from test_tools import CALL, with_template

pytestmark = pytest.mark.surface
QUESTION = "How is the weather in Bern?"


@pytest.fixture
def forecaster(scripted):
    """A server whose model asks for the weather, and says it once it knows."""
    script = f"answer {CALL}\nanswer_if_prompt_contains Sunny-mark It is sunny.\n"
    return with_template(scripted(script), "Qwen-Qwen2.5-7B-Instruct")


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"Sunny-mark in {city}."


@pytest.mark.parametrize("responses", [False, True])
def test_langchain_runs_a_tool(forecaster, responses):
    model = ChatOpenAI(base_url=f"{forecaster.url}/v1", api_key="none", model="demo", max_retries=0,
                       use_responses_api=responses).bind_tools([weather])
    messages = [HumanMessage(QUESTION)]
    asked = model.invoke(messages)
    assert [(call["name"], call["args"]) for call in asked.tool_calls] == [("weather", {"city": "Bern"})]
    assert asked.usage_metadata["input_tokens"] > 0
    result = weather.invoke(asked.tool_calls[0])
    assert isinstance(result, ToolMessage)
    answer = model.invoke([*messages, asked, result])
    assert answer.text == "It is sunny." and not answer.tool_calls
    streamed = None
    for chunk in model.stream(messages):
        streamed = chunk if streamed is None else streamed + chunk
    assert [(call["name"], call["args"]) for call in streamed.tool_calls] == [("weather", {"city": "Bern"})]


@pytest.mark.parametrize("kind", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
def test_an_agent_runs_a_tool(forecaster, kind):
    asked = []

    @function_tool(name_override="weather")
    def forecast(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return "Sunny-mark."

    async def run():
        async with forecaster.async_openai() as client:
            agent = Agent(name="Forecaster", instructions="Ask for the weather.", tools=[forecast],
                          model=kind(model="demo", openai_client=client))
            quiet = RunConfig(tracing_disabled=True)
            whole = await Runner.run(agent, QUESTION, run_config=quiet)
            streamed = Runner.run_streamed(agent, QUESTION, run_config=quiet)
            kinds = [event.type async for event in streamed.stream_events()]
            return whole, streamed, kinds

    whole, streamed, kinds = asyncio.run(run())
    assert whole.final_output == streamed.final_output == "It is sunny."
    assert asked == ["Bern", "Bern"] and "raw_response_event" in kinds
