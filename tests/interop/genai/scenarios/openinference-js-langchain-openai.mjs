// OpenInference for JavaScript on LangChain and on OpenAI's SDK below it: two spans for each call.

import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import * as callbacks from "@langchain/core/callbacks/manager";
import OpenAI from "openai";
import { play } from "./javascript/scene.mjs";
import { langchainCases } from "./javascript/langchain.mjs";
import { start, traceConfig } from "./javascript/openinference.mjs";

const langchain = new LangChainInstrumentation({ traceConfig });
const openai = new OpenAIInstrumentation({ traceConfig });
const provider = start(langchain);
openai.setTracerProvider(provider);
langchain.manuallyInstrument(callbacks);
openai.manuallyInstrument(OpenAI);
await play(langchainCases(), () => provider.shutdown());
