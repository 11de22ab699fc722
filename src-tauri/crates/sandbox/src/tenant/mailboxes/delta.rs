//! One round of "what changed in this folder", page by page.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::folder::Change;
use super::ids::{FolderKey, IdKind, Key};
use super::{Mailbox, Mailboxes};

/// With a filter, a first round tells at most so many messages ("message: delta", OData query parameters).
pub(crate) const MOST_WITH_FILTER: usize = 5_000;

/// Where a client stands in a folder's changes; travels inside the opaque tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// The folder.
    pub(crate) folder: FolderKey,
    /// The event number at the start of this round.
    pub(crate) start: u64,
    /// How far this round has come.
    pub(crate) at: Position,
    /// Only messages received at or after this instant.
    pub(crate) from: Option<Timestamp>,
    /// How many messages the first round has told.
    pub(crate) told: usize,
    /// The generation of tokens this one belongs to.
    pub(crate) generation: u64,
}

/// How far a round has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Position {
    /// A first round lists what is there, newest first; this one was told last.
    Listing(Option<(Timestamp, Key)>),
    /// A later round tells events after this number.
    Events(u64),
}

/// One page of a round.
#[derive(Debug)]
pub(crate) struct Page {
    /// What is told.
    pub(crate) changes: Vec<Change>,
    /// Where the client stands afterwards.
    pub(crate) next: Round,
    /// Whether the round goes on (nextLink) or is over (deltaLink).
    pub(crate) more: bool,
}

/// Why a token is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sync state is not known any more")]
pub(crate) struct Expired;

impl Mailbox {
    /// Starts a first round over `folder`.
    #[must_use]
    pub(crate) fn first_round(&self, folder: FolderKey, from: Option<Timestamp>) -> Round {
        Round {
            folder,
            start: self.counters.event,
            at: Position::Listing(None),
            from,
            told: 0,
            generation: self.counters.delta_generation,
        }
    }

    /// The next page of `round`, of at most `limit` entries that `wanted` accepts. In the view of
    /// immutable ids a message that left and came back was never away.
    ///
    /// # Errors
    /// [`Expired`] when the token's generation or its removals are gone.
    pub(crate) fn delta_page(
        &self,
        round: &Round,
        limit: usize,
        kind: IdKind,
        wanted: impl Fn(&Change) -> bool,
    ) -> Result<Page, Expired> {
        let folder = self.folder(round.folder).ok_or(Expired)?;
        if round.generation != self.counters.delta_generation
            || round.start > self.counters.event
            || round.start < folder.log.forgotten_until
        {
            return Err(Expired);
        }
        let in_range = |received: Timestamp| round.from.is_none_or(|from| received >= from);
        match round.at {
            Position::Listing(last) => {
                let below = last.unwrap_or((Timestamp::MAX, Key::MAX));
                let room = match round.from {
                    Some(_) => MOST_WITH_FILTER.saturating_sub(round.told).min(limit),
                    None => limit,
                };
                let mut rest = folder
                    .by_time
                    .range(..below)
                    .rev()
                    .take_while(|(time, _)| in_range(*time));
                let entries: Vec<(Timestamp, Key)> = rest.by_ref().take(room).copied().collect();
                let told = round.told + entries.len();
                let more =
                    rest.next().is_some() && (round.from.is_none() || told < MOST_WITH_FILTER);
                let at = if more {
                    Position::Listing(entries.last().copied().or(last))
                } else {
                    Position::Events(round.start)
                };
                let changes = entries
                    .into_iter()
                    .map(|(_, key)| Change::Created(key))
                    .collect();
                Ok(Page {
                    changes,
                    next: Round {
                        at,
                        told,
                        ..round.clone()
                    },
                    more,
                })
            }
            Position::Events(position) => {
                let mut changes = Vec::new();
                let mut reached = position;
                let mut more = false;
                for (event, change) in folder.log.since(position, round.start) {
                    let tell = wanted(&change)
                        && match &change {
                            Change::Created(key) | Change::Updated(key) => {
                                self.message(*key).is_some_and(|m| in_range(m.received))
                            }
                            Change::Removed(removal) => {
                                let back = self.message(removal.key).map(|m| m.folder);
                                in_range(removal.received)
                                    && !(kind == IdKind::Immutable && back == Some(round.folder))
                            }
                        };
                    if tell && changes.len() == limit {
                        more = true;
                        break;
                    }
                    reached = event;
                    if tell {
                        changes.push(change);
                    }
                }
                let start = if more { round.start } else { reached };
                let next = Round {
                    at: Position::Events(reached),
                    start,
                    ..round.clone()
                };
                Ok(Page {
                    changes,
                    next,
                    more,
                })
            }
        }
    }
}

impl Mailboxes {
    /// In the scenario `delta-expired` every third later round finds its token expired; counts one round
    /// and says whether this is such a one.
    pub(crate) fn next_round_expires(&mut self) -> bool {
        self.delta_rounds += 1;
        self.delta_rounds.is_multiple_of(3)
    }
}

#[cfg(test)]
mod tests;
