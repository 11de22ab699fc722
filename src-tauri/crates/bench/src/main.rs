//! How fast imports are: messages a second, processor time and memory of importing from the practice tenant, beside
//! a floor measured in the same run. The tenant, each import and each floor run in a process of their own; rounds
//! alternate, so that a busy computer slows both down.
//!
//! `mailroom-bench [SIZE…] [--rounds N]`; sizes are 300 and 10,000 unless named, rounds are 3.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what it is for"
)]

mod connection;
mod engine;
mod floor;
mod usage;

use mailroom_sandbox::{Description, Options, Sandbox};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use usage::Usage;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Mails that the tenant is filled up to.
const MAILBOX: u32 = 10_000;
/// Where the tenant is, for the measured processes.
const TENANT: &str = "MAILROOM_BENCH_TENANT";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["tenant"] => tenant(),
        ["engine", size] => measured(size, engine::import),
        ["floor", size] => measured(size, floor::import),
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

/// The practice tenant, until its parent ends.
fn tenant() -> Outcome<()> {
    runtime()?.block_on(async {
        let sandbox = Sandbox::start(Options::default()).await?;
        println!("{}", serde_json::to_string(sandbox.description())?);
        let _ = tokio::task::spawn_blocking(|| {
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
        })
        .await?;
        sandbox.stop().await;
        Ok(())
    })
}

/// Does one import in this process and prints what it took.
fn measured<F: Future<Output = Outcome<Usage>>>(
    size: &str,
    import: impl FnOnce(Description, u32) -> F,
) -> Outcome<()> {
    let tenant: Description = serde_json::from_str(&std::env::var(TENANT)?)?;
    let usage = runtime()?.block_on(import(tenant, size.parse()?))?;
    println!("{}", serde_json::to_string(&usage)?);
    Ok(())
}

fn compare(words: &[&str]) -> Outcome<()> {
    let mut sizes = Vec::new();
    let mut rounds = 3;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--rounds" {
            rounds = words.next().ok_or("--rounds takes a number")?.parse()?;
        } else {
            sizes.push(word.parse::<u32>()?);
        }
    }
    if sizes.is_empty() {
        sizes.extend([300, MAILBOX]);
    }
    let most = sizes.iter().copied().max().unwrap_or(MAILBOX);
    let (mut tenant, description) = start_tenant()?;
    let compared = fill(&description, most).and_then(|()| {
        for size in &sizes {
            compare_size(&description, *size, rounds)?;
        }
        Ok(())
    });
    // Its input closes with this; killing only hastens the end.
    tenant.kill()?;
    tenant.wait()?;
    compared
}

fn compare_size(description: &str, size: u32, rounds: usize) -> Outcome<()> {
    let (mut engines, mut floors) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        for (kind, all) in [("engine", &mut engines), ("floor", &mut floors)] {
            let usage = run(description, kind, size)?;
            eprintln!("round {round}: {kind:6} {size:>6} mails: {usage}");
            all.push(usage);
        }
    }
    let (engine, floor) = (Usage::median(&engines), Usage::median(&floors));
    println!("newest {size}, median of {rounds}:");
    println!("  import  {engine}");
    println!("  floor   {floor}");
    println!(
        "  import / floor: time {:.2}, processor {:.2}, memory {:.2}",
        engine.seconds / floor.seconds,
        engine.cpu_seconds / floor.cpu_seconds,
        engine.peak_mib / floor.peak_mib
    );
    Ok(())
}

fn start_tenant() -> Outcome<(Child, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("tenant")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("the tenant has no output")?;
    let mut description = String::new();
    BufReader::new(stdout).read_line(&mut description)?;
    Ok((child, description))
}

/// Fills the support mailbox so that there are `mails` to import.
fn fill(description: &str, mails: u32) -> Outcome<()> {
    let description: Description = serde_json::from_str(description)?;
    let url = format!(
        "{}/_sandbox/mailbox/{}/fill?count={mails}",
        description.authority,
        connection::MAILBOX
    );
    runtime()?.block_on(async {
        let answer = reqwest::Client::new().post(url).send().await?;
        answer.error_for_status()?;
        Ok(())
    })
}

fn run(description: &str, kind: &str, size: u32) -> Outcome<Usage> {
    let output = Command::new(std::env::current_exe()?)
        .args([kind, &size.to_string()])
        .env(TENANT, description.trim())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{kind} {size} ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
