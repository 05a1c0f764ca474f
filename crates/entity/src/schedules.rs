//! When a workflow runs: a cron expression in a time zone, and what to do about missed runs.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// When a workflow runs: a cron expression in a time zone, and what to do about missed runs.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow to run.
    pub workflow_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The trigger node it was derived from; null for one that was made by hand.
    #[sea_orm(column_type = "Text", nullable)]
    pub node_id: Option<String>,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Five Unix fields, or six with seconds first, or a nickname such as `@daily`.
    #[sea_orm(column_type = "Text")]
    pub cron_expression: String,
    /// The IANA time zone in which the expression is read.
    #[sea_orm(column_type = "Text")]
    pub timezone: String,
    /// The input of its executions.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub input_data: Option<Json>,
    /// Whether it fires.
    pub is_active: bool,
    /// It does not fire before; null for no bound.
    pub starts_at: Option<DateTimeWithTimeZone>,
    /// It does not fire from then on; null for no bound.
    pub ends_at: Option<DateTimeWithTimeZone>,
    /// For occurrences that nobody fired: skip, run_once or catch_up.
    #[sea_orm(column_type = "Text")]
    pub missed_run_policy: String,
    /// How many missed occurrences catch_up fires at most.
    pub max_catch_up: i64,
    /// When the last one still runs: allow, skip, queue or cancel_previous.
    #[sea_orm(column_type = "Text")]
    pub overlap_policy: String,
    /// Each occurrence is put off by a random time up to this.
    pub jitter_ms: i64,
    /// The next occurrence; null if there is none.
    pub next_run_at: Option<DateTimeWithTimeZone>,
    /// The latest occurrence that was fired.
    pub last_run_at: Option<DateTimeWithTimeZone>,
    /// How many occurrences were fired.
    pub run_count: i64,
    /// Why the latest occurrence could not be fired.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The rows of `executions` that refer to this one.
    #[sea_orm(has_many)]
    pub executions: HasMany<super::executions::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub workflows: BelongsTo<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
