//! Tables that tell what the code has.

use std::collections::BTreeSet;

use api::problem::Code;
use engine::execution::{Event, ExecutionStatus};

use super::{all, read, sources};

#[test]
fn every_problem_has_its_line() {
    let text = read("docs/problems.md");
    let (text, _) = text.split_once("## Problems of a workflow").unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Code::ALL.len());
    for (row, code) in rows.iter().zip(Code::ALL) {
        let expected = format!("| `{}` | {} |", code.as_str(), code.status().as_u16());
        assert!(row.starts_with(&expected), "{row}, and not {expected}");
    }
}

#[test]
fn the_table_of_executions_is_the_state_machine() {
    let events = [
        Event::Claimed,
        Event::Released,
        Event::Suspended,
        Event::Resumed,
        Event::Completed,
        Event::Failed,
        Event::Cancelled,
    ];
    let text = read("docs/state-machine.md");
    let heads: String = events.iter().map(|event| format!(" `{event:?}` |")).collect();
    let mut expected = format!("| from |{heads}\n|---|---|---|---|---|---|---|---|\n");
    for status in ExecutionStatus::ALL {
        let cells = events.map(|event| status.next(event).map_or("-", ExecutionStatus::as_str));
        expected += &format!("| `{status}` | {} |\n", cells.join(" | "));
    }
    assert!(text.contains(&expected), "expected:\n{expected}");
}

#[test]
fn every_metric_is_listed_and_every_listed_one_is_counted() {
    let listed: BTreeSet<String> =
        all(r"(?m)^\| `(tidemill_\w+)`", &read("docs/operations.md")).into_iter().collect();
    let counted = all(r#"(?:counter|gauge|histogram)!\(\s*"(tidemill_\w+)""#, &sources());
    assert_eq!(listed, counted.into_iter().collect());
}

#[test]
fn every_test_that_is_named_exists() {
    let sources = sources();
    let mut tried = 0;
    for name in ["docs/architecture.md", "docs/state-machine.md", "docs/adding-a-node.md"] {
        // A sentence has at least four words; nothing else in these documents does.
        for test in all(r"`((?:[a-z0-9]+_){3,}[a-z0-9]+)`", &read(name)) {
            assert!(sources.contains(&format!("fn {test}(")), "{name}: {test}");
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn the_readme_counts_the_node_types() {
    let egress = nodes::egress::Client::new(&nodes::egress::Settings::default()).unwrap();
    let count = nodes::catalogue(&egress).descriptors().count();
    assert!(read("README.md").contains(&format!("- **{count} node types**: ")), "{count}");
}
