//! The generated entities read what they write, on both databases.

use entity::prelude::{ExecutionSteps, Executions, Organizations, Users, Webhooks, Workflows};
use entity::{conversation_messages, execution_steps, executions, organizations, users, webhooks, workflows};
use sea_orm::prelude::{DateTimeWithTimeZone, Uuid};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, ModelTrait,
    QueryFilter, QueryOrder, Set, Statement,
};
use serde_json::json;

use crate::databases::on_each_database;

#[tokio::test]
async fn an_entity_is_read_as_it_was_written() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tenant = Tenant::create(&db).await;
        let webhook = webhooks::ActiveModel {
            id: Set(Uuid::now_v7()),
            organization_id: Set(tenant.organization),
            workflow_id: Set(tenant.workflow),
            path: Set("orders".to_owned()),
            secret_encrypted: Set(Some(vec![0, 159, 146, 150, 255])),
            created_at: Set(time("2026-03-29T01:30:00.123456Z")),
            updated_at: Set(time("2026-03-29T01:30:00.000001Z")),
            ..Default::default()
        };
        let webhook = webhook.insert(&db).await.unwrap();
        assert_eq!((webhook.method.as_str(), webhook.tolerance_secs, webhook.is_active), ("POST", 300, true));
        assert_eq!(Webhooks::find_by_id(webhook.id).one(&db).await.unwrap(), Some(webhook));

        let execution = tenant.execution(time("2026-03-29T01:30:00Z")).insert(&db).await.unwrap();
        assert_eq!(execution.input_data.as_ref().unwrap()["number"], json!(i64::MAX));
        assert_eq!(execution.completed_steps, i64::MAX);
        assert_eq!(Executions::find_by_id(execution.id).one(&db).await.unwrap(), Some(execution));

        let message = conversation_messages::ActiveModel {
            id: Set(Uuid::now_v7()),
            organization_id: Set(tenant.organization),
            conversation_id: Set("c1".to_owned()),
            role: Set("user".to_owned()),
            confidence: Set(Some(0.1)),
            created_at: Set(time("2026-03-29T01:30:00Z")),
            ..Default::default()
        };
        let message = message.insert(&db).await.unwrap();
        assert_eq!(message.confidence, Some(0.1));
    })
    .await;
}

/// A value that is bound as JSON is `jsonb` to PostgreSQL before it is cast, and has lost this by then.
#[tokio::test]
async fn a_payload_that_is_sent_as_text_keeps_its_keys_in_order_and_its_null_characters() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tenant = Tenant::create(&db).await;
        let execution = tenant.execution(time("2026-03-29T01:30:00Z")).insert(&db).await.unwrap();
        let backend = db.get_database_backend();
        let parameter = if backend == DbBackend::Sqlite { "?" } else { "$1::text::json" };
        let payload = r#"{"b":[1,2],"a":"x","nul":"\u0000"}"#;
        let update = format!("UPDATE executions SET input_data = {parameter}");
        db.execute_raw(Statement::from_sql_and_values(backend, update, [payload.into()])).await.unwrap();

        let query = "SELECT CAST(input_data AS text) AS payload FROM executions";
        let row = db.query_one_raw(Statement::from_string(backend, query)).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "payload").unwrap(), payload);
        let execution = Executions::find_by_id(execution.id).one(&db).await.unwrap().unwrap();
        assert_eq!(execution.input_data.unwrap()["nul"], json!("\0"));
    })
    .await;
}

