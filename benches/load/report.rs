//! The figures: one table, one line, and JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::client::Sent;
use crate::database::Settings;
use crate::prepare::Shape;
use crate::processes::Cpu;

/// The figures of one run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) setting: Setting,
    /// The spans of each round.
    pub(crate) shape: Vec<Shape>,
    pub(crate) rounds: Vec<Round>,
}

/// How the run was set up.
#[derive(Serialize)]
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) spans: u64,
    pub(crate) request_spans: u64,
    pub(crate) connections: u64,
    pub(crate) in_flight: u64,
    pub(crate) copies: usize,
    pub(crate) rate: Option<u64>,
    pub(crate) cores: usize,
    pub(crate) postgresql: Settings,
}

/// One turn of the daemon and one of `psql \copy`.
#[derive(Serialize)]
pub(crate) struct Round {
    pub(crate) ingest: Ingest,
    pub(crate) copy: Option<Copy>,
}

/// The daemon's turn. CPU is in microseconds a span; what could not be seen is absent.
#[derive(Serialize)]
pub(crate) struct Ingest {
    spans_per_second: f64,
    answer_p50_ms: f64,
    answer_p99_ms: f64,
    answer_max_ms: f64,
    daemon_cpu: Option<f64>,
    postgresql_cpu: Option<f64>,
    client_cpu: f64,
    peak_memory_mib: Option<f64>,
    disk_bytes_per_span: f64,
    wal_bytes_per_span: f64,
    requests_refused: u64,
}

/// The turn of `psql \copy`.
#[derive(Serialize)]
pub(crate) struct Copy {
    spans_per_second: f64,
    postgresql_cpu: Option<f64>,
    client_cpu: f64,
    disk_bytes_per_span: f64,
    wal_bytes_per_span: f64,
}

impl Ingest {
    pub(crate) fn new(spans: u64, sent: Sent, cpu: Cpu, wal: i64, size: i64, memory: Option<u64>) -> Self {
        let answer = |share| percentile(&sent.answers, share).as_secs_f64() * 1e3;
        Self {
            spans_per_second: spans as f64 / sent.elapsed.as_secs_f64(),
            answer_p50_ms: answer(0.5),
            answer_p99_ms: answer(0.99),
            answer_max_ms: answer(1.0),
            daemon_cpu: cpu.daemon.map(|seconds| micros(seconds, spans)),
            postgresql_cpu: cpu.postgresql.map(|seconds| micros(seconds, spans)),
            client_cpu: micros(cpu.client, spans),
            peak_memory_mib: memory.map(|bytes| bytes as f64 / f64::from(1 << 20)),
            disk_bytes_per_span: size as f64 / spans as f64,
            wal_bytes_per_span: wal as f64 / spans as f64,
            requests_refused: sent.refused,
        }
    }
}

impl Copy {
    pub(crate) fn new(spans: u64, elapsed: Duration, cpu: Cpu, wal: i64, size: i64) -> Self {
        Self {
            spans_per_second: spans as f64 / elapsed.as_secs_f64(),
            postgresql_cpu: cpu.postgresql.map(|seconds| micros(seconds, spans)),
            client_cpu: micros(cpu.children, spans),
            disk_bytes_per_span: size as f64 / spans as f64,
            wal_bytes_per_span: wal as f64 / spans as f64,
        }
    }
}

impl Report {
    fn ingest(&self, figure: impl Fn(&Ingest) -> Option<f64>) -> Vec<Option<f64>> {
        self.rounds.iter().map(|round| figure(&round.ingest)).collect()
    }

    fn copy(&self, figure: impl Fn(&Copy) -> Option<f64>) -> Vec<Option<f64>> {
        self.rounds.iter().map(|round| figure(round.copy.as_ref()?)).collect()
    }

    /// The daemon's median rate over that of `psql \copy`.
    fn ratio(&self) -> Option<f64> {
        let daemon = median(&self.ingest(|ingest| Some(ingest.spans_per_second)))?;
        Some(daemon / median(&self.copy(|copy| Some(copy.spans_per_second)))?)
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { seed, spans, request_spans, connections, in_flight, copies, rate, cores, .. } =
            &self.setting;
        write!(f, "seed {seed}; {spans} spans a round in requests of {request_spans}; ")?;
        write!(f, "{connections} connections with {in_flight} requests in flight each; ")?;
        match rate {
            Some(rate) => write!(f, "paced at {rate} spans/s; ")?,
            None => write!(f, "{copies} psql \\copy connections; ")?,
        }
        writeln!(f, "{cores} cores")?;
        if let Some(shape) = self.shape.first() {
            write!(f, "a span: {:.0} bytes of protobuf, ", shape.bytes_per_span)?;
            if let Some(bytes) = shape.row_bytes_per_span {
                write!(f, "{bytes:.0} bytes of naive row, ")?;
            }
            write!(f, "{:.1} attributes, {:.2} events; ", shape.attributes_per_span, shape.events_per_span)?;
            write!(f, "{:.1} % LLM calls; ", shape.llm_share * 100.0)?;
            writeln!(f, "{:.1} spans a trace", shape.spans_per_trace)?;
        }
        let settings = self.setting.postgresql.0.iter().map(|(name, value)| format!("{name} {value}"));
        writeln!(f, "PostgreSQL: {}\n", settings.collect::<Vec<_>>().join(", "))
    }

