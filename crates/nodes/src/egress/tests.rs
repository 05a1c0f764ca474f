//! The guard against real connections on this machine, with a resolver that answers as the tests say.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::*;
use crate::testing::{Answer, HttpServer};

/// Gives each name its answers one after the other, the last one for ever, and counts the questions.
#[derive(Default)]
struct Names {
    answers: HashMap<&'static str, Vec<&'static str>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Names {
    fn new<const N: usize>(answers: [(&'static str, &[&'static str]); N]) -> Arc<Self> {
        let answers = answers.into_iter().map(|(name, addresses)| (name, addresses.to_vec())).collect();
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let answers = self.answers.get(host).ok_or_else(|| io::Error::other("no such name"))?;
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(host.to_owned()).or_default();
        let answer = answers[(*count).min(answers.len() - 1)];
        *count += 1;
        Ok(answer.split(' ').map(|address| address.parse().unwrap()).collect())
    }
}

fn client(names: &Arc<Names>, allow: &[&str]) -> Client {
    let allow = allow.iter().map(|&entry| entry.to_owned()).collect();
    Client::with_lookup(&Settings { allow, ..Settings::default() }, Arc::clone(names) as Arc<dyn Lookup>)
        .unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

fn is_blocked<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Blocked { .. }))
}

#[tokio::test]
async fn no_notation_of_a_local_address_gets_through() {
    let server = HttpServer::start(|_, _| Answer::status(200)).await;
    let port = server.address.port();
    let names = Names::new([
        ("metadata.google.internal", &["169.254.169.254"]),
        ("private.example", &["10.0.0.1"]),
        ("loopback.example", &["127.0.0.1"]),
        ("loopback6.example", &["::1 ::ffff:127.0.0.1"]),
        ("localhost", &["127.0.0.1 ::1"]),
        ("localhost.", &["127.0.0.1"]),
    ]);
    let client = client(&names, &[]);
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "metadata.google.internal",
        "private.example",
        "loopback.example",
        "loopback6.example",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "user:pass@127.0.0.1",
        "example.com@127.0.0.1",
    ];
    for host in hosts {
        let result = client.send(get(&format!("http://{host}:{port}/"))).await;
        assert!(is_blocked(&result), "{host}: {result:?}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn other_schemes_and_broken_hosts_are_refused() {
    let client = client(&Names::new([]), &["0.0.0.0/0"]);
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:25/x", "data:text/plain,x"] {
        assert!(matches!(client.send(get(url)).await, Err(Error::InvalidUrl(_))), "{url}");
    }
    for host in ["256.1.1.1", "1.2.3.4.5", "a b", "", "[::1", "ex%00ample"] {
        let result = client.guard().permit(host, 80).await;
        assert!(matches!(result, Err(Error::InvalidUrl(_))), "{host}: {result:?}");
    }
}

#[tokio::test]
async fn the_allow_list_opens_exactly_what_it_names() {
    let server = HttpServer::start(|_, _| Answer::status(204)).await;
    let other = HttpServer::start(|_, _| Answer::status(204)).await;
    let names = Names::new([("api.internal", &["127.0.0.1"]), ("other.internal", &["127.0.0.1"])]);
    let port = server.address.port();
    let by_address = client(&names, &[&format!("127.0.0.1:{port}")]);
    assert!(by_address.send(get(&server.url("/"))).await.is_ok());
    assert!(by_address.send(get(&format!("http://other.internal:{port}/"))).await.is_ok());
    assert!(is_blocked(&by_address.send(get(&other.url("/"))).await));
    assert!(is_blocked(
        &by_address.send(get(&format!("http://other.internal:{}/", other.address.port()))).await
    ));
    let by_name = client(&names, &[&format!("api.internal:{port}")]);
    assert!(by_name.send(get(&format!("http://api.internal:{port}/"))).await.is_ok());
    assert!(is_blocked(&by_name.send(get(&format!("http://other.internal:{port}/"))).await));
    assert!(is_blocked(&by_name.send(get(&server.url("/"))).await));
}

