//! Execution logs as users see them. Writing them is the business of [`crate::journal`].

use engine::node::LogLevel;
use entity::execution_logs;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::Result;
use crate::page::{Cursor, Direction, Page, PageRequest};

pub use entity::execution_logs::Model as ExecutionLog;

/// Which lines are wanted; `None` means all.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// At least as grave.
    pub level: Option<LogLevel>,
    /// Of this node.
    pub node_id: Option<String>,
    /// Of this step.
    pub step_id: Option<Uuid>,
}

/// The lines of an execution, the oldest first. Empty for an execution of another organization.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    filter: &LogFilter,
    page: PageRequest,
) -> Result<Page<ExecutionLog>> {
    let mut select = execution_logs::Entity::find()
        .filter(execution_logs::Column::ExecutionId.eq(execution_id))
        .filter(execution_logs::Column::OrganizationId.eq(organization_id));
    if let Some(least) = filter.level {
        let words = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error]
            .into_iter()
            .filter(|level| *level >= least)
            .map(LogLevel::as_str);
        select = select.filter(execution_logs::Column::Level.is_in(words));
    }
    if let Some(node_id) = &filter.node_id {
        select = select.filter(execution_logs::Column::NodeId.eq(node_id.replace('\0', "\u{fffd}")));
    }
    if let Some(step_id) = filter.step_id {
        select = select.filter(execution_logs::Column::StepId.eq(step_id));
    }
    let rows = page
        .apply(select, execution_logs::Column::Timestamp, execution_logs::Column::Id, Direction::OldestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, cursor))
}

/// The place of a line, from which a follower goes on although the list had no next page yet.
#[must_use]
pub fn cursor(log: &ExecutionLog) -> Cursor {
    Cursor::new(log.timestamp.to_utc(), log.id)
}
