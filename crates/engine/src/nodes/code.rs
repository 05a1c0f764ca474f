//! Code: JavaScript of the user's own, run in the sandbox.

mod returned;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::describe;
use crate::node::{
    Call, CodeLanguage, CodeMode, CodeRequest, Descriptor, Example, Group, NodeError, Outcome, Typed,
};

/// Longest run when the node does not say, in milliseconds.
const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// The node type `code`.
pub struct Code;

/// Parameters of [`Code`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeParameters {
    /// Whether the code runs once over all items or once for each.
    #[serde(default)]
    mode: Mode,
    /// The language.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "there is one language so far; the field keeps workflows clear when a second comes"
    )]
    language: Language,
    /// The source. In `runOnceForAllItems` it sees `$input.all()` and returns a list of items; in
    /// `runOnceForEachItem` it sees `$json` and returns one.
    js_code: String,
}

/// How often the code runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// Once, over all items.
    #[default]
    RunOnceForAllItems,
    /// Once for each item.
    RunOnceForEachItem,
}

/// The language of the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Language {
    /// JavaScript.
    #[default]
    #[serde(rename = "javaScript")]
    JavaScript,
}

#[async_trait]
impl Typed for Code {
    type Parameters = CodeParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "One item with the sum of all",
                fields: json!({
                    "jsCode": "const total = $input.all().reduce((sum, item) => sum + item.json.amount, 0);\n\
                               return [{ json: { total } }];",
                }),
                input: json!([{ "amount": 2 }, { "amount": 3 }]),
                output: json!([[{ "total": 5 }]]),
            },
            ..describe::node(
                Group::Transform,
                "code",
                "Code",
                "Runs JavaScript of your own over the items, under limits of time and memory, without network or files. \
                 Lines of console.log go to the execution log.",
            )
        }
    }

    fn check(&self, parameters: &CodeParameters) -> Vec<(String, String)> {
        if parameters.js_code.trim().is_empty() {
            return vec![("jsCode".to_owned(), "write the code to run".to_owned())];
        }
        match crate::sandbox::check_code(&parameters.js_code) {
            Ok(()) => Vec::new(),
            Err(message) => vec![("jsCode".to_owned(), message)],
        }
    }

    fn is_literal(&self, path: &str) -> bool {
        path == "jsCode"
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: CodeParameters = call.parameters(0)?;
        let mode = match parameters.mode {
            Mode::RunOnceForAllItems => CodeMode::AllItems,
            Mode::RunOnceForEachItem => CodeMode::EachItem,
        };
        let request = CodeRequest {
            language: CodeLanguage::JavaScript,
            mode,
            source: &parameters.js_code,
            scope: call.scope(),
            timeout_ms: call.node.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS),
        };
        let output = call.host.run_code(request).await?;
        for (level, line) in output.logs {
            call.host.log(level, line, None);
        }
        let items = match mode {
            CodeMode::AllItems => returned::from_all_items(output.value)?,
            CodeMode::EachItem => returned::from_each_item(output.value)?,
        };
        Ok(Outcome::items(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::LogLevel;
    use crate::nodes::testing::Trial;

    #[test]
    fn code_runs_once_or_for_each_item() {
        let input = json!([{ "n": 1 }, { "n": 2 }]);
        let all = Trial::of(
            "code",
            json!({ "jsCode": "return $input.all().map(item => ({ n: item.json.n * 10 }));" }),
        );
        assert_eq!(all.input(input.clone()).outputs(), Ok(json!([[{ "n": 10 }, { "n": 20 }]])));
        let each =
            json!({ "mode": "runOnceForEachItem", "jsCode": "return $json.n > 1 ? { n: $json.n } : null;" });
        let each = Trial::of("code", each).input(input);
        assert_eq!(each.outputs(), Ok(json!([[{ "n": 2 }]])));
        assert_eq!(each.origins(), [vec![(0, 1)]]);
    }

    #[test]
    fn lines_of_the_console_are_logged() {
        let trial = Trial::of(
            "code",
            json!({ "jsCode": "console.log('seen', 1); console.error('bad'); return [];" }),
        );
        trial.run().unwrap();
        let logs = trial.host.logs.lock().unwrap().clone();
        assert_eq!(logs, [(LogLevel::Info, "seen 1".to_owned()), (LogLevel::Error, "bad".to_owned())]);
    }

    #[test]
    fn what_the_code_throws_is_the_error() {
        let error = Trial::of("code", json!({ "jsCode": "throw new Error('no luck');" })).run().unwrap_err();
        assert!(error.message.contains("no luck"), "{}", error.message);
    }

    #[test]
    fn an_equals_sign_does_not_make_code_an_expression() {
        let fields = json!({ "jsCode": "=1; return [{ a: '{{ no expression }}' }];" });
        assert_eq!(Code.check(&serde_json::from_value(fields).unwrap()).len(), 1);
        let fields = json!({ "jsCode": "return [{ a: '={{ $json.n }}' }];" });
        assert_eq!(Trial::of("code", fields).outputs(), Ok(json!([[{ "a": "={{ $json.n }}" }]])));
    }

    #[test]
    fn code_that_cannot_be_parsed_is_refused() {
        for code in ["", "return [;"] {
            let problems = Code.check(&serde_json::from_value(json!({ "jsCode": code })).unwrap());
            assert_eq!(problems[0].0, "jsCode");
        }
    }
}
