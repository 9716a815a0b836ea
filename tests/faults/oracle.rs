//! The oracle stands outside of the daemon: it issues the ids of records, remembers which were acknowledged, and compares
//! with what PostgreSQL holds.

use std::fmt;
use std::ops::{AddAssign, Range};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use harness::eventually;
use llm_observatory_core::Signal;
use tokio_postgres::Client;
use tokio_stream::StreamExt as _;

use crate::records::{Records, query};
use crate::run::Run;

/// Traces whose summary differs from their spans.
const WRONG_SUMMARIES: &str = "
    SELECT count(*)
    FROM (SELECT trace_id, sum(span_count) AS spans, sum(error_count) AS errors, min(start_time) AS began,
                 max(end_time) AS ended, max(encode(root_span_id, 'hex')) AS root
          FROM traces GROUP BY trace_id) AS summary
    FULL JOIN (SELECT trace_id, count(*) AS spans, count(*) FILTER (WHERE status_code = 2) AS errors,
                      min(start_time) AS began, max(end_time) AS ended,
                      max(encode(span_id, 'hex')) FILTER (WHERE parent_span_id IS NULL) AS root
               FROM trace_spans GROUP BY trace_id) AS truth USING (trace_id)
    WHERE (summary.spans, summary.errors, summary.began, summary.ended, summary.root)
        IS DISTINCT FROM (truth.spans, truth.errors, truth.began, truth.ended, truth.root)";

/// A request, the same bytes whenever it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) signal: Signal,
    pub(crate) ids: Vec<u64>,
    pub(crate) bytes: Bytes,
}

/// Knows what was issued and what was acknowledged.
#[derive(Debug)]
pub(crate) struct Oracle {
    run: Run,
    records: Records,
    books: [Mutex<Book>; 3],
}

/// One signal: whether each of the ids that were issued, from 1 on, was acknowledged.
#[derive(Debug, Default, Clone)]
struct Book(Vec<bool>);

impl Book {
    fn has_issued(&self, id: u64) -> bool {
        (1..=self.0.len() as u64).contains(&id)
    }

    fn acknowledged(&self) -> u64 {
        self.0.iter().filter(|acknowledged| **acknowledged).count() as u64
    }
}

impl Oracle {
    pub(crate) fn of(run: Run) -> Arc<Self> {
        Arc::new(Self { run, records: Records::new(run.seed), books: Default::default() })
    }

    /// Issues the ids of new records.
    pub(crate) fn issue(&self, signal: Signal, records: u64) -> Range<u64> {
        let mut book = self.books[place(signal)].lock().unwrap();
        let issued = book.0.len() as u64;
        book.0.resize((issued + records) as usize, false);
        issued + 1..issued + records + 1
    }

    /// The request of these records.
    pub(crate) fn request(&self, signal: Signal, ids: Vec<u64>) -> Request {
        Request { signal, bytes: self.records.request(signal, &ids), ids }
    }

    /// A request with this number of new records.
    pub(crate) fn new_request(&self, signal: Signal, records: u64) -> Request {
        self.request(signal, self.issue(signal, records).collect())
    }

    /// Notes that the daemon acknowledged `request`.
    pub(crate) fn acknowledge(&self, request: &Request) {
        let mut book = self.books[place(request.signal)].lock().unwrap();
        request.ids.iter().for_each(|id| book.0[*id as usize - 1] = true);
    }

    /// Waits until this number of records more than now is acknowledged.
    pub(crate) async fn sees_progress(&self, records: u64) {
        self.sees_acknowledged(self.acknowledged() + records).await;
    }

    /// Waits until at least this number of records is acknowledged.
    pub(crate) async fn sees_acknowledged(&self, records: u64) {
        eventually("the daemon acknowledges records", async || match self.acknowledged() {
            so_far if so_far < records => Err(format!("{so_far} so far, {records} are waited for")),
            _ => Ok(()),
        })
        .await;
    }

    fn acknowledged(&self) -> u64 {
        self.books.iter().map(|book| book.lock().unwrap().acknowledged()).sum()
    }

