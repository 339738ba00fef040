// Conversations of the official JavaScript client with a server: node conversations.mjs NAME URL. Ends with 0 where all is
// as it should be. ROCKLLAMA_NODE_FOLDER is where its packages are.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ROCKLLAMA_NODE_FOLDER}/package.json`);
const OpenAI = require("openai");

const [name, url] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, timeout: 120_000 });
const question = [{ role: "user", content: "How is the weather in Bern?" }];
const parameters = {
  type: "object",
  properties: { city: { enum: ["Bern", "Rome"] } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { name: "weather", description: "The weather of a city.", parameters };
const chat = (fields) =>
  client.chat.completions.create({ model: "demo", messages: question, max_tokens: 12, temperature: 0, ...fields });
const respond = (fields) =>
  client.responses.create({ model: "demo", input: question[0].content, max_output_tokens: 12, temperature: 0, ...fields });

async function textOf(stream, piece) {
  let text = "";
  for await (const event of stream) text += piece(event) ?? "";
  return text;
}

const conversations = {
  async chat() {
    const whole = await chat();
    assert.ok(whole.choices[0].message.content);
    assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
    const stream = await chat({ stream: true });
    assert.equal(await textOf(stream, (chunk) => chunk.choices[0].delta.content), whole.choices[0].message.content);
    const several = await chat({ n: 2, temperature: 1.5, seed: 1, logprobs: true, top_logprobs: 2 });
    assert.deepEqual(several.choices.map((choice) => choice.index), [0, 1]);
    assert.equal(several.choices[0].logprobs.content[0].top_logprobs.length, 2);
  },

  async completion() {
    const fields = { model: "demo", prompt: "The capital of France is", max_tokens: 6, temperature: 0 };
    const whole = await client.completions.create(fields);
    const stream = await client.completions.create({ ...fields, stream: true });
    assert.equal(await textOf(stream, (chunk) => chunk.choices[0].text), whole.choices[0].text);
  },

  async schema() {
    const format = { type: "json_schema", json_schema: { name: "weather", strict: true, schema: parameters } };
    const answer = await client.chat.completions.parse({
      model: "demo", messages: question, response_format: format, max_tokens: 200, seed: 1,
    });
    const { city } = JSON.parse(answer.choices[0].message.content);
    assert.ok(["Bern", "Rome"].includes(city));
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model: "demo", input: ["a", "b"] });
    assert.deepEqual(answer.data.map((one) => one.index), [0, 1]);
    const length = Math.hypot(...answer.data[0].embedding);
    assert.ok(Math.abs(length - 1) < 1e-3, `length ${length}`);
  },

  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    assert.ok(names.includes("demo"));
    await assert.rejects(client.models.retrieve("nothing"), OpenAI.NotFoundError);
  },

  async response() {
    const whole = await respond();
    assert.ok(whole.output_text);
    const stream = client.responses.stream({ model: "demo", input: question[0].content, max_output_tokens: 200, temperature: 0,
                                             stop: ["."] });
    const text = await textOf(stream, (event) => (event.type === "response.output_text.delta" ? event.delta : ""));
    const final = await stream.finalResponse();
    assert.equal(final.output_text, text);
    const next = await respond({ previous_response_id: whole.id });
    assert.ok(next.usage.input_tokens > whole.usage.input_tokens);
    assert.equal((await client.responses.retrieve(next.id)).output_text, next.output_text);
    await client.responses.delete(next.id);
    await assert.rejects(client.responses.retrieve(next.id), OpenAI.NotFoundError);
  },

  async errors() {
    const refused = await chat({ temperature: 3 }).catch((error) => error);
    assert.ok(refused instanceof OpenAI.BadRequestError);
    assert.equal(refused.param, "temperature");
    assert.ok(refused.requestID);
    await assert.rejects(chat({ model: "nothing" }), OpenAI.NotFoundError);
  },

  async cancellation() {
    const stream = await chat({ stream: true, max_tokens: 2000 });
    let chunks = 0;
    for await (const chunk of stream) {
      assert.ok(chunk.choices);
      if (++chunks === 3) stream.controller.abort();
    }
    assert.ok(chunks >= 3);
    await assert.rejects(client.chat.completions.create({ model: "demo", messages: question }, { timeout: 1 }),
                         OpenAI.APIConnectionTimeoutError);
    assert.ok((await chat()).choices[0].message.content);
  },

  // The server calls the tool first, and then answers with what it said.
  async tools() {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model: "demo", messages: question,
      tools: [{ type: "function", function: { ...weather, parse: JSON.parse, function: ({ city }) => {
        asked.push(city);
        return "Sunny-mark.";
      } } }],
    });
    assert.equal(await runner.finalContent(), "It is sunny.");
    assert.deepEqual(asked, ["Bern"]);
    const streamed = await chat({ stream: true, tools: [{ type: "function", function: weather }], max_tokens: 100 });
    const read = await textOf(streamed, (chunk) => chunk.choices[0].delta.tool_calls?.[0].function.arguments);
    assert.deepEqual(JSON.parse(read), { city: "Bern" });
  },

  async responseTools() {
    const tools = [{ type: "function", strict: true, ...weather }];
    const first = await respond({ tools, max_output_tokens: 100 });
    const call = first.output.find((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { city: "Bern" });
    const last = await respond({
      tools, previous_response_id: first.id, max_output_tokens: 100,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "Sunny-mark." }],
    });
    assert.equal(last.output_text, "It is sunny.");
  },

  // The server is at its limit: the client comes again when it is told to.
  async retries() {
    const patient = new OpenAI({ baseURL: `${url}/v1`, apiKey: "key-a", maxRetries: 8 });
    const impatient = new OpenAI({ baseURL: `${url}/v1`, apiKey: "key-a", maxRetries: 0 });
    const fields = { model: "demo", messages: question, max_tokens: 1 };
    let refused = 0;
    for (let i = 0; i < 40 && refused === 0; ++i) {
      await impatient.chat.completions.create(fields).catch((error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        ++refused;
      });
    }
    assert.equal(refused, 1);
    assert.ok((await patient.chat.completions.create(fields)).choices);
    await assert.rejects(chat(), OpenAI.AuthenticationError);
  },
};

await conversations[name]();
