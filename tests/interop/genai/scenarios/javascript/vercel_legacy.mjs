// How ai 5 and 6 spell things.

import { stepCountIs } from "ai";
import { legacyTelemetry } from "./vercel_telemetry.mjs";

/** `Agent` is the class that this major version calls so. */
export const legacy = (Agent) => ({
  telemetry: legacyTelemetry,
  instructions: (text) => ({ system: text }),
  maxTokens: (number) => ({ maxOutputTokens: number }),
  steps: (number) => ({ stopWhen: stepCountIs(number) }),
  parameters: (schema) => ({ inputSchema: schema }),
  agent: (settings) => new Agent(settings),
});
