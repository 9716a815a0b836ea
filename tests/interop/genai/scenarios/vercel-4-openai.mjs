// Vercel's AI SDK, version 4, over OpenAI.

import { play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_openai.mjs";
import { version } from "./javascript/vercel_v4.mjs";

const provider = startTracing();
await play(vercelCases(models, version), () => provider.shutdown());
