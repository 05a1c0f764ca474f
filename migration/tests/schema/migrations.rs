//! Migrations can be applied, undone, and applied by many at once.

use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;

use crate::catalogue;
use crate::databases::on_each_database;

#[tokio::test]
async fn every_migration_can_be_undone_and_applied_again() {
    on_each_database(|fresh| async move {
        let db = fresh.connect().await;
        let mut before = catalogue::read(&db).await;
        for migration in Migrator::migrations() {
            let name = migration.name();
            Migrator::up(&db, Some(1)).await.unwrap();
            let after = catalogue::read(&db).await;
            assert_ne!(after, before, "{name} does nothing");
            Migrator::down(&db, Some(1)).await.unwrap();
            assert_eq!(catalogue::read(&db).await, before, "{name} is not undone");
            Migrator::up(&db, Some(1)).await.unwrap();
            assert_eq!(catalogue::read(&db).await, after, "{name} is not the same the second time");
            before = after;
        }
        assert!(migration::pending(&db).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn undoing_everything_leaves_nothing() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        migration::down_locked(&db, None).await.unwrap();
        assert_eq!(catalogue::read(&db).await, catalogue::Catalogue::default());
        assert_eq!(migration::pending(&db).await.unwrap().len(), Migrator::migrations().len());
    })
    .await;
}

#[tokio::test]
async fn four_migrators_at_once_all_succeed() {
    on_each_database(|fresh| async move {
        let mut migrators = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let db = fresh.connect().await;
            migrators.spawn(async move { migration::up_locked(&db).await });
        }
        for outcome in migrators.join_all().await {
            outcome.unwrap();
        }
        assert!(migration::pending(&fresh.connect().await).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn asking_what_is_pending_changes_nothing() {
    on_each_database(|fresh| async move {
        let db = fresh.connect().await;
        assert_eq!(migration::pending(&db).await.unwrap().len(), Migrator::migrations().len());
        assert_eq!(catalogue::read(&db).await, catalogue::Catalogue::default());
        assert!(db.execute_unprepared("SELECT * FROM seaql_migrations").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_database_from_a_newer_program_is_refused() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_newer', 0)";
        db.execute_unprepared(newer).await.unwrap();
        let error = migration::pending(&db).await.unwrap_err().to_string();
        assert!(error.contains("m29990101_000001_newer"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn fresh_drops_our_tables_and_no_others() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        db.execute_unprepared("CREATE TABLE somebody_elses (id bigint)").await.unwrap();
        db.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
        migration::up_locked(&db).await.unwrap_err();
        migration::fresh_locked(&db).await.unwrap();
        assert!(migration::pending(&db).await.unwrap().is_empty());
        db.execute_unprepared("SELECT id FROM somebody_elses").await.unwrap();
    })
    .await;
}
