//! The list of folders (RFC 3501 §7.2.2), what they are for (RFC 6154), and how many messages they hold.

use super::name::{decoded, quoted, unquoted};
use super::session::{Session, protocol};
use crate::provider::{FolderEntry, ProviderError, SpecialUse, Trash};
use imap_proto::{MailboxDatum, NameAttribute, Response, StatusAttribute};
use std::collections::{BTreeMap, BTreeSet};

/// Folders that are listed at most.
const MOST: usize = 5_000;
/// Counts asked for at once.
const AT_ONCE: usize = 50;

/// What mail programs call the folder for sent mail, at the top or below the inbox, where the server says nothing.
const SENT_NAMES: [&str; 4] = ["Sent", "Sent Items", "Sent Messages", "Sent Mail"];

struct Listed {
    wire: String,
    delimiter: Option<String>,
    selectable: bool,
    special: Option<SpecialUse>,
}

/// All folders with their counts, each behind the one that it lies in.
pub(super) async fn folders(session: &mut Session) -> Result<Vec<FolderEntry>, ProviderError> {
    let List {
        folders: listed, ..
    } = list(session).await?;
    let totals = totals(session, &listed).await?;
    let known: BTreeSet<&str> = listed.iter().map(|folder| folder.wire.as_str()).collect();
    let mut entries: Vec<(Vec<String>, FolderEntry)> = listed
        .iter()
        .map(|folder| {
            let above = folder
                .delimiter
                .as_deref()
                .and_then(|delimiter| folder.wire.rsplit_once(delimiter));
            let own = above.map_or(folder.wire.as_str(), |(_, own)| own);
            let levels = match &folder.delimiter {
                Some(delimiter) => folder.wire.split(delimiter.as_str()).map(decoded).collect(),
                None => vec![decoded(&folder.wire)],
            };
            let entry = FolderEntry {
                id: folder.wire.clone(),
                name: decoded(own),
                path: decoded(&folder.wire),
                // A level may be missing from the list, as the parent of somebody else's shared folder often is.
                parent: above
                    .map(|(parent, _)| parent.to_owned())
                    .filter(|parent| known.contains(parent.as_str())),
                selectable: folder.selectable,
                total: totals.get(&folder.wire).copied(),
                special: folder.special,
            };
            (levels, entry)
        })
        .collect();
    // The inbox first, as mail programs show it.
    entries.sort_by_cached_key(|(levels, entry)| {
        let inbox = levels.first().is_some_and(|first| first == "INBOX");
        let lower: Vec<String> = levels.iter().map(|level| level.to_lowercase()).collect();
        (!inbox, lower, entry.id.clone())
    });
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

/// The folder for deleted mail, where the server names one. It may be what could not be read: that is an error, for mail
/// would be removed for good without it.
pub(super) async fn trash(session: &mut Session) -> Result<Option<Trash>, ProviderError> {
    let list = list(session).await?;
    match used_for(&list.folders, SpecialUse::Trash) {
        Some(id) => Ok(Some(Trash {
            path: decoded(&id),
            id,
        })),
        None if list.may_lack_trash => Err(protocol("unread_list")),
        None => Ok(None),
    }
}

/// The folder for sent mail, by its name on the wire: the one that the server names, or one with a name that mail
/// programs give it.
pub(super) async fn sent(session: &mut Session) -> Result<Option<String>, ProviderError> {
    let List {
        folders: listed, ..
    } = list(session).await?;
    Ok(used_for(&listed, SpecialUse::Sent).or_else(|| {
        let is_named = |folder: &&Listed| {
            let delimiter = folder.delimiter.as_deref().unwrap_or("/");
            let (above, own) = folder
                .wire
                .rsplit_once(delimiter)
                .unwrap_or(("INBOX", &folder.wire));
            folder.selectable && above.eq_ignore_ascii_case("INBOX") && SENT_NAMES.contains(&own)
        };
        let named = listed.iter().find(is_named)?;
        Some(named.wire.clone())
    }))
}

fn used_for(listed: &[Listed], wanted: SpecialUse) -> Option<String> {
    listed
        .iter()
        .find(|folder| folder.selectable && folder.special == Some(wanted))
        .map(|folder| folder.wire.clone())
}

struct List {
    folders: Vec<Listed>,
    /// Something was left out that may have been the folder for deleted mail.
    may_lack_trash: bool,
}

async fn list(session: &mut Session) -> Result<List, ProviderError> {
    // RFC 5258, RFC 6154 §5.
    let with_use = session.can("LIST-EXTENDED") && session.can("SPECIAL-USE");
    let command = match with_use {
        true => "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
        false => "LIST \"\" \"*\"",
    };
    let mut all: BTreeMap<String, Listed> = BTreeMap::new();
    let mut may_lack_trash = false;
    let work = session.listing();
    let ended = session
        .command(command, work, |response, received| {
            let Response::MailboxData(MailboxDatum::List(folder)) = response else {
                return;
            };
            // The parser leaves quoted strings as they are, and literals are never quoted.
            let is_literal = received.bytes.windows(3).any(|end| end == b"}\r\n");
            let wire = match is_literal {
                true => folder.name.clone().into_owned(),
                false => unquoted(&folder.name),
            };
            // A name that cannot be said back is of no use.
            if wire.is_empty() || quoted(&wire).is_none() || all.len() >= MOST {
                may_lack_trash |= received.dropped.is_some()
                    || folder.name_attributes.contains(&NameAttribute::Trash);
                return;
            }
            let has = |sign: &NameAttribute<'_>| folder.name_attributes.contains(sign);
            let is_missing = folder.name_attributes.iter().any(|attribute| {
                matches!(attribute, NameAttribute::Extension(name) if name.eq_ignore_ascii_case("\\NonExistent"))
            });
            let special = match folder.name_attributes.iter().find_map(special) {
                None if wire.eq_ignore_ascii_case("INBOX") => Some(SpecialUse::Inbox),
                special => special,
            };
            all.entry(wire.clone()).or_insert(Listed {
                delimiter: folder.delimiter.as_deref().map(unquoted).filter(|text| !text.is_empty()),
                selectable: !has(&NameAttribute::NoSelect) && !is_missing,
                special,
                wire,
            });
        })
        .await?;
    Ok(List {
        folders: all.into_values().collect(),
        may_lack_trash: may_lack_trash || ended.unread_list,
    })
}

fn special(attribute: &NameAttribute<'_>) -> Option<SpecialUse> {
    match attribute {
        NameAttribute::All => Some(SpecialUse::All),
        NameAttribute::Archive => Some(SpecialUse::Archive),
        NameAttribute::Drafts => Some(SpecialUse::Drafts),
        NameAttribute::Flagged => Some(SpecialUse::Flagged),
        NameAttribute::Junk => Some(SpecialUse::Junk),
        NameAttribute::Sent => Some(SpecialUse::Sent),
        NameAttribute::Trash => Some(SpecialUse::Trash),
        _ => None,
    }
}

/// Messages by folder. A folder that may not be looked into has no count.
async fn totals(
    session: &mut Session,
    listed: &[Listed],
) -> Result<BTreeMap<String, u32>, ProviderError> {
    let mut totals = BTreeMap::new();
    let commands: Vec<(&str, String)> = listed
        .iter()
        .filter(|folder| folder.selectable)
        .filter_map(|folder| {
            let name = quoted(&folder.wire)?;
            Some((folder.wire.as_str(), format!("STATUS {name} (MESSAGES)")))
        })
        .collect();
    for part in commands.chunks(AT_ONCE) {
        let names: BTreeSet<&str> = part.iter().map(|(name, _)| *name).collect();
        let orders: Vec<String> = part.iter().map(|(_, order)| order.clone()).collect();
        let work = session.listing();
        session
            .batch(&orders, work, |response, _| {
                let Response::MailboxData(MailboxDatum::Status { mailbox, status }) = response
                else {
                    return;
                };
                let count = status.iter().find_map(|item| match item {
                    StatusAttribute::Messages(count) => Some(*count),
                    _ => None,
                });
                let plain = unquoted(mailbox);
                let name = [mailbox.as_ref(), plain.as_str()]
                    .into_iter()
                    .find_map(|name| names.get(name));
                if let (Some(name), Some(count)) = (name, count) {
                    totals.insert((*name).to_owned(), count);
                }
            })
            .await?;
    }
    Ok(totals)
}
