//! The node against a server on this machine.

use std::io::Write as _;

use engine::node::LogLevel;
use serde_json::{Value, json};

use crate::egress::{Client, Settings};
use crate::testing::{Answer, HttpServer, NodeTest, credential, json_of, local_client};

fn node(client: &Client) -> NodeTest {
    NodeTest::new(client, "http_request")
}

#[tokio::test]
async fn a_request_carries_method_query_headers_and_body() {
    let server = HttpServer::start(|_, _| Answer::json(json!({ "ok": true }))).await;
    let given = node(&local_client())
        .json(json!({
            "method": "POST",
            "url": server.url("/a?x=1"),
            "query": { "q": "a b&c", "n": 2, "gone": null },
            "headers": { "X-One": 1, "Accept": "text/x" },
            "body": { "kind": "json", "value": { "k": [1, "ä"] } },
        }))
        .await;
    assert_eq!(given, json!([{ "ok": true }]));
    let received = &server.received()[0];
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/a?x=1&q=a+b%26c&n=2"));
    assert_eq!(received.header("x-one"), Some("1"));
    assert_eq!(received.header("accept"), Some("text/x"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("user-agent"), Some("Tidemill"));
    assert_eq!(received.text(), r#"{"k":[1,"ä"]}"#);
}

#[tokio::test]
async fn every_kind_of_body_is_written_as_its_type_says() {
    let server = HttpServer::start(|_, _| Answer::status(204)).await;
    let node = node(&local_client()).binary("file", "a\"b.bin", "image/png", &[0, 255, 13, 10]);
    let bodies = [
        json!({ "kind": "none" }),
        json!({ "kind": "form", "fields": { "a": "1 2", "b": ["x", "y"] } }),
        json!({ "kind": "raw", "content": "<a/>", "contentType": "application/xml" }),
        json!({ "kind": "binary", "property": "file" }),
        json!({ "kind": "json", "value": "{\"written\": \"by hand\"}" }),
        json!({ "kind": "multipart", "parts": [
            { "name": "text", "value": "v" },
            { "name": "f\"ile", "binary": "file" },
            { "name": "object", "value": { "a": 1 }, "contentType": "application/json" },
        ] }),
    ];
    for body in bodies {
        node.run(json!({ "method": "PUT", "url": server.url("/"), "body": body })).await.unwrap();
    }
    let received = server.received();
    let kinds: Vec<_> =
        received.iter().map(|request| request.header("content-type").unwrap_or("-")).collect();
    assert_eq!(
        kinds[..5],
        ["-", "application/x-www-form-urlencoded", "application/xml", "image/png", "application/json"]
    );
    assert_eq!(received[0].body, b"");
    assert_eq!(received[1].text(), "a=1+2&b=x&b=y");
    assert_eq!(received[2].text(), "<a/>");
    assert_eq!(received[3].body, [0, 255, 13, 10]);
    assert_eq!(received[4].text(), "{\"written\": \"by hand\"}");
    let boundary = kinds[5].strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = [
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nv\r\n").into_bytes(),
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"f%22ile\"; filename=\"a%22b.bin\"\r\nContent-Type: image/png\r\n\r\n")
            .into_bytes(),
        vec![0, 255, 13, 10, 13, 10],
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"object\"\r\nContent-Type: application/json\r\n\r\n{{\"a\":1}}\r\n")
            .into_bytes(),
        format!("--{boundary}--\r\n").into_bytes(),
    ]
    .concat();
    assert_eq!(received[5].body, expected);
}

