//! Connections, the schema check, and wake-ups between processes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by it")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use store::settings::{Database, Secret};
use store::{Backend, Clock, Db, Error, SystemClock, Topic, ids};
use support::TestDb;

/// Far more than a wake-up takes, and what a test waits at most.
const PATIENCE: Duration = Duration::from_secs(20);

fn settings(url: &str) -> Database {
    Database {
        url: Secret::new(url),
        url_file: None,
        max_connections: 4,
        acquire_timeout_ms: 2_000,
        statement_timeout_ms: 2_000,
    }
}

async fn connect(url: &str) -> Result<Db, Error> {
    Db::connect(&settings(url), Arc::new(SystemClock)).await
}

async fn pragma(db: &impl ConnectionTrait, name: &str) -> String {
    let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index::<String>(0)
        .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
        .unwrap()
}

conformance! {
    async fn a_migrated_database_is_told_from_an_old_one(test: &TestDb) {
        let names: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
        test.db.check_schema(&expected).await.unwrap();
        expected.push("m29990101_000001_future");
        match test.db.check_schema(&expected).await.unwrap_err() {
            Error::OldSchema { pending } => assert_eq!(pending, ["m29990101_000001_future"]),
            other => panic!("{other}"),
        }
        test.db.writer().execute_unprepared("DROP TABLE seaql_migrations").await.unwrap();
        let error = test.db.check_schema(&expected).await.unwrap_err();
        assert!(error.to_string().contains(names[0].as_str()), "{error}");
    }

    async fn constraints_have_the_same_names_on_both_databases(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let row = entity::organizations::Entity::find_by_id(organization_id);
        use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
        let known = row.one(test.db.reader()).await.unwrap().unwrap();
        let mut twin = known.clone().into_active_model();
        twin.id = Set(ids::new_id());
        let error: Error = twin.insert(test.db.writer()).await.unwrap_err().into();
        assert!(matches!(&error, Error::Unique { constraint } if constraint == "uq_organizations_slug"), "{error:?}");
        let workflow_id = test.workflow(organization_id, None).await;
        let mut workflow = entity::workflows::Entity::find_by_id(workflow_id).one(test.db.reader()).await.unwrap().unwrap().into_active_model();
        workflow.status = Set("odd".to_owned());
        let error: Error = workflow.update(test.db.writer()).await.unwrap_err().into();
        assert!(matches!(&error, Error::Check { constraint } if constraint == "ck_workflows_status"), "{error:?}");
    }

    async fn time_stands_still_until_the_manual_clock_is_moved(test: &TestDb) {
        let before = test.now();
        assert_eq!(test.connect_again().await.now(), before);
        assert_eq!(test.advance_ms(5), before + TimeDelta::milliseconds(5));
    }
}

#[tokio::test]
async fn sqlite_is_set_up_to_survive_a_power_cut_and_to_give_space_back() {
    let test = TestDb::sqlite().await;
    assert_eq!(test.db.backend(), Backend::Sqlite);
    for db in [test.db.writer(), test.db.reader()] {
        assert_eq!(pragma(db, "journal_mode").await, "wal");
        assert_eq!(pragma(db, "synchronous").await, "2");
        assert_eq!(pragma(db, "foreign_keys").await, "1");
        assert_eq!(pragma(db, "auto_vacuum").await, "2");
    }
}

#[tokio::test]
async fn a_database_in_memory_is_one_database() {
    let db = connect("sqlite::memory:").await.unwrap();
    db.writer().execute_unprepared("CREATE TABLE t (a INTEGER)").await.unwrap();
    db.reader().execute_unprepared("SELECT a FROM t").await.unwrap();
}

#[tokio::test]
async fn a_missing_database_is_named_without_its_password() {
    for url in ["sqlite:///nowhere/at/all.db", "postgres://me:secret@127.0.0.1:1/x"] {
        let error = connect(url).await.err().unwrap();
        assert!(matches!(error, Error::Unreachable { .. }) && error.is_temporary(), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(
            error.to_string().contains(if url.starts_with("sqlite") { "nowhere" } else { "127.0.0.1:1/x" }),
            "{error}"
        );
    }
    let error = connect("mysql://x").await.err().unwrap();
    assert!(error.to_string().starts_with("database.url"), "{error}");
}

#[tokio::test]
async fn the_clock_of_postgres_decides() {
    let Some(test) = TestDb::postgres().await else { return };
    struct Fast;
    impl Clock for Fast {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            SystemClock.now() + TimeDelta::hours(3)
        }
        fn is_real(&self) -> bool {
            true
        }
    }
    let db = Db::connect(&test.settings, Arc::new(Fast)).await.unwrap();
    let difference = db.now() - SystemClock.now();
    assert!(difference.abs() < TimeDelta::seconds(2), "{difference}");
}

#[tokio::test]
async fn a_step_of_the_clock_here_changes_nothing_on_postgres() {
    let Some(test) = TestDb::postgres().await else { return };
    struct Stepping(std::sync::atomic::AtomicI64);
    impl Clock for Stepping {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            SystemClock.now() + TimeDelta::hours(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
        fn is_real(&self) -> bool {
            true
        }
    }
    let clock = Arc::new(Stepping(Default::default()));
    let db = Db::connect(&test.settings, clock.clone()).await.unwrap();
    let before = db.now();
    clock.0.store(-3, std::sync::atomic::Ordering::SeqCst);
    let passed = db.now() - before;
    assert!(passed >= TimeDelta::zero() && passed < TimeDelta::seconds(20), "{passed}");
}

async fn hear(receiver: &mut store::Receiver, wanted: Topic) {
    let heard = async { while receiver.recv().await != wanted {} };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
}

/// Whether another process listens.
async fn listeners(test: &TestDb) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = test.db.reader().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get("", "pid").unwrap()).collect()
}

async fn until_listening(test: &TestDb, count: usize, except: &[i32]) -> Vec<i32> {
    let listening = async {
        loop {
            let pids: Vec<i32> =
                listeners(test).await.into_iter().filter(|pid| !except.contains(pid)).collect();
            if pids.len() >= count {
                return pids;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_reaches_other_processes_on_postgres_and_a_killed_listener_comes_back() {
    let Some(test) = TestDb::postgres().await else { return };
    let other = test.connect_again().await;
    let mut receiver = other.notifier().subscribe();
    let pids = until_listening(&test, 2, &[]).await;
    let id = ids::new_id();
    test.db.notifier().notify(Topic::Execution(id));
    hear(&mut receiver, Topic::Execution(id)).await;

    for pid in &pids {
        let kill = format!("SELECT pg_terminate_backend({pid})");
        test.db.writer().execute_unprepared(&kill).await.unwrap();
    }
    hear(&mut receiver, Topic::Everything).await;
    until_listening(&test, 2, &pids).await;
    test.db.notifier().notify(Topic::Queue);
    hear(&mut receiver, Topic::Queue).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_hears_its_own_wake_up_once_on_postgres() {
    let Some(test) = TestDb::postgres().await else { return };
    let other = test.connect_again().await;
    until_listening(&test, 2, &[]).await;
    let (mut own, mut others) = (test.db.notifier().subscribe(), other.notifier().subscribe());
    test.db.notifier().notify(Topic::Queue);
    hear(&mut others, Topic::Queue).await;
    other.notifier().notify(Topic::Everything);
    assert_eq!(own.recv().await, Topic::Queue);
    assert_eq!(tokio::time::timeout(PATIENCE, own.recv()).await.unwrap(), Topic::Everything);
}
