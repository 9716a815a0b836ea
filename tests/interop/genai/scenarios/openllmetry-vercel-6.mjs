// Vercel's AI SDK, version 6, over OpenAI, exported by Traceloop's SDK, which rewrites its spans.

import { ToolLoopAgent } from "ai";
import { flush, start, withTraceloop } from "./javascript/openllmetry.mjs";
import { play } from "./javascript/scene.mjs";
import { vercelCases } from "./javascript/vercel.mjs";
import { legacy } from "./javascript/vercel_legacy.mjs";
import { models } from "./javascript/vercel_openai.mjs";

start({});
const cases = vercelCases(models, legacy(ToolLoopAgent));
const { session } = withTraceloop(cases);
await play({ ...cases, session }, flush);
