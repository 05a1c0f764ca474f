//! A user's membership of an organization, with the role.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A user's membership of an organization, with the role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "organization_members")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    #[sea_orm(unique_key = "uq_organization_members_organization_id_user_id")]
    pub organization_id: Uuid,
    /// The member.
    #[sea_orm(unique_key = "uq_organization_members_organization_id_user_id")]
    pub user_id: Uuid,
    /// What the member may do: owner, admin, member or viewer.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
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
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub users: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
