//! Users, organizations, sessions and API keys.

use chrono::TimeDelta;
use store::api_keys::{self, NewApiKey, Uses};
use store::organizations::{self, NewOrganization, Role};
use store::page::PageRequest;
use store::sessions::{self, NewSession};
use store::users::{self, EmailAddress, NewUser, ProfileUpdate};
use store::{Error, ids};

use crate::conformance;
use crate::seed::Tenant;

conformance! {
    async fn sign_up_makes_a_user_who_owns_a_personal_organization(test: &TestDb) {
        let db = &test.db;
        assert!(!users::is_any(db.reader()).await.unwrap());
        let ada = Tenant::sign_up(db, "Ada@Example.org").await;
        assert!(users::is_any(db.reader()).await.unwrap());
        assert_eq!(ada.user.email, "ada@example.org");
        assert!(ada.organization.is_personal);
        assert_eq!(
            organizations::role_of(db.reader(), ada.id(), ada.user.id).await.unwrap(),
            Some(Role::Owner)
        );
        assert_eq!(
            organizations::personal_of(db.reader(), ada.user.id).await.unwrap().unwrap().id,
            ada.id()
        );
        let email = EmailAddress::parse("ADA@example.org").unwrap();
        let found = users::find_by_email(db.reader(), &email);
        assert_eq!(found.await.unwrap().unwrap().id, ada.user.id);
    }

    async fn an_address_is_taken_once_and_the_second_sign_up_leaves_nothing(test: &TestDb) {
        let db = &test.db;
        Tenant::sign_up(db, "ada@example.org").await;
        let new = NewUser {
            email: EmailAddress::parse("ADA@EXAMPLE.ORG").unwrap(),
            password_hash: None,
            full_name: None,
            timezone: None,
            is_admin: false,
        };
        let tx = db.begin().await.unwrap();
        let error = users::sign_up(&tx, db.now(), new).await.unwrap_err();
        drop(tx);
        assert!(matches!(&error, Error::Unique { constraint } if constraint == "uq_users_email"), "{error}");
        assert_eq!(crate::seed::count(db.reader(), "organizations", "1 = 1").await, 1);
    }

    async fn a_profile_changes_only_where_it_is_told_to(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let update =
            ProfileUpdate { timezone: Some("Europe/London".to_owned()), ..ProfileUpdate::default() };
        let user =
            users::update_profile(db.writer(), db.now(), ada.user.id, update).await.unwrap().unwrap();
        assert_eq!((user.timezone.as_str(), user.full_name.as_deref()), ("Europe/London", Some("Somebody")));
        assert!(users::record_login(db.writer(), db.now(), ada.user.id).await.unwrap());
        assert!(users::set_password_hash(db.writer(), db.now(), ada.user.id, "new".to_owned()).await.unwrap());
        let user = users::find(db.reader(), ada.user.id).await.unwrap().unwrap();
        assert_eq!(user.password_hash.as_deref(), Some("new"));
        assert_eq!(user.last_login_at.unwrap().to_utc(), db.now());
    }

    async fn a_session_counts_until_it_expires_or_is_revoked(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let (now, later) = (db.now(), db.now() + TimeDelta::hours(1));
        let token_hash = ids::token_hash("token");
        let new = NewSession {
            user_id: ada.user.id,
            organization_id: Some(ada.id()),
            token_hash: token_hash.clone(),
            ip_address: Some("192.0.2.1".to_owned()),
            user_agent: None,
            expires_at: later,
        };
        let session = sessions::create(db.writer(), now, new.clone()).await.unwrap();
        let live = sessions::find_live(db.reader(), now, &token_hash).await.unwrap().unwrap();
        assert_eq!((live.user.id, live.role), (ada.user.id, Some(Role::Owner)));
        assert!(sessions::find_live(db.reader(), now, "other").await.unwrap().is_none());
        assert!(sessions::find_live(db.reader(), later, &token_hash).await.unwrap().is_none(), "expired");

        let much_later = later + TimeDelta::hours(1);
        assert!(sessions::touch(db.writer(), now, session.id, Some(much_later)).await.unwrap());
        assert!(sessions::find_live(db.reader(), later, &token_hash).await.unwrap().is_some());
        assert_eq!(sessions::delete_expired(db.writer(), later, 10).await.unwrap(), 0);
        assert_eq!(sessions::delete_expired(db.writer(), much_later, 10).await.unwrap(), 1);

        let kept = sessions::create(db.writer(), now, new.clone()).await.unwrap();
        let other = NewSession { token_hash: ids::token_hash("other"), ..new };
        sessions::create(db.writer(), now, other).await.unwrap();
        assert_eq!(sessions::list(db.reader(), now, ada.user.id).await.unwrap().len(), 2);
        assert_eq!(sessions::revoke_all(db.writer(), ada.user.id, Some(kept.id)).await.unwrap(), 1);
        let eve = Tenant::sign_up(db, "eve@example.org").await;
        assert!(!sessions::revoke(db.writer(), eve.user.id, kept.id).await.unwrap(), "not hers");
        assert!(!sessions::switch_organization(db.writer(), kept.id, ada.user.id, eve.id()).await.unwrap());
        assert!(sessions::switch_organization(db.writer(), kept.id, ada.user.id, ada.id()).await.unwrap());
        assert!(sessions::revoke(db.writer(), ada.user.id, kept.id).await.unwrap());
        assert!(sessions::find_live(db.reader(), now, &token_hash).await.unwrap().is_none());
    }
}

