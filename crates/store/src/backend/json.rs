//! Looking into JSON columns.

use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;
use serde_json::json;

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
