//! The API, two schedulers and two workers as processes of their own over PostgreSQL, one of each killed in the middle.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use end_to_end::workflow::{chain, edit, graph, manual, node, retry, with};
use end_to_end::{Client, Installation, Ledger, Load, Outside, Service, run, take_turn, wait_for};
use serde_json::{Value, json};

/// Schedules that fire at the same moments.
const SCHEDULES: usize = 20;

/// Seconds between two occurrences.
const PERIOD_SECS: i64 = 2;

/// In which everything in flight is to go on after a crash.
const RECOVERY: TimeDelta = TimeDelta::seconds(30);

/// Completed steps of an execution that was called.
const CALLED_STEPS: i64 = 4;

/// Completed steps of an execution of a schedule.
const SCHEDULED_STEPS: i64 = 2;

/// Starts by hand or by a call, runs code, and tells the world in a call that takes some time.
fn called(outside: &Outside) -> Value {
    let code = json!({ "jsCode": "return [{ json: { square: 12 * 12 } }];" });
    let tell = json!({
        "method": "POST",
        "url": outside.url("/take/called?work_ms=300"),
        "body": { "kind": "json", "value": { "execution": "={{ $execution.id }}", "square": "={{ $json.square }}" } },
    });
    let hook = json!({ "path": "load", "signature": "none" });
    let nodes = vec![
        manual(),
        node("Call", "webhook", hook),
        node("Code", "code", code),
        with(node("Tell", "http_request", tell), "retry", retry(6)),
        edit("End", &[("done", "yes")]),
    ];
    graph(
        nodes,
        &[
            ("Start", "", "Code", ""),
            ("Call", "", "Code", ""),
            ("Code", "", "Tell", ""),
            ("Tell", "", "End", ""),
        ],
    )
}

async fn start_schedules(ada: &Client) -> String {
    let cron = format!("*/{PERIOD_SECS} * * * * *");
    let tick = node("Tick", "schedule", json!({ "cron": cron }));
    let workflow = ada.workflow("Tick", chain(vec![tick, edit("Tock", &[("done", "yes")])])).await;
    for number in 1..SCHEDULES {
        let request =
            json!({ "workflow_id": workflow, "name": format!("s{number}"), "cron_expression": cron });
        ada.post("/api/v1/schedules", request).await.expect(201);
    }
    workflow
}

#[expect(clippy::disallowed_methods, reason = "the services read the clock of this machine, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

async fn ready(services: &mut [Service]) {
    for service in services {
        service.ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trigger_is_lost_and_none_doubled_when_one_of_each_service_is_killed() {
    let Some(mut installation) = Installation::postgres().await else { return };
    let _turn = take_turn().await;
    let outside = Outside::start("");
    installation.set("EGRESS__ALLOW", &outside.authority());
    installation.make_key();
    run(installation.command("migration", &["up"]), "", Duration::from_secs(30)).await.expect(0);
    let ledger = Ledger::open(installation.place()).await;

    let mut api = installation.start("api", &[]);
    let mut schedulers = [installation.start("scheduler", &[]), installation.start("scheduler", &[])];
    let mut workers = [installation.start("worker", &[]), installation.start("worker", &[])];
    api.ready().await;
    ready(&mut schedulers).await;
    ready(&mut workers).await;

    let ada = installation.nobody().sign_up("ada@example.org").await;
    let workflow = ada.workflow("Called", called(&outside)).await;
    let ticking = start_schedules(&ada).await;
    let load = Load::start(&ada, &workflow, "load", 2);

    load.answered(100).await;
    schedulers[0].kill();
    load.answered(200).await;
    let in_flight = ledger.leased().await;
    let killed_at = now();
    workers[0].kill();
    load.answered(300).await;
    api.kill();
    let mut api = installation.start("api", &[]);
    api.ready().await;
    load.answered(450).await;
    let (answered, unanswered) = load.stop().await;

    // What the killed worker had goes on while the schedules do.
    wait_for("the end of what was in flight", Duration::from_secs(40), async || {
        let executions = ledger.executions().await;
        in_flight.iter().all(|id| executions[id].completed_at.is_some()).then_some(())
    })
    .await;
    let paused_at = now();
    ada.post(&format!("/api/v1/workflows/{ticking}/pause"), json!({})).await.expect(200);
    wait_for("an empty queue", Duration::from_secs(30), async || {
        (ledger.queued_count().await == 0).then_some(())
    })
    .await;

    let executions = ledger.executions().await;
    let unfinished: Vec<_> =
        executions.values().filter(|execution| execution.status != "completed").collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    let by_call: BTreeSet<String> =
        executions.values().filter(|one| one.trigger_type != "schedule").map(|one| one.id.clone()).collect();
    let lost: Vec<_> = answered.difference(&by_call).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    let more = by_call.len() - answered.len();
    assert!(
        more <= unanswered,
        "{more} executions that nobody was told of, {unanswered} calls without an answer"
    );

    assert!(!in_flight.is_empty());
    let mut recovery = TimeDelta::zero();
    for execution in executions.values().filter(|execution| execution.created_at <= killed_at) {
        recovery = recovery.max(execution.completed_at.unwrap() - killed_at);
    }
    assert!(recovery <= RECOVERY, "what was in flight took {recovery} to its end");
    assert!(
        ledger.steps_count("failed").await > 0,
        "the worker was killed between steps; nothing was proved"
    );

    assert_eq!(ledger.doubled_count().await, 0);
    for (id, steps) in ledger.completed_steps().await {
        let is_scheduled = executions[&id].trigger_type == "schedule";
        assert_eq!(steps, if is_scheduled { SCHEDULED_STEPS } else { CALLED_STEPS }, "{id}");
    }
    let told: BTreeSet<String> =
        outside.taken("called").iter().map(|told| told["execution"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, by_call);

    let occurrences = ledger.occurrences().await;
    assert_eq!(occurrences.len(), SCHEDULES);
    for (schedule, times) in &occurrences {
        for pair in times.windows(2) {
            assert_eq!(pair[1] - pair[0], TimeDelta::seconds(PERIOD_SECS), "{schedule}: {times:?}");
        }
        let last = *times.last().unwrap();
        assert!(paused_at - last <= TimeDelta::seconds(2 * PERIOD_SECS), "{schedule} stopped at {last}");
    }

    for service in [&mut api, &mut schedulers[1], &mut workers[1]] {
        assert_eq!(service.stop(Duration::from_secs(30)).await, Some(0), "{}", service.log());
    }
    println!(
        "{} executions, {} in flight at the kill, all ended {recovery} after it; {} calls without an answer",
        executions.len(),
        in_flight.len(),
        unanswered
    );
}
