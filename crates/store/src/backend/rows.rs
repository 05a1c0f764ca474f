//! Many rows in one statement.
//!
//! [`Rows`] becomes a common table expression `v` in front of a statement, which inserts from it or joins it. On
//! PostgreSQL the columns travel as arrays and `UNNEST` turns them into rows: the text does not depend on their number,
//! so it is prepared once per connection. SQLite has no arrays; there the rows are a `VALUES` list, cut into lengths
//! that are powers of two, so that few texts have to be prepared.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use super::Backend;
use crate::text::refuse_deep;
use crate::{Error, Result};

/// Rows of one statement on PostgreSQL: more make it no faster.
const MAX_POSTGRES_ROWS: usize = 1_000;

/// Rows of one statement on SQLite; 64 rows of 40 columns stay far below its 32,766 parameters.
const MAX_SQLITE_ROWS: usize = 64;

/// Stands for NULL in a text array: the array type of the query builder cannot hold NULL. No JSON starts like it, and a
/// text of a user that equals it would be stored as NULL.
const NULL_TEXT: &str = "\u{1}\u{2}NULL\u{2}\u{1}";

/// Stands for NULL in an array of moments: the year 1.
const NULL_TIMESTAMP_SECS: i64 = -62_135_596_800;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Text,
    BigInt,
    Timestamp,
    /// A `json` column; the value is given as text.
    Json,
    /// A `jsonb` column; the value is given as text without `\u0000`.
    JsonBinary,
}

/// A column of the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// A column that is never null.
pub(crate) const fn required(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

/// A column that may be null.
pub(crate) const fn optional(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

/// Rows for one statement.
pub(crate) struct Rows<const N: usize> {
    columns: &'static [Column; N],
    rows: Vec<[Value; N]>,
}

impl<const N: usize> Rows<N> {
    pub(crate) fn new(columns: &'static [Column; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: [Value; N]) {
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// `INSERT INTO table (columns) SELECT columns FROM v`; a clause such as `ON CONFLICT` may follow.
    pub(crate) fn insert_into(&self, table: &str) -> String {
        let names = self.names();
        // Without a WHERE, SQLite reads the ON of ON CONFLICT as that of a join.
        format!("INSERT INTO {table} ({names}) SELECT {names} FROM v WHERE true")
    }

    /// Runs the statement behind `WITH v AS (...)`, in as many parts as the database needs, and counts changed rows.
    pub(crate) async fn execute(self, connection: &impl ConnectionTrait, body: &str) -> Result<u64> {
        let mut changed = 0;
        for statement in self.statements(Backend::of(connection), body) {
            changed += connection.execute_raw(statement).await?.rows_affected();
        }
        Ok(changed)
    }

    /// The same, for a statement that gives rows back.
    pub(crate) async fn query(
        self,
        connection: &impl ConnectionTrait,
        body: &str,
    ) -> Result<Vec<QueryResult>> {
        let mut rows = Vec::new();
        for statement in self.statements(Backend::of(connection), body) {
            rows.extend(connection.query_all_raw(statement).await?);
        }
        Ok(rows)
    }

    fn names(&self) -> String {
        self.columns.map(|column| column.name).join(", ")
    }

    fn statements(self, backend: Backend, body: &str) -> Vec<Statement> {
        let names = self.names();
        let columns = self.columns;
        let mut rows = self.rows.into_iter();
        let mut statements = Vec::new();
        while rows.len() > 0 {
            statements.push(match backend {
                Backend::Postgres => {
                    let part: Vec<[Value; N]> = rows.by_ref().take(MAX_POSTGRES_ROWS).collect();
                    let sql = format!("WITH RECURSIVE v({names}) AS ({}) {body}", unnest(columns));
                    Statement::from_sql_and_values(backend.sea_orm(), sql, transpose(columns, part))
                }
                Backend::Sqlite => {
                    let length = largest_power_of_two(rows.len().min(MAX_SQLITE_ROWS));
                    let row = format!("({})", vec!["?"; N].join(","));
                    let sql = format!(
                        "WITH RECURSIVE v({names}) AS (VALUES {}) {body}",
                        vec![row.as_str(); length].join(",")
                    );
                    let values: Vec<Value> = rows.by_ref().take(length).flatten().collect();
                    Statement::from_sql_and_values(backend.sea_orm(), sql, values)
                }
            });
        }
        statements
    }
}

fn largest_power_of_two(at_most: usize) -> usize {
    1 << at_most.ilog2()
}

fn unnest(columns: &[Column]) -> String {
    let selected: Vec<String> =
        columns.iter().enumerate().map(|(index, column)| select(index, *column)).collect();
    let arrays: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let kind = match column.kind {
                Kind::Uuid => "uuid",
                Kind::Text | Kind::Json | Kind::JsonBinary => "text",
                Kind::BigInt => "bigint",
                Kind::Timestamp => "timestamptz",
            };
            format!("${}::{kind}[]", index + 1)
        })
        .collect();
    let aliases: Vec<String> = (0..columns.len()).map(|index| format!("c{index}")).collect();
    format!("SELECT {} FROM UNNEST({}) AS u({})", selected.join(", "), arrays.join(", "), aliases.join(", "))
}

fn select(index: usize, column: Column) -> String {
    let value = if column.nullable {
        let null = match column.kind {
            Kind::Uuid => "'00000000-0000-0000-0000-000000000000'::uuid".to_owned(),
            Kind::Text | Kind::Json | Kind::JsonBinary => format!("'{NULL_TEXT}'"),
            Kind::BigInt => "'-9223372036854775808'::bigint".to_owned(),
            Kind::Timestamp => "'0001-01-01T00:00:00Z'::timestamptz".to_owned(),
        };
        format!("NULLIF(c{index}, {null})")
    } else {
        format!("c{index}")
    };
    match column.kind {
        Kind::Json => value + "::json",
        Kind::JsonBinary => value + "::jsonb",
        _ => value,
    }
}

fn transpose<const N: usize>(columns: &[Column; N], rows: Vec<[Value; N]>) -> Vec<Value> {
    let mut arrays: Vec<Vec<Value>> = (0..N).map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for ((array, value), column) in arrays.iter_mut().zip(row).zip(columns) {
            array.push(not_null(*column, value));
        }
    }
    let kinds = columns.iter().map(|column| match column.kind {
        Kind::Uuid => ArrayType::Uuid,
        Kind::Text | Kind::Json | Kind::JsonBinary => ArrayType::String,
        Kind::BigInt => ArrayType::BigInt,
        Kind::Timestamp => ArrayType::ChronoDateTimeUtc,
    });
    kinds.zip(arrays).map(|(kind, array)| Value::Array(kind, Some(Box::new(array)))).collect()
}

