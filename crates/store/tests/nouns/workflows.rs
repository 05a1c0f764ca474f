//! Saving workflows, and what follows from it.

use chrono::TimeDelta;
use serde_json::json;
use store::page::PageRequest;
use store::schedules::{self, ScheduleFilter};
use store::webhooks::{self, WebhookFilter};
use store::workflows::{self, Saved, Status, StatusChange, WorkflowFilter, WorkflowUpdate};
use store::{Error, workflow_versions};

use crate::conformance;
use crate::seed::{Tenant, context, count, definition, hooked, manual, node, scheduled, vault};

fn saved(outcome: Saved) -> workflows::Workflow {
    match outcome {
        Saved::Saved(workflow) => *workflow,
        other => panic!("{other:?}"),
    }
}

conformance! {
    async fn each_save_is_a_version_that_can_be_read_and_restored(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Draft).await;
        assert_eq!(workflow.version, 1);
        let update = WorkflowUpdate {
            definition: Some(scheduled(json!({"cron": "@daily"}))),
            change_summary: Some("On a schedule".to_owned()),
            ..WorkflowUpdate::default()
        };
        let tx = db.begin().await.unwrap();
        let second = saved(workflows::update(&tx, context(db.now()), ada.id(), workflow.id, update).await.unwrap());
        let third = workflows::restore(&tx, context(db.now()), ada.id(), workflow.id, 1, None, Some(2)).await;
        let third = saved(third.unwrap());
        tx.commit().await.unwrap();
        assert_eq!((second.version, second.trigger_type.as_str()), (2, "scheduled"));
        assert_eq!((third.version, third.trigger_type.as_str()), (3, "manual"));
        assert_eq!(third.definition, manual());

        let page = PageRequest::default();
        let versions = workflow_versions::list(db.reader(), ada.id(), workflow.id, page).await.unwrap();
        let seen: Vec<_> =
            versions.items.iter().map(|one| (one.version, one.change_summary.as_deref())).collect();
        assert_eq!(seen, [(3, Some("Restored version 1")), (2, Some("On a schedule")), (1, None)]);
        let first = workflow_versions::find(db.reader(), ada.id(), workflow.id, 1).await.unwrap().unwrap();
        assert_eq!(first.definition, manual());
        assert!(workflow_versions::find(db.reader(), ada.id(), workflow.id, 4).await.unwrap().is_none());
    }

    async fn of_many_who_change_one_version_at_once_one_wins(test: &TestDb) {
        let db = test.db.clone();
        let ada = Tenant::sign_up(&db, "ada@example.org").await;
        let workflow = ada.workflow(&db, manual(), Status::Draft).await;
        let tasks: Vec<_> = (0..16)
            .map(|index| {
                let (db, organization_id, workflow_id) = (db.clone(), ada.id(), workflow.id);
                tokio::spawn(async move {
                    let update = WorkflowUpdate {
                        expected_version: Some(1),
                        name: Some(format!("Change {index}")),
                        ..WorkflowUpdate::default()
                    };
                    let tx = db.begin().await.unwrap();
                    let outcome =
                        workflows::update(&tx, context(db.now()), organization_id, workflow_id, update).await;
                    tx.commit().await.unwrap();
                    outcome.unwrap()
                })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Saved::Saved(workflow) => won.push(workflow.name.clone()),
                Saved::VersionConflict { current } => assert_eq!(current, 2),
                Saved::NotFound => panic!("it is there"),
            }
        }
        assert_eq!(won.len(), 1);
        let read = workflows::find(db.reader(), ada.id(), workflow.id).await.unwrap().unwrap();
        assert_eq!((read.version, &read.name), (2, &won[0]));
        assert_eq!(count(db.reader(), "workflow_versions", "1 = 1").await, 2);
    }

    async fn a_save_that_fails_in_its_last_step_leaves_nothing(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let eve = Tenant::sign_up(db, "eve@example.org").await;
        eve.workflow(db, hooked(json!({"path": "taken"})), Status::Draft).await;
        let workflow = ada.workflow(db, scheduled(json!({"cron": "@daily"})), Status::Draft).await;
        let update = WorkflowUpdate {
            definition: Some(definition(json!([
                node("hook", "webhook", json!({"path": "/taken/"})),
                node("clock", "schedule", json!({"cron": "@hourly"})),
                node("end", "no_op", json!({})),
            ]))),
            ..WorkflowUpdate::default()
        };
        let tx = db.begin().await.unwrap();
        let error = workflows::update(&tx, context(db.now()), ada.id(), workflow.id, update).await.unwrap_err();
        drop(tx);
        assert!(matches!(&error, Error::WebhookPathTaken { path } if path == "taken"), "{error}");
        let read = workflows::find(db.reader(), ada.id(), workflow.id).await.unwrap().unwrap();
        assert_eq!(read, workflow);
        let own = format!("organization_id = '{}'", ada.id());
        if db.backend() == store::Backend::Postgres {
            assert_eq!(count(db.reader(), "workflow_versions", &own).await, 1);
            assert_eq!(count(db.reader(), "workflow_steps", &own).await, 2);
        }
        let schedules = schedules::list(db.reader(), ada.id(), ScheduleFilter::default(), PageRequest::default());
        assert_eq!(schedules.await.unwrap().items[0].cron_expression, "@daily");
    }

    async fn a_draft_may_be_half_finished_but_an_active_workflow_may_not(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let broken = scheduled(json!({"cron": "61 * * * *"}));
        let draft = ada.workflow(db, broken.clone(), Status::Draft).await;
        assert_eq!(count(db.reader(), "schedules", "1 = 1").await, 0);
        assert_eq!(count(db.reader(), "workflow_steps", "1 = 1").await, 2);

        let tx = db.begin().await.unwrap();
        let outcome = workflows::set_status(&tx, context(db.now()), ada.id(), draft.id, Status::Active).await;
        drop(tx);
        let message = outcome.unwrap_err().to_string();
        assert!(message.contains("CLOCK") && message.contains("cron"), "{message}");

        let tx = db.begin().await.unwrap();
        let new = ada.new_workflow("Broken", broken, Status::Active);
        assert!(matches!(
            workflows::create(&tx, context(db.now()), new).await,
            Err(Error::Invalid { field, .. }) if field == "definition"
        ));
        drop(tx);
        let read = workflows::find(db.reader(), ada.id(), draft.id).await.unwrap().unwrap();
        assert_eq!(read.status, "draft");
    }

    async fn triggers_fire_only_while_the_workflow_is_active(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let both = definition(json!([
            node("clock", "schedule", json!({"rules": [{"cron": "0 9 * * *"}, {"cron": "@hourly"}]})),
            node("hook", "webhook", json!({"path": "orders", "signature": "standard"})),
            node("end", "no_op", json!({})),
        ]));
        let workflow = ada.workflow(db, both, Status::Draft).await;
        let page = PageRequest::default();
        let list = || schedules::list(db.reader(), ada.id(), ScheduleFilter::default(), page);
        let drafted = list().await.unwrap().items;
        assert_eq!(drafted.len(), 2);
        assert!(drafted.iter().all(|one| !one.is_active && one.next_run_at.is_none()));
        assert!(!webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap().is_live());

        let set = async |status| {
            let tx = db.begin().await.unwrap();
            let outcome =
                workflows::set_status(&tx, context(db.now()), ada.id(), workflow.id, status).await.unwrap();
            tx.commit().await.unwrap();
            outcome
        };
        assert!(matches!(set(Status::Paused).await, StatusChange::Illegal { from: Status::Draft }));
        assert!(matches!(set(Status::Active).await, StatusChange::Changed(_)));
        let active = list().await.unwrap().items;
        assert!(active.iter().all(|one| one.is_active && one.next_run_at.unwrap() > db.now()));
        let mut ids: Vec<_> = active.iter().map(|one| one.node_id.clone().unwrap()).collect();
        ids.sort();
        assert_eq!(ids, ["clock", "clock#1"]);
        assert!(active.iter().all(|one| schedules::trigger_node_id(one) == Some("clock")));
        let route = webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap();
        assert!(route.is_live());
        assert!(route.secret(vault()).unwrap().unwrap().expose().starts_with("whsec_"));

        set(Status::Paused).await;
        let paused = list().await.unwrap().items;
        assert!(paused.iter().all(|one| !one.is_active && one.next_run_at.is_none()));
        assert!(!webhooks::find_by_path(db.reader(), "orders").await.unwrap().unwrap().is_live());
        set(Status::Archived).await;
        assert!(matches!(set(Status::Draft).await, StatusChange::Illegal { .. }));
    }

    async fn an_edit_keeps_the_ids_the_secret_and_an_occurrence_that_is_due(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let with = |cron: &str, hook: &str, path: &str| {
            definition(json!([
                node("clock", "schedule", json!({"cron": cron})),
                node(hook, "webhook", json!({"path": path, "signature": "standard"})),
                node("end", "no_op", json!({})),
            ]))
        };
        let workflow = ada.workflow(db, with("0 9 * * *", "hook", "orders"), Status::Active).await;
        let page = PageRequest::default();
        let state = async || {
            let schedule =
                schedules::list(db.reader(), ada.id(), ScheduleFilter::default(), page).await.unwrap().items;
            let webhook =
                webhooks::list(db.reader(), ada.id(), WebhookFilter::default(), page).await.unwrap().items;
            assert_eq!((schedule.len(), webhook.len()), (1, 1));
            (schedule[0].clone(), webhook[0].clone())
        };
        let edit = async |now, definition| {
            let update = WorkflowUpdate { definition: Some(definition), ..WorkflowUpdate::default() };
            let tx = db.begin().await.unwrap();
            saved(workflows::update(&tx, context(now), ada.id(), workflow.id, update).await.unwrap());
            tx.commit().await.unwrap();
        };
        let (schedule, webhook) = state().await;
        let late = schedule.next_run_at.unwrap().to_utc() + TimeDelta::minutes(5);

        // An edit elsewhere, five minutes after the occurrence that no scheduler has taken yet.
        edit(late, with("0 9 * * *", "hook", "orders/new")).await;
        let (kept, moved) = state().await;
        assert_eq!((kept.id, kept.next_run_at), (schedule.id, schedule.next_run_at));
        assert_eq!((moved.id, &moved.secret_encrypted), (webhook.id, &webhook.secret_encrypted));
        assert_eq!(moved.path, "orders/new");

        // Another time, and another node under the same path.
        edit(late, with("30 9 * * *", "hook2", "orders/new")).await;
        let (changed, redrawn) = state().await;
        assert_eq!(changed.id, schedule.id);
        assert!(changed.next_run_at.unwrap() > late.fixed_offset());
        assert_eq!((redrawn.id, &redrawn.secret_encrypted), (webhook.id, &webhook.secret_encrypted));
        assert_eq!(redrawn.node_id.as_deref(), Some("hook2"));

        edit(late, manual()).await;
        assert_eq!(count(db.reader(), "schedules", "1 = 1").await, 0);
        assert_eq!(count(db.reader(), "webhooks", "1 = 1").await, 0);
    }

    async fn a_list_is_filtered_by_status_tag_name_and_node_type(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let make = async |name: &str, tags: &[&str], definition, status| {
            let mut new = ada.new_workflow(name, definition, status);
            new.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let tx = db.begin().await.unwrap();
            workflows::create(&tx, context(db.now()), new).await.unwrap();
            tx.commit().await.unwrap();
        };
        make("Orders 100%", &["shop", "it's"], manual(), Status::Draft).await;
        make("Weekly report", &["shop"], scheduled(json!({"cron": "@weekly"})), Status::Active).await;
        make("orders_old", &[], manual(), Status::Archived).await;
        let names = async |filter: WorkflowFilter| {
            let found = workflows::list(db.reader(), ada.id(), &filter, PageRequest::default()).await.unwrap();
            let mut names: Vec<_> = found.items.into_iter().map(|one| one.name).collect();
            names.sort();
            names
        };
        let text = |text: &str| Some(text.to_owned());
        let all = WorkflowFilter::default;
        assert_eq!(names(all()).await, ["Orders 100%", "Weekly report", "orders_old"]);
        assert_eq!(names(WorkflowFilter { status: Some(Status::Active), ..all() }).await, ["Weekly report"]);
        assert_eq!(names(WorkflowFilter { tag: text("it's"), ..all() }).await, ["Orders 100%"]);
        assert_eq!(names(WorkflowFilter { tag: text("sho"), ..all() }).await, [""; 0]);
        assert_eq!(names(WorkflowFilter { name: text("ORDERS"), ..all() }).await, ["Orders 100%", "orders_old"]);
        assert_eq!(names(WorkflowFilter { name: text("0%"), ..all() }).await, ["Orders 100%"]);
        assert_eq!(names(WorkflowFilter { name: text("_old"), ..all() }).await, ["orders_old"]);
        assert_eq!(names(WorkflowFilter { node_type: text("schedule"), ..all() }).await, ["Weekly report"]);
        assert_eq!(names(WorkflowFilter { name: text("a\0"), ..all() }).await, [""; 0]);
        assert_eq!(
            names(WorkflowFilter { tag: text("shop"), node_type: text("manual"), ..all() }).await,
            ["Orders 100%"]
        );
    }

    async fn bad_input_is_named_on_both_databases(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let long = "x".repeat(201);
        for (name, tags, definition, field) in [
            ("", vec![], manual(), "name"),
            ("a\0b", vec![], manual(), "name"),
            (long.as_str(), vec![], manual(), "name"),
            ("n", vec![" "], manual(), "tags"),
            ("n", vec!["a\0"], manual(), "tags"),
            ("n", vec![], json!({"nodes": 5}), "definition"),
            ("n", vec![], json!({"nodes": [], "note": "a\0"}), "definition"),
            ("n", vec![], json!("text"), "definition"),
        ] {
            let mut new = ada.new_workflow(name, definition, Status::Draft);
            new.tags = tags.into_iter().map(str::to_owned).collect();
            let tx = db.begin().await.unwrap();
            match workflows::create(&tx, context(db.now()), new).await {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    async fn a_list_of_steps_is_stored_as_the_chain_that_it_means(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let steps = json!({"steps": [{"type": "manual"}, {"type": "no_op"}]});
        let workflow = ada.workflow(db, steps, Status::Draft).await;
        assert!(workflow.definition["nodes"].as_array().is_some_and(|nodes| nodes.len() >= 2));
        let count = count(db.reader(), "workflow_steps", "1 = 1").await;
        assert_eq!(count, workflow.definition["nodes"].as_array().unwrap().len() as i64);
    }

    async fn deleting_a_workflow_takes_everything_of_it_along(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, scheduled(json!({"cron": "@daily"})), Status::Active).await;
        ada.enqueue(db, &workflow).await;
        assert!(workflows::delete(db.writer(), ada.id(), workflow.id).await.unwrap());
        for table in ["workflows", "workflow_versions", "workflow_steps", "schedules", "executions", "execution_queue"] {
            assert_eq!(count(db.reader(), table, "1 = 1").await, 0, "{table}");
        }
        assert!(!workflows::delete(db.writer(), ada.id(), workflow.id).await.unwrap());
    }

    async fn an_execution_can_be_enqueued_while_its_workflow_is_saved(test: &TestDb) {
        let db = &test.db;
        if db.backend() == store::Backend::Sqlite {
            return; // It has one write transaction at a time.
        }
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, scheduled(json!({"cron": "@daily"})), Status::Active).await;
        let update = WorkflowUpdate { name: Some("Renamed".to_owned()), ..WorkflowUpdate::default() };
        let save = db.begin().await.unwrap();
        saved(workflows::update(&save, context(db.now()), ada.id(), workflow.id, update).await.unwrap());
        // Were it held up, the limit on waiting for a lock would end it.
        ada.enqueue(db, &workflow).await;
        save.commit().await.unwrap();
    }

    async fn a_version_keeps_the_order_of_keys_through_an_edit_of_something_else(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let mut definition = manual();
        definition["metadata"] = json!({"zebra": 1, "a": 2, "middle": 3});
        let workflow = ada.workflow(db, definition.clone(), Status::Draft).await;
        let update = WorkflowUpdate { name: Some("Renamed".to_owned()), ..WorkflowUpdate::default() };
        let tx = db.begin().await.unwrap();
        saved(workflows::update(&tx, context(db.now()), ada.id(), workflow.id, update).await.unwrap());
        tx.commit().await.unwrap();
        let second = workflow_versions::find(db.reader(), ada.id(), workflow.id, 2).await.unwrap().unwrap();
        assert_eq!(second.definition.to_string(), definition.to_string());
    }

    async fn a_workflow_is_found_by_its_id_and_by_its_name(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Draft).await;
        for reference in [workflow.id.to_string(), "A workflow".to_owned()] {
            let found = workflows::find_by_reference(db.reader(), ada.id(), &reference).await.unwrap();
            assert_eq!(found.map(|one| one.id), Some(workflow.id), "{reference}");
        }
        assert!(workflows::find_by_reference(db.reader(), ada.id(), "a\0").await.unwrap().is_none());
    }
}
