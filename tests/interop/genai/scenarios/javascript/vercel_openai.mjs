// OpenAI's models by way of the AI SDK, which calls the responses API unless told otherwise.

import { createOpenAI } from "@ai-sdk/openai";
import { fake, MODELS } from "./scene.mjs";

const openai = createOpenAI({ baseURL: fake("/v1"), apiKey: "fake" });

export const models = {
  chat: openai(MODELS.openai),
  settings: { temperature: 0.5, topP: 0.9 },
  completions: openai.chat(MODELS.openai),
  reasoning: openai(MODELS.openai_reasoning),
  reasoningOptions: { openai: { reasoningEffort: "low" } },
  flexOptions: { openai: { serviceTier: "flex" } },
  embedding: openai.textEmbeddingModel(MODELS.openai_embeddings),
};
