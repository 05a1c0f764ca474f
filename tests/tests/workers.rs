//! Workers that are told to stop, and one that is frozen for too long.

use std::time::Duration;

use end_to_end::workflow::{chain, edit, manual, node};
use end_to_end::{Client, Installation, Ledger, Outside, PATIENCE, Service, run, take_turn, wait_for};
use serde_json::json;

/// An installation over PostgreSQL with API, scheduler and one worker.
struct World {
    worker: Service,
    _scheduler: Service,
    _api: Service,
    ada: Client,
    ledger: Ledger,
    outside: Outside,
    installation: Installation,
}

impl World {
    async fn start(settings: &[(&str, &str)]) -> Option<Self> {
        let mut installation = Installation::postgres().await?;
        let outside = Outside::start("");
        installation.set("EGRESS__ALLOW", &outside.authority());
        for (key, value) in settings {
            installation.set(key, value);
        }
        installation.make_key();
        run(installation.command("migration", &["up"]), "", PATIENCE).await.expect(0);
        let mut api = installation.start("api", &[]);
        let mut scheduler = installation.start("scheduler", &[]);
        let mut worker = installation.start("worker", &[]);
        api.ready().await;
        scheduler.ready().await;
        worker.ready().await;
        let ada = installation.nobody().sign_up("ada@example.org").await;
        let ledger = Ledger::open(installation.place()).await;
        Some(Self { worker, _scheduler: scheduler, _api: api, ada, ledger, outside, installation })
    }

    /// Starts an execution whose second step is answered when it is released.
    async fn hold(&self, name: &str) -> String {
        let hold = node("Hold", "http_request", json!({ "url": self.outside.url(&format!("/hold/{name}")) }));
        let definition = chain(vec![manual(), hold, edit("End", &[("done", "yes")])]);
        let workflow = self.ada.workflow(name, definition).await;
        let execution = self.ada.execute(&workflow).await;
        self.outside.called(&format!("/hold/{name}"), 1).await;
        execution
    }

    async fn completed(&self, execution: &str) {
        wait_for("the end of the execution", PATIENCE, async || {
            let execution = self.ada.execution(execution).await;
            assert!(execution["error"].is_null(), "{execution}");
            (execution["status"] == "completed").then_some(())
        })
        .await;
        assert_eq!(self.ledger.doubled_count().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_finishes_the_step_that_ends_in_time() {
    let _turn = take_turn().await;
    let Some(mut world) = World::start(&[]).await else { return };
    let execution = world.hold("brief").await;
    world.worker.tell_to_stop();
    world.outside.release("brief");
    assert_eq!(world.worker.ended(PATIENCE).await, Some(0), "{}", world.worker.log());
    let mut other = world.installation.start("worker", &[]);
    other.ready().await;
    world.completed(&execution).await;
    // The other one did what was left, and not the step again.
    assert_eq!(world.outside.calls("/hold/brief"), 1);
    assert_eq!(other.stop(PATIENCE).await, Some(0), "{}", other.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_hands_the_rest_to_another() {
    let _turn = take_turn().await;
    let Some(mut world) = World::start(&[("WORKER__GRACE_MS", "500")]).await else { return };
    let execution = world.hold("long").await;
    let mut other = world.installation.start("worker", &[]);
    other.ready().await;
    // Far sooner than the lease would have ended.
    assert_eq!(world.worker.stop(Duration::from_secs(10)).await, Some(0), "{}", world.worker.log());
    world.outside.called("/hold/long", 2).await;
    world.outside.release("long");
    world.completed(&execution).await;
    assert_eq!(other.stop(PATIENCE).await, Some(0), "{}", other.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_frozen_for_too_long_changes_nothing_that_another_has_taken_over() {
    let _turn = take_turn().await;
    let Some(mut world) = World::start(&[("WORKER__LEASE_MS", "3000")]).await else { return };
    let execution = world.hold("frozen").await;
    world.worker.freeze();
    let mut other = world.installation.start("worker", &[]);
    other.ready().await;
    world.outside.called("/hold/frozen", 2).await;
    world.outside.release("frozen");
    world.completed(&execution).await;
    let before = (world.ada.execution(&execution).await, world.ada.steps(&execution).await);
    assert_eq!(other.stop(PATIENCE).await, Some(0), "{}", other.log());

    world.worker.thaw();
    // It is its old self again once it has done something new; and then it knows that it has lost the other.
    let workflow = world.ada.workflow("next", chain(vec![manual(), edit("End", &[("done", "yes")])])).await;
    let next = world.ada.execute(&workflow).await;
    world.completed(&next).await;
    assert_eq!(world.worker.stop(PATIENCE).await, Some(0), "{}", world.worker.log());
    assert_eq!((world.ada.execution(&execution).await, world.ada.steps(&execution).await), before);
}
