//! Schedules: made, taken when due, and never lost.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use store::schedules::{
    self, Advanced, MissedRunPolicy, NewSchedule, OverlapPolicy, Schedule, ScheduleUpdate, Timing,
};
use store::workflows::{self, Status, StatusChange, Workflow};
use store::{Db, Error};
use uuid::Uuid;

use crate::conformance;
use crate::seed::{Tenant, context, manual, scheduled};

fn new(tenant: &Tenant, workflow: &Workflow, cron: &str) -> NewSchedule {
    NewSchedule {
        organization_id: tenant.id(),
        workflow_id: workflow.id,
        user_id: Some(tenant.user.id),
        name: "By hand".to_owned(),
        timing: Timing::new(cron, "UTC"),
        input_data: Some(json!([{"json": {}}])),
        is_active: true,
        missed_run_policy: MissedRunPolicy::default(),
        max_catch_up: 10,
        overlap_policy: OverlapPolicy::Skip,
        jitter_ms: 0,
    }
}

async fn make(db: &Db, tenant: &Tenant, workflow: &Workflow, cron: &str) -> Schedule {
    schedules::create(db.writer(), db.now(), new(tenant, workflow, cron)).await.unwrap().unwrap()
}

fn advanced(schedule: &Schedule, next: Option<DateTime<Utc>>) -> Advanced {
    Advanced {
        id: schedule.id,
        next_run_at: next,
        last_run_at: schedule.next_run_at.map(|at| at.to_utc()),
        fired: 1,
        last_error: None,
    }
}

