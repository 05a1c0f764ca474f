//! Asking for page after page.

use std::collections::HashSet;

use engine::node::NodeError;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fields::as_text;
use super::parameters::{Body, HttpRequestParameters};
use crate::egress::Response;

/// Most pages that may be asked for.
const MOST_PAGES: u32 = 10_000;

/// How to get from a page to the next, and when to stop.
///
/// It stops at the first of these: there is no next page, the list under `items` is empty (or, with `next.limit`,
/// shorter than that), `stopWhen` is met, `maxPages` is reached.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pagination {
    /// How the next page is asked for.
    pub next: Next,
    /// JSON pointer (`/data/items`) to the list of a page; the whole body where it is empty.
    #[serde(default)]
    pub items: String,
    /// Another sign that a page is the last.
    #[serde(default)]
    pub stop_when: StopWhen,
    /// Most pages.
    #[serde(default = "default_max_pages")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_pages: u32,
    /// Pause between two pages, in milliseconds.
    #[serde(default)]
    #[schemars(range(max = 3_600_000))]
    pub interval_ms: u64,
}

/// How the next page is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Next {
    /// By the `Link` header's `rel="next"`.
    LinkHeader {},
    /// By a URL in the response.
    Url {
        /// JSON pointer to it, for example `/next`.
        pointer: String,
    },
    /// By a page number.
    Page {
        /// The name of the parameter.
        parameter: String,
        /// Where the parameter is set.
        #[serde(default)]
        set_in: Place,
        /// The first page.
        #[serde(default = "one")]
        start: u64,
        /// Elements of a full page, where they are known: a shorter one is the last.
        #[serde(default)]
        limit: Option<u64>,
    },
    /// By the number of elements to skip.
    Offset {
        /// The name of the parameter.
        parameter: String,
        /// Where the parameter is set.
        #[serde(default)]
        set_in: Place,
        /// The first offset.
        #[serde(default)]
        start: u64,
        /// Elements of a full page: the offset grows by the elements that came, and a shorter page is the last.
        #[serde(default)]
        limit: Option<u64>,
    },
    /// By a cursor or token of the response.
    Cursor {
        /// The name of the parameter.
        parameter: String,
        /// Where the parameter is set.
        #[serde(default)]
        set_in: Place,
        /// JSON pointer to the cursor in the response, for example `/meta/nextCursor`.
        pointer: String,
    },
}

/// Where a parameter is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// In the query.
    #[default]
    Query,
    /// In a header.
    Header,
    /// In the body: a property of JSON, or a form field.
    Body,
}

/// Signs that a page is the last.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StopWhen {
    /// The response has one of these statuses; it is then no error and gives no items.
    pub status: Vec<u16>,
    /// JSON pointer to a value that is true (not false, null, 0, empty or missing) while there are more pages.
    pub has_more: Option<String>,
}

impl Pagination {
    /// What the types cannot say, as `(path, message)`.
    pub(super) fn check(&self, body: &Body) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut pointer = |path: &str, pointer: &str| {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                problems.push((
                    format!("pagination.{path}"),
                    "must be a JSON pointer: empty, or starting with /".to_owned(),
                ));
            }
        };
        pointer("items", &self.items);
        if let Some(has_more) = &self.stop_when.has_more {
            pointer("stopWhen.hasMore", has_more);
        }
        if let Next::Url { pointer: next } | Next::Cursor { pointer: next, .. } = &self.next {
            pointer("next.pointer", next);
        }
        if let Next::Page { parameter, set_in, .. }
        | Next::Offset { parameter, set_in, .. }
        | Next::Cursor { parameter, set_in, .. } = &self.next
        {
            if parameter.is_empty() {
                problems.push(("pagination.next.parameter".to_owned(), "must not be empty".to_owned()));
            }
            if *set_in == Place::Body && !matches!(body, Body::Json { .. } | Body::Form { .. }) {
                problems.push(("pagination.next.setIn".to_owned(), "needs a json or form body".to_owned()));
            }
        }
        if !(1..=MOST_PAGES).contains(&self.max_pages) {
            problems.push(("pagination.maxPages".to_owned(), format!("must be between 1 and {MOST_PAGES}")));
        }
        if self.interval_ms > 3_600_000 {
            problems
                .push(("pagination.intervalMs".to_owned(), "must be at most 3600000 (one hour)".to_owned()));
        }
        problems
    }
}

/// Where the paging of one input item stands.
pub(super) struct Pager<'p> {
    pagination: &'p Pagination,
    pages: u32,
    skipped: u64,
    next_url: Option<Url>,
    cursor: Option<Value>,
    seen: HashSet<String>,
}

