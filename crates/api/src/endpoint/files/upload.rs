//! Uploading a file: the body itself, or the first file of a form. It goes to the disk as it comes in.

use actix_multipart::{Field, Multipart};
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, post, web};
use bytes::Bytes;
use futures::{Stream, TryStreamExt as _};
use serde::Deserialize;
use serde_json::json;
use store::audit::{self, Deed};
use store::files::{self, NewFile, StoredContent};
use store::ids;
use utoipa::IntoParams;
use uuid::Uuid;

use super::body::{FileBody, store_problem};
use crate::auth::{Access, Write};
use crate::http::{Query, timed};
use crate::problem::Problem;
use crate::state::State;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Longest media type, in bytes.
const MAX_TYPE_BYTES: usize = 255;

/// What the file is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// Its name for people; for a form, the name in the form when missing.
    #[param(example = "report.csv")]
    filename: Option<String>,
}

/// Content that was received.
struct Received {
    id: Uuid,
    filename: String,
    mime_type: Option<String>,
    content: StoredContent,
}

/// Upload a file
///
/// The body is the content, and `Content-Type` its media type; or a form (`multipart/form-data`) whose first file is
/// taken.
#[utoipa::path(
    tag = "files",
    params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The content"),
    responses((status = 201, description = "The file", body = FileBody)),
)]
#[post("/files")]
pub(crate) async fn upload_file(
    request: HttpRequest,
    state: web::Data<State>,
    access: Access<Write>,
    query: Query<UploadQuery>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let filename = query.0.filename;
    let payload = timed(payload);
    let received = if request.content_type().eq_ignore_ascii_case("multipart/form-data") {
        receive_form(&state, &request, filename, payload).await?
    } else {
        let mime_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        receive(&state, payload, filename, mime_type).await?
    };
    Ok(HttpResponse::Created().json(record(&state, &access, received).await?))
}

async fn receive_form(
    state: &State,
    request: &HttpRequest,
    filename: Option<String>,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
) -> Result<Received, Problem> {
    let wrong =
        |error: actix_multipart::MultipartError| Problem::field("body", format!("is not a form: {error}"));
    let mut form = Multipart::new(request.headers(), payload);
    while let Some(field) = form.try_next().await.map_err(wrong)? {
        if let Some(own) = filename_of(&field) {
            let mime_type = field.content_type().map(ToString::to_string);
            return receive(state, field, filename.or(Some(own)), mime_type).await;
        }
    }
    Err(Problem::field("body", "the form has no file"))
}

fn filename_of(field: &Field) -> Option<String> {
    field.content_disposition()?.get_filename().map(str::to_owned)
}

async fn receive<E: std::fmt::Display>(
    state: &State,
    content: impl Stream<Item = Result<Bytes, E>>,
    filename: Option<String>,
    mime_type: Option<String>,
) -> Result<Received, Problem> {
    let filename = check_name(filename)?;
    let id = ids::new_id();
    // What went wrong is told as text: it need not be fit for another thread.
    let content = content.map_err(|error| error.to_string());
    let content =
        state.files.put(id, content, state.settings.files.max_file_bytes).await.map_err(store_problem)?;
    Ok(Received { id, filename, mime_type, content })
}

fn check_name(filename: Option<String>) -> Result<String, Problem> {
    let name =
        filename.ok_or_else(|| Problem::field("filename", "is missing: add `?filename=` to the address"))?;
    if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains('\0') {
        return Err(Problem::field("filename", format!("1 to {MAX_NAME_CHARS} characters")));
    }
    Ok(name)
}

/// Makes the row. Should that fail, the content is left behind: it may be that the row was made after all, and the
/// content of a row must be there.
async fn record(state: &State, access: &Access<Write>, received: Received) -> Result<FileBody, Problem> {
    let new = NewFile {
        id: received.id,
        organization_id: access.organization_id,
        user_id: Some(access.user_id),
        execution_id: None,
        filename: received.filename,
        mime_type: received.mime_type.filter(|text| text.len() <= MAX_TYPE_BYTES),
        content: received.content,
        metadata: json!({}),
    };
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let file = files::create(&tx, now, new).await?;
    let values = json!({ "filename": file.filename, "size_bytes": file.size_bytes, "sha256": file.sha256 });
    let deed = Deed { new_values: Some(values), ..access.deed("file.create", "file", file.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(file.into())
}
