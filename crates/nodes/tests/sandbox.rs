//! The pool of sandbox processes. This executable is its own child, hence no default test harness.

#![expect(clippy::unwrap_used, reason = "clippy knows only tests of the default harness")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use engine::expression::{Evaluator, Scope, evaluate_over_items};
use engine::item::items_from_json;
use engine::node::{
    Catalogue, CodeLanguage, CodeMode, CodeOutput, CodeRequest, ExecutionInfo, NodeError, WorkflowInfo,
};
use engine::run::{Run, Task};
use engine::{Definition, Graph, Items};
use libtest_mimic::{Arguments, Failed, Trial};
use nodes::sandbox::{Limits, Pool, run_if_child};
use serde_json::{Value, json};
use uuid::Uuid;

fn main() {
    run_if_child();
    let tests = vec![
        test("an_expression_is_evaluated_in_a_child", || async {
            let pool = pool();
            assert_eq!(
                evaluate(&pool, "={{ $json.n + 1 }}", json!([{"n": 1}, {"n": 2}])).await,
                [json!(2), json!(3)]
            );
            assert_eq!(pool.idle_processes(), 1);
        }),
        test("a_plain_path_starts_no_process", || async {
            let pool = pool();
            assert_eq!(evaluate(&pool, "={{ $json.n }}", json!([{"n": 1}])).await, [json!(1)]);
            assert_eq!(pool.idle_processes(), 0);
        }),
        test("data_of_other_nodes_is_fetched_from_the_parent", || async {
            let output = code(&pool(), "return $('Start').all().concat($('Start').first())").await.unwrap();
            assert_eq!(output.value, json!([{"json": {"n": 1}}, {"json": {"n": 2}}, {"json": {"n": 1}}]));
        }),
        test("code_runs_and_waits_for_its_promises", || async {
            let output =
                code(&pool(), "console.log('hello'); return await Promise.all([1, Promise.resolve(2)])")
                    .await;
            assert_eq!(output.unwrap().value, json!([1, 2]));
        }),
        test("a_child_serves_many_requests_and_forgets_each", || async {
            let pool = pool();
            code(&pool, "globalThis.leak = 1; Object.prototype.leak = 1; Array.prototype.map = null; JSON.parse = null").await.unwrap();
            for _ in 0..20 {
                let output = code(
                    &pool,
                    "return [typeof leak, ({}).leak ?? null, [1].map(x => x + 1), JSON.parse('3')]",
                )
                .await
                .unwrap();
                assert_eq!(output.value, json!(["undefined", null, [2], 3]));
            }
            assert_eq!(pool.idle_processes(), 1);
        }),
        test("whatever_the_code_does_ends_in_a_clear_error_and_the_pool_serves_on", || async {
            let pool = Pool::new(Limits { timeout_ms: 400, ..Limits::default() }).unwrap();
            let cases: [(&str, &[&str]); 16] = [
                // Polite ends.
                ("for (;;) {}", &["code_timeout"]),
                ("for (;;) { try { for (;;) {} } catch {} }", &["code_timeout"]),
                ("while (true) await 1", &["code_timeout"]),
                (
                    "const f = () => { Promise.resolve().then(f) }; f(); await new Promise(() => {})",
                    &["code_timeout"],
                ),
                ("return /^(a+)+$/.test('a'.repeat(50) + 'b')", &["code_timeout"]),
                ("return new Proxy({}, { get() { for (;;) {} } }).x", &["code_timeout"]),
                ("const f = () => f() + 1; return f()", &["code_failed"]),
                (
                    "const all = []; for (;;) all.push(new Array(10000).fill(1))",
                    &["code_memory", "code_timeout"],
                ),
                ("return 'x'.repeat(2 ** 29)", &["code_memory", "code_output", "code_failed"]),
                (
                    "let s = 'xxxxxxxx'; while (s.length < 40e6) s += s; return s",
                    &["code_output", "code_memory"],
                ),
                ("return new ArrayBuffer(2 ** 40)", &["code_memory", "code_failed"]),
                // Native loops: only a kill ends them.
                ("return Array(2e9).join('')", &["code_timeout", "code_memory", "code_failed"]),
                ("const a = []; a[4e9] = 1; a.sort(); return 1", &["code_timeout", "code_memory"]),
                ("const s = 'ab'.repeat(2e6); return s.indexOf('ab'.repeat(1e6) + 'c')", &["code_timeout"]),
                ("return Array.from({ length: 1e9 })", &["code_timeout", "code_memory"]),
                (
                    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return 1",
                    &["code_failed", "code_timeout"],
                ),
            ];
            for (source, expected) in cases {
                let started = Instant::now();
                let error = code(&pool, source).await.unwrap_err();
                assert!(expected.contains(&error.code.as_str()), "{source}: {error:?}");
                assert!(started.elapsed() < Duration::from_secs(3), "{source} took {:?}", started.elapsed());
                assert_eq!(code(&pool, "return 1").await.unwrap().value, json!(1), "after {source}");
            }
        }),
        test("an_expression_that_does_not_end_is_killed_too", || async {
            let pool = Pool::new(Limits { timeout_ms: 300, ..Limits::default() }).unwrap();
            let template = "={{ Array(2e9).join('') }}";
            let outcome =
                evaluate_over_items(template, items(json!([{}])), &execution(), now(), &pool).await.unwrap();
            let code = outcome.map_err(|error| error.code);
            assert!(matches!(&code, Err(code) if code == "code_timeout"), "{code:?}");
        }),
        test("others_are_unharmed_while_a_runaway_is_killed", || async {
            let pool = Pool::new(Limits { timeout_ms: 600, processes: 2, ..Limits::default() }).unwrap();
            let good = async {
                for _ in 0..30 {
                    assert_eq!(code(&pool, "return items.length").await.unwrap().value, json!(2));
                }
            };
            let (bad, ()) = tokio::join!(code(&pool, "return Array(2e9).join('')"), good);
            assert_eq!(bad.unwrap_err().code, "code_timeout");
        }),
        test("a_request_that_is_dropped_ends_its_child", || async {
            let pool = Pool::new(Limits { processes: 1, ..Limits::default() }).unwrap();
            let endless = code(&pool, "return Array(2e9).join('')");
            assert!(tokio::time::timeout(Duration::from_millis(200), endless).await.is_err());
            assert_eq!(pool.idle_processes(), 0);
            // The only place is free again at once.
            let started = Instant::now();
            assert_eq!(code(&pool, "return 1").await.unwrap().value, json!(1));
            assert!(started.elapsed() < Duration::from_secs(2));
        }),
        test("no_more_processes_work_than_the_limit_allows", || async {
            let pool = Pool::new(Limits { processes: 2, ..Limits::default() }).unwrap();
            let runs = (0..12).map(|_| code(&pool, "return 1"));
            for output in futures::future::join_all(runs).await {
                assert_eq!(output.unwrap().value, json!(1));
            }
            assert!(pool.idle_processes() <= 2);
        }),
        test("the_time_that_a_request_asks_for_counts_when_it_is_less", || async {
            let started = Instant::now();
            let error = code_for(&pool(), "for (;;) {}", 100).await.unwrap_err();
            assert_eq!(
                (error.code.as_str(), started.elapsed() < Duration::from_secs(2)),
                ("code_timeout", true)
            );
        }),
        test("items_that_are_too_large_are_refused_by_size", || async {
            let pool = Pool::new(Limits { memory_bytes: 16 * 1024 * 1024, ..Limits::default() }).unwrap();
            let large = json!([{"text": "x".repeat(17 * 1024 * 1024)}]);
            let outcome =
                evaluate_over_items("={{ $json.text.length + 0 }}", items(large), &execution(), now(), &pool)
                    .await;
            assert_eq!(outcome.unwrap().unwrap_err().code, "code_memory");
        }),
        test("a_large_result_comes_through_whole", || async {
            let output = code(&pool(), "return 'é'.repeat(5e6)").await.unwrap();
            assert_eq!(output.value.as_str().map(str::len), Some(10_000_000));
        }),
        test("a_thousand_items_go_through_one_request", || async {
            let pool = pool();
            let many: Vec<_> = (0..1000).map(|n| json!({"n": n, "name": "a name"})).collect();
            let values =
                evaluate(&pool, "={{ $json.name.toUpperCase() + $json.n * 2 }}", Value::Array(many)).await;
            assert_eq!((values.len(), &values[999]), (1000, &json!("A NAME1998")));
        }),
        test("unknown_limits_are_refused_and_missing_ones_have_defaults", || async {
            assert_eq!(serde_json::from_value::<Limits>(json!({})).unwrap(), Limits::default());
            assert!(serde_json::from_value::<Limits>(json!({"memory": 1})).is_err());
        }),
        #[cfg(target_os = "linux")]
        test("a_child_that_died_while_it_was_idle_is_replaced", || async {
            let pool = pool();
            code(&pool, "return 1").await.unwrap();
            kill_children();
            assert_eq!(code(&pool, "return 2").await.unwrap().value, json!(2));
        }),
        #[cfg(target_os = "linux")]
        test("a_child_that_dies_at_work_fails_its_request_and_no_other", || async {
            let pool = pool();
            let (killed, ()) = tokio::join!(code(&pool, "for (;;) {}"), async {
                while !children_of_this_process().iter().any(|child| is_at_work(child)) {
                    tokio::task::yield_now().await;
                }
                kill_children();
            });
            let error = killed.unwrap_err();
            assert_eq!(error.code, "code_crashed");
            assert!(error.message.contains("signal: 9"), "{error}");
            assert_eq!(code(&pool, "return 2").await.unwrap().value, json!(2));
        }),
        #[cfg(target_os = "linux")]
        test("a_child_is_confined_and_dies_with_the_pool", || async {
            let pool = pool();
            code(&pool, "return 1").await.unwrap();
            let child = children_of_this_process().into_iter().next().unwrap();
            let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap();
            assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
            let environment = std::fs::read_to_string(format!("/proc/{child}/environ")).unwrap();
            assert_eq!(environment, "TZ=UTC0\0");
            let limits = std::fs::read_to_string(format!("/proc/{child}/limits")).unwrap();
            let of = |name: &str| {
                limits
                    .lines()
                    .find(|line| line.starts_with(name))
                    .unwrap()
                    .split_whitespace()
                    .rev()
                    .nth(1)
                    .unwrap()
                    .to_owned()
            };
            assert_eq!(of("Max open files"), "3");
            assert_eq!(of("Max file size"), "0");
            assert_eq!(of("Max core file size"), "0");
            drop(pool);
            let gone = async {
                while std::path::Path::new(&format!("/proc/{child}/fd/0")).exists() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
        }),
    ];
    let mut arguments = Arguments::from_args();
    // One after the other: they measure time, and look at this process's children.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, tests).exit();
}

fn test<F: Future<Output = ()>>(name: &str, body: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(Failed::from)?.block_on(body());
        Ok(())
    })
}

