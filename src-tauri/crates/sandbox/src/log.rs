//! What was asked of the sandbox: every request with its answer, and how many were in flight at once.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Requests kept; the oldest go first.
const KEPT: usize = 20_000;

/// One request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// Running number since the start or the last reset.
    pub(crate) number: u64,
    /// When it came in.
    pub(crate) at: Timestamp,
    /// `GET`, `POST`, ...
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// HTTP status of the answer; 0 while it is being worked on.
    pub(crate) status: u16,
    /// How long the answer took, in milliseconds.
    pub(crate) took_ms: u64,
    /// Primary address of the mailbox it touched, if any.
    pub(crate) mailbox: Option<String>,
    /// `none`, `bearer` or `other`: what the Authorization header held. Never the token.
    pub(crate) token: &'static str,
    /// Grant type of a token request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_type: Option<String>,
}

/// How many requests of a mailbox were worked on at once.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Flight {
    /// Now.
    pub(crate) in_flight: u32,
    /// At most, since the start or the last reset.
    pub(crate) peak: u32,
    /// In all, since the start or the last reset.
    pub(crate) total: u64,
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    next: u64,
    entries: VecDeque<Entry>,
    flights: BTreeMap<String, Flight>,
}

impl RequestLog {
    /// Notes a request that starts; returns its number for [`RequestLog::end`].
    pub(crate) fn begin(
        &mut self,
        at: Timestamp,
        method: &str,
        path: &str,
        mailbox: Option<&str>,
        token: &'static str,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        if let Some(mailbox) = mailbox {
            let flight = self.flights.entry(mailbox.to_owned()).or_default();
            flight.in_flight += 1;
            flight.total += 1;
            flight.peak = flight.peak.max(flight.in_flight);
        }
        self.entries.push_back(Entry {
            number,
            at,
            method: method.to_owned(),
            path: path.to_owned(),
            status: 0,
            took_ms: 0,
            mailbox: mailbox.map(str::to_owned),
            token,
            grant_type: None,
        });
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
        number
    }

    /// Notes the answer of a request. A number from before a reset is ignored.
    pub(crate) fn end(
        &mut self,
        number: u64,
        mailbox: Option<&str>,
        status: u16,
        took_ms: u64,
        grant_type: Option<&str>,
    ) {
        if let Some(flight) = mailbox.and_then(|m| self.flights.get_mut(m)) {
            flight.in_flight = flight.in_flight.saturating_sub(1);
        }
        if let Some(entry) = self.entries.iter_mut().rev().find(|e| e.number == number) {
            entry.status = status;
            entry.took_ms = took_ms;
            entry.grant_type = grant_type.map(str::to_owned);
        }
    }

    /// Forgets everything but what is in flight now.
    pub(crate) fn reset(&mut self) {
        self.entries.clear();
        for flight in self.flights.values_mut() {
            flight.peak = flight.in_flight;
            flight.total = 0;
        }
    }

    /// The requests, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Requests at once, by mailbox.
    pub(crate) fn flights(&self) -> &BTreeMap<String, Flight> {
        &self.flights
    }
}
