//! `cargo xtask bench`: how fast imports are, beside a floor measured in the same run.

use crate::{packages, process, rust};

/// Builds the release binary of the command line and runs its `bench` task; `args` go there.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    packages::ensure(&[packages::BUILD])?;
    process::run(
        rust::cargo("run")
            .args([
                "--locked",
                "--release",
                "-p",
                "mailroom-cli",
                "--bin",
                "bench",
                "--",
            ])
            .args(args),
    )
}
