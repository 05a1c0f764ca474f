//! From descriptions to statements.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query;

use super::{Column, ColumnKind, Index, OnDelete, Table};

/// The rows of the organization that the transaction has named. The setting is empty, not null, once a pooled
/// connection has used it, hence the NULLIF.
const OWN_ROWS: &str = "organization_id = NULLIF(current_setting('app.organization_id', true), '')::uuid";

/// One step of a migration; each can be undone.
pub(crate) enum Change {
    /// A new table.
    Create(Table),
    /// A new column of a table that an earlier migration made, with an index on it if it is a foreign key.
    Add {
        /// The table.
        table: &'static str,
        /// The column; it allows null or has a default.
        column: Column,
    },
}

/// Makes the changes, in order.
pub(crate) async fn apply(manager: &SchemaManager<'_>, changes: Vec<Change>) -> Result<(), DbErr> {
    for change in changes {
        match change {
            Change::Create(table) => create(manager, &table).await?,
            Change::Add { table, column } => add(manager, table, &column).await?,
        }
    }
    Ok(())
}

/// Undoes the changes, the last one first.
pub(crate) async fn revert(manager: &SchemaManager<'_>, changes: Vec<Change>) -> Result<(), DbErr> {
    for change in changes.into_iter().rev() {
        match change {
            Change::Create(table) => {
                manager.drop_table(sea_query::Table::drop().table(table.name).to_owned()).await?;
            }
            Change::Add { table, column } => {
                if let Some(index) = Index::of_reference(table, &column) {
                    manager
                        .drop_index(sea_query::Index::drop().name(index.name).table(table).to_owned())
                        .await?;
                }
                let statement = sea_query::Table::alter().table(table).drop_column(column.name).to_owned();
                manager.alter_table(statement).await?;
            }
        }
    }
    Ok(())
}

async fn create(manager: &SchemaManager<'_>, table: &Table) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    let mut statement = sea_query::Table::create();
    statement.table(table.name);
    for column in &table.columns {
        statement.col(definition(column));
        for (name, expression) in checks(table.name, column, backend) {
            statement.check(sea_query::Check::named(Alias::new(name), Expr::cust(expression)));
        }
        if let Some(reference) = column.reference {
            statement.foreign_key(
                ForeignKey::create()
                    .name(format!("fk_{}_{}", table.name, column.name))
                    .from(table.name, column.name)
                    .to(reference.table, "id")
                    .on_delete(action(reference.on_delete)),
            );
        }
    }
    manager.create_table(statement).await?;
    for index in table.indexes.iter().filter(|index| !index.gin || backend == DbBackend::Postgres) {
        create_index(manager, table.name, index).await?;
    }
    if backend == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(&postgres_only(table)).await?;
    }
    Ok(())
}

/// `ALTER TABLE ... ADD COLUMN` with its constraints inline, which both databases accept; SQLite has no other way.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: &Column) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    let mut constraints = String::new();
    for (name, expression) in checks(table, column, backend) {
        constraints += &format!(" CONSTRAINT {name} CHECK ({expression})");
    }
    if let Some(reference) = column.reference {
        let action = match reference.on_delete {
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
        };
        constraints += &format!(
            " CONSTRAINT fk_{table}_{} REFERENCES {} (id) ON DELETE {action}",
            column.name, reference.table
        );
    }
    let mut definition = definition(column);
    definition.extra(constraints.trim_start().to_owned());
    manager.alter_table(sea_query::Table::alter().table(table).add_column(definition).to_owned()).await?;
    if let Some(index) = Index::of_reference(table, column) {
        create_index(manager, table, &index).await?;
    }
    if backend == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(&comment_on_column(table, column)).await?;
    }
    Ok(())
}

async fn create_index(manager: &SchemaManager<'_>, table: &'static str, index: &Index) -> Result<(), DbErr> {
    let mut statement = sea_query::Index::create();
    statement.name(&index.name).table(table);
    for column in &index.columns {
        match column.strip_suffix(" DESC") {
            Some(column) => statement.col((column, IndexOrder::Desc)),
            None => statement.col(*column),
        };
    }
    if index.unique {
        statement.unique();
    }
    if index.gin {
        statement.full_text();
    }
    if let Some(condition) = index.condition {
        statement.and_where(Expr::cust(condition));
    }
    manager.create_index(statement).await
}

fn definition(column: &Column) -> ColumnDef {
    let kind = match column.kind {
        ColumnKind::Uuid => ColumnType::Uuid,
        ColumnKind::Text => ColumnType::Text,
        ColumnKind::BigInt => ColumnType::BigInteger,
        ColumnKind::Boolean => ColumnType::Boolean,
        ColumnKind::Double => ColumnType::Double,
        ColumnKind::Timestamp => ColumnType::TimestampWithTimeZone,
        ColumnKind::Json => ColumnType::Json,
        ColumnKind::JsonBinary => ColumnType::JsonBinary,
        ColumnKind::Bytes => ColumnType::Blob,
    };
    let mut definition = ColumnDef::new_with_type(column.name, kind);
    if column.nullable {
        definition.null();
    } else {
        definition.not_null();
    }
    if column.primary {
        definition.primary_key();
    }
    if let Some(literal) = column.default {
        definition.default(Expr::cust(literal));
    }
    definition
}

/// Named rules of a column: its own, and on SQLite that a timestamp is in UTC.
fn checks(table: &str, column: &Column, backend: DbBackend) -> Vec<(String, String)> {
    let name = format!("ck_{table}_{}", column.name);
    let mut checks = Vec::new();
    if column.kind == ColumnKind::Timestamp && backend == DbBackend::Sqlite {
        checks.push((format!("{name}_utc"), format!("{} GLOB '????-??-??T??:??:??*+00:00'", column.name)));
    }
    if let Some(expression) = &column.check {
        checks.push((name, expression.clone()));
    }
    checks
}

fn action(on_delete: OnDelete) -> ForeignKeyAction {
    match on_delete {
        OnDelete::Cascade => ForeignKeyAction::Cascade,
        OnDelete::SetNull => ForeignKeyAction::SetNull,
    }
}

/// Comments, storage parameters and row-level security, as one batch of statements.
fn postgres_only(table: &Table) -> String {
    let name = table.name;
    let mut batch = format!("COMMENT ON TABLE {name} IS {};\n", literal(table.docs));
    for column in &table.columns {
        batch += &comment_on_column(name, column);
    }
    if let Some(parameters) = table.postgres_storage {
        batch += &format!("ALTER TABLE {name} SET ({parameters});\n");
    }
    if table.is_tenant_owned() {
        let shared = if table.shared_rows { "organization_id IS NULL OR " } else { "" };
        batch += &format!(
            "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;\n\
             CREATE POLICY tenant_isolation ON {name} USING ({shared}{OWN_ROWS}) WITH CHECK ({OWN_ROWS});\n"
        );
    }
    batch
}

fn comment_on_column(table: &str, column: &Column) -> String {
    format!("COMMENT ON COLUMN {table}.{} IS {};\n", column.name, literal(column.docs))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
