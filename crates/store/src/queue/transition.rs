//! The state machine of executions as conditions of statements.

use engine::execution::{Event, ExecutionStatus};

/// The statuses in which `event` can happen, as the inside of an SQL `IN (...)`.
pub(super) fn sources(event: Event) -> String {
    let accepting = ExecutionStatus::ALL.into_iter().filter(|status| status.next(event).is_ok());
    accepting.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

/// The statuses that are not final, as the inside of an SQL `IN (...)`.
pub(super) fn open() -> String {
    let open = ExecutionStatus::ALL.into_iter().filter(|status| !status.is_final());
    open.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

/// The condition that a row of `executions`, as `row`, can take the final status in `wanted`.
pub(super) fn can_end(row: &str, wanted: &str) -> String {
    let ends = [
        (ExecutionStatus::Completed, Event::Completed),
        (ExecutionStatus::Failed, Event::Failed),
        (ExecutionStatus::Cancelled, Event::Cancelled),
    ];
    let cases = ends
        .map(|(status, event)| format!("({wanted} = '{status}' AND {row}.status IN ({}))", sources(event)));
    format!("({})", cases.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_follow_the_state_machine() {
        assert_eq!(sources(Event::Claimed), "'pending'");
        assert_eq!(sources(Event::Completed), "'running'");
        assert_eq!(open(), "'pending', 'running', 'waiting'");
        assert!(can_end("e", "w").starts_with("((w = 'completed' AND e.status IN ('running')) OR "));
    }
}
