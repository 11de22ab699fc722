//! Calling cargo.
//!
//! Checks, tests and the window share one selection of packages and features, because every other
//! selection compiles the common dependencies once more.

use crate::place;
use std::process::Command;

/// What the whole run is built with: the window, and the types for TypeScript.
const FEATURES: &str = "mailroom-desktop/gui,mailroom-core/bindings";

/// `cargo SUBCOMMAND` at the root.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand).current_dir(place::root());
    command
}

/// `cargo SUBCOMMAND --workspace` with the features of the whole run and the lock file as it is.
pub(crate) fn everything(subcommand: &str) -> Command {
    let mut command = cargo(subcommand);
    command.args(["--locked", "--workspace", "--features", FEATURES]);
    command
}

/// Builds every program and every test.
pub(crate) fn build_everything() -> Result<(), String> {
    crate::process::run(everything("build").args(["--bins", "--tests"]))
}
