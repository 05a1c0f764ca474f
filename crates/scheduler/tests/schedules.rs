//! Schedules over real databases: each occurrence once, by any number of schedulers, under every policy.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../store/tests/support/mod.rs"]
mod support;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::{executions, schedules, workflows};
use scheduler::{due, rescue, upkeep};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use store::{Clock as _, SystemClock, ids};
use support::TestDb;
use uuid::Uuid;

/// A schedule with an active workflow; `change` makes it special.
async fn schedule(test: &TestDb, change: impl FnOnce(&mut schedules::ActiveModel)) -> Uuid {
    let organization_id = test.organization(None).await;
    let workflow_id = test.workflow(organization_id, None).await;
    set_status(test, workflow_id, "active").await;
    let mut row = schedules::ActiveModel {
        id: Set(ids::new_id()),
        organization_id: Set(organization_id),
        workflow_id: Set(workflow_id),
        name: Set("Test".to_owned()),
        cron_expression: Set("* * * * *".to_owned()),
        next_run_at: Set(Some(test.now().fixed_offset())),
        created_at: Set(test.now().fixed_offset()),
        updated_at: Set(test.now().fixed_offset()),
        ..Default::default()
    };
    change(&mut row);
    row.insert(test.db.writer()).await.unwrap().id
}

async fn set_status(test: &TestDb, workflow_id: Uuid, status: &str) {
    let row =
        workflows::ActiveModel { id: Set(workflow_id), status: Set(status.to_owned()), ..Default::default() };
    row.update(test.db.writer()).await.unwrap();
}

async fn find(test: &TestDb, id: Uuid) -> schedules::Model {
    schedules::Entity::find_by_id(id).one(test.db.reader()).await.unwrap().unwrap()
}

async fn executions_of(test: &TestDb, id: Uuid) -> Vec<executions::Model> {
    executions::Entity::find()
        .filter(executions::Column::ScheduleId.eq(id))
        .order_by_asc(executions::Column::ScheduledFor)
        .all(test.db.reader())
        .await
        .unwrap()
}

async fn occurrences(test: &TestDb, id: Uuid) -> Vec<DateTime<Utc>> {
    executions_of(test, id).await.into_iter().map(|one| one.scheduled_for.unwrap().to_utc()).collect()
}

/// Sets the clock to a full minute, so that expectations can be written down.
fn start(test: &TestDb) -> DateTime<Utc> {
    let moment = "2026-03-01T12:00:00Z".parse().unwrap();
    test.clock.set(moment);
    moment
}

