//! What a database says of its own schema, in the same words for both.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// Everything that the two databases have to agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// By `table.column`.
    pub(crate) columns: BTreeMap<String, ColumnFacts>,
    /// CHECK constraints, as `table.name`.
    pub(crate) checks: BTreeSet<String>,
    /// What a foreign key refers to and does, such as `users SET NULL`, by `table.column`. SQLite knows no names.
    pub(crate) references: BTreeMap<String, String>,
    /// Indexes, as `table.name`.
    pub(crate) indexes: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    pub(crate) kind: String,
    pub(crate) nullable: bool,
    pub(crate) default: Option<String>,
}

pub(crate) async fn read(db: &DatabaseConnection) -> Catalogue {
    match db.get_database_backend() {
        DbBackend::Sqlite => read_sqlite(db).await,
        _ => read_postgres(db).await,
    }
}

async fn read_sqlite(db: &DatabaseConnection) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let columns = "SELECT m.name AS table_name, c.name AS column_name, lower(c.type) AS kind, c.\"notnull\" = 0 AS nullable, \
                   c.dflt_value AS column_default FROM sqlite_master m, pragma_table_info(m.name) c \
                   WHERE m.type = 'table' AND m.name NOT IN ('seaql_migrations', 'sqlite_sequence')";
    for row in rows(db, columns).await {
        let kind: String = row.try_get("", "kind").unwrap();
        let kind = match kind.as_str() {
            "uuid_text" => "uuid",
            "integer" => "bigint",
            "double" => "double precision",
            "timestamp_with_timezone_text" => "timestamp with time zone",
            "json_text" => "json",
            "jsonb_text" => "jsonb",
            "blob" => "bytea",
            same => same,
        };
        catalogue.add_column(&row, kind);
    }
    for row in rows(db, "SELECT name AS table_name, sql FROM sqlite_master WHERE type = 'table'").await {
        let table: String = row.try_get("", "table_name").unwrap();
        let sql: String = row.try_get("", "sql").unwrap();
        for part in sql.split("CONSTRAINT ").skip(1) {
            let name = part.split_whitespace().next().unwrap().trim_matches('"');
            // Only SQLite needs to be told that a time is in UTC.
            if name.starts_with("ck_") && !name.ends_with("_utc") {
                catalogue.checks.insert(format!("{table}.{name}"));
            }
        }
    }
    let references = "SELECT m.name AS table_name, f.\"from\" AS column_name, \
                      f.\"table\" || ' ' || f.on_delete AS target \
                      FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
    catalogue.add_references(&rows(db, references).await);
    let indexes =
        "SELECT tbl_name AS table_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
    catalogue.add_indexes(rows(db, indexes).await);
    catalogue
}

async fn read_postgres(db: &DatabaseConnection) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let columns = "SELECT table_name::text, column_name::text, data_type::text AS kind, is_nullable = 'YES' AS nullable, \
                   column_default::text FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";
    for row in rows(db, columns).await {
        let kind: String = row.try_get("", "kind").unwrap();
        catalogue.add_column(&row, &kind);
    }
    let checks = "SELECT conrelid::regclass::text AS table_name, conname::text AS name FROM pg_constraint \
                  WHERE contype = 'c' AND connamespace = 'public'::regnamespace";
    for row in rows(db, checks).await {
        let table: String = row.try_get("", "table_name").unwrap();
        let name: String = row.try_get("", "name").unwrap();
        catalogue.checks.insert(format!("{table}.{name}"));
    }
    let references = "SELECT conrelid::regclass::text AS table_name, attname::text AS column_name, \
                      confrelid::regclass::text || CASE confdeltype WHEN 'c' THEN ' CASCADE' \
                      WHEN 'n' THEN ' SET NULL' ELSE ' NO ACTION' END AS target \
                      FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] \
                      WHERE contype = 'f' AND conname = 'fk_' || conrelid::regclass::text || '_' || attname";
    catalogue.add_references(&rows(db, references).await);
    let indexes = "SELECT tablename::text AS table_name, indexname::text AS name FROM pg_indexes \
                   WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' AND indexdef NOT LIKE '%USING gin%'";
    catalogue.add_indexes(rows(db, indexes).await);
    catalogue
}

impl Catalogue {
    fn add_column(&mut self, row: &sea_orm::QueryResult, kind: &str) {
        let table: String = row.try_get("", "table_name").unwrap();
        let column: String = row.try_get("", "column_name").unwrap();
        let default: Option<String> = row.try_get("", "column_default").unwrap();
        let facts = ColumnFacts {
            kind: kind.to_owned(),
            nullable: row.try_get("", "nullable").unwrap(),
            default: default.map(|default| plain(&default)),
        };
        self.columns.insert(format!("{table}.{column}"), facts);
    }

    fn add_references(&mut self, rows: &[sea_orm::QueryResult]) {
        for row in rows {
            let table: String = row.try_get("", "table_name").unwrap();
            let column: String = row.try_get("", "column_name").unwrap();
            let target: String = row.try_get("", "target").unwrap();
            self.references.insert(format!("{table}.{column}"), target);
        }
    }

    fn add_indexes(&mut self, rows: Vec<sea_orm::QueryResult>) {
        for row in rows {
            let table: String = row.try_get("", "table_name").unwrap();
            let name: String = row.try_get("", "name").unwrap();
            self.indexes.insert(format!("{table}.{name}"));
        }
    }
}

/// `'[]'::jsonb` on one is `'[]'` on the other, and `'300'::bigint` is `300`.
fn plain(default: &str) -> String {
    let default = default.split("::").next().unwrap_or_default();
    match default.trim_matches('\'').parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) => default.to_owned(),
    }
}

async fn rows(db: &DatabaseConnection, query: &str) -> Vec<sea_orm::QueryResult> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap()
}