#[tokio::test]
async fn a_response_becomes_items_as_its_type_says() {
    let server = HttpServer::start(|request, _| match request.target.as_str() {
        "/object" => Answer::json(json!({ "a": 1 })),
        "/list" => Answer::json(json!([{ "a": 1 }, 2])),
        "/number" => Answer::json(json!(7)),
        "/text" => Answer::new(200, "text/plain; charset=latin1", vec![0xe4]),
        "/empty" => Answer::status(204),
        _ => Answer::new(200, "image/png", vec![1, 2])
            .with("content-disposition", "attachment; filename=p.png"),
    })
    .await;
    let client = local_client();
    let node = node(&client);
    let get = |target: &str| json!({ "url": server.url(target) });
    assert_eq!(node.json(get("/object")).await, json!([{ "a": 1 }]));
    assert_eq!(node.json(get("/list")).await, json!([{ "a": 1 }, { "data": 2 }]));
    assert_eq!(node.json(get("/number")).await, json!([{ "data": 7 }]));
    assert_eq!(node.json(get("/text")).await, json!([{ "data": "ä" }]));
    assert_eq!(node.json(get("/empty")).await, json!([{}]));
    let unsplit = json!({ "url": server.url("/list"), "splitItems": false, "outputProperty": "all" });
    assert_eq!(node.json(unsplit).await, json!([{ "all": [{ "a": 1 }, 2] }]));
    let file = &node.run(get("/file")).await.unwrap()[0][0];
    let binary = &file.binary.as_ref().unwrap()["data"];
    assert_eq!(
        (binary.mime_type.as_str(), binary.file_name.as_deref(), &*binary.data),
        ("image/png", Some("p.png"), "AQI=")
    );
    let forced = json!({ "url": server.url("/object"), "responseFormat": "file", "outputProperty": "doc" });
    assert!(node.run(forced).await.unwrap()[0][0].binary.as_ref().unwrap().contains_key("doc"));
    let as_text = json!({ "url": server.url("/object"), "responseFormat": "text" });
    assert_eq!(node.json(as_text).await, json!([{ "data": "{\"a\":1}" }]));
    let not_json =
        node.run(json!({ "url": server.url("/text"), "responseFormat": "json" })).await.unwrap_err();
    assert_eq!(not_json.code, "http_invalid_json");
}

#[tokio::test]
async fn a_full_response_holds_status_headers_and_body() {
    let server = HttpServer::start(|_, _| {
        Answer::json(json!([1]))
            .with("X-A", "1")
            .with("X-A", "2")
            .with("Set-Cookie", "a=1")
            .with("Set-Cookie", "b=2")
    })
    .await;
    let given = node(&local_client()).json(json!({ "url": server.url("/"), "fullResponse": true })).await;
    let full = &given[0];
    assert_eq!(
        (&full["statusCode"], &full["statusMessage"], &full["body"]),
        (&json!(200), &json!("OK"), &json!([1]))
    );
    assert_eq!(full["headers"]["x-a"], "1, 2");
    assert_eq!(full["headers"]["set-cookie"], json!(["a=1", "b=2"]));
}

#[tokio::test]
async fn compressed_responses_are_unpacked_before_they_are_measured() {
    let packed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b'0'; 1_000_000]).unwrap();
        encoder.finish().unwrap()
    };
    assert!(packed.len() < 10_000);
    let server = HttpServer::start(move |_, _| {
        Answer::new(200, "text/plain", packed.clone()).with("content-encoding", "gzip")
    })
    .await;
    let node = node(&local_client());
    let given = node.json(json!({ "url": server.url("/") })).await;
    assert_eq!(given[0]["data"].as_str().unwrap().len(), 1_000_000);
    assert!(server.received()[0].header("accept-encoding").unwrap().contains("gzip"));
    let bomb = node.run(json!({ "url": server.url("/"), "maxResponseBytes": 50_000 })).await.unwrap_err();
    assert_eq!((bomb.code.as_str(), bomb.retryable), ("http_response_too_large", false));
}

#[tokio::test]
async fn each_item_makes_its_own_request_and_remembers_its_origin() {
    let server =
        HttpServer::start(|request, _| Answer::json(json!([{ "from": request.target }, { "second": true }])))
            .await;
    let node = node(&local_client()).input(json!([{ "n": 1 }, { "n": 2 }]));
    let fields = ["/1", "/2"].map(|target| json!({ "url": server.url(target), "batching": { "size": 2 } }));
    let items = &node.run_each(fields.to_vec()).await.unwrap()[0];
    assert_eq!(
        json_of(items),
        json!([{ "from": "/1" }, { "second": true }, { "from": "/2" }, { "second": true }])
    );
    let origins: Vec<_> = items.iter().map(|item| item.paired_item.items()[0].item).collect();
    assert_eq!(origins, [0, 0, 1, 1]);
}

