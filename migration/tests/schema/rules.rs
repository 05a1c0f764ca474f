//! The rules that the database itself keeps: closed lists, bounds, and times in UTC.
//!
//! Rows are written as SQL with foreign keys put off and rolled back, so that each rule is tried alone.

use migration::schema::{Column, ColumnKind, Table};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, TransactionTrait};

use crate::databases::{on_each_database, on_sqlite};

#[tokio::test]
async fn a_closed_list_takes_its_values_and_no_others() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        for table in migration::tables() {
            for column in table.columns().iter().filter(|column| !column.allowed_values().is_empty()) {
                for value in column.allowed_values() {
                    insert(&db, &table, &[(column.name(), &format!("'{value}'"))]).await.unwrap();
                }
                refused(
                    &db,
                    &table,
                    column.name(),
                    "'nonsense'",
                    &format!("ck_{}_{}", table.name(), column.name()),
                )
                .await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_bound_refuses_what_is_beyond_it() {
    let beyond = [
        ("users", "email", "'Anna@example.org'"),
        ("schedules", "max_catch_up", "-1"),
        ("schedules", "jitter_ms", "-1"),
        ("webhooks", "tolerance_secs", "-1"),
        ("webhooks", "dedup_window_secs", "-1"),
        ("webhooks", "max_body_bytes", "0"),
        ("files", "size_bytes", "-1"),
        ("agents", "name", "''"),
        ("agent_chunks", "order_index", "-1"),
        ("insights", "score", "101"),
        ("demos", "name", "''"),
        ("demo_videos", "order_index", "-1"),
        ("demo_videos", "duration_seconds", "0"),
        ("knowledge_chunks", "content", "''"),
        ("conversation_messages", "confidence", "1.5"),
    ];
    on_each_database(move |fresh| async move {
        let db = fresh.migrated().await;
        let tables = migration::tables();
        for (table, column, value) in beyond {
            let table = tables.iter().find(|known| known.name() == table).unwrap();
            refused(&db, table, column, value, &format!("ck_{}_{column}", table.name())).await;
        }
        let open = tables
            .iter()
            .flat_map(Table::columns)
            .filter(|c| c.is_checked() && c.allowed_values().is_empty());
        assert_eq!(open.count(), beyond.len(), "a bound is not tried");
    })
    .await;
}

#[tokio::test]
async fn sqlite_refuses_a_time_that_is_not_in_utc() {
    on_sqlite(|fresh| async move {
        let db = fresh.migrated().await;
        for table in migration::tables() {
            for column in table.columns().iter().filter(|column| column.kind() == ColumnKind::Timestamp) {
                let name = format!("ck_{}_{}_utc", table.name(), column.name());
                refused(&db, &table, column.name(), "'2026-01-01T12:00:00+01:00'", &name).await;
                refused(&db, &table, column.name(), "'2026-01-01 12:00:00'", &name).await;
                let precise = [(column.name(), "'2026-01-01T12:00:00.123456+00:00'")];
                insert(&db, &table, &precise).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_occurrence_of_a_schedule_has_one_execution() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tables = migration::tables();
        let executions = tables.iter().find(|table| table.name() == "executions").unwrap();
        let backend = db.get_database_backend();
        let schedule = uuid(backend, 7);
        let [first, retry, second] = [1, 2, 3].map(|number| uuid(backend, number));
        let time = "'2026-01-01T12:00:00+00:00'";
        let row = |id, kind| {
            statement(
                backend,
                executions,
                &[
                    ("id", id),
                    ("schedule_id", schedule.as_str()),
                    ("scheduled_for", time),
                    ("trigger_type", kind),
                ],
            )
        };
        let transaction = unchecked(&db).await;
        transaction.execute_unprepared(&row(first.as_str(), "'schedule'")).await.unwrap();
        // A retry of the occurrence is another execution of it, and allowed.
        transaction.execute_unprepared(&row(retry.as_str(), "'retry'")).await.unwrap();
        transaction.execute_unprepared(&row(second.as_str(), "'schedule'")).await.unwrap_err();
        transaction.rollback().await.unwrap();
    })
    .await;
}

async fn refused(db: &DatabaseConnection, table: &Table, column: &str, value: &str, constraint: &str) {
    let error = insert(db, table, &[(column, value)]).await.unwrap_err().to_string();
    assert!(error.contains(constraint), "{}.{column} = {value}: {error}", table.name());
}

/// Inserts a valid row with the given differences, and takes it back.
async fn insert(
    db: &DatabaseConnection,
    table: &Table,
    differences: &[(&str, &str)],
) -> Result<(), sea_orm::DbErr> {
    let transaction = unchecked(db).await;
    let outcome =
        transaction.execute_unprepared(&statement(db.get_database_backend(), table, differences)).await;
    transaction.rollback().await.unwrap();
    outcome.map(|_| ())
}

/// A transaction in which a foreign key may point nowhere.
async fn unchecked(db: &DatabaseConnection) -> sea_orm::DatabaseTransaction {
    let transaction = db.begin().await.unwrap();
    let put_off = match db.get_database_backend() {
        DbBackend::Sqlite => "PRAGMA defer_foreign_keys = ON",
        _ => "SET LOCAL session_replication_role = replica",
    };
    transaction.execute_unprepared(put_off).await.unwrap();
    transaction
}

fn statement(backend: DbBackend, table: &Table, differences: &[(&str, &str)]) -> String {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in table.columns() {
        let given =
            differences.iter().find(|(name, _)| *name == column.name()).map(|(_, value)| (*value).to_owned());
        let needed = !column.is_nullable() && !column.has_default();
        if let Some(value) = given.or_else(|| needed.then(|| sample(backend, column))) {
            names.push(column.name());
            values.push(value);
        }
    }
    format!("INSERT INTO {} ({}) VALUES ({})", table.name(), names.join(", "), values.join(", "))
}

fn sample(backend: DbBackend, column: &Column) -> String {
    match column.kind() {
        ColumnKind::Uuid => uuid(backend, 1),
        ColumnKind::Text => format!("'{}'", column.allowed_values().first().unwrap_or(&"x")),
        ColumnKind::BigInt => "1".to_owned(),
        ColumnKind::Boolean => "true".to_owned(),
        ColumnKind::Double => "0.5".to_owned(),
        ColumnKind::Timestamp => "'2026-01-01T12:00:00+00:00'".to_owned(),
        ColumnKind::Json | ColumnKind::JsonBinary => "'{}'".to_owned(),
        ColumnKind::Bytes if backend == DbBackend::Sqlite => "x'00'".to_owned(),
        ColumnKind::Bytes => "'\\x00'".to_owned(),
    }
}

fn uuid(backend: DbBackend, number: u128) -> String {
    match backend {
        DbBackend::Sqlite => format!("x'{number:032x}'"),
        _ => format!("'{number:032x}'"),
    }
}
