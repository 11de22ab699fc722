//! The user interface's packages and its build.

use crate::{place, process, stamp};
use std::path::Path;
use std::process::Command;

/// The oldest Node that the locked packages support.
const OLDEST_NODE: u32 = 20;

/// Installs the locked packages, without their install scripts, unless they are there already.
pub(crate) fn install() -> Result<(), String> {
    check_node()?;
    install_in(&place::ui(), "npm-ui")
}

/// The same for another folder with a lock file; `name` tells the stamps apart.
pub(crate) fn install_in(folder: &Path, name: &str) -> Result<(), String> {
    let lock = stamp::fingerprint(&[folder.join("package-lock.json")], &[])?;
    if stamp::fresh(name, &lock) && folder.join("node_modules").is_dir() {
        return Ok(());
    }
    println!("Installing the npm packages of {}", folder.display());
    process::run(
        npm()
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )?;
    stamp::set(name, &lock)
}

/// Builds ui/dist unless its sources are unchanged since the last build.
pub(crate) fn build() -> Result<(), String> {
    let sources = stamp::fingerprint(&[place::ui()], &["node_modules", "dist"])?;
    if stamp::fresh("ui-build", &sources) && place::ui().join("dist/index.html").is_file() {
        return Ok(());
    }
    println!("Building the user interface");
    process::run(npm().args(["run", "build"]).current_dir(place::ui()))?;
    // Taken again: a build step may format or generate a source file.
    let sources = stamp::fingerprint(&[place::ui()], &["node_modules", "dist"])?;
    stamp::set("ui-build", &sources)
}

/// The OpenID provider that `tests/it` signs in at.
pub(crate) fn install_issuer() -> Result<(), String> {
    install_in(&place::root().join("tests/it/issuer"), "npm-issuer")
}

/// `npm`, which is a script with another name on Windows.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

fn check_node() -> Result<(), String> {
    let version = process::read(Command::new("node").arg("--version")).unwrap_or_default();
    let has_npm = process::succeeds(npm().arg("--version"));
    if has_npm && major(&version).is_some_and(|major| major >= OLDEST_NODE) {
        return Ok(());
    }
    let found = version.trim();
    let found = if found.is_empty() { "none" } else { found };
    Err(format!(
        "Node {OLDEST_NODE} or newer with npm is needed to build the window (found: {found}). \
         Install it from https://nodejs.org or with your system's package tool."
    ))
}

/// The first number of a version like `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nodes_major_version() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major(""), None);
    }
}
