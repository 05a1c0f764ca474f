//! Files: up and down, in streams.

use bytes::Bytes;
use serde_json::json;

use crate::on_both;
use crate::support::{Client, Method, Place, TestApp};
use crate::webhook_settings::audit_actions;

/// SHA-256 of "hello".
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

on_both! {
    async fn a_file_goes_up_and_comes_down_as_an_attachment(app: &TestApp) {
        let ada = app.person("ada").await;
        let made = ada.send_raw(Method::POST, "/api/v1/files?filename=%C3%BC%20.html", "text/html", "hello").await;
        let path = format!("/api/v1/files/{}", made.id());
        let made = made.expect(201);
        assert_eq!((made["filename"].clone(), made["mime_type"].clone()), (json!("ü .html"), json!("text/html")));
        assert_eq!((made["size_bytes"].clone(), made["sha256"].clone()), (json!(5), json!(HELLO)));

        let content = ada.get(&format!("{path}/content")).await;
        assert_eq!((content.status, content.text.as_str()), (200, "hello"));
        let header = |name: &str| content.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(header("content-disposition"), "attachment; filename=\"_ .html\"; filename*=UTF-8''%C3%BC%20.html");
        assert_eq!((header("content-type"), header("content-length")), ("text/html", "5"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("sandbox"));

        assert_eq!(ada.get("/api/v1/files").await.expect(200)["items"][0], ada.get(&path).await.expect(200));
        assert_eq!(ada.delete(&path).await.status, 204);
        ada.get(&path).await.problem(404, "not_found");
        ada.get(&format!("{path}/content")).await.problem(404, "not_found");
        let actions = audit_actions(app, &ada).await;
        assert!(["file.create", "file.delete"].iter().all(|action| actions.iter().any(|found| found == action)), "{actions:?}");
    }

    async fn the_first_file_of_a_form_is_taken(app: &TestApp) {
        let ada = app.person("ada").await;
        let file = reqwest::multipart::Part::text("hello").file_name("a.txt").mime_str("text/plain").unwrap();
        let form = reqwest::multipart::Form::new().text("note", "n").part("file", file);
        let made = Client::answer(ada.request(Method::POST, "/api/v1/files").multipart(form)).await.expect(201);
        assert_eq!((made["filename"].clone(), made["sha256"].clone()), (json!("a.txt"), json!(HELLO)));
        let form = reqwest::multipart::Form::new().text("note", "n");
        let answer = Client::answer(ada.request(Method::POST, "/api/v1/files").multipart(form)).await;
        assert_eq!(answer.problem(400, "invalid_request")["errors"][0]["field"], "body");
    }

    async fn a_file_needs_a_name(app: &TestApp) {
        let ada = app.person("ada").await;
        let long = "n".repeat(256);
        for query in ["", "?filename=", "?filename=%00", &format!("?filename={long}")] {
            let answer = ada.send_raw(Method::POST, &format!("/api/v1/files{query}"), "text/plain", "hello").await;
            assert_eq!(answer.problem(400, "invalid_request")["errors"][0]["field"], "filename", "{query}");
        }
        assert_eq!(ada.get("/api/v1/files").await.expect(200)["items"], json!([]));
    }

    async fn a_file_of_another_organization_is_not_there(app: &TestApp) {
        let (ada, eve) = (app.person("ada").await, app.person("eve").await);
        let id = ada.send_raw(Method::POST, "/api/v1/files?filename=a", "text/plain", "hello").await.id();
        let path = format!("/api/v1/files/{id}");
        eve.get(&path).await.problem(404, "not_found");
        eve.get(&format!("{path}/content")).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get("/api/v1/files").await.expect(200)["items"], json!([]));
        assert_eq!(ada.get(&format!("{path}/content")).await.text, "hello");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_file_that_is_too_large_is_refused_while_it_comes_in() {
    let app = TestApp::spawn_with(Place::sqlite(), &[("FILES__MAX_FILE_BYTES", "100")]).await;
    let ada = app.person("ada").await;
    let pieces = |count: usize| {
        let pieces = (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 50])));
        reqwest::Body::wrap_stream(futures::stream::iter(pieces))
    };
    let send = async |body| ada.send_raw(Method::POST, "/api/v1/files?filename=a", "text/plain", body).await;
    send(pieces(2)).await.expect(201);
    send(pieces(3)).await.problem(413, "body_too_large");
    assert_eq!(ada.get("/api/v1/files").await.expect(200)["items"].as_array().unwrap().len(), 1);
    app.stop().await;
}