#[tokio::test]
async fn a_status_of_failure_is_an_error_that_tells_what_came() {
    let server = HttpServer::start(|request, _| match request.target.as_str() {
        "/busy" => Answer::new(429, "text/plain", "slow down").with("retry-after", "7"),
        _ => Answer::new(404, "application/json", r#"{"why":"gone"}"#),
    })
    .await;
    let node = node(&local_client());
    let gone = node.run(json!({ "url": server.url("/gone") })).await.unwrap_err();
    assert_eq!((gone.code.as_str(), gone.retryable, gone.item), ("http_status", false, Some(0)));
    let details = gone.details.unwrap();
    assert_eq!((&details["status"], &details["body"]), (&json!(404), &json!("{\"why\":\"gone\"}")));
    let busy = node.run(json!({ "url": server.url("/busy") })).await.unwrap_err();
    assert_eq!((busy.retryable, busy.retry_after_ms), (true, Some(7_000)));
    let strict = node.run(json!({ "url": server.url("/busy"), "retryOnStatus": [503] })).await.unwrap_err();
    assert!(!strict.retryable);
    let calm =
        node.json(json!({ "url": server.url("/gone"), "neverError": true, "fullResponse": true })).await;
    assert_eq!((&calm[0]["statusCode"], &calm[0]["body"]["why"]), (&json!(404), &json!("gone")));
}

#[tokio::test]
async fn one_failing_item_does_not_stop_a_node_that_continues() {
    let server = HttpServer::start(|request, _| match request.target.as_str() {
        "/bad" => Answer::status(503),
        target => Answer::json(json!({ "target": target })),
    })
    .await;
    let fields: Vec<_> =
        ["/1", "/bad", "/3"].iter().map(|target| json!({ "url": server.url(target) })).collect();
    let input = json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]);
    let node = node(&local_client()).input(input).with("onError", json!("continueErrorOutput"));
    let outputs = node.run_each(fields).await.unwrap();
    assert_eq!(json_of(&outputs[0]), json!([{ "target": "/1" }, { "target": "/3" }]));
    assert_eq!(outputs[1][0].json["n"], 2);
}

#[tokio::test]
async fn a_slow_server_is_left_after_the_timeout() {
    let server = HttpServer::start(|_, _| Answer::silence()).await;
    let error =
        node(&local_client()).run(json!({ "url": server.url("/"), "timeoutMs": 50 })).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("http_timeout", true));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused_unless_the_node_says_otherwise() {
    let server = HttpServer::start_tls(|_, _| Answer::json(json!({ "ok": true }))).await;
    let url = format!("https://localhost:{}/", server.address.port());
    let node = node(&local_client());
    let error = node.run(json!({ "url": url })).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("http_tls", false));
    assert!(error.message.contains("certificate"), "{error}");
    assert!(server.received().is_empty());
    assert_eq!(node.json(json!({ "url": url, "ignoreCertificate": true })).await, json!([{ "ok": true }]));
}

#[tokio::test]
async fn an_integration_that_names_its_hosts_sends_credentials_nowhere_else() {
    let other = HttpServer::start(|_, _| Answer::status(200)).await;
    let to = format!("http://localhost:{}/", other.address.port());
    let server = HttpServer::start(move |_, _| Answer::redirect(302, to.clone())).await;
    let mut bearer = credential("http_bearer", json!({ "token": "s3cret" }));
    bearer.configuration = json!({ "allowedHosts": ["127.0.0.1"] });
    let node = node(&local_client()).integration(bearer);
    node.run(json!({ "url": server.url("/"), "sendCredentialsOnRedirect": true })).await.unwrap();
    assert!(server.received()[0].header("authorization").is_some());
    assert!(other.received()[0].header("authorization").is_none());
    let error =
        node.run(json!({ "url": format!("http://localhost:{}/", other.address.port()) })).await.unwrap_err();
    assert_eq!(error.code, "credential_not_allowed");
}

#[tokio::test]
async fn the_guard_is_on_by_default() {
    let server = HttpServer::start(|_, _| Answer::status(200)).await;
    let client = Client::new(&Settings::default()).unwrap();
    let error = node(&client).run(json!({ "url": server.url("/") })).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), ("egress_blocked", false));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn credentials_reach_the_server_and_nothing_else() {
    let token = "s3cret-token";
    let server = HttpServer::start(|request, _| {
        let echo = json!({ "headers": request.headers, "target": request.target }).to_string();
        let status = if request.target.starts_with("/bad") { 403 } else { 200 };
        Answer::new(status, "application/json", echo.clone()).with("x-echo", echo)
    })
    .await;
    let client = local_client();
    let cases = [
        credential("http_bearer", json!({ "token": token })),
        credential("http_basic", json!({ "username": "u", "password": token })),
        credential("http_header", json!({ "name": "X-Key", "value": token })),
        credential("http_query", json!({ "name": "key", "value": token })),
    ];
    for credential in cases {
        let connector = credential.connector.clone();
        let node = node(&client).integration(credential);
        let good =
            node.json(json!({ "url": server.url("/good?a=1"), "fullResponse": true })).await.to_string();
        let bad = format!("{:?}", node.run(json!({ "url": server.url("/bad?a=1") })).await.unwrap_err());
        let basic = "dTpzM2NyZXQtdG9rZW4=";
        for shown in [&good, &bad] {
            assert!(!shown.contains(token) && !shown.contains(basic), "{connector}: {shown}");
            assert!(shown.contains("***"), "{connector}: {shown}");
        }
        let received = server.received().pop().unwrap();
        let sent = format!("{:?} {}", received.headers, received.target);
        assert!(sent.contains(token) || sent.contains(basic), "{connector}: {sent}");
    }
}

