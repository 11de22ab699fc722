//! Waiting for mail by IDLE (RFC 2177), on a session of its own.

use super::parsed::parsed;
use super::place::{Place, Point};
use super::refusal::{Asked, broken};
use super::room::Room;
use super::session::{Session, protocol};
use super::wire::WireError;
use crate::provider::{Cursor, ProviderError};
use imap_proto::{MailboxDatum, Response, Status};
use std::time::Duration;
use tokio::time::Instant;

/// Lines that one wait may bring: servers say now and then that they are still there.
const MOST_LINES: u32 = 10_000;

/// A folder that is being watched for new mail. Dropping it hangs up.
pub struct Watch {
    session: Session,
    /// Messages in the folder, as far as is known.
    exists: u32,
    /// Mail arrived since the place that the caller knows of.
    missed: bool,
}

impl Watch {
    /// Opens `folder` for watching; nothing where the server has no IDLE.
    pub(super) async fn begin(
        mut session: Session,
        folder: &str,
        after: Option<&Cursor>,
    ) -> Result<Option<Self>, ProviderError> {
        if !session.can("IDLE") {
            return Ok(None);
        }
        let selected = session.select(folder).await?;
        let place = after.and_then(|cursor| Place::parse(&cursor.0));
        let missed = match place.map(|place| place.point) {
            Some(Point::After(validity, last)) => {
                validity != selected.uid_validity || selected.uid_next > last.saturating_add(1)
            }
            Some(Point::Round { .. }) | None => true,
        };
        Ok(Some(Self {
            session,
            exists: selected.exists,
            missed,
        }))
    }

    /// Waits until mail arrives. The request is made anew every `renew`, which must be less than the 29 minutes after
    /// which servers hang up (RFC 2177); a shorter time finds a dead line sooner.
    ///
    /// # Errors
    /// Any [`ProviderError`]; then the line is of no more use.
    pub async fn news(&mut self, renew: Duration) -> Result<(), ProviderError> {
        if std::mem::take(&mut self.missed) {
            return Ok(());
        }
        loop {
            if self.once(renew).await? {
                return Ok(());
            }
        }
    }

    /// One IDLE; gives whether mail arrived.
    async fn once(&mut self, renew: Duration) -> Result<bool, ProviderError> {
        let silence = self.session.patience.silence;
        let tag = self.session.begin("IDLE").await?;
        let end = Instant::now() + renew;
        let (mut waiting, mut news) = (false, false);
        let mut room = Room::listing();
        for _ in 0..MOST_LINES {
            // The server answers at once that it waits; from then on it may be silent.
            let until = match waiting {
                true => end,
                false => Instant::now() + silence,
            };
            if !self.says_something(until).await? {
                match waiting {
                    true => break,
                    false => return Err(broken(WireError::TimedOut)),
                }
            }
            let deadline = Instant::now() + silence;
            let received = self.session.wire.response(deadline, &mut room).await;
            let received = received.map_err(broken)?;
            if received.bytes.starts_with(b"+") {
                if waiting {
                    return Err(protocol("continuation"));
                }
                waiting = true;
            } else {
                match parsed(&received.bytes) {
                    Some(Response::Data {
                        status: Status::Bye,
                        ..
                    }) => return Err(self.session.refused(&received.bytes, true)),
                    // Ended without being asked to.
                    Some(Response::Done {
                        status: Status::Ok, ..
                    }) => return Err(protocol("idle")),
                    Some(Response::Done { .. }) => {
                        return Err(self.session.refused(&received.bytes, false));
                    }
                    Some(response) => news |= is_news(&mut self.exists, &response),
                    None => {}
                }
            }
            if waiting && news {
                break;
            }
        }
        self.session.wire.send("DONE").await.map_err(broken)?;
        let work = self.session.talk(Asked::Other);
        let exists = &mut self.exists;
        let ended = self
            .session
            .finish(vec![tag], work, |response, _| {
                news |= is_news(exists, response);
            })
            .await?;
        ended.all_well()?;
        Ok(news)
    }

    async fn says_something(&mut self, until: Instant) -> Result<bool, ProviderError> {
        self.session
            .wire
            .says_something(until)
            .await
            .map_err(broken)
    }
}

/// Follows the number of messages; gives whether one was added.
fn is_news(exists: &mut u32, response: &Response<'_>) -> bool {
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => {
            let more = *count > *exists;
            *exists = *count;
            more
        }
        Response::Expunge(_) => {
            *exists = exists.saturating_sub(1);
            false
        }
        _ => false,
    }
}
