//! Cancelling, in every state.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use engine::execution::ExecutionStatus;
use store::journal::{self, Close, JournalEntry, StepStatus};
use store::queue::{self, CancelOutcome, Claimed, Held, NewExecution};
use store::{Db, ids};
use support::queue::{child_of, ended, execution, put, queue_row, running, state, status, step, take};
use uuid::Uuid;

async fn cancel(db: &Db, organization_id: Uuid, id: Uuid) -> CancelOutcome {
    let tx = db.begin().await.unwrap();
    let outcome = queue::request_cancel(&tx, db.now(), organization_id, id).await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

fn entry(claimed: &Claimed, starts: Vec<NewExecution>, close: Option<Close>) -> JournalEntry {
    JournalEntry { lease: claimed.lease.clone(), steps: Vec::new(), logs: Vec::new(), starts, close }
}

conformance! {
    async fn a_pending_execution_is_cancelled_at_once(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let new = test.execution(organization_id, test.workflow(organization_id, None).await);
        put(&test.db, std::slice::from_ref(&new)).await;
        let outcome = cancel(&test.db, organization_id, new.id).await;
        assert_eq!(outcome, CancelOutcome::Cancelled { ended: vec![new.id], requested: vec![] });
        assert!(take(&test.db, "w", 1).await.is_empty());
        let row = execution(&test.db, new.id).await;
        assert_eq!((row.status.as_str(), row.duration_ms, row.completed_at.is_some()), ("cancelled", None, true));
        let again = cancel(&test.db, organization_id, new.id).await;
        assert_eq!(again, CancelOutcome::AlreadyFinal(ExecutionStatus::Cancelled));
    }

    async fn an_execution_of_another_organization_is_not_found(test: &TestDb) {
        let claimed = running(test).await;
        let stranger = test.organization(None).await;
        assert_eq!(cancel(&test.db, stranger, claimed.lease.execution_id).await, CancelOutcome::NotFound);
        assert_eq!(cancel(&test.db, stranger, ids::new_id()).await, CancelOutcome::NotFound);
        assert!(execution(&test.db, claimed.lease.execution_id).await.cancel_requested_at.is_none());
    }

    async fn a_running_execution_is_ended_by_its_worker(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        assert_eq!(cancel(&test.db, claimed.organization_id, id).await, CancelOutcome::Requested);
        assert_eq!(cancel(&test.db, claimed.organization_id, id).await, CancelOutcome::Requested);
        assert_eq!(status(&test.db, id).await, "running");
        let end = entry(&claimed, vec![], Some(Close::Finish(Box::new(ended(ExecutionStatus::Cancelled)))));
        assert_eq!(journal::commit(&test.db, test.now(), &[end]).await.unwrap(), [Held::Yes]);
        assert_eq!(status(&test.db, id).await, "cancelled");
    }

    async fn a_wish_to_cancel_survives_the_loss_of_the_worker(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        cancel(&test.db, claimed.organization_id, id).await;
        test.advance_ms(30_001);
        assert_eq!(queue::requeue_lost(&test.db, test.now(), 10, 5).await.unwrap().cancelled, [id]);
        assert_eq!(status(&test.db, id).await, "cancelled");
        assert!(queue_row(&test.db, id).await.is_none());
    }

    async fn a_wish_to_cancel_ends_a_wait(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        cancel(&test.db, claimed.organization_id, id).await;
        journal::commit(&test.db, test.now(), &[entry(&claimed, vec![], Some(Close::Suspend(None)))]).await.unwrap();
        assert_eq!(state(&test.db, id).await.as_deref(), Some("ready"));
        assert!(take(&test.db, "w", 1).await.remove(0).cancel_requested);
    }

    async fn a_waiting_execution_is_cancelled_with_the_children_it_waits_for(test: &TestDb) {
        let parent = running(test).await;
        let id = parent.lease.execution_id;
        let waiting = step(&parent, "sub", 1, StepStatus::Waiting, test.now());
        let done = step(&parent, "other", 0, StepStatus::Completed, test.now());
        let awaited: Vec<NewExecution> = (0..2).map(|_| child_of(test, &parent, waiting.id)).collect();
        let independent = child_of(test, &parent, done.id);
        let mut starts = awaited.clone();
        starts.push(NewExecution { run_at: test.now() + chrono::TimeDelta::hours(1), ..independent.clone() });
        let suspends = JournalEntry {
            steps: vec![done, waiting],
            ..entry(&parent, starts, Some(Close::Suspend(None)))
        };
        journal::commit(&test.db, test.now(), &[suspends]).await.unwrap();
        let child = take(&test.db, "w", 1).await.remove(0);
        let (runs, waits) = (child.lease.execution_id, awaited.iter().map(|new| new.id).find(|id| *id != child.lease.execution_id).unwrap());
        let outcome = cancel(&test.db, parent.organization_id, id).await;
        assert_eq!(outcome, CancelOutcome::Cancelled { ended: vec![id, waits], requested: vec![runs] });
        assert_eq!(status(&test.db, id).await, "cancelled");
        assert_eq!(status(&test.db, waits).await, "cancelled");
        assert_eq!(status(&test.db, independent.id).await, "pending", "nobody waits for it");
        assert!(execution(&test.db, runs).await.cancel_requested_at.is_some());
        let row = execution(&test.db, id).await;
        assert_eq!((row.total_steps, row.completed_steps), (2, 1));
        let steps = journal::steps_of(&test.db, id).await.unwrap();
        assert_eq!(steps.iter().map(|step| step.status).collect::<Vec<_>>(), [StepStatus::Completed, StepStatus::Cancelled]);
    }

    async fn the_parent_of_a_cancelled_child_goes_on(test: &TestDb) {
        let parent = running(test).await;
        let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
        let child = child_of(test, &parent, waiting.id);
        let child_id = child.id;
        let suspends = JournalEntry { steps: vec![waiting], ..entry(&parent, vec![child], Some(Close::Suspend(None))) };
        journal::commit(&test.db, test.now(), &[suspends]).await.unwrap();
        cancel(&test.db, parent.organization_id, child_id).await;
        assert_eq!(state(&test.db, parent.lease.execution_id).await.as_deref(), Some("ready"));
    }

    async fn cancelling_and_finishing_at_once_give_one_end(test: &TestDb) {
        for _ in 0..10 {
            let parent = running(test).await;
            let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
            let child = child_of(test, &parent, waiting.id);
            let suspends = JournalEntry { steps: vec![waiting], ..entry(&parent, vec![child], Some(Close::Suspend(None))) };
            journal::commit(&test.db, test.now(), &[suspends]).await.unwrap();
            let child = take(&test.db, "w", 1).await.remove(0);
            let (one, other) = (test.connect_again().await, test.connect_again().await);
            let (organization_id, id) = (parent.organization_id, parent.lease.execution_id);
            let cancels = tokio::spawn(async move { cancel(&one, organization_id, id).await });
            let end = entry(&child, vec![], Some(Close::Finish(Box::new(ended(ExecutionStatus::Completed)))));
            let finishes = tokio::spawn(async move { journal::commit(&other, other.now(), &[end]).await.unwrap() });
            assert!(matches!(cancels.await.unwrap(), CancelOutcome::Cancelled { .. }));
            assert_eq!(finishes.await.unwrap(), [Held::Yes]);
            assert_eq!(status(&test.db, id).await, "cancelled");
            assert_eq!(status(&test.db, child.lease.execution_id).await, "completed");
            assert_eq!(queue::depth(&test.db).await.unwrap(), queue::Depth::default());
        }
    }

    async fn an_execution_that_ends_as_cancelled_takes_along_the_children_it_waits_for(test: &TestDb) {
        let parent = running(test).await;
        let waiting = step(&parent, "sub", 0, StepStatus::Waiting, test.now());
        let running_step = step(&parent, "other", 1, StepStatus::Running, test.now());
        let (awaited, independent) = (child_of(test, &parent, waiting.id), child_of(test, &parent, running_step.id));
        let starts = JournalEntry {
            steps: vec![waiting.clone(), running_step],
            ..entry(&parent, vec![awaited.clone(), independent.clone()], None)
        };
        journal::commit(&test.db, test.now(), &[starts]).await.unwrap();
        let stopped = journal::StepRecord { status: StepStatus::Cancelled, ..waiting };
        let ends = JournalEntry {
            steps: vec![stopped],
            ..entry(&parent, vec![], Some(Close::Finish(Box::new(ended(ExecutionStatus::Cancelled)))))
        };
        journal::commit(&test.db, test.now(), &[ends]).await.unwrap();
        assert_eq!(status(&test.db, awaited.id).await, "cancelled");
        assert_eq!(status(&test.db, independent.id).await, "pending", "nobody waits for it");
        let steps = journal::steps_of(&test.db, parent.lease.execution_id).await.unwrap();
        assert!(steps.iter().all(|step| step.status == StepStatus::Cancelled), "no step stays open: {steps:?}");
    }

    async fn an_execution_that_fails_leaves_no_open_step_behind(test: &TestDb) {
        let claimed = running(test).await;
        let open = vec![
            step(&claimed, "a", 0, StepStatus::Running, test.now()),
            step(&claimed, "b", 1, StepStatus::Waiting, test.now()),
        ];
        let ends = JournalEntry {
            steps: open,
            ..entry(&claimed, vec![], Some(Close::Finish(Box::new(ended(ExecutionStatus::Failed)))))
        };
        journal::commit(&test.db, test.now(), &[ends]).await.unwrap();
        let steps = journal::steps_of(&test.db, claimed.lease.execution_id).await.unwrap();
        assert_eq!(steps.len(), 2);
        assert!(steps.iter().all(|step| step.status == StepStatus::Cancelled && step.completed_at.is_some()));
    }
}
