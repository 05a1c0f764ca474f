//! Taking over the steps of an earlier execution.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::StepRecord;
use super::steps::{read, write};
use crate::backend::query;
use crate::{Result, ids};

/// Steps that are held in memory at a time.
const BATCH: i64 = 100;

/// Copies the final steps of one execution that started before `before_sequence` into another of the same organization,
/// so that the other goes on behind them: a retry from a step. Gives how many there were.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when there is no execution `to`.
pub async fn copy_steps(
    tx: &impl ConnectionTrait,
    from: Uuid,
    to: Uuid,
    before_sequence: i64,
) -> Result<u64> {
    let sql = "SELECT s.* FROM execution_steps s JOIN executions t ON t.id = ? AND t.organization_id = s.organization_id \
               WHERE s.execution_id = ? AND s.sequence < ? AND s.status NOT IN ('running', 'waiting') \
               AND (s.sequence > ? OR (s.sequence = ? AND s.attempt > ?)) \
               ORDER BY s.sequence, s.attempt LIMIT ?";
    let (mut sequence, mut attempt) = (-1_i64, i64::MAX);
    let mut copied = 0;
    loop {
        let values = [
            to.into(),
            from.into(),
            before_sequence.into(),
            sequence.into(),
            sequence.into(),
            attempt.into(),
            BATCH.into(),
        ];
        let steps = query(tx, sql, values).await?.iter().map(read).collect::<Result<Vec<StepRecord>>>()?;
        let Some(last) = steps.last() else { return Ok(copied) };
        (sequence, attempt) = (last.sequence, last.attempt);
        copied += u64::try_from(steps.len()).unwrap_or_default();
        // A token resumes the execution that it was given out by.
        let copies: Vec<StepRecord> = steps
            .into_iter()
            .map(|step| StepRecord { id: ids::new_id(), execution_id: to, resume_token_hash: None, ..step })
            .collect();
        write(tx, copies.iter()).await?;
    }
}
