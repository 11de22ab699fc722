//! The newest messages by the date at which the server received them. UIDs tell the order in which messages came
//! into the folder, and a mailbox that was moved or sorted by hand has old mail under high UIDs.

use super::listing::{Undated, instant, search, uid_of};
use super::place::{renumbered, server_id, uid_set};
use super::session::{Session, protocol};
use crate::Millis;
use crate::provider::ProviderError;
use imap_proto::{AttributeValue, Response};
use mail_parser::MessageParser;
use std::collections::BTreeMap;

/// Messages that are put into order at most; older ones by number are left out.
const MOST: u32 = 250_000;
/// Dates asked for in one command.
const PART: u32 = 50_000;
/// Headers asked for in one command.
const HEADERS: usize = 5_000;

/// A folder's messages, newest first.
pub(super) struct Order {
    folder: String,
    validity: u32,
    /// Negative dates and UIDs: sorted, the newest are first.
    messages: Vec<(Millis, u32)>,
}

/// A page of the newest messages, by numbers.
pub(super) struct Newest {
    pub(super) validity: u32,
    /// When they were received, and their UIDs; newest first.
    pub(super) messages: Vec<(Millis, u32)>,
    pub(super) next: Option<String>,
}

/// A page of up to `size` messages received at or before `until`; `page` is a former answer's `next`. `order` is kept
/// between pages.
pub(super) async fn newest(
    session: &mut Session,
    order: &mut Option<Order>,
    folder: &str,
    until: Millis,
    size: u32,
    page: Option<&str>,
) -> Result<Newest, ProviderError> {
    let behind = match page.map(parse) {
        None => None,
        Some(Some(behind)) => Some(behind),
        Some(None) => return Err(protocol("page")),
    };
    let selected = session.select(folder).await?;
    let validity = selected.uid_validity;
    if let Some((was, ..)) = behind
        && was != validity
    {
        return Err(renumbered(was, validity));
    }
    let known = order
        .take()
        .filter(|known| behind.is_some() && known.folder == folder && known.validity == validity);
    let known = match known {
        Some(known) => known,
        None => Order {
            folder: folder.to_owned(),
            validity,
            messages: dates(session, selected.exists, until).await?,
        },
    };
    let begin = known.messages.partition_point(|(date, uid)| {
        -date > until || behind.is_some_and(|(_, at, last)| (*date, !*uid) <= (-at, !last))
    });
    let end = begin
        .saturating_add(usize::try_from(size).unwrap_or(usize::MAX))
        .min(known.messages.len());
    let asked = known.messages.get(begin..end).unwrap_or_default();
    let messages = asked.iter().map(|(date, uid)| (-date, *uid)).collect();
    let next = asked
        .last()
        .filter(|_| end < known.messages.len())
        .map(|(date, uid)| format!("{}:{}", -date, server_id(validity, *uid, "")));
    if next.is_some() {
        *order = Some(known);
    }
    Ok(Newest {
        validity,
        messages,
        next,
    })
}

/// UIDVALIDITY, date and UID of the last message of the page before.
fn parse(page: &str) -> Option<(u32, Millis, u32)> {
    let (date, id) = page.split_once(':')?;
    let mut parts = id.split('.');
    let validity = parts.next()?.parse().ok()?;
    Some((validity, date.parse().ok()?, parts.next()?.parse().ok()?))
}

async fn dates(
    session: &mut Session,
    exists: u32,
    until: Millis,
) -> Result<Vec<(Millis, u32)>, ProviderError> {
    let mut messages = Vec::new();
    let mut first = exists.saturating_sub(MOST - 1).max(1);
    while first <= exists {
        let last = first.saturating_add(PART - 1).min(exists);
        let command = format!("FETCH {first}:{last} (UID INTERNALDATE)");
        let work = session.listing();
        let most = usize::try_from(last - first + 1).unwrap_or_default();
        let mut part: BTreeMap<u32, Millis> = BTreeMap::new();
        session
            .command(&command, work, |response, _| {
                let Response::Fetch(_, attributes) = response else {
                    return;
                };
                let date = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::InternalDate(text) => instant(text),
                    _ => None,
                });
                if let (Some(uid), Some(date)) = (uid_of(attributes), date) {
                    part.insert(uid, date);
                }
            })
            .await?;
        if part.len() < most {
            let there = search(session, &format!("{first}:{last}")).await?;
            let undated = there.into_iter().filter(|uid| !part.contains_key(uid));
            let undated: Vec<u32> = undated.collect();
            part.extend(by_header(session, &undated, until).await?);
        }
        messages.extend(part.into_iter().map(|(uid, date)| (-date, uid)));
        first = last + 1;
    }
    messages.sort_unstable_by_key(|(date, uid)| (*date, !*uid));
    messages.dedup();
    Ok(messages)
}

/// Dates of messages whose date the server does not tell, by their own headers; none is left out.
async fn by_header(
    session: &mut Session,
    uids: &[u32],
    until: Millis,
) -> Result<BTreeMap<u32, Millis>, ProviderError> {
    let undated = Undated::since(Millis::MIN);
    let undated = Undated {
        most: undated.most.min(until),
        ..undated
    };
    let mut messages = BTreeMap::new();
    for some in uids.chunks(HEADERS) {
        let set = uid_set(some);
        let command = format!("UID FETCH {set} (UID BODY.PEEK[HEADER.FIELDS (DATE)])");
        let work = session.listing();
        let mut dates: BTreeMap<u32, Millis> = BTreeMap::new();
        session
            .command(&command, work, |response, _| {
                let Response::Fetch(_, attributes) = response else {
                    return;
                };
                let date = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection {
                        data: Some(data), ..
                    } => MessageParser::default()
                        .parse_headers(data.as_ref())
                        .and_then(|mail| mail.date().map(mail_parser::DateTime::to_timestamp)),
                    _ => None,
                });
                if let (Some(uid), Some(date)) = (uid_of(attributes), date) {
                    dates.insert(uid, date.saturating_mul(1000));
                }
            })
            .await?;
        let date = |uid| undated.instant(dates.get(uid).copied());
        messages.extend(some.iter().map(|uid| (*uid, date(uid))));
    }
    Ok(messages)
}
