//! `load`: how many spans a second the daemon acknowledges, what a span costs, and how that compares with
//! `psql \copy` of the same spans as naive rows into the same PostgreSQL, all in one run.

mod baseline;
mod client;
mod conversation;
mod database;
mod encode;
mod failure;
mod operations;
mod prepare;
mod processes;
mod report;
mod rows;
mod span;
mod spans;
mod trace;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use client::{Client, Pace};
use database::Database;
use prepare::{Prepared, Size};
use processes::{Cpu, Daemon};
use report::{Ingest, Report, Round, Setting};

/// Measure the daemon under load, beside `psql \copy` of the same spans.
///
/// What follows `--` is given to the daemon after its own flags.
#[derive(Parser)]
#[command(name = "load")]
struct Options {
    /// Spans sent in each round.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1..))]
    spans: u64,
    /// Spans in one export request.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    request_spans: u64,
    /// Connections to the daemon, each an HTTP/2 channel of its own.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// Requests in flight on each connection. A Collector has 10 by default.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    in_flight: u64,
    /// Rounds: the daemon and `psql \copy` take turns, and the median round is the figure.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Rounds before those, which don't count: a new PostgreSQL makes its first WAL files and touches its memory.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Parallel `psql \copy` connections: as many as the daemon has writers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    copies: u64,
    /// Send at this many spans a second instead of as fast as they are acknowledged; without `psql \copy`.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Leave `psql \copy` out.
    #[arg(long)]
    without_copy: bool,
    /// Seed of the contents of the spans. Ids and times are fresh in every round.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The daemon to start, on a PostgreSQL of its own.
    #[arg(long, env = "OBSERVATORY_BIN", default_value = "target/release/observatory")]
    daemon: PathBuf,
    /// A running daemon's OTLP/gRPC address, such as http://127.0.0.1:4317, instead of one started here.
    #[arg(long, requires = "database_url", conflicts_with = "daemon_flags")]
    ingest: Option<String>,
    /// The PostgreSQL of the running daemon; a scratch schema `load_baseline` is made and dropped in it.
    #[arg(long, requires = "ingest")]
    database_url: Option<String>,
    /// The running daemon's process id, to read its CPU time and memory.
    #[arg(long, requires = "ingest")]
    pid: Option<u32>,
    /// Write the figures to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// More flags for the daemon.
    #[arg(last = true)]
    daemon_flags: Vec<String>,
}

impl Options {
    fn size(&self) -> Size {
        Size { spans: self.spans, request_spans: self.request_spans }
    }

    fn copies(&self) -> usize {
        if self.without_copy || self.rate.is_some() { 0 } else { self.copies as usize }
    }
}

// One thread: on a small machine the load generator should take as little as it can from what it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let scratch = processes::scratch()?;
    let Some((ingest, url)) = options.ingest.as_ref().zip(options.database_url.as_ref()) else {
        let start = Daemon::start(&options.daemon, scratch.path(), &options.daemon_flags);
        let daemon = unless_interrupted(start).await?;
        let target =
            Target { ingest: &daemon.ingest, url: &daemon.database, pid: Some(daemon.pid), owned: true };
        let report = run(&options, target, scratch.path()).await;
        // Even if the run failed, the database must be down before its directory is removed.
        let stopped = daemon.stop().await;
        publish(&report?, &options)?;
        return stopped;
    };
    let target = Target { ingest, url, pid: options.pid, owned: false };
    publish(&run(&options, target, scratch.path()).await?, &options)
}

async fn run(options: &Options, target: Target<'_>, scratch: &Path) -> Result<Report> {
    let client = Client::connect(target.ingest, options.connections, options.in_flight).await?;
    let database = Database::connect(target.url).await?;
    let bench = Bench { options, target, client, database, scratch };
    unless_interrupted(bench.measure()).await
}

fn publish(report: &Report, options: &Options) -> Result<()> {
    print!("{report}");
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(report)?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Fails on Ctrl-C and SIGTERM, so that the daemon is stopped and the scratch directory removed.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

/// The daemon that is measured.
struct Target<'a> {
    ingest: &'a str,
    url: &'a str,
    pid: Option<u32>,
    /// The database is ours alone, so it may be vacuumed between measurements.
    owned: bool,
}

/// Everything that a round needs.
struct Bench<'a> {
    options: &'a Options,
    target: Target<'a>,
    client: Client,
    database: Database,
    scratch: &'a Path,
}

impl Bench<'_> {
    async fn measure(&self) -> Result<Report> {
        let copies = self.options.copies();
        if copies > 0 {
            baseline::create(&self.database).await?;
        }
        let mut report = Report { setting: self.setting().await?, shape: Vec::new(), rounds: Vec::new() };
        for number in 0..self.options.warm_up + self.options.rounds {
            let seed = self.options.seed.wrapping_add(number);
            let name = match number.checked_sub(self.options.warm_up) {
                Some(counted) => format!("round {}", counted + 1),
                None => "warm-up".to_owned(),
            };
            eprintln!("{name}: generating {} spans from seed {seed}", self.options.spans);
            let prepared = prepare::prepare(seed, self.options.size(), copies, self.scratch)?;
            eprintln!("{name}: sending");
            let ingest = self.ingest(&prepared).await?;
            let copy = if copies > 0 {
                eprintln!("{name}: psql \\copy on {copies} connections");
                self.settle().await?;
                Some(baseline::run(&self.database, self.target.url, &prepared).await?)
            } else {
                None
            };
            if number >= self.options.warm_up {
                report.shape.push(prepared.shape.clone());
                report.rounds.push(Round { ingest, copy });
            }
        }
        if copies > 0 {
            baseline::drop(&self.database).await?;
        }
        Ok(report)
    }

    /// One round against the daemon: send everything, then see that it is all there.
    async fn ingest(&self, prepared: &Prepared) -> Result<Ingest> {
        self.settle().await?;
        let size = self.database.size().await?;
        let stored = self.database.spans().await?;
        let wal = self.database.wal().await?;
        let before = self.cpu()?;
        let pace = self.options.rate.map(|rate| Pace::new(rate, self.options.request_spans));
        let sent = self.client.send(&prepared.requests, pace).await?;
        // What is visible now is what was committed by the last answer; it can be counted after the meters are read.
        self.database.freeze().await?;
        let cpu = self.cpu()? - before;
        let wal = self.database.wal().await? - wal;
        let counted = self.database.spans().await? - stored;
        self.database.thaw().await?;
        ensure!(
            counted == prepared.spans as i64,
            "{} spans were acknowledged, but trace_spans grew by {counted} the moment the last answer came",
            prepared.spans
        );
        let size = self.database.size().await? - size;
        let memory = self.target.pid.map(processes::peak_memory).transpose()?;
        Ok(Ingest::new(prepared.spans, sent, cpu, wal, size, memory))
    }

    /// Leaves no work of one measurement to be done during the next: checkpoint, and vacuum what is ours.
    async fn settle(&self) -> Result<()> {
        self.database.settle(self.target.owned).await
    }

    fn cpu(&self) -> Result<Cpu> {
        Cpu::read(self.target.pid, self.database.postmaster)
    }

    async fn setting(&self) -> Result<Setting> {
        let options = self.options;
        Ok(Setting {
            seed: options.seed,
            spans: options.spans,
            request_spans: options.request_spans,
            connections: options.connections,
            in_flight: options.in_flight,
            copies: options.copies(),
            rate: options.rate,
            cores: std::thread::available_parallelism()?.get(),
            postgresql: self.database.settings().await?,
        })
    }
}
