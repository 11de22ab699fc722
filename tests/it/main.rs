//! Mailroom from outside: real processes, real files, a practice tenant on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod keychain;
mod layers;
mod webview_rules;
