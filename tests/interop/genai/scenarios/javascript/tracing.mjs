// The stock SDK, set up by OTEL_EXPORTER_OTLP_ENDPOINT.

import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** Says only what the environment says. */
export const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));

/** Registers a global tracer provider. Its `shutdown()` flushes. */
export function startTracing(spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())]) {
  const provider = new NodeTracerProvider({ resource, spanProcessors });
  provider.register();
  return provider;
}
