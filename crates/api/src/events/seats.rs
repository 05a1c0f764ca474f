//! How many callers may wait for executions at once, on event streams or for results.
//!
//! Each costs a connection and looks into the database twice a second, so their number is bounded; that of one
//! organization too, so that it cannot keep the others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Most callers that wait.
const MOST: usize = 1_000;

/// Most callers of one organization that wait.
const MOST_OF_ONE: usize = 100;

/// Seconds after which a caller that found no seat may come back.
const RETRY_AFTER_SECS: u32 = 5;

/// The seats of all who wait.
#[derive(Clone, Default)]
pub struct Seats {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_organization: HashMap<Uuid, usize>,
}

/// A seat, free again when it is dropped.
pub struct Seat {
    taken: Arc<Mutex<Taken>>,
    organization_id: Uuid,
}

impl Seats {
    /// Takes a seat.
    ///
    /// # Errors
    /// 503 when all are taken, or all that the organization may have.
    pub fn take(&self, organization_id: Uuid) -> Result<Seat, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.by_organization.get(&organization_id).copied().unwrap_or_default();
        if taken.all >= MOST || of_one >= MOST_OF_ONE {
            let problem = Problem::new(Code::Unavailable, "too many requests wait for executions already");
            return Err(problem.with_retry_after(RETRY_AFTER_SECS));
        }
        taken.all += 1;
        taken.by_organization.insert(organization_id, of_one + 1);
        Ok(Seat { taken: Arc::clone(&self.taken), organization_id })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.by_organization.get_mut(&self.organization_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_organization.remove(&self.organization_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_gets_its_share_and_leaves_the_rest_to_others() {
        let (seats, one, other) = (Seats::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let mut held: Vec<_> = (0..MOST_OF_ONE).map(|_| seats.take(one).unwrap()).collect();
        assert_eq!(seats.take(one).err().unwrap().code(), Code::Unavailable);
        assert!(seats.take(other).is_ok());
        held.pop();
        assert!(seats.take(one).is_ok());
        drop(held);
        assert!(seats.taken.lock().unwrap().by_organization.is_empty());
    }

    #[test]
    fn all_together_get_no_more_seats_than_there_are() {
        let seats = Seats::default();
        let held: Vec<_> =
            (0..MOST).map(|number| seats.take(Uuid::from_u128(number as u128 / 50)).unwrap()).collect();
        assert!(seats.take(Uuid::from_u128(9_999)).is_err());
        drop(held);
        assert!(seats.take(Uuid::from_u128(9_999)).is_ok());
    }
}
