//! The user interface's own checks and tests.

use crate::count::{self, Count};
use crate::{npm, place, process};
use std::process::Command;

/// `lint` (prettier and svelte-check, one check) and `test` (vitest), as ui/package.json defines them.
pub(super) fn all() -> Result<Count, String> {
    process::run(&mut script("lint"))?;
    let (ok, output) = process::tee(&mut script("test"))?;
    let mut count = count::vitest(&output);
    count.passed += 1;
    if !ok && count.failed == 0 {
        return Err("vitest failed without naming a test".to_owned());
    }
    if ok && count.passed == 1 {
        return Err("vitest ran no test".to_owned());
    }
    Ok(count)
}

/// `a11y`: axe-core in a real browser on every screen, in three languages and two themes.
pub(super) fn accessible() -> Result<Count, String> {
    process::run(&mut script("a11y"))?;
    Ok(Count::ONE)
}

fn script(name: &str) -> Command {
    let mut command = npm::npm();
    command
        .args(["run", "--silent", name])
        .current_dir(place::ui());
    command
}
