//! The parent's half of a request, without the pipe: what to send, and what to do with what comes back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::data;
use super::frame::{Frame, FrameKind};
use crate::expression::{EvaluateJob, EvaluatedRow, ExpressionError, Scope};
use crate::node::{CodeOutput, CodeRequest, LogLevel, NodeError};

/// One request and its answers. Whoever holds the pipe sends [`Exchange::request`], hands each frame that comes back to
/// [`Exchange::receive`], and sends what that says.
pub struct Exchange<'a> {
    scope: Scope<'a>,
    request: Frame,
}

/// What to do after a frame from the child.
#[derive(Debug)]
pub enum Answer {
    /// Send this to the child and go on.
    Send(Frame),
    /// The request is answered with this JSON.
    Done(Vec<u8>),
}

/// Why a request as a whole has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// More, where there is more to say.
    #[serde(default)]
    pub message: String,
    /// The item at which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// Where in the user's code, innermost first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// What it had logged until then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<(LogLevel, String)>,
}

/// The ways in which a request can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The code threw.
    Thrown,
    /// It ran too long.
    Timeout,
    /// It needed too much memory.
    Memory,
    /// It gave out too much, or something that is not JSON.
    Output,
    /// The sandbox itself failed.
    Crashed,
}

impl Failure {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), item: None, stack: None, logs: Vec::new() }
    }
}

impl From<Failure> for NodeError {
    fn from(failure: Failure) -> Self {
        let detail = |text: &str| {
            if failure.message.is_empty() { text.to_owned() } else { format!("{text}: {}", failure.message) }
        };
        let error = match failure.kind {
            FailureKind::Thrown => Self::fatal("code_failed", &failure.message),
            FailureKind::Timeout => {
                Self::fatal("code_timeout", detail("the JavaScript ran longer than it may"))
            }
            FailureKind::Memory => {
                Self::fatal("code_memory", detail("the JavaScript needs more memory than it may"))
            }
            FailureKind::Output => {
                Self::fatal("code_output", detail("the result of the JavaScript cannot be used"))
            }
            FailureKind::Crashed => {
                Self::fatal("code_crashed", detail("the JavaScript sandbox stopped unexpectedly"))
            }
        };
        let error = match failure.item {
            Some(item) => error.at_item(item),
            None => error,
        };
        if failure.stack.is_none() && failure.logs.is_empty() {
            return error;
        }
        error.with_details(serde_json::json!({ "stack": failure.stack, "logs": failure.logs }))
    }
}

impl<'a> Exchange<'a> {
    /// The evaluation of expressions.
    ///
    /// # Errors
    /// When the items cannot be written as JSON.
    pub fn evaluate(job: &EvaluateJob<'a>, timeout_ms: u64) -> Result<Self, NodeError> {
        let payload = data::encode_evaluate(job, timeout_ms).map_err(|error| crashed(&error))?;
        Ok(Self { scope: job.scope, request: Frame { kind: FrameKind::Evaluate, payload } })
    }

    /// A run of user code.
    ///
    /// # Errors
    /// When the items cannot be written as JSON.
    pub fn code(code: &CodeRequest<'a>, timeout_ms: u64) -> Result<Self, NodeError> {
        let payload = data::encode_code(code, timeout_ms).map_err(|error| crashed(&error))?;
        Ok(Self { scope: code.scope, request: Frame { kind: FrameKind::Code, payload } })
    }

    /// The first frame to send.
    #[must_use]
    pub fn request(&self) -> &Frame {
        &self.request
    }

    /// Takes a frame of the child.
    ///
    /// # Errors
    /// When the child says that there is no result, or talks nonsense.
    pub fn receive(&self, frame: Frame) -> Result<Answer, NodeError> {
        match frame.kind {
            FrameKind::Done => Ok(Answer::Done(frame.payload)),
            FrameKind::Need => Ok(Answer::Send(match data::answer(&self.scope, &frame.payload) {
                Ok(payload) => Frame { kind: FrameKind::Give, payload },
                Err(message) => Frame { kind: FrameKind::Refuse, payload: message.into_bytes() },
            })),
            FrameKind::Failed => Err(serde_json::from_slice::<Failure>(&frame.payload)
                .unwrap_or_else(|error| Failure::new(FailureKind::Crashed, error.to_string()))
                .into()),
            kind => Err(crashed(&format!("an unexpected frame ({kind:?})"))),
        }
    }

