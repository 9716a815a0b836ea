// OpenInference for JavaScript over OpenAI's SDK.

import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import OpenAI from "openai";
import { fakeOpenAI, openaiCases } from "./javascript/openai.mjs";
import { start, traceConfig, withSession } from "./javascript/openinference.mjs";
import { play } from "./javascript/scene.mjs";

const instrumentation = new OpenAIInstrumentation({ traceConfig });
const provider = start(instrumentation);
// ES modules must be instrumented by hand.
instrumentation.manuallyInstrument(OpenAI);
await play(withSession(openaiCases(fakeOpenAI())), () => provider.shutdown());
