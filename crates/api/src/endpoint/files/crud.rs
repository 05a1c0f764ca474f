//! Listing, reading and deleting files.

use actix_web::{HttpResponse, delete, get, web};
use serde::Deserialize;
use serde_json::json;
use store::audit::{self, Deed};
use store::files::{self, File, FileFilter};
use utoipa::IntoParams;
use uuid::Uuid;

use super::body::FileBody;
use crate::auth::{Access, Read, Write};
use crate::http::Query;
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// Which files are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// Made by this execution.
    execution_id: Option<Uuid>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List files
///
/// The newest first.
#[utoipa::path(
    tag = "files",
    params(FileQuery),
    responses((status = 200, description = "A page of files", body = Page<FileBody>)),
)]
#[get("/files")]
pub(crate) async fn list_files(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<FileQuery>,
) -> Result<web::Json<Page<FileBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    let filter = FileFilter { execution_id: query.execution_id };
    let found = files::list(state.db.reader(), access.organization_id, filter, page).await?;
    Ok(web::Json(Page::of(found, FileBody::from)))
}

/// Read what a file is
#[utoipa::path(tag = "files", responses((status = 200, description = "The file, without its content", body = FileBody)))]
#[get("/files/{id}")]
pub(crate) async fn read_file(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<FileBody>, Problem> {
    Ok(web::Json(find(state.db.reader(), access.organization_id, *id).await?.into()))
}

/// Delete a file
///
/// Items that refer to it keep their reference, which leads nowhere.
#[utoipa::path(tag = "files", responses((status = 204, description = "It is gone")))]
#[delete("/files/{id}")]
pub(crate) async fn delete_file(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let file =
        files::delete(&tx, access.organization_id, *id).await?.ok_or_else(|| Problem::not_found("file"))?;
    let values = json!({ "filename": file.filename, "size_bytes": file.size_bytes });
    let deed = Deed { old_values: Some(values), ..access.deed("file.delete", "file", file.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    if let Err(error) = state.files.delete(file.id).await {
        tracing::warn!(file = %file.id, %error, "the content of a deleted file was left behind");
    }
    Ok(HttpResponse::NoContent().finish())
}

/// The file with this id.
pub(super) async fn find(
    db: &impl sea_orm::ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<File, Problem> {
    files::find(db, organization_id, id).await?.ok_or_else(|| Problem::not_found("file"))
}
