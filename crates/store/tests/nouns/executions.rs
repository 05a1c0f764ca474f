//! Executions, their steps, and what a retry needs.

use chrono::TimeDelta;
use engine::execution::ExecutionStatus;
use serde_json::json;
use store::execution_steps::{self, StepPlace};
use store::executions::{self, ExecutionFilter};
use store::files::{self, FileFilter, NewFile, StoredContent};
use store::journal::{self, StepRecord, StepStatus};
use store::page::PageRequest;
use store::queue::{self, Occurrence, TriggerType};
use store::workflows::Status;
use uuid::Uuid;

use crate::conformance;
use crate::seed::{Tenant, manual, scheduled};

fn step(
    tenant: &Tenant,
    execution_id: Uuid,
    node: &str,
    sequence: i64,
    attempt: i64,
    status: StepStatus,
) -> StepRecord {
    let at = "2026-01-01T12:00:00Z".parse().unwrap();
    StepRecord {
        id: store::ids::new_id(),
        organization_id: tenant.id(),
        execution_id,
        node_id: node.to_owned(),
        node_name: node.to_uppercase(),
        node_type: "no_op".to_owned(),
        run_index: 0,
        attempt,
        sequence,
        status,
        input_data: Some(json!([])),
        output_data: Some(json!([[{"json": {"big": "payload"}}]])),
        error: (status == StepStatus::Failed).then(|| json!({"message": "no"})),
        context: None,
        resume_at: None,
        resume_token_hash: None,
        child_execution_id: None,
        started_at: at,
        completed_at: Some(at),
        duration_ms: Some(0),
    }
}

