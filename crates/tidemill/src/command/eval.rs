//! `tidemill eval`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use engine::expression::{Evaluator, evaluate_over_items};
use engine::item::items_from_json;
use engine::node::{ExecutionInfo, WorkflowInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Clock;
use uuid::Uuid;

use super::{batch, block_on, say, workspace};

/// Evaluate an expression over items
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The expression: ={{ ... }}, text with {{ ... }} in it, or bare JavaScript
    #[arg(required_unless_present = "batch")]
    expression: Option<String>,
    /// Items as JSON: a list of {"json": {...}} or of plain objects; - is standard input
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// The item that $json stands for
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    item: usize,
    /// IANA time zone of $now and of dates without a zone
    #[arg(long = "tz", value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// What $now is (RFC 3339); the present when missing
    #[arg(long, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// Answer each line of a file, {"expression", "items"}, with {"result": ...}; - is standard input
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "expression")]
    batch: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    expression: String,
    #[serde(default)]
    items: Value,
}

#[derive(Serialize)]
struct Answer {
    result: Value,
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        engine::cron::parse_timezone(&self.timezone).map_err(anyhow::Error::msg)?;
        block_on(async {
            let pool = nodes::sandbox::Pool::new(nodes::sandbox::Limits::default())?;
            let now = self.now.unwrap_or_else(|| store::SystemClock.now());
            let execution = execution(self.timezone.clone());
            if let Some(path) = &self.batch {
                batch::answer_lines(path, |line: Line| {
                    let answer = evaluate(&line.expression, line.items, self.item, &execution, now, &pool);
                    // One line is answered before the next is read; the pool's processes live on between them.
                    let result =
                        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(answer))?;
                    Ok(Answer { result })
                })?;
            } else {
                let items = self.items.as_deref().map(workspace::read_json).transpose()?.unwrap_or_default();
                let expression = self.expression.as_deref().unwrap_or_default();
                let result = evaluate(expression, items, self.item, &execution, now, &pool).await;
                say(result.map_err(anyhow::Error::msg)?);
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn evaluate(
    expression: &str,
    items: Value,
    item: usize,
    execution: &ExecutionInfo,
    now: DateTime<Utc>,
    evaluator: &dyn Evaluator,
) -> Result<Value, String> {
    let items = items_from_json(items)?;
    if item > 0 && item >= items.len() {
        return Err(format!("item {item}: there are {} items", items.len()));
    }
    let values = evaluate_over_items(&as_template(expression), Arc::new(items), execution, now, evaluator)
        .await
        .map_err(|problems| problems.first().map(|problem| problem.message.clone()).unwrap_or_default())?
        .map_err(|error| error.message)?;
    values.into_iter().nth(item).unwrap_or(Ok(Value::Null)).map_err(|error| error.message)
}

/// Bare JavaScript is one part; what has parts already is a template, with or without its `=`.
fn as_template(expression: &str) -> String {
    if expression.starts_with('=') {
        expression.to_owned()
    } else if expression.contains("{{") {
        format!("={expression}")
    } else {
        format!("={{{{ {expression} }}}}")
    }
}

fn execution(timezone: String) -> ExecutionInfo {
    let workflow = WorkflowInfo { id: "eval".to_owned(), name: "eval".to_owned(), active: false };
    ExecutionInfo {
        id: Uuid::nil(),
        mode: "test".to_owned(),
        resume_url: None,
        workflow,
        timezone,
        vars: Default::default(),
    }
}
