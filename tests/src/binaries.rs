//! Where the programs under test are.
//!
//! `make test` builds the whole workspace first, so they stand beside the test. A binary that is not there is built,
//! once; one that is there is taken as it is, so build it before you run these tests by themselves.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// Gives the path of a program of the workspace, after building it if it is not there.
#[must_use]
pub fn find(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let own = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test>
    let folder = own.parent().and_then(|deps| deps.parent()).expect("a test is in target/PROFILE/deps");
    let path = folder.join(name);
    // Another test that waits here finds it built; after a failure it may try again.
    let _building = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if path.is_file() {
        return path;
    }
    eprintln!("{} is not there: building it", path.display());
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--locked", "--package", name, "--bin", name]);
    if folder.file_name().is_some_and(|profile| profile == "release") {
        command.arg("--release");
    }
    let built = command.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(built.is_ok_and(|status| status.success()), "cargo build --package {name} failed");
    assert!(path.is_file(), "cargo build --package {name} made no {}", path.display());
    path
}
