//! Sign-up, login, logout, and who one is.

use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::on_both;
use crate::support::{Client, Method, PASSWORD, Place, TestApp};

on_both! {
    async fn a_person_signs_up_and_is_known_by_the_token(app: &TestApp) {
        let ada = app.person("ada").await;
        let me = ada.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me["user"]["email"], "ada@example.org");
        assert_eq!(me["user"]["is_admin"], true, "the first user administers the installation");
        assert_eq!(me["organizations"][0]["role"], "owner");
        assert_eq!(me["current_organization_id"], ada.organization.to_string());

        let bob = app.person("bob").await;
        assert_eq!(bob.get("/api/v1/auth/me").await.expect(200)["user"]["is_admin"], false);
    }

    async fn an_address_has_one_account_in_whatever_case_it_is_written(app: &TestApp) {
        app.person("ada").await;
        let again = json!({ "email": "ADA@Example.org", "password": PASSWORD });
        let problem = app.nobody().post("/api/v1/auth/sign-up", again.clone()).await.problem(409, "already_exists");
        assert_eq!(problem["errors"][0]["field"], "email");
        app.nobody().post("/api/v1/auth/login", again).await.expect(200);
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.person("ada").await;
        let login = async |email: &str, password: &str| {
            let body = json!({ "email": email, "password": password });
            let mut problem = app.nobody().post("/api/v1/auth/login", body).await.problem(401, "invalid_login");
            problem.as_object_mut().unwrap().remove("request_id");
            problem
        };
        let wrong = login("ada@example.org", "not the password").await;
        assert_eq!(wrong, login("bob@example.org", PASSWORD).await);
        assert_eq!(wrong, login("no address", PASSWORD).await);
        assert_eq!(wrong, login("ada@example.org", "").await);
        assert_eq!(wrong, login("ada@example.org", &"x".repeat(100_000)).await);
    }

    async fn a_failed_sign_in_is_noted(app: &TestApp) {
        let ada = app.person("ada").await;
        let body = json!({ "email": "ada@example.org", "password": "not the password" });
        app.nobody().post("/api/v1/auth/login", body).await.problem(401, "invalid_login");
        for _ in 0..200 {
            let sql = "SELECT count(*) AS noted FROM audit_logs WHERE action = 'user.login_failed'";
            let row = app.db.reader().query_one_raw(Statement::from_string(app.db.reader().get_database_backend(), sql));
            if row.await.unwrap().unwrap().try_get::<i64>("", "noted").unwrap() == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the failed sign-in of {} was not noted", ada.user);
    }

    async fn after_logout_the_token_is_worth_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        assert_eq!(ada.send(Method::POST, "/api/v1/auth/logout", None).await.status, 204);
        ada.get("/api/v1/auth/me").await.problem(401, "unauthenticated");
    }

    async fn a_cookie_reads_from_anywhere_but_changes_only_from_our_own_pages(app: &TestApp) {
        app.person("ada").await;
        let body = json!({ "email": "ada@example.org", "password": PASSWORD });
        let login = app.nobody().post("/api/v1/auth/login", body).await;
        let cookie = login.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
        let browser = app.nobody().with_header("cookie", cookie.split(';').next().unwrap());

        browser.get("/api/v1/auth/me").await.expect(200);
        let make = async |browser: &Client| {
            browser.post("/api/v1/workflows", json!({ "name": "w", "definition": {} })).await
        };
        make(&browser).await.problem(403, "forbidden");
        make(&browser.clone().with_header("origin", "https://evil.example")).await.problem(403, "forbidden");
        make(&browser.clone().with_header("sec-fetch-site", "cross-site")).await.problem(403, "forbidden");
        make(&browser.clone().with_header("origin", &app.url)).await.expect(201);
        make(&browser.clone().with_header("sec-fetch-site", "same-origin")).await.expect(201);
    }

    async fn what_is_no_account_is_refused_by_field(app: &TestApp) {
        let cases = [
            (json!({ "email": "ada", "password": PASSWORD }), "email"),
            (json!({ "email": "a@b.c", "password": "short" }), "password"),
            (json!({ "email": "a@b.c", "password": "x".repeat(2000) }), "password"),
            (json!({ "email": "a@b.c", "password": PASSWORD, "timezone": "Mars/Olympus" }), "timezone"),
            (json!({ "email": "a@b.c", "password": PASSWORD, "full_name": "\0" }), "full_name"),
            (json!({ "email": "a@b.c", "password": PASSWORD, "is_admin": true }), "is_admin"),
            (json!({ "email": "a@b.c", "password": 5 }), "password"),
        ];
        for (body, field) in cases {
            let problem = app.nobody().post("/api/v1/auth/sign-up", body).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        app.nobody().post("/api/v1/auth/sign-up", json!({ "email": "a@b.c" })).await.problem(400, "invalid_request");
    }

    async fn what_is_no_token_is_refused(app: &TestApp) {
        app.nobody().get("/api/v1/auth/me").await.problem(401, "unauthenticated");
        for token in ["x", "tm_x", "", "tm_"] {
            app.nobody().with_token(token).get("/api/v1/auth/me").await.problem(401, "unauthenticated");
        }
        let basic = app.nobody().with_header("authorization", "Basic YTpi");
        let answer = basic.get("/api/v1/auth/me").await;
        assert_eq!(answer.headers.get("www-authenticate").unwrap(), "Bearer");
        answer.problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_installation_takes_no_accounts() {
    let app = TestApp::spawn_with(Place::sqlite(), &[("API__SIGN_UP", "closed")]).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    app.nobody().post("/api/v1/auth/sign-up", body).await.problem(403, "sign_up_closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_tls_the_cookie_is_secure() {
    let app = TestApp::spawn_with(Place::sqlite(), &[("API__PUBLIC_URL", "https://tidemill.example/")]).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let answer = app.nobody().post("/api/v1/auth/sign-up", body).await;
    assert!(answer.headers.get("set-cookie").unwrap().to_str().unwrap().contains("Secure"));
    app.stop().await;
}
