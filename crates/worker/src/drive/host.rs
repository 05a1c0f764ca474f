//! The host of one attempt: what a node may ask of its surroundings, with every secret remembered.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use engine::item::Binary;
use engine::node::{CodeOutput, CodeRequest, Credential, Host, LogLevel, NodeError};
use serde_json::{Value, json};

use super::secrets::Secrets;
use super::{Limits, Outside, depth};
use crate::step::{LogLine, Step};

/// Log lines that nodes have written and nobody has taken yet.
pub(super) struct LogBuffer {
    state: Mutex<State>,
    max_lines: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct State {
    lines: Vec<LogLine>,
    written: usize,
}

impl LogBuffer {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { state: Mutex::default(), max_lines: limits.max_log_lines, max_bytes: limits.max_log_bytes }
    }

    pub(super) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.state().lines)
    }

    /// Puts back what was taken and found no place.
    pub(super) fn put_back(&self, mut lines: Vec<LogLine>) {
        let mut state = self.state();
        lines.append(&mut state.lines);
        state.lines = lines;
    }

    fn push(&self, mut line: LogLine) {
        let mut state = self.state();
        state.written += 1;
        if state.written > self.max_lines + 1 {
            return;
        }
        if state.written > self.max_lines {
            line.level = LogLevel::Warn;
            line.message =
                format!("the execution has logged more than {} lines; the rest is not kept", self.max_lines);
            line.data = None;
        }
        if line.message.len() > self.max_bytes {
            line.message.truncate(line.message.floor_char_boundary(self.max_bytes));
            line.message.push('…');
        }
        if line
            .data
            .as_ref()
            .is_some_and(|data| serde_json::to_vec(data).map_or(true, |text| text.len() > self.max_bytes))
        {
            line.data = Some(json!({ "omitted": format!("more than {} bytes", self.max_bytes) }));
        }
        state.lines.push(line);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host of one attempt.
pub(super) struct StepHost<'a> {
    outside: Outside<'a>,
    secrets: &'a Secrets,
    logs: &'a LogBuffer,
    step: &'a Step,
}

impl<'a> StepHost<'a> {
    pub(super) fn new(
        outside: Outside<'a>,
        secrets: &'a Secrets,
        logs: &'a LogBuffer,
        step: &'a Step,
    ) -> Self {
        Self { outside, secrets, logs, step }
    }
}

#[async_trait]
impl Host for StepHost<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.outside.environment.now()
    }

    fn log(&self, level: LogLevel, mut message: String, mut data: Option<Value>) {
        data.iter_mut().for_each(depth::bound_value);
        self.secrets.mask_text(&mut message);
        data.iter_mut().for_each(|data| self.secrets.mask_value(data));
        self.logs.push(LogLine {
            id: store::ids::new_id(),
            step_id: Some(self.step.id),
            node: Some((self.step.node_id.clone(), self.step.node_type.clone())),
            level,
            message,
            data,
            at: self.now(),
        });
    }

    async fn credential(&self, integration: &str) -> Result<Credential, NodeError> {
        let credential = self.outside.environment.credential(integration).await?;
        self.secrets.learn(&credential);
        Ok(credential)
    }

    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        self.outside.evaluator.run_code(request).await
    }

    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError> {
        self.outside.environment.write_binary(self.secrets.mask_bytes(bytes), mime_type, file_name).await
    }

    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError> {
        self.outside.environment.read_binary(binary).await
    }
}
