// How ai 4 spells things. It has no agents.

import { legacyTelemetry } from "./vercel_telemetry.mjs";

export const version = {
  telemetry: legacyTelemetry,
  instructions: (text) => ({ system: text }),
  maxTokens: (number) => ({ maxTokens: number }),
  steps: (number) => ({ maxSteps: number }),
  parameters: (schema) => ({ parameters: schema }),
};