    /// Reads the answer to [`Exchange::evaluate`].
    ///
    /// # Errors
    /// When it has not the shape of an answer.
    pub fn read_rows(payload: &[u8]) -> Result<Vec<EvaluatedRow>, NodeError> {
        let rows: Vec<Vec<Cell>> = serde_json::from_slice(payload).map_err(|error| unreadable(&error))?;
        let row = |cells: Vec<Cell>| cells.into_iter().map(Cell::into_result).collect();
        Ok(rows.into_iter().map(row).collect())
    }

    /// Reads the answer to [`Exchange::code`].
    ///
    /// # Errors
    /// When it has not the shape of an answer.
    pub fn read_output(payload: &[u8]) -> Result<CodeOutput, NodeError> {
        let returned: Returned = serde_json::from_slice(payload).map_err(|error| unreadable(&error))?;
        Ok(CodeOutput { value: returned.value, logs: returned.logs })
    }
}

/// The result of one script for one item, by its only key.
#[derive(Deserialize)]
enum Cell {
    #[serde(rename = "v")]
    Value(Value),
    #[serde(rename = "e")]
    Error(String),
}

impl Cell {
    fn into_result(self) -> Result<Value, ExpressionError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Error(message) => Err(ExpressionError { message }),
        }
    }
}

#[derive(Deserialize)]
struct Returned {
    value: Value,
    logs: Vec<(LogLevel, String)>,
}

fn crashed(error: &dyn std::fmt::Display) -> NodeError {
    Failure::new(FailureKind::Crashed, error.to_string()).into()
}

fn unreadable(error: &serde_json::Error) -> NodeError {
    let message = if error.to_string().contains("recursion limit") {
        "it is nested too deeply".to_owned()
    } else {
        error.to_string()
    };
    Failure::new(FailureKind::Output, message).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_as_rows_of_values_and_errors() {
        let rows = Exchange::read_rows(br#"[[{"v":1},{"e":"no"}],[{"v":null},{"v":{"a":[]}}]]"#).unwrap();
        let error = ExpressionError { message: "no".to_owned() };
        assert_eq!(rows, [vec![Ok(json!(1)), Err(error)], vec![Ok(json!(null)), Ok(json!({"a": []}))]]);
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_of_its_own() {
        for payload in [&b""[..], b"{", b"[[1]]", b"[[{\"x\":1}]]", b"\xff\xfe", b"[[{\"v\":1,\"e\":\"\"}]]"]
        {
            assert_eq!(Exchange::read_rows(payload).unwrap_err().code, "code_output");
        }
        assert_eq!(Exchange::read_output(b"{\"value\":1}").unwrap_err().code, "code_output");
        let deep = format!("{{\"value\":{}{},\"logs\":[]}}", "[".repeat(200), "]".repeat(200));
        let error = Exchange::read_output(deep.as_bytes()).unwrap_err();
        assert!(error.message.ends_with("it is nested too deeply"), "{error}");
    }

    #[test]
    fn a_failure_becomes_an_error_with_its_item_stack_and_logs() {
        let failure = Failure {
            item: Some(3),
            stack: Some("line 2".to_owned()),
            logs: vec![(LogLevel::Info, "so far".to_owned())],
            ..Failure::new(FailureKind::Thrown, "no stock")
        };
        let error = NodeError::from(failure);
        assert_eq!(
            (error.code.as_str(), error.message.as_str(), error.item),
            ("code_failed", "no stock", Some(3))
        );
        let details = serde_json::to_value(&error.details).unwrap();
        assert_eq!(details, json!({"stack": "line 2", "logs": [["info", "so far"]]}));
    }
}
