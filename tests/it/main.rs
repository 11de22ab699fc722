//! Mailroom from outside: the real core over real HTTP against the practice tenant, real processes, real files.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod after_import;
mod bad_input;
mod bundle;
mod cli;
mod connecting;
mod crash;
mod doctor;
mod doors;
mod folders;
mod forwarding;
mod handing_over;
mod imap;
mod importing;
mod issuer;
mod keychain;
mod layers;
mod life;
mod loopback;
mod polling;
mod practised;
mod practising;
mod replying;
mod shared;
mod silence;
mod smtp;
mod webview_rules;
mod world;