fn not_null(column: Column, value: Value) -> Value {
    match (column.kind, value) {
        (Kind::Uuid, Value::Uuid(None)) => Uuid::nil().into(),
        (Kind::Text | Kind::Json | Kind::JsonBinary, Value::String(None)) => NULL_TEXT.into(),
        (Kind::BigInt, Value::BigInt(None)) => i64::MIN.into(),
        (Kind::Timestamp, Value::ChronoDateTimeUtc(None)) => {
            DateTime::<Utc>::from_timestamp(NULL_TIMESTAMP_SECS, 0).unwrap_or_default().into()
        }
        (_, value) => value,
    }
}

/// A single column of ids, as `v(id)`.
pub(crate) fn ids(ids: impl IntoIterator<Item = Uuid>) -> Rows<1> {
    static ID: [Column; 1] = [required("id", Kind::Uuid)];
    let mut rows = Rows::new(&ID);
    ids.into_iter().for_each(|id| rows.push([id.into()]));
    rows
}

/// Text as both databases can hold it: U+FFFD instead of U+0000.
pub(crate) fn text(text: &str) -> Value {
    without_nul(text).into_owned().into()
}

/// The same for text that may be missing.
pub(crate) fn optional_text(value: Option<&str>) -> Value {
    value.map_or(Value::String(None), text)
}

/// A value for a `json` column. U+0000 stays, as an escape; what is nested too deep to be read back is refused.
pub(crate) fn json(field: &str, value: &serde_json::Value) -> Result<Value> {
    refuse_deep(field, value)?;
    let text = serde_json::to_string(value).map_err(|error| Error::invalid(field, error.to_string()))?;
    Ok(text.into())
}

/// The same for JSON that may be missing.
pub(crate) fn optional_json(field: &str, value: Option<&serde_json::Value>) -> Result<Value> {
    value.map_or(Ok(Value::String(None)), |value| json(field, value))
}

/// A value for a `jsonb` column, which refuses U+0000 even as an escape: U+FFFD stands in its place.
pub(crate) fn json_binary(field: &str, value: &serde_json::Value) -> Result<Value> {
    refuse_deep(field, value)?;
    let text = serde_json::to_string(value).map_err(|error| Error::invalid(field, error.to_string()))?;
    if !text.contains("\\u0000") {
        return Ok(text.into());
    }
    json(field, &clean(value))
}

fn clean(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => without_nul(text).into_owned().into(),
        Json::Array(values) => values.iter().map(clean).collect(),
        Json::Object(map) => {
            map.iter().map(|(key, value)| (without_nul(key).into_owned(), clean(value))).collect()
        }
        other => other.clone(),
    }
}

pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static COLUMNS: [Column; 2] = [required("id", Kind::BigInt), optional("note", Kind::Text)];

    fn rows(count: i64) -> Rows<2> {
        let mut rows = Rows::new(&COLUMNS);
        (0..count).for_each(|number| rows.push([number.into(), Value::String(None)]));
        rows
    }

    #[test]
    fn sqlite_gets_few_different_texts() {
        let mut texts = std::collections::BTreeSet::new();
        for count in 1..300 {
            let statements = rows(count).statements(Backend::Sqlite, "SELECT 1");
            let total: usize =
                statements.iter().map(|s| s.values.as_ref().map_or(0, |v| v.0.len() / 2)).sum();
            assert_eq!(total as i64, count);
            texts.extend(statements.into_iter().map(|statement| statement.sql));
        }
        assert_eq!(texts.len(), 7);
    }

    #[test]
    fn postgres_gets_one_text_for_any_number_of_rows() {
        let one = rows(1).statements(Backend::Postgres, "SELECT 1");
        let many = rows(2_500).statements(Backend::Postgres, "SELECT 1");
        assert_eq!(many.len(), 3);
        assert!(many.iter().all(|statement| statement.sql == one[0].sql));
    }

    #[test]
    fn a_nul_becomes_a_replacement_character_in_a_binary_json() {
        let value = json_binary("metadata", &json!({"a\0": ["\0", "\\u0000", 1]})).unwrap();
        assert_eq!(value, Value::from("{\"a\u{FFFD}\":[\"\u{FFFD}\",\"\\\\u0000\",1]}"));
    }
}
