//! A running program.

use std::collections::HashSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{self, Process};
use crate::wait::{PATIENCE, wait_for};

/// How long the processes of a service may outlive it.
const MAX_AFTERLIFE: Duration = Duration::from_secs(5);

/// How much of a log is shown when a test fails.
const SHOWN_LOG_BYTES: usize = 12_000;

/// A service that runs until it is told to stop, or dropped.
#[derive(Debug)]
pub struct Service {
    name: String,
    child: Child,
    address: Option<SocketAddr>,
    log: PathBuf,
    started: Instant,
    /// Its processes that were seen (those of the sandbox), to see that they go with it.
    seen: HashSet<Process>,
    exit_code: Option<Option<i32>>,
}

impl Service {
    pub(crate) fn start(mut command: Command, name: &str, log: PathBuf, address: Option<SocketAddr>) -> Self {
        let file = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let started = Instant::now();
        Self { name: name.to_owned(), child, address, log, started, seen: HashSet::new(), exit_code: None }
    }

    /// Waits until `/readyz` says so; gives the time from the start of the process.
    pub async fn ready(&mut self) -> Duration {
        let url = format!("http://{}/readyz", self.address.expect("a service that listens"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        wait_for(&format!("{} to be ready", self.name), PATIENCE, async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            http.get(&url).send().await.ok().filter(|response| response.status() == 200).map(|_| ())
        })
        .await;
        self.started.elapsed()
    }

    /// What it has written.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Kills it as a crash would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.look();
        self.signal(Signal::KILL);
        self.exit_code = Some(self.child.wait().unwrap().code());
    }

    /// Asks it to stop (SIGTERM).
    pub fn tell_to_stop(&mut self) {
        self.look();
        self.signal(Signal::TERM);
    }

    /// Freezes it (SIGSTOP).
    pub fn freeze(&mut self) {
        self.look();
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end; gives the exit code, `None` when a signal ended it.
    pub async fn ended(&mut self, limit: Duration) -> Option<i32> {
        let what = format!("the end of {}", self.name);
        let status = wait_for(&what, limit, async || self.child.try_wait().unwrap()).await;
        self.exit_code = Some(status.code());
        status.code()
    }

    /// Asks it to stop and waits for its end; gives the exit code.
    pub async fn stop(&mut self, limit: Duration) -> Option<i32> {
        self.tell_to_stop();
        self.ended(limit).await
    }

    fn signal(&self, signal: Signal) {
        assert!(process::send(self.child.id(), signal), "{} is not there for {signal:?}", self.name);
    }

    fn look(&mut self) {
        self.seen.extend(process::descendants(self.child.id()));
    }

    /// The processes that are still there some time after the end of the service.
    fn left(&self) -> Vec<Process> {
        let deadline = Instant::now() + MAX_AFTERLIFE;
        loop {
            let left: Vec<Process> = self.seen.iter().copied().filter(|process| process.is_alive()).collect();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            // No runtime can be waited for in a destructor.
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.exit_code.is_none() {
            self.look();
            // It may have ended by itself; then there is nobody to kill.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let left = self.left();
        for process in &left {
            process::send(process.id, Signal::KILL);
        }
        if std::thread::panicking() {
            show(&self.name, &self.log);
        } else {
            assert!(left.is_empty(), "{} has left processes behind: {left:?}", self.name);
        }
    }
}

fn show(name: &str, log: &Path) {
    let bytes = std::fs::read(log).unwrap_or_default();
    let from = bytes.len().saturating_sub(SHOWN_LOG_BYTES);
    eprintln!("----- log of {name} -----\n{}", String::from_utf8_lossy(&bytes[from..]));
}
