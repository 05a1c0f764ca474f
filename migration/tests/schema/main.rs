//! The schema on real databases: SQLite always, PostgreSQL where `TIDEMILL_TEST_POSTGRES_URL` names a server.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod entities;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod parity;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod tenancy;
