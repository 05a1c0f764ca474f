//! Enqueuing and claiming.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use std::collections::{HashMap, HashSet};

use sea_orm::{EntityTrait as _, QuerySelect as _};
use serde_json::json;
use store::queue::{self, NewExecution, Occurrence, TriggerType};
use store::{Error, ids};
use support::queue::{execution, put, put_many, queue_row, request, running, state, status, take};
use uuid::Uuid;

conformance! {
    async fn an_execution_is_claimed_as_it_was_enqueued(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let new = NewExecution {
            trigger_type: TriggerType::Webhook,
            trigger_node_id: Some("hook\0".to_owned()),
            trigger_data: Some(json!({ "z": 1, "a": "nul \0 stays in json" })),
            input_data: Some(json!([{ "json": { "é": "\0" } }])),
            priority: 7,
            metadata: json!({ "depth": 1, "nul": "\0" }),
            ..test.execution(organization_id, workflow_id)
        };
        assert_eq!(put(&test.db, std::slice::from_ref(&new)).await, [new.id]);
        assert_eq!(status(&test.db, new.id).await, "pending");

        let claimed = take(&test.db, "w", 5).await.remove(0);
        assert_eq!(claimed.lease.execution_id, new.id);
        assert_eq!(claimed.lease.token, 1);
        assert_eq!((claimed.attempt, claimed.priority), (1, 7));
        assert_eq!(claimed.trigger_type, TriggerType::Webhook);
        assert_eq!(claimed.trigger_node_id.as_deref(), Some("hook\u{FFFD}"));
        assert_eq!(claimed.trigger_data, new.trigger_data.unwrap());
        assert_eq!(claimed.trigger_data.as_object().unwrap().keys().next().unwrap(), "z", "keys keep their order");
        assert_eq!(claimed.input_data, new.input_data);
        assert_eq!(claimed.metadata, json!({ "depth": 1, "nul": "\u{FFFD}" }));
        assert_eq!(claimed.started_at, test.now());
        assert!(!claimed.cancel_requested);
        assert_eq!(status(&test.db, new.id).await, "running");
        assert!(take(&test.db, "other", 5).await.is_empty());
    }

    async fn an_occurrence_is_enqueued_once_by_any_number_of_schedulers(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let schedule_id = test.schedule(organization_id, workflow_id).await;
        let occurrence = |minute: i64| NewExecution {
            trigger_type: TriggerType::Schedule,
            schedule: Some(Occurrence { schedule_id, scheduled_for: test.now() + chrono::TimeDelta::minutes(minute) }),
            ..test.execution(organization_id, workflow_id)
        };
        let mut schedulers = Vec::new();
        for _ in 0..8 {
            let batch: Vec<NewExecution> = (0..20).map(occurrence).collect();
            let db = test.db.clone();
            schedulers.push(tokio::spawn(async move { put(&db, &batch).await }));
        }
        let mut new = Vec::new();
        for scheduler in schedulers {
            new.extend(scheduler.await.unwrap());
        }
        assert_eq!(new.len(), 20);
        assert_eq!(queue::depth(&test.db).await.unwrap().ready, 20);
        let by_hand = NewExecution { trigger_type: TriggerType::Manual, ..occurrence(0) };
        assert_eq!(put(&test.db, &[by_hand]).await.len(), 1, "only a fired occurrence is unique");
    }

    async fn an_id_is_enqueued_once(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let new = test.execution(organization_id, test.workflow(organization_id, None).await);
        put(&test.db, std::slice::from_ref(&new)).await;
        let tx = test.db.begin().await.unwrap();
        let error = queue::enqueue(&tx, test.now(), &[new]).await.unwrap_err();
        assert!(matches!(&error, Error::Unique { constraint } if constraint == "pk_executions"), "{error:?}");
    }

    async fn an_execution_of_no_workflow_is_refused(test: &TestDb) {
        let new = test.execution(test.organization(None).await, ids::new_id());
        let tx = test.db.begin().await.unwrap();
        let error = queue::enqueue(&tx, test.now(), &[new]).await.unwrap_err();
        assert!(matches!(error, Error::ForeignKey { .. }), "{error:?}");
    }

    async fn eight_claimers_never_get_the_same_execution(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let all: HashSet<Uuid> = put_many(test, organization_id, 400).await.into_iter().collect();
        let mut claimers = Vec::new();
        for number in 0..8 {
            let db = test.connect_again().await;
            claimers.push(tokio::spawn(async move {
                let mut got = Vec::new();
                loop {
                    let claimed = take(&db, &format!("worker {number}"), 7).await;
                    if claimed.is_empty() {
                        return got;
                    }
                    got.extend(claimed.into_iter().map(|claimed| claimed.lease.execution_id));
                }
            }));
        }
        let mut got = Vec::new();
        for claimer in claimers {
            got.extend(claimer.await.unwrap());
        }
        assert_eq!(got.len(), 400);
        assert_eq!(got.into_iter().collect::<HashSet<_>>(), all);
    }

    async fn priority_goes_before_time(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let new = |priority: i64, seconds: i64| NewExecution {
            priority,
            run_at: test.now() + chrono::TimeDelta::seconds(seconds),
            ..test.execution(organization_id, workflow_id)
        };
        let (late, early, high, future) = (new(0, -1), new(0, -5), new(5, 0), new(9, 60));
        let order = [high.id, early.id, late.id];
        put(&test.db, &[late, early, high, future.clone()]).await;
        let got: Vec<Uuid> =
            take(&test.db, "w", 10).await.iter().map(|claimed| claimed.lease.execution_id).collect();
        assert_eq!(got, order);
        test.advance_ms(60_000);
        assert_eq!(take(&test.db, "w", 10).await[0].lease.execution_id, future.id);
    }

    async fn a_huge_backlog_of_one_organization_does_not_delay_another(test: &TestDb) {
        let (big, small) = (test.organization(None).await, test.organization(None).await);
        put_many(test, big, 1000).await;
        put_many(test, small, 1).await;
        let first = take(&test.db, "w", 2).await;
        let organizations: HashSet<Uuid> = first.iter().map(|claimed| claimed.organization_id).collect();
        assert_eq!(organizations, HashSet::from([big, small]));
    }

    async fn organizations_take_turns_even_when_one_execution_is_claimed_at_a_time(test: &TestDb) {
        let mut served = HashMap::new();
        for _ in 0..3 {
            let organization_id = test.organization(None).await;
            put_many(test, organization_id, 50).await;
            served.insert(organization_id, 0);
        }
        for _ in 0..30 {
            let claimed = take(&test.db, "w", 1).await.remove(0);
            *served.get_mut(&claimed.organization_id).unwrap() += 1;
            let tx = test.db.begin().await.unwrap();
            let end = support::queue::ended(engine::execution::ExecutionStatus::Completed);
            queue::finish(&tx, test.now(), &claimed.lease, &end).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert!(served.values().all(|count| *count == 10), "{served:?}");
    }

    async fn limits_of_organization_workflow_and_key_are_exact_under_concurrent_claims(test: &TestDb) {
        let by_organization = test.organization(Some(5)).await;
        put_many(test, by_organization, 40).await;
        let by_default = test.organization(None).await;
        put_many(test, by_default, 40).await;
        let by_workflow = test.organization(Some(1000)).await;
        let limited = test.workflow(by_workflow, Some(3)).await;
        let free = test.workflow(by_workflow, None).await;
        let keyed = test.workflow(by_workflow, None).await;
        let mut all = Vec::new();
        for _ in 0..40 {
            all.push(test.execution(by_workflow, limited));
        }
        for _ in 0..10 {
            all.push(test.execution(by_workflow, free));
            all.push(NewExecution {
                concurrency_key: Some("only one".to_owned()),
                ..test.execution(by_workflow, keyed)
            });
        }
        put(&test.db, &all).await;
        let mut claimers = Vec::new();
        for number in 0..8 {
            let db = test.connect_again().await;
            claimers.push(tokio::spawn(async move {
                let mut got = Vec::new();
                for _ in 0..12 {
                    let request = queue::ClaimRequest {
                        default_organization_concurrency: Some(7),
                        ..request(&format!("worker {number}"), 4)
                    };
                    got.extend(queue::claim(&db, db.now(), &request).await.unwrap());
                }
                got
            }));
        }
        let mut of_organization: HashMap<Uuid, usize> = HashMap::new();
        let mut of_workflow: HashMap<Uuid, usize> = HashMap::new();
        for claimer in claimers {
            for claimed in claimer.await.unwrap() {
                *of_organization.entry(claimed.organization_id).or_default() += 1;
                *of_workflow.entry(claimed.workflow_id).or_default() += 1;
            }
        }
        assert_eq!(of_organization[&by_organization], 5);
        assert_eq!(of_organization[&by_default], 7);
        assert_eq!(of_workflow[&limited], 3);
        assert_eq!(of_workflow[&free], 10, "a line behind a limited workflow moves on");
        assert_eq!(of_workflow[&keyed], 1);
    }

    async fn eight_processes_that_read_and_then_write_do_not_fail(test: &TestDb) {
        let claimed = running(test).await;
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (db, lease) = (test.connect_again().await, claimed.lease.clone());
            tasks.push(tokio::spawn(async move {
                for _ in 0..25 {
                    let tx = db.begin().await.unwrap();
                    let held = queue::suspend(&tx, db.now(), &lease, None).await.unwrap();
                    assert_eq!(held, queue::Held::Yes);
                    tx.rollback().await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(state(&test.db, claimed.lease.execution_id).await.as_deref(), Some("leased"));
    }

    async fn the_depth_counts_each_state(test: &TestDb) {
        assert_eq!(queue::depth(&test.db).await.unwrap(), queue::Depth::default());
        let organization_id = test.organization(None).await;
        put_many(test, organization_id, 3).await;
        let claimed = take(&test.db, "w", 1).await.remove(0);
        let depth = queue::depth(&test.db).await.unwrap();
        assert_eq!((depth.ready, depth.leased, depth.waiting), (2, 1, 0));
        assert_eq!(depth.oldest_ready_at, Some(test.now()));
        let row = queue_row(&test.db, claimed.lease.execution_id).await.unwrap();
        assert_eq!(row.lease_owner.as_deref(), Some("w"));
        assert!(execution(&test.db, claimed.lease.execution_id).await.started_at.is_some());
    }

    async fn a_row_that_cannot_be_read_fails_alone(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let (bad, good) = (test.execution(organization_id, workflow_id), test.execution(organization_id, workflow_id));
        put(&test.db, &[bad.clone(), good.clone()]).await;
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let sql = format!("UPDATE executions SET input_data = '{deep}' WHERE id = ");
        let sql = match test.db.backend() {
            store::Backend::Postgres => format!("{sql}'{}'", bad.id),
            store::Backend::Sqlite => format!("{sql}x'{}'", bad.id.simple()),
        };
        sea_orm::ConnectionTrait::execute_unprepared(test.db.writer(), &sql).await.unwrap();
        let claimed = take(&test.db, "w", 10).await;
        assert_eq!(claimed.iter().map(|one| one.lease.execution_id).collect::<Vec<_>>(), [good.id]);
        assert_eq!(status(&test.db, good.id).await, "running");
        assert_eq!(state(&test.db, bad.id).await, None);
        let failed = entity::executions::Entity::find_by_id(bad.id)
            .select_only()
            .columns([entity::executions::Column::Status, entity::executions::Column::ErrorCode])
            .into_tuple::<(String, Option<String>)>()
            .one(test.db.reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(failed, ("failed".to_owned(), Some("corrupt_record".to_owned())));
    }

    async fn what_could_not_be_read_again_is_not_enqueued(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let new = test.execution(organization_id, test.workflow(organization_id, None).await);
        let deep = (0..store::MAX_DEPTH + 1).fold(json!(1), |inner, _| json!([inner]));
        for (field, new) in [
            ("input_data", NewExecution { input_data: Some(deep.clone()), ..new.clone() }),
            ("trigger_data", NewExecution { trigger_data: Some(deep.clone()), ..new.clone() }),
            ("metadata", NewExecution { metadata: deep.clone(), ..new.clone() }),
        ] {
            let tx = test.db.begin().await.unwrap();
            let error = queue::enqueue(&tx, test.now(), &[new]).await.unwrap_err();
            assert!(matches!(&error, Error::Invalid { field: named, .. } if named == field), "{error:?}");
        }
        put(&test.db, &[NewExecution { input_data: Some(deep[0].clone()), ..new }]).await;
        assert_eq!(take(&test.db, "w", 1).await[0].input_data, Some(deep[0].clone()));
    }

    async fn an_execution_holds_its_key_from_its_start_to_its_end(test: &TestDb) {
        let organization_id = test.organization(None).await;
        let workflow_id = test.workflow(organization_id, None).await;
        let new = || NewExecution { concurrency_key: Some("k".to_owned()), ..test.execution(organization_id, workflow_id) };
        let (first, second) = (new(), NewExecution { priority: 9, ..new() });
        put(&test.db, std::slice::from_ref(&first)).await;
        let claimed = take(&test.db, "w", 1).await.remove(0);
        put(&test.db, std::slice::from_ref(&second)).await;
        let suspend = async |resume_at| {
            let tx = test.db.begin().await.unwrap();
            queue::suspend(&tx, test.now(), &claimed.lease, resume_at).await.unwrap();
            tx.commit().await.unwrap();
        };
        suspend(Some(test.now() + chrono::TimeDelta::seconds(1))).await;
        assert!(take(&test.db, "w", 5).await.is_empty(), "the first one waits, with its key");
        test.advance_ms(1_000);
        queue::resume_due(&test.db, test.now(), 10).await.unwrap();
        let again = take(&test.db, "w", 5).await;
        assert_eq!(again.iter().map(|one| one.lease.execution_id).collect::<Vec<_>>(), [first.id], "although the other has priority");
        let tx = test.db.begin().await.unwrap();
        queue::release(&tx, &[again[0].lease.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        let again = take(&test.db, "w", 5).await.remove(0);
        assert_eq!(again.lease.execution_id, first.id, "it was handed back, with its key");
        let tx = test.db.begin().await.unwrap();
        let end = support::queue::ended(engine::execution::ExecutionStatus::Completed);
        queue::finish(&tx, test.now(), &again.lease, &end).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(take(&test.db, "w", 5).await[0].lease.execution_id, second.id);
    }

    async fn organizations_with_nothing_to_claim_do_not_hide_those_behind_them(test: &TestDb) {
        let mut blocked = Vec::new();
        for _ in 0..5 {
            let organization_id = test.organization(None).await;
            let workflow_id = test.workflow(organization_id, None).await;
            blocked.push(NewExecution { concurrency_key: Some("k".to_owned()), ..test.execution(organization_id, workflow_id) });
        }
        put(&test.db, &blocked).await;
        assert_eq!(take(&test.db, "w", 10).await.len(), 5);
        let more: Vec<NewExecution> = blocked.iter().map(|old| NewExecution { id: ids::new_id(), ..old.clone() }).collect();
        put(&test.db, &more).await;
        let last = test.organization(None).await;
        put_many(test, last, 3).await;
        // They have one running each, the last one has none; with two running it comes last.
        assert_eq!(take(&test.db, "w", 2).await.len(), 2);
        let claimed = take(&test.db, "w", 1).await;
        assert_eq!(claimed.iter().map(|one| one.organization_id).collect::<Vec<_>>(), [last]);
    }
}
