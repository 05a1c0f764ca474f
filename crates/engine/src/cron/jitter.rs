//! A delay that spreads schedules which fall due together.
//!
//! It comes from a hash, not from chance: every scheduler replica, before and after a restart, computes
//! the same delay for the same occurrence.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The delay of one occurrence of a schedule, from 0 to `max_ms` inclusive, evenly spread.
///
/// The value for given arguments never changes: it must be the same in two versions of the program that
/// run side by side.
pub fn jitter_ms(schedule_id: Uuid, occurrence: DateTime<Utc>, max_ms: u64) -> u64 {
    let (high, low) = schedule_id.as_u64_pair();
    let hash = mix(mix(mix(high) ^ low) ^ occurrence.timestamp_millis().cast_unsigned());
    // The upper half of hash × (max + 1): an even spread without division or a modulo's bias.
    let scaled = (u128::from(hash) * (u128::from(max_ms) + 1)) >> 64;
    u64::try_from(scaled).unwrap_or(max_ms)
}

/// The finalizer of SplitMix64: each bit of the input changes each bit of the output half the time.
fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
