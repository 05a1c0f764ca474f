//! Command lines.

use std::path::Path;
use std::process::{Command, Output};

use clap::Parser;
use serde_json::{Value, from_str};

use super::{blocks, documents, read, spans};

/// Command lines that print the same everywhere, and need no server.
const CLOSED: [&str; 5] = ["tidemill validate", "tidemill run", "tidemill cron", "tidemill eval", "echo"];

/// The flags of the three services.
#[derive(Parser)]
struct Service {
    #[command(flatten)]
    _arguments: store::settings::Arguments,
}

/// Runs a line in a shell in which `tidemill` is the program under test.
fn shell(folder: &Path, tidemill: &str, line: &str) -> Output {
    let script = format!("set -o pipefail\ntidemill() {{ {tidemill}; }}\n{line}");
    let program = env!("CARGO_BIN_EXE_tidemill");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("TIDEMILL", program).output().unwrap()
}

/// The command lines of a document, with what is shown below each.
fn shown(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in blocks("console", text).iter().flat_map(|block| block.lines()) {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    found
}

#[test]
fn every_command_line_of_the_documents_parses() {
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for (name, text) in documents() {
        let in_text = spans(&text).into_iter().filter(|span| span.starts_with("tidemill "));
        for line in shown(&text).into_iter().map(|(line, _)| line).chain(in_text) {
            let words: Vec<&str> = line.trim_end_matches(" &").split(' ').collect();
            if line.starts_with("tidemill ") || line.contains("| tidemill ") {
                // With the flag at its end a line is read and nothing is done.
                let output = shell(folder.path(), r#""$TIDEMILL" "$@" --help"#, &line);
                assert!(
                    output.status.success(),
                    "{name}: {line}\n{}",
                    String::from_utf8_lossy(&output.stderr)
                );
            } else {
                assert!(
                    CLOSED.iter().any(|start| line.starts_with(start)) || parses(&words),
                    "{name}: {line}"
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} command lines were found");
}

#[test]
fn a_command_that_needs_no_server_prints_what_is_shown() {
    let readme = read("README.md");
    let folder = tempfile::tempdir().unwrap();
    let basket =
        blocks("sh", &readme).into_iter().find(|block| block.starts_with("cat > basket.json")).unwrap();
    assert!(shell(folder.path(), "false", &basket).status.success());
    let without_times = fancy_regex::Regex::new(r"in \d+ ms").unwrap();
    let plain = |text: &str| without_times.replace_all(text, "in some ms").into_owned();
    for (line, expected) in shown(&readme) {
        if CLOSED.iter().any(|start| line.starts_with(start)) {
            let output = shell(folder.path(), r#""$TIDEMILL" "$@""#, &line);
            // The progress of `run` is on standard error, before the result.
            let printed =
                String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
            assert_eq!(plain(&printed), plain(&expected), "{line}");
        }
    }
}

/// Whether a command line is one of a program that is not the one under test.
fn parses(words: &[&str]) -> bool {
    match words {
        ["api" | "scheduler" | "worker", ..] => Service::try_parse_from(words).is_ok(),
        ["migration", "up" | "status", rest @ ..] => matches!(rest, [] | ["--config", _]),
        ["head", ..] => true,
        _ => false,
    }
}

#[test]
fn every_deployment_file_starts_a_program_as_it_can_be_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut started = 0;
    let mut start = |name: &str, words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        started += 1;
        if words[0] == "tidemill" {
            let output = shell(folder.path(), r#""$TIDEMILL" "$@" --help"#, &words.join(" "));
            assert!(output.status.success(), "{name}: {words:?}");
        } else {
            assert!(words[0] != "head" && parses(&words), "{name}: {words:?}");
        }
    };
    for unit in std::fs::read_dir(super::root().join("config/systemd")).unwrap() {
        let name = format!("config/systemd/{}", unit.unwrap().file_name().to_str().unwrap());
        let line = super::all(r"(?m)^ExecStart=/usr/local/bin/(.*)$", &read(&name)).remove(0);
        start(&name, line.split(' ').map(str::to_owned).collect());
    }
    for name in
        ["config/container/Containerfile", "config/container/compose.yaml", "config/kubernetes/tidemill.yaml"]
    {
        for command in super::all(r"(?m)^(?:CMD| +command:) (\[.*\])$", &read(name)) {
            let words: Vec<Value> = from_str(&command).unwrap();
            start(name, words.iter().map(|word| word.as_str().unwrap().to_owned()).collect());
        }
    }
    assert_eq!(started, 5 + 1 + 4 + 4);
    for program in super::all(r"/src/target/release/(\w+)", &read("config/container/Containerfile")) {
        assert!(
            ["tidemill", "api", "scheduler", "worker", "migration"].contains(&program.as_str()),
            "{program}"
        );
    }
}
