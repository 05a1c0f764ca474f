//! An execution that is not finished, and who works on it. The row goes when it is done.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An execution that is not finished, and who works on it. The row goes when it is done.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "execution_queue")]
pub struct Model {
    /// The execution.
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow, for its concurrency limit.
    pub workflow_id: Uuid,
    /// Higher goes first.
    pub priority: i64,
    /// ready: to be claimed; leased: a worker has it; waiting: for a time or a call.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Ready: not to be claimed before. Waiting: when to resume, far in the future if never by itself.
    pub run_at: DateTimeWithTimeZone,
    /// Executions with the same key run one at a time.
    #[sea_orm(column_type = "Text", nullable)]
    pub concurrency_key: Option<String>,
    /// How often it was claimed.
    pub attempt: i64,
    /// The worker that has it.
    #[sea_orm(column_type = "Text", nullable)]
    pub lease_owner: Option<String>,
    /// From when the worker is taken for lost.
    pub lease_until: Option<DateTimeWithTimeZone>,
    /// One more with every claim: a worker with an older one may write nothing.
    pub lease_token: i64,
    /// When it was made ready the first time.
    pub enqueued_at: DateTimeWithTimeZone,
    /// The row that `execution_id` refers to.
    #[sea_orm(belongs_to, from = "execution_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub executions: BelongsTo<super::executions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
