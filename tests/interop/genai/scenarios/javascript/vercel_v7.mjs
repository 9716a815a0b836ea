// How ai 7 spells things: telemetry goes to an integration that is registered once; session and user are runtime
// context.

import { isStepCount, ToolLoopAgent } from "ai";

export const version = {
  telemetry: ({ content = true, session, name } = {}) => ({
    telemetry: {
      recordInputs: content,
      recordOutputs: content,
      ...(name && { functionId: name }),
      ...(session && { includeRuntimeContext: { sessionId: true, userId: true } }),
    },
    ...(session && { runtimeContext: session }),
  }),
  instructions: (text) => ({ instructions: text }),
  maxTokens: (number) => ({ maxOutputTokens: number }),
  steps: (number) => ({ stopWhen: isStepCount(number) }),
  parameters: (schema) => ({ inputSchema: schema }),
  agent: (settings) => new ToolLoopAgent(settings),
};
