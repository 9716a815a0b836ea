// The official OpenTelemetry instrumentation of OpenAI's SDK for JavaScript: spans, and log events with the content.

import { register } from "node:module";
import { logs } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { OpenAIInstrumentation } from "@opentelemetry/instrumentation-openai";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { CASE, play } from "./javascript/scene.mjs";
import { resource, startTracing } from "./javascript/tracing.mjs";

// ES modules are instrumented as they are loaded.
register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);
const traces = startTracing();
const processors = [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })];
const records = new LoggerProvider({ resource, processors });
logs.setGlobalLoggerProvider(records);
const captureMessageContent = CASE !== "no_content";
registerInstrumentations({ instrumentations: [new OpenAIInstrumentation({ captureMessageContent })] });

const { fakeOpenAI, openaiCases } = await import("./javascript/openai.mjs");
await play(openaiCases(fakeOpenAI()), async () => {
  await traces.shutdown();
  await records.shutdown();
});
