// OpenInference for JavaScript over Anthropic's SDK, which traces itself below it.

import Anthropic from "@anthropic-ai/sdk";
import { AnthropicInstrumentation } from "@arizeai/openinference-instrumentation-anthropic";
import { anthropicCases, fakeAnthropic } from "./javascript/anthropic.mjs";
import { start, traceConfig, withSession } from "./javascript/openinference.mjs";
import { play } from "./javascript/scene.mjs";

const instrumentation = new AnthropicInstrumentation({ traceConfig });
const provider = start(instrumentation);
// ES modules must be instrumented by hand.
instrumentation.manuallyInstrument(Anthropic);
await play(withSession(anthropicCases(fakeAnthropic())), () => provider.shutdown());
