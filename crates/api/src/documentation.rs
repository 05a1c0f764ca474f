//! `/docs`: the reference to browse, the list of problems, and the OpenAPI document itself.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::Code;

/// Where the document is served.
const DOCUMENT: &str = "/api/v1/openapi.json";

/// Pages that are the same for every request.
pub(crate) struct Pages {
    document: Bytes,
    problems: String,
}

impl Pages {
    /// Writes the pages.
    ///
    /// # Errors
    /// The document cannot be written as JSON.
    pub(crate) fn new(document: &OpenApi) -> Result<Self, serde_json::Error> {
        Ok(Self { document: document.to_json()?.into(), problems: problems() })
    }
}

/// Adds the routes.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(to_docs))
        .route("/docs", web::get().to(to_docs))
        .route("/docs/problems", web::get().to(show_problems))
        .route(DOCUMENT, web::get().to(show_document))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from(DOCUMENT)));
}

async fn to_docs() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn show_document(pages: web::Data<Pages>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(pages.document.clone())
}

async fn show_problems(pages: web::Data<Pages>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(pages.problems.clone())
}

fn problems() -> String {
    let rows: String = Code::ALL
        .iter()
        .map(|code| {
            let (word, title, status) = (code.as_str(), code.title(), code.status().as_u16());
            format!("<tr id=\"{word}\"><td><code>{word}</code></td><td>{status}</td><td>{title}</td></tr>\n")
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Problems</title></head><body>\n\
         <h1>Problems</h1>\n\
         <p>Every error is a problem (RFC 9457). Its <code>code</code> is one of these and never changes its meaning.</p>\n\
         <table>\n<tr><th>code</th><th>status</th><th>meaning</th></tr>\n{rows}</table>\n</body></html>\n"
    )
}
