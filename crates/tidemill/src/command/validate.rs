//! `tidemill validate`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use engine::Definition;
use engine::definition::Severity;

use super::say;
use super::workspace::WorkflowFile;

/// Check a workflow file and say everything that is wrong with it
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Workflow files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the problems as JSON, one object a file
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let catalogue = nodes::catalogue(&nodes::egress::Client::new(&nodes::egress::Settings::default())?);
        let mut failed = false;
        for file in &self.files {
            let problems = match Definition::from_json(WorkflowFile::read(file)?.definition) {
                Ok(definition) => definition.validate(&catalogue).problems,
                Err(problem) => vec![problem],
            };
            let is_bad = problems.iter().any(|problem| problem.severity == Severity::Error);
            failed |= is_bad;
            if self.json {
                say(
                    serde_json::json!({ "file": file.display().to_string(), "valid": !is_bad, "problems": problems }),
                );
                continue;
            }
            for problem in &problems {
                let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
                say(format_args!("{}: {severity}: {problem}", file.display()));
            }
            if !is_bad {
                say(format_args!("{}: valid", file.display()));
            }
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
