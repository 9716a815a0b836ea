// Vercel's AI SDK, version 7, over OpenAI, by way of Langfuse's integration.

import { propagateAttributes } from "@langfuse/tracing";
import { LangfuseVercelAiSdkIntegration } from "@langfuse/vercel-ai-sdk";
import { registerTelemetry } from "ai";
import { startLangfuse, who } from "./javascript/langfuse.mjs";
import { play } from "./javascript/scene.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_openai.mjs";
import { version } from "./javascript/vercel_v7.mjs";

const provider = startLangfuse();
registerTelemetry(new LangfuseVercelAiSdkIntegration());
const cases = vercelCases(models, version);
const session = () => propagateAttributes(who, cases.session);
await play({ ...cases, session }, () => provider.shutdown());
