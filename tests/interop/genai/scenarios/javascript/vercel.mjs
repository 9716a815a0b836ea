// The cases of the Vercel AI SDK, for every major version and provider.

import { embed, embedMany, generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import { AGENT, consume, getWeather, MAX_TOKENS, PROMPTS, SESSION, SYSTEM, TOOL, USER } from "./scene.mjs";

const ANSWER = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false,
};

/**
 * `models` are those of a provider: see `vercel_openai.mjs` and `vercel_anthropic.mjs`. `version` is how a major
 * version spells things: `telemetry({ content, session, name })`, `instructions(text)`, `maxTokens(number)` and
 * `steps(number)` give options of a call, `parameters(schema)` those of a tool, `agent(settings)` makes an agent, if any.
 */
export function vercelCases(models, version) {
  const options = (told) => ({
    model: models.chat,
    maxRetries: 0,
    ...version.instructions(SYSTEM),
    ...version.telemetry(told),
  });
  const call = (prompt, told) => ({ prompt, ...options(told) });
  const tools = {
    [TOOL.name]: tool({
      description: TOOL.description,
      ...version.parameters(jsonSchema(TOOL.parameters)),
      execute: async (input) => getWeather(input),
    }),
  };
  const loop = { tools, ...version.steps(3) };
  const stream = (request) => consume(streamText(request).fullStream);
  const session = { sessionId: SESSION, userId: USER };
  const cacheable = (prompt) => ({
    ...options(),
    messages: [{ role: "user", content: prompt, providerOptions: models.cacheOptions }],
  });

  const cases = {
    chat: () => generateText({ ...call(PROMPTS.chat), ...models.settings, ...version.maxTokens(MAX_TOKENS) }),
    stream: () => stream(call(PROMPTS.stream)),
    tools: () => generateText({ ...call(PROMPTS.tools), ...loop }),
    parallel_tools: () => generateText({ ...call(PROMPTS.parallel_tools), ...loop }),
    cut_off: () => generateText(call(PROMPTS.cut_off)),
    stream_tools: () => stream({ ...call(PROMPTS.tools), ...loop }),
    cached: () => generateText(cacheable(PROMPTS.cached)),
    cached_written: () => generateText(cacheable(PROMPTS.cached_written)),
    cached_stream: () => stream(cacheable(PROMPTS.cached)),
    reasoning: () =>
      generateText({ ...call(PROMPTS.reasoning), model: models.reasoning, providerOptions: models.reasoningOptions }),
    error: () => generateText(call(PROMPTS.error)),
    no_content: () => generateText(call(PROMPTS.no_content, { content: false })),
    session: () => generateText(call(PROMPTS.session, { session })),
    object: () => generateObject({ ...call(PROMPTS.chat), schemaName: "answer", schema: jsonSchema(ANSWER) }),
    agent: () => version.agent({ ...options({ name: AGENT }), ...loop }).generate({ prompt: PROMPTS.agent }),
  };
  if (models.flexOptions) {
    const flex = { model: models.reasoning, providerOptions: models.flexOptions };
    cases.flex = () => generateText({ ...call(PROMPTS.flex), ...flex });
  }
  if (models.completions) {
    cases.chat_completions = () => generateText({ ...call(PROMPTS.chat), model: models.completions });
  }
  if (models.embedding) {
    const sentences = { model: models.embedding, ...version.telemetry() };
    cases.embeddings = () => embed({ ...sentences, value: PROMPTS.embeddings });
    cases.embed_many = () => embedMany({ ...sentences, values: [PROMPTS.embeddings, PROMPTS.chat] });
  }
  return cases;
}
