//! An installation of Tidemill: a folder, a database, a key, addresses, and the environment that ties them together.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::client::Client;
use crate::place::Place;
use crate::service::Service;
use crate::{binaries, process};

/// Ports are taken from here: below those that the system gives to outgoing connections, so that none of these is
/// taken between our look and the start of the service.
const PORTS: std::ops::Range<u16> = 12_000..20_000;

/// What the services log: as by default, and more of our own.
const FILTER: &str =
    "info,sea_orm_migration=warn,sqlx=warn,actix_server=warn,api=debug,nodes=debug,worker=debug";

/// An installation. Its services end before it does: declare it first.
#[derive(Debug)]
pub struct Installation {
    place: Place,
    api: SocketAddr,
    variables: Vec<(String, String)>,
    started: AtomicUsize,
    client: Client,
    folder: TempDir,
}

impl Installation {
    /// One over an SQLite file that is not there yet.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::sqlite(folder.path());
        Self::new(folder, place)
    }

    /// One over a new database on the server for tests; `None` without a server.
    pub async fn postgres() -> Option<Self> {
        let place = Place::postgres().await?;
        Some(Self::new(tempfile::tempdir().unwrap(), place))
    }

    fn new(folder: TempDir, place: Place) -> Self {
        // An error only says that another test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let api = free_address();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let variables = [
            ("DATABASE__URL", place.url()),
            ("DATABASE__MAX_CONNECTIONS", "8".to_owned()),
            ("VAULT__KEY_FILE", path("vault.key")),
            ("FILES__DIRECTORY", path("files")),
            ("API__PUBLIC_URL", format!("http://{api}")),
            ("API__THREADS", "2".to_owned()),
            ("SANDBOX__PROCESSES", "1".to_owned()),
            ("LOG__FILTER", FILTER.to_owned()),
        ];
        let variables = variables.map(|(key, value)| (format!("TIDEMILL__{key}"), value)).to_vec();
        let client = Client::new(&format!("http://{api}"));
        Self { place, api, variables, started: AtomicUsize::new(0), client, folder }
    }

    /// Sets a setting, as `("EGRESS__ALLOW", "127.0.0.1:9000")`, for the services that are started from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        let key = format!("TIDEMILL__{key}");
        self.variables.retain(|(known, _)| *known != key);
        self.variables.push((key, value.to_owned()));
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where its API listens.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api
    }

    /// Somebody without an account.
    #[must_use]
    pub fn nobody(&self) -> &Client {
        &self.client
    }

    /// A file for the installation, with this content; gives its path.
    #[must_use]
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Makes the key that the separate services need. `tidemill serve` makes it by itself.
    pub fn make_key(&self) {
        let _ = self.write_key("vault.key");
    }

    /// Writes a new key to a file that only its owner can read; gives the path.
    #[must_use]
    pub fn write_key(&self, name: &str) -> PathBuf {
        let mut bytes = [0; 32];
        std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
        let path = self.folder().join(name);
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "{}", STANDARD.encode(bytes)).unwrap();
        path
    }

    /// A program with the environment of this installation and nothing of the tester's own settings.
    #[must_use]
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::find(program));
        command.args(arguments).current_dir(self.folder());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("TIDEMILL") || text == "DATABASE_URL" {
                command.env_remove(&name);
            }
        }
        command.envs(self.variables.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts a service at a free address, the API and `tidemill serve` at that of the installation.
    #[must_use]
    pub fn start(&self, program: &str, arguments: &[&str]) -> Service {
        let address = if matches!(program, "api" | "tidemill") { self.api } else { free_address() };
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let name = format!("{program}-{number}");
        let log = self.folder().join(format!("{name}.log"));
        let listen = address.to_string();
        let mut arguments = arguments.to_vec();
        arguments.extend(["--listen", &listen]);
        Service::start(self.command(program, &arguments), &name, log, Some(address))
    }

    /// Starts `tidemill serve` and waits until it is ready.
    pub async fn serve(&self) -> Service {
        let mut service = self.start("tidemill", &["serve"]);
        service.ready().await;
        service
    }

    /// Every file of the installation that holds a text, in any of its bytes.
    #[must_use]
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if holds(&std::fs::read(&path).unwrap_or_default(), text) {
                    found.push(path);
                }
            }
        }
        found
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

impl Drop for Installation {
    fn drop(&mut self) {
        let left = process::started_with(&self.folder.path().display().to_string());
        for id in &left {
            process::send(*id, rustix::process::Signal::KILL);
        }
        if !std::thread::panicking() {
            assert!(left.is_empty(), "processes of the installation were left behind: {left:?}");
        }
    }
}

/// An address of this machine at which nobody listens.
#[must_use]
pub fn free_address() -> SocketAddr {
    let chance = std::hash::RandomState::new().build_hasher().finish();
    let count = u64::from(PORTS.end - PORTS.start);
    let first = u16::try_from(chance % count).unwrap();
    let mut ports = (PORTS.start + first..PORTS.end).chain(PORTS.start..PORTS.start + first);
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    ports.by_ref().map(address).find(|address| TcpListener::bind(address).is_ok()).expect("a free port")
}