/// What to do after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for another.
    More,
    /// There is none.
    End,
    /// There may be more, but `maxPages` is reached.
    Full,
}

impl<'p> Pager<'p> {
    pub(super) fn new(pagination: &'p Pagination) -> Self {
        Self { pagination, pages: 0, skipped: 0, next_url: None, cursor: None, seen: HashSet::new() }
    }

    /// The URL of the next page, where the last one named it.
    pub(super) fn url(&self) -> Option<&Url> {
        self.next_url.as_ref()
    }

    /// Whether this status means the end and no error.
    pub(super) fn ends_at(&self, response: &Response) -> bool {
        self.pagination.stop_when.status.contains(&response.status.as_u16())
    }

    /// Sets the parameter that asks for the next page.
    pub(super) fn prepare(&self, parameters: &mut HttpRequestParameters) -> Result<(), NodeError> {
        let (name, place, value) = match &self.pagination.next {
            Next::LinkHeader {} | Next::Url { .. } => return Ok(()),
            Next::Page { parameter, set_in, start, .. } => {
                (parameter, *set_in, json!(start.saturating_add(self.pages.into())))
            }
            Next::Offset { parameter, set_in, start, .. } => {
                (parameter, *set_in, json!(start.saturating_add(self.skipped)))
            }
            Next::Cursor { parameter, set_in, .. } => match &self.cursor {
                Some(cursor) => (parameter, *set_in, cursor.clone()),
                None => return Ok(()),
            },
        };
        match place {
            Place::Query => parameters.query.set(name, value),
            Place::Header => parameters.headers.set(name, as_text(&value).into()),
            Place::Body => match &mut parameters.body {
                Body::Form { fields } => fields.set(name, value),
                Body::Json { value: Value::Object(body) } => drop(body.insert(name.clone(), value)),
                _ => {
                    return Err(NodeError::parameter(
                        "pagination.next.setIn",
                        "needs a form body or a JSON object",
                    ));
                }
            },
        }
        Ok(())
    }

    /// Looks at a page and decides. `body` is its JSON, null where it is none.
    pub(super) fn advance(&mut self, response: &Response, body: &Value) -> Result<Step, NodeError> {
        self.pages += 1;
        let count = match body.pointer(&self.pagination.items) {
            Some(Value::Array(list)) => Some(list.len() as u64),
            _ => None,
        };
        if count == Some(0) {
            return Ok(Step::End);
        }
        if let Some(pointer) = &self.pagination.stop_when.has_more
            && !body.pointer(pointer).is_some_and(is_truthy)
        {
            return Ok(Step::End);
        }
        let found = match &self.pagination.next {
            Next::LinkHeader {} => self.go_to(link_next(response), response)?,
            Next::Url { pointer } => {
                let next = body.pointer(pointer).filter(|next| is_truthy(next)).map(as_text);
                self.go_to(next, response)?
            }
            Next::Page { limit, .. } => self.count_on(count, *limit, response)?,
            Next::Offset { limit, .. } => {
                self.skipped = self.skipped.saturating_add(count.or(*limit).unwrap_or(0));
                self.count_on(count, *limit, response)?
            }
            Next::Cursor { pointer, .. } => {
                self.cursor = body.pointer(pointer).filter(|cursor| is_truthy(cursor)).cloned();
                let cursor = self.cursor.as_ref().map(as_text);
                cursor.map(|cursor| self.not_again(cursor)).transpose()?.is_some()
            }
        };
        Ok(match found {
            false => Step::End,
            true if self.pages >= self.pagination.max_pages => Step::Full,
            true => Step::More,
        })
    }

    /// Whether counting on can bring more: a list came, and it was not shorter than a full page.
    fn count_on(
        &self,
        count: Option<u64>,
        limit: Option<u64>,
        response: &Response,
    ) -> Result<bool, NodeError> {
        match count {
            Some(count) => Ok(limit.is_none_or(|limit| count >= limit)),
            // Without a list nothing would ever say stop, except a body that is empty.
            None if response.body.is_empty() => Ok(false),
            None => Err(NodeError::fatal(
                "http_pagination",
                format!(
                    "there is no list at {:?} of the response; set pagination.items to where it is",
                    self.pagination.items
                ),
            )),
        }
    }

    fn go_to(&mut self, next: Option<String>, response: &Response) -> Result<bool, NodeError> {
        let Some(next) = next else { return Ok(false) };
        let url = response.url.join(&next);
        let url = url.map_err(|_| {
            NodeError::fatal("http_pagination", "the response names a next page that is no URL")
        })?;
        self.not_again(url.to_string())?;
        self.next_url = Some(url);
        Ok(true)
    }

