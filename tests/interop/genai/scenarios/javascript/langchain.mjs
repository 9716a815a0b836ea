// The cases of LangChain over OpenAI.

import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { AGENT, consume, fake, getWeather, MAX_TOKENS, MODELS, PROMPTS, SYSTEM, TOOL } from "./scene.mjs";

const client = (settings) =>
  new ChatOpenAI({
    model: MODELS.openai,
    apiKey: "fake",
    maxRetries: 0,
    configuration: { baseURL: fake("/v1") },
    ...settings,
  });
const messages = (prompt) => [
  ["system", SYSTEM],
  ["human", prompt],
];
const getWeatherTool = tool((input) => getWeather(input), {
  name: TOOL.name,
  description: TOOL.description,
  schema: TOOL.parameters,
});

export function langchainCases() {
  const ask = (prompt, settings) => client(settings).invoke(messages(prompt));
  const agent = () =>
    createAgent({ name: AGENT, model: client(), tools: [getWeatherTool], systemPrompt: SYSTEM }).invoke({
      messages: [{ role: "user", content: PROMPTS.agent }],
    });
  const chain = () =>
    ChatPromptTemplate.fromMessages([
      ["system", SYSTEM],
      ["human", "{question}"],
    ])
      .pipe(client())
      .pipe(new StringOutputParser())
      .invoke({ question: PROMPTS.chat });
  return {
    chat: () => ask(PROMPTS.chat, { temperature: 0.5, topP: 0.9, maxTokens: MAX_TOKENS }),
    stream: async () => consume(await client().stream(messages(PROMPTS.stream))),
    cached: () => ask(PROMPTS.cached),
    reasoning: () => ask(PROMPTS.reasoning, { model: MODELS.openai_reasoning, reasoning: { effort: "low" } }),
    error: () => ask(PROMPTS.error),
    no_content: () => ask(PROMPTS.no_content),
    session: () => ask(PROMPTS.session),
    chain,
    agent,
  };
}
