//! A file that was uploaded or that an execution made. The content is in the file store.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A file that was uploaded or that an execution made. The content is in the file store.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "files")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The execution that made it.
    pub execution_id: Option<Uuid>,
    /// Its name for people.
    #[sea_orm(column_type = "Text")]
    pub filename: String,
    /// Its media type, if known.
    #[sea_orm(column_type = "Text", nullable)]
    pub mime_type: Option<String>,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of the content, in hex.
    #[sea_orm(column_type = "Text", nullable)]
    pub sha256: Option<String>,
    /// The part of the store, with its own limits, such as `demo-videos`.
    #[sea_orm(column_type = "Text")]
    pub bucket: String,
    /// Where the content is within the store.
    #[sea_orm(column_type = "Text")]
    pub storage_path: String,
    /// Which store: `local` or an object store.
    #[sea_orm(column_type = "Text")]
    pub storage_provider: String,
    /// Anything else about it.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `execution_id` refers to.
    #[sea_orm(belongs_to, from = "execution_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub executions: BelongsTo<Option<super::executions::Entity>>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The rows of `reports` that refer to this one.
    #[sea_orm(has_many)]
    pub reports: HasMany<super::reports::Entity>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
