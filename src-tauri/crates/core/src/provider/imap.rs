//! A mailbox by IMAP4rev1 (RFC 3501) over TLS. A message's id is `UIDVALIDITY.UID`; the place in the stream of
//! changes is the highest UID read, because UIDs only grow (§2.3.1.1). Exchange Online offers no CONDSTORE and no
//! keywords, so neither is used.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's and the system's enums grow; what is not asked for is passed by"
)]

mod listing;
mod name;
mod refusal;
mod session;
#[cfg(test)]
mod tests;
mod wire;

pub use super::tls::Trust;

use super::{ChangePage, Cursor, Folder, FolderEntry, Mark, NewestPage, ProviderError, RemoteMessage};
use crate::Millis;
use crate::account::{EmailAddress, Identity, ImapServer};
use crate::diagnosis::Evidence;
use crate::oauth::tokens::Tokens;
use bytes::Bytes;
use imap_proto::{AttributeValue, MailboxDatum, Response};
use listing::listed;
use refusal::Asked;
use secrecy::SecretString;
use session::{Secret, Selected, Session, protocol};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Sessions per mailbox: one imports while another polls.
const SESSIONS: usize = 2;
/// UIDs looked at in one page of changes.
const WINDOW: u32 = 250;
/// Time for a listing, and for a search through a large folder.
const LISTING: Duration = Duration::from_secs(3 * 60);
/// Time for a group of messages, however large; silence ends it sooner.
const BODIES: Duration = Duration::from_secs(20 * 60);
/// A day, for searches, which know whole days of the server's time zone only (RFC 3501 §6.4.4).
const DAY: Millis = 24 * 60 * 60 * 1000;
/// Begins the cursor of a first round.
const ROUND: &str = "since";

/// A mailbox folder reached by IMAP. Cheap to clone; all clones share at most two sessions.
#[derive(Clone)]
pub struct ImapMailbox {
    shared: Arc<Shared>,
}

/// What proves who we are.
pub enum Credentials {
    /// A password. It is sent within TLS only.
    Password(SecretString),
    /// Tokens that renew themselves.
    Tokens(Tokens),
}

struct Shared {
    server: ImapServer,
    /// The folder's name on the wire.
    folder: String,
    credentials: Credentials,
    trust: Arc<Trust>,
    idle: Mutex<Vec<Session>>,
    turns: Semaphore,
}

/// Does `$work` with an open session; a session that rested may have died meanwhile, so once more with a new one.
macro_rules! with_session {
    ($mailbox:expr, $session:ident => $work:expr) => {{
        let Ok(_turn) = $mailbox.shared.turns.acquire().await else {
            return Err(protocol("closed"));
        };
        let mut rested = $mailbox.rested();
        loop {
            let is_rested = rested.is_some();
            let mut held = match rested.take() {
                Some(session) => session,
                None => $mailbox.open().await?,
            };
            let $session = &mut held;
            let result = $work.await;
            if held.is_usable() {
                $mailbox.put_back(held);
            } else if is_rested && result.is_err() {
                continue;
            }
            break result;
        }
    }};
}

