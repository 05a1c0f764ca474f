//! The `migration` program, as an administrator meets it.

use std::process::{Command, Output};

/// The program with nothing inherited that could name a database.
fn migration(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_migration"))
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env_remove("TIDEMILL__DATABASE__URL")
        .env_remove("TIDEMILL__DATABASE__URL_FILE")
        .output()
        .unwrap()
}

/// What it says when it fails: one line, and exit code 1.
fn failure(arguments: &[&str]) -> String {
    let output = migration(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn success(arguments: &[&str]) -> String {
    let output = migration(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_missing_sqlite_file_is_made_and_brought_up_and_down() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("new.db").display());
    let run = |arguments: &[&str]| success(&[arguments, &["--database-url", &url]].concat());
    assert_eq!(run(&["up"]), "10 migrations applied, 0 pending\n");
    assert_eq!(run(&["down"]), "9 migrations applied, 1 pending\n");
    assert_eq!(run(&["down", "-n", "3"]), "6 migrations applied, 4 pending\n");
    assert!(run(&["status"]).starts_with("applied  m20261120_000001_identity\n"));
    assert!(run(&["status"]).ends_with("pending  m20261120_000010_operation\n"));
    assert_eq!(run(&["refresh"]), "10 migrations applied, 0 pending\n");
    assert_eq!(run(&["fresh"]), "10 migrations applied, 0 pending\n");
}

#[test]
fn the_url_may_come_from_a_configuration_file() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("new.db").display());
    let (plain, indirect) = (directory.path().join("plain.toml"), directory.path().join("indirect.toml"));
    let secret = directory.path().join("url");
    std::fs::write(&plain, format!("[server]\nlisten = \"x\"\n[database]\nurl = \"{url}\"\n")).unwrap();
    std::fs::write(&indirect, format!("[database]\nurl_file = \"{}\"\n", secret.display())).unwrap();
    std::fs::write(&secret, format!("{url}\n")).unwrap();
    for file in [plain, indirect] {
        assert_eq!(
            success(&["up", "--config", file.to_str().unwrap()]),
            "10 migrations applied, 0 pending\n"
        );
    }
}

#[test]
fn no_database_gives_one_line_that_says_how_to_name_one() {
    assert!(failure(&["up"]).contains("give --database-url"));
}

#[test]
fn an_unknown_kind_of_database_gives_one_line_without_the_password() {
    let message = failure(&["up", "--database-url", "mysql://anna:s3cret@localhost/x"]);
    assert!(message.contains("sqlite: or postgres:") && !message.contains("s3cret"), "{message}");
}

#[test]
fn a_directory_that_is_missing_gives_one_line_with_the_path() {
    let message = failure(&["up", "--database-url", "sqlite:///no/such/directory/x.db"]);
    assert!(message.contains("/no/such/directory/x.db"), "{message}");
}

#[test]
fn a_broken_configuration_file_gives_one_line_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("broken.toml");
    std::fs::write(&file, "[database\n").unwrap();
    assert!(failure(&["up", "--config", file.to_str().unwrap()]).contains("broken.toml"));
}

#[test]
fn a_server_that_does_not_answer_gives_one_line_without_the_password() {
    let message = failure(&["up", "--database-url", "postgres://anna:s3cret@127.0.0.1:1/x"]);
    assert!(message.contains("postgres://anna@127.0.0.1:1/x") && !message.contains("s3cret"), "{message}");
}
