//! Settings.

use std::path::Path;

use store::settings::{DEFAULT_TOML, load_from};
use toml::Table;

use super::{all, documents, read, root, spans};

fn defaults() -> Table {
    DEFAULT_TOML.parse().unwrap()
}

fn exists(section: &str, key: &str) -> bool {
    defaults().get(section).and_then(|section| section.get(key)).is_some()
}

/// Every file below `config/`, by path.
fn configuration_files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap());
    let mut found = Vec::new();
    for entry in entries {
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => found.extend(configuration_files(&name)),
            false => found.push(name),
        }
    }
    found
}

#[test]
fn every_variable_that_is_named_is_a_setting() {
    let texts = configuration_files("config").into_iter().map(|name| (name.clone(), read(&name)));
    let mut tried = 0;
    for (name, text) in documents().into_iter().chain(texts) {
        for variable in all(r"TIDEMILL__([A-Z_]+)", &text) {
            let (section, key) = variable.split_once("__").unwrap();
            let is_pattern = (section, key) == ("SECTION", "KEY");
            assert!(is_pattern || exists(&section.to_lowercase(), &key.to_lowercase()), "{name}: {variable}");
            tried += 1;
        }
    }
    assert!(tried > 8, "{tried}");
}

#[test]
fn every_setting_that_the_documents_name_exists() {
    let mut tried = 0;
    for (name, text) in documents() {
        for span in spans(&text) {
            let Some((section, key)) = span.split_once('.') else { continue };
            let key = key.split_once(" = ").map_or(key, |(key, _)| key);
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if defaults().contains_key(section) && is_key {
                assert!(exists(section, key), "{name}: {span}");
                tried += 1;
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn the_table_of_sections_is_complete_and_names_keys_of_each() {
    let readme = read("README.md");
    let mut sections: Vec<String> = defaults().keys().cloned().collect();
    for row in readme.lines().filter(|line| line.starts_with("| `[")) {
        let section = all(r"^\| `\[(\w+)\]`", row).remove(0);
        sections.retain(|other| *other != section);
        for key in all(r"`(\w+)`", row) {
            assert!(exists(&section, &key), "[{section}] {key}");
        }
    }
    assert_eq!(sections, Vec::<String>::new());
}

#[test]
fn the_production_examples_are_configurations() {
    load_from(Some((Path::new("production.toml"), &read("config/production.toml"))), []).unwrap();
    let manifests = read("config/kubernetes/tidemill.yaml");
    let lines = manifests.lines().skip_while(|line| !line.ends_with("tidemill.toml: |")).skip(1);
    let text: Vec<&str> = lines.map_while(|line| line.strip_prefix("    ")).collect();
    let settings = load_from(Some((Path::new("tidemill.toml"), &text.join("\n"))), []).unwrap();
    assert_eq!(settings.scheduler.listen.port(), 8081);
}
