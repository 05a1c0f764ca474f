//! Lists, a page at a time.

use serde::Serialize;
use store::page::PageRequest;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to give as `after` for the next piece; null at the end of the list.
    #[schema(required)]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of the store with each row as the API shows it.
    pub fn of<R>(page: store::page::Page<R>, show: impl FnMut(R) -> T) -> Self {
        let page = page.map(show);
        Self { items: page.items, next: page.next.map(|cursor| cursor.to_string()) }
    }

    /// A list that always fits in one page.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Which piece of a list a query asks for.
///
/// # Errors
/// Names `limit` or `after`.
pub fn page_request(limit: Option<u64>, after: Option<&str>) -> Result<PageRequest, Problem> {
    let after = after
        .map(|text| {
            text.parse().map_err(|_| Problem::field("after", "is not a cursor that an earlier page gave out"))
        })
        .transpose()?;
    Ok(PageRequest::new(limit, after)?)
}
