//! What keeps a service from starting is one line that names it, and exit code 1.

use std::net::TcpListener;
use std::time::Duration;

use end_to_end::{Finished, Installation, free_address, run, take_turn};

/// Longer than a service tries to reach a server that is not there.
const LIMIT: Duration = Duration::from_secs(20);

/// The services that need a database that is there already.
const SEPARATE: [&str; 3] = ["api", "scheduler", "worker"];

/// Runs a service that is not to start, with a free address unless the arguments name one.
async fn start(installation: &Installation, program: &str, arguments: &[&str]) -> Finished {
    let listen = free_address().to_string();
    let mut all = if program == "tidemill" { vec!["serve"] } else { Vec::new() };
    all.extend(arguments);
    if !arguments.contains(&"--listen") {
        all.extend(["--listen", &listen]);
    }
    run(installation.command(program, &all), "", LIMIT).await
}

async fn migrated() -> Installation {
    let installation = Installation::sqlite();
    installation.make_key();
    run(installation.command("migration", &["up"]), "", LIMIT).await.expect(0);
    installation
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let _turn = take_turn().await;
    let installation = migrated().await;
    let missing = format!("sqlite://{}", installation.folder().join("missing.db").display());
    for program in SEPARATE {
        start(&installation, program, &["--database-url", &missing])
            .await
            .is_refusal(&["database", "missing.db"]);
    }
    let nobody = free_address();
    let absent = format!("postgres://tide:s3cret-password@{nobody}/mill");
    let all = ["api", "scheduler", "worker", "tidemill"].map(|program| {
        let arguments = ["--database-url", absent.as_str()];
        let installation = &installation;
        async move { start(installation, program, &arguments).await }
    });
    for refused in futures::future::join_all(all).await {
        assert!(!refused.err.contains("s3cret-password"), "{}", refused.err);
        refused.is_refusal(&["cannot reach the database", &nobody.to_string()]);
    }
    let status =
        run(installation.command("migration", &["status", "--database-url", &absent]), "", LIMIT).await;
    assert!(!status.err.contains("s3cret-password"), "{}", status.err);
    status.is_refusal(&[&nobody.to_string()]);
}

#[tokio::test]
async fn a_key_that_is_missing_or_another_one_is_named() {
    let _turn = take_turn().await;
    let mut installation = migrated().await;
    let mut api = installation.start("api", &[]);
    api.ready().await;
    assert_eq!(api.stop(LIMIT).await, Some(0));

    let other = installation.write_key("other.key");
    installation.set("VAULT__KEY_FILE", &other.display().to_string());
    for program in ["api", "worker", "tidemill"] {
        start(&installation, program, &[]).await.is_refusal(&["key does not fit this database"]);
    }
    installation.set("VAULT__KEY_FILE", "missing.key");
    for program in ["api", "worker"] {
        start(&installation, program, &[]).await.is_refusal(&["encryption key", "missing.key"]);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let _turn = take_turn().await;
    let installation = migrated().await;
    let address = free_address().to_string();
    let _taken = TcpListener::bind(&address).unwrap();
    for program in ["api", "scheduler", "worker", "tidemill"] {
        start(&installation, program, &["--listen", &address]).await.is_refusal(&[&address, "in use"]);
    }
}

#[tokio::test]
async fn a_schema_that_is_too_old_is_named() {
    let _turn = take_turn().await;
    let installation = migrated().await;
    run(installation.command("migration", &["down"]), "", LIMIT).await.expect(0);
    for program in SEPARATE {
        start(&installation, program, &[]).await.is_refusal(&["lacks 1 migration", "migration up"]);
    }
    // One process brings its schema up to date by itself.
    let mut service = installation.serve().await;
    assert_eq!(service.stop(LIMIT).await, Some(0));
}

#[tokio::test]
async fn a_setting_that_does_not_exist_and_a_file_that_cannot_be_read_are_named() {
    let _turn = take_turn().await;
    let mut installation = migrated().await;
    let unknown =
        installation.write("unknown.toml", "[api]\nlissen = \"127.0.0.1:1\"\n").display().to_string();
    let broken = installation.write("broken.toml", "[api\n").display().to_string();
    for program in ["api", "scheduler", "worker", "tidemill"] {
        start(&installation, program, &["--config", &unknown]).await.is_refusal(&["lissen"]);
        start(&installation, program, &["--config", &broken]).await.is_refusal(&["broken.toml", "TOML"]);
        start(&installation, program, &["--config", "none.toml"])
            .await
            .is_refusal(&["cannot read none.toml"]);
    }
    installation.set("WORKER__POLL_MISS", "1");
    for program in ["api", "scheduler", "worker", "tidemill"] {
        start(&installation, program, &[]).await.is_refusal(&["worker.poll_miss"]);
    }
}
