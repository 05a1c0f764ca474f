//! The answer where no route fits: 404, or 405 with the methods that the path takes.

use std::collections::BTreeSet;

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, web};
use utoipa::openapi::{OpenApi, PathItem};

use crate::problem::{Code, Problem};

/// The paths of the API with their methods.
pub struct RouteTable {
    routes: Vec<(ResourceDef, String)>,
}

impl RouteTable {
    /// Every path of the document.
    #[must_use]
    pub fn of(document: &OpenApi) -> Self {
        let routes = document.paths.paths.iter();
        Self { routes: routes.map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect() }
    }

    /// The methods that a path takes, as in the header `Allow`; `None` for no path of ours.
    fn methods_of(&self, path: &str) -> Option<String> {
        let found: BTreeSet<&str> = self
            .routes
            .iter()
            .filter(|(route, _)| route.is_match(path))
            .flat_map(|(_, methods)| methods.split(", "))
            .collect();
        (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn methods(item: &PathItem) -> String {
    let known = [
        (&item.get, "GET"),
        (&item.post, "POST"),
        (&item.put, "PUT"),
        (&item.patch, "PATCH"),
        (&item.delete, "DELETE"),
    ];
    let taken: Vec<_> =
        known.into_iter().filter(|(operation, _)| operation.is_some()).map(|(_, name)| name).collect();
    taken.join(", ")
}

/// Answers what no route took.
///
/// # Errors
/// Always.
pub async fn fallback(request: HttpRequest, table: web::Data<RouteTable>) -> Result<String, Problem> {
    Err(match table.methods_of(request.path()) {
        Some(methods) => {
            let detail = format!("this path takes {methods}, not {}", request.method());
            Problem::new(Code::MethodNotAllowed, detail).with_allow(methods)
        }
        None => Problem::new(Code::NotFound, "there is nothing here"),
    })
}
