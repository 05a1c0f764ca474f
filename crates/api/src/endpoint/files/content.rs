//! The content of a file. Whatever it is, a browser saves it and does not show it: it may be a page with scripts, and
//! it would run on the address of the API.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, get, web};
use uuid::Uuid;

use super::body::store_problem;
use super::crud::find;
use crate::auth::{Access, Read};
use crate::problem::Problem;
use crate::state::State;

/// The media type where none is known, or none that a header can hold.
const UNKNOWN_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Download a file
#[utoipa::path(
    tag = "files",
    responses((status = 200, description = "The content, to be saved", content_type = "application/octet-stream", body = Vec<u8>)),
)]
#[get("/files/{id}/content")]
pub(crate) async fn read_file_content(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let file = find(state.db.reader(), access.organization_id, *id).await?;
    let content = state.files.read(file.id).await.map_err(store_problem)?;
    let content =
        content.ok_or_else(|| Problem::internal(format!("the content of file {} is missing", file.id)))?;
    let media_type =
        file.mime_type.and_then(|text| HeaderValue::from_str(&text).ok()).unwrap_or(UNKNOWN_TYPE);
    let disposition = HeaderValue::from_str(&attachment(&file.filename)).map_err(Problem::internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .body(SizedStream::new(content.size_bytes, content.into_stream())))
}

/// `attachment` with the name twice (RFC 6266): in plain letters for old programs, and encoded.
fn attachment(filename: &str) -> String {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || " -_.()".contains(*letter);
    let plain: String = name.chars().map(|letter| if is_plain(&letter) { letter } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header_or_its_folder() {
        for (name, expected) in [
            ("report.csv", "attachment; filename=\"report.csv\"; filename*=UTF-8''report.csv"),
            (
                "Übersicht 1.pdf",
                "attachment; filename=\"_bersicht 1.pdf\"; filename*=UTF-8''%C3%9Cbersicht%201.pdf",
            ),
            ("a\"\r\nb: c", "attachment; filename=\"a___b_ c\"; filename*=UTF-8''a%22%0D%0Ab%3A%20c"),
            ("../../etc/passwd", "attachment; filename=\"passwd\"; filename*=UTF-8''passwd"),
        ] {
            assert_eq!(attachment(name), expected);
        }
    }
}
