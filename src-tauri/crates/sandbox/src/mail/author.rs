//! Writes one mail after the other; the same seed writes the same mails.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::files::File;
use super::letter::{self, Oddities, Thread};
use super::special;
use super::words::Language;

/// How many conversations may go on at once.
const OPEN_THREADS: usize = 40;

/// The author of the practice tenant's mail.
#[derive(Debug)]
pub(crate) struct Author {
    rng: StdRng,
    to: String,
    threads: Vec<Thread>,
}

/// What the author wrote for one moment.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The mail that arrives.
    pub(crate) incoming: Vec<u8>,
    /// What an agent had answered before it, for Sent Items.
    pub(crate) sent: Option<(Timestamp, Vec<u8>)>,
}

impl Author {
    /// An author of mail to `to`.
    pub(crate) fn new(seed: u64, to: &str) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            to: to.to_owned(),
            threads: Vec::new(),
        }
    }

    /// A number below `end`.
    pub(super) fn dice(&mut self, end: u32) -> u32 {
        self.rng.random_range(0..end)
    }

    /// The next mail, as of `at`: all kinds in the mixture a support desk sees.
    pub(crate) fn next(&mut self, at: Timestamp) -> Written {
        let (kind, to) = (self.dice(1000), self.to.clone());
        let incoming = match kind {
            0..45 => special::newsletter(&mut self.rng, &to, at),
            45..85 => special::list_mail(&mut self.rng, &to, at),
            85..105 => special::invitation(&mut self.rng, &to, at),
            105..165 if !self.threads.is_empty() => {
                let mut thread = self.take_thread();
                let before = self.before(at);
                let sent = letter::answer(&mut self.rng, &to, before, &mut thread);
                let incoming = if kind < 135 {
                    special::auto_reply(&mut self.rng, &to, at, &thread)
                } else {
                    special::bounce(&mut self.rng, &to, at, &thread)
                };
                return Written {
                    incoming,
                    sent: Some((before, sent)),
                };
            }
            165..390 if !self.threads.is_empty() => {
                let mut thread = self.take_thread();
                let before = self.before(at);
                let sent = letter::answer(&mut self.rng, &to, before, &mut thread);
                let incoming = letter::follow_up(&mut self.rng, &to, at, &mut thread);
                if self.rng.random_bool(0.5) {
                    self.threads.push(thread);
                }
                return Written {
                    incoming,
                    sent: Some((before, sent)),
                };
            }
            _ => self.request(at),
        };
        Written {
            incoming,
            sent: None,
        }
    }

    /// A new request by a customer.
    pub(crate) fn request(&mut self, at: Timestamp) -> Vec<u8> {
        let language = match self.dice(100) {
            0..45 => Language::English,
            45..78 => Language::German,
            _ => Language::Japanese,
        };
        let writer = letter::writer(&mut self.rng, language);
        let rng = &mut self.rng;
        let mut often = |share: f64| rng.random_bool(share);
        let inline = often(0.06);
        let mut odd = Oddities {
            no_id: often(0.02),
            no_subject: often(0.015),
            no_text: often(0.012),
            long_subject: often(0.008),
            emoji: often(0.025),
            html: inline || often(0.25),
            inline,
            file: None,
        };
        if odd.no_text || often(0.14) {
            let files = [File::Pdf, File::Png, File::Csv, File::Zip];
            odd.file = Some(files[rng.random_range(0..files.len())]);
        }
        let (raw, thread) = letter::request(rng, &self.to, at, writer, odd);
        if !thread.ids.is_empty() && !odd.no_subject {
            self.threads.push(thread);
            if self.threads.len() > OPEN_THREADS {
                self.threads.remove(0);
            }
        }
        raw
    }

    fn take_thread(&mut self) -> Thread {
        let position = self.rng.random_range(0..self.threads.len());
        self.threads.swap_remove(position)
    }

    fn before(&mut self, at: Timestamp) -> Timestamp {
        let minutes = self.rng.random_range(8..50);
        at.checked_sub(SignedDuration::from_mins(minutes))
            .unwrap_or(at)
    }
}
