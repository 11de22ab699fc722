//! New messages since a place: UIDs only grow (RFC 3501 §2.3.1.1), so the place is the highest UID read, and where the
//! next UID is not above it, a poll is over after one command, however large the folder is. CONDSTORE and QRESYNC
//! (RFC 7162) save nothing beyond that: they tell of changed flags and removed messages, which nothing here depends on,
//! and Exchange Online has neither.

use super::listing::{day, search};
use super::place::{Place, Point, renumbered};
use super::session::{Selected, Session, protocol};
use crate::Millis;
use crate::provider::ProviderError;
use std::collections::BTreeSet;

/// Messages in one page.
const PAGE: usize = 250;
/// A day, for searches, which know whole days of the server's time zone only (RFC 3501 §6.4.4).
const DAY: Millis = 24 * 60 * 60 * 1000;

/// The page of changes, by numbers.
pub(super) struct Found {
    pub(super) validity: u32,
    pub(super) uids: Vec<u32>,
    /// Messages received earlier do not belong to it.
    pub(super) since: Millis,
    pub(super) next: crate::provider::Cursor,
    pub(super) more: bool,
}

/// The page of changes behind `point` of `folder`.
pub(super) async fn changes(
    session: &mut Session,
    folder: &str,
    point: Point,
) -> Result<Found, ProviderError> {
    let selected = session.select(folder).await?;
    let validity = selected.uid_validity;
    match point {
        Point::After(was, _)
        | Point::Round {
            last: Some((was, _)),
            ..
        } if was != validity => Err(renumbered(was, validity)),
        Point::After(_, last) => after(session, folder, selected, last).await,
        Point::Round { since, last } => {
            let last = last.map_or(0, |(_, uid)| uid);
            round(session, folder, selected, since, last).await
        }
    }
}

/// New messages behind the UID `last`.
async fn after(
    session: &mut Session,
    folder: &str,
    selected: Selected,
    last: u32,
) -> Result<Found, ProviderError> {
    let nothing_new = selected.uid_next > 0 && selected.uid_next <= last.saturating_add(1);
    let found = match last.checked_add(1).filter(|_| !nothing_new) {
        // UIDs have gaps, which may be wide; a search tells which are there.
        Some(first) => search(session, &format!("UID {first}:*")).await?,
        None => BTreeSet::new(),
    };
    let (uids, more) = page(found, last);
    let highest = uids.last().copied().unwrap_or(last);
    Ok(Found {
        validity: selected.uid_validity,
        uids,
        since: Millis::MIN,
        next: place(folder, Point::After(selected.uid_validity, highest)),
        more,
    })
}

/// One page of a first round: messages received since `since`, whatever their UIDs.
async fn round(
    session: &mut Session,
    folder: &str,
    selected: Selected,
    since: Millis,
    last: u32,
) -> Result<Found, ProviderError> {
    let validity = selected.uid_validity;
    let day = day(since.saturating_sub(DAY)).ok_or_else(|| protocol("since"))?;
    let first = last.saturating_add(1);
    let found = search(session, &format!("UID {first}:* SINCE {day}")).await?;
    let (uids, more) = page(found, last);
    let highest = uids.last().copied().unwrap_or(last);
    let next = match more {
        true => Point::Round {
            since,
            last: Some((validity, highest)),
        },
        // What arrived since the folder was opened has a UID of at least UIDNEXT and comes with the next poll.
        false => Point::After(validity, selected.uid_next.saturating_sub(1).max(highest)),
    };
    Ok(Found {
        validity,
        uids,
        since,
        next: place(folder, next),
        more,
    })
}

/// The lowest of `found` behind `last`, and whether there are more: `n:*` names the last message even if its UID is
/// below n.
fn page(found: BTreeSet<u32>, last: u32) -> (Vec<u32>, bool) {
    let mut behind = found.into_iter().filter(|uid| *uid > last);
    let uids: Vec<u32> = behind.by_ref().take(PAGE).collect();
    (uids, behind.next().is_some())
}

fn place(folder: &str, point: Point) -> crate::provider::Cursor {
    let folder = Some(folder.to_owned());
    Place { folder, point }.cursor()
}
