// The spans that Anthropic's own SDK makes when a tracer provider is registered.

import { anthropicCases, fakeAnthropic } from "./javascript/anthropic.mjs";
import { CASE, play } from "./javascript/scene.mjs";
import { startTracing } from "./javascript/tracing.mjs";

const provider = startTracing();
// Without content is its default.
const content = { openTelemetry: { traces: { contentMode: "content" } } };
const cases = anthropicCases(fakeAnthropic(CASE === "no_content" ? {} : content));
await play(cases, () => provider.shutdown());
