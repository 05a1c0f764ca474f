//! A table: its columns, its indexes and its documentation.

use super::Column;

/// An index; unique ones are the unique constraints of the schema.
#[derive(Clone, Debug)]
pub struct Index {
    pub(super) name: String,
    /// Column names, each perhaps followed by ` DESC`.
    pub(super) columns: Vec<&'static str>,
    pub(super) unique: bool,
    pub(super) condition: Option<&'static str>,
    pub(super) gin: bool,
}

impl Index {
    /// The name in the database, the same on both.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For a foreign key that comes later: deleting the row referred to would scan the table without it.
    pub(super) fn of_reference(table: &str, column: &Column) -> Option<Self> {
        column.reference.map(|_| Self {
            name: format!("ix_{table}_{}", column.name),
            columns: vec![column.name],
            unique: false,
            condition: None,
            gin: false,
        })
    }

    /// The columns in their order, without direction.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.columns.iter().map(|column| column.trim_end_matches(" DESC"))
    }

    /// Whether it exists on PostgreSQL only.
    pub fn is_postgres_only(&self) -> bool {
        self.gin
    }
}

/// A table as the migrations make it.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) name: &'static str,
    pub(super) docs: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) indexes: Vec<Index>,
    pub(super) shared_rows: bool,
    pub(super) postgres_storage: Option<&'static str>,
}

impl Table {
    pub(crate) fn new(name: &'static str, docs: &'static str) -> Self {
        Self {
            name,
            docs,
            columns: Vec::new(),
            indexes: Vec::new(),
            shared_rows: false,
            postgres_storage: None,
        }
    }

    /// The name in the database.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What a row is.
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// The columns, in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The indexes, the unique ones included, the primary key not.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// Whether its rows belong to organizations, and row-level security keeps them apart.
    pub fn is_tenant_owned(&self) -> bool {
        self.columns.iter().any(|column| column.tenant)
    }

    pub(crate) fn with<const N: usize>(mut self, columns: [Column; N]) -> Self {
        self.columns.extend(columns);
        self
    }

    pub(crate) fn unique(self, columns: &[&'static str]) -> Self {
        self.push("uq", None, columns, |index| Index { unique: true, ..index })
    }

    /// A unique constraint over the rows that meet `condition`.
    pub(crate) fn unique_where(
        self,
        suffix: &'static str,
        columns: &[&'static str],
        condition: &'static str,
    ) -> Self {
        let condition = Some(condition);
        self.push("uq", Some(suffix), columns, |index| Index { unique: true, condition, ..index })
    }

    pub(crate) fn index(self, columns: &[&'static str]) -> Self {
        self.push("ix", None, columns, |index| index)
    }

    /// An index over the rows that meet `condition`.
    pub(crate) fn index_where(
        self,
        suffix: &'static str,
        columns: &[&'static str],
        condition: &'static str,
    ) -> Self {
        self.push("ix", Some(suffix), columns, |index| Index { condition: Some(condition), ..index })
    }

    /// An index into the inside of a `jsonb` column; PostgreSQL only.
    pub(crate) fn gin_index(self, column: &'static str) -> Self {
        self.push("ix", None, &[column], |index| Index { gin: true, ..index })
    }

    /// Rows without an organization exist, and every organization may read them.
    pub(crate) fn with_shared_rows(mut self) -> Self {
        self.shared_rows = true;
        self
    }

    /// Storage parameters; PostgreSQL only.
    pub(crate) fn postgres_storage(mut self, parameters: &'static str) -> Self {
        self.postgres_storage = Some(parameters);
        self
    }

    /// A column that a later migration added.
    pub(crate) fn add(&mut self, column: Column) {
        self.indexes.extend(Index::of_reference(self.name, &column));
        self.columns.push(column);
    }

    fn push(
        mut self,
        prefix: &str,
        suffix: Option<&str>,
        columns: &[&'static str],
        finish: impl FnOnce(Index) -> Index,
    ) -> Self {
        let suffix = suffix.map_or_else(|| columns.join("_").replace(" DESC", ""), str::to_owned);
        let name = format!("{prefix}_{}_{suffix}", self.name);
        self.indexes.push(finish(Index {
            name,
            columns: columns.to_vec(),
            unique: false,
            condition: None,
            gin: false,
        }));
        self
    }
}
