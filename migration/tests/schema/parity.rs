//! Both databases have the schema that the migrations describe.

use std::collections::{BTreeMap, BTreeSet};

use migration::schema::{OnDelete, Table};

use crate::catalogue::{self, Catalogue};
use crate::databases::{on_each_database, on_postgres, on_sqlite};

#[tokio::test]
async fn a_database_has_what_the_migrations_describe() {
    on_each_database(|fresh| async move {
        let found = catalogue::read(&fresh.migrated().await).await;
        let tables = migration::tables();
        assert_eq!(found.columns.keys().cloned().collect::<BTreeSet<_>>(), columns(&tables));
        assert_eq!(found.checks, checks(&tables));
        assert_eq!(found.references, references(&tables));
        assert_eq!(found.indexes, indexes(&tables));
        for table in &tables {
            for column in table.columns() {
                let facts = &found.columns[&format!("{}.{}", table.name(), column.name())];
                assert_eq!(facts.nullable, column.is_nullable(), "{}.{}", table.name(), column.name());
                assert_eq!(
                    facts.default.is_some(),
                    column.has_default(),
                    "{}.{}",
                    table.name(),
                    column.name()
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    on_postgres(|postgres| async move {
        let postgres = catalogue::read(&postgres.migrated().await).await;
        let (sender, receiver) = tokio::sync::oneshot::channel::<Catalogue>();
        let sender = std::sync::Mutex::new(Some(sender));
        on_sqlite(|sqlite| {
            let sender = sender.lock().unwrap().take().unwrap();
            async move {
                sender.send(catalogue::read(&sqlite.migrated().await).await).unwrap();
            }
        })
        .await;
        let sqlite = receiver.await.unwrap();
        for (name, facts) in &sqlite.columns {
            assert_eq!(Some(facts), postgres.columns.get(name), "{name}");
        }
        assert_eq!(sqlite, postgres);
    })
    .await;
}

#[test]
fn deleting_a_row_finds_those_that_refer_to_it_by_an_index() {
    for table in migration::tables() {
        for column in table.columns().iter().filter(|column| column.reference().is_some()) {
            let primary = table.columns()[0].name() == column.name();
            let indexed = table.indexes().iter().any(|index| index.columns().next() == Some(column.name()));
            assert!(primary || indexed, "{}.{} has no index", table.name(), column.name());
        }
    }
}

#[test]
fn every_table_and_column_is_documented_in_one_line() {
    for table in migration::tables() {
        for docs in table.columns().iter().map(|column| column.docs()).chain([table.docs()]) {
            assert!(docs.ends_with('.') && !docs.contains('\n'), "{}: {docs:?}", table.name());
        }
    }
}

fn columns(tables: &[Table]) -> BTreeSet<String> {
    let name = |table: &Table, column: &str| format!("{}.{column}", table.name());
    tables
        .iter()
        .flat_map(|table| table.columns().iter().map(move |column| name(table, column.name())))
        .collect()
}

fn checks(tables: &[Table]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for table in tables {
        for column in table.columns().iter().filter(|column| column.is_checked()) {
            names.insert(format!("{0}.ck_{0}_{1}", table.name(), column.name()));
        }
    }
    names
}

fn references(tables: &[Table]) -> BTreeMap<String, String> {
    let mut references = BTreeMap::new();
    for table in tables {
        for column in table.columns() {
            let Some(reference) = column.reference() else { continue };
            let action = match reference.on_delete {
                OnDelete::Cascade => "CASCADE",
                OnDelete::SetNull => "SET NULL",
            };
            references.insert(
                format!("{}.{}", table.name(), column.name()),
                format!("{} {action}", reference.table),
            );
        }
    }
    references
}

fn indexes(tables: &[Table]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for table in tables {
        for index in table.indexes().iter().filter(|index| !index.is_postgres_only()) {
            names.insert(format!("{}.{}", table.name(), index.name()));
        }
    }
    names
}
