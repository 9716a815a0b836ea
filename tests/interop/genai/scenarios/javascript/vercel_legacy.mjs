// How ai 5 and 6 spell telemetry: `experimental_telemetry`, with session and user as metadata.

import { stepCountIs } from "ai";

/** `Agent` is the class that this major version calls so. */
export const legacy = (Agent) => ({
  telemetry: ({ content = true, session, name } = {}) => ({
    experimental_telemetry: {
      isEnabled: true,
      recordInputs: content,
      recordOutputs: content,
      ...(name && { functionId: name }),
      ...(session && { metadata: session }),
    },
  }),
  instructions: (text) => ({ system: text }),
  stopAfter: stepCountIs,
  agent: (settings) => new Agent(settings),
});
