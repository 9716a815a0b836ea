// How ai 7 spells telemetry: @ai-sdk/otel, registered once, with session and user as runtime context.

import { OpenTelemetry } from "@ai-sdk/otel";
import { isStepCount, registerTelemetry, ToolLoopAgent } from "ai";

registerTelemetry(new OpenTelemetry({ usage: true, providerMetadata: true, runtimeContext: true }));

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
