//! A program that runs to its end.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Finished {
    /// Fails unless the exit code is this; gives standard output.
    #[track_caller]
    pub fn expect(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self.out
    }

    /// Standard output as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// The lines of standard output, each as JSON.
    #[track_caller]
    #[must_use]
    pub fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Fails unless it ended with exit code 1 and one line on standard error that holds all of these texts.
    #[track_caller]
    pub fn is_refusal(&self, expected: &[&str]) {
        assert_eq!(self.code, Some(1), "out: {}\nerr: {}", self.out, self.err);
        assert_eq!(self.err.trim_end().lines().count(), 1, "not one line: {:?}", self.err);
        for text in expected {
            assert!(self.err.contains(text), "{text:?} is not in {:?}", self.err);
        }
    }
}

/// Runs a program to its end with this on its standard input; fails when it takes longer than `limit`.
pub async fn run(mut command: Command, input: &str, limit: Duration) -> Finished {
    let what = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
    let id = child.id();
    // A program that does not read its input has closed it: no error of ours.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = timeout(limit, spawn_blocking(move || child.wait_with_output())).await;
    let Ok(output) = output else {
        crate::process::send(id, rustix::process::Signal::KILL);
        panic!("{what} has not ended within {limit:?}");
    };
    let output = output.unwrap().unwrap();
    Finished {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: started.elapsed(),
    }
}
