//! Which database, and a connection to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use migration::sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, SqlxError};
use serde::Deserialize;

/// Long enough for a server on another continent or one that is just starting, short enough for a person who waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the URL of the database may come from, the strongest first.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME.
    #[arg(long, value_name = "URL", env = "TIDEMILL__DATABASE__URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    /// A file that holds the URL.
    #[arg(long, value_name = "FILE", env = "TIDEMILL__DATABASE__URL_FILE", global = true)]
    database_url_file: Option<PathBuf>,
    /// A configuration file with `url` or `url_file` in its section `[database]`.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The name that other tools use for the same thing. It is the weakest, because it may be meant for them.
    #[arg(long, env = "DATABASE_URL", hide = true, global = true)]
    common_database_url: Option<String>,
}

/// The part of a configuration file that matters here.
#[derive(Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    database: Section,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    url: String,
    url_file: String,
}

impl Source {
    /// Connects; makes an SQLite file that is not there.
    pub(crate) async fn connect(&self) -> Result<DatabaseConnection> {
        let url = self.url()?;
        let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme));
        if !known {
            bail!("a database URL starts with sqlite: or postgres:, but this one does not");
        }
        let mut options = ConnectOptions::new(creating_file(&url));
        options.max_connections(1).connect_timeout(CONNECT_TIMEOUT).acquire_timeout(CONNECT_TIMEOUT);
        options.sqlx_logging(false);
        match Database::connect(options).await {
            Ok(db) => Ok(db),
            Err(error) => bail!("cannot open {}: {}", without_password(&url), reason(&error)),
        }
    }

    fn url(&self) -> Result<String> {
        if let Some(url) = non_empty(self.database_url.as_deref()) {
            return Ok(url);
        }
        if let Some(path) = &self.database_url_file {
            return read_url(path);
        }
        if let Some(path) = &self.config {
            let text = read(path)?;
            let configuration: Configuration = toml::from_str(&text)
                .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.message()))?;
            let section = configuration.database;
            if !section.url_file.is_empty() {
                return read_url(Path::new(&section.url_file));
            }
            if let Some(url) = non_empty(Some(&section.url)) {
                return Ok(url);
            }
        }
        match non_empty(self.common_database_url.as_deref()) {
            Some(url) => Ok(url),
            None => bail!("no database: give --database-url, or set TIDEMILL__DATABASE__URL or DATABASE_URL"),
        }
    }
}

/// The cause in one sentence, without the layers it came through. A connection that is refused is tried again until
/// the time is up, so "timed out" is what an absent server looks like.
fn reason(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error)) => match &**error {
            SqlxError::Database(error) => error.message().to_owned(),
            SqlxError::PoolTimedOut => format!("no server answered in {} s", CONNECT_TIMEOUT.as_secs()),
            error => error.to_string(),
        },
        error => error.to_string(),
    }
}

fn non_empty(url: Option<&str>) -> Option<String> {
    url.map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_url(path: &Path) -> Result<String> {
    non_empty(Some(&read(path)?)).with_context(|| format!("{} holds no URL", path.display()))
}

/// An SQLite URL that says nothing about it makes a file that is missing.
fn creating_file(url: &str) -> String {
    let says_how = url.contains("mode=") || url.contains(":memory:");
    match url.starts_with("sqlite:") && !says_how {
        true if url.contains('?') => format!("{url}&mode=rwc"),
        true => format!("{url}?mode=rwc"),
        false => url.to_owned(),
    }
}

/// The URL for a message: `postgres://user@host/name`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let Some(at) = rest[..authority_end].rfind('@') else { return url.to_owned() };
    let user = rest[..at].split(':').next().unwrap_or_default();
    format!("{scheme}://{user}{}", &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::{creating_file, without_password};

    #[test]
    fn a_message_shows_no_password() {
        assert_eq!(without_password("postgres://anna:s3cret@db:5432/x?y=1"), "postgres://anna@db:5432/x?y=1");
        assert_eq!(without_password("postgres://anna:p@ss@db/x"), "postgres://anna@db/x");
        assert_eq!(without_password("sqlite://data/x@y.db"), "sqlite://data/x@y.db");
    }

    #[test]
    fn a_missing_file_is_made_unless_the_url_says_otherwise() {
        assert_eq!(creating_file("sqlite://x.db"), "sqlite://x.db?mode=rwc");
        assert_eq!(creating_file("sqlite://x.db?cache=shared"), "sqlite://x.db?cache=shared&mode=rwc");
        assert_eq!(creating_file("sqlite://x.db?mode=ro"), "sqlite://x.db?mode=ro");
        assert_eq!(creating_file("postgres://db/x"), "postgres://db/x");
    }
}
