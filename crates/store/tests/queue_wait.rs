//! Waiting: for a time, for a request, for children.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use chrono::TimeDelta;
use engine::execution::ExecutionStatus;
use serde_json::json;
use store::Db;
use store::journal::{self, Close, JournalEntry, StepRecord, StepStatus};
use store::queue::{self, Claimed, Held, Resumed};
use support::TestDb;
use support::queue::{child_of, ended, put, running, state, status, step, take};
use uuid::Uuid;

fn entry(claimed: &Claimed, close: Option<Close>) -> JournalEntry {
    JournalEntry {
        lease: claimed.lease.clone(),
        steps: Vec::new(),
        logs: Vec::new(),
        starts: Vec::new(),
        close,
    }
}

fn finished(claimed: &Claimed) -> JournalEntry {
    entry(claimed, Some(Close::Finish(Box::new(ended(ExecutionStatus::Completed)))))
}

async fn commit(db: &Db, entries: &[JournalEntry]) -> Vec<Held> {
    journal::commit(db, db.now(), entries).await.unwrap()
}

async fn resume(db: &Db, token_hash: &str, item: serde_json::Value) -> Resumed {
    let tx = db.begin().await.unwrap();
    let resumed = queue::resume_by_token(&tx, db.now(), token_hash, item).await.unwrap();
    tx.commit().await.unwrap();
    resumed
}

/// An execution whose step waits for this token, not suspended yet.
async fn with_token(test: &TestDb, token_hash: &str) -> (Claimed, StepRecord) {
    let claimed = running(test).await;
    let waiting = StepRecord {
        resume_token_hash: Some(token_hash.to_owned()),
        context: Some(json!({ "state": { "z": 1, "a": 2 } })),
        ..step(&claimed, "wait", 0, StepStatus::Waiting, test.now())
    };
    commit(&test.db, &[JournalEntry { steps: vec![waiting.clone()], ..entry(&claimed, None) }]).await;
    (claimed, waiting)
}

/// A parent that is suspended until its children end, and the children, claimed.
async fn with_children(test: &TestDb, count: usize) -> (Claimed, Vec<Claimed>) {
    let parent = running(test).await;
    let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
    let children = (0..count).map(|_| child_of(test, &parent, waiting.id)).collect();
    let started =
        JournalEntry { steps: vec![waiting], starts: children, ..entry(&parent, Some(Close::Suspend(None))) };
    assert_eq!(commit(&test.db, &[started]).await, [Held::Yes]);
    assert_eq!(state(&test.db, parent.lease.execution_id).await.as_deref(), Some("waiting"));
    let children = take(&test.db, "w", 100).await;
    assert_eq!(children.len(), count);
    (parent, children)
}

