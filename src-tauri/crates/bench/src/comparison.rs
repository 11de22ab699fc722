//! Runs of several programs at the same work, by turns, and what one takes in terms of the others.

use crate::usage::Usage;
use crate::{Outcome, SERVER};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// What is compared.
pub(crate) struct Comparison {
    /// Numbers of newest mails to import.
    pub(crate) sizes: Vec<u32>,
    /// How often each one runs.
    pub(crate) rounds: usize,
}

impl Comparison {
    /// The largest number of mails that is asked for.
    pub(crate) fn most(&self) -> u32 {
        self.sizes.iter().copied().max().unwrap_or_default()
    }

    /// Lets the contenders import and prints the medians, and the first contender's figures divided by the others'.
    /// `server` is what they are told of the server. Returns the medians of each size, in the contenders' order.
    pub(crate) fn run(
        &self,
        server: &str,
        contenders: &[&str],
    ) -> Outcome<BTreeMap<u32, Vec<Usage>>> {
        let mut all_medians = BTreeMap::new();
        for size in &self.sizes {
            let mut figures: Vec<Vec<Usage>> = vec![Vec::new(); contenders.len()];
            for round in 1..=self.rounds {
                for (kind, all) in contenders.iter().zip(&mut figures) {
                    let usage: Usage = run(server, kind, *size)?;
                    eprintln!("round {round}: {kind:14} {size:>6} mails: {usage}");
                    all.push(usage);
                }
            }
            let medians: Vec<Usage> = figures.iter().map(|all| Usage::median(all)).collect();
            println!("newest {size}, median of {}:", self.rounds);
            for (kind, median) in contenders.iter().zip(&medians) {
                println!("  {kind:14} {median}");
            }
            for (kind, other) in contenders.iter().zip(&medians).skip(1) {
                println!(
                    "  {} / {kind}: time {:.2}, processor {:.2}, memory {:.2}",
                    contenders[0],
                    medians[0].seconds / other.seconds,
                    medians[0].cpu_seconds / other.cpu_seconds,
                    medians[0].peak_mib / other.peak_mib
                );
            }
            all_medians.insert(*size, medians);
        }
        Ok(all_medians)
    }
}

/// Prints a figure beside the most that it is to be, and whether it is.
pub(crate) fn target(what: &str, figure: f64, most: f64) {
    let verdict = if figure <= most { "met" } else { "MISSED" };
    println!("  target: {what} {figure:.2}, at most {most}: {verdict}");
}

/// Runs one contender in a process of its own. Returns what it measured.
pub(crate) fn run<T: DeserializeOwned>(server: &str, kind: &str, size: u32) -> Outcome<T> {
    let output = Command::new(std::env::current_exe()?)
        .args([kind, &size.to_string()])
        .env(SERVER, server.trim())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{kind} {size} ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
