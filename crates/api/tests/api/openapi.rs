//! The OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Place, TestApp};

fn document() -> Value {
    serde_json::to_value(api::document()).unwrap()
}

/// Every operation as `(method, path, operation)`.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

#[test]
fn the_document_changes_only_when_it_is_meant_to() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&document()).unwrap());
}

#[test]
fn the_routes_on_one_screen() {
    let document = document();
    let rows: Vec<String> = operations(&document)
        .iter()
        .map(|(method, path, operation)| {
            format!("{method:6} {path}  {}", operation["operationId"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn every_operation_has_an_id_of_its_own_a_tag_and_a_summary() {
    let document = document();
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{method} {path}: the id is used twice"
        );
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{method} {path}: unknown tag");
        assert!(operation["summary"].is_string(), "{method} {path}: no summary");
    }
}

#[test]
fn every_error_is_documented_as_a_problem_and_every_reference_resolves() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with(['4', '5']) {
                assert!(
                    response["content"]["application/problem+json"].is_object(),
                    "{method} {path} {status}"
                );
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "there is no schema {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_the_reference_are_served_without_anything_from_elsewhere() {
    let app = TestApp::spawn(Place::sqlite()).await;
    let nobody = app.nobody();
    let served = nobody.get("/api/v1/openapi.json").await.expect(200);
    assert_eq!(served, document());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));

    for path in ["/", "/docs"] {
        let answer = nobody.get(path).await;
        assert_eq!(
            (answer.status, answer.headers.get("location").unwrap().to_str().unwrap()),
            (302, "/docs/")
        );
    }
    let page = nobody.get("/docs/").await;
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("script-src"), "{policy}");
    for file in ["swagger-ui-bundle.js", "swagger-initializer.js", "swagger-ui.css"] {
        let answer = nobody.get(&format!("/docs/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        if file == "swagger-initializer.js" {
            assert!(answer.text.contains("/api/v1/openapi.json"), "{}", answer.text);
        }
    }
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
    assert!(nobody.get("/docs/problems").await.text.contains("id=\"not_found\""));
    app.stop().await;
}