impl ImapMailbox {
    /// `folder` by the name that people see, without which it is the inbox; certificates are judged by `trust`.
    pub fn new(
        server: ImapServer,
        folder: Option<&str>,
        credentials: Credentials,
        trust: Arc<Trust>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                server,
                folder: name::encoded(folder.unwrap_or("INBOX")),
                credentials,
                trust,
                idle: Mutex::default(),
                turns: Semaphore::new(SESSIONS),
            }),
        }
    }

    fn rested(&self) -> Option<Session> {
        let mut idle = self
            .shared
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.retain(Session::is_usable);
        idle.pop()
    }

    fn put_back(&self, session: Session) {
        self.shared
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(session);
    }

    /// A new session. A token that is refused is renewed once.
    async fn open(&self) -> Result<Session, ProviderError> {
        let shared = &self.shared;
        let tls = shared.trust.config()?;
        let secret = Secret::of(&shared.credentials).await?;
        let opened = Session::open(&shared.server, &tls, &secret).await;
        if let (
            Err(ProviderError::Unauthorized(_)),
            Credentials::Tokens(tokens),
            Secret::Token(old),
        ) = (&opened, &shared.credentials, &secret)
        {
            use secrecy::ExposeSecret as _;
            tokens.refused(old).await;
            let renewed = tokens.access().await?;
            if renewed.expose_secret() != old.expose_secret() {
                let secret = Secret::Token(renewed);
                return Session::open(&shared.server, &tls, &secret).await;
            }
        }
        opened
    }

    /// Who signed in: IMAP knows nothing but the login name. That the folder opens proves access.
    pub(crate) async fn identity(&self) -> Result<Identity, ProviderError> {
        let login = &self.shared.server.login;
        with_session!(self, session => session.select(&self.shared.folder))?;
        Ok(Identity {
            tenant_id: String::new(),
            object_id: login.clone(),
            login_name: login.clone(),
            display_name: String::new(),
            primary: EmailAddress::parse(login),
            aliases: Vec::new(),
        })
    }

    /// The folder that this mailbox reads, or another one, by the name that people see.
    pub(crate) async fn folder(&self, path: Option<&str>) -> Result<Folder, ProviderError> {
        let wire = path.map_or_else(|| self.shared.folder.clone(), name::encoded);
        let selected = with_session!(self, session => session.select(&wire))?;
        Ok(Folder {
            name: path.map_or_else(|| wire.clone(), str::to_owned),
            id: wire,
            total: selected.exists,
        })
    }

    /// The folder that this mailbox reads.
    pub(crate) async fn folders(&self) -> Result<Vec<FolderEntry>, ProviderError> {
        let folder = self.folder(None).await?;
        Ok(vec![FolderEntry {
            id: folder.id,
            path: folder.name.clone(),
            name: folder.name,
            parent: None,
            selectable: true,
            total: Some(folder.total),
            special: None,
        }])
    }

    /// The newest messages by UID, received at or before `until`; `page` is the UID below which to go on.
    pub(crate) async fn newest(
        &self,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        let below = match page.map(parse_id) {
            None => None,
            Some(Some(place)) => Some(place),
            Some(None) => return Err(protocol("page")),
        };
        with_session!(self, session => newest(session, &self.shared.folder, until, size.max(1), below))
    }

    /// The first round: messages received since `since`.
    pub(crate) fn cursor_since(since: Millis) -> Cursor {
        Cursor(format!("{ROUND}:{since}"))
    }

    /// The next page of changes: new messages only.
    pub(crate) async fn changes(&self, cursor: &Cursor) -> Result<ChangePage, ProviderError> {
        let place = Place::parse(&cursor.0).ok_or_else(|| protocol("cursor"))?;
        with_session!(self, session => changes(session, &self.shared.folder, place))
    }

    /// Raw messages (`BODY.PEEK[]`, which leaves them unread), all in one request.
    pub(crate) async fn fetch(&self, server_ids: &[String]) -> Vec<Result<Bytes, ProviderError>> {
        let ids: Vec<Option<(u32, u32)>> = server_ids.iter().map(|id| parse_id(id)).collect();
        match self.fetch_all(&ids).await {
            Ok((mut had, unread)) => ids
                .into_iter()
                .map(|id| match id.and_then(|id| had.remove(&id)) {
                    Some(bytes) => Ok(bytes),
                    None if unread => Err(protocol("not_imap")),
                    None => Err(gone()),
                })
                .collect(),
            Err(error) => vec![Err(error); ids.len()],
        }
    }

    async fn fetch_all(
        &self,
        ids: &[Option<(u32, u32)>],
    ) -> Result<(BTreeMap<(u32, u32), Bytes>, bool), ProviderError> {
        with_session!(self, session => bodies(session, &self.shared.folder, ids))
    }

    /// Sets `\Seen`. Servers without keywords are common, Exchange Online among them, so there is no category. A
    /// message that is gone needs no mark.
    pub(crate) async fn mark(&self, marks: &[Mark]) -> Vec<Result<(), ProviderError>> {
        let ids: Vec<(u32, u32)> = marks
            .iter()
            .filter(|mark| mark.read)
            .filter_map(|mark| parse_id(&mark.server_id))
            .collect();
        match self.mark_all(&ids).await {
            Ok(()) => vec![Ok(()); marks.len()],
            Err(error) => vec![Err(error); marks.len()],
        }
    }

    async fn mark_all(&self, ids: &[(u32, u32)]) -> Result<(), ProviderError> {
        with_session!(self, session => seen(session, &self.shared.folder, ids))
    }
}

/// A place in the stream of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A first round of messages received since an instant; once begun, with UIDVALIDITY and the last UID read.
    Round {
        since: Millis,
        last: Option<(u32, u32)>,
    },
    /// Behind this UID of this UIDVALIDITY.
    After(u32, u32),
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let first = parts.next()?;
        let place = if first == ROUND {
            let since = parts.next()?.parse().ok()?;
            let last = match parts.next() {
                None => None,
                Some(validity) => Some((validity.parse().ok()?, parts.next()?.parse().ok()?)),
            };
            Self::Round { since, last }
        } else {
            Self::After(first.parse().ok()?, parts.next()?.parse().ok()?)
        };
        parts.next().is_none().then_some(place)
    }

    fn cursor(self) -> Cursor {
        Cursor(match self {
            Self::Round { since, last: None } => format!("{ROUND}:{since}"),
            Self::Round {
                since,
                last: Some((validity, uid)),
            } => format!("{ROUND}:{since}:{validity}:{uid}"),
            Self::After(validity, uid) => format!("{validity}:{uid}"),
        })
    }
}