conformance! {
    async fn a_list_is_filtered_and_carries_no_payload(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let other = ada.workflow(db, manual(), Status::Active).await;
        let first = ada.enqueue(db, &workflow).await;
        let start = db.now();
        test.advance_ms(1_000);
        let second = ada.enqueue(db, &other).await;
        let list = async |filter: ExecutionFilter| {
            let page = executions::list(db.reader(), ada.id(), &filter, PageRequest::default()).await.unwrap();
            page.items.into_iter().map(|one| one.id).collect::<Vec<_>>()
        };
        let all = ExecutionFilter::default;
        assert_eq!(list(all()).await, [second, first]);
        assert_eq!(list(ExecutionFilter { workflow_id: Some(workflow.id), ..all() }).await, [first]);
        assert_eq!(list(ExecutionFilter { from: Some(db.now()), ..all() }).await, [second]);
        assert_eq!(list(ExecutionFilter { until: Some(start + TimeDelta::milliseconds(1)), ..all() }).await, [first]);
        let pending = vec![ExecutionStatus::Pending, ExecutionStatus::Failed];
        assert_eq!(list(ExecutionFilter { statuses: pending, ..all() }).await.len(), 2);
        let done = vec![ExecutionStatus::Completed];
        assert_eq!(list(ExecutionFilter { statuses: done, ..all() }).await.len(), 0);
        assert_eq!(list(ExecutionFilter { trigger_type: Some(TriggerType::Manual), ..all() }).await.len(), 2);
        assert_eq!(list(ExecutionFilter { trigger_type: Some(TriggerType::Retry), ..all() }).await.len(), 0);

        let read = executions::find(db.reader(), ada.id(), first).await.unwrap().unwrap();
        assert_eq!(read.input_data, Some(json!([{"json": {"order": "a payload"}}])));
        let summary = executions::summary(db.reader(), ada.id(), first).await.unwrap().unwrap();
        assert_eq!((summary.id, summary.workflow_name.as_str()), (first, "A workflow"));
        assert!(!format!("{summary:?}").contains("payload"));
        let status = executions::status(db.reader(), ada.id(), first).await.unwrap();
        assert_eq!(status, Some(ExecutionStatus::Pending));
    }

    async fn a_retry_starts_at_the_first_attempt_of_the_run_that_failed_for_good(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let id = ada.enqueue(db, &workflow).await;
        let info = async || executions::retry_info(db.reader(), ada.id(), id).await.unwrap().unwrap();
        assert_eq!(info().await.failed_sequence, None);
        let steps = [
            step(&ada, id, "start", 0, 1, StepStatus::Completed),
            step(&ada, id, "flaky", 1, 1, StepStatus::Failed),
            step(&ada, id, "flaky", 2, 2, StepStatus::Completed),
            step(&ada, id, "end", 3, 1, StepStatus::Failed),
            step(&ada, id, "end", 4, 2, StepStatus::Failed),
        ];
        journal::write_steps(db.writer(), &steps).await.unwrap();
        let info = info().await;
        assert_eq!((info.failed_sequence, info.current_version), (Some(3), 1));
        assert_eq!(info.status, ExecutionStatus::Pending);
    }

    async fn steps_are_listed_in_order_without_their_items(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let id = ada.enqueue(db, &workflow).await;
        let steps = [
            step(&ada, id, "end", 1, 1, StepStatus::Failed),
            step(&ada, id, "end", 2, 2, StepStatus::Completed),
            step(&ada, id, "start", 0, 1, StepStatus::Completed),
        ];
        journal::write_steps(db.writer(), &steps).await.unwrap();
        let listed = execution_steps::list(db.reader(), ada.id(), id, None).await.unwrap();
        let seen: Vec<_> = listed.iter().map(|one| (one.node_id.as_str(), one.attempt)).collect();
        assert_eq!(seen, [("start", 1), ("end", 1), ("end", 2)]);
        assert!(!format!("{listed:?}").contains("payload"));
        let after = Some(StepPlace { sequence: 1, attempt: 1 });
        let rest = execution_steps::list(db.reader(), ada.id(), id, after).await.unwrap();
        assert_eq!(rest.iter().map(|one| one.sequence).collect::<Vec<_>>(), [2]);
        let one = execution_steps::find(db.reader(), ada.id(), id, steps[0].id).await.unwrap().unwrap();
        assert_eq!(one.output_data, steps[0].output_data);
    }

    async fn what_a_schedule_still_has_running_is_found(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, scheduled(json!({"cron": "@daily"})), Status::Active).await;
        let filter = store::schedules::ScheduleFilter::default();
        let page = PageRequest::default();
        let schedule_id =
            store::schedules::list(db.reader(), ada.id(), filter, page).await.unwrap().items[0].id;
        ada.enqueue(db, &workflow).await;
        let mut new = ada.execution(&workflow, db.now());
        new.trigger_type = TriggerType::Schedule;
        new.schedule = Some(Occurrence { schedule_id, scheduled_for: db.now() });
        queue::enqueue(db.writer(), db.now(), &[new.clone()]).await.unwrap();
        let found = executions::unfinished_of_schedules(db.reader(), &[schedule_id, Uuid::nil()]).await.unwrap();
        assert_eq!(found.iter().map(|one| (one.schedule_id, one.id)).collect::<Vec<_>>(), [(schedule_id, new.id)]);
        let tx = db.begin().await.unwrap();
        queue::request_cancel(&tx, db.now(), ada.id(), new.id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(executions::unfinished_of_schedules(db.reader(), &[schedule_id]).await.unwrap(), []);
    }

    async fn a_file_has_a_row_that_outlives_its_execution(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let execution_id = ada.enqueue(db, &workflow).await;
        let id = store::ids::new_id();
        let new = NewFile {
            id,
            organization_id: ada.id(),
            user_id: Some(ada.user.id),
            execution_id: Some(execution_id),
            filename: "../../etc/passwd".to_owned(),
            mime_type: None,
            content: StoredContent { size_bytes: 3, sha256: "x".to_owned(), storage_path: "aa/bb/cc".to_owned() },
            metadata: json!(null),
        };
        let made = files::create(db.writer(), db.now(), new).await.unwrap();
        assert_eq!((made.size_bytes, made.storage_provider.as_str()), (3, "local"));
        let filter = FileFilter { execution_id: Some(execution_id) };
        let listed = files::list(db.reader(), ada.id(), filter, PageRequest::default()).await.unwrap();
        assert_eq!(listed.items, [made]);
        store::workflows::delete(db.writer(), ada.id(), workflow.id).await.unwrap();
        let read = files::find(db.reader(), ada.id(), id).await.unwrap().unwrap();
        assert_eq!(read.execution_id, None);
        assert_eq!(files::delete(db.writer(), ada.id(), id).await.unwrap().map(|one| one.id), Some(id));
        assert!(files::delete(db.writer(), ada.id(), id).await.unwrap().is_none());
    }
}
