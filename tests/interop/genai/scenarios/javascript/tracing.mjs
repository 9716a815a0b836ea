// The stock SDK, set up by OTEL_EXPORTER_OTLP_ENDPOINT; its resource says only what the environment says.

import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** Registers a global tracer provider. Its `shutdown()` flushes. */
export function startTracing(spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())]) {
  const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
  const provider = new NodeTracerProvider({ resource, spanProcessors });
  provider.register();
  return provider;
}
