//! Integrations and their credentials.

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use store::integrations::{
    self, Credentials, Integration, IntegrationFilter, IntegrationUpdate, NewIntegration, Status,
};
use store::page::PageRequest;
use store::vault::{self, Keyring, Vault};
use store::{Db, Error};

use crate::conformance;
use crate::seed::{Tenant, vault as test_vault};

fn credentials(value: Value) -> Credentials {
    match value {
        Value::Object(fields) => Credentials::new(fields),
        other => panic!("{other}"),
    }
}

fn new(tenant: &Tenant, service: &str, name: &str) -> NewIntegration {
    NewIntegration {
        organization_id: tenant.id(),
        user_id: Some(tenant.user.id),
        service_name: service.to_owned(),
        display_name: name.to_owned(),
        credentials: credentials(json!({"token": "planted-secret"})),
        configuration: json!({"channel": "#general"}),
        metadata: Value::Null,
        expires_at: None,
        refresh_token_expires_at: None,
    }
}

async fn make(db: &Db, tenant: &Tenant, service: &str, name: &str) -> Integration {
    integrations::create(db.writer(), db.now(), test_vault(), new(tenant, service, name)).await.unwrap()
}

conformance! {
    async fn credentials_come_out_by_id_and_by_name_and_nowhere_else(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let made = make(db, &ada, "slack", "Team chat").await;
        for reference in [made.id.to_string(), "Team chat".to_owned()] {
            let unsealed =
                integrations::unseal(db.reader(), test_vault(), ada.id(), &reference, &["slack", "smtp"])
                    .await
                    .unwrap()
                    .unwrap();
            assert_eq!(unsealed.credentials.expose()["token"], "planted-secret");
            assert!(!format!("{unsealed:?}").contains("planted-secret"));
            assert_eq!(unsealed.configuration["channel"], "#general");
        }
        let page = PageRequest::default();
        let filter = IntegrationFilter { service_name: Some("slack".to_owned()), status: Some(Status::Active) };
        let listed = integrations::list(db.reader(), ada.id(), &filter, page).await.unwrap();
        assert_eq!(listed.items, std::slice::from_ref(&made));
        let read = integrations::find(db.reader(), ada.id(), made.id).await.unwrap().unwrap();
        assert_eq!(read, made);
        assert!(!format!("{listed:?}{read:?}").contains("planted"));
        for (reference, connectors) in [("Team chat", &["smtp"][..]), ("other", &[]), ("\0", &[])] {
            let found = integrations::unseal(db.reader(), test_vault(), ada.id(), reference, connectors).await;
            assert!(found.unwrap().is_none(), "{reference}");
        }
    }

    async fn a_name_of_several_needs_the_connector_or_the_id(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        make(db, &ada, "slack", "Main").await;
        make(db, &ada, "smtp", "Main").await;
        let unseal = async |connectors| {
            integrations::unseal(db.reader(), test_vault(), ada.id(), "Main", connectors).await
        };
        assert!(matches!(unseal(&[]).await, Err(Error::Invalid { .. })));
        assert_eq!(unseal(&["smtp"]).await.unwrap().unwrap().service_name, "smtp");
        let again = integrations::create(db.writer(), db.now(), test_vault(), new(&ada, "smtp", "Main")).await;
        assert!(matches!(
            again,
            Err(Error::Unique { constraint })
                if constraint == "uq_integrations_organization_id_service_name_display_name"
        ));
    }

    async fn a_try_is_noted_and_new_credentials_clear_its_failure(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let id = make(db, &ada, "slack", "Main").await.id;
        let failed = integrations::mark_tested(db.writer(), db.now(), ada.id(), id, Err("no\0 answer")).await;
        let failed = failed.unwrap().unwrap();
        assert_eq!((failed.status.as_str(), failed.error_message.as_deref()), ("error", Some("no\u{fffd} answer")));
        assert_eq!(failed.last_tested_at, Some(db.now()));
        let update = IntegrationUpdate {
            credentials: Some(credentials(json!({"token": "second"}))),
            display_name: Some("Renamed".to_owned()),
            ..IntegrationUpdate::default()
        };
        let changed = integrations::update(db.writer(), db.now(), test_vault(), ada.id(), id, update).await;
        let changed = changed.unwrap().unwrap();
        assert_eq!((changed.status.as_str(), changed.error_message), ("active", None));
        assert_eq!(changed.configuration["channel"], "#general");
        let unsealed = integrations::unseal(db.reader(), test_vault(), ada.id(), "Renamed", &[]).await;
        assert_eq!(unsealed.unwrap().unwrap().credentials.expose()["token"], "second");
        let off = IntegrationUpdate { status: Some(Status::Inactive), ..IntegrationUpdate::default() };
        integrations::update(db.writer(), db.now(), test_vault(), ada.id(), id, off).await.unwrap().unwrap();
        let refused = integrations::unseal(db.reader(), test_vault(), ada.id(), "Renamed", &[]).await;
        assert!(refused.unwrap_err().to_string().contains("switched off"));
        assert!(integrations::delete(db.writer(), ada.id(), id).await.unwrap());
        assert!(!integrations::delete(db.writer(), ada.id(), id).await.unwrap());
    }

    async fn one_secret_that_cannot_be_opened_breaks_nothing_else(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let first = make(db, &ada, "slack", "First").await;
        let second = make(db, &ada, "slack", "Second").await;
        // Credentials copied into another row of the same table.
        db.writer()
            .execute_unprepared(
                "UPDATE integrations SET credentials_encrypted = \
                 (SELECT credentials_encrypted FROM integrations WHERE display_name = 'First') \
                 WHERE display_name = 'Second'",
            )
            .await
            .unwrap();
        let unseal = async |name| integrations::unseal(db.reader(), test_vault(), ada.id(), name, &[]).await;
        match unseal("Second").await {
            Err(Error::Vault(vault::Error::Misplaced { place })) => assert_eq!(place, vault::Place::Row),
            other => panic!("{other:?}"),
        }
        assert_eq!(unseal("First").await.unwrap().unwrap().id, first.id);
        assert!(integrations::find(db.reader(), ada.id(), second.id).await.unwrap().is_some());
    }

    async fn a_rotation_seals_everything_again_in_pieces(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let folder = tempfile::tempdir().unwrap();
        let (old_path, path) = (folder.path().join("old"), folder.path().join("new"));
        let old = Vault::open(Keyring::load_or_create(&old_path).unwrap());
        for index in 0..5 {
            let new = new(&ada, "slack", &format!("No. {index}"));
            integrations::create(db.writer(), db.now(), &old, new).await.unwrap();
        }
        let both = Keyring::load_or_create(&path).unwrap().with_previous(&Keyring::load(&old_path).unwrap());
        let rotated = Vault::open(both);
        let (mut after, mut resealed) = (None, 0);
        loop {
            let tx = db.begin().await.unwrap();
            let done = integrations::reseal_outdated(&tx, &rotated, after, 2).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(done.broken, 0);
            resealed += done.resealed;
            after = done.last;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(resealed, 5);
        let new_only = Vault::open(Keyring::load(&path).unwrap());
        let unsealed = integrations::unseal(db.reader(), &new_only, ada.id(), "No. 3", &[]).await.unwrap();
        assert_eq!(unsealed.unwrap().credentials.expose()["token"], "planted-secret");
    }

    async fn bad_input_is_named(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let good = new(&ada, "slack", "Main");
        for (new, field) in [
            (NewIntegration { display_name: " ".to_owned(), ..good.clone() }, "display_name"),
            (NewIntegration { service_name: "a\0".to_owned(), ..good.clone() }, "service_name"),
            (NewIntegration { configuration: json!([1]), ..good.clone() }, "configuration"),
            (NewIntegration { metadata: json!({"a": "\0"}), ..good.clone() }, "metadata"),
        ] {
            match integrations::create(db.writer(), db.now(), test_vault(), new).await {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
