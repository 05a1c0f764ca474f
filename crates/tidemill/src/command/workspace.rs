//! Workflow files on the disk.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// Largest workflow file that is read.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a JSON file; `-` is standard input.
pub(super) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let reader: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    let mut text = String::new();
    let read = reader.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(read as u64 <= MAX_FILE_BYTES, "{} is larger than {MAX_FILE_BYTES} bytes", path.display());
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}
