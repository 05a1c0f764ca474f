//! How far a follower has come: the id of an event, from which a new connection goes on.

use std::fmt;
use std::str::FromStr;

use engine::execution::ExecutionStatus;
use store::execution_steps::StepPlace;
use store::page::Cursor;

/// What stands for "nothing yet".
const NOTHING: &str = "-";

/// How far a follower has come. As text: the step, the log line and the status, with full stops between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Every step up to this one has been told for good: it will not change any more.
    pub steps: Option<StepPlace>,
    /// The last log line.
    pub log: Option<Cursor>,
    /// The last status.
    pub status: Option<ExecutionStatus>,
}

impl Mark {
    /// Whether there is nothing left to tell.
    #[must_use]
    pub(super) fn is_end(&self) -> bool {
        self.status.is_some_and(ExecutionStatus::is_final)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps {
            Some(StepPlace { sequence, attempt }) => write!(f, "{sequence}_{attempt}.")?,
            None => write!(f, "{NOTHING}.")?,
        }
        match self.log {
            Some(cursor) => write!(f, "{cursor}.")?,
            None => write!(f, "{NOTHING}.")?,
        }
        f.write_str(self.status.map_or(NOTHING, ExecutionStatus::as_str))
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.').map(|part| (part != NOTHING).then_some(part));
        let (Some(steps), Some(log), Some(status), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        Ok(Self {
            steps: steps.map(place).transpose()?,
            log: log.map(|text| text.parse().map_err(|_| ())).transpose()?,
            status: status.map(|word| word.parse().map_err(|_| ())).transpose()?,
        })
    }
}

fn place(text: &str) -> Result<StepPlace, ()> {
    let (sequence, attempt) = text.split_once('_').ok_or(())?;
    Ok(StepPlace { sequence: sequence.parse().map_err(|_| ())?, attempt: attempt.parse().map_err(|_| ())? })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_mark_reads_back_what_it_wrote() {
        let log = Some(Cursor::new(
            DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap(),
            Uuid::from_u128(7),
        ));
        let steps = Some(StepPlace { sequence: 12, attempt: 3 });
        for mark in [
            Mark::default(),
            Mark { steps, ..Mark::default() },
            Mark { steps, log, status: Some(ExecutionStatus::Waiting) },
            Mark { log, status: Some(ExecutionStatus::Failed), ..Mark::default() },
        ] {
            assert_eq!(mark.to_string().parse(), Ok(mark), "{mark}");
        }
        assert!(Mark { status: Some(ExecutionStatus::Cancelled), ..Mark::default() }.is_end());
    }

    #[test]
    fn what_no_event_had_as_its_id_is_refused() {
        for text in ["", "7", "-.-", "-.-.-.-", "1.-.-", "x_1.-.-", "-.x.-", "-.-.done", "\u{0}"] {
            assert_eq!(text.parse::<Mark>(), Err(()), "{text:?}");
        }
    }
}
