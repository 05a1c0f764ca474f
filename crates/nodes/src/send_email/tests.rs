//! The node against a mail server on this machine.

use engine::node::Credential;
use serde_json::{Value, json};

use crate::connectors::{TestOutcome, test};
use crate::egress::{Client, Settings};
use crate::testing::{
    Answer, Encryption, HttpServer, NodeTest, SmtpServer, credential, json_of, local_client,
};

fn smtp(server: &SmtpServer, password: &str) -> Credential {
    Credential {
        configuration: json!({ "host": "127.0.0.1", "port": server.address.port(), "security": "none", "username": "ann" }),
        ..credential("smtp", json!({ "password": password }))
    }
}

fn node(server: &SmtpServer) -> NodeTest {
    NodeTest::new(&local_client(), "send_email").integration(smtp(server, "pa55word"))
}

fn mail(more: Value) -> Value {
    let mut fields =
        json!({ "from": "Ann <ann@example.com>", "to": "bob@example.com", "subject": "Hi", "text": "Hello" });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

#[tokio::test]
async fn a_message_reaches_everybody_and_shows_no_blind_copy() {
    let server = SmtpServer::start().await;
    let given = node(&server)
        .json(mail(json!({
            "to": "Bob <bob@example.com>, carl@example.com", "cc": ["dora@example.com"], "bcc": ["eve@example.com"],
            "replyTo": "desk@example.com", "subject": "Grüße", "html": "<b>Hello</b>",
        })))
        .await;
    let everybody = json!(["bob@example.com", "carl@example.com", "dora@example.com", "eve@example.com"]);
    assert_eq!(given[0]["accepted"], everybody);
    assert_eq!(given[0]["messageId"], "<00000000000000000000000000000007.1.0.0@example.com>");
    assert!(given[0]["response"].as_str().unwrap().starts_with("250"));
    let session = &server.sessions()[0];
    assert_eq!(session.commands.iter().filter(|command| command.starts_with("RCPT")).count(), 4);
    let message = &session.messages[0];
    for expected in [
        "From: Ann <ann@example.com>",
        "Reply-To: desk@example.com",
        "Cc: dora@example.com",
        "multipart/alternative",
    ] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    assert!(message.contains("Date: Sun, 01 Mar 2026 12:00:00 +0000"), "{message}");
    assert!(!message.contains("eve@example.com"), "{message}");
}

#[tokio::test]
async fn files_of_the_item_are_attached() {
    let server = SmtpServer::start().await;
    let node = node(&server).binary("report", "r.csv", "text/csv", b"a,b\n1,2\n");
    node.run(mail(json!({ "attachments": ["report", { "property": "report", "fileName": "other.csv" }] })))
        .await
        .unwrap();
    let message = &server.messages()[0];
    for expected in ["multipart/mixed", "filename=\"r.csv\"", "filename=\"other.csv\"", "text/csv", "a,b"] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    let missing = node.run(mail(json!({ "attachments": ["nothing"] }))).await.unwrap_err();
    assert!(missing.message.contains("attachments[0]") && missing.message.contains("report"), "{missing}");
}

#[tokio::test]
async fn all_items_go_through_one_session() {
    let server = SmtpServer::start().await;
    let node = node(&server).input(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]));
    let items = &node.run(mail(json!({}))).await.unwrap()[0];
    assert_eq!(items.len(), 3);
    assert_eq!(server.sessions().len(), 1);
    assert_eq!(server.messages().len(), 3);
    assert_eq!(server.sessions()[0].commands.last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_line_break_never_becomes_a_header() {
    let server = SmtpServer::start().await;
    let node = node(&server);
    let cases = [
        (json!({ "subject": "a\r\nBcc: eve@example.com" }), "subject"),
        (json!({ "subject": "a\nb" }), "subject"),
        (json!({ "from": "ann@example.com\r\nBcc: eve@example.com" }), "from"),
        (json!({ "from": "\"a\r\nX: y\" <ann@example.com>" }), "from"),
        (json!({ "to": ["bob@example.com\nX: y"] }), "to"),
        (json!({ "cc": "bob@example.com\r\n" , "to": "a\r@example.com" }), "to"),
        (json!({ "replyTo": "a@example.com\r\nX: y" }), "replyTo"),
        (json!({ "bcc": "not an address" }), "bcc"),
        (json!({ "to": [] }), "to"),
    ];
    for (more, field) in cases {
        let error = node.run(mail(more.clone())).await.unwrap_err();
        assert_eq!(error.code, "invalid_parameter", "{more}");
        assert!(error.message.starts_with(&format!("{field}: ")), "{more}: {error}");
    }
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn what_the_server_refuses_is_told_and_later_items_still_go() {
    let server = SmtpServer::start().await;
    let full = node(&server).run(mail(json!({ "to": "a@full.example" }))).await.unwrap_err();
    assert_eq!((full.code.as_str(), full.retryable), ("smtp_rejected", true));
    let gone = node(&server).run(mail(json!({ "to": "a@gone.example" }))).await.unwrap_err();
    assert_eq!((gone.code.as_str(), gone.retryable), ("smtp_rejected", false));
    assert!(gone.message.contains("no such user"), "{gone}");
    let node = node(&server).input(json!([{}, {}])).with("onError", json!("continueErrorOutput"));
    let outputs =
        node.run_each(vec![mail(json!({ "to": "a@gone.example" })), mail(json!({}))]).await.unwrap();
    assert_eq!(
        (json_of(&outputs[0])[0]["accepted"][0].as_str(), outputs[1].len()),
        (Some("bob@example.com"), 1)
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let server = SmtpServer::start().await;
    let node = NodeTest::new(&local_client(), "send_email").integration(smtp(&server, "pa55wordX"));
    let error = node.run(mail(json!({}))).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("smtp_auth", false));
    assert!(!format!("{error:?}").contains("pa55word"), "{error:?}");
}

#[tokio::test]
async fn the_mail_server_passes_the_guard_and_tls_is_not_given_up() {
    let server = SmtpServer::start().await;
    let guarded = Client::new(&Settings::default()).unwrap();
    let node = NodeTest::new(&guarded, "send_email").integration(smtp(&server, "pa55word"));
    assert_eq!(node.run(mail(json!({}))).await.unwrap_err().code, "egress_blocked");
    assert!(server.sessions().is_empty());
    let mut credential = smtp(&server, "pa55word");
    credential.configuration["security"] = json!("starttls");
    let node = NodeTest::new(&local_client(), "send_email").integration(credential);
    assert_eq!(node.run(mail(json!({}))).await.unwrap_err().code, "smtp_tls");
    assert!(server.sessions()[0].commands.iter().all(|command| !command.starts_with("AUTH")));
}

#[tokio::test]
async fn an_encrypted_session_needs_a_certificate_that_is_trusted() {
    for (encryption, security) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")] {
        let server = SmtpServer::start_with(encryption).await;
        let mut credential = smtp(&server, "pa55word");
        credential.configuration["security"] = json!(security);
        let untrusted = test(&local_client(), &credential).await.unwrap_err();
        assert_eq!(untrusted.code, "smtp_tls", "{security}: {untrusted}");
        credential.configuration["caCertificate"] = json!(server.ca_certificate);
        let node = NodeTest::new(&local_client(), "send_email").integration(credential);
        node.run(mail(json!({}))).await.unwrap();
        assert_eq!(server.messages().len(), 1, "{security}");
    }
}

#[tokio::test]
async fn an_integration_is_tested_by_using_it() {
    let server = SmtpServer::start().await;
    let client = local_client();
    assert!(
        matches!(test(&client, &smtp(&server, "pa55word")).await, Ok(TestOutcome::Passed(how)) if how.contains("signed in"))
    );
    assert_eq!(test(&client, &smtp(&server, "wrong")).await.unwrap_err().code, "smtp_auth");
    let web = HttpServer::start(|request, _| match request.header("authorization") {
        Some("Bearer right") => Answer::status(200),
        _ => Answer::status(401),
    })
    .await;
    let bearer = |token: &str, configuration: Value| Credential {
        configuration,
        ..credential("http_bearer", json!({ "token": token }))
    };
    let url = json!({ "testUrl": web.url("/me") });
    assert!(matches!(test(&client, &bearer("right", url.clone())).await, Ok(TestOutcome::Passed(_))));
    assert_eq!(test(&client, &bearer("wrong", url)).await.unwrap_err().code, "http_status");
    assert!(matches!(test(&client, &bearer("right", json!({}))).await, Ok(TestOutcome::NotTestable(_))));
    assert_eq!(
        test(&client, &credential("http_bearer", json!({}))).await.unwrap_err().code,
        "invalid_integration"
    );
    assert_eq!(test(&client, &credential("nothing", json!({}))).await.unwrap_err().code, "unknown_connector");
}
