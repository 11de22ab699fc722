//! Sending in time with the server: no login hands over more messages a minute than servers take, however many addresses
//! share it and however often the program starts.

use super::Context;
use crate::provider::outbound::{Envelope, NotSent, Outbound, Sent};
use crate::store::sendings;
use std::time::Duration;

impl Context {
    /// Hands a message over, as soon as its login may send again (at most a minute later). It is tried once: whoever
    /// tries again must know that the message has not left ([`NotSent::may_have_left`]).
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(
        &self,
        outbound: &Outbound,
        envelope: &Envelope,
        raw: &[u8],
    ) -> Result<Sent, NotSent> {
        if let Outbound::Smtp(sender) = outbound {
            self.take_turn(sender.login()).await;
        }
        Box::pin(outbound.send(envelope, raw)).await
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
