//! The real window under a virtual display, with a real browser and a real keychain.

use super::tests::counted;
use crate::count::Count;
use crate::{place, rust};

/// Runs tests/e2e. They bring their own display, message bus and keychain.
pub(super) fn all() -> Result<Count, String> {
    if !cfg!(target_os = "linux") {
        println!(
            "The window's tests run on Linux (WebKitWebDriver under Xvfb): nothing checked here"
        );
        return Ok(Count::default());
    }
    rust::build_everything()?;
    counted(
        rust::everything("test")
            .args(["--no-fail-fast", "--test", "e2e"])
            .env("MAILROOM_DESKTOP", place::built("mailroom-desktop"))
            .env("MAILROOM_CLI", place::built("mailroom"))
            // Two windows at a time are as fast as two cores allow.
            .args(["--", "--test-threads", "2"]),
    )
}