conformance! {
    async fn an_execution_that_waits_for_a_time_comes_back_then(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        let until = test.now() + TimeDelta::seconds(60);
        commit(&test.db, &[entry(&claimed, Some(Close::Suspend(Some(until))))]).await;
        assert_eq!((status(&test.db, id).await.as_str(), state(&test.db, id).await.as_deref()), ("waiting", Some("waiting")));
        test.advance_ms(59_999);
        assert!(queue::resume_due(&test.db, test.now(), 10).await.unwrap().is_empty());
        assert!(take(&test.db, "w", 1).await.is_empty());
        test.advance_ms(1);
        assert_eq!(queue::resume_due(&test.db, test.now(), 10).await.unwrap(), [id]);
        assert!(queue::resume_due(&test.db, test.now(), 10).await.unwrap().is_empty());
        assert_eq!(status(&test.db, id).await, "pending");
        let again = take(&test.db, "w", 1).await.remove(0);
        assert_eq!((again.attempt, again.lease.token), (1, 2), "a wait is progress: attempts start anew");
        assert_eq!(commit(&test.db, &[finished(&claimed)]).await, [Held::Lost]);
    }

    async fn a_wait_that_is_over_already_does_not_suspend_for_long(test: &TestDb) {
        let claimed = running(test).await;
        let past = test.now() - TimeDelta::seconds(1);
        commit(&test.db, &[entry(&claimed, Some(Close::Suspend(Some(past))))]).await;
        assert_eq!(state(&test.db, claimed.lease.execution_id).await.as_deref(), Some("ready"));
    }

    async fn a_request_resumes_a_waiting_execution_once_however_many_come_at_once(test: &TestDb) {
        let (claimed, waiting) = with_token(test, "hash").await;
        let id = claimed.lease.execution_id;
        commit(&test.db, &[entry(&claimed, Some(Close::Suspend(None)))]).await;
        assert_eq!(resume(&test.db, "another", json!({})).await, Resumed::Unknown);
        let mut calls = Vec::new();
        for number in 0..8 {
            let db = test.connect_again().await;
            calls.push(tokio::spawn(async move { resume(&db, "hash", json!({ "json": { "call": number, "nul": "\0" } })).await }));
        }
        let mut first = Vec::new();
        for (number, call) in calls.into_iter().enumerate() {
            match call.await.unwrap() {
                Resumed::Yes { execution_id, organization_id } => {
                    assert_eq!((execution_id, organization_id), (id, claimed.organization_id));
                    first.push(number);
                }
                other => assert_eq!(other, Resumed::Already { execution_id: id }),
            }
        }
        assert_eq!(first.len(), 1);
        assert_eq!((status(&test.db, id).await.as_str(), state(&test.db, id).await.as_deref()), ("pending", Some("ready")));
        let known = journal::steps_of(&test.db, id).await.unwrap().remove(0);
        let expected = json!({ "state": { "z": 1, "a": 2 }, "request": { "json": { "call": first[0], "nul": "\0" } } });
        assert_eq!((known.status, known.context), (StepStatus::Waiting, Some(expected.clone())));

        let again = take(&test.db, "w", 1).await.remove(0);
        let running = StepRecord { status: StepStatus::Running, context: None, ..waiting.clone() };
        commit(&test.db, &[JournalEntry { steps: vec![running], ..entry(&again, None) }]).await;
        let known = journal::steps_of(&test.db, id).await.unwrap().remove(0);
        assert_eq!(known.context, Some(expected), "a crash now must not lose the request");
        let done = StepRecord { status: StepStatus::Completed, context: None, ..waiting };
        commit(&test.db, &[JournalEntry { steps: vec![done], ..finished(&again) }]).await;
        assert_eq!(journal::steps_of(&test.db, id).await.unwrap()[0].context, None);
        assert_eq!(resume(&test.db, "hash", json!({})).await, Resumed::Already { execution_id: id });
    }

    async fn a_request_that_comes_before_the_suspension_is_not_lost(test: &TestDb) {
        let (claimed, waiting) = with_token(test, "early").await;
        let id = claimed.lease.execution_id;
        assert!(matches!(resume(&test.db, "early", json!({ "json": {} })).await, Resumed::Yes { .. }));
        assert_eq!(state(&test.db, id).await.as_deref(), Some("leased"));
        // The worker does not know of it and writes the waiting step once more.
        commit(&test.db, &[JournalEntry { steps: vec![waiting], ..entry(&claimed, Some(Close::Suspend(None))) }]).await;
        assert_eq!(state(&test.db, id).await.as_deref(), Some("ready"));
        let known = journal::steps_of(&test.db, id).await.unwrap().remove(0);
        assert_eq!(known.context.unwrap()["request"], json!({ "json": {} }));
    }

    async fn a_request_after_the_time_is_too_late(test: &TestDb) {
        let (claimed, waiting) = with_token(test, "late").await;
        let until = test.now() + TimeDelta::seconds(5);
        let timed = StepRecord { resume_at: Some(until), ..waiting };
        commit(&test.db, &[JournalEntry { steps: vec![timed], ..entry(&claimed, Some(Close::Suspend(Some(until)))) }]).await;
        test.advance_ms(5_000);
        queue::resume_due(&test.db, test.now(), 10).await.unwrap();
        let id = claimed.lease.execution_id;
        assert_eq!(resume(&test.db, "late", json!({})).await, Resumed::Already { execution_id: id });
    }

    async fn children_that_end_at_once_wake_their_parent_exactly_once(test: &TestDb) {
        for _ in 0..10 {
            let (parent, children) = with_children(test, 2).await;
            let id = parent.lease.execution_id;
            let mut ends = Vec::new();
            for child in children {
                let db = test.connect_again().await;
                ends.push(tokio::spawn(async move { commit(&db, &[finished(&child)]).await }));
            }
            for end in ends {
                assert_eq!(end.await.unwrap(), [Held::Yes]);
            }
            assert_eq!((status(&test.db, id).await.as_str(), state(&test.db, id).await.as_deref()), ("pending", Some("ready")));
            let again = take(&test.db, "w", 10).await;
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].lease.token, 2);
            commit(&test.db, &[finished(&again[0])]).await;
        }
    }

    async fn a_parent_waits_for_the_last_of_its_children(test: &TestDb) {
        let (parent, children) = with_children(test, 3).await;
        let id = parent.lease.execution_id;
        assert_eq!(children[0].parent.unwrap().execution_id, id);
        for (number, child) in children.iter().enumerate() {
            assert_eq!(state(&test.db, id).await.as_deref(), Some("waiting"), "after {number}");
            commit(&test.db, &[finished(child)]).await;
        }
        assert_eq!(state(&test.db, id).await.as_deref(), Some("ready"));
    }

    async fn a_parent_that_suspends_after_its_children_ended_is_ready_at_once(test: &TestDb) {
        let parent = running(test).await;
        let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
        let child = child_of(test, &parent, waiting.id);
        commit(&test.db, &[JournalEntry { steps: vec![waiting], starts: vec![child], ..entry(&parent, None) }]).await;
        let child = take(&test.db, "w", 1).await.remove(0);
        commit(&test.db, &[finished(&child)]).await;
        assert_eq!(state(&test.db, parent.lease.execution_id).await.as_deref(), Some("leased"));
        commit(&test.db, &[entry(&parent, Some(Close::Suspend(None)))]).await;
        assert_eq!(state(&test.db, parent.lease.execution_id).await.as_deref(), Some("ready"));
    }

    async fn a_parent_and_its_child_may_be_written_in_one_batch(test: &TestDb) {
        let parent = running(test).await;
        let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
        let child = child_of(test, &parent, waiting.id);
        commit(&test.db, &[JournalEntry { starts: vec![child], ..entry(&parent, None) }]).await;
        let child = take(&test.db, "w", 1).await.remove(0);
        let suspends = JournalEntry { steps: vec![waiting], ..entry(&parent, Some(Close::Suspend(None))) };
        assert_eq!(commit(&test.db, &[finished(&child), suspends]).await, [Held::Yes, Held::Yes]);
        assert_eq!(state(&test.db, parent.lease.execution_id).await.as_deref(), Some("ready"));
    }

    async fn a_parent_whose_child_was_deleted_is_found(test: &TestDb) {
        use sea_orm::EntityTrait as _;
        let parent = running(test).await;
        let mut waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
        let child = child_of(test, &parent, waiting.id);
        let child_id = child.id;
        waiting.child_execution_id = Some(child_id);
        let started = JournalEntry { steps: vec![waiting], starts: vec![child], ..entry(&parent, Some(Close::Suspend(None))) };
        commit(&test.db, &[started]).await;
        assert!(queue::resume_due(&test.db, test.now(), 10).await.unwrap().is_empty());
        entity::executions::Entity::delete_by_id(child_id).exec(test.db.writer()).await.unwrap();
        assert_eq!(queue::resume_due(&test.db, test.now(), 10).await.unwrap(), [parent.lease.execution_id]);
    }

    async fn an_execution_that_only_waits_for_a_request_is_not_woken_by_the_backstop(test: &TestDb) {
        let mut all: Vec<Uuid> = Vec::new();
        for number in 0..7 {
            let (claimed, _) = with_token(test, &format!("h{number}")).await;
            commit(&test.db, &[entry(&claimed, Some(Close::Suspend(None)))]).await;
            all.push(claimed.lease.execution_id);
        }
        for _ in 0..6 {
            assert!(queue::resume_due(&test.db, test.now(), 3).await.unwrap().is_empty());
        }
        assert_eq!(queue::depth(&test.db).await.unwrap().waiting, 7);
    }

    async fn many_suspensions_and_ends_fit_in_one_commit(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let new: Vec<_> = (0..150).map(|_| test.execution(organization_id, workflow_id)).collect();
        put(&test.db, &new).await;
        let claimed = take(&test.db, "w", 150).await;
        let entries: Vec<JournalEntry> = claimed.iter().enumerate().map(|(number, claimed)| JournalEntry {
            steps: vec![step(claimed, "a", 0, StepStatus::Completed, test.now())],
            ..match number % 4 {
                0 => finished(claimed),
                1 => entry(claimed, Some(Close::Suspend(None))),
                2 => entry(claimed, Some(Close::Release)),
                _ => entry(claimed, None),
            }
        }).collect();
        assert!(commit(&test.db, &entries).await.iter().all(|held| *held == Held::Yes));
        let depth = queue::depth(&test.db).await.unwrap();
        assert_eq!((depth.ready, depth.leased, depth.waiting), (37, 37, 38));
        let closed = [finished(&claimed[3]), finished(&claimed[3])];
        assert_eq!(commit(&test.db, &closed).await, [Held::Yes, Held::Lost], "nothing follows an end");
    }
}
