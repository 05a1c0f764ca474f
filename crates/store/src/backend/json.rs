//! Writing JSON columns, and looking into them.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use serde_json::{Value, json};

/// A value for a `json` column, kept as it is: in the order of its keys, and with U+0000. The driver would hand it to
/// PostgreSQL as `jsonb`, which keeps neither.
pub(crate) fn as_written(backend: DbBackend, value: &Value) -> Expr {
    let text = Expr::value(value.to_string());
    match backend {
        DbBackend::Postgres => text.cast_as("json"),
        // A cast to a type that SQLite does not know would make a number of it.
        _ => text,
    }
}

/// Whether an array in a `jsonb` column holds a text. PostgreSQL answers it from the GIN index.
pub(crate) fn array_holds(backend: DbBackend, column: &str, text: &str) -> Expr {
    match backend {
        DbBackend::Postgres => Expr::cust_with_values(format!("{column} @> $1"), [json!([text])]),
        _ => Expr::cust_with_values(
            format!("EXISTS (SELECT 1 FROM json_each({column}) AS held WHERE held.value = ?)"),
            [text],
        ),
    }
}