fn new_key(tenant: &Tenant, name: &str) -> NewApiKey {
    NewApiKey {
        organization_id: tenant.id(),
        user_id: tenant.user.id,
        key_name: name.to_owned(),
        key_prefix: "tm_abcd".to_owned(),
        key_hash: ids::token_hash(name),
        permissions: vec!["read".to_owned(), "execute".to_owned()],
        expires_at: None,
    }
}

conformance! {
    async fn an_api_key_counts_until_it_expires_or_is_revoked(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let now = db.now();
        let later = now + TimeDelta::hours(1);
        let new = NewApiKey { expires_at: Some(later), ..new_key(&ada, "ci") };
        let key = api_keys::create(db.writer(), now, new).await.unwrap();
        let live = api_keys::find_live(db.reader(), now, &key.key_hash).await.unwrap().unwrap();
        assert_eq!(live.permissions().collect::<Vec<_>>(), ["read", "execute"]);
        assert_eq!(live.role, Role::Owner);
        assert!(api_keys::find_live(db.reader(), later, &key.key_hash).await.unwrap().is_none(), "expired");

        let uses = [Uses { key_id: key.id, count: 2 }, Uses { key_id: key.id, count: 3 }];
        api_keys::count_uses(db.writer(), now, &uses).await.unwrap();
        let read = api_keys::find(db.reader(), ada.id(), key.id).await.unwrap().unwrap();
        assert_eq!((read.usage_count, read.last_used_at.unwrap().to_utc()), (5, now));

        assert!(api_keys::revoke(db.writer(), now, ada.id(), key.id).await.unwrap());
        assert!(!api_keys::revoke(db.writer(), now, ada.id(), key.id).await.unwrap(), "a second time");
        assert!(api_keys::find_live(db.reader(), now, &key.key_hash).await.unwrap().is_none());
    }

    async fn a_key_of_somebody_who_left_the_organization_does_not_count(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let eve = Tenant::sign_up(db, "eve@example.org").await;
        let new = NewApiKey { organization_id: eve.id(), ..new_key(&ada, "left") };
        let key = api_keys::create(db.writer(), db.now(), new).await.unwrap();
        assert!(api_keys::find_live(db.reader(), db.now(), &key.key_hash).await.unwrap().is_none());
    }

    async fn a_name_of_a_key_is_taken_once(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        api_keys::create(db.writer(), db.now(), new_key(&ada, "ci")).await.unwrap();
        let again = NewApiKey { key_hash: "other".to_owned(), ..new_key(&ada, "ci") };
        let error = api_keys::create(db.writer(), db.now(), again).await.unwrap_err();
        match error {
            Error::Unique { constraint } => {
                assert_eq!(constraint, "uq_api_keys_organization_id_user_id_key_name");
            }
            other => panic!("{other}"),
        }
    }

    async fn members_are_listed_with_their_roles(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let bob = Tenant::sign_up(db, "bob@example.org").await;
        let team = NewOrganization {
            name: "Team".to_owned(),
            slug: Some("team".to_owned()),
            is_personal: false,
            owner: ada.user.id,
        };
        let tx = db.begin().await.unwrap();
        let team = organizations::create(&tx, db.now(), team).await.unwrap();
        organizations::add_member(&tx, db.now(), team.id, bob.user.id, Role::Viewer).await.unwrap();
        tx.commit().await.unwrap();
        let members = organizations::members(db.reader(), team.id, PageRequest::default()).await.unwrap();
        let seen: Vec<_> = members.items.iter().map(|one| (one.email.as_str(), one.role)).collect();
        assert_eq!(seen, [("ada@example.org", Role::Owner), ("bob@example.org", Role::Viewer)]);
        let of_bob = organizations::of_user(db.reader(), bob.user.id).await.unwrap();
        let seen: Vec<_> = of_bob.iter().map(|(one, role)| (one.id, *role)).collect();
        assert_eq!(seen, [(bob.id(), Role::Owner), (team.id, Role::Viewer)]);
        let again = organizations::add_member(db.writer(), db.now(), team.id, bob.user.id, Role::Admin).await;
        assert!(matches!(again, Err(Error::Unique { .. })));
    }
}
