//! OTLP/HTTP: `POST /v1/traces`, `/v1/metrics` and `/v1/logs`. The room is empty: the daemon receives OTLP over gRPC
//! alone.
