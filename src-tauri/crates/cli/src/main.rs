//! `mailroom`: the same core as the window, in a terminal.
//!
//! Results go to standard output (`--json`: one JSON document), progress and notes to standard error. It never
//! asks anything. Exit code 0: done; 1: what was asked for failed, and the findings say why; 2: wrong usage.

mod args;
mod commands;
mod desktop;
mod print;
mod session;

use clap::Parser;
use mailroom_core::api::error::ErrorCode;
use std::process::ExitCode;
use tracing_subscriber::prelude::*;

/// What was asked for did not work out.
pub(crate) enum Failure {
    /// The core said no.
    Api(Box<mailroom_core::api::error::ApiError>),
    /// Addresses that are not well; their findings were printed.
    Findings,
    /// Wrong usage that the argument parser cannot see.
    Usage(String),
    /// Anything else, in a sentence.
    Other(String),
}

impl From<mailroom_core::api::error::ApiError> for Failure {
    fn from(error: mailroom_core::api::error::ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

/// 2 where the command line itself was wrong.
fn exit_code(code: ErrorCode) -> u8 {
    let usage = [
        ErrorCode::InvalidAddress,
        ErrorCode::InvalidClientId,
        ErrorCode::InvalidTenant,
        ErrorCode::OutOfRange,
        ErrorCode::RegistrationNeeded,
        ErrorCode::PasswordNeeded,
    ];
    if usage.contains(&code) { 2 } else { 1 }
}

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("MAILROOM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(shown)
        .with(mailroom_core::log::recent_lines())
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::note(&format!("The program cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let json = arguments.common.json;
    let language = session::language(&arguments.common);
    let done = runtime.block_on(commands::run(arguments));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Findings) => ExitCode::from(1),
        Err(Failure::Usage(text)) => {
            print::note(&text);
            ExitCode::from(2)
        }
        Err(Failure::Other(text)) => {
            print::note(&text);
            ExitCode::from(1)
        }
        Err(Failure::Api(error)) => {
            print::api_error(&error, json, &language);
            ExitCode::from(exit_code(error.code))
        }
    }
}