fn parse_id(id: &str) -> Option<(u32, u32)> {
    let (validity, uid) = id.split_once('.')?;
    Some((validity.parse().ok()?, uid.parse().ok()?))
}

fn server_id(validity: u32, uid: u32) -> String {
    format!("{validity}.{uid}")
}

fn gone() -> ProviderError {
    ProviderError::NotFound(Evidence::default())
}

fn renumbered(was: u32, is: u32) -> ProviderError {
    let text = format!("UIDVALIDITY changed from {was} to {is}.");
    ProviderError::CursorExpired(Evidence::of(Some("UIDVALIDITY changed"), None, &text, &[]))
}

async fn search(session: &mut Session, criteria: &str) -> Result<BTreeSet<u32>, ProviderError> {
    let mut found = BTreeSet::new();
    let command = format!("UID SEARCH {criteria}");
    let ended = session
        .command(&command, Asked::Other, LISTING, |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids.iter().copied());
            }
        })
        .await?;
    match ended.unread {
        true => Err(protocol("not_imap")),
        false => Ok(found),
    }
}

async fn list(
    session: &mut Session,
    selected: Selected,
    set: &str,
) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
    let mut all = BTreeMap::new();
    let command = format!("{set} ({})", listing::ATTRIBUTES);
    let ended = session
        .command(&command, Asked::Other, LISTING, |response| {
            if let Response::Fetch(_, attributes) = response
                && let Some((uid, message)) = listed(selected.uid_validity, attributes)
            {
                all.insert(uid, message);
            }
        })
        .await?;
    match ended.unread {
        true => Err(protocol("not_imap")),
        false => Ok(all),
    }
}

async fn newest(
    session: &mut Session,
    folder: &str,
    until: Millis,
    size: u32,
    below: Option<(u32, u32)>,
) -> Result<NewestPage, ProviderError> {
    let selected = session.select(folder).await?;
    let set = match below {
        _ if selected.exists == 0 => None,
        None => {
            let first = selected.exists.saturating_sub(size - 1).max(1);
            Some(format!("FETCH {first}:*"))
        }
        Some((validity, _)) if validity != selected.uid_validity => {
            return Err(renumbered(validity, selected.uid_validity));
        }
        Some((_, uid)) if uid <= 1 => None,
        Some((_, uid)) => {
            let found = search(session, &format!("UID 1:{}", uid - 1)).await?;
            let uids: Vec<u32> = found
                .into_iter()
                .rev()
                .filter(|found| *found < uid)
                .take(usize::try_from(size).unwrap_or(usize::MAX))
                .collect();
            (!uids.is_empty()).then(|| format!("UID FETCH {}", uid_set(&uids)))
        }
    };
    let Some(set) = set else {
        return Ok(NewestPage {
            messages: Vec::new(),
            next: None,
        });
    };
    let all = list(session, selected, &set).await?;
    let next = all
        .first_key_value()
        .filter(|(uid, _)| **uid > 1)
        .map(|(uid, _)| server_id(selected.uid_validity, *uid));
    Ok(NewestPage {
        messages: all
            .into_values()
            .rev()
            .filter(|message| message.received_at <= until)
            .collect(),
        next,
    })
}

async fn changes(
    session: &mut Session,
    folder: &str,
    place: Place,
) -> Result<ChangePage, ProviderError> {
    let selected = session.select(folder).await?;
    let validity = selected.uid_validity;
    match place {
        Place::After(was, _)
        | Place::Round {
            last: Some((was, _)),
            ..
        } if was != validity => Err(renumbered(was, validity)),
        Place::After(_, last) => changes_after(session, selected, last).await,
        Place::Round { since, last } => {
            let last = last.map_or(0, |(_, uid)| uid);
            round(session, selected, since, last).await
        }
    }
}

