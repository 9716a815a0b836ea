// The cases of an application that calls Anthropic's SDK itself.

import Anthropic from "@anthropic-ai/sdk";
import { consume, fake, getWeather, MAX_TOKENS, MODELS, PROMPTS, SYSTEM, TOOL } from "./scene.mjs";

/** A client of the fake. */
export const fakeAnthropic = (settings) =>
  new Anthropic({ baseURL: fake(), apiKey: "fake", maxRetries: 0, ...settings });

const request = (content) => ({
  model: MODELS.anthropic,
  max_tokens: MAX_TOKENS,
  system: SYSTEM,
  messages: [{ role: "user", content }],
});
const cacheable = (text) => [{ type: "text", text, cache_control: { type: "ephemeral" } }];

/** A call that asks for the tool, the tool, a second call. `runTool(run, input)` may put a span around the tool. */
export async function askForWeather(client, prompt, runTool = (run, input) => run(input)) {
  const tools = [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.parameters }];
  const question = { ...request(prompt), tools };
  const { content } = await client.messages.create(question);
  const results = [];
  for (const use of content.filter((block) => block.type === "tool_use")) {
    results.push({ type: "tool_result", tool_use_id: use.id, content: await runTool(getWeather, use.input) });
  }
  const messages = [...question.messages, { role: "assistant", content }, { role: "user", content: results }];
  return client.messages.create({ ...question, messages });
}

export function anthropicCases(client) {
  const send = (content, settings) => client.messages.create({ ...request(content), ...settings });
  const thinking = { type: "enabled", budget_tokens: 1024 };
  return {
    chat: () => send(PROMPTS.chat, { temperature: 0.5, top_k: 40, stop_sequences: ["END"] }),
    stream: async () => consume(await send(PROMPTS.stream, { stream: true })),
    tools: () => askForWeather(client, PROMPTS.tools),
    parallel_tools: () => askForWeather(client, PROMPTS.parallel_tools),
    cut_off: () => send(PROMPTS.cut_off),
    cached: () => send(cacheable(PROMPTS.cached)),
    cached_written: () => send(cacheable(PROMPTS.cached_written)),
    cached_stream: async () => consume(await send(cacheable(PROMPTS.cached), { stream: true })),
    reasoning: () => send(PROMPTS.reasoning, { thinking }),
    error: () => send(PROMPTS.error),
    no_content: () => send(PROMPTS.no_content),
    session: () => send(PROMPTS.session),
  };
}
