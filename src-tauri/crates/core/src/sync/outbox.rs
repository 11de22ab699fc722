//! Sending in time with the server: no login hands over more messages a minute than servers take, however many addresses
//! share it and however often the program starts.

use super::Context;
use crate::provider::outbound::{Envelope, NotSent, Outbound, Sent};
use crate::store::sendings;
use std::time::Duration;

/// A login's leave to hand one message over. Whoever notes that a message is about to leave notes it only with this in
/// hand: a program that ends while it waits for its turn has sent nothing.
pub struct Turn<'a>(&'a Outbound);

impl Turn<'_> {
    /// Hands a message over. It is tried once: whoever tries again must know that the message has not left
    /// ([`NotSent::may_have_left`]).
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(self, envelope: &Envelope, raw: &[u8]) -> Result<Sent, NotSent> {
        Box::pin(self.0.send(envelope, raw)).await
    }

    /// As [`Turn::send`], where the server has `patience` to take the message.
    ///
    /// # Errors
    /// [`NotSent`]: where the time is over the message may have left.
    pub async fn send_within(
        self,
        patience: Duration,
        envelope: &Envelope,
        raw: &[u8],
    ) -> Result<Sent, NotSent> {
        Box::pin(self.0.send_within(patience, envelope, raw)).await
    }
}

impl Context {
    /// Waits until the login of `outbound` may send again: for each message before this one at most two seconds, and
    /// for a single one at most a minute.
    pub async fn turn<'a>(&self, outbound: &'a Outbound) -> Turn<'a> {
        if let Outbound::Smtp(sender) = outbound {
            self.take_turn(sender.login()).await;
        }
        Turn(outbound)
    }

    async fn take_turn(&self, login: String) {
        loop {
            let (login, now) = (login.clone(), self.clock.now());
            let turn = self
                .store
                .write(move |tx| sendings::begin(tx, &login, now))
                .await;
            match turn {
                Ok(None) => return,
                Ok(Some(wait)) => {
                    let wait = u64::try_from(wait).unwrap_or(1).min(60_000);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                Err(error) => {
                    // A full disk is what an alert may be about: better out of time than not at all.
                    tracing::warn!(%error, "What was sent cannot be noted.");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{EmailAddress, ImapAuth, SmtpServer, Tls};
    use crate::provider::imap::{Credentials, Trust};
    use crate::provider::smtp::SmtpSender;
    use crate::secrets::{Key, Secrets, SecretsError};
    use crate::store::Store;
    use crate::sync::{Clock, Connections};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct NoKey;

    impl Secrets for NoKey {
        fn load(&self) -> Result<Option<Key>, SecretsError> {
            Ok(None)
        }

        fn save(&self, _key: &Key) -> Result<(), SecretsError> {
            Ok(())
        }

        fn remove(&self) -> Result<(), SecretsError> {
            Ok(())
        }
    }

    async fn context(folder: &std::path::Path, clock: Clock) -> Context {
        let store = Store::open(folder).await.unwrap();
        let trust = Trust::new(Vec::new());
        let http = reqwest::Client::new();
        let connections = Connections::new(http, trust, store.clone(), Arc::new(NoKey));
        let (news, _) = tokio::sync::mpsc::unbounded_channel();
        Context::new(store, connections, clock, news)
    }

    /// The way of `address` to the server, by this login.
    fn way(address: &str, login: &str) -> Outbound {
        let server = SmtpServer {
            host: "mail.contoso.example".into(),
            port: 587,
            tls: Tls::StartTls,
            login: login.into(),
            auth: ImapAuth::Password,
            from: Vec::new(),
        };
        let trust = Arc::new(Trust::new(Vec::new()));
        let own = EmailAddress::parse(address).unwrap();
        Outbound::Smtp(SmtpSender::new(
            server,
            own,
            Credentials::Password("x".into()),
            trust,
        ))
    }

    #[tokio::test]
    async fn two_addresses_share_their_logins_turns_and_the_thirty_first_waits() {
        const MINUTE: crate::Millis = 60_000;
        let folder = tempfile::tempdir().unwrap();
        // Thirty looks at one instant, one a millisecond before the minute is over, and what follows after it.
        let looks = Arc::new(AtomicUsize::new(0));
        let looked = looks.clone();
        let clock = Clock::from_fn(move || match looked.fetch_add(1, Ordering::Relaxed) {
            0..30 => 1_000,
            30 => 1_000 + MINUTE - 1,
            _ => 1_000 + MINUTE,
        });
        let context = context(folder.path(), clock).await;
        let ways = ["support", "sales"].map(|name| way(&format!("{name}@contoso.example"), "kim"));
        for (number, way) in ways.iter().cycle().take(30).enumerate() {
            context.turn(way).await;
            assert_eq!(looks.load(Ordering::Relaxed), number + 1, "it did not wait");
        }
        context.turn(&ways[0]).await;
        assert_eq!(looks.load(Ordering::Relaxed), 32, "it waited once");
    }

    #[tokio::test]
    async fn another_login_does_not_wait_for_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let looks = Arc::new(AtomicUsize::new(0));
        let looked = looks.clone();
        let clock = Clock::from_fn(move || {
            looked.fetch_add(1, Ordering::Relaxed);
            1_000
        });
        let context = context(folder.path(), clock).await;
        let (kim, ada) = (
            way("support@contoso.example", "kim"),
            way("info@contoso.example", "ada"),
        );
        for _ in 0..30 {
            context.turn(&kim).await;
        }
        context.turn(&ada).await;
        assert_eq!(looks.load(Ordering::Relaxed), 31, "nobody waited");
    }
}
