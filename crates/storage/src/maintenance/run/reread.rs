//! Reads stored spans again by the dialects of now, trace by trace, with their log records.

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::batch::Batch;
use super::piece::Piece;
use super::stretch::Cursor;
use crate::config::SettlingConfig;
use crate::error::Error;
use crate::maintenance::settling::{Again, Days, Trace, settle_noting};
use crate::statement::Statement;
use crate::writers::Notes;

/// The next traces behind the key `$5` to `$7`, on the days `$3` to `$4`. Writers lock traces in this order too.
static LOOK: Statement = Statement::fixed(
    "reread: look",
    "SELECT trace_id, day - '1970-01-01'::date, project_id, span_count FROM traces \
     WHERE day BETWEEN '1970-01-01'::date + $3::integer AND '1970-01-01'::date + $4::integer \
       AND (trace_id, day, project_id) > ($5, '1970-01-01'::date + $6::integer, $7) \
       AND ($1::integer IS NULL OR project_id = $1) ORDER BY trace_id, day, project_id LIMIT $2",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOOK];

pub(super) async fn batch(piece: Piece<'_>, config: &SettlingConfig) -> Result<Batch, Error> {
    let Piece { connection, limit, .. } = piece;
    let mut batch = Batch::default();
    let mut notes = Notes::default();
    for (trace, day, spans) in look(piece).await? {
        // A trace of many spans has a transaction of its own, so that no transaction is much longer than one trace needs.
        if batch.done > 0 && batch.done + spans > u64::from(limit) {
            break;
        }
        let days = Days::Between(day, day);
        let settled = settle_noting(connection, trace, days, Again::All, config, &mut notes).await?;
        batch.done += spans;
        batch.changed += settled.changed;
        batch.next = Some(Cursor::Trace(trace.trace_id, day, trace.project_id));
    }
    // As a writer does: first the locks of all traces, then the notes.
    notes.write(connection).await?;
    Ok(batch)
}

async fn look(piece: Piece<'_>) -> Result<Vec<(Trace, Day, u64)>, Error> {
    let (Day(first), Day(last)) = piece.stretch.days();
    // No trace has the id of zeros, so all rows lie behind it.
    let (trace, day, project) = match piece.cursor {
        Cursor::Trace(trace, Day(day), ProjectId(project)) => (trace.uuid(), day, project),
        Cursor::Start(..) | Cursor::Span(_) | Cursor::Log(..) => (Uuid::nil(), first, 0),
    };
    let others: [(&(dyn ToSql + Sync), Type); 5] = [
        (&first, Type::INT4),
        (&last, Type::INT4),
        (&trace, Type::UUID),
        (&day, Type::INT4),
        (&project, Type::INT4),
    ];
    let rows = piece.look(&LOOK, &others).await?;
    let read = |row: &tokio_postgres::Row| {
        let trace = Trace { trace_id: TraceId::from_uuid(row.get(0)), project_id: ProjectId(row.get(2)) };
        (trace, Day(row.get(1)), row.get::<_, i64>(3).unsigned_abs())
    };
    Ok(rows.iter().map(read).collect())
}
