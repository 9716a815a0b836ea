// Exports spans in one request with the stock SDK and exporter, and prints how the exporter says that it went.
// Standard input: {"endpoint": "127.0.0.1:4317", "service": "..", "starts": [milliseconds], "padding": bytes}

import { readFileSync } from "node:fs";
import { DiagConsoleLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

class Witness extends OTLPTraceExporter {
  export(spans, done) {
    super.export(spans, (result) => {
      console.log(JSON.stringify({ spans: spans.length, exported: result.code === ExportResultCode.SUCCESS }));
      done(result);
    });
  }
}

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
const { endpoint, service, starts, padding } = JSON.parse(readFileSync(0, "utf8"));
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  spanProcessors: [new BatchSpanProcessor(new Witness({ url: `http://${endpoint}` }))],
});
const tracer = provider.getTracer("interop");
const attributes = { padding: "x".repeat(padding) };
for (const startTime of starts) {
  tracer.startSpan("work", { startTime, attributes }).end(startTime + 1);
}
try {
  await provider.forceFlush();
} catch {
  // The exporter said so, above.
}
await provider.shutdown();
