// Langfuse's span processor over the stock exporter.

import { LangfuseSpanProcessor } from "@langfuse/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { CASE, SESSION, USER } from "./scene.mjs";
import { startTracing } from "./tracing.mjs";

/** Session, user and more, as `propagateAttributes` takes them. */
export const who = { sessionId: SESSION, userId: USER, tags: ["travel"], metadata: { tier: "gold" } };

/** Registers a global tracer provider. The case named no_content masks what is said. */
export function startLangfuse() {
  const keys = { publicKey: "pk-lf-fake", secretKey: "sk-lf-fake" };
  const mask = CASE === "no_content" ? { mask: () => "<masked>" } : {};
  return startTracing([new LangfuseSpanProcessor({ ...keys, ...mask, exporter: new OTLPTraceExporter() })]);
}
