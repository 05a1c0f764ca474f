//! Webhook events: each is taken once.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use store::queue;
use store::webhook_events::{self, NewWebhookEvent, Recorded};
use store::workflows::Status;
use store::{Db, webhooks};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::conformance;
use crate::seed::{Tenant, count, hooked};

async fn webhook(db: &Db, tenant: &Tenant) -> (store::workflows::Workflow, Uuid) {
    let workflow = tenant.workflow(db, hooked(json!({"path": "orders"})), Status::Active).await;
    let route = webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap();
    (workflow, route.webhook.id)
}

fn event(tenant: &Tenant, webhook_id: Uuid) -> NewWebhookEvent<'static> {
    NewWebhookEvent {
        organization_id: tenant.id(),
        webhook_id,
        event_id: "evt_1",
        event_type: "order.created",
        event_data: json!({"order": 17, "text": "\0"}),
        window_secs: 60,
    }
}

conformance! {
    async fn of_many_deliveries_at_once_one_starts_an_execution_and_all_are_told_which(test: &TestDb) {
        let db = test.db.clone();
        let ada = Arc::new(Tenant::sign_up(&db, "ada@example.org").await);
        let (workflow, webhook_id) = webhook(&db, &ada).await;
        let barrier = Arc::new(Barrier::new(16));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (db, ada, workflow, barrier) = (db.clone(), ada.clone(), workflow.clone(), barrier.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    let tx = db.begin().await.unwrap();
                    let now = db.now();
                    let recorded = webhook_events::record(&tx, now, event(&ada, webhook_id)).await.unwrap();
                    let told = match recorded {
                        Recorded::New { id } => {
                            let execution = ada.execution(&workflow, now);
                            queue::enqueue(&tx, now, std::slice::from_ref(&execution)).await.unwrap();
                            webhook_events::link(&tx, ada.id(), id, execution.id, Some(1)).await.unwrap();
                            (true, Some(execution.id))
                        }
                        Recorded::Duplicate { execution_id } => (false, execution_id),
                    };
                    tx.commit().await.unwrap();
                    told
                })
            })
            .collect();
        let mut told = Vec::new();
        for task in tasks {
            told.push(task.await.unwrap());
        }
        assert_eq!(told.iter().filter(|(is_new, _)| *is_new).count(), 1);
        assert!(told[0].1.is_some() && told.iter().all(|(_, id)| *id == told[0].1), "{told:?}");
        assert_eq!(count(db.reader(), "executions", "1 = 1").await, 1);
        assert_eq!(count(db.reader(), "webhook_events", "1 = 1").await, 1);
    }

    async fn an_event_whose_transaction_failed_is_new_again(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let (_, webhook_id) = webhook(db, &ada).await;
        let tx = db.begin().await.unwrap();
        let first = webhook_events::record(&tx, db.now(), event(&ada, webhook_id)).await.unwrap();
        assert!(matches!(first, Recorded::New { .. }));
        tx.rollback().await.unwrap();
        let second = webhook_events::record(db.writer(), db.now(), event(&ada, webhook_id)).await.unwrap();
        assert!(matches!(second, Recorded::New { .. }));
    }

    async fn an_event_is_new_again_when_its_window_has_passed(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let (_, webhook_id) = webhook(db, &ada).await;
        let record = async |now| webhook_events::record(db.writer(), now, event(&ada, webhook_id)).await.unwrap();
        let now = db.now();
        assert!(matches!(record(now).await, Recorded::New { .. }));
        let just_before = now + TimeDelta::seconds(60) - TimeDelta::microseconds(1);
        assert_eq!(record(just_before).await, Recorded::Duplicate { execution_id: None });
        let after = now + TimeDelta::seconds(60);
        assert!(matches!(record(after).await, Recorded::New { .. }));
        assert_eq!(record(after).await, Recorded::Duplicate { execution_id: None });
        assert_eq!(webhook_events::delete_expired(db.writer(), after, 10).await.unwrap(), 0);
        let late = after + TimeDelta::seconds(60);
        assert_eq!(webhook_events::delete_expired(db.writer(), late, 10).await.unwrap(), 1);
    }

    async fn one_id_on_two_webhooks_is_two_events(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let (_, first) = webhook(db, &ada).await;
        ada.workflow(db, hooked(json!({"path": "returns"})), Status::Active).await;
        let second = webhooks::find_by_path(db.reader(), "returns").await.unwrap().unwrap().webhook.id;
        for webhook_id in [first, second] {
            let recorded = webhook_events::record(db.writer(), db.now(), event(&ada, webhook_id)).await.unwrap();
            assert!(matches!(recorded, Recorded::New { .. }));
        }
    }

    async fn a_window_without_end_is_refused_rather_than_a_panic(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let (_, webhook_id) = webhook(db, &ada).await;
        let endless = NewWebhookEvent { window_secs: i64::MAX, ..event(&ada, webhook_id) };
        assert!(webhook_events::record(db.writer(), db.now(), endless).await.is_err());
    }
}
