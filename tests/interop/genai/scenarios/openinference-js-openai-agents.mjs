// OpenInference for JavaScript on OpenAI's Agents SDK.

import { OpenAIAgentsInstrumentation } from "@arizeai/openinference-instrumentation-openai-agents";
import * as agents from "@openai/agents";
import OpenAI from "openai";
import { start, traceConfig, withSession } from "./javascript/openinference.mjs";
import { AGENT, consume, fake, getWeather, MODELS, play, PROMPTS, SYSTEM, TOOL } from "./javascript/scene.mjs";

const instrumentation = new OpenAIAgentsInstrumentation({ traceConfig });
const provider = start(instrumentation);
// ES modules must be instrumented by hand.
instrumentation.manuallyInstrument(agents);
agents.setDefaultOpenAIClient(new OpenAI({ baseURL: fake("/v1"), apiKey: "fake", maxRetries: 0 }));

const weather = agents.tool({ ...TOOL, strict: false, execute: async (input) => getWeather(input) });
const agent = (settings) => new agents.Agent({ name: AGENT, instructions: SYSTEM, model: MODELS.openai, ...settings });
const ask = (prompt, settings, options) => agents.run(agent(settings), prompt, options);

/** An agent that hands over to another, which uses the tool. */
function handOver() {
  const expert = agent({ name: "weather_expert", tools: [weather] });
  const handoff = agents.handoff(expert, { toolNameOverride: "look_up" });
  return agents.run(agent({ name: "front_desk", handoffs: [handoff] }), `look_up: ${PROMPTS.agent}`);
}

const cases = {
  chat: () => ask(PROMPTS.chat, { modelSettings: { temperature: 0.5, topP: 0.9, maxTokens: 2000 } }),
  stream: async () => consume(await ask(PROMPTS.stream, {}, { stream: true })),
  tools: () => ask(PROMPTS.tools, { tools: [weather] }),
  cached: () => ask(PROMPTS.cached),
  reasoning: () => ask(PROMPTS.reasoning, { model: MODELS.openai_reasoning }),
  error: () => ask(PROMPTS.error),
  no_content: () => ask(PROMPTS.no_content),
  session: () => ask(PROMPTS.session),
  handoff: handOver,
};
await play(withSession(cases), async () => {
  await agents.getGlobalTraceProvider().forceFlush();
  await provider.shutdown();
});
