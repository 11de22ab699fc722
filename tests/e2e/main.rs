//! The real window, driven end to end: WebKitWebDriver under Xvfb, a real browser for the sign-in, a real
//! message bus and keychain. Linux only. `cargo xtask test --only window` runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod browser;
mod hand_off;
mod mail_server;
mod main_path;
mod practise;
mod processes;
mod start_up;
mod window;
mod world;
