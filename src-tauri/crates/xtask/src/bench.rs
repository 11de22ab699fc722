//! `cargo xtask bench`: how fast imports are, beside others at the same work in the same run.

use crate::{packages, process, rust};

/// Builds `mailroom-bench` optimised and runs it; `args` go there.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    packages::ensure(&[packages::BUILD, packages::BENCH])?;
    process::run(
        rust::cargo("run")
            .args([
                "--locked",
                "--profile",
                "measured",
                "-p",
                "mailroom-bench",
                "--",
            ])
            .args(args),
    )
}
