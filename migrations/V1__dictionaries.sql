-- Projects, and the dictionaries that rows of telemetry point at.

CREATE TABLE projects (
    id          integer     PRIMARY KEY,
    name        text        NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE  projects IS 'The unit of isolation. Every row of telemetry belongs to one project.';
COMMENT ON COLUMN projects.id IS 'Given by the daemon; 1 is the project named default.';
COMMENT ON COLUMN projects.name IS 'What people call it.';
COMMENT ON COLUMN projects.created_at IS 'When it was made.';

INSERT INTO projects (id, name, created_at) VALUES (1, 'default', now());

CREATE TABLE resources (
    id                       uuid    NOT NULL,
    project_id               integer NOT NULL,
    service_name             text    NOT NULL,
    attributes               jsonb   NOT NULL,
    attributes_layout        bytea,
    dropped_attributes_count integer,
    schema_url               text    NOT NULL,
    entity_refs              bytea,
    PRIMARY KEY (id, project_id)
);
COMMENT ON TABLE  resources IS 'One distinct OTLP resource: the process, host or container that telemetry came from.';
COMMENT ON COLUMN resources.id IS 'Hash of the canonical content: the same resource has the same id everywhere.';
COMMENT ON COLUMN resources.project_id IS 'The project.';
COMMENT ON COLUMN resources.service_name IS 'The attribute service.name; empty when the resource has none.';
COMMENT ON COLUMN resources.attributes IS 'Resource attributes.';
COMMENT ON COLUMN resources.attributes_layout IS 'What jsonb cannot tell of the attributes: their order, and the exact OTLP form of those that JSON cannot express. Null when nothing is lost.';
COMMENT ON COLUMN resources.dropped_attributes_count IS 'OTLP dropped_attributes_count (uint32, kept as its 32 bits). Null for 0.';
COMMENT ON COLUMN resources.schema_url IS 'OTLP schema_url of the resource; it describes the resource only.';
COMMENT ON COLUMN resources.entity_refs IS 'OTLP entity_refs, as an encoded opentelemetry.proto.resource.v1.Resource with nothing else set. Null when there are none.';
-- Hash indexes: a name may be longer than a btree entry can be.
CREATE INDEX resources_service ON resources USING hash (service_name);

CREATE TABLE scopes (
    id                       uuid    NOT NULL,
    project_id               integer NOT NULL,
    name                     text    NOT NULL,
    version                  text    NOT NULL,
    attributes               jsonb   NOT NULL,
    attributes_layout        bytea,
    dropped_attributes_count integer,
    schema_url               text    NOT NULL,
    PRIMARY KEY (id, project_id)
);
COMMENT ON TABLE  scopes IS 'One distinct OTLP instrumentation scope: the library that made the telemetry.';
COMMENT ON COLUMN scopes.id IS 'Hash of the canonical content.';
COMMENT ON COLUMN scopes.project_id IS 'The project.';
COMMENT ON COLUMN scopes.name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN scopes.version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN scopes.attributes IS 'Scope attributes.';
COMMENT ON COLUMN scopes.attributes_layout IS 'What jsonb cannot tell of the attributes; see resources.attributes_layout.';
COMMENT ON COLUMN scopes.dropped_attributes_count IS 'OTLP dropped_attributes_count (32 bits). Null for 0.';
COMMENT ON COLUMN scopes.schema_url IS 'OTLP schema_url of the scope and of all that it holds.';

CREATE TABLE metrics (
    id              uuid     NOT NULL,
    project_id      integer  NOT NULL,
    kind            smallint NOT NULL,
    temporality     integer  NOT NULL,
    is_monotonic    boolean  NOT NULL,
    name            text     NOT NULL,
    unit            text     NOT NULL,
    description     text     NOT NULL,
    metadata        jsonb    NOT NULL,
    metadata_layout bytea,
    PRIMARY KEY (id, project_id)
);
COMMENT ON TABLE  metrics IS 'One distinct metric definition.';
COMMENT ON COLUMN metrics.id IS 'Hash of the canonical content.';
COMMENT ON COLUMN metrics.project_id IS 'The project.';
COMMENT ON COLUMN metrics.kind IS '1 gauge, 2 sum, 3 histogram, 4 exponential histogram, 5 summary.';
COMMENT ON COLUMN metrics.temporality IS 'OTLP AggregationTemporality: 1 delta, 2 cumulative; 0 for gauges and summaries.';
COMMENT ON COLUMN metrics.is_monotonic IS 'Whether a sum only grows.';
COMMENT ON COLUMN metrics.name IS 'Name of the metric.';
COMMENT ON COLUMN metrics.unit IS 'Unit, by UCUM.';
COMMENT ON COLUMN metrics.description IS 'What it measures.';
COMMENT ON COLUMN metrics.metadata IS 'OTLP metadata attributes of the metric.';
COMMENT ON COLUMN metrics.metadata_layout IS 'What jsonb cannot tell of the metadata; see resources.attributes_layout.';
CREATE INDEX metrics_name ON metrics USING hash (name);

CREATE TABLE metric_series (
    id                uuid    NOT NULL,
    project_id        integer NOT NULL,
    metric_id         uuid    NOT NULL,
    resource_id       uuid    NOT NULL,
    scope_id          uuid    NOT NULL,
    attributes        jsonb   NOT NULL,
    attributes_layout bytea,
    PRIMARY KEY (id, project_id)
);
COMMENT ON TABLE  metric_series IS 'One metric stream: a definition, where it comes from, and one set of attributes.';
COMMENT ON COLUMN metric_series.id IS 'Hash of the canonical content.';
COMMENT ON COLUMN metric_series.project_id IS 'The project.';
COMMENT ON COLUMN metric_series.metric_id IS 'The definition: metrics.id.';
COMMENT ON COLUMN metric_series.resource_id IS 'Where it comes from: resources.id.';
COMMENT ON COLUMN metric_series.scope_id IS 'The library that measures: scopes.id.';
COMMENT ON COLUMN metric_series.attributes IS 'Attributes of every point of the stream.';
COMMENT ON COLUMN metric_series.attributes_layout IS 'What jsonb cannot tell of the attributes; see resources.attributes_layout.';
CREATE INDEX metric_series_metric ON metric_series (metric_id, project_id);
