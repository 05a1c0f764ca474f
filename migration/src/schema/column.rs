//! A column: its name, its kind, its rules and its documentation.

/// The types that columns have: those that mean the same on SQLite and on PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// `uuid`; 16 bytes on SQLite.
    Uuid,
    /// `text`.
    Text,
    /// `bigint`: the only integer, because SQLite has no other.
    BigInt,
    /// `boolean`.
    Boolean,
    /// `double precision`.
    Double,
    /// `timestamptz`; text in UTC on SQLite.
    Timestamp,
    /// `json`: keeps its text as written; for payloads that are written once and seldom searched.
    Json,
    /// `jsonb`: for values that are searched or changed.
    JsonBinary,
    /// `bytea`.
    Bytes,
}

/// What happens to a row when the row it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// It stays and forgets the reference.
    SetNull,
}

/// A foreign key to the `id` of a table (`execution_queue` has none that point to it).
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The table referred to.
    pub table: &'static str,
    /// What the reference does when that row goes.
    pub on_delete: OnDelete,
}

/// A column and its documentation.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) name: &'static str,
    pub(super) docs: &'static str,
    pub(super) kind: ColumnKind,
    pub(super) nullable: bool,
    pub(super) primary: bool,
    pub(super) default: Option<&'static str>,
    pub(super) check: Option<String>,
    pub(super) values: &'static [&'static str],
    pub(super) reference: Option<Reference>,
    pub(super) tenant: bool,
}

impl Column {
    fn new(kind: ColumnKind, name: &'static str, docs: &'static str) -> Self {
        Self {
            name,
            docs,
            kind,
            nullable: false,
            primary: false,
            default: None,
            check: None,
            values: &[],
            reference: None,
            tenant: false,
        }
    }

    /// The name in the database.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the column holds.
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// Its type.
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Whether it may be null.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// The foreign key, if it is one.
    pub fn reference(&self) -> Option<Reference> {
        self.reference
    }

    /// Whether a row that says nothing of it gets a value.
    pub fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// Whether a CHECK guards it, named `ck_<table>_<column>`.
    pub fn is_checked(&self) -> bool {
        self.check.is_some()
    }

    /// The only values it may have; empty if the list is not closed.
    pub fn allowed_values(&self) -> &'static [&'static str] {
        self.values
    }

    /// Says something more exact than the shared description.
    pub(crate) fn docs_as(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Marks the column that row-level security is by.
    pub(crate) fn tenant(mut self) -> Self {
        self.tenant = true;
        self
    }

    /// Allows null.
    pub(crate) fn null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Makes it the primary key.
    pub(crate) fn primary_key(mut self) -> Self {
        self.primary = true;
        self
    }

    /// The default, as an SQL literal.
    pub(crate) fn default(mut self, literal: &'static str) -> Self {
        self.default = Some(literal);
        self
    }

    /// A rule, as an SQL expression that both databases understand.
    pub(crate) fn check(mut self, expression: &str) -> Self {
        self.check = Some(expression.to_owned());
        self
    }

    /// A closed list of values.
    pub(crate) fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        let list: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
        let expression = format!("{} IN ({})", self.name, list.join(", "));
        self.check(&expression)
    }

    /// A foreign key to the `id` of `table`.
    pub(crate) fn references(mut self, table: &'static str, on_delete: OnDelete) -> Self {
        self.reference = Some(Reference { table, on_delete });
        self
    }
}

pub(crate) fn uuid(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Uuid, name, docs)
}

pub(crate) fn text(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Text, name, docs)
}

pub(crate) fn bigint(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::BigInt, name, docs)
}

pub(crate) fn boolean(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Boolean, name, docs)
}

pub(crate) fn double(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Double, name, docs)
}

pub(crate) fn timestamp(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Timestamp, name, docs)
}

pub(crate) fn json(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Json, name, docs)
}

pub(crate) fn jsonb(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::JsonBinary, name, docs)
}

pub(crate) fn bytes(name: &'static str, docs: &'static str) -> Column {
    Column::new(ColumnKind::Bytes, name, docs)
}

/// The primary key of almost every table.
pub(crate) fn id() -> Column {
    uuid("id", "Primary key, a UUIDv7 made by the application: ids sort by the time of their making.")
        .primary_key()
}

/// The tenant that owns the row: the row goes when the tenant goes, and row-level security is by this column.
pub(crate) fn organization() -> Column {
    organization_without_key().references("organizations", OnDelete::Cascade)
}

/// The same for rows that go with a row of the same tenant, and are written too often for a key of their own.
pub(crate) fn organization_without_key() -> Column {
    uuid("organization_id", "The organization that owns the row.").tenant()
}

/// Who made the row. The row outlives its maker in a team organization; in a personal one it goes with the organization.
pub(crate) fn user() -> Column {
    uuid("user_id", "Who made the row; null once that user is deleted.")
        .null()
        .references("users", OnDelete::SetNull)
}

pub(crate) fn created_at() -> Column {
    timestamp("created_at", "When the row was made.")
}

pub(crate) fn updated_at() -> Column {
    timestamp("updated_at", "When the row was last changed; written by the application.")
}
