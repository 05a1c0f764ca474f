//! Which of the ready executions are claimed.
//!
//! Organizations take turns. An execution's place in line is the number of executions that its organization has running
//! plus its own rank among the ready ones of that organization, so whoever has least gets next, however long the
//! backlog of another is. Priority and time rank the executions of one organization; they mean nothing between
//! organizations, or one of them could push itself before all others. Equal places go in the order in which the
//! organizations were looked at, which goes on from claim to claim.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

/// Candidates that are read at a time for one claim, about: bounds the cost of a claim with many organizations.
const MAX_CANDIDATES: u64 = 1_024;

/// An organization that has something to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenant {
    pub(super) organization_id: Uuid,
    /// Whether it comes behind where the latest claim stopped, or was reached by starting over.
    pub(super) is_behind_cursor: bool,
    /// Executions that run now.
    pub(super) leased: i64,
    /// Most that may run; `None` for no limit.
    pub(super) limit: Option<i64>,
}

/// How many candidates to read of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) organization_id: Uuid,
    pub(super) leased: i64,
    pub(super) take: i64,
}

/// A ready execution that could be claimed.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) execution_id: Uuid,
    pub(super) organization_id: Uuid,
    pub(super) workflow_id: Uuid,
    pub(super) concurrency_key: Option<String>,
    /// Most executions of the workflow that may run, and how many do; `None` for no limit.
    pub(super) workflow_room: Option<(i64, i64)>,
}

/// The organizations that may run more, in the order of their turns, for a claim of `limit`.
///
/// Each has at least one ready execution, so the first `limit` ones are enough unless something holds those back.
pub(super) fn portions(tenants: &[Tenant], limit: u64) -> Vec<Portion> {
    let mut free: Vec<(&Tenant, u64)> = tenants
        .iter()
        .filter_map(|tenant| {
            let room = tenant.limit.map_or(i64::MAX, |limit| limit.saturating_sub(tenant.leased));
            u64::try_from(room).ok().filter(|room| *room > 0).map(|room| (tenant, room))
        })
        .collect();
    free.sort_by_key(|(tenant, _)| tenant.leased);
    let at_once = u64::try_from(free.len()).unwrap_or(u64::MAX).min(limit).max(1);
    let each = limit.min(MAX_CANDIDATES / at_once).max(1);
    free.into_iter()
        .map(|(tenant, room)| Portion {
            organization_id: tenant.organization_id,
            leased: tenant.leased,
            take: i64::try_from(each.min(room)).unwrap_or(i64::MAX),
        })
        .collect()
}

/// The executions to claim, at most `limit`, within the limits of workflows and keys. `candidates` holds those of each
/// organization in their order.
pub(super) fn choose(portions: &[Portion], candidates: &[Candidate], limit: u64) -> Vec<Candidate> {
    let turns: HashMap<Uuid, (usize, i64)> =
        portions.iter().enumerate().map(|(turn, p)| (p.organization_id, (turn, p.leased))).collect();
    let mut workflows: HashMap<Uuid, i64> = HashMap::new();
    let mut keys: HashSet<(Uuid, String)> = HashSet::new();
    let mut ranks: HashMap<Uuid, i64> = HashMap::new();
    let mut line: Vec<(i64, usize, &Candidate)> = Vec::new();
    for candidate in candidates {
        let Some((turn, leased)) = turns.get(&candidate.organization_id) else { continue };
        if let Some((most, running)) = candidate.workflow_room {
            let running = workflows.entry(candidate.workflow_id).or_insert(running);
            if *running >= most {
                continue;
            }
            *running += 1;
        }
        if let Some(key) = &candidate.concurrency_key
            && !keys.insert((candidate.organization_id, key.clone()))
        {
            continue;
        }
        let rank = ranks.entry(candidate.organization_id).or_insert(0);
        *rank += 1;
        line.push((leased + *rank, *turn, candidate));
    }
    // Stable: the executions of an organization stay in their order.
    line.sort_by_key(|(place, turn, _)| (*place, *turn));
    line.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    line.into_iter().map(|(_, _, candidate)| candidate.clone()).collect()
}

