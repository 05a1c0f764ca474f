//! The log of an execution.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use engine::node::LogLevel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::execution_logs::{self, ExecutionLog, LogFilter};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::read::find_summary;
use crate::auth::{Access, Read};
use crate::http::Query;
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// A line of the log of an execution.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionLog)]
pub struct LogBody {
    id: Uuid,
    /// When.
    timestamp: DateTime<Utc>,
    /// How grave it is: `debug`, `info`, `warn` or `error`.
    level: String,
    message: String,
    /// More about it.
    #[schema(value_type = Option<Object>, required)]
    data: Option<Value>,
    /// The step that wrote it.
    #[schema(required)]
    step_id: Option<Uuid>,
    /// The node of that step.
    #[schema(required)]
    node_id: Option<String>,
    /// Its type.
    #[schema(required)]
    node_type: Option<String>,
}

impl From<ExecutionLog> for LogBody {
    fn from(log: ExecutionLog) -> Self {
        Self {
            id: log.id,
            timestamp: log.timestamp.to_utc(),
            level: log.level,
            message: log.message,
            data: log.data,
            step_id: log.step_id,
            node_id: log.node_id,
            node_type: log.node_type,
        }
    }
}

/// Which lines are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// At least as grave: `debug`, `info`, `warn`, `error`.
    #[param(value_type = Option<String>, example = "warn")]
    level: Option<LogLevel>,
    /// Of this node, by id.
    node_id: Option<String>,
    /// Of this step.
    step_id: Option<Uuid>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Read the log of an execution
///
/// The oldest line first.
#[utoipa::path(
    tag = "executions",
    params(LogQuery),
    responses((status = 200, description = "A page of lines", body = Page<LogBody>)),
)]
#[get("/executions/{id}/logs")]
pub(crate) async fn list_execution_logs(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
    query: Query<LogQuery>,
) -> Result<web::Json<Page<LogBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    find_summary(&state, access.organization_id, *id).await?;
    let filter = LogFilter { level: query.level, node_id: query.node_id, step_id: query.step_id };
    let lines = execution_logs::list(state.db.reader(), access.organization_id, *id, &filter, page).await?;
    Ok(web::Json(Page::of(lines, LogBody::from)))
}
