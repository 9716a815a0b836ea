// Vercel's AI SDK, version 6, over OpenAI, exported by Langfuse's span processor.

import { propagateAttributes } from "@langfuse/tracing";
import { ToolLoopAgent } from "ai";
import { startLangfuse, who } from "./javascript/langfuse.mjs";
import { play } from "./javascript/scene.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { legacy } from "./javascript/vercel_legacy.mjs";
import { models } from "./javascript/vercel_openai.mjs";

const provider = startLangfuse();
const cases = vercelCases(models, legacy(ToolLoopAgent));
const session = () => propagateAttributes(who, cases.session);
await play({ ...cases, session }, () => provider.shutdown());