/// Where the next claim goes on: behind the organization that was served last. When none of those behind the cursor
/// could be served, all of them were in vain, so it goes on behind them; what lies further is not held up.
pub(super) fn next_cursor(tenants: &[Tenant], chosen: &[Candidate]) -> Option<Uuid> {
    let behind: Vec<Uuid> = tenants
        .iter()
        .filter(|tenant| tenant.is_behind_cursor)
        .map(|tenant| tenant.organization_id)
        .collect();
    let mut served = chosen.iter().map(|candidate| candidate.organization_id);
    let served_behind = served.clone().rfind(|id| behind.contains(id));
    served_behind.or(behind.last().copied()).or(served.next_back())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn tenant(number: u128, leased: i64, limit: Option<i64>) -> Tenant {
        Tenant { organization_id: id(number), is_behind_cursor: true, leased, limit }
    }

    fn candidates(organization: u128, count: u128) -> impl Iterator<Item = Candidate> {
        (0..count).map(move |number| Candidate {
            execution_id: id(organization * 1_000_000 + number),
            organization_id: id(organization),
            workflow_id: id(organization),
            concurrency_key: None,
            workflow_room: None,
        })
    }

    fn chosen(tenants: Vec<Tenant>, candidates: Vec<Candidate>, limit: u64) -> Vec<u128> {
        let portions = portions(&tenants, limit);
        choose(&portions, &candidates, limit).iter().map(|c| c.organization_id.as_u128()).collect()
    }

    #[test]
    fn organizations_take_turns() {
        let tenants = vec![tenant(1, 0, None), tenant(2, 0, None)];
        let all = candidates(1, 10).chain(candidates(2, 2)).collect();
        assert_eq!(chosen(tenants, all, 6), [1, 2, 1, 2, 1, 1]);
    }

    #[test]
    fn who_has_least_running_gets_next() {
        let tenants = vec![tenant(1, 3, None), tenant(2, 0, None)];
        let all = candidates(1, 10).chain(candidates(2, 10)).collect();
        assert_eq!(chosen(tenants, all, 5), [2, 2, 2, 2, 1]);
    }

    #[test]
    fn an_organization_at_its_limit_gets_nothing() {
        assert_eq!(portions(&[tenant(1, 2, Some(2)), tenant(2, 5, Some(2))], 10), []);
        let portions = portions(&[tenant(1, 2, Some(5))], 10);
        assert_eq!(portions[0].take, 3);
    }

    #[test]
    fn a_workflow_and_a_key_bound_what_one_claim_takes() {
        let tenants = vec![tenant(1, 0, None)];
        let mut all: Vec<Candidate> = candidates(1, 6).collect();
        all.iter_mut().take(4).for_each(|candidate| {
            candidate.workflow_id = id(77);
            candidate.workflow_room = Some((3, 1));
        });
        all[4].concurrency_key = Some("k".to_owned());
        all[5].concurrency_key = Some("k".to_owned());
        let portions = portions(&tenants, 10);
        let chosen: Vec<u128> =
            choose(&portions, &all, 10).iter().map(|c| c.execution_id.as_u128() % 1_000_000).collect();
        assert_eq!(chosen, [0, 1, 4]);
    }

    proptest! {
        #[test]
        fn nobody_with_a_ready_execution_waits_while_another_gets_two_more(
            sizes in proptest::collection::vec((1u128..40, 0i64..5), 1..12),
            limit in 1u64..60,
        ) {
            let tenants: Vec<Tenant> =
                sizes.iter().enumerate().map(|(n, (_, leased))| tenant(n as u128, *leased, None)).collect();
            let all: Vec<Candidate> =
                sizes.iter().enumerate().flat_map(|(n, (size, _))| candidates(n as u128, *size)).collect();
            let total = all.len() as u64;
            let chosen = chosen(tenants, all, limit);
            prop_assert_eq!(chosen.len() as u64, limit.min(total));
            let running = |n: usize| {
                sizes[n].1 + i64::try_from(chosen.iter().filter(|o| **o == n as u128).count()).unwrap()
            };
            for (n, (size, leased)) in sizes.iter().enumerate() {
                let is_left_out = running(n) - leased < i64::try_from(*size).unwrap();
                for other in (0..sizes.len()).filter(|other| running(*other) > sizes[*other].1) {
                    prop_assert!(!is_left_out || running(other) <= running(n) + 1);
                }
            }
        }
    }
}
