// OpenInference for JavaScript on LangChain, over OpenAI.

import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as callbacks from "@langchain/core/callbacks/manager";
import { play } from "./javascript/scene.mjs";
import { langchainCases } from "./javascript/langchain.mjs";
import { start, traceConfig, withSession } from "./javascript/openinference.mjs";

const instrumentation = new LangChainInstrumentation({ traceConfig });
const provider = start(instrumentation);
// Its module must be instrumented by hand.
instrumentation.manuallyInstrument(callbacks);
await play(withSession(langchainCases()), () => provider.shutdown());
