"""Takes what an instrumentation exports, over OTLP/HTTP (protobuf or JSON) and OTLP/gRPC, and keeps it."""

import base64
import gzip
import json
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

REQUESTS = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
}
RESPONSES = {
    "traces": trace_service_pb2.ExportTraceServiceResponse,
    "logs": logs_service_pb2.ExportLogsServiceResponse,
    "metrics": metrics_service_pb2.ExportMetricsServiceResponse,
}
SERVICES = {
    "traces": (trace_service_pb2_grpc.TraceServiceServicer, trace_service_pb2_grpc.add_TraceServiceServicer_to_server),
    "logs": (logs_service_pb2_grpc.LogsServiceServicer, logs_service_pb2_grpc.add_LogsServiceServicer_to_server),
    "metrics": (
        metrics_service_pb2_grpc.MetricsServiceServicer,
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server,
    ),
}
# OTLP in JSON writes these bytes in hex, where the JSON of protobuf has base64.
IDS = ("traceId", "spanId", "parentSpanId")


class Sink:
    """A receiver on loopback. `requests` holds what came, by signal, in order; `endpoint` tells where to send it."""

    def __init__(self):
        self.requests = {signal: [] for signal in REQUESTS}
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.sink = self
        self.grpc = grpc.server(futures.ThreadPoolExecutor(4))
        for signal, (service, add) in SERVICES.items():
            add(type("Service", (service,), {"Export": exporter(self, signal)})(), self.grpc)
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")

    def endpoint(self, protocol):
        """The address for OTEL_EXPORTER_OTLP_ENDPOINT: `protocol` is grpc, http/protobuf or http/json."""
        port = self.grpc_port if protocol == "grpc" else self.http.server_port
        return f"http://127.0.0.1:{port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        self.grpc.start()
        return self

    def __exit__(self, *_):
        self.grpc.stop(None)
        self.http.shutdown()
        self.http.server_close()


def exporter(sink, signal):
    def export(_self, request, _context):
        sink.requests[signal].append(request)
        return RESPONSES[signal]()

    return export


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.body()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        # Some products put OTLP below a path of their own.
        signal = self.path.partition("?")[0].rstrip("/").rpartition("/v1/")[2]
        if signal not in REQUESTS:
            self.answer(404, b"{}", "application/json")
            return
        text = "json" in self.headers.get("content-type", "")
        request = from_json(signal, body) if text else REQUESTS[signal].FromString(body)
        self.server.sink.requests[signal].append(request)
        if text:
            self.answer(200, b"{}", "application/json")
        else:
            self.answer(200, RESPONSES[signal]().SerializeToString(), "application/x-protobuf")

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        whole = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def answer(self, status, body, content_type):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def from_json(signal, body):
    """OTLP in JSON as the same message."""
    return json_format.ParseDict(with_base64_ids(json.loads(body)), REQUESTS[signal](), ignore_unknown_fields=True)


def with_base64_ids(value):
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: base64_of(item) if key in IDS else with_base64_ids(item) for key, item in value.items()}


def base64_of(digits):
    return base64.b64encode(bytes.fromhex(digits)).decode()
