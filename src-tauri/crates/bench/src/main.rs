//! How fast imports are: messages a second, processor time and memory, beside others at the same work in the same run.
//! Every import runs in a process of its own; rounds alternate, so that a busy computer slows all of them down.
//!
//! `mailroom-bench [graph|imap|delivery]… [SIZE…] [--rounds N]`: all three unless named; sizes are 300 and 10,000 unless
//! named, rounds are 3.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what it is for"
)]

mod comparison;
mod connection;
mod delivery;
mod engine;
mod floor;
mod imap;
mod maildir;
mod peers;
mod tenant;
mod usage;

use comparison::Comparison;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::process::ExitCode;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Mails in the mailbox, where no larger size is asked for.
const MAILBOX: u32 = 10_000;
/// Where the server is, for the measured processes.
const SERVER: &str = "MAILROOM_BENCH_SERVER";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["tenant"] => tenant::serve(),
        ["engine", size] => measured(size, engine::import),
        ["floor", size] => measured(size, floor::import),
        ["imap-engine", size] => measured(size, imap::import),
        ["imap-engine-delivery", count] => measured(count, delivery::receive),
        ["mbsync", size] => measured(size, peers::mbsync),
        ["mbsync-notmuch", size] => measured(size, peers::mbsync_and_notmuch),
        words => compare(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}

/// Does one import in this process and prints what it took.
fn measured<S: DeserializeOwned, T: Serialize, F: Future<Output = Outcome<T>>>(
    size: &str,
    import: impl FnOnce(S, u32) -> F,
) -> Outcome<()> {
    let server: S = serde_json::from_str(&std::env::var(SERVER)?)?;
    let taken = runtime()?.block_on(import(server, size.parse()?))?;
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

fn compare(words: &[&str]) -> Outcome<()> {
    let mut asked = Comparison {
        sizes: Vec::new(),
        rounds: 3,
    };
    let mut subjects = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--rounds" => {
                asked.rounds = words.next().ok_or("--rounds takes a number")?.parse()?;
            }
            "graph" | "imap" | "delivery" => subjects.push(*word),
            size => asked.sizes.push(size.parse()?),
        }
    }
    if asked.sizes.is_empty() {
        asked.sizes.extend([300, MAILBOX]);
    }
    let all = |subject| subjects.is_empty() || subjects.contains(&subject);
    if all("graph") {
        tenant::compare(&asked)?;
    }
    if all("imap") || all("delivery") {
        imap::compare(&asked, all("imap"), all("delivery"))?;
    }
    Ok(())
}
