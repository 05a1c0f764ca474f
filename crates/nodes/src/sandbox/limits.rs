//! How much a sandbox process may use.

use std::num::NonZeroUsize;
use std::time::Duration;

use engine::sandbox::RealmLimits;
use serde::{Deserialize, Serialize};

/// Processor seconds after which the kernel ends a child. The pool retires a child long before; the limit is for
/// one whose parent can no longer kill it.
pub(super) const CPU_SECS: u64 = 600;

/// What a child may need beside the JavaScript heap: the executable's own data and the frames.
const BASE_BYTES: u64 = 64 * 1024 * 1024;

/// Address space that is not memory: the executable, its libraries, guard pages.
const ADDRESS_SPACE_BYTES: u64 = 1024 * 1024 * 1024;

/// Limits of the JavaScript sandbox; section `[sandbox]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory that the JavaScript of one request may hold, the items included, in bytes.
    pub memory_bytes: u64,
    /// Longest run of one request, in milliseconds. A code node may ask for less, never for more.
    pub timeout_ms: u64,
    /// Longest result of one request, in bytes of JSON.
    pub output_bytes: u64,
    /// Most sandbox processes at a time; 0 for one per processor.
    pub processes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 * 1024 * 1024,
            timeout_ms: 10_000,
            output_bytes: 64 * 1024 * 1024,
            processes: 0,
        }
    }
}

impl Limits {
    /// The number of processes, with 0 resolved.
    pub(super) fn process_count(&self) -> usize {
        match self.processes {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            given => given,
        }
    }

    /// The limits inside the child.
    pub(super) fn realm(&self) -> RealmLimits {
        let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        RealmLimits { memory_bytes: bytes(self.memory_bytes), output_bytes: bytes(self.output_bytes) }
    }

    /// Longest request or answer that is sent to a child: what is longer cannot fit into its memory.
    pub(super) fn input_bytes(&self) -> usize {
        usize::try_from(self.memory_bytes).unwrap_or(usize::MAX).min(engine::sandbox::MAX_FRAME_BYTES)
    }

    /// Writable memory of a child: the JavaScript heap, a request and its copy, a result and its copies.
    pub(super) fn data_bytes(&self) -> u64 {
        BASE_BYTES
            .saturating_add(self.memory_bytes.saturating_mul(3))
            .saturating_add(self.output_bytes.saturating_mul(4))
    }

    /// Address space of a child.
    pub(super) fn address_space_bytes(&self) -> u64 {
        self.data_bytes().saturating_add(ADDRESS_SPACE_BYTES)
    }

    /// The time of one request, where `wanted_ms` is less than the limit.
    pub(super) fn timeout(&self, wanted_ms: u64) -> Duration {
        Duration::from_millis(self.timeout_ms.min(wanted_ms))
    }

    /// The limits as arguments of a child.
    pub(super) fn to_arguments(&self) -> [String; 2] {
        [self.memory_bytes.to_string(), self.output_bytes.to_string()]
    }

    /// The limits from the arguments of a child.
    pub(super) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut number = || arguments.next()?.parse().ok();
        Some(Self { memory_bytes: number()?, output_bytes: number()?, ..Self::default() })
    }
}
