//! Leases: kept, handed back, lost, and what may be written under them.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use engine::execution::ExecutionStatus;
use store::journal::{self, Close, JournalEntry, StepStatus};
use store::queue::{self, CancelOutcome, Held};
use store::{Db, Topic};
use support::queue::{LEASE_MS, ended, execution, put_many, queue_row, running, state, status, step, take};

const PAST_LEASE_MS: i64 = 30_001;

async fn finish(db: &Db, lease: &queue::Lease, status: ExecutionStatus) -> Held {
    let tx = db.begin().await.unwrap();
    let held = queue::finish(&tx, db.now(), lease, &ended(status)).await.unwrap();
    tx.commit().await.unwrap();
    held
}

conformance! {
    async fn a_finished_execution_is_final_and_counted(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        test.advance_ms(1_234);
        assert_eq!(finish(&test.db, &claimed.lease, ExecutionStatus::Failed).await, Held::Yes);
        let row = execution(&test.db, id).await;
        assert_eq!((row.status.as_str(), row.duration_ms), ("failed", Some(1_234)));
        assert_eq!((row.total_steps, row.completed_steps, row.failed_steps), (3, 2, 1));
        assert_eq!((row.error_code.as_deref(), row.error_node_id.as_deref()), (Some("broken"), Some("n1")));
        assert_eq!(row.output_data, ended(ExecutionStatus::Failed).output_data);
        assert!(queue_row(&test.db, id).await.is_none());
        let workflow = workflow(&test.db, claimed.workflow_id).await;
        assert_eq!((workflow.total_executions, workflow.failed_executions), (1, 1));
        assert_eq!(workflow.average_duration_ms, Some(1_234));
        assert_eq!(workflow.last_error.as_deref(), Some("it broke"));
        assert_eq!(workflow.last_executed_at.unwrap(), claimed.started_at);
    }

    async fn the_average_duration_follows_even_small_changes(test: &TestDb) {
        let organization_id = test.organization(None).await;
        put_many(test, organization_id, 600).await;
        let mut workflow_id = None;
        for round in 0..6 {
            let claimed = take(&test.db, "w", 100).await;
            test.advance_ms(if round == 0 { 10 } else { 14 });
            let entries: Vec<JournalEntry> = claimed.iter().map(|claimed| JournalEntry {
                lease: claimed.lease.clone(),
                steps: Vec::new(),
                logs: Vec::new(),
                starts: Vec::new(),
                close: Some(Close::Finish(Box::new(ended(ExecutionStatus::Completed)))),
            }).collect();
            workflow_id = Some(claimed[0].workflow_id);
            for part in entries.chunks(3) {
                journal::commit(&test.db, test.now(), part).await.unwrap();
            }
        }
        let workflow = workflow(&test.db, workflow_id.unwrap()).await;
        assert_eq!(workflow.total_executions, 600);
        assert!((13..=14).contains(&workflow.average_duration_ms.unwrap()), "{:?}", workflow.average_duration_ms);
    }

    async fn a_lost_lease_cannot_finish_the_execution(test: &TestDb) {
        let lost = running(test).await;
        let id = lost.lease.execution_id;
        test.advance_ms(PAST_LEASE_MS);
        let rescued = queue::requeue_lost(&test.db, test.now(), 10, 5).await.unwrap();
        assert_eq!(rescued.requeued, [id]);
        assert_eq!(finish(&test.db, &lost.lease, ExecutionStatus::Completed).await, Held::Lost);
        let holder = take(&test.db, "other", 1).await.remove(0);
        assert_eq!((holder.lease.token, holder.attempt), (2, 2));
        assert_eq!(holder.started_at, lost.started_at);

        assert_eq!(finish(&test.db, &lost.lease, ExecutionStatus::Completed).await, Held::Lost);
        let tx = test.db.begin().await.unwrap();
        assert_eq!(queue::suspend(&tx, test.now(), &lost.lease, None).await.unwrap(), Held::Lost);
        assert_eq!(queue::release(&tx, std::slice::from_ref(&lost.lease)).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let entry = JournalEntry {
            lease: lost.lease.clone(),
            steps: vec![step(&lost, "a", 0, StepStatus::Completed, test.now())],
            logs: Vec::new(),
            starts: vec![test.execution(lost.organization_id, lost.workflow_id)],
            close: None,
        };
        assert_eq!(journal::commit(&test.db, test.now(), &[entry]).await.unwrap(), [Held::Lost]);
        assert!(journal::steps_of(&test.db, id).await.unwrap().is_empty());
        assert_eq!(queue::depth(&test.db).await.unwrap().ready, 0);
        assert_eq!(status(&test.db, id).await, "running");
        assert_eq!(finish(&test.db, &holder.lease, ExecutionStatus::Completed).await, Held::Yes);
        assert_eq!(status(&test.db, id).await, "completed");
    }

    async fn a_heartbeat_extends_leases_and_tells_of_lost_and_cancelled_ones(test: &TestDb) {
        let organization_id = test.organization(None).await;
        put_many(test, organization_id, 3).await;
        let claimed = take(&test.db, "w", 3).await;
        let leases: Vec<queue::Lease> = claimed.iter().map(|claimed| claimed.lease.clone()).collect();
        let [kept, wanted, gone] = [0, 1, 2].map(|index: usize| leases[index].execution_id);
        finish(&test.db, &leases[2], ExecutionStatus::Completed).await;
        let tx = test.db.begin().await.unwrap();
        let outcome = queue::request_cancel(&tx, test.now(), organization_id, wanted).await.unwrap();
        assert_eq!(outcome, CancelOutcome::Requested);
        tx.commit().await.unwrap();
        let now = test.advance_ms(20_000);
        let beat = queue::heartbeat(&test.db, now, &leases, LEASE_MS).await.unwrap();
        assert_eq!((beat.lost, beat.cancelled), (vec![gone], vec![wanted]));
        test.advance_ms(20_000);
        assert_eq!(queue::requeue_lost(&test.db, test.now(), 10, 5).await.unwrap(), queue::Rescued::default());
        assert_eq!(state(&test.db, kept).await.as_deref(), Some("leased"));
        let forged = queue::Lease { owner: "somebody else".to_owned(), ..leases[0].clone() };
        let beat = queue::heartbeat(&test.db, now, &[forged], LEASE_MS).await.unwrap();
        assert_eq!(beat.lost, [kept]);
    }

    async fn a_released_execution_is_ready_at_once_and_loses_no_attempt(test: &TestDb) {
        let claimed = running(test).await;
        let tx = test.db.begin().await.unwrap();
        assert_eq!(queue::release(&tx, std::slice::from_ref(&claimed.lease)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(status(&test.db, claimed.lease.execution_id).await, "pending");
        let again = take(&test.db, "other", 1).await.remove(0);
        assert_eq!((again.attempt, again.lease.token), (1, 2));
    }

    async fn only_a_passed_lease_is_rescued_however_old_the_execution_is(test: &TestDb) {
        let claimed = running(test).await;
        for _ in 0..20 {
            let now = test.advance_ms(20_000);
            let beat = queue::heartbeat(&test.db, now, std::slice::from_ref(&claimed.lease), LEASE_MS).await.unwrap();
            assert!(beat.lost.is_empty());
            assert_eq!(queue::requeue_lost(&test.db, now, 10, 5).await.unwrap(), queue::Rescued::default());
        }
        finish(&test.db, &claimed.lease, ExecutionStatus::Completed).await;
        test.advance_ms(10 * PAST_LEASE_MS);
        assert_eq!(queue::requeue_lost(&test.db, test.now(), 10, 5).await.unwrap(), queue::Rescued::default());
        assert_eq!(status(&test.db, claimed.lease.execution_id).await, "completed");
    }

    async fn an_execution_that_takes_every_worker_down_is_given_up(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        let tx = test.db.begin().await.unwrap();
        let started = step(&claimed, "a", 0, StepStatus::Running, test.now());
        journal::write_steps(&tx, &[started]).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..2 {
            test.advance_ms(PAST_LEASE_MS);
            assert_eq!(queue::requeue_lost(&test.db, test.now(), 10, 3).await.unwrap().requeued, [id]);
            assert_eq!(take(&test.db, "next", 1).await.len(), 1);
        }
        test.advance_ms(PAST_LEASE_MS);
        assert_eq!(queue::requeue_lost(&test.db, test.now(), 10, 3).await.unwrap().failed, [id]);
        let row = execution(&test.db, id).await;
        assert_eq!((row.status.as_str(), row.error_code.as_deref()), ("failed", Some("lost_too_often")));
        assert_eq!((row.total_steps, row.failed_steps), (1, 1));
        assert_eq!(journal::steps_of(&test.db, id).await.unwrap()[0].status, StepStatus::Failed);
        assert!(queue_row(&test.db, id).await.is_none());
    }

    async fn a_final_status_is_never_overwritten(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        assert_eq!(finish(&test.db, &claimed.lease, ExecutionStatus::Completed).await, Held::Yes);
        assert_eq!(finish(&test.db, &claimed.lease, ExecutionStatus::Failed).await, Held::Lost);
        let tx = test.db.begin().await.unwrap();
        let outcome = queue::request_cancel(&tx, test.now(), claimed.organization_id, id).await.unwrap();
        assert_eq!(outcome, CancelOutcome::AlreadyFinal(ExecutionStatus::Completed));
        tx.commit().await.unwrap();
        assert_eq!(status(&test.db, id).await, "completed");
        assert_eq!(workflow(&test.db, claimed.workflow_id).await.total_executions, 1);
    }

    async fn an_execution_cannot_finish_with_a_status_that_is_not_final(test: &TestDb) {
        let claimed = running(test).await;
        let tx = test.db.begin().await.unwrap();
        let end = ended(ExecutionStatus::Waiting);
        let error = queue::finish(&tx, test.now(), &claimed.lease, &end).await.unwrap_err();
        assert!(error.to_string().contains("waiting"), "{error}");
    }

    async fn a_worker_hears_of_what_its_own_process_enqueues(test: &TestDb) {
        let mut receiver = test.db.notifier().subscribe();
        let claimed = running(test).await;
        let entry = JournalEntry {
            lease: claimed.lease.clone(),
            steps: Vec::new(),
            logs: Vec::new(),
            starts: vec![test.execution(claimed.organization_id, claimed.workflow_id)],
            close: None,
        };
        journal::commit(&test.db, test.now(), &[entry]).await.unwrap();
        assert_eq!(receiver.recv().await, Topic::Queue);
        assert_eq!(receiver.recv().await, Topic::Execution(claimed.lease.execution_id));
    }
}

async fn workflow(db: &Db, id: uuid::Uuid) -> entity::workflows::Model {
    use sea_orm::EntityTrait as _;
    entity::workflows::Entity::find_by_id(id).one(db.reader()).await.unwrap().unwrap()
}