    fn rows(&self) -> Vec<Row> {
        let row = Row::new;
        let daemon = self.ingest(|ingest| Some(ingest.spans_per_second));
        let copy = self.copy(|copy| Some(copy.spans_per_second));
        let ratios = daemon.iter().zip(&copy).map(|(daemon, copy)| Some((*daemon)? / (*copy)?)).collect();
        vec![
            row("daemon: spans/s acknowledged", 0, daemon),
            row("psql \\copy: spans/s", 0, copy),
            Row { middle: self.ratio(), ..row("**ratio** (last column: of the medians)", 2, ratios) },
            row("daemon: answer p50, ms", 1, self.ingest(|ingest| Some(ingest.answer_p50_ms))),
            row("daemon: answer p99, ms", 1, self.ingest(|ingest| Some(ingest.answer_p99_ms))),
            row("daemon: answer max, ms", 1, self.ingest(|ingest| Some(ingest.answer_max_ms))),
            row(
                "daemon: requests refused and sent again",
                0,
                self.ingest(|i| Some(i.requests_refused as f64)),
            ),
            row("daemon: its CPU, us a span", 2, self.ingest(|ingest| ingest.daemon_cpu)),
            row("daemon: PostgreSQL CPU, us a span", 2, self.ingest(|ingest| ingest.postgresql_cpu)),
            row("daemon: load generator CPU, us a span", 2, self.ingest(|ingest| Some(ingest.client_cpu))),
            row("psql \\copy: PostgreSQL CPU, us a span", 2, self.copy(|copy| copy.postgresql_cpu)),
            row("psql \\copy: psql CPU, us a span", 2, self.copy(|copy| Some(copy.client_cpu))),
            row("daemon: peak memory so far, MiB", 0, self.ingest(|ingest| ingest.peak_memory_mib)),
            row("daemon: disk, bytes a span", 0, self.ingest(|ingest| Some(ingest.disk_bytes_per_span))),
            row("psql \\copy: disk, bytes a span", 0, self.copy(|copy| Some(copy.disk_bytes_per_span))),
            row("daemon: WAL, bytes a span", 0, self.ingest(|ingest| Some(ingest.wal_bytes_per_span))),
            row("psql \\copy: WAL, bytes a span", 0, self.copy(|copy| Some(copy.wal_bytes_per_span))),
        ]
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |values: Vec<Option<f64>>, decimals| cell(median(&values), decimals);
        let rate = of(self.ingest(|ingest| Some(ingest.spans_per_second)), 0);
        write!(f, "summary: {rate} spans/s acknowledged and counted in trace_spans")?;
        if let Some(ratio) = self.ratio() {
            let copy = of(self.copy(|copy| Some(copy.spans_per_second)), 0);
            write!(f, ", {ratio:.2} x psql \\copy ({copy}/s)")?;
        }
        let daemon = of(self.ingest(|ingest| ingest.daemon_cpu), 1);
        let postgresql = of(self.ingest(|ingest| ingest.postgresql_cpu), 1);
        let p99 = of(self.ingest(|ingest| Some(ingest.answer_p99_ms)), 0);
        write!(f, "; CPU a span: daemon {daemon} us, PostgreSQL {postgresql} us; p99 {p99} ms; ")?;
        let memory = self.ingest(|ingest| ingest.peak_memory_mib).into_iter().flatten().reduce(f64::max);
        writeln!(f, "peak memory {} MiB", cell(memory, 0))
    }
}

/// One row of the table: a figure of each round, and its median.
struct Row {
    name: &'static str,
    decimals: usize,
    values: Vec<Option<f64>>,
    middle: Option<f64>,
}

impl Row {
    fn new(name: &'static str, decimals: usize, values: Vec<Option<f64>>) -> Self {
        let middle = median(&values);
        Self { name, decimals, values, middle }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        write!(f, "| figure |")?;
        (1..=self.rounds.len()).try_for_each(|number| write!(f, " round {number} |"))?;
        writeln!(f, " median |")?;
        writeln!(f, "|---|{}", "---:|".repeat(self.rounds.len() + 1))?;
        for Row { name, decimals, values, middle } in self.rows() {
            // A row without any value is about something that was left out or could not be seen.
            if values.iter().all(Option::is_none) {
                continue;
            }
            write!(f, "| {name} |")?;
            values.iter().try_for_each(|value| write!(f, " {} |", cell(*value, decimals)))?;
            writeln!(f, " {} |", cell(middle, decimals))?;
        }
        writeln!(f)?;
        self.summary(f)
    }
}

fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.decimals$}"))
}

fn micros(seconds: f64, spans: u64) -> f64 {
    seconds * 1e6 / spans as f64
}

/// The value below which a share of the sorted values lies.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle value, or the mean of the two in the middle; none if there are no values.
fn median(values: &[Option<f64>]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_unstable_by(f64::total_cmp);
    let middle = known.len() / 2;
    match known.len() {
        0 => None,
        length if length % 2 == 1 => Some(known[middle]),
        _ => Some((known[middle - 1] + known[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let at = |share| percentile(&values, share).as_millis();
        assert_eq!((at(0.5), at(0.99), at(1.0)), (100, 198, 200));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn the_median_leaves_out_what_is_not_known() {
        assert_eq!(median(&[Some(3.0), None, Some(1.0), Some(2.0)]), Some(2.0));
        assert_eq!(median(&[Some(1.0), Some(2.0)]), Some(1.5));
        assert_eq!(median(&[None]), None);
    }
}
