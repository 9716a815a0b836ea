// How ai 4, 5 and 6 spell telemetry: `experimental_telemetry`, with session and user as metadata.

export const legacyTelemetry = ({ content = true, session, name } = {}) => ({
  experimental_telemetry: {
    isEnabled: true,
    recordInputs: content,
    recordOutputs: content,
    ...(name && { functionId: name }),
    ...(session && { metadata: session }),
  },
});
