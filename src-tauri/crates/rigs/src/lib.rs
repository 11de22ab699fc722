//! Real mail servers on this computer, for tests and measurements: unprivileged ports on the loopback, TLS with an
//! authority of their own, folders of their own. Each ends when it is dropped. Knows nothing of the product, and the
//! product knows nothing of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rig that does not stand is a test that fails"
)]

pub mod dovecot;
mod papers;
pub mod postfix;

pub use papers::Papers;

use std::time::{Duration, Instant};

/// The address that the servers' mailbox belongs to.
pub const SUPPORT: &str = "support@contoso.example";

const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `look` gives something, for half a minute at most. `what` is what is waited for.
///
/// # Panics
///
/// When the half minute is over.
pub async fn wait<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// A small mail to [`SUPPORT`], lines ended by LF; `more` are further header lines, each with its end.
pub fn mail(message_id: &str, subject: &str, more: &str) -> String {
    format!(
        "From: Ida Test <ida@fabrikam.example>\nTo: {SUPPORT}\nSubject: {subject}\n\
         Message-ID: <{message_id}>\nDate: Fri, 20 Nov 2026 09:00:00 +0000\n{more}\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nHello, this is {subject}.\n"
    )
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
