// The cases of an application that calls OpenAI's SDK itself.

import OpenAI from "openai";
import { consume, fake, getWeather, MAX_TOKENS, MODELS, PROMPTS, SYSTEM, TOOL } from "./scene.mjs";

/** A client of the fake. */
export const fakeOpenAI = () => new OpenAI({ baseURL: fake("/v1"), apiKey: "fake", maxRetries: 0 });

const chat = (prompt) => [
  { role: "system", content: SYSTEM },
  { role: "user", content: prompt },
];

/** A call that asks for the tool, the tool, a second call. `runTool(run, input)` may put a span around the tool. */
export async function askForWeather(client, prompt, runTool = (run, input) => run(input)) {
  const request = { model: MODELS.openai, messages: chat(prompt), tools: [{ type: "function", function: TOOL }] };
  const first = await client.chat.completions.create(request);
  const results = [];
  for (const call of first.choices[0].message.tool_calls) {
    const content = await runTool(getWeather, JSON.parse(call.function.arguments));
    results.push({ role: "tool", tool_call_id: call.id, content });
  }
  const messages = [...request.messages, first.choices[0].message, ...results];
  return client.chat.completions.create({ ...request, messages });
}

export function openaiCases(client) {
  const complete = (prompt, settings) =>
    client.chat.completions.create({ model: MODELS.openai, messages: chat(prompt), ...settings });
  const respond = (prompt, settings) =>
    client.responses.create({ model: MODELS.openai, instructions: SYSTEM, input: prompt, ...settings });
  const streamed = { stream: true, stream_options: { include_usage: true } };
  const reasoning = { model: MODELS.openai_reasoning, reasoning_effort: "low" };
  return {
    chat: () => complete(PROMPTS.chat, { temperature: 0.5, top_p: 0.9, max_tokens: MAX_TOKENS, seed: 7 }),
    stream: async () => consume(await complete(PROMPTS.stream, streamed)),
    stream_without_usage: async () => consume(await complete(PROMPTS.stream, { stream: true })),
    tools: () => askForWeather(client, PROMPTS.tools),
    parallel_tools: () => askForWeather(client, PROMPTS.parallel_tools),
    cut_off: () => complete(PROMPTS.cut_off),
    flex: () => complete(PROMPTS.flex, { ...reasoning, service_tier: "flex" }),
    cached: () => complete(PROMPTS.cached),
    cached_written: () => complete(PROMPTS.cached_written),
    cached_stream: async () => consume(await complete(PROMPTS.cached, streamed)),
    reasoning: () => complete(PROMPTS.reasoning, reasoning),
    error: () => complete(PROMPTS.error),
    no_content: () => complete(PROMPTS.no_content),
    session: () => complete(PROMPTS.session),
    embeddings: () => client.embeddings.create({ model: MODELS.openai_embeddings, input: PROMPTS.embeddings }),
    chat_responses: () => respond(PROMPTS.chat, { temperature: 0.5, max_output_tokens: MAX_TOKENS }),
    stream_responses: async () => consume(await respond(PROMPTS.stream, { stream: true })),
    cached_responses: () => respond(PROMPTS.cached),
    reasoning_responses: () =>
      respond(PROMPTS.reasoning, { model: MODELS.openai_reasoning, reasoning: { effort: "low", summary: "auto" } }),
  };
}