#[tokio::test]
async fn a_name_with_public_and_private_addresses_leads_to_the_public_ones() {
    let names = Names::new([("mixed.example", &["10.0.0.1 8.8.8.8 ::1"])]);
    let permitted = client(&names, &[]).guard().permit("mixed.example", 443).await.unwrap();
    assert_eq!(permitted, ["8.8.8.8:443".parse().unwrap()]);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_judged_at_each_connection() {
    let good = HttpServer::start(|_, _| Answer::status(200)).await;
    let port = good.address.port();
    let evil = HttpServer::start_at(&format!("127.0.0.2:{port}"), |_, _| Answer::status(200)).await;
    let names = Names::new([("rebind.example", &["127.0.0.1", "127.0.0.2"])]);
    let client = client(&names, &["127.0.0.1"]);
    let url = format!("http://rebind.example:{port}/");
    assert!(client.send(get(&url)).await.is_ok());
    // One question for one connection: nothing between the judgement and the connection could change the answer.
    assert_eq!(names.asked("rebind.example"), 1);
    assert!(is_blocked(&client.send(get(&url)).await));
    assert_eq!((good.received().len(), evil.received().len()), (1, 0));
}

#[tokio::test]
async fn every_redirect_is_judged() {
    let inside = HttpServer::start(|_, _| Answer::status(200)).await;
    let secret = inside.address.port();
    let targets = [
        format!("http://127.0.0.1:{secret}/"),
        format!("http://2130706433:{secret}/"),
        format!("//[::ffff:127.0.0.1]:{secret}/"),
        format!("http://inside.example:{secret}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    let server = HttpServer::start(move |request, _| {
        let index: usize =
            request.target.trim_start_matches("/hop/").trim_start_matches('/').parse().unwrap();
        if request.target.starts_with("/hop/") {
            return Answer::redirect(307, targets[index].clone());
        }
        Answer::redirect(302, format!("/hop/{index}"))
    })
    .await;
    let names = Names::new([("inside.example", &["127.0.0.1"])]);
    let client = client(&names, &[&format!("127.0.0.1:{}", server.address.port())]);
    for index in 0..5 {
        let result = client.send(get(&server.url(&format!("/{index}")))).await;
        assert!(is_blocked(&result), "{index}: {result:?}");
    }
    let elsewhere = HttpServer::start(|_, _| Answer::redirect(302, "file:///etc/passwd")).await;
    let open = client_for_this_machine();
    assert!(matches!(open.send(get(&elsewhere.url("/"))).await, Err(Error::InvalidUrl(_))));
    assert!(inside.received().is_empty());
}

fn client_for_this_machine() -> Client {
    client(&Names::new([("a.example", &["127.0.0.1"]), ("b.example", &["127.0.0.1"])]), &["127.0.0.0/8"])
}

#[tokio::test]
async fn a_redirect_to_another_origin_loses_its_credentials_and_keeps_the_rest() {
    let end = HttpServer::start(|_, _| Answer::status(200)).await;
    let to = format!("http://b.example:{}/end", end.address.port());
    let start = HttpServer::start(move |request, _| match request.target.as_str() {
        "/start" => Answer::redirect(302, "/same"),
        _ => Answer::redirect(307, to.clone()),
    })
    .await;
    let mut request = get(&format!("http://a.example:{}/start", start.address.port()));
    request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer t"));
    request.headers.insert("x-trace", HeaderValue::from_static("1"));
    let response = client_for_this_machine().send(request).await.unwrap();
    assert!(response.url.as_str().ends_with("/end"));
    assert!(start.received().iter().all(|received| received.header("authorization") == Some("Bearer t")));
    let last = &end.received()[0];
    assert_eq!((last.header("authorization"), last.header("x-trace")), (None, Some("1")));
}

#[tokio::test]
async fn redirects_end_at_their_bound() {
    let server = HttpServer::start(|_, number| Answer::redirect(302, format!("/{number}"))).await;
    let client = client_for_this_machine();
    let mut request = get(&server.url("/"));
    request.max_redirects = 3;
    assert!(matches!(client.send(request).await, Err(Error::Redirect(_))));
    assert_eq!(server.received().len(), 4);
    let mut request = get(&server.url("/"));
    request.max_redirects = 0;
    assert_eq!(client.send(request).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_response_is_read_up_to_its_bound_and_no_further() {
    let server = HttpServer::start(|_, _| Answer::new(200, "text/plain", vec![b'x'; 5_000])).await;
    let client = client_for_this_machine();
    let mut request = get(&server.url("/"));
    request.max_response_bytes = Some(4_999);
    assert!(matches!(client.send(request).await, Err(Error::TooLarge { limit_bytes: 4_999, .. })));
    let mut request = get(&server.url("/"));
    request.max_response_bytes = Some(5_000);
    assert_eq!(client.send(request).await.unwrap().body.len(), 5_000);
}

#[tokio::test]
async fn only_the_configured_ports_are_open() {
    let names = Names::new([("web.example", &["8.8.8.8"]), ("db.internal", &["10.0.0.5"])]);
    let settings =
        Settings { ports: vec![443], allow: vec!["db.internal:5432".to_owned()], ..Settings::default() };
    let client = Client::with_lookup(&settings, names).unwrap();
    let guard = client.guard();
    assert!(guard.permit("web.example", 443).await.is_ok());
    assert!(is_blocked(&guard.permit("web.example", 25).await));
    assert!(is_blocked(&guard.permit("8.8.8.8", 25).await));
    assert!(guard.permit("db.internal", 5432).await.is_ok());
    assert!(is_blocked(&guard.permit("db.internal", 443).await));
}

#[tokio::test]
async fn without_block_private_everything_is_reachable() {
    let server = HttpServer::start(|_, _| Answer::status(200)).await;
    let client = Client::new(&Settings { block_private: false, ..Settings::default() }).unwrap();
    assert_eq!(client.send(get(&server.url("/"))).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_target_is_judged_before_the_proxy_is_asked() {
    let proxy = HttpServer::start(|_, _| Answer::status(200)).await;
    let names = Names::new([("public.example", &["8.8.8.8"]), ("private.example", &["10.0.0.1"])]);
    let settings = Settings { proxy: proxy.url(""), ..Settings::default() };
    let client = Client::with_lookup(&settings, names).unwrap();
    assert_eq!(client.send(get("http://public.example/x")).await.unwrap().status, 200);
    assert!(is_blocked(&client.send(get("http://private.example/x")).await));
    assert!(is_blocked(&client.send(get("http://127.0.0.1/x")).await));
    assert_eq!(proxy.received().len(), 1);
    assert_eq!(proxy.received()[0].target, "http://public.example/x");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_from_one_that_is_refused() {
    let client = client_for_this_machine();
    assert!(matches!(client.send(get("http://nowhere.example/")).await, Err(Error::Resolve { .. })));
    let closed = {
        let server = HttpServer::start(|_, _| Answer::status(200)).await;
        server.url("/")
    };
    tokio::task::yield_now().await;
    let refused = client.send(get(&closed)).await;
    assert!(matches!(refused, Err(Error::Connect { .. })), "{refused:?}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let key = |settings: Settings| match Client::new(&settings) {
        Err(Error::Settings { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    assert_eq!(key(Settings { allow: vec!["http://x".to_owned()], ..Settings::default() }), "allow");
    assert_eq!(key(Settings { proxy: "nonsense".to_owned(), ..Settings::default() }), "proxy");
    assert_eq!(key(Settings { user_agent: "a\nb".to_owned(), ..Settings::default() }), "user_agent");
    let unknown = serde_json::from_value::<Settings>(serde_json::json!({ "alow": [] }));
    assert!(unknown.unwrap_err().to_string().contains("alow"));
}

#[test]
fn the_defaults_are_those_of_the_default_configuration() {
    let file: toml::Table = include_str!("../../../../config/default.toml").parse().unwrap();
    assert_eq!(file["egress"].clone().try_into::<Settings>().unwrap(), Settings::default());
}

#[test]
fn settings_do_not_show_the_password_of_a_proxy() {
    let settings = Settings { proxy: "http://user:secret@proxy.example".to_owned(), ..Settings::default() };
    assert!(!format!("{settings:?}").contains("secret"));
}
