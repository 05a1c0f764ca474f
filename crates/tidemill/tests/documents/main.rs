//! The documents are held to what there is: commands parse and print what is shown, settings, files, tests, metrics
//! and problems exist.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "that is how a test fails, in what its functions share too"
)]

mod commands;
mod files;
mod settings;
mod tables;

use std::path::{Path, PathBuf};

use fancy_regex::Regex;

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The README and everything below `docs/` that is written by hand, as `(path, text)`.
fn documents() -> Vec<(String, String)> {
    let names = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| format!("docs/{}", name.to_str().unwrap()));
    // The map of the schema has a test of its own, in `migration`.
    let names = names.filter(|name| name.ends_with(".md") && name != "docs/schema.md");
    names.chain(["README.md".to_owned()]).map(|name| (name.clone(), read(&name))).collect()
}

/// Every first group of a pattern.
fn all(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let groups = pattern.captures_iter(text).map(|found| found.unwrap().get(1).unwrap().as_str().to_owned());
    groups.collect()
}

/// The fenced blocks of a language.
fn blocks(language: &str, text: &str) -> Vec<String> {
    all(&format!(r"(?sm)^ *```{language}\n(.*?)^ *```"), text)
}

/// What is written as code within the text.
fn spans(text: &str) -> Vec<String> {
    let text = Regex::new(r"(?sm)^ *```.*?^ *```").unwrap().replace_all(text, "").into_owned();
    all(r"`([^`\n]+)`", &text)
}

/// The text of all sources, tests included.
fn sources() -> String {
    fn collect(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    ["crates", "migration", "tests"].iter().for_each(|folder| collect(&root().join(folder), &mut text));
    text
}
