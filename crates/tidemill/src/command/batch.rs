//! Batches: one JSON object a line in, one out, in order. A line that is wrong gives `{"error": "..."}`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer to a line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<T> {
    Ok(T),
    Error { error: String },
}

/// Answers each line of a file (`-` is standard input) on standard output.
pub(super) fn answer_lines<Q, A>(
    path: &Path,
    mut answer: impl FnMut(Q) -> Result<A, String>,
) -> anyhow::Result<()>
where
    Q: DeserializeOwned,
    A: Serialize,
{
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?))
    };
    let mut output = BufWriter::new(io::stdout().lock());
    for line in input.split(b'\n') {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(question) => answer(question).map_or_else(|error| Answer::Error { error }, Answer::Ok),
            Err(error) => Answer::Error { error: format!("not a line of this batch: {error}") },
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}
