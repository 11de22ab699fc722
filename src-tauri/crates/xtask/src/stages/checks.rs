//! Checks that are no tests: each counts as one.

use crate::count::Count;
use crate::{bindings, place, process, rust};
use std::process::Command;

/// rustfmt at its defaults.
pub(super) fn format() -> Result<Count, String> {
    process::run(rust::cargo("fmt").args(["--all", "--check"]))?;
    Ok(Count::ONE)
}

/// clippy over everything, the window included.
pub(super) fn lint() -> Result<Count, String> {
    process::run(rust::everything("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    Ok(Count::ONE)
}

/// cargo-deny where it is installed. Advisories need the network and run apart from this.
pub(super) fn deny() -> Result<Count, String> {
    if process::find("cargo-deny").is_none() {
        println!(
            "cargo-deny is not installed (cargo install cargo-deny --locked): nothing checked"
        );
        return Ok(Count::default());
    }
    process::run(
        Command::new("cargo-deny")
            .args([
                "--offline",
                "--all-features",
                "check",
                "bans",
                "licenses",
                "sources",
            ])
            .current_dir(place::root()),
    )?;
    Ok(Count::ONE)
}

/// The TypeScript side of the API is up to date.
pub(super) fn bindings() -> Result<Count, String> {
    bindings::check_fresh()?;
    Ok(Count::ONE)
}
