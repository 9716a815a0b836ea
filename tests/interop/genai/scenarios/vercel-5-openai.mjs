// Vercel's AI SDK, version 5, over OpenAI.

import { Experimental_Agent } from "ai";
import { play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { models } from "./javascript/vercel_openai.mjs";
import { legacy } from "./javascript/vercel_legacy.mjs";

const provider = startTracing();
await play(vercelCases(models, legacy(Experimental_Agent)), () => provider.shutdown());
