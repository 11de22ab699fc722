//! What an import took.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// Time, processor time and memory of one import.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) messages: u32,
    pub(crate) seconds: f64,
    /// Of this process, all its threads, in user and system mode. Not a number where the system does not tell.
    #[serde(with = "nan")]
    pub(crate) cpu_seconds: f64,
    /// The most memory in use at once since the process began.
    #[serde(with = "nan")]
    pub(crate) peak_mib: f64,
}

/// A running measurement.
pub(crate) struct Start {
    at: Instant,
    cpu_seconds: f64,
}

impl Start {
    /// Begins.
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            cpu_seconds: cpu_seconds().unwrap_or(f64::NAN),
        }
    }

    /// Ends, after `messages`.
    pub(crate) fn usage(&self, messages: u32) -> Usage {
        Usage {
            messages,
            seconds: self.at.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds().unwrap_or(f64::NAN) - self.cpu_seconds,
            peak_mib: peak_mib().unwrap_or(f64::NAN),
        }
    }
}

impl Usage {
    /// The median of each figure.
    pub(crate) fn median(all: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = all.iter().map(of).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Self {
            messages: all.first().map_or(0, |usage| usage.messages),
            seconds: middle(|usage| usage.seconds),
            cpu_seconds: middle(|usage| usage.cpu_seconds),
            peak_mib: middle(|usage| usage.peak_mib),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:7.0} mails/s {:7.2} s {:7.2} CPU s {:6.0} MiB at most",
            f64::from(self.messages) / self.seconds,
            self.seconds,
            self.cpu_seconds,
            self.peak_mib
        )
    }
}

/// `utime` and `stime` of proc(5), /proc/pid/stat, in clock ticks; Linux shows 100 a second to programs.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name stands in parentheses and may hold anything; utime is the 12th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

/// `VmHWM` of proc(5), /proc/pid/status, in KiB.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// JSON has no "not a number"; null stands for it.
mod nan {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|value| !value.is_nan()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
    }
}
