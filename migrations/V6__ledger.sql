-- What makes a retry harmless: which requests were stored, and which records never can be.

CREATE TABLE ingest_requests (
    received_at timestamptz NOT NULL,
    project_id  integer     NOT NULL,
    records     integer     NOT NULL,
    rejected    integer     NOT NULL,
    duplicates  integer     NOT NULL,
    signal      smallint    NOT NULL,
    hash        uuid        NOT NULL,
    PRIMARY KEY (hash, project_id, signal)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE  ingest_requests IS 'The ledger: one row is one distinct export request that was stored. It is written in the transaction that stores the records, so a request that comes again is known. Kept for storage.retention.requests_s.';
COMMENT ON COLUMN ingest_requests.received_at IS 'When it was received first.';
COMMENT ON COLUMN ingest_requests.project_id IS 'The project.';
COMMENT ON COLUMN ingest_requests.records IS 'Records in it: spans, data points or log records.';
COMMENT ON COLUMN ingest_requests.rejected IS 'Those of them that can never be stored; see ingest_rejections.';
COMMENT ON COLUMN ingest_requests.duplicates IS 'How often it came again.';
COMMENT ON COLUMN ingest_requests.signal IS '1 traces, 2 metrics, 3 logs.';
COMMENT ON COLUMN ingest_requests.hash IS '128 bits of the BLAKE3 hash of the decompressed request.';
CREATE INDEX ingest_requests_received ON ingest_requests (received_at);

CREATE TABLE ingest_rejections (
    rejected_at  timestamptz NOT NULL,
    project_id   integer     NOT NULL,
    ordinal      integer     NOT NULL,
    record_bytes integer     NOT NULL,
    signal       smallint    NOT NULL,
    request_hash uuid        NOT NULL,
    place        text        NOT NULL,
    reason       text        NOT NULL,
    detail       text        NOT NULL,
    record       bytea       NOT NULL,
    PRIMARY KEY (request_hash, project_id, signal, ordinal)
);
COMMENT ON TABLE  ingest_rejections IS 'Dead letters: one row is one record that can never be stored, with its bytes. At most ingest.kept_rejections of one request are kept, for storage.retention.rejections_s.';
COMMENT ON COLUMN ingest_rejections.rejected_at IS 'When it was rejected.';
COMMENT ON COLUMN ingest_rejections.project_id IS 'The project.';
COMMENT ON COLUMN ingest_rejections.ordinal IS 'Its number among the rejected records of its request, from 0.';
COMMENT ON COLUMN ingest_rejections.record_bytes IS 'Length of the record as it came; record holds at most ingest.kept_rejection_bytes of it.';
COMMENT ON COLUMN ingest_rejections.signal IS '1 traces, 2 metrics, 3 logs.';
COMMENT ON COLUMN ingest_rejections.request_hash IS 'The request that it came with: ingest_requests.hash.';
COMMENT ON COLUMN ingest_rejections.place IS 'Where it stands in its request: resource_spans[0].scope_spans[0].spans[3].';
COMMENT ON COLUMN ingest_rejections.reason IS 'Why, in one word; the label of the metric records_rejected.';
COMMENT ON COLUMN ingest_rejections.detail IS 'Why, for people.';
COMMENT ON COLUMN ingest_rejections.record IS 'The record as it came: an encoded opentelemetry.proto.trace.v1.Span, metrics.v1.Metric or data point, or logs.v1.LogRecord.';
CREATE INDEX ingest_rejections_rejected ON ingest_rejections (rejected_at);
