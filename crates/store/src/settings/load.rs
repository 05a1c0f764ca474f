//! Putting the settings together: defaults, then a file, then the environment, then flags.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{DEFAULT_TOML, Secret, Settings};

/// Prefix of the environment variables that are settings.
const PREFIX: &str = "TIDEMILL__";

/// The flags that every service has.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {
    /// Configuration file (TOML); see config/default.toml for every setting
    #[arg(long, value_name = "FILE", env = "TIDEMILL_CONFIG")]
    pub config: Option<PathBuf>,
    /// Database URL: sqlite://PATH?mode=rwc or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<std::net::SocketAddr>,
}

/// Why the settings cannot be used. Each is one line that names the key or the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not TOML.
    #[error("{} is not valid TOML: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// A key is unknown or its value of the wrong kind.
    #[error("setting {key}: {message}")]
    Key {
        /// The key, as `section.key`.
        key: String,
        /// What is wrong.
        message: String,
    },
}

/// Loads the settings of this process: the arguments name the file, the environment is that of the process.
///
/// # Errors
/// See [`Error`].
pub fn load(arguments: &Arguments) -> Result<Settings, Error> {
    let file = match &arguments.config {
        Some(path) => Some((path.as_path(), read(path)?)),
        None => None,
    };
    let mut settings = load_from(file.as_ref().map(|(path, text)| (*path, text.as_str())), std::env::vars())?;
    if let Some(path) = &settings.database.url_file {
        settings.database.url = Secret::new(read(path)?.trim());
    }
    if let Some(url) = &arguments.database_url {
        settings.database.url = Secret::new(url);
    }
    if let Some(listen) = arguments.listen {
        settings.api.listen = listen;
        settings.scheduler.listen = listen;
        settings.worker.listen = listen;
    }
    Ok(settings)
}

/// Loads settings from the text of a file and from variables, without touching the process.
///
/// # Errors
/// See [`Error`].
pub fn load_from(
    file: Option<(&Path, &str)>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, Error> {
    let mut table = parse(Path::new("config/default.toml"), DEFAULT_TOML)?;
    if let Some((path, text)) = file {
        merge(&mut table, parse(path, text)?);
    }
    for (name, value) in variables {
        if let Some(key) = name.strip_prefix(PREFIX) {
            set(&mut table, &key.to_lowercase().replace("__", "."), &value)?;
        }
    }
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        Error::Key { key, message: error.into_inner().to_string().replace('\n', " ").trim().to_owned() }
    })
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn parse(path: &Path, text: &str) -> Result<Table, Error> {
    text.parse().map_err(|error: toml::de::Error| Error::Syntax {
        path: path.to_owned(),
        message: error.to_string().replace('\n', " "),
    })
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets one key from the environment. The kind of its default says how the text is read.
fn set(table: &mut Table, key: &str, text: &str) -> Result<(), Error> {
    let problem = |message: &str| Error::Key { key: key.to_owned(), message: message.to_owned() };
    let (section, name) = key.split_once('.').ok_or_else(|| problem("expected TIDEMILL__SECTION__KEY"))?;
    let section = table
        .get_mut(section)
        .and_then(Value::as_table_mut)
        .ok_or_else(|| problem("there is no such section"))?;
    let value = match section.get(name) {
        None => return Err(problem("there is no such setting")),
        Some(Value::String(_)) => Value::String(text.to_owned()),
        Some(Value::Array(_)) if !text.trim_start().starts_with('[') => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        ),
        Some(default) => {
            let parsed =
                format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
            parsed.filter(|value| value.same_type(default)).ok_or_else(|| {
                problem(&format!("{text:?} is not a value of the kind {}", default.type_str()))
            })?
        }
    };
    section.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_defaults_are_complete() {
        let settings = load_from(None, []).unwrap();
        assert_eq!(settings.api.listen.port(), 8080);
        assert_eq!(settings.api.public_url, None);
        assert_eq!(settings.api.base_url(), "http://127.0.0.1:8080");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let file = "[api]\nlisten = \"127.0.0.1:1\"\nsession_hours = 5\n[egress]\nallow = [\"a\"]";
        let env = variables(&[
            ("TIDEMILL__API__LISTEN", "127.0.0.1:2"),
            ("TIDEMILL__EGRESS__ALLOW", "127.0.0.1, 10.0.0.0/8"),
            ("PATH", "/bin"),
        ]);
        let settings = load_from(Some((Path::new("f.toml"), file)), env).unwrap();
        assert_eq!(settings.api.listen.port(), 2);
        assert_eq!(settings.api.session_hours, 5);
        let allow = settings.egress.0.get("allow").and_then(Value::as_array).unwrap();
        assert_eq!(allow.len(), 2);
    }

    #[test]
    fn every_mistake_names_its_key() {
        let cases = [
            ("[api]\nlissen = \"x\"", "lissen"),
            ("[api]\nlisten = \"x\"", "api.listen"),
            ("[worker]\nconcurrency = \"many\"", "worker.concurrency"),
            ("[nonsense]\n", "nonsense"),
            ("[api]\nsign_up = \"maybe\"", "sign_up"),
        ];
        for (text, expected) in cases {
            let error = load_from(Some((Path::new("f.toml"), text)), []).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let cases = [
            ("TIDEMILL__API__NO", "api.no"),
            ("TIDEMILL__NO__KEY", "no.key"),
            ("TIDEMILL__WORKER__POLL_MS", "worker.poll_ms"),
        ];
        for (name, expected) in cases {
            let error = load_from(None, variables(&[(name, "x")])).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let env = variables(&[
            ("TIDEMILL__DATABASE__URL", "postgres://u:hunter2@h/d"),
            ("TIDEMILL__VAULT__KEY", "hunter2"),
        ]);
        assert!(!format!("{:?}", load_from(None, env).unwrap()).contains("hunter2"));
    }
}
