// Vercel's AI SDK, version 4, over Anthropic.

import { play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_anthropic.mjs";
import { version } from "./javascript/vercel_v4.mjs";

const provider = startTracing();
await play(vercelCases(models, version), () => provider.shutdown());