conformance! {
    async fn many_schedulers_give_one_execution_for_each_occurrence(test: &TestDb) {
        start(test);
        let mut ids = Vec::new();
        for _ in 0..30 {
            ids.push(schedule(test, |_| {}).await);
        }
        for _ in 0..3 {
            let mut others = Vec::new();
            for _ in 0..6 {
                let db = test.connect_again().await;
                others.push(tokio::spawn(async move {
                    while due::tick(&db, 7).await.unwrap().did_work {}
                }));
            }
            for other in others {
                other.await.unwrap();
            }
            test.advance_ms(60_000);
        }
        for id in ids {
            let found = occurrences(test, id).await;
            assert_eq!(found.len(), 3, "{found:?}");
            assert_eq!(find(test, id).await.run_count, 3);
        }
    }

    async fn an_occurrence_that_was_enqueued_already_is_not_enqueued_again(test: &TestDb) {
        let now = start(test);
        let id = schedule(test, |_| {}).await;
        due::tick(&test.db, 10).await.unwrap();
        // As if a scheduler had died between two commits, or the clock had been set back.
        let row = schedules::ActiveModel { id: Set(id), next_run_at: Set(Some(now.fixed_offset())), ..Default::default() };
        row.update(test.db.writer()).await.unwrap();
        let counts = due::tick(&test.db, 10).await.unwrap().counts;
        assert_eq!((counts.due, counts.enqueued), (1, 0));
        assert_eq!(occurrences(test, id).await, [now]);
        assert!(find(test, id).await.next_run_at.unwrap() > now);
    }

    async fn missed_occurrences_follow_the_policy_of_the_schedule(test: &TestDb) {
        let now = start(test);
        let hourly = |policy: &'static str| move |row: &mut schedules::ActiveModel| {
            row.cron_expression = Set("30 * * * *".to_owned());
            row.next_run_at = Set(Some((now - TimeDelta::minutes(330)).fixed_offset()));
            row.missed_run_policy = Set(policy.to_owned());
            row.max_catch_up = Set(3);
        };
        let skip = schedule(test, hourly("skip")).await;
        let once = schedule(test, hourly("run_once")).await;
        let catch_up = schedule(test, hourly("catch_up")).await;
        due::tick(&test.db, 10).await.unwrap();
        let at = |minutes: i64| now - TimeDelta::minutes(minutes);
        assert!(occurrences(test, skip).await.is_empty());
        assert_eq!(occurrences(test, once).await, [at(30)]);
        assert_eq!(occurrences(test, catch_up).await, [at(150), at(90), at(30)]);
        for id in [skip, once, catch_up] {
            assert_eq!(find(test, id).await.next_run_at.unwrap().to_utc(), now + TimeDelta::minutes(30));
        }
    }

    async fn overlapping_executions_follow_the_policy_of_the_schedule(test: &TestDb) {
        start(test);
        let mut ids = Vec::new();
        for policy in ["allow", "skip", "queue", "cancel_previous"] {
            ids.push(schedule(test, |row| row.overlap_policy = Set(policy.to_owned())).await);
        }
        due::tick(&test.db, 10).await.unwrap();
        test.advance_ms(60_000);
        let counts = due::tick(&test.db, 10).await.unwrap().counts;
        assert_eq!((counts.enqueued, counts.skipped), (3, 1));
        let statuses = |found: Vec<executions::Model>| found.into_iter().map(|one| one.status).collect::<Vec<_>>();
        assert_eq!(statuses(executions_of(test, ids[0]).await), ["pending", "pending"]);
        assert_eq!(statuses(executions_of(test, ids[1]).await), ["pending"]);
        assert_eq!(statuses(executions_of(test, ids[2]).await), ["pending", "pending"]);
        assert_eq!(statuses(executions_of(test, ids[3]).await), ["cancelled", "pending"]);
        // Of those that queue up, only one is given out.
        let claimed = support::queue::take(&test.db, "w", 100).await;
        let queued = executions_of(test, ids[2]).await;
        assert_eq!(claimed.iter().filter(|one| queued.iter().any(|other| other.id == one.lease.execution_id)).count(), 1);
    }

    async fn a_schedule_that_cannot_be_read_says_so_and_the_others_fire(test: &TestDb) {
        start(test);
        let broken = schedule(test, |row| row.cron_expression = Set("every now and then".to_owned())).await;
        let sound = schedule(test, |_| {}).await;
        let counts = due::tick(&test.db, 10).await.unwrap().counts;
        assert_eq!((counts.enqueued, counts.failed), (1, 1));
        assert_eq!(occurrences(test, sound).await.len(), 1);
        let broken = find(test, broken).await;
        assert!(broken.is_active, "an error never disables a schedule");
        assert!(broken.last_error.unwrap().contains("field"));
    }

    async fn a_schedule_of_a_workflow_that_is_not_active_passes_by(test: &TestDb) {
        start(test);
        let id = schedule(test, |_| {}).await;
        set_status(test, find(test, id).await.workflow_id, "paused").await;
        due::tick(&test.db, 10).await.unwrap();
        assert!(occurrences(test, id).await.is_empty());
        assert!(find(test, id).await.next_run_at.is_some());
    }

    async fn a_schedule_without_a_next_occurrence_is_repaired(test: &TestDb) {
        let now = start(test);
        let id = schedule(test, |row| row.next_run_at = Set(None)).await;
        assert_eq!(upkeep::tick(&test.db, 10, 0).await.unwrap().counts.repaired, 1);
        assert!(find(test, id).await.next_run_at.unwrap() > now);
        assert_eq!(upkeep::tick(&test.db, 10, 0).await.unwrap().counts.repaired, 0);
    }

    async fn jitter_delays_the_execution_and_not_the_occurrence(test: &TestDb) {
        let now = start(test);
        let id = schedule(test, |row| row.jitter_ms = Set(30_000)).await;
        due::tick(&test.db, 10).await.unwrap();
        assert_eq!(occurrences(test, id).await, [now]);
        let execution = executions_of(test, id).await.remove(0);
        let queued = support::queue::queue_row(&test.db, execution.id).await.unwrap().run_at.to_utc();
        let expected = engine::cron::jitter_ms(id, now, 30_000);
        assert_eq!((queued - now).num_milliseconds(), i64::try_from(expected).unwrap());
    }

    async fn ended_executions_are_deleted_when_they_are_old_enough(test: &TestDb) {
        // Keys hold the time of this machine, so this test begins at its full minute.
        let now = SystemClock.now().duration_trunc(TimeDelta::minutes(1)).unwrap();
        test.clock.set(now);
        let id = schedule(test, |_| {}).await;
        due::tick(&test.db, 10).await.unwrap();
        test.clock.set(now + TimeDelta::days(3));
        assert_eq!(upkeep::tick(&test.db, 10, 1).await.unwrap().counts.executions, 0, "it has not ended");
        let execution = executions_of(test, id).await.remove(0);
        let row = executions::ActiveModel { id: Set(execution.id), status: Set("completed".to_owned()), completed_at: Set(Some(now.fixed_offset())), ..Default::default() };
        row.update(test.db.writer()).await.unwrap();
        assert_eq!(upkeep::tick(&test.db, 10, 4).await.unwrap().counts.executions, 0, "it is not old enough");
        assert_eq!(upkeep::tick(&test.db, 10, 0).await.unwrap().counts.executions, 0, "everything is kept");
        assert_eq!(upkeep::tick(&test.db, 10, 2).await.unwrap().counts.executions, 1);
    }

    async fn an_execution_that_ended_a_moment_ago_is_kept_however_long_it_ran(test: &TestDb) {
        let now = SystemClock.now().duration_trunc(TimeDelta::minutes(1)).unwrap();
        test.clock.set(now);
        let id = schedule(test, |_| {}).await;
        due::tick(&test.db, 10).await.unwrap();
        test.clock.set(now + TimeDelta::days(3));
        let execution = executions_of(test, id).await.remove(0);
        let row = executions::ActiveModel { id: Set(execution.id), status: Set("completed".to_owned()), completed_at: Set(Some(test.now().fixed_offset())), ..Default::default() };
        row.update(test.db.writer()).await.unwrap();
        assert_eq!(upkeep::tick(&test.db, 10, 2).await.unwrap().counts.executions, 0);
    }

    async fn a_child_is_kept_while_its_parent_is_open(test: &TestDb) {
        let now = SystemClock.now();
        test.clock.set(now);
        let parent = support::queue::running(test).await;
        let child = support::queue::child_of(test, &parent, ids::new_id());
        support::queue::put(&test.db, std::slice::from_ref(&child)).await;
        let claimed = support::queue::take(&test.db, "w", 1).await.remove(0);
        let finish = async |claimed: &store::queue::Claimed| {
            let tx = test.db.begin().await.unwrap();
            let end = support::queue::ended(engine::execution::ExecutionStatus::Completed);
            store::queue::finish(&tx, test.now(), &claimed.lease, &end).await.unwrap();
            tx.commit().await.unwrap();
        };
        finish(&claimed).await;
        test.clock.set(now + TimeDelta::days(3));
        assert_eq!(upkeep::tick(&test.db, 10, 1).await.unwrap().counts.executions, 0, "its parent has not ended");
        finish(&parent).await;
        assert_eq!(upkeep::tick(&test.db, 10, 1).await.unwrap().counts.executions, 1);
    }

    async fn a_workflow_keeps_as_many_ended_executions_as_it_says(test: &TestDb) {
        let mut workflow_ids = Vec::new();
        for keep in [2, 0] {
            let organization_id = test.organization(None).await;
            let workflow_id = test.workflow(organization_id, None).await;
            let row = workflows::ActiveModel { id: Set(workflow_id), retention_count: Set(Some(keep)), ..Default::default() };
            row.update(test.db.writer()).await.unwrap();
            for _ in 0..4 {
                support::queue::put(&test.db, &[test.execution(organization_id, workflow_id)]).await;
            }
            workflow_ids.push(workflow_id);
        }
        assert_eq!(upkeep::tick(&test.db, 10, 0).await.unwrap().counts.executions, 0, "none has ended");
        for claimed in support::queue::take(&test.db, "w", 100).await {
            let tx = test.db.begin().await.unwrap();
            let end = support::queue::ended(engine::execution::ExecutionStatus::Completed);
            store::queue::finish(&tx, test.now(), &claimed.lease, &end).await.unwrap();
            tx.commit().await.unwrap();
        }
        // One at a time: a workflow that always has more to delete does not hold up the one behind it.
        let mut deleted = 0;
        while let count @ 1.. = upkeep::tick(&test.db, 1, 0).await.unwrap().counts.executions + upkeep::tick(&test.db, 1, 0).await.unwrap().counts.executions {
            deleted += count;
        }
        assert_eq!(deleted, 6);
        let kept = executions::Entity::find().all(test.db.reader()).await.unwrap();
        assert_eq!(kept.iter().map(|one| one.workflow_id).collect::<Vec<_>>(), [workflow_ids[0], workflow_ids[0]]);
    }

    async fn a_failure_is_noted_at_the_schedule_that_failed(test: &TestDb) {
        start(test);
        let sound = schedule(test, |_| {}).await;
        let broken = schedule(test, |row| row.overlap_policy = Set("allow".to_owned())).await;
        let deep = (0..120).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let row = schedules::ActiveModel { id: Set(broken), input_data: Set(Some(serde_json::json!({ "deep": deep }))), ..Default::default() };
        row.update(test.db.writer()).await.unwrap();
        let counts = due::tick(&test.db, 10).await.unwrap().counts;
        assert_eq!((counts.enqueued, counts.failed), (1, 1));
        assert_eq!(find(test, sound).await.last_error, None);
        assert!(find(test, broken).await.last_error.unwrap().contains("input_data"));
        assert_eq!(occurrences(test, sound).await.len(), 1);
        let tx = test.db.begin().await.unwrap();
        test.advance_ms(60_000);
        let one = store::schedules::claim_one(&tx, test.now(), broken).await.unwrap().unwrap();
        assert_eq!(one.schedule.id, broken);
    }

    async fn those_who_watch_a_cancelled_execution_hear_of_it(test: &TestDb) {
        start(test);
        let id = schedule(test, |row| row.overlap_policy = Set("cancel_previous".to_owned())).await;
        due::tick(&test.db, 10).await.unwrap();
        let first = executions_of(test, id).await.remove(0).id;
        let mut receiver = test.db.notifier().subscribe();
        test.advance_ms(60_000);
        due::tick(&test.db, 10).await.unwrap();
        let heard = async { while receiver.recv().await != store::Topic::Execution(first) {} };
        tokio::time::timeout(std::time::Duration::from_secs(20), heard).await.unwrap();
    }

    async fn an_occurrence_at_the_very_end_does_not_fire(test: &TestDb) {
        let now = start(test);
        let id = schedule(test, |row| row.ends_at = Set(Some((now + TimeDelta::minutes(1)).fixed_offset()))).await;
        due::tick(&test.db, 10).await.unwrap();
        assert_eq!(find(test, id).await.next_run_at, None);
        assert_eq!(occurrences(test, id).await, [now]);
    }

    async fn a_lost_execution_is_given_to_another_worker(test: &TestDb) {
        start(test);
        let id = schedule(test, |_| {}).await;
        due::tick(&test.db, 10).await.unwrap();
        let claimed = support::queue::take(&test.db, "first", 1).await;
        assert_eq!(rescue::tick(&test.db, 10, 5).await.unwrap().counts.requeued, 0);
        test.advance_ms(i64::try_from(support::queue::LEASE_MS).unwrap() + 1);
        assert_eq!(rescue::tick(&test.db, 10, 5).await.unwrap().counts.requeued, 1);
        let again = support::queue::take(&test.db, "second", 1).await;
        assert_eq!(again[0].lease.execution_id, claimed[0].lease.execution_id);
        assert!(again[0].lease.token > claimed[0].lease.token);
        assert_eq!(occurrences(test, id).await.len(), 1);
    }
}