#[tokio::test]
async fn an_error_without_a_response_hides_the_query_key_too() {
    let server = HttpServer::start(|_, _| Answer::silence()).await;
    let node = node(&local_client())
        .integration(credential("http_query", json!({ "name": "key", "value": "s3cret" })));
    let error = node.run(json!({ "url": server.url("/p?key=other"), "timeoutMs": 50 })).await.unwrap_err();
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    assert_eq!(error.details.unwrap()["url"], server.url("/p?key=***"));
}

#[tokio::test]
async fn every_way_of_paging_reads_every_page() {
    let server = HttpServer::start(|request, _| {
        let url = url::Url::parse(&format!("http://x{}", request.target)).unwrap();
        let number = |name: &str| {
            let found = url
                .query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.parse::<usize>().unwrap());
            found.unwrap_or_default()
        };
        let rows = |from: usize| (from..(from + 2).min(5)).map(|n| json!({ "n": n })).collect::<Vec<_>>();
        match url.path() {
            "/link" => {
                let from = number("from");
                let answer = Answer::json(rows(from).into());
                if from + 2 < 5 {
                    answer.with("link", format!("</link?from={}>; rel=\"next\"", from + 2))
                } else {
                    answer
                }
            }
            "/url" => {
                let from = number("from");
                let next = (from + 2 < 5).then(|| format!("?from={}", from + 2));
                Answer::json(json!({ "d": { "rows": rows(from) }, "next": next }))
            }
            "/page" => Answer::json(json!({ "rows": rows((number("page") - 1) * 2) })),
            "/offset" => Answer::json(json!({ "rows": rows(number("skip")) })),
            "/stop" if number("page") > 3 => Answer::status(404),
            "/stop" => Answer::json(json!({ "rows": rows((number("page") - 1) * 2) })),
            "/cursor" => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let from = body["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
                let next = if from + 2 < 5 { json!((from + 2).to_string()) } else { json!("") };
                Answer::json(json!({ "rows": rows(from), "cursor": next }))
            }
            other => panic!("{other}"),
        }
    })
    .await;
    let cases = [
        ("/link", 3, json!({ "next": { "by": "linkHeader" } })),
        ("/url", 3, json!({ "next": { "by": "url", "pointer": "/next" }, "items": "/d/rows" })),
        ("/page", 4, json!({ "next": { "by": "page", "parameter": "page" }, "items": "/rows" })),
        ("/page", 3, json!({ "next": { "by": "page", "parameter": "page", "limit": 2 }, "items": "/rows" })),
        (
            "/offset",
            4,
            json!({ "next": { "by": "offset", "parameter": "skip" }, "items": "/rows", "intervalMs": 1 }),
        ),
        (
            "/stop",
            4,
            json!({ "next": { "by": "page", "parameter": "page" }, "items": "/rows", "stopWhen": { "status": [404] } }),
        ),
        (
            "/cursor",
            3,
            json!({ "next": { "by": "cursor", "parameter": "cursor", "pointer": "/cursor", "setIn": "body" }, "items": "/rows" }),
        ),
    ];
    let node = node(&local_client());
    for (target, requests, pagination) in cases {
        let before = server.received().len();
        let fields = json!({
            "method": "POST", "url": server.url(target), "pagination": pagination, "body": { "kind": "json", "value": { "fixed": 1 } },
        });
        let expected: Value = (0..5).map(|n| json!({ "n": n })).collect();
        assert_eq!(node.json(fields).await, expected, "{target}");
        assert_eq!(server.received().len() - before, requests, "{target}");
    }
}

#[tokio::test]
async fn paging_without_end_stops_at_its_bounds() {
    let server = HttpServer::start(|_, number| Answer::json(json!({ "rows": [number] }))).await;
    let client = local_client();
    let node_test = node(&client);
    let pagination = json!({ "next": { "by": "page", "parameter": "p" }, "items": "/rows", "maxPages": 3 });
    let given = node_test.json(json!({ "url": server.url("/"), "pagination": pagination })).await;
    assert_eq!(given.as_array().unwrap().len(), 3);
    let logs = node_test.host.logs.lock().unwrap().clone();
    assert!(matches!(&logs[..], [(LogLevel::Warn, message)] if message.contains("maxPages")), "{logs:?}");
    let small =
        Settings { max_response_bytes: 50, allow: vec!["127.0.0.1".to_owned()], ..Settings::default() };
    let pagination = json!({ "next": { "by": "page", "parameter": "p" }, "items": "/rows" });
    let fields = json!({ "url": server.url("/"), "pagination": pagination });
    let error = node(&Client::new(&small).unwrap()).run(fields).await.unwrap_err();
    assert_eq!(error.code, "http_response_too_large");
}

