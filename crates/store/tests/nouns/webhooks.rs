//! Webhooks and their secrets.

use serde_json::json;
use store::settings::Secret;
use store::vault::{self, Keyring, Vault};
use store::webhooks::{
    self, Method, NewWebhook, ResponseMode, Rules, SignatureScheme, Triggered, WebhookPath, WebhookUpdate,
};
use store::workflows::{Status, Workflow};
use store::{Db, Error};

use crate::conformance;
use crate::seed::{Tenant, hooked, manual, vault as test_vault};

fn new(tenant: &Tenant, workflow: &Workflow, path: &str) -> NewWebhook {
    NewWebhook {
        organization_id: tenant.id(),
        workflow_id: workflow.id,
        user_id: Some(tenant.user.id),
        path: WebhookPath::parse(path).unwrap(),
        rules: Rules::default(),
        secret: None,
        is_active: true,
    }
}

async fn make(db: &Db, tenant: &Tenant, path: &str) -> webhooks::Webhook {
    let workflow = tenant.workflow(db, manual(), Status::Active).await;
    let new = new(tenant, &workflow, path);
    webhooks::create(db.writer(), db.now(), test_vault(), new).await.unwrap().unwrap()
}

conformance! {
    async fn the_route_of_a_path_says_all_that_a_call_needs(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let mut definition = hooked(json!({
            "path": "a/b", "method": "ANY", "signature": "github", "toleranceSecs": 10, "dedupWindowSecs": 20,
            "dedupHeader": "X-Id", "responseMode": "respondNode", "maxBodyBytes": 30,
        }));
        definition["settings"]["priority"] = json!(-3);
        let workflow = ada.workflow(db, definition, Status::Active).await;
        let route = webhooks::find_by_path(db.reader(), "a/b").await.unwrap().unwrap();
        assert!(route.is_live());
        assert_eq!((route.workflow_version, route.workflow_status, route.priority), (1, Status::Active, -3));
        assert_eq!(route.method, Method::Any);
        assert_eq!(route.signature_scheme, SignatureScheme::Github);
        assert_eq!(route.response_mode, ResponseMode::RespondNode);
        let row = &route.webhook;
        assert_eq!((row.workflow_id, row.node_id.as_deref()), (workflow.id, Some("hook")));
        assert_eq!((row.tolerance_secs, row.dedup_window_secs, row.max_body_bytes), (10, 20, Some(30)));
        assert_eq!(row.dedup_header.as_deref(), Some("X-Id"));
        for unknown in ["a", "a/b/c", "A/B", "a/b\0", "' OR 1=1 --"] {
            assert!(webhooks::find_by_path(db.reader(), unknown).await.unwrap().is_none(), "{unknown}");
        }
    }

    async fn a_path_belongs_to_one_webhook_of_the_installation(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let eve = Tenant::sign_up(db, "eve@example.org").await;
        make(db, &ada, "orders").await;
        let workflow = eve.workflow(db, manual(), Status::Active).await;
        let again = webhooks::create(db.writer(), db.now(), test_vault(), new(&eve, &workflow, "/orders")).await;
        assert!(matches!(again, Err(Error::WebhookPathTaken { path }) if path == "orders"));
        let other = make(db, &eve, "returns").await;
        let update =
            WebhookUpdate { path: Some(WebhookPath::parse("orders").unwrap()), ..WebhookUpdate::default() };
        let moved =
            webhooks::update(db.writer(), db.now(), test_vault(), eve.id(), other.id, update).await;
        assert!(matches!(moved, Err(Error::WebhookPathTaken { path }) if path == "orders"));
    }

    async fn a_secret_is_sealed_for_its_row(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let webhook = make(db, &ada, "orders").await;
        let secret = webhooks::secret(db.reader(), test_vault(), ada.id(), webhook.id).await.unwrap().unwrap();
        let sealed = webhook.secret_encrypted.clone().unwrap();
        let text = secret.expose().as_bytes();
        assert!(!sealed.windows(text.len()).any(|part| part == text));

        let other = make(db, &ada, "returns").await;
        let stolen = webhooks::Webhook { secret_encrypted: Some(sealed), ..other };
        let route = webhooks::find_by_path(db.reader(), "returns").await.unwrap().unwrap();
        let route = webhooks::Route { webhook: stolen, ..route };
        match route.secret(test_vault()) {
            Err(Error::Vault(vault::Error::Misplaced { place })) => assert_eq!(place, vault::Place::Row),
            other => panic!("{other:?}"),
        }
        let elsewhere = Vault::open(Keyring::generate());
        let lost = webhooks::secret(db.reader(), &elsewhere, ada.id(), webhook.id).await;
        assert!(matches!(lost, Err(Error::Vault(vault::Error::UnknownKey { .. }))));
    }

    async fn a_secret_can_be_replaced_and_must_fit_the_scheme(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let webhook = make(db, &ada, "orders").await;
        let set = async |secret: Option<&str>| {
            let secret = secret.map(Secret::new);
            webhooks::set_secret(db.writer(), db.now(), test_vault(), ada.id(), webhook.id, secret).await
        };
        for bad in ["", "whsec_", "not base64!", "whsec_c2hvcnQ="] {
            assert!(matches!(set(Some(bad)).await, Err(Error::Invalid { .. })), "{bad}");
        }
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert!(set(Some(good)).await.unwrap());
        let read = webhooks::secret(db.reader(), test_vault(), ada.id(), webhook.id).await.unwrap();
        assert_eq!(read.unwrap().expose(), good);
        assert!(set(None).await.unwrap());
        let route = webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap();
        assert_eq!(route.signature_scheme, SignatureScheme::Standard, "it still asks for a signature");
        assert_eq!(route.secret(test_vault()).unwrap(), None);
    }

    async fn a_webhook_that_begins_to_ask_for_signatures_gets_a_secret(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let unsigned = Rules { signature_scheme: SignatureScheme::None, ..Rules::default() };
        let new = NewWebhook { rules: unsigned, ..new(&ada, &workflow, "orders") };
        let webhook = webhooks::create(db.writer(), db.now(), test_vault(), new).await.unwrap().unwrap();
        assert_eq!(webhook.secret_encrypted, None);
        let update = WebhookUpdate { rules: Some(Rules::default()), ..WebhookUpdate::default() };
        let signed = webhooks::update(db.writer(), db.now(), test_vault(), ada.id(), webhook.id, update).await;
        assert!(signed.unwrap().unwrap().secret_encrypted.is_some());
        webhooks::count_triggers(db.writer(), db.now(), &[Triggered { webhook_id: webhook.id, count: 3 }])
            .await
            .unwrap();
        let read = webhooks::find(db.reader(), ada.id(), webhook.id).await.unwrap().unwrap();
        assert_eq!((read.trigger_count, read.last_triggered_at.unwrap().to_utc()), (3, db.now()));
        assert!(webhooks::delete(db.writer(), ada.id(), webhook.id).await.unwrap());
    }

    async fn a_webhook_of_a_node_is_changed_by_changing_the_workflow_only(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        ada.workflow(db, hooked(json!({"path": "orders"})), Status::Active).await;
        let webhook = webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap().webhook;
        let update = WebhookUpdate { is_active: Some(false), ..WebhookUpdate::default() };
        let outcome = webhooks::update(db.writer(), db.now(), test_vault(), ada.id(), webhook.id, update).await;
        assert!(matches!(outcome, Err(Error::Invalid { .. })));
        let outcome = webhooks::delete(db.writer(), ada.id(), webhook.id).await;
        assert!(matches!(outcome, Err(Error::Invalid { .. })));
    }
}
