//! What is committed together: the entries of many executions, merged to one for each.

use std::collections::HashMap;
use std::sync::Arc;

use store::journal::JournalEntry;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Gone;
use super::lease::LeaseState;

/// An entry on its way to the writer.
pub(super) struct Submission {
    pub entry: JournalEntry,
    pub lease: Arc<LeaseState>,
    /// Told when the entry is durable; nobody waits where it is `None`.
    pub reply: Option<oneshot::Sender<Result<(), Gone>>>,
}

/// The merged entry of one execution.
pub(super) struct Pending {
    pub lease: Arc<LeaseState>,
    replies: Vec<oneshot::Sender<Result<(), Gone>>>,
    /// How often it alone failed while the database took other things.
    pub failures: u32,
}

/// Entries to be committed in one transaction. The two lists go side by side.
#[derive(Default)]
pub(super) struct Batch {
    pub entries: Vec<JournalEntry>,
    pub pending: Vec<Pending>,
    places: HashMap<(Uuid, i64), usize>,
    rows: usize,
    is_urgent: bool,
}

impl Batch {
    /// Adds an entry to what is there of the same execution.
    pub(super) fn add(&mut self, submission: Submission) {
        let Submission { entry, lease, reply } = submission;
        self.rows += entry.steps.len() + entry.logs.len() + entry.starts.len() + 1;
        self.is_urgent |= reply.is_some();
        let key = (entry.lease.execution_id, entry.lease.token);
        let place = *self.places.entry(key).or_insert_with(|| {
            self.entries.push(JournalEntry {
                lease: entry.lease.clone(),
                steps: Vec::new(),
                logs: Vec::new(),
                starts: Vec::new(),
                close: None,
            });
            self.pending.push(Pending { lease, replies: Vec::new(), failures: 0 });
            self.entries.len() - 1
        });
        let (merged, pending) = (&mut self.entries[place], &mut self.pending[place]);
        merged.steps.extend(entry.steps);
        merged.logs.extend(entry.logs);
        merged.starts.extend(entry.starts);
        merged.close = entry.close.or(merged.close.take());
        pending.replies.extend(reply);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Rows, more or less.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether somebody waits for it.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// Takes out the entries for which `verdict` has an answer, and gives them that answer.
    pub(super) fn settle(&mut self, verdict: impl Fn(usize, &Pending) -> Option<Result<(), Gone>>) {
        let entries = std::mem::take(&mut self.entries);
        let pending = std::mem::take(&mut self.pending);
        for (index, (entry, pending)) in entries.into_iter().zip(pending).enumerate() {
            match verdict(index, &pending) {
                Some(answer) => pending.answer(answer),
                None => {
                    self.entries.push(entry);
                    self.pending.push(pending);
                }
            }
        }
    }
}

impl Pending {
    fn answer(self, answer: Result<(), Gone>) {
        if let Err(gone) = &answer {
            self.lease.fail(gone.clone(), self.replies.is_empty());
        }
        for reply in self.replies {
            // Whoever asked may have been dropped since: then nobody needs the answer.
            let _ = reply.send(answer.clone());
        }
    }
}
