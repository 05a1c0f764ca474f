//! Shorter ways to say what queue tests do.

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use sea_orm::EntityTrait;
use serde_json::json;
use store::journal::{StepRecord, StepStatus};
use store::queue::{ClaimRequest, Claimed, Ended, ErrorSummary, NewExecution, Parent, claim, enqueue};
use store::{Db, ids};
use uuid::Uuid;

use super::TestDb;

/// Life of a lease in tests.
pub const LEASE_MS: u64 = 30_000;

/// Asks for work.
pub fn request(owner: &str, limit: u64) -> ClaimRequest {
    ClaimRequest {
        owner: owner.to_owned(),
        limit,
        lease_ms: LEASE_MS,
        default_organization_concurrency: None,
    }
}

/// Enqueues in a transaction of its own.
pub async fn put(db: &Db, executions: &[NewExecution]) -> Vec<Uuid> {
    let tx = db.begin().await.unwrap();
    let ids = enqueue(&tx, db.now(), executions).await.unwrap();
    tx.commit().await.unwrap();
    ids
}

/// Enqueues `count` executions of a new workflow of the organization.
pub async fn put_many(test: &TestDb, organization_id: Uuid, count: usize) -> Vec<Uuid> {
    let workflow_id = test.workflow(organization_id, None).await;
    let executions: Vec<NewExecution> =
        (0..count).map(|_| test.execution(organization_id, workflow_id)).collect();
    put(&test.db, &executions).await
}

/// Claims.
pub async fn take(db: &Db, owner: &str, limit: u64) -> Vec<Claimed> {
    claim(db, db.now(), &request(owner, limit)).await.unwrap()
}

/// Enqueues one execution and claims it.
pub async fn running(test: &TestDb) -> Claimed {
    let organization_id = test.organization(None).await;
    let workflow_id = test.workflow(organization_id, None).await;
    put(&test.db, &[test.execution(organization_id, workflow_id)]).await;
    let mut claimed = take(&test.db, "worker", 10).await;
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

/// A child of a step of a running execution.
pub fn child_of(test: &TestDb, parent: &Claimed, step_id: Uuid) -> NewExecution {
    NewExecution {
        parent: Some(Parent { execution_id: parent.lease.execution_id, step_id }),
        ..test.execution(parent.organization_id, parent.workflow_id)
    }
}

/// An end.
pub fn ended(status: ExecutionStatus) -> Ended {
    let error = (status == ExecutionStatus::Failed).then(|| ErrorSummary {
        message: "it broke".to_owned(),
        code: "broken".to_owned(),
        stack: None,
        node_id: Some("n1".to_owned()),
    });
    Ended {
        status,
        output_data: Some(json!([{ "json": { "a": 1 } }])),
        error,
        total_steps: 3,
        completed_steps: 2,
        failed_steps: 1,
    }
}

/// A step of an execution.
pub fn step(
    claimed: &Claimed,
    node: &str,
    sequence: i64,
    status: StepStatus,
    now: DateTime<Utc>,
) -> StepRecord {
    StepRecord {
        id: ids::new_id(),
        organization_id: claimed.organization_id,
        execution_id: claimed.lease.execution_id,
        node_id: node.to_owned(),
        node_name: node.to_owned(),
        node_type: "set".to_owned(),
        run_index: 0,
        attempt: 1,
        sequence,
        status,
        input_data: None,
        output_data: None,
        error: None,
        context: None,
        resume_at: None,
        resume_token_hash: None,
        child_execution_id: None,
        started_at: now,
        completed_at: None,
        duration_ms: None,
    }
}

/// The row of an execution.
pub async fn execution(db: &Db, id: Uuid) -> entity::executions::Model {
    entity::executions::Entity::find_by_id(id).one(db.reader()).await.unwrap().unwrap()
}

/// The status of an execution.
pub async fn status(db: &Db, id: Uuid) -> String {
    execution(db, id).await.status
}

/// The queue row of an execution.
pub async fn queue_row(db: &Db, id: Uuid) -> Option<entity::execution_queue::Model> {
    entity::execution_queue::Entity::find_by_id(id).one(db.reader()).await.unwrap()
}

/// The state of the queue row of an execution.
pub async fn state(db: &Db, id: Uuid) -> Option<String> {
    queue_row(db, id).await.map(|row| row.state)
}
