//! Whether messages have a copy in another folder already. Between COPY and the removal of the original a line may
//! drop and a computer may stop; numbers tell nothing across folders then, so a message is known by its size and its
//! header, byte by byte. It bears the servers' own lines and its `Message-ID`, and no two mails share it.

use super::listing::uid_of;
use super::name::quoted;
use super::place::uid_set;
use super::session::Session;
use crate::provider::ProviderError;
use imap_proto::{AttributeValue, MailboxDatum, Response};
use mail_parser::MessageParser;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Messages whose headers are asked for at once.
const AT_ONCE: usize = 50;
/// Messages of the same size and `Message-ID` that are looked at, at most.
const MOST: usize = 2_000;

/// What a message is known by.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    size: u32,
    header: [u8; 32],
    /// Of the header, to find it faster.
    message_id: Option<String>,
    /// It bears the flag `\Deleted`.
    pub(super) is_deleted: bool,
}

/// The looks of `set` in the open folder. Messages that are gone are left out; so are those whose header is too long
/// to be read, as if they were.
pub(super) async fn looks(
    session: &mut Session,
    set: &str,
) -> Result<BTreeMap<u32, Looks>, ProviderError> {
    let mut all = BTreeMap::new();
    let command = format!("UID FETCH {set} (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER])");
    let work = session.listing();
    session
        .command(&command, work, |response, received| {
            if let Response::Fetch(_, attributes) = response
                && let Some(uid) = uid_of(attributes)
                && let Some(looks) = of(attributes, received.dropped.is_some())
            {
                all.entry(uid).or_insert(looks);
            }
        })
        .await?;
    Ok(all)
}

fn of(attributes: &[AttributeValue<'_>], is_cut: bool) -> Option<Looks> {
    let (mut size, mut header, mut is_deleted) = (None, None, false);
    for attribute in attributes {
        match attribute {
            AttributeValue::Rfc822Size(value) => size = Some(*value),
            AttributeValue::BodySection {
                data: Some(data), ..
            } => header = Some(data),
            AttributeValue::Flags(flags) => {
                is_deleted = flags
                    .iter()
                    .any(|flag| flag.eq_ignore_ascii_case("\\Deleted"));
            }
            _ => {}
        }
    }
    let (size, header) = (size?, header?);
    let parsed = MessageParser::default().parse_headers(header.as_ref());
    let digest = match is_cut {
        // Like no other.
        true => rand::random(),
        false => Sha256::digest(header).into(),
    };
    Some(Looks {
        size,
        header: digest,
        message_id: parsed
            .as_ref()
            .and_then(|mail| mail.message_id())
            .map(str::to_owned),
        is_deleted,
    })
}

/// Which of `ours` have a copy in `target`. Afterwards no folder is open. Where nobody may look into `target`, no copy
/// is found, and copying says what stands against it.
pub(super) async fn copies_in(
    session: &mut Session,
    target: &str,
    ours: &BTreeMap<u32, Looks>,
) -> Result<BTreeSet<u32>, ProviderError> {
    match session.examine(target).await {
        Ok(selected) if selected.exists > 0 && !ours.is_empty() => {}
        Ok(_) | Err(ProviderError::NotFound(_) | ProviderError::Forbidden(_)) => {
            return Ok(BTreeSet::new());
        }
        Err(error) => return Err(error),
    }
    let mut found: BTreeSet<u32> = BTreeSet::new();
    let orders: Vec<String> = ours.values().map(likely).collect();
    let work = session.listing();
    session
        .batch(&orders, work, |response, _| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids.iter().copied());
            }
        })
        .await?
        .all_well()?;
    // The newest first: a copy was made a moment ago.
    let likely: Vec<u32> = found.into_iter().rev().take(MOST).collect();
    let mut theirs = BTreeSet::new();
    for some in likely.chunks(AT_ONCE) {
        let some = looks(session, &uid_set(some)).await?;
        theirs.extend(some.into_values().map(|looks| (looks.size, looks.header)));
    }
    Ok(ours
        .iter()
        .filter(|(_, looks)| theirs.contains(&(looks.size, looks.header)))
        .map(|(uid, _)| *uid)
        .collect())
}

/// A search for messages that may be copies.
fn likely(looks: &Looks) -> String {
    let more = looks.size.saturating_sub(1);
    let less = looks.size.saturating_add(1);
    let mut order = format!("UID SEARCH UNDELETED LARGER {more} SMALLER {less}");
    if let Some(id) = looks.message_id.as_deref().and_then(quoted) {
        order.push_str(" HEADER Message-ID ");
        order.push_str(&id);
    }
    order
}