fn pool() -> Pool {
    Pool::new(Limits::default()).unwrap()
}

fn execution() -> ExecutionInfo {
    ExecutionInfo {
        id: Uuid::nil(),
        mode: "test".to_owned(),
        resume_url: None,
        workflow: WorkflowInfo::default(),
        timezone: "UTC".to_owned(),
        vars: Default::default(),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn items(value: Value) -> Items {
    Arc::new(items_from_json(value).unwrap())
}

async fn evaluate(pool: &Pool, expression: &str, input: Value) -> Vec<Value> {
    let results =
        evaluate_over_items(expression, items(input), &execution(), now(), pool).await.unwrap().unwrap();
    results.into_iter().map(Result::unwrap).collect()
}

async fn code(pool: &Pool, source: &str) -> Result<CodeOutput, NodeError> {
    code_for(pool, source, u64::MAX).await
}

/// Runs code behind a trigger that gave out two items.
async fn code_for(pool: &Pool, source: &str, timeout_ms: u64) -> Result<CodeOutput, NodeError> {
    let (graph, run, task) = started();
    let scope = Scope {
        graph: &graph,
        node: &graph.nodes[task.node],
        run_index: 0,
        inputs: &task.inputs,
        sources: &task.sources,
        data: run.data(),
        execution: &execution(),
        now: now(),
    };
    let request = CodeRequest {
        language: CodeLanguage::JavaScript,
        mode: CodeMode::AllItems,
        source,
        scope,
        timeout_ms,
    };
    pool.run_code(request).await
}

fn started() -> (Arc<Graph>, Run, Task) {
    let definition = json!({
        "nodes": [
            {"id": "Start", "data": {"nodeType": "manual"}},
            {"id": "Code", "data": {"nodeType": "no_op"}},
        ],
        "edges": [{"source": "Start", "target": "Code"}],
    });
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    let graph = Definition::from_json(definition).unwrap().validate(&catalogue).into_graph().unwrap();
    let graph = Arc::new(graph);
    let input = items(json!([{"n": 1}, {"n": 2}]));
    let mut run = Run::start(Arc::clone(&graph), graph.by_name("Start").unwrap(), Arc::clone(&input));
    let first = run.next_task().unwrap().unwrap();
    run.settle(first, Ok((vec![input], None)));
    let task = run.next_task().unwrap().unwrap();
    (graph, run, task)
}

#[cfg(target_os = "linux")]
fn children_of_this_process() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether it has had more processor time than it needs to start.
#[cfg(target_os = "linux")]
fn is_at_work(child: &str) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{child}/stat")) else { return false };
    let ticks =
        stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().nth(11)?.parse::<u32>().ok());
    ticks.is_some_and(|ticks| ticks >= 10)
}

#[cfg(target_os = "linux")]
fn kill_children() {
    for child in children_of_this_process() {
        let pid = rustix::process::Pid::from_raw(child.parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}
