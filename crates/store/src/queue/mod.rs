//! Who may run which execution.
//!
//! [`enqueue`] writes an execution together with its row in `execution_queue`. A worker takes executions with
//! [`claim`] and holds them by a [`Lease`]: who, until when, and a token that is one higher with every claim.
//! Everything that a worker writes is conditional on that token, so one whose lease went to another can write nothing.
//! It extends its leases with [`heartbeat`]; [`requeue_lost`] gives executions whose lease has passed to others.
//! An execution that waits is [`suspend`]ed and comes back by time ([`resume_due`]), by a request
//! ([`resume_by_token`]), or because its children ended. The row goes when the execution is final.
//!
//! Every status goes through [`engine::execution::ExecutionStatus::next`]: the conditions of the statements are made
//! from it.

mod cancel;
mod claim;
mod end;
mod enqueue;
mod lease;
mod records;
mod rescue;
mod resume;
mod share;
mod suspend;
mod transition;
mod wake;

use sea_orm::QueryResult;

use crate::backend::query;
use crate::{Db, Result};

pub use cancel::{CancelOutcome, request_cancel};
pub(crate) use cancel::{Stopped, awaited, lock_with_awaited, stop};
pub use claim::claim;
pub use end::finish;
pub(crate) use end::{Ending, end};
pub use enqueue::enqueue;
pub(crate) use enqueue::enqueue_again;
pub(crate) use lease::release_held;
pub use lease::{heartbeat, release};
pub use records::{
    ClaimRequest, Claimed, Depth, Ended, ErrorSummary, Heartbeat, Held, Lease, NewExecution, Occurrence,
    Parent, Rescued, TriggerType,
};
pub use rescue::{requeue_lost, resume_due};
pub(crate) use resume::USED_TOKEN;
pub use resume::{Resumed, look_up_token, resume_by_token};
pub use suspend::suspend;
pub(crate) use suspend::{Suspension, suspend_held};

/// How many executions are in which state of the queue.
///
/// # Errors
/// Those of the database.
pub async fn depth(db: &Db) -> Result<Depth> {
    let sql =
        "SELECT state, count(*) AS executions, min(run_at) AS oldest FROM execution_queue GROUP BY state";
    let mut depth = Depth::default();
    for row in query(db.reader(), sql, []).await? {
        add(&mut depth, &row)?;
    }
    Ok(depth)
}

fn add(depth: &mut Depth, row: &QueryResult) -> Result<()> {
    let executions: i64 = row.try_get("", "executions")?;
    match row.try_get::<String>("", "state")?.as_str() {
        "ready" => {
            depth.ready = executions;
            depth.oldest_ready_at = row.try_get("", "oldest")?;
        }
        "leased" => depth.leased = executions,
        _ => depth.waiting = executions,
    }
    Ok(())
}