#[tokio::test]
async fn times_are_ordered_and_compared_to_the_microsecond() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tenant = Tenant::create(&db).await;
        let times =
            ["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.500001Z"].map(time);
        for time in times {
            tenant.execution(time).insert(&db).await.unwrap();
        }
        let by_time = Executions::find().order_by_asc(executions::Column::CreatedAt).all(&db).await.unwrap();
        let order: Vec<_> = by_time.iter().map(|execution| execution.created_at).collect();
        assert_eq!(order, [times[1], times[0], times[2]]);
        let until =
            Executions::find().filter(executions::Column::CreatedAt.lte(times[0])).all(&db).await.unwrap();
        assert_eq!(until.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_organization_takes_all_its_rows_along() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tenant = Tenant::create(&db).await;
        let execution = tenant.execution(time("2026-01-01T00:00:00Z")).insert(&db).await.unwrap();
        let step = execution_steps::ActiveModel {
            id: Set(Uuid::now_v7()),
            organization_id: Set(tenant.organization),
            execution_id: Set(execution.id),
            node_id: Set("n1".to_owned()),
            node_name: Set("First".to_owned()),
            node_type: Set("no_op".to_owned()),
            run_index: Set(0),
            attempt: Set(1),
            sequence: Set(0),
            status: Set("completed".to_owned()),
            started_at: Set(time("2026-01-01T00:00:00Z")),
            ..Default::default()
        };
        let step = step.insert(&db).await.unwrap();
        assert_eq!(execution.find_related(ExecutionSteps).all(&db).await.unwrap(), [step]);

        let organization = Organizations::find_by_id(tenant.organization).one(&db).await.unwrap().unwrap();
        organization.delete(&db).await.unwrap();
        assert!(Workflows::find().all(&db).await.unwrap().is_empty());
        assert!(Executions::find().all(&db).await.unwrap().is_empty());
        assert!(ExecutionSteps::find().all(&db).await.unwrap().is_empty());
        assert_eq!(Users::find().all(&db).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_workflow_outlives_the_user_who_made_it() {
    on_each_database(|fresh| async move {
        let db = fresh.migrated().await;
        let tenant = Tenant::create(&db).await;
        Users::delete_by_id(tenant.user).exec(&db).await.unwrap();
        let workflow = Workflows::find_by_id(tenant.workflow).one(&db).await.unwrap().unwrap();
        assert_eq!(workflow.user_id, None);
    })
    .await;
}

/// An organization with a user and a workflow.
struct Tenant {
    organization: Uuid,
    user: Uuid,
    workflow: Uuid,
}

impl Tenant {
    async fn create(db: &DatabaseConnection) -> Self {
        let now = time("2026-01-01T00:00:00Z");
        let tenant = Self { organization: Uuid::now_v7(), user: Uuid::now_v7(), workflow: Uuid::now_v7() };
        let organization = organizations::ActiveModel {
            id: Set(tenant.organization),
            name: Set("Mill".to_owned()),
            slug: Set("mill".to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        organization.insert(db).await.unwrap();
        let user = users::ActiveModel {
            id: Set(tenant.user),
            email: Set("anna@example.org".to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        assert_eq!(user.insert(db).await.unwrap().credits_limit, 1000);
        let workflow = workflows::ActiveModel {
            id: Set(tenant.workflow),
            organization_id: Set(tenant.organization),
            user_id: Set(Some(tenant.user)),
            name: Set("Grüße 👋".to_owned()),
            definition: Set(json!({ "nodes": [], "edges": [] })),
            trigger_type: Set("manual".to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        let workflow = workflow.insert(db).await.unwrap();
        assert_eq!((workflow.status.as_str(), workflow.tags), ("draft", json!([])));
        tenant
    }

    fn execution(&self, created_at: DateTimeWithTimeZone) -> executions::ActiveModel {
        executions::ActiveModel {
            id: Set(Uuid::now_v7()),
            organization_id: Set(self.organization),
            workflow_id: Set(self.workflow),
            workflow_version: Set(1),
            status: Set("pending".to_owned()),
            trigger_type: Set("manual".to_owned()),
            input_data: Set(Some(
                json!({ "text": "ü 👋 \"", "number": i64::MAX, "list": [null, 1.5, true] }),
            )),
            completed_steps: Set(i64::MAX),
            created_at: Set(created_at),
            ..Default::default()
        }
    }
}

fn time(text: &str) -> DateTimeWithTimeZone {
    text.parse::<DateTimeWithTimeZone>().unwrap().to_utc().fixed_offset()
}
