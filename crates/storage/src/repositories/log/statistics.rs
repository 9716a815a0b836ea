//! Counts of log records.

use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;

use crate::error::Error;
use crate::models::column::{Int4, Int8, Varchar};
use crate::models::fields::Fields;
use crate::models::row::ReadRow;

/// The number of records of one service and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStatistics {
    /// Name of the service, or empty.
    pub service: Text,
    /// Severity of the records.
    pub severity: Severity,
    /// Number of records.
    pub count: i64,
}

impl ReadRow for LogStatistics {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            service: fields.take::<Varchar>("service_name")?,
            severity: Severity(fields.take::<Int4>("severity_number")?),
            count: fields.take::<Int8>("count")?,
        })
    }
}
