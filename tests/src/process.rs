//! Processes, as `/proc` shows them. Elsewhere than on Linux nothing is seen, and nothing is found to be left.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process; its id alone may be given to another one later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) id: u32,
    started: u64,
}

struct Row {
    process: Process,
    parent: u32,
    is_dead: bool,
}

impl Process {
    /// Whether it still runs. One that has ended and waits to be collected does not.
    pub(crate) fn is_alive(self) -> bool {
        read(self.id).is_some_and(|row| row.process == self && !row.is_dead)
    }
}

/// The processes below one, at any depth.
pub(crate) fn descendants(of: u32) -> Vec<Process> {
    let rows: Vec<Row> = all().filter_map(read).filter(|row| !row.is_dead).collect();
    let mut found = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        for row in rows.iter().filter(|row| row.parent == parent) {
            parents.push(row.process.id);
            found.push(row.process);
        }
    }
    found
}

/// Ids of the processes that were started with an environment that holds this text.
pub(crate) fn started_with(text: &str) -> Vec<u32> {
    let own = std::process::id();
    let has_text = |id: &u32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.windows(text.len()).any(|window| window == text.as_bytes())
    };
    all().filter(|id| *id != own).filter(has_text).collect()
}

/// Sends a signal; whether the process was there.
pub(crate) fn send(id: u32, signal: Signal) -> bool {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(id, signal).is_ok()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn read(id: u32) -> Option<Row> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let (state, parent, started) = (fields.first()?, fields.get(1)?, fields.get(19)?);
    let process = Process { id, started: started.parse().ok()? };
    Some(Row { process, parent: parent.parse().ok()?, is_dead: matches!(*state, "Z" | "X") })
}