/// New messages behind the UID `last`.
async fn changes_after(
    session: &mut Session,
    selected: Selected,
    last: u32,
) -> Result<ChangePage, ProviderError> {
    let validity = selected.uid_validity;
    let end = Place::After(validity, last).cursor();
    let nothing = |next| ChangePage {
        changed: Vec::new(),
        removed: Vec::new(),
        next,
        more: false,
    };
    if last == u32::MAX || (selected.uid_next > 0 && selected.uid_next <= last.saturating_add(1)) {
        return Ok(nothing(end));
    }
    let first = last + 1;
    // UIDs have gaps, which may be wide; a search tells which are there. `n:*` names the last message even if its
    // UID is below n.
    let found = search(session, &format!("UID {first}:*")).await?;
    let uids: Vec<u32> = found.into_iter().filter(|uid| *uid > last).collect();
    let more = uids.len() > usize::try_from(WINDOW).unwrap_or(usize::MAX);
    let uids: Vec<u32> = uids
        .into_iter()
        .take(usize::try_from(WINDOW).unwrap_or(usize::MAX))
        .collect();
    let Some(highest) = uids.last().copied() else {
        return Ok(nothing(end));
    };
    let set = format!("UID FETCH {}", uid_set(&uids));
    let all = list(session, selected, &set).await?;
    Ok(ChangePage {
        changed: all
            .into_iter()
            .filter(|(uid, _)| *uid > last && *uid <= highest)
            .map(|(_, message)| message)
            .collect(),
        removed: Vec::new(),
        next: Place::After(validity, highest).cursor(),
        more,
    })
}

/// One page of a first round: messages received since `since`, whatever their UIDs.
async fn round(
    session: &mut Session,
    selected: Selected,
    since: Millis,
    last: u32,
) -> Result<ChangePage, ProviderError> {
    let validity = selected.uid_validity;
    let day = listing::day(since.saturating_sub(DAY)).ok_or_else(|| protocol("since"))?;
    let first = last.saturating_add(1);
    let found = search(session, &format!("UID {first}:* SINCE {day}")).await?;
    let uids: Vec<u32> = found.into_iter().filter(|uid| *uid > last).collect();
    let window = usize::try_from(WINDOW).unwrap_or(usize::MAX);
    let more = uids.len() > window;
    let uids: Vec<u32> = uids.into_iter().take(window).collect();
    let all = match uids.is_empty() {
        true => BTreeMap::new(),
        false => list(session, selected, &format!("UID FETCH {}", uid_set(&uids))).await?,
    };
    let highest = uids.last().copied().unwrap_or(last);
    let next = match more {
        true => Place::Round {
            since,
            last: Some((validity, highest)),
        },
        // What arrived since the folder was opened has a UID of at least UIDNEXT and comes with the next poll.
        false => Place::After(validity, selected.uid_next.saturating_sub(1).max(highest)),
    };
    Ok(ChangePage {
        changed: all
            .into_values()
            .filter(|message| message.received_at >= since)
            .collect(),
        removed: Vec::new(),
        next: next.cursor(),
        more,
    })
}

async fn bodies(
    session: &mut Session,
    folder: &str,
    ids: &[Option<(u32, u32)>],
) -> Result<(BTreeMap<(u32, u32), Bytes>, bool), ProviderError> {
    let mut had = BTreeMap::new();
    let selected = session.select(folder).await?;
    let validity = selected.uid_validity;
    let uids: Vec<u32> = ids
        .iter()
        .flatten()
        .filter(|(was, _)| *was == validity)
        .map(|(_, uid)| *uid)
        .collect();
    if uids.is_empty() {
        return Ok((had, false));
    }
    let command = format!("UID FETCH {} (UID BODY.PEEK[])", uid_set(&uids));
    let ended = session
        .command(&command, Asked::Other, BODIES, |response| {
            let Response::Fetch(_, attributes) = response else {
                return;
            };
            let uid = attributes.iter().find_map(|attribute| match attribute {
                AttributeValue::Uid(uid) => Some(*uid),
                _ => None,
            });
            let body = attributes.iter().find_map(|attribute| match attribute {
                AttributeValue::BodySection {
                    section: None,
                    index: None,
                    data: Some(data),
                } => Some(data),
                _ => None,
            });
            if let (Some(uid), Some(body)) = (uid, body)
                && uids.contains(&uid)
            {
                had.insert((validity, uid), Bytes::copy_from_slice(body));
            }
        })
        .await?;
    Ok((had, ended.unread))
}

async fn seen(
    session: &mut Session,
    folder: &str,
    ids: &[(u32, u32)],
) -> Result<(), ProviderError> {
    let selected = session.select(folder).await?;
    let uids: Vec<u32> = ids
        .iter()
        .filter(|(was, _)| *was == selected.uid_validity)
        .map(|(_, uid)| *uid)
        .collect();
    if !uids.is_empty() {
        let command = format!("UID STORE {} +FLAGS.SILENT (\\Seen)", uid_set(&uids));
        session
            .command(&command, Asked::Other, LISTING, |_| {})
            .await?;
    }
    Ok(())
}

/// UIDs as a set (RFC 3501 §9, sequence-set), neighbours as ranges.
fn uid_set(uids: &[u32]) -> String {
    let sorted: BTreeSet<u32> = uids.iter().copied().collect();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in sorted {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let parts: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}:{last}"),
        })
        .collect();
    parts.join(",")
}
