// Vercel's AI SDK, version 6, over OpenAI.

import { ToolLoopAgent } from "ai";
import { play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_openai.mjs";
import { legacy } from "./javascript/vercel_legacy.mjs";

const provider = startTracing();
await play(vercelCases(models, legacy(ToolLoopAgent)), () => provider.shutdown());
