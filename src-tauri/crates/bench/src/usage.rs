//! What an import took.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// Time, processor time and memory of one import.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) messages: u32,
    pub(crate) seconds: f64,
    /// Of this process and of the programs it ran, in user and system mode. Not a number where the system does not tell.
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
            cpu_seconds: used().map_or(f64::NAN, |(seconds, _)| seconds),
        }
    }

    /// Ends, after `messages`.
    pub(crate) fn usage(&self, messages: u32) -> Usage {
        let seconds = self.at.elapsed().as_secs_f64();
        let (cpu_seconds, peak_mib) = used().unwrap_or((f64::NAN, f64::NAN));
        Usage {
            messages,
            seconds,
            cpu_seconds: cpu_seconds - self.cpu_seconds,
            peak_mib,
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

/// Processor time of this process and of the programs it ran and waited for (getrusage(2)), and the most memory that
/// one of them used.
#[cfg(unix)]
fn used() -> Option<(f64, f64)> {
    use nix::sys::resource::{UsageWho, getrusage};
    let own = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let others = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let mut seconds = 0.0;
    for time in [
        own.user_time(),
        own.system_time(),
        others.user_time(),
        others.system_time(),
    ] {
        seconds += time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    }
    // This program is small beside those that it only runs to measure them.
    let most = match others.max_rss() {
        0 => own.max_rss(),
        others => others,
    };
    let unit = if cfg!(target_os = "macos") {
        1024.0 * 1024.0
    } else {
        1024.0
    };
    Some((seconds, most as f64 / unit))
}

#[cfg(not(unix))]
fn used() -> Option<(f64, f64)> {
    None
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