    /// Compares with what is stored, reading row by row. No client may write meanwhile.
    pub(crate) async fn audit(&self, client: &Client) -> Audit {
        let mut signals = [Figures::default(); 3];
        for signal in Signal::ALL {
            signals[place(signal)] = self.audit_signal(client, signal).await;
        }
        let wrong_summaries = client.query_one(WRONG_SUMMARIES, &[]).await.unwrap().get::<_, i64>(0);
        Audit { run: self.run, signals, wrong_summaries: wrong_summaries.cast_unsigned() }
    }

    async fn audit_signal(&self, client: &Client, signal: Signal) -> Figures {
        let book = self.books[place(signal)].lock().unwrap().clone();
        let mut found = vec![false; book.0.len()];
        let mut figures = Figures { acknowledged: book.acknowledged(), ..Figures::default() };
        let mut rows = pin!(client.query_raw(query(signal), [] as [i64; 0]).await.unwrap());
        while let Some(row) = rows.try_next().await.unwrap() {
            let id = row.get::<_, Option<i64>>(0).unwrap_or_default().cast_unsigned();
            if !book.has_issued(id) {
                figures.foreign += 1;
            } else if std::mem::replace(&mut found[id as usize - 1], true) {
                figures.duplicates += 1;
            } else {
                figures.stored += 1;
                figures.corrupt += u64::from(!self.is_intact(signal, id, row.get(1)));
            }
        }
        let is_lost = |(acknowledged, found): (&bool, &bool)| *acknowledged && !found;
        figures.lost = book.0.iter().zip(&found).filter(|pair| is_lost(*pair)).count() as u64;
        figures
    }

    fn is_intact(&self, signal: Signal, id: u64, stored: &str) -> bool {
        let sent = self.records.content(signal, id);
        if sent != stored {
            eprintln!("{signal:?} {id}\nsent   {sent:?}\nstored {stored:?}");
        }
        sent == stored
    }
}

/// Where a signal stands in [`Signal::ALL`].
fn place(signal: Signal) -> usize {
    signal as usize - Signal::ALL[0] as usize
}

/// Records, counted.
#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    acknowledged: u64,
    stored: u64,
    duplicates: u64,
    lost: u64,
    foreign: u64,
    corrupt: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.foreign += other.foreign;
        self.corrupt += other.corrupt;
    }
}

/// What the oracle found. As text it is the one line of figures of its test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audit {
    run: Run,
    signals: [Figures; 3],
    wrong_summaries: u64,
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sum = Figures::default();
        self.signals.iter().for_each(|figures| sum += *figures);
        let Figures { acknowledged, stored, lost, foreign, corrupt, .. } = sum;
        let (repeated, duplicates) = (self.repeated_logs(), sum.duplicates - self.repeated_logs());
        write!(f, "{}: seed {}: acked {acknowledged} stored {stored} ", self.run.test, self.run.seed)?;
        write!(f, "duplicates {duplicates} lost {lost} foreign {foreign} corrupt {corrupt} ")?;
        write!(f, "wrong summaries {} repeated logs {repeated}", self.wrong_summaries)
    }
}

impl Audit {
    /// Checks that everything acknowledged is stored, intact and once, and nothing that was never issued.
    pub(crate) fn assert_exact(&self) {
        self.assert_exact_but_for_repeated_logs();
        assert_eq!(self.repeated_logs(), 0, "log records are stored twice: {self}\n{:#?}", self.signals);
    }

    /// The same, for requests that came again in other groupings: a log record has no identity to know it by.
    pub(crate) fn assert_exact_but_for_repeated_logs(&self) {
        let wrong = |figures: &Figures| figures.lost + figures.foreign + figures.corrupt;
        let [traces, metrics, _] = &self.signals;
        let wrong = self.signals.iter().map(wrong).sum::<u64>() + traces.duplicates + metrics.duplicates;
        assert_eq!((wrong, self.wrong_summaries), (0, 0), "{self}\n{:#?}", self.signals);
    }

    /// Log records that are stored once more than they should be.
    fn repeated_logs(&self) -> u64 {
        self.signals[place(Signal::Logs)].duplicates
    }

    /// Different records that are stored.
    pub(crate) fn stored(&self) -> u64 {
        self.signals.iter().map(|figures| figures.stored).sum()
    }
}
