//! `tidemill run`

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use engine::Definition;
use engine::definition::Severity;
use engine::execution::ExecutionStatus;
use engine::item::items_from_json;
use engine::node::LogLevel;
use serde_json::{Value, json};
use store::Clock as _;
use store::settings;
use worker::inline::{Inline, InlineRequest};
use worker::journal::Progress;
use worker::{Control, Limits, LogLine, Step};

use super::workspace::{Folder, WorkflowFile, read_json};
use super::{block_on, say};

/// Exit code of a workflow that cannot be run at all, as of a wrong command line.
const NOT_RUNNABLE: u8 = 2;

/// Exit code after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Run a workflow file without a server; the result is JSON on standard output
///
/// The exit code is 0 when it completed, 1 when it failed, 2 when it cannot be run, 130 when it was interrupted.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Workflow file; - is standard input
    file: PathBuf,
    /// What the trigger gives out: items, an object or a list of objects, as JSON; @FILE reads a file
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Name of the trigger to start at; the upper one when missing
    #[arg(long, value_name = "NODE")]
    trigger: Option<String>,
    /// Write what every node gave out to a file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// JSON file of credentials: {"NAME": {"connector", "secrets", "configuration"}}
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Say nothing of the steps
    #[arg(long, short)]
    quiet: bool,
    /// Say something of the steps where standard error is no terminal, too
    #[arg(long, conflicts_with = "quiet")]
    progress: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = settings::load(&self.settings)?;
        let file = WorkflowFile::read(&self.file)?;
        let egress = nodes::egress::Client::new(&settings.egress.read("egress")?)?;
        let catalogue = Arc::new(nodes::catalogue(&egress));
        let checked = match Definition::from_json(file.definition) {
            Ok(definition) => definition.validate(&catalogue).into_graph(),
            Err(problem) => Err(vec![problem]),
        };
        let graph = match checked {
            Ok(graph) => Arc::new(graph),
            Err(problems) => {
                for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
                    report(format_args!("{}: {problem}", self.file.display()));
                }
                return Ok(ExitCode::from(NOT_RUNNABLE));
            }
        };
        let trigger = match &self.trigger {
            None => None,
            Some(name) => {
                let node = graph.by_name(name).filter(|node| graph.nodes[*node].is_trigger());
                Some(node.with_context(|| format!("--trigger: there is no trigger {name:?}"))?)
            }
        };
        let items = self.items()?;
        let folder = self
            .file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned();
        let credentials = self.credentials.as_deref().map(read_json).transpose()?.unwrap_or_default();
        let shows_progress = self.progress || (!self.quiet && std::io::stderr().is_terminal());
        block_on(async {
            let sandbox = nodes::sandbox::Pool::new(settings.sandbox.read("sandbox")?)?;
            let inline = Inline {
                catalogue,
                evaluator: Arc::new(sandbox),
                source: Arc::new(Folder { folder, credentials }),
                limits: Limits {
                    step_timeout: Duration::from_millis(settings.worker.step_timeout_ms),
                    max_depth: settings.worker.max_depth,
                    ..Limits::default()
                },
                started_at: store::SystemClock.now(),
            };
            let control = Control::default();
            let cancel = control.cancel.clone();
            tokio::spawn(async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    cancel.cancel();
                }
            });
            let progress = shows_progress.then(|| Arc::new(OnTerminal) as Arc<dyn Progress>);
            let request = InlineRequest { name: file.name, graph, trigger, items: Arc::new(items) };
            let finished = match inline.run(request, &control, progress).await {
                Ok(finished) => finished,
                Err(error) => {
                    report(format_args!("{}: {error}", self.file.display()));
                    return Ok(ExitCode::from(NOT_RUNNABLE));
                }
            };
            let trace = finished.trace();
            if let Some(path) = &self.trace {
                let text = serde_json::to_string_pretty(&trace)? + "\n";
                std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            say(json!({ "status": trace.status, "error": trace.error, "items": finished.items() }));
            Ok(match trace.status {
                ExecutionStatus::Completed => ExitCode::SUCCESS,
                ExecutionStatus::Cancelled => ExitCode::from(INTERRUPTED),
                _ => ExitCode::FAILURE,
            })
        })
    }

    fn items(&self) -> anyhow::Result<Vec<engine::Item>> {
        let value: Value = match self.input.as_deref() {
            None => return Ok(vec![engine::Item::default()]),
            Some(text) => match text.strip_prefix('@') {
                Some(path) => read_json(Path::new(path))?,
                None => serde_json::from_str(text).context("--input is not JSON")?,
            },
        };
        items_from_json(value).map_err(|message| anyhow::anyhow!("--input: {message}"))
    }
}

/// Tells of steps on standard error, a line each.
struct OnTerminal;

impl Progress for OnTerminal {
    fn step(&self, step: &Step) {
        let items: usize = step.outputs.iter().flatten().map(|items| items.len()).sum();
        let error = step.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let took = step.duration_ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
        report(format_args!("{:<9} {} ({items} items{took}){error}", step.status.as_str(), step.node_name));
    }

    fn log(&self, line: &LogLine) {
        // A step that is done has its line already.
        if line.level >= LogLevel::Warn {
            report(format_args!("{:<9} {}", line.level.as_str(), line.message));
        }
    }
}

fn report(line: std::fmt::Arguments<'_>) {
    // Progress is for people who look; nobody looks at a closed terminal.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
