//! What is wrong with a definition.

use std::sync::Arc;

use engine::Graph;
use engine::definition::{Definition, Problem as DefinitionProblem, ProblemCode, Severity};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// Something that is wrong with a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowProblem)]
pub struct ProblemOfWorkflow {
    /// The kind of mistake, as a stable word.
    #[schema(value_type = String, example = "unknown_node_type")]
    code: ProblemCode,
    /// `error`: it cannot run so; `warning`: it can.
    #[schema(value_type = String, example = "error")]
    severity: Severity,
    /// The node, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// The field, as a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What is wrong, and what would be right.
    message: String,
}

impl From<DefinitionProblem> for ProblemOfWorkflow {
    fn from(problem: DefinitionProblem) -> Self {
        Self {
            code: problem.code,
            severity: problem.severity,
            node: problem.node,
            field: problem.field,
            message: problem.message,
        }
    }
}

/// A definition that was looked at.
pub struct Judged {
    /// Everything that is wrong or doubtful.
    pub problems: Vec<DefinitionProblem>,
    /// The workflow, ready to run, if nothing keeps it from that.
    pub graph: Option<Graph>,
}

impl Judged {
    /// The graph of a workflow that is to run.
    ///
    /// # Errors
    /// 422 with every problem that keeps it from running.
    pub fn into_graph(self) -> Result<Graph, Problem> {
        self.graph.ok_or_else(|| refusal(&self.problems, |_| true))
    }

    /// Refuses a workflow that cannot run.
    ///
    /// # Errors
    /// 422 with every problem that keeps it from running.
    pub fn check_runnable(&self) -> Result<(), Problem> {
        if self.graph.is_some() { Ok(()) } else { Err(refusal(&self.problems, |_| true)) }
    }

    /// Refuses what not even a draft may be: something that has not the shape of a definition, or is over a limit.
    ///
    /// # Errors
    /// 422 with the problems of that kind.
    pub fn storable(self) -> Result<Vec<DefinitionProblem>, Problem> {
        let is_fatal = |problem: &DefinitionProblem| {
            matches!(problem.code, ProblemCode::Shape | ProblemCode::Limit)
                && problem.severity == Severity::Error
        };
        if self.problems.iter().any(is_fatal) {
            return Err(refusal(&self.problems, is_fatal));
        }
        Ok(self.problems)
    }
}

/// Reads and checks a definition. Not on this thread: the check compiles the JavaScript of each node.
///
/// # Errors
/// The check itself failed.
pub async fn judge(state: &State, definition: Value) -> Result<Judged, Problem> {
    let catalogue = Arc::clone(&state.catalogue);
    let judging = tokio::task::spawn_blocking(move || match Definition::from_json(definition) {
        Ok(definition) => {
            let checked = definition.validate(&catalogue);
            Judged { problems: checked.problems, graph: checked.graph }
        }
        Err(problem) => Judged { problems: vec![problem], graph: None },
    });
    judging.await.map_err(Problem::internal)
}

fn refusal(problems: &[DefinitionProblem], is_meant: impl Fn(&DefinitionProblem) -> bool) -> Problem {
    let errors: Vec<FieldError> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error && is_meant(problem))
        .map(|problem| FieldError {
            node: problem.node.clone(),
            field: problem.field.clone(),
            code: serde_json::to_value(problem.code).ok().and_then(|code| code.as_str().map(str::to_owned)),
            message: problem.message.clone(),
        })
        .collect();
    let first = problems.iter().find(|problem| problem.severity == Severity::Error && is_meant(problem));
    let detail = match (first, errors.len()) {
        (Some(first), 1) => first.to_string(),
        (Some(first), count) => format!("{count} problems, the first: {first}"),
        (None, _) => "the workflow cannot run".to_owned(),
    };
    Problem::new(Code::InvalidWorkflow, detail).with_errors(errors)
}