conformance! {
    async fn what_is_due_is_taken_advanced_and_not_due_again(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let mut definition = manual();
        definition["settings"]["priority"] = json!(7);
        let workflow = ada.workflow(db, definition, Status::Active).await;
        let schedule = make(db, &ada, &workflow, "* * * * *").await;
        let due_at = schedule.next_run_at.unwrap().to_utc();
        assert!(schedules::claim_due(db.writer(), due_at - TimeDelta::microseconds(1), 10).await.unwrap().is_empty());

        let tx = db.begin().await.unwrap();
        let due = schedules::claim_due(&tx, due_at, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        assert_eq!((due[0].schedule.id, due[0].workflow_version, due[0].priority), (schedule.id, 1, 7));
        assert_eq!(due[0].workflow_status, Status::Active);
        let next = due_at + TimeDelta::minutes(1);
        schedules::advance(&tx, &[advanced(&schedule, Some(next))]).await.unwrap();
        tx.commit().await.unwrap();

        assert!(schedules::claim_due(db.writer(), due_at, 10).await.unwrap().is_empty());
        let read = schedules::find(db.reader(), ada.id(), schedule.id).await.unwrap().unwrap();
        assert_eq!(read.next_run_at.unwrap().to_utc(), next);
        assert_eq!((read.run_count, read.last_run_at.unwrap().to_utc()), (1, due_at));
    }

    async fn advancing_writes_many_at_once_and_keeps_what_it_is_not_told(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let mut made = Vec::new();
        let tx = db.begin().await.unwrap();
        for _ in 0..1_100 {
            made.push(
                schedules::create(&tx, db.now(), new(&ada, &workflow, "* * * * *")).await.unwrap().unwrap(),
            );
        }
        let due_at = made[0].next_run_at.unwrap().to_utc();
        let due = schedules::claim_due(&tx, due_at, 2_000).await.unwrap();
        assert_eq!(due.len(), 1_100);
        let all: Vec<_> = made.iter().map(|one| advanced(one, Some(due_at + TimeDelta::minutes(1)))).collect();
        schedules::advance(&tx, &all).await.unwrap();
        let failed = Advanced {
            last_run_at: None,
            fired: 0,
            next_run_at: None,
            last_error: Some("no\0 luck".to_owned()),
            ..advanced(&made[0], None)
        };
        schedules::advance(&tx, &[failed]).await.unwrap();
        tx.commit().await.unwrap();
        let first = schedules::find(db.reader(), ada.id(), made[0].id).await.unwrap().unwrap();
        assert_eq!((first.run_count, first.last_run_at.map(|at| at.to_utc())), (1, Some(due_at)));
        assert_eq!((first.next_run_at, first.last_error.as_deref()), (None, Some("no\u{fffd} luck")));
        let last = schedules::find(db.reader(), ada.id(), made[1_099].id).await.unwrap().unwrap();
        assert_eq!((last.run_count, last.last_error), (1, None));
    }

    async fn schedulers_that_look_at_once_take_each_occurrence_once(test: &TestDb) {
        let db = test.db.clone();
        let ada = Tenant::sign_up(&db, "ada@example.org").await;
        let workflow = ada.workflow(&db, manual(), Status::Active).await;
        let mut due_at = db.now();
        for _ in 0..40 {
            due_at = make(&db, &ada, &workflow, "* * * * *").await.next_run_at.unwrap().to_utc();
        }
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut taken: Vec<Uuid> = Vec::new();
                    loop {
                        let tx = db.begin().await.unwrap();
                        let due = schedules::claim_due(&tx, due_at, 7).await.unwrap();
                        let is_done = due.is_empty();
                        let next = Some(due_at + TimeDelta::minutes(1));
                        let done: Vec<_> = due.iter().map(|one| advanced(&one.schedule, next)).collect();
                        schedules::advance(&tx, &done).await.unwrap();
                        tx.commit().await.unwrap();
                        taken.extend(due.iter().map(|one| one.schedule.id));
                        if is_done {
                            return taken;
                        }
                    }
                })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        // One may have found the rest locked and stopped; what it left, another took or the next look takes.
        let rest = schedules::claim_due(db.writer(), due_at, 100).await.unwrap();
        taken.extend(rest.iter().map(|one| one.schedule.id));
        assert_eq!(taken.len(), 40);
        assert_eq!(taken.into_iter().collect::<HashSet<_>>().len(), 40);
    }

    async fn a_schedule_that_stopped_in_silence_is_found_and_started(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let schedule = make(db, &ada, &workflow, "@hourly").await;
        let never = make(db, &ada, &workflow, "0 0 29 2 *").await;
        assert!(schedules::reconcile(db.writer(), db.now(), 10).await.unwrap().is_empty());

        db.writer().execute_unprepared("UPDATE schedules SET next_run_at = NULL").await.unwrap();
        let bounded = Timing { ends_at: Some(db.now() + TimeDelta::days(1)), ..Timing::new("0 0 29 2 *", "UTC") };
        let update = ScheduleUpdate { timing: Some(bounded), ..ScheduleUpdate::default() };
        schedules::update(db.writer(), db.now(), ada.id(), never.id, update).await.unwrap().unwrap();

        let mut found = schedules::reconcile(db.writer(), db.now(), 10).await.unwrap();
        found.sort_by_key(|one| one.next_run_at.is_none());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].id, found[0].next_run_at.is_some()), (schedule.id, true));
        assert_eq!((found[1].id, found[1].next_run_at), (never.id, None));
        let read = schedules::find(db.reader(), ada.id(), never.id).await.unwrap().unwrap();
        assert!(read.last_error.unwrap().contains("no occurrence"));
        assert!(schedules::reconcile(db.writer(), db.now(), 10).await.unwrap().is_empty(), "it is settled");
    }

    async fn a_schedule_made_by_hand_rests_while_its_workflow_does(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Draft).await;
        let schedule = make(db, &ada, &workflow, "@hourly").await;
        assert_eq!((schedule.is_active, schedule.next_run_at), (true, None));
        assert!(schedules::reconcile(db.writer(), db.now(), 10).await.unwrap().is_empty());
        for (status, fires) in [(Status::Active, true), (Status::Paused, false), (Status::Active, true)] {
            let tx = db.begin().await.unwrap();
            let outcome = workflows::set_status(&tx, context(db.now()), ada.id(), workflow.id, status).await;
            assert!(matches!(outcome.unwrap(), StatusChange::Changed(_)));
            tx.commit().await.unwrap();
            let read = schedules::find(db.reader(), ada.id(), schedule.id).await.unwrap().unwrap();
            assert_eq!((read.is_active, read.next_run_at.is_some()), (true, fires), "{status}");
        }
    }

    async fn an_edit_recomputes_the_next_occurrence(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Active).await;
        let schedule = make(db, &ada, &workflow, "0 5 * * *").await;
        let edit = async |update| {
            schedules::update(db.writer(), db.now(), ada.id(), schedule.id, update).await.unwrap().unwrap()
        };
        let renamed =
            edit(ScheduleUpdate { name: Some("Other".to_owned()), ..ScheduleUpdate::default() }).await;
        assert_eq!((renamed.name.as_str(), renamed.next_run_at), ("Other", schedule.next_run_at));
        let timing = Some(Timing::new("0 6 * * *", "Asia/Tokyo"));
        let moved = edit(ScheduleUpdate { timing, ..ScheduleUpdate::default() }).await;
        assert_ne!(moved.next_run_at, schedule.next_run_at);
        let off = edit(ScheduleUpdate { is_active: Some(false), ..ScheduleUpdate::default() }).await;
        assert_eq!(off.next_run_at, None);
        let on = edit(ScheduleUpdate { is_active: Some(true), ..ScheduleUpdate::default() }).await;
        assert_eq!(on.next_run_at, moved.next_run_at);
        let timing = Some(Timing::new("nonsense", "UTC"));
        let update = ScheduleUpdate { timing, ..ScheduleUpdate::default() };
        let error = schedules::update(db.writer(), db.now(), ada.id(), schedule.id, update).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == "cron_expression"));
    }

    async fn a_schedule_of_a_node_is_changed_by_changing_the_workflow_only(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, scheduled(json!({"cron": "@daily"})), Status::Active).await;
        let filter = schedules::ScheduleFilter { workflow_id: Some(workflow.id), is_active: Some(true) };
        let page = store::page::PageRequest::default();
        let derived = schedules::list(db.reader(), ada.id(), filter, page).await.unwrap().items.remove(0);
        let outcome = schedules::delete(db.writer(), ada.id(), derived.id).await;
        assert!(outcome.unwrap_err().to_string().contains("clock"));
        let outcome =
            schedules::update(db.writer(), db.now(), ada.id(), derived.id, ScheduleUpdate::default()).await;
        assert!(matches!(outcome, Err(Error::Invalid { .. })));
    }
}