    /// A server that names the same next page twice would keep us forever.
    fn not_again(&mut self, page: String) -> Result<(), NodeError> {
        if self.seen.insert(page) {
            return Ok(());
        }
        Err(NodeError::fatal("http_pagination", "the response names a next page that was already read"))
    }
}

/// The target of `rel="next"` in the `Link` headers (RFC 8288).
fn link_next(response: &Response) -> Option<String> {
    let headers = response.headers.get_all("link");
    headers.iter().filter_map(|header| header.to_str().ok()).find_map(|header| {
        let mut rest = header;
        while let Some((_, after)) = rest.split_once('<') {
            let (target, after) = after.split_once('>')?;
            // Parameters reach to the next comma outside of quotes.
            let mut quoted = false;
            let end = after.find(|c| {
                quoted ^= c == '"';
                c == ',' && !quoted
            });
            let parameters = &after[..end.unwrap_or(after.len())];
            let is_next = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(
                |(name, value)| {
                    let mut words = value.trim().trim_matches('"').split_ascii_whitespace();
                    name.trim().eq_ignore_ascii_case("rel")
                        && words.any(|word| word.eq_ignore_ascii_case("next"))
                },
            );
            if is_next {
                return Some(target.to_owned());
            }
            rest = end.map_or("", |end| &after[end..]);
        }
        None
    })
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

const fn default_max_pages() -> u32 {
    100
}

const fn one() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn response(link: &[&str]) -> Response {
        Response {
            status: StatusCode::OK,
            headers: link.iter().map(|link| ("link".parse().unwrap(), link.parse().unwrap())).collect(),
            url: "http://a.example/list?page=1".parse().unwrap(),
            body: "x".into(),
        }
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let cases: &[(&[&str], Option<&str>)] = &[
            (&[r#"<http://a/2>; rel="next", <http://a/9>; rel="last""#], Some("http://a/2")),
            (&[r#"<http://a/1>; rel="prev", </2?a=1,2>; title="a, b"; rel="next""#], Some("/2?a=1,2")),
            (&[r#"<http://a/1>; rel=prev"#, r#"<http://a/2>; rel=next"#], Some("http://a/2")),
            (&[r#"<http://a/2>; rel="last next""#], Some("http://a/2")),
            (&[r#"<http://a/2>; rel="nextish""#], None),
            (&["nonsense"], None),
            (&["<unclosed"], None),
            (&[], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(link_next(&response(headers)).as_deref(), *expected, "{headers:?}");
        }
    }

    fn pagination(value: Value) -> Pagination {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn paging_stops_where_it_should() {
        let by_page = pagination(
            json!({ "next": { "by": "page", "parameter": "p", "limit": 2 }, "items": "/d", "maxPages": 3 }),
        );
        let mut pager = Pager::new(&by_page);
        let page = response(&[]);
        assert_eq!(pager.advance(&page, &json!({ "d": [1, 2] })), Ok(Step::More));
        assert_eq!(pager.advance(&page, &json!({ "d": [1] })), Ok(Step::End));
        let mut pager = Pager::new(&by_page);
        for expected in [Step::More, Step::More, Step::Full] {
            assert_eq!(pager.advance(&page, &json!({ "d": [1, 2] })), Ok(expected));
        }
        assert_eq!(Pager::new(&by_page).advance(&page, &json!({ "d": [] })), Ok(Step::End));
        let lost = Pager::new(&by_page).advance(&page, &json!({ "elsewhere": [] })).unwrap_err();
        assert!(lost.message.contains("\"/d\""), "{lost}");
        let more = pagination(json!({ "next": { "by": "linkHeader" }, "stopWhen": { "hasMore": "/more" } }));
        let next = response(&["</2>; rel=next"]);
        assert_eq!(Pager::new(&more).advance(&next, &json!({ "more": true })), Ok(Step::More));
        assert_eq!(Pager::new(&more).advance(&next, &json!({ "more": 0 })), Ok(Step::End));
    }

    #[test]
    fn a_server_that_runs_in_circles_is_noticed() {
        let by_cursor = pagination(
            json!({ "next": { "by": "cursor", "parameter": "c", "pointer": "/c" }, "items": "/d" }),
        );
        let mut pager = Pager::new(&by_cursor);
        let body = json!({ "d": [1], "c": "same" });
        assert_eq!(pager.advance(&response(&[]), &body), Ok(Step::More));
        assert_eq!(pager.advance(&response(&[]), &body).unwrap_err().code, "http_pagination");
    }
}
