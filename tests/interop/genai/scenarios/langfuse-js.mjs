// Langfuse's SDK for JavaScript: its wrapper of OpenAI's client, and its own observations around calls.

import { observeOpenAI } from "@langfuse/openai";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { startLangfuse, who } from "./javascript/langfuse.mjs";
import { askForWeather, fakeOpenAI, openaiCases } from "./javascript/openai.mjs";
import { AGENT, play, PROMPTS, SESSION, TOOL, USER } from "./javascript/scene.mjs";

const provider = startLangfuse();
const client = observeOpenAI(fakeOpenAI());
const cases = openaiCases(client);
// A prompt that Langfuse manages; the wrapper takes session and user too.
const answer = {
  generationName: "answer",
  sessionId: SESSION,
  userId: USER,
  langfusePrompt: { name: "travel-guide", version: 3, isFallback: false },
};

/** Runs the tool inside an observation. */
function runTool(run, input) {
  const observed = async (tool) => {
    const output = run(input);
    tool.update({ input, output });
    return output;
  };
  return startActiveObservation(TOOL.name, observed, { asType: "tool" });
}

/** Runs the agent inside an observation. */
async function runAgent(agent) {
  const told = await askForWeather(client, PROMPTS.agent, runTool);
  agent.update({ input: PROMPTS.agent, output: told.choices[0].message.content });
}

await play(
  {
    ...cases,
    session: () => propagateAttributes(who, () => startActiveObservation("request", cases.session)),
    prompt: () => openaiCases(observeOpenAI(fakeOpenAI(), answer)).chat(),
    agent: () => startActiveObservation(AGENT, runAgent, { asType: "agent" }),
  },
  () => provider.shutdown(),
);
