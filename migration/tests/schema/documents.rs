//! What is written about the schema is true of the schema.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// In `docs/schema.md`, the column of a table in which a home is named.
const HOME: &str = "Home";

#[test]
fn every_home_in_the_mapping_exists() {
    let known = known_names();
    let mut homes = 0;
    for (line, home) in homes_in(&read("docs/schema.md")) {
        for name in backticked(&home).filter(|name| is_name_of_ours(name)) {
            assert!(known.contains(name), "docs/schema.md:{line}: there is no `{name}`");
            homes += 1;
        }
        assert!(!home.is_empty(), "docs/schema.md:{line}: neither a home nor a reason");
    }
    assert!(homes > 300, "only {homes} homes were found: is the mapping still there?");
}

#[test]
fn the_entities_carry_the_documentation_of_tables_and_columns() {
    for table in migration::tables() {
        let source = read(&format!("crates/entity/src/{}.rs", table.name()));
        assert!(source.contains(&format!("/// {}\n", table.docs())), "{}", table.name());
        for column in table.columns() {
            assert!(
                source.contains(&format!("    /// {}\n", column.docs())),
                "{}.{}",
                table.name(),
                column.name()
            );
        }
    }
}

#[cfg(feature = "codegen")]
#[test]
fn the_generated_files_are_what_the_migrations_say() {
    let outcome = std::process::Command::new(env!("CARGO_BIN_EXE_generate-entities"))
        .arg("--check")
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
}

/// The cells under the heading [`HOME`], with their line numbers.
fn homes_in(text: &str) -> Vec<(usize, String)> {
    let mut homes = Vec::new();
    let mut place = None;
    for (index, line) in text.lines().enumerate() {
        let Some(cells) =
            line.strip_prefix('|').map(|rest| rest.split('|').map(str::trim).collect::<Vec<_>>())
        else {
            place = None;
            continue;
        };
        match place {
            None => place = cells.iter().position(|cell| *cell == HOME),
            Some(_) if cells[0].starts_with("--") => {}
            Some(place) => homes.push((index + 1, cells[place].to_owned())),
        }
    }
    homes
}

/// The words between backticks.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A column as `table.column`, a table, or the name of an index or a constraint; anything else is code.
fn is_name_of_ours(name: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match name.split_once('.') {
        Some((table, column)) => word(table) && word(column),
        None => word(name),
    }
}

fn known_names() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for table in migration::tables() {
        known.insert(table.name().to_owned());
        known.extend(table.indexes().iter().map(|index| index.name().to_owned()));
        for column in table.columns() {
            known.insert(format!("{}.{}", table.name(), column.name()));
            if column.is_checked() {
                known.insert(format!("ck_{}_{}", table.name(), column.name()));
            }
            if column.reference().is_some() {
                known.insert(format!("fk_{}_{}", table.name(), column.name()));
            }
        }
        if table.is_tenant_owned() {
            known.insert("tenant_isolation".to_owned());
        }
    }
    known
}

fn read(path: &str) -> String {
    let path = workspace().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
