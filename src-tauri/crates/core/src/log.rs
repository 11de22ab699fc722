//! The newest lines of this process's log, kept in memory for a support bundle. Lines come in without secrets.

use crate::diagnosis::redact::redact;
use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines that are kept.
pub const KEPT: usize = 500;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// What a program adds to its `tracing` subscriber so that a bundle has its log.
pub struct RecentLines(());

/// The layer that keeps the newest [`KEPT`] lines: everything of Mailroom's own but its traces, and warnings of others.
pub fn recent_lines() -> RecentLines {
    RecentLines(())
}

/// The kept lines, oldest first.
pub fn lines() -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().cloned().collect()
}

impl<S: Subscriber> Layer<S> for RecentLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let ours = about.target().starts_with("mailroom");
        let limit = if ours { Level::DEBUG } else { Level::WARN };
        if *about.level() > limit {
            return;
        }
        let mut words = Words(String::new());
        event.record(&mut words);
        let at = jiff::Timestamp::now();
        let line = format!("{at:.3} {} {}:{}", about.level(), about.target(), words.0);
        keep(redact(&line.replace(['\n', '\r'], " "), &[]));
    }
}

fn keep(line: String) {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    while lines.len() >= KEPT {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// An event's fields as text.
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = if field.name() == "message" {
            write!(self.0, " {value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn keeps_the_newest_lines_without_secrets() {
        let subscriber = tracing_subscriber::registry().with(recent_lines());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(answer = "refresh_token=CANARY-in-a-log", "First of many.");
            for number in 0..KEPT {
                tracing::info!(number, "Again. access_token=CANARY-in-a-message");
            }
            tracing::trace!("Too fine.");
            tracing::info!(target: "hyper", "Not ours.");
        });
        let lines = lines();
        assert!(lines.len() <= KEPT);
        assert!(lines.iter().any(|line| line.contains("number=499")));
        assert!(!lines.iter().any(|line| line.contains("First of many")));
        assert!(
            !lines.iter().any(|line| line.contains("CANARY")),
            "{lines:?}"
        );
        assert!(
            !lines
                .iter()
                .any(|line| line.contains("Not ours") || line.contains("Too fine"))
        );
    }
}
