//! Paths, and text that stands in two places.

use super::{all, documents, read, root, spans};

/// An anchor as GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

#[test]
fn every_link_leads_somewhere() {
    for (name, text) in documents() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in all(r"\]\(([^)\s]+)\)", &text).iter().filter(|link| !link.starts_with("http")) {
            let (path, target) = link.split_once('#').unwrap_or((link, ""));
            let linked = if path.is_empty() { root().join(&name) } else { folder.join(path) };
            assert!(linked.exists(), "{name}: {link}");
            if !target.is_empty() {
                let headings = all(r"(?m)^#+ (.*)$", &std::fs::read_to_string(&linked).unwrap());
                assert!(headings.iter().any(|heading| anchor(heading) == target), "{name}: {link}");
            }
        }
    }
}

#[test]
fn every_path_that_is_named_exists() {
    let tops = ["crates/", "config/", "docs/", "migration/", "tests/", ".ci/"];
    let mut tried = 0;
    for (name, text) in documents() {
        for span in spans(&text).iter().filter(|span| tops.iter().any(|top| span.starts_with(top))) {
            assert!(root().join(span).exists(), "{name}: {span}");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn the_node_that_is_explained_is_the_one_that_is_compiled() {
    let example = read("crates/worker/examples/word_count.rs");
    assert!(read("docs/adding-a-node.md").contains(&format!("```rust\n{example}```\n")));
}

#[test]
fn the_endpoint_that_is_explained_is_one_of_the_api() {
    let shown = super::blocks("rust", &read("docs/adding-an-endpoint.md")).remove(0);
    assert!(read("crates/api/src/endpoint/connectors.rs").contains(&shown));
}
