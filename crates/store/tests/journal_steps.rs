//! Steps and log lines.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use engine::node::LogLevel;
use sea_orm::EntityTrait;
use serde_json::json;
use store::journal::{self, LogRecord, StepRecord, StepStatus};
use store::queue::Claimed;
use store::{Db, Error, ids};
use support::queue::{put, running, step};

async fn write(db: &Db, steps: &[StepRecord]) {
    let tx = db.begin().await.unwrap();
    journal::write_steps(&tx, steps).await.unwrap();
    tx.commit().await.unwrap();
}

fn full(claimed: &Claimed, now: chrono::DateTime<chrono::Utc>) -> StepRecord {
    StepRecord {
        input_data: Some(json!([[{ "node": "a", "run": 0, "output": 0 }]])),
        output_data: Some(json!([[{ "json": { "z": "\0", "a": 9_007_199_254_740_993_i64 } }]])),
        error: Some(json!({ "code": "x" })),
        context: Some(json!({ "state": 1 })),
        resume_at: Some(now),
        child_execution_id: Some(ids::new_id()),
        completed_at: Some(now),
        duration_ms: Some(12),
        ..step(claimed, "a", 0, StepStatus::Completed, now)
    }
}

conformance! {
    async fn a_step_is_read_as_it_was_written(test: &TestDb) {
        let claimed = running(test).await;
        let written = full(&claimed, test.now());
        write(&test.db, std::slice::from_ref(&written)).await;
        let read = journal::steps_of(&test.db, claimed.lease.execution_id).await.unwrap();
        assert_eq!(read, [written]);
        let keys: Vec<String> = read[0].output_data.as_ref().unwrap()[0][0]["json"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["z", "a"]);
    }

    async fn nanoseconds_and_nul_characters_in_texts_do_not_get_into_the_tables(test: &TestDb) {
        let claimed = running(test).await;
        let fine = test.now() + chrono::TimeDelta::nanoseconds(1_234);
        let odd = StepRecord { node_name: "a\0b".to_owned(), started_at: fine, ..step(&claimed, "a", 0, StepStatus::Running, fine) };
        write(&test.db, &[odd]).await;
        let read = journal::steps_of(&test.db, claimed.lease.execution_id).await.unwrap().remove(0);
        assert_eq!(read.node_name, "a\u{FFFD}b");
        assert_eq!(read.started_at, test.now() + chrono::TimeDelta::microseconds(1));
    }

    async fn a_running_row_is_completed_and_a_final_one_never_overwritten(test: &TestDb) {
        let claimed = running(test).await;
        let id = claimed.lease.execution_id;
        let begun = step(&claimed, "a", 0, StepStatus::Running, test.now());
        write(&test.db, std::slice::from_ref(&begun)).await;
        let waits = StepRecord { status: StepStatus::Waiting, resume_token_hash: Some("h".to_owned()), ..begun.clone() };
        write(&test.db, std::slice::from_ref(&waits)).await;
        assert_eq!(journal::steps_of(&test.db, id).await.unwrap(), [waits]);
        // Another worker, which did not know the id of the row.
        let done = StepRecord { id: ids::new_id(), status: StepStatus::Completed, output_data: Some(json!([[]])), ..begun.clone() };
        write(&test.db, std::slice::from_ref(&done)).await;
        let known = StepRecord { resume_token_hash: Some("h".to_owned()), ..done };
        assert_eq!(journal::steps_of(&test.db, id).await.unwrap(), std::slice::from_ref(&known));
        for status in StepStatus::ALL {
            write(&test.db, &[StepRecord { status, output_data: None, ..begun.clone() }]).await;
            assert_eq!(journal::steps_of(&test.db, id).await.unwrap(), std::slice::from_ref(&known), "{status}");
        }
    }

    async fn several_records_of_a_step_may_come_in_one_call(test: &TestDb) {
        let claimed = running(test).await;
        let begun = step(&claimed, "a", 0, StepStatus::Running, test.now());
        let done = StepRecord { status: StepStatus::Completed, ..begun.clone() };
        let late = StepRecord { status: StepStatus::Failed, ..begun.clone() };
        let second = StepRecord { id: ids::new_id(), attempt: 2, ..begun.clone() };
        write(&test.db, &[begun, done.clone(), late, second.clone()]).await;
        assert_eq!(journal::steps_of(&test.db, claimed.lease.execution_id).await.unwrap(), [done, second]);
    }

    async fn steps_come_in_the_order_of_their_starts_however_many_there_are(test: &TestDb) {
        let claimed = running(test).await;
        let mut steps: Vec<StepRecord> =
            (0..1_234).map(|n| StepRecord { run_index: n, ..step(&claimed, "a", n, StepStatus::Completed, test.now()) }).collect();
        steps.reverse();
        write(&test.db, &steps).await;
        steps.reverse();
        assert_eq!(journal::steps_of(&test.db, claimed.lease.execution_id).await.unwrap(), steps);
    }

    async fn a_step_of_no_execution_is_refused(test: &TestDb) {
        let claimed = running(test).await;
        let lost = StepRecord { execution_id: ids::new_id(), ..step(&claimed, "a", 0, StepStatus::Running, test.now()) };
        let tx = test.db.begin().await.unwrap();
        let error = journal::write_steps(&tx, &[lost]).await.unwrap_err();
        assert!(matches!(error, Error::ForeignKey { .. }), "{error:?}");
    }

    async fn a_log_line_is_written_once(test: &TestDb) {
        let claimed = running(test).await;
        let line = LogRecord {
            id: ids::new_id(),
            organization_id: claimed.organization_id,
            execution_id: claimed.lease.execution_id,
            step_id: Some(ids::new_id()),
            node_id: Some("a".to_owned()),
            node_type: None,
            level: LogLevel::Warn,
            message: "nul \0".to_owned(),
            data: Some(json!({ "nul": "\0" })),
            timestamp: test.now(),
        };
        for message in ["nul \0", "another text"] {
            let tx = test.db.begin().await.unwrap();
            let again = LogRecord { message: message.to_owned(), ..line.clone() };
            journal::write_logs(&tx, &[again]).await.unwrap();
            tx.commit().await.unwrap();
        }
        let rows = entity::execution_logs::Entity::find().all(test.db.reader()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].message.as_str(), rows[0].level.as_str()), ("nul \u{FFFD}", "warn"));
        assert_eq!(rows[0].data, line.data);
    }

    async fn a_retry_takes_over_the_final_steps_before_its_start(test: &TestDb) {
        let origin = running(test).await;
        let mut steps: Vec<StepRecord> = (0..250)
            .map(|n| StepRecord { run_index: n, resume_token_hash: Some(format!("h{n}")), ..step(&origin, "a", n, StepStatus::Completed, test.now()) })
            .collect();
        steps[7].status = StepStatus::Failed;
        steps.insert(8, StepRecord { id: ids::new_id(), attempt: 2, ..steps[7].clone() });
        steps[8].status = StepStatus::Completed;
        steps[3].status = StepStatus::Running;
        write(&test.db, &steps).await;
        let retry = test.execution(origin.organization_id, origin.workflow_id);
        let other = test.organization(None).await;
        let foreign = test.execution(other, test.workflow(other, None).await);
        put(&test.db, &[retry.clone(), foreign.clone()]).await;
        let tx = test.db.begin().await.unwrap();
        assert_eq!(journal::copy_steps(&tx, origin.lease.execution_id, foreign.id, 220).await.unwrap(), 0);
        assert_eq!(journal::copy_steps(&tx, origin.lease.execution_id, retry.id, 220).await.unwrap(), 220);
        tx.commit().await.unwrap();
        let copies = journal::steps_of(&test.db, retry.id).await.unwrap();
        let expected: Vec<StepRecord> = steps
            .into_iter()
            .filter(|step| step.sequence < 220 && step.status.is_final())
            .zip(&copies)
            .map(|(step, copy)| StepRecord { id: copy.id, execution_id: retry.id, resume_token_hash: None, ..step })
            .collect();
        assert_eq!(copies, expected);
    }

    async fn a_commit_that_is_repeated_starts_an_execution_once(test: &TestDb) {
        let parent = running(test).await;
        let child = support::queue::child_of(test, &parent, store::ids::new_id());
        let entry = store::journal::JournalEntry {
            lease: parent.lease.clone(),
            steps: Vec::new(),
            logs: Vec::new(),
            starts: vec![child.clone()],
            close: None,
        };
        for _ in 0..2 {
            let held = store::journal::commit(&test.db, test.now(), std::slice::from_ref(&entry)).await.unwrap();
            assert_eq!(held, [store::queue::Held::Yes]);
        }
        let claimed = support::queue::take(&test.db, "w", 9).await.remove(0);
        assert_eq!(claimed.lease.execution_id, child.id);
        let tx = test.db.begin().await.unwrap();
        let end = support::queue::ended(engine::execution::ExecutionStatus::Completed);
        store::queue::finish(&tx, test.now(), &claimed.lease, &end).await.unwrap();
        tx.commit().await.unwrap();
        store::journal::commit(&test.db, test.now(), &[entry]).await.unwrap();
        assert_eq!(support::queue::state(&test.db, child.id).await, None, "it has ended and is not run again");
    }

    async fn a_step_that_could_not_be_read_again_is_refused(test: &TestDb) {
        let claimed = running(test).await;
        let deep = (0..store::MAX_DEPTH + 1).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let step = support::queue::step(&claimed, "a", 0, store::journal::StepStatus::Running, test.now());
        let step = store::journal::StepRecord { output_data: Some(deep), ..step };
        let tx = test.db.begin().await.unwrap();
        let error = store::journal::write_steps(&tx, &[step]).await.unwrap_err();
        assert!(matches!(&error, store::Error::Invalid { field, .. } if field == "output_data"), "{error:?}");
    }
}
