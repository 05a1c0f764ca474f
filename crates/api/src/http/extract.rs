//! What a request carries, as types; what does not fit becomes a problem that names the field.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::{check_nesting, read_body};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A JSON body that has not been read yet.
///
/// Extractors run side by side, so a body that were read by one could be refused before the caller's permission is
/// known. A handler reads it as its first step instead: whoever may not call it gets 401 or 403 whatever they send.
pub struct Body<T> {
    request: HttpRequest,
    payload: Payload,
    target: PhantomData<fn() -> T>,
}

impl<T> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take(), target: PhantomData }))
    }
}

impl<T: DeserializeOwned> Body<T> {
    /// Reads the body.
    ///
    /// # Errors
    /// 415 for another media type than JSON, 413 for too many bytes, 400 for what is not a `T`, nests too deep or comes in too
    /// slowly.
    pub async fn read(self) -> Result<T, Problem> {
        let bytes = self.bytes().await?;
        parse(&bytes)
    }

    /// Reads a body that may be missing or null.
    ///
    /// # Errors
    /// Those of [`Body::read`].
    pub async fn read_or_default(self) -> Result<T, Problem>
    where
        T: Default,
    {
        let is_empty = self.request.headers().get(header::CONTENT_LENGTH).is_none_or(|length| length == "0")
            && !self.request.headers().contains_key(header::TRANSFER_ENCODING);
        if is_empty {
            return Ok(T::default());
        }
        Ok(parse::<Option<T>>(&self.bytes().await?)?.unwrap_or_default())
    }

    async fn bytes(mut self) -> Result<Bytes, Problem> {
        let media_type = self.request.content_type();
        if !(media_type.eq_ignore_ascii_case("application/json") || media_type.ends_with("+json")) {
            let detail = format!("expected `Content-Type: application/json`, not {media_type:?}");
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let limit = self
            .request
            .app_data::<web::Data<State>>()
            .map(|state| state.settings.api.max_body_bytes)
            .ok_or_else(|| Problem::internal("the application has no state"))?;
        read_body(self.request.headers(), &mut self.payload, limit).await
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    check_nesting(bytes)?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body" } else { path.as_str() };
        Problem::field(field, error.inner().to_string())
    })?;
    json.end().map_err(|error| Problem::field("body", error.to_string()))?;
    Ok(value)
}

/// Tells a field of a body that is null (remove it) from one that is missing (leave it as it is).
///
/// # Errors
/// The value does not fit.
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The parameters behind the `?`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs =
            serde_urlencoded::Deserializer::new(form_urlencoded::parse(request.query_string().as_bytes()));
        ready(serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "query" } else { path.as_str() };
            Problem::field(field, error.inner().to_string())
        }))
    }
}

/// Says of a path whose parts are not ids or numbers that there is no such thing.
#[must_use]
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|error, _| {
        Problem::new(Code::NotFound, format!("there is nothing here: {error}")).into()
    })
}
