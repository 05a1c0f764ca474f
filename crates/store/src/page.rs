//! Keyset pages: a list is read in pieces that stay right while rows are added, and a late page costs what the first
//! one does.
//!
//! A list is ordered by a time and, where times are equal, by id. The cursor is the place of the last row that was
//! given out; it is opaque to clients, holds nothing secret and grants nothing: the next page is asked for with the
//! same organization as the first.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike as _, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::{Error, Result};

/// Rows of a page when the caller does not say.
pub const DEFAULT_LIMIT: u64 = 50;

/// Most rows of a page: a response stays small whatever is asked for.
pub const MAX_LIMIT: u64 = 200;

/// The place of a row in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    at: DateTime<Utc>,
    id: Uuid,
}

impl Cursor {
    /// The place of the row with this time and id.
    pub fn new(at: impl Into<DateTime<Utc>>, id: Uuid) -> Self {
        Self { at: at.into(), id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0u8; 24];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes: Option<[u8; 24]> =
            URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        let place = bytes.and_then(|bytes| {
            let (micros, id) = bytes.split_first_chunk::<8>()?;
            let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
            // No row is older or newer, and PostgreSQL cannot hold every moment that can be written here.
            (1..=9_999).contains(&at.year()).then_some(())?;
            Some(Self { at, id: Uuid::from_slice(id).ok()? })
        });
        place.ok_or_else(|| Error::invalid("cursor", "is not one that an earlier page gave out"))
    }
}

/// Which piece of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u64,
    after: Option<Cursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: None }
    }
}

impl PageRequest {
    /// At most `limit` rows after a place.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `limit` is not within 1 and [`MAX_LIMIT`].
    pub fn new(limit: Option<u64>, after: Option<Cursor>) -> Result<Self> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::invalid("limit", format!("{limit} is not within 1 and {MAX_LIMIT}")));
        }
        Ok(Self { limit, after })
    }

    /// Orders a query, puts it behind the cursor, and asks for one row more than the page has: that one tells
    /// whether there is another page.
    pub(crate) fn apply<E: EntityTrait>(
        self,
        select: Select<E>,
        time: E::Column,
        id: E::Column,
        direction: Direction,
    ) -> Select<E> {
        let order = match direction {
            Direction::NewestFirst => Order::Desc,
            Direction::OldestFirst => Order::Asc,
        };
        let mut select =
            select.order_by(time, order.clone()).order_by(id, order).limit(self.limit.saturating_add(1));
        if let Some(cursor) = self.after {
            // A row comparison, because it is what an index over (time, id) answers on both databases.
            let row: Expr = Expr::tuple([time.into_expr(), id.into_expr()]);
            let place = Expr::tuple([Expr::value(cursor.at.fixed_offset()), Expr::value(cursor.id)]);
            select = select.filter(match direction {
                Direction::NewestFirst => row.lt(place),
                Direction::OldestFirst => row.gt(place),
            });
        }
        select
    }

    /// Makes the page of what the query gave.
    pub(crate) fn page<T>(self, mut items: Vec<T>, place: impl Fn(&T) -> Cursor) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_more = items.len() > limit;
        items.truncate(limit);
        let next = if is_more { items.last().map(place) } else { None };
        Page { items, next }
    }
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    NewestFirst,
    OldestFirst,
}

/// A piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// Where the next piece starts; `None` when this is the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        let at = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        let cursor = Cursor::new(at, Uuid::from_u128(7));
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    }

    #[test]
    fn a_cursor_that_we_did_not_write_is_refused_with_a_reason() {
        let too_far = URL_SAFE_NO_PAD.encode([0x7f; 24]);
        for text in ["", "x", "!!!!", "AAAA", too_far.as_str()] {
            let error = text.parse::<Cursor>().unwrap_err();
            assert!(error.to_string().contains("cursor"), "{text}: {error}");
        }
    }

    #[test]
    fn a_limit_outside_the_bounds_is_refused() {
        assert!(PageRequest::new(Some(0), None).is_err());
        assert!(PageRequest::new(Some(MAX_LIMIT + 1), None).is_err());
        assert!(PageRequest::new(Some(MAX_LIMIT), None).is_ok());
        assert_eq!(PageRequest::new(None, None).unwrap(), PageRequest::default());
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let request = PageRequest::new(Some(2), None).unwrap();
        let place = |id: &u128| Cursor::new(DateTime::<Utc>::UNIX_EPOCH, Uuid::from_u128(*id));
        assert_eq!(request.page(vec![1u128, 2], place).next, None);
        let page = request.page(vec![1u128, 2, 3], place);
        assert_eq!((page.items, page.next), (vec![1, 2], Some(place(&2))));
    }
}
