//! The canary: a wrong key is found at start.

use store::Error;
use store::vault::{self, Keyring, Vault, check_canary};

use crate::conformance;

conformance! {
    async fn the_first_start_leaves_a_canary_and_another_key_is_refused(test: &TestDb) {
        let db = &test.db;
        let folder = tempfile::tempdir().unwrap();
        let (old_path, new_path) = (folder.path().join("old"), folder.path().join("new"));
        let old = Keyring::load_or_create(&old_path).unwrap();
        let new = Keyring::load_or_create(&new_path).unwrap();
        let (old_vault, new_vault) = (Vault::open(old.clone()), Vault::open(new.clone()));
        check_canary(db.writer(), db.now(), &old_vault).await.unwrap();
        check_canary(db.writer(), db.now(), &old_vault).await.unwrap();
        match check_canary(db.writer(), db.now(), &new_vault).await {
            Err(Error::Vault(vault::Error::WrongKey { expected, current })) => {
                assert_eq!((expected, current), (old_vault.current_key(), new_vault.current_key()));
            }
            other => panic!("{other:?}"),
        }
        // A rotated keyring fits, and from then on the new key alone does.
        check_canary(db.writer(), db.now(), &Vault::open(new.with_previous(&old))).await.unwrap();
        check_canary(db.writer(), db.now(), &new_vault).await.unwrap();
    }

    async fn services_that_start_at_once_agree_on_one_canary(test: &TestDb) {
        let db = test.db.clone();
        let vault = Vault::open(Keyring::generate());
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, vault) = (db.clone(), vault.clone());
                tokio::spawn(async move { check_canary(db.writer(), db.now(), &vault).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(crate::seed::count(db.reader(), "health_checks", "service_name = 'vault'").await, 1);
    }
}
