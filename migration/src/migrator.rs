//! The list of migrations, and what a program does with it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;
use sea_orm_migration::seaql_migrations;

use crate::lock;
use crate::schema::{Change, Table};
use crate::{
    m20261120_000001_identity as identity, m20261120_000002_workflows as workflows,
    m20261120_000003_triggers as triggers, m20261120_000004_running as running,
    m20261120_000005_integrations as integrations, m20261120_000006_chat as chat,
    m20261120_000007_agents as agents, m20261120_000008_reports as reports, m20261120_000009_demos as demos,
    m20261120_000010_operation as operation,
};

/// All migrations, the oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(identity::Migration),
            Box::new(workflows::Migration),
            Box::new(triggers::Migration),
            Box::new(running::Migration),
            Box::new(integrations::Migration),
            Box::new(chat::Migration),
            Box::new(agents::Migration),
            Box::new(reports::Migration),
            Box::new(demos::Migration),
            Box::new(operation::Migration),
        ]
    }
}

/// The tables as they are after all migrations, in the order of their making.
pub fn tables() -> Vec<Table> {
    let changes = [
        identity::changes(),
        workflows::changes(),
        triggers::changes(),
        running::changes(),
        integrations::changes(),
        chat::changes(),
        agents::changes(),
        reports::changes(),
        demos::changes(),
        operation::changes(),
    ];
    let mut tables: Vec<Table> = Vec::new();
    for change in changes.into_iter().flatten() {
        match change {
            Change::Create(table) => tables.push(table),
            Change::Add { table, column } => {
                if let Some(table) = tables.iter_mut().find(|known| known.name() == table) {
                    table.add(column);
                }
            }
        }
    }
    tables
}

/// Applies every migration that is pending. Any number of processes may call it at once: one does the work, the
/// others wait and find nothing to do. All or nothing: a migration that fails leaves the database as it was.
pub async fn up_locked(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = lock::acquire(db).await?;
    Migrator::up(&lock, None).await?;
    lock.commit().await
}

/// Undoes the latest `count` migrations, or all, under the same lock.
pub async fn down_locked(db: &DatabaseConnection, count: Option<u32>) -> Result<(), DbErr> {
    let lock = lock::acquire(db).await?;
    Migrator::down(&lock, count).await?;
    lock.commit().await
}

/// Undoes all migrations and applies them again, under the same lock.
pub async fn refresh_locked(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = lock::acquire(db).await?;
    Migrator::down(&lock, None).await?;
    Migrator::up(&lock, None).await?;
    lock.commit().await
}

/// Drops our tables, whatever state they are in, and applies all migrations, under the same lock. Unlike SeaORM's
/// own `fresh` it leaves alone what else is in the database.
pub async fn fresh_locked(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = lock::acquire(db).await?;
    let manager = SchemaManager::new(&lock);
    for table in tables().iter().rev() {
        drop_if_exists(&manager, table.name()).await?;
    }
    drop_if_exists(&manager, seaql_migrations::Entity.unquoted()).await?;
    Migrator::up(&lock, None).await?;
    lock.commit().await
}

/// The names of the migrations that the database lacks. It changes nothing: services ask it at their start. It fails
/// if the database has migrations that this program does not know, which means that it is older than the database.
pub async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let pending = Migrator::get_pending_migrations_read_only(db).await?;
    Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
}

async fn drop_if_exists(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    manager.drop_table(sea_query::Table::drop().table(table).if_exists().cascade().to_owned()).await
}
