//! The real window under a virtual display, with a real browser and a real keychain.

use super::tests::counted;
use crate::count::Count;
use crate::{place, process, rust};
use std::process::Command;

/// Runs tests/e2e. They bring their own display, message bus and keychain.
pub(super) fn all() -> Result<Count, String> {
    if !cfg!(target_os = "linux") {
        println!(
            "The window's tests run on Linux (WebKitWebDriver under Xvfb): nothing checked here"
        );
        return Ok(Count::default());
    }
    rust::build_everything()?;
    // Two windows at a time are as fast as two cores allow.
    counted(tests().args(["--", "--test-threads", "2"]))
}

/// The main path once more, with pictures in target/pictures.
pub(super) fn pictures() -> Result<(), String> {
    rust::build_everything()?;
    let folder = place::target().join("pictures");
    process::run(
        tests()
            .args(["--", "main_path"])
            .env("MAILROOM_PICTURES", &folder),
    )?;
    println!("{}", folder.display());
    Ok(())
}

fn tests() -> Command {
    let mut command = rust::everything("test");
    command
        .args(["--no-fail-fast", "--test", "e2e"])
        .env("MAILROOM_DESKTOP", place::built("mailroom-desktop"))
        .env("MAILROOM_CLI", place::built("mailroom"));
    command
}