#[tokio::test]
async fn a_next_page_on_another_host_gets_no_credentials() {
    let other = HttpServer::start(|_, _| Answer::json(json!({ "rows": [2] }))).await;
    let next = other.url("/2");
    let server =
        HttpServer::start(move |_, _| Answer::json(json!({ "rows": [1], "next": next.clone() }))).await;
    let node = node(&local_client()).integration(credential("http_bearer", json!({ "token": "s3cret" })));
    let pagination = json!({ "next": { "by": "url", "pointer": "/next" }, "items": "/rows" });
    node.run(json!({ "url": server.url("/"), "pagination": pagination, "headers": { "Cookie": "c=1" } }))
        .await
        .unwrap();
    assert!(server.received()[0].header("authorization").is_some());
    assert_eq!(
        (other.received()[0].header("authorization"), other.received()[0].header("cookie")),
        (None, None)
    );
}

#[tokio::test]
async fn redirects_are_followed_as_the_parameters_say() {
    let server = HttpServer::start(|request, _| match request.target.as_str() {
        "/start" => Answer::redirect(303, "/end"),
        _ => Answer::json(json!({ "method": request.method })),
    })
    .await;
    let node = node(&local_client());
    let post = |more: Value| {
        let mut fields = json!({ "method": "POST", "url": server.url("/start"), "body": { "kind": "raw", "content": "x" } });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    assert_eq!(node.json(post(json!({}))).await, json!([{ "method": "GET" }]));
    let kept = node.json(post(json!({ "followRedirects": false, "fullResponse": true }))).await;
    assert_eq!((&kept[0]["statusCode"], &kept[0]["headers"]["location"]), (&json!(303), &json!("/end")));
}

#[tokio::test]
async fn parameters_that_cannot_be_used_are_named() {
    let node = node(&local_client());
    let cases = [
        (json!({ "url": "" }), "url"),
        (json!({ "url": "ftp://a/" }), "url"),
        (json!({ "url": "not a url" }), "url"),
        (json!({ "url": "http://a/", "headers": { "X-A": "a\r\nB: c" } }), "headers.X-A"),
        (json!({ "url": "http://a/", "headers": { "bad name": "x" } }), "headers.bad name"),
        (
            json!({ "url": "http://a/", "headers": { "Transfer-Encoding": "chunked" } }),
            "headers.Transfer-Encoding",
        ),
        (json!({ "url": "http://a/", "timeoutMs": 0 }), "timeoutMs"),
        (json!({ "url": "http://a/", "method": "FETCH" }), "method"),
        (json!({ "url": "http://a/", "body": { "kind": "json", "value": "{" } }), "body.value"),
        (json!({ "url": "http://a/", "body": { "kind": "binary", "property": "none" } }), "body.property"),
        (
            json!({ "url": "http://a/", "body": { "kind": "multipart", "parts": [{ "name": "a" }] } }),
            "body.parts[0]",
        ),
        (
            json!({ "url": "http://a/", "pagination": { "next": { "by": "url", "pointer": "next" } } }),
            "pagination.next.pointer",
        ),
        (json!({ "url": "http://a/", "colour": 1 }), "colour"),
    ];
    for (fields, expected) in cases {
        let error = node.run(fields.clone()).await.unwrap_err();
        assert_eq!(error.code, "invalid_parameter", "{fields}: {error}");
        assert!(error.message.contains(expected), "{fields}: {error}");
    }
}

#[test]
fn the_effect_follows_the_method() {
    use engine::node::Effect;
    let catalogue = crate::catalogue(&local_client());
    let node = catalogue.get("http_request").unwrap();
    assert_eq!(node.effect(&json!({})), Effect::Idempotent);
    assert_eq!(node.effect(&json!({ "method": "HEAD" })), Effect::Idempotent);
    assert_eq!(node.effect(&json!({ "method": "POST" })), Effect::External);
    assert_eq!(node.effect(&json!({ "method": "={{ $json.m }}" })), Effect::External);
}

#[test]
fn the_examples_of_this_crate_pass_their_own_checks() {
    let catalogue = crate::catalogue(&local_client());
    for name in ["http_request", "send_email"] {
        let node = catalogue.get(name).unwrap();
        assert_eq!(node.check(&node.descriptor().example.fields), [], "{name}");
    }
}
