// Vercel's AI SDK, version 7, over OpenAI.

import { OpenTelemetry } from "@ai-sdk/otel";
import { registerTelemetry } from "ai";
import { play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_openai.mjs";
import { version } from "./javascript/vercel_v7.mjs";

const provider = startTracing();
registerTelemetry(new OpenTelemetry({ usage: true, providerMetadata: true, runtimeContext: true }));
await play(vercelCases(models, version), () => provider.shutdown());
