//! Compiling everything, and the tests that need no window.

use crate::count::{self, Count};
use crate::{place, process, rust};
use std::process::Command;

/// Compiles every program and test once; later stages find them done.
pub(super) fn build() -> Result<Count, String> {
    rust::build_everything()?;
    Ok(Count::ONE)
}

/// `cargo test` over all crates and `tests/it`.
pub(super) fn rust() -> Result<Count, String> {
    rust::build_everything()?;
    let mut command = rust::everything("test");
    command.args(["--no-fail-fast", "--lib", "--bins"]);
    for name in integration_tests() {
        command.args(["--test", &name]);
    }
    command
        .env("MAILROOM_CLI", place::built("mailroom"))
        // These only write the TypeScript types; the stage `bindings` has compared them.
        .args(["--", "--skip", "export_bindings"]);
    counted(&mut command)
}

/// Runs a `cargo test` command and counts its results.
pub(super) fn counted(command: &mut Command) -> Result<Count, String> {
    let (ok, output) = process::tee(command)?;
    let count = count::cargo_test(&output);
    match (ok, count) {
        (false, Count { failed: 0, .. }) => {
            Err("cargo test failed without naming a test".to_owned())
        }
        (true, Count { passed: 0, .. }) => Err("cargo test ran no test".to_owned()),
        _ => Ok(count),
    }
}

/// `it`, and whatever integration tests the crates have; the window's tests have a stage of their own.
fn integration_tests() -> Vec<String> {
    let mut names = vec!["it".to_owned()];
    let crates = place::root().join("src-tauri/crates");
    for member in std::fs::read_dir(crates).into_iter().flatten().flatten() {
        for test in std::fs::read_dir(member.path().join("tests"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = test.path();
            let is_test = path.extension().is_some_and(|extension| extension == "rs")
                || path.join("main.rs").is_file();
            if is_test && let Some(name) = path.file_stem() {
                names.push(name.to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    names.dedup();
    names
}
