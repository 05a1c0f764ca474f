//! Going on because somebody called.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::wake::{Cause, wake};
use crate::Result;
use crate::backend::rows::json;
use crate::backend::{Backend, execute, lock, query};

/// Put before the hash of a token that was used. The request itself is JSON that may hold U+0000, into which PostgreSQL
/// does not look, so the mark that it has come is here.
pub(crate) const USED_TOKEN: &str = "used:";

/// What became of a call that is to resume an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// The execution goes on.
    Yes {
        /// The execution.
        execution_id: Uuid,
        /// The organization that owns it.
        organization_id: Uuid,
    },
    /// An earlier call, or the time that the step waited for, was first; or the execution has ended.
    Already {
        /// The execution.
        execution_id: Uuid,
    },
    /// No step has or had this token.
    Unknown,
}

/// Hands `item`, the request, to the step that waits for this token, and makes its execution ready. However many calls
/// come at once, one gets [`Resumed::Yes`]. The request is in `context.request` of the step, for the worker that goes
/// on. Whoever calls it commits, and then notifies [`crate::Topic::Queue`].
///
/// # Errors
/// [`crate::Error::Invalid`] when the request is nested too deep; those of the database.
pub async fn resume_by_token(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    token_hash: &str,
    item: Json,
) -> Result<Resumed> {
    let Some(step) = find(tx, token_hash).await? else { return Ok(Resumed::Unknown) };
    let execution_id = step.execution_id;
    // The lock orders this call among others, and before or after the suspension.
    let locked = lock::queue_rows(tx, &[execution_id], lock::Parents::None).await?;
    let Some(step) = find(tx, token_hash).await? else { return Ok(Resumed::Unknown) };
    let is_past = step.resume_at.is_some_and(|resume_at| resume_at <= now);
    if locked.is_empty() || step.is_used || is_past || step.status != "waiting" {
        return Ok(Resumed::Already { execution_id });
    }
    let mut context = match step.context {
        Some(Json::Object(context)) => context,
        _ => Map::new(),
    };
    context.insert("request".to_owned(), item);
    let cast = match Backend::of(tx) {
        Backend::Sqlite => "",
        Backend::Postgres => "::json",
    };
    let sql = format!("UPDATE execution_steps SET context = ?{cast}, resume_token_hash = ? WHERE id = ?");
    let used = format!("{USED_TOKEN}{token_hash}");
    execute(tx, &sql, [json("context", &Json::Object(context))?, used.into(), step.id.into()]).await?;
    // If it is not waiting yet, its worker is about to suspend it, and will find the request.
    wake(tx, now, &[execution_id], Cause::Certain).await?;
    Ok(Resumed::Yes { execution_id, organization_id: step.organization_id })
}

struct Step {
    id: Uuid,
    organization_id: Uuid,
    execution_id: Uuid,
    status: String,
    context: Option<Json>,
    resume_at: Option<DateTime<Utc>>,
    is_used: bool,
}

/// What a call with this token would come to now, without changing anything.
///
/// # Errors
/// Those of the database.
pub async fn look_up_token(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    token_hash: &str,
) -> Result<Resumed> {
    let Some(step) = find(db, token_hash).await? else { return Ok(Resumed::Unknown) };
    let (execution_id, organization_id) = (step.execution_id, step.organization_id);
    if step.is_used || step.status != "waiting" || step.resume_at.is_some_and(|resume_at| resume_at <= now) {
        return Ok(Resumed::Already { execution_id });
    }
    Ok(Resumed::Yes { execution_id, organization_id })
}

async fn find(tx: &impl ConnectionTrait, token_hash: &str) -> Result<Option<Step>> {
    let sql = "SELECT id, organization_id, execution_id, status, context, resume_at, resume_token_hash FROM execution_steps \
               WHERE resume_token_hash IS NOT NULL AND resume_token_hash IN (?, ?)";
    let values = [token_hash.into(), format!("{USED_TOKEN}{token_hash}").into()];
    let rows = query(tx, sql, values).await?;
    // A token that was copied into a retry belongs to the step that waits.
    let steps = rows.iter().map(read).collect::<Result<Vec<Step>>>()?;
    Ok(steps.into_iter().max_by_key(|step| (step.status == "waiting", !step.is_used, step.id)))
}

fn read(row: &QueryResult) -> Result<Step> {
    Ok(Step {
        id: row.try_get("", "id")?,
        organization_id: row.try_get("", "organization_id")?,
        execution_id: row.try_get("", "execution_id")?,
        status: row.try_get("", "status")?,
        context: row.try_get("", "context")?,
        resume_at: row.try_get("", "resume_at")?,
        is_used: row.try_get::<String>("", "resume_token_hash")?.starts_with(USED_TOKEN),
    })
}
