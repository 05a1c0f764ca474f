//! Making executions that wait ready again.

use chrono::{DateTime, Utc};
use engine::execution::Event;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::USED_TOKEN;
use super::lease::make_pending;
use super::transition::open;
use crate::Result;
use crate::backend::rows::{Column, Kind, Rows, required};
use crate::clock::truncate;

/// What an execution waits for. The conditions are about its queue row `q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The children of a waiting step have ended, or were deleted.
    Children,
    /// Anything: the children, a request, its time, a wish to cancel it.
    Any,
    /// It is certain already.
    Certain,
}

impl Cause {
    pub(super) fn condition(self) -> String {
        match self {
            Self::Children => children(),
            Self::Certain => "true".to_owned(),
            Self::Any => format!(
                "q.run_at <= v.v_now \
                 OR EXISTS (SELECT 1 FROM executions e WHERE e.id = q.execution_id AND e.cancel_requested_at IS NOT NULL) \
                 OR EXISTS (SELECT 1 FROM execution_steps s WHERE s.execution_id = q.execution_id \
                            AND s.status = 'waiting' AND s.resume_token_hash LIKE '{USED_TOKEN}%') \
                 OR {}",
                children()
            ),
        }
    }
}

fn children() -> String {
    let of_step =
        "SELECT 1 FROM executions c WHERE c.parent_execution_id = q.execution_id AND c.parent_step_id = s.id";
    format!(
        "EXISTS (SELECT 1 FROM execution_steps s WHERE s.execution_id = q.execution_id AND s.status = 'waiting' \
         AND (s.child_execution_id IS NOT NULL OR EXISTS ({of_step})) \
         AND NOT EXISTS ({of_step} AND c.status IN ({})))",
        open()
    )
}

/// Makes those executions ready that wait and for which `cause` is true, and gives their ids. Their queue rows are
/// locked: whoever makes the cause true and whoever suspends both look under that lock, so that none waits for ever.
pub(super) async fn wake(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[Uuid],
    cause: Cause,
) -> Result<Vec<Uuid>> {
    static COLUMNS: [Column; 2] = [required("v_id", Kind::Uuid), required("v_now", Kind::Timestamp)];
    let now = truncate(now);
    let mut rows = Rows::new(&COLUMNS);
    executions.iter().for_each(|id| rows.push([(*id).into(), now.into()]));
    let body = format!(
        ", picked AS (SELECT q.execution_id FROM execution_queue q JOIN v ON v.v_id = q.execution_id \
         WHERE q.state = 'waiting' AND ({})) \
         UPDATE execution_queue AS q SET state = 'ready', run_at = v.v_now FROM v \
         WHERE q.execution_id = v.v_id AND q.execution_id IN (SELECT p.execution_id FROM picked p) \
         RETURNING execution_id",
        cause.condition()
    );
    let mut woken = Vec::new();
    for row in rows.query(tx, &body).await? {
        woken.push(row.try_get("", "execution_id")?);
    }
    make_pending(tx, &woken, Event::Resumed).await?;
    Ok(woken)
}
