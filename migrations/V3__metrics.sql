-- Metric data points.

CREATE TABLE metric_data_points (
    time              timestamptz NOT NULL,
    start_time        timestamptz NOT NULL,
    value_double      double precision,
    value_int         bigint,
    count             bigint,
    sum               double precision,
    min               double precision,
    max               double precision,
    zero_count        bigint,
    zero_threshold    double precision,
    project_id        integer     NOT NULL,
    flags             integer,
    scale             integer,
    positive_offset   integer,
    negative_offset   integer,
    time_nanos        smallint    NOT NULL,
    start_nanos       smallint    NOT NULL,
    series_id         uuid        NOT NULL,
    bucket_counts     bigint[],
    explicit_bounds   double precision[],
    positive_counts   bigint[],
    negative_counts   bigint[],
    quantiles         double precision[],
    quantile_values   double precision[],
    exemplars         jsonb,
    exemplars_otlp    bytea,
    PRIMARY KEY (series_id, time, start_time, project_id, time_nanos, start_nanos)
) PARTITION BY RANGE (time);
COMMENT ON TABLE  metric_data_points IS 'One row is one point of one metric stream. Which columns are filled depends on metrics.kind.';
COMMENT ON COLUMN metric_data_points.time IS 'When it was measured, in whole microseconds; the partition column.';
COMMENT ON COLUMN metric_data_points.start_time IS 'From when on it counts, in whole microseconds. 1970-01-01 is OTLP''s "unknown".';
COMMENT ON COLUMN metric_data_points.value_double IS 'Gauge, sum: the value, when it is a double.';
COMMENT ON COLUMN metric_data_points.value_int IS 'Gauge, sum: the value, when it is an integer.';
COMMENT ON COLUMN metric_data_points.count IS 'Histograms, summary: number of values. An unsigned 64-bit number, kept as its 64 bits.';
COMMENT ON COLUMN metric_data_points.sum IS 'Histograms, summary: sum of the values.';
COMMENT ON COLUMN metric_data_points.min IS 'Histograms: smallest value.';
COMMENT ON COLUMN metric_data_points.max IS 'Histograms: largest value.';
COMMENT ON COLUMN metric_data_points.zero_count IS 'Exponential histogram: number of values that count as zero (unsigned, kept as its 64 bits).';
COMMENT ON COLUMN metric_data_points.zero_threshold IS 'Exponential histogram: up to where a value counts as zero.';
COMMENT ON COLUMN metric_data_points.project_id IS 'The project.';
COMMENT ON COLUMN metric_data_points.flags IS 'OTLP flags (32 bits); bit 0: no recorded value, the stream went stale. Null for 0.';
COMMENT ON COLUMN metric_data_points.scale IS 'Exponential histogram: the base is 2 to the power of 2 to the power of -scale.';
COMMENT ON COLUMN metric_data_points.positive_offset IS 'Exponential histogram: index of the first positive bucket. Null when there are no positive buckets at all.';
COMMENT ON COLUMN metric_data_points.negative_offset IS 'Exponential histogram: index of the first negative bucket. Null when there are no negative buckets at all.';
COMMENT ON COLUMN metric_data_points.time_nanos IS 'Nanoseconds (0 to 999) to be added to time.';
COMMENT ON COLUMN metric_data_points.start_nanos IS 'Nanoseconds (0 to 999) to be added to start_time.';
COMMENT ON COLUMN metric_data_points.series_id IS 'The stream: metric_series.id.';
COMMENT ON COLUMN metric_data_points.bucket_counts IS 'Histogram: count of each bucket (unsigned, kept as their 64 bits).';
COMMENT ON COLUMN metric_data_points.explicit_bounds IS 'Histogram: upper bounds of the buckets; the last bucket has none.';
COMMENT ON COLUMN metric_data_points.positive_counts IS 'Exponential histogram: counts of the positive buckets (unsigned, kept as their 64 bits).';
COMMENT ON COLUMN metric_data_points.negative_counts IS 'Exponential histogram: counts of the negative buckets (unsigned, kept as their 64 bits).';
COMMENT ON COLUMN metric_data_points.quantiles IS 'Summary: the quantiles, 0 to 1.';
COMMENT ON COLUMN metric_data_points.quantile_values IS 'Summary: the value at each quantile.';
COMMENT ON COLUMN metric_data_points.exemplars IS 'Exemplars, for people: [{time_unix_nano, value, trace_id, span_id, attributes}]. Null when there are none.';
COMMENT ON COLUMN metric_data_points.exemplars_otlp IS 'The same exemplars exactly, as an encoded opentelemetry.proto.metrics.v1.NumberDataPoint with only exemplars set.';
CREATE INDEX metric_data_points_time ON metric_data_points USING brin (time) WITH (autosummarize = on);
