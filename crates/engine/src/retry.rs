//! When a failed step is tried again: pure functions of the policy, the attempt and a seed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most attempts that a policy may ask for.
pub const MAX_ATTEMPTS: u32 = 100;

/// Longest pause between two attempts: one day.
pub const MAX_DELAY_MS: u64 = 86_400_000;

/// How often, and after which pauses, a failed step is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included; 1 means no retry.
    pub max_attempts: u32,
    /// How the pause grows.
    pub backoff: Backoff,
    /// Pause before the second attempt, in milliseconds.
    pub delay_ms: u64,
    /// Upper bound of a pause, in milliseconds.
    pub max_delay_ms: u64,
    /// Share of the pause that is varied, 0 to 1, so that many failures do not come back at once.
    pub jitter: f64,
}

/// How the pause between attempts grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Backoff {
    /// Always the same.
    Fixed,
    /// Doubles with every attempt.
    Exponential,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            backoff: Backoff::Exponential,
            delay_ms: 1_000,
            max_delay_ms: 60_000,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    /// Names what is out of range, as `(field, message)`.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if !(1..=MAX_ATTEMPTS).contains(&self.max_attempts) {
            problems.push(("maxAttempts", format!("must be between 1 and {MAX_ATTEMPTS}")));
        }
        if self.delay_ms > MAX_DELAY_MS {
            problems.push(("delayMs", format!("must be at most {MAX_DELAY_MS} (one day)")));
        }
        if self.max_delay_ms > MAX_DELAY_MS {
            problems.push(("maxDelayMs", format!("must be at most {MAX_DELAY_MS} (one day)")));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            problems.push(("jitter", "must be between 0 and 1".to_owned()));
        }
        problems
    }

    /// Milliseconds to wait after attempt number `attempt` (from 1) failed, or `None` when it was the last.
    ///
    /// The jitter comes from a hash of `seed` and the attempt, so a replay computes the same pause.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, seed: Uuid) -> Option<u64> {
        if attempt >= self.max_attempts {
            return None;
        }
        let base = match self.backoff {
            Backoff::Fixed => self.delay_ms,
            Backoff::Exponential => {
                self.delay_ms.saturating_mul(1u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX))
            }
        }
        .min(self.max_delay_ms)
        .min(MAX_DELAY_MS);
        // A pause varies downwards only, so `max_delay_ms` stays the bound.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "base is at most one day, far inside the exact range of f64"
        )]
        let cut = (base as f64 * self.jitter.clamp(0.0, 1.0) * unit_interval(seed, attempt)) as u64;
        Some(base - cut.min(base))
    }
}

/// A number in `[0, 1)` from a seed (the finalizer of SplitMix64, Steele et al. 2014).
fn unit_interval(seed: Uuid, attempt: u32) -> f64 {
    let (high, low) = seed.as_u64_pair();
    let mut z = high ^ low.rotate_left(32) ^ u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let unit = (z >> 11) as f64 / (1u64 << 53) as f64;
    unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_attempt_has_no_delay() {
        let policy = RetryPolicy { max_attempts: 3, ..RetryPolicy::default() };
        assert!(policy.delay_after(2, Uuid::nil()).is_some());
        assert_eq!(policy.delay_after(3, Uuid::nil()), None);
        assert_eq!(RetryPolicy::default().delay_after(1, Uuid::nil()), None);
    }

    #[test]
    fn an_exponential_delay_doubles_up_to_its_bound() {
        let policy = RetryPolicy {
            max_attempts: 9,
            delay_ms: 100,
            max_delay_ms: 500,
            jitter: 0.0,
            ..RetryPolicy::default()
        };
        let delays: Vec<_> = (1..6).filter_map(|attempt| policy.delay_after(attempt, Uuid::nil())).collect();
        assert_eq!(delays, [100, 200, 400, 500, 500]);
    }

    proptest! {
        #[test]
        fn a_delay_stays_within_its_jitter(attempt in 1u32..200, delay in 0u64..10_000_000, jitter in 0.0f64..=1.0, seed: u128) {
            let policy = RetryPolicy { max_attempts: 201, backoff: Backoff::Fixed, delay_ms: delay, max_delay_ms: delay, jitter };
            let got = policy.delay_after(attempt, Uuid::from_u128(seed)).unwrap();
            prop_assert!(got <= delay);
            #[expect(clippy::cast_precision_loss, reason = "a test bound")]
            let lowest = delay as f64 * (1.0 - jitter) - 1.0;
            #[expect(clippy::cast_precision_loss, reason = "a test bound")]
            let got = got as f64;
            prop_assert!(got >= lowest);
        }
    }
}
