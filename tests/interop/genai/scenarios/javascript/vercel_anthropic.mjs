// Anthropic's models by way of the AI SDK.

import { createAnthropic } from "@ai-sdk/anthropic";
import { fake, MODELS } from "./scene.mjs";

const anthropic = createAnthropic({ baseURL: fake("/v1"), apiKey: "fake" });

export const models = {
  chat: anthropic(MODELS.anthropic),
  settings: { temperature: 0.5, topK: 40 },
  reasoning: anthropic(MODELS.anthropic),
  reasoningOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } },
  cacheOptions: { anthropic: { cacheControl: { type: "ephemeral" } } },
};
