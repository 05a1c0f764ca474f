//! What can stop an execution from outside.

use tokio_util::sync::CancellationToken;

/// The strings by which a worker holds an execution. A clone pulls the same strings.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// A person or a policy has cancelled it: drop what runs, record it as cancelled.
    pub cancel: CancellationToken,
    /// The lease is lost: drop what runs, record nothing.
    pub lost: CancellationToken,
    /// The worker shuts down: hand it back before the next step begins.
    pub drain: CancellationToken,
    /// The worker's time is up: drop what runs, hand it back.
    pub abort: CancellationToken,
}

/// Why an execution stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Lost,
    Cancelled,
    Aborted,
    Drain,
}

impl Control {
    /// The gravest reason to stop.
    pub(super) fn stop(&self) -> Option<Stop> {
        let reasons = [
            (&self.lost, Stop::Lost),
            (&self.cancel, Stop::Cancelled),
            (&self.abort, Stop::Aborted),
            (&self.drain, Stop::Drain),
        ];
        reasons.into_iter().find(|(token, _)| token.is_cancelled()).map(|(_, stop)| stop)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.drain.is_cancelled() || self.abort.is_cancelled()
    }

    /// Returns when a running node has to be dropped.
    pub(super) async fn stopped(&self) -> Stop {
        tokio::select! {
            biased;
            () = self.lost.cancelled() => Stop::Lost,
            () = self.cancel.cancelled() => Stop::Cancelled,
            () = self.abort.cancelled() => Stop::Aborted,
        }
    }

    /// Returns when a pause has to be broken off.
    pub(crate) async fn interrupted(&self) -> Stop {
        tokio::select! {
            biased;
            stop = self.stopped() => stop,
            () = self.drain.cancelled() => Stop::Drain,
        }
    }
}
