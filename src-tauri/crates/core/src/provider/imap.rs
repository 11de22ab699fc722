//! A mailbox by IMAP4rev1 (RFC 3501) over TLS. Exchange Online offers no CONDSTORE and no keywords, so neither is used.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's and the system's enums grow; what is not asked for is passed by"
)]

mod after;
mod bodies;
mod changes;
mod copied;
mod folders;
mod idle;
mod line;
mod listing;
mod marks;
mod name;
mod newest;
mod parsed;
mod patience;
mod pieces;
mod place;
mod placeholder;
mod quota;
mod refusal;
mod room;
mod sent;
mod session;
mod signing_in;
mod wire;

pub use super::tls::Trust;
pub use idle::Watch;
pub use patience::Patience;

pub(crate) use name::encoded as folder_id;

use super::sasl::Secret;
use super::{
    ChangePage, Cursor, Folder, FolderEntry, NewestPage, ProviderError, Quota, RemoteMessage,
};
use crate::Millis;
use crate::account::{EmailAddress, Identity, ImapServer};
use crate::diagnosis::Evidence;
use crate::oauth::tokens::Tokens;
use bytes::Bytes;
use listing::Undated;
use place::{MessageId, Place, Point, gone};
use secrecy::{ExposeSecret, SecretString};
use session::{Session, protocol};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Sessions per mailbox: one imports while another polls. A third one may watch.
const SESSIONS: usize = 2;
/// A session that rested for less is taken as it is.
const SHORT_REST: Duration = Duration::from_secs(1);

/// A mailbox folder reached by IMAP. Cheap to clone; all clones share at most two sessions, and one that watches.
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

impl Credentials {
    /// Refuses before a line is opened to a server that has no business with a token.
    ///
    /// # Errors
    /// [`ProviderError::Untrusted`] with the code `token_not_for_server`.
    pub(super) fn may_be_seen_by(&self, host: &str) -> Result<(), ProviderError> {
        match self {
            Self::Tokens(tokens) if !tokens.may_be_seen_by(host) => {
                Err(ProviderError::Untrusted(Evidence {
                    code: Some("token_not_for_server".to_owned()),
                    ..Evidence::of(None, None, host, &[])
                }))
            }
            Self::Tokens(_) | Self::Password(_) => Ok(()),
        }
    }
}

struct Shared {
    server: ImapServer,
    /// Whose token opens the mailbox, by their own login name, where the mailbox is a shared one.
    person: Option<String>,
    /// The folder's name on the wire.
    folder: String,
    credentials: Credentials,
    trust: Arc<Trust>,
    patience: Patience,
    resting: Mutex<Vec<Session>>,
    turns: Semaphore,
    /// The folder in order, while pages of the newest messages are asked for.
    order: tokio::sync::Mutex<Option<newest::Order>>,
    held: Arc<AtomicUsize>,
}

/// Does `$work` with an open session. Once more with a new one where a session that rested has died meanwhile, or the
/// server says that the token it was opened with has expired. Whatever else it says, a new session would hear too.
macro_rules! with_session {
    ($mailbox:expr, $session:ident => $work:expr) => {{
        let Ok(_turn) = $mailbox.shared.turns.acquire().await else {
            return Err(protocol("closed"));
        };
        let mut rested = $mailbox.rested().await?;
        let mut again = true;
        loop {
            let is_rested = rested.is_some();
            let mut held = match rested.take() {
                Some(session) => session,
                None => Box::pin($mailbox.open()).await?,
            };
            let $session = &mut held;
            // In a box: these futures are large, and whoever waits for many keeps them all.
            let result = Box::pin($work).await;
            let expired = result
                .as_ref()
                .is_err_and($crate::provider::imap::is_expired_token);
            let died = is_rested
                && result
                    .as_ref()
                    .is_err_and($crate::provider::imap::is_dead_line);
            if held.is_usable() && !expired {
                $mailbox.put_back(held);
            } else if (died || expired) && std::mem::take(&mut again) {
                if expired {
                    $mailbox.refuse_token(&held).await;
                }
                continue;
            }
            break result;
        }
    }};
}
use with_session;

impl ImapMailbox {
    /// `folder` by the name that people see, without which it is the inbox; certificates are judged by `trust`.
    pub fn new(
        server: ImapServer,
        folder: Option<&str>,
        credentials: Credentials,
        trust: Arc<Trust>,
        patience: Patience,
    ) -> Self {
        Self::opened_by(None, server, folder, credentials, trust, patience)
    }

    /// As [`ImapMailbox::new`], for a shared mailbox: `server.login` is the mailbox, and the token is that of `person`
    /// (Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth", "SASL XOAUTH2 authentication for shared
    /// mailboxes"). Where the server refuses, it is asked whether it would let the person in as themselves: if so, what
    /// is missing is the right to open this mailbox. No folder of the person's own is ever opened.
    pub fn opened_by(
        person: Option<&str>,
        server: ImapServer,
        folder: Option<&str>,
        credentials: Credentials,
        trust: Arc<Trust>,
        patience: Patience,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                person: person
                    .filter(|person| !person.eq_ignore_ascii_case(&server.login))
                    .map(str::to_owned),
                server,
                folder: name::encoded(folder.unwrap_or("INBOX")),
                credentials,
                trust,
                patience,
                resting: Mutex::default(),
                turns: Semaphore::new(SESSIONS),
                order: tokio::sync::Mutex::default(),
                held: Arc::default(),
            }),
        }
    }

    /// The most bytes of a server's answer that were ever kept at once by one session, for one command.
    pub fn most_held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }

    /// A session that is still alive. A line that something in between has forgotten looks whole, so one that rested
    /// for a while is asked for a sign of life, with less patience than a server at work deserves.
    ///
    /// # Errors
    /// [`ProviderError::Throttled`]: the server asks for a pause, which a new sign-in would not be.
    async fn rested(&self) -> Result<Option<Session>, ProviderError> {
        while let Some(mut session) = self.take_rested() {
            if session.rest() < SHORT_REST {
                return Ok(Some(session));
            }
            let asked = session.order("NOOP", refusal::Asked::Other);
            let answered = tokio::time::timeout(self.shared.patience.sign_of_life, asked).await;
            match answered {
                Ok(Ok(())) => return Ok(Some(session)),
                Ok(Err(error @ ProviderError::Throttled(..))) => {
                    self.put_back(session);
                    return Err(error);
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Ok(None)
    }

    fn take_rested(&self) -> Option<Session> {
        let resting = &self.shared.resting;
        let mut resting = resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(Session::is_usable);
        resting.pop()
    }

    fn put_back(&self, session: Session) {
        let resting = &self.shared.resting;
        let mut resting = resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.push(session);
    }

    /// A new session. A token that is refused is renewed once.
    async fn open(&self) -> Result<Session, ProviderError> {
        let shared = &self.shared;
        shared.credentials.may_be_seen_by(&shared.server.host)?;
        let secret = Secret::of(&shared.credentials).await?;
        // In boxes, as in `with_session`.
        let opened = Box::pin(self.open_as(&shared.server, &secret)).await;
        let refused = matches!(&opened, Err(ProviderError::Unauthorized(_)))
            || opened.as_ref().is_err_and(is_expired_token);
        let (true, Credentials::Tokens(tokens), Secret::Token(old)) =
            (refused, &shared.credentials, &secret)
        else {
            return opened;
        };
        tokens.refused(old).await;
        let renewed = tokens.access().await?;
        let (opened, secret) = if renewed.expose_secret() == old.expose_secret() {
            (opened, secret)
        } else {
            let secret = Secret::Token(renewed);
            let opened = Box::pin(self.open_as(&shared.server, &secret)).await;
            (opened, secret)
        };
        match opened {
            Err(ProviderError::Unauthorized(evidence)) => {
                Err(Box::pin(self.right_missing(&secret, evidence)).await)
            }
            opened => opened,
        }
    }

    async fn open_as(
        &self,
        server: &ImapServer,
        secret: &Secret,
    ) -> Result<Session, ProviderError> {
        let shared = &self.shared;
        let held = shared.held.clone();
        Session::open(server, &shared.trust, secret, shared.patience, held).await
    }

    /// What a refused sign-in means: servers say the same of a token that is no good and of a mailbox that its owner may
    /// not open, so the person signs in as themselves and leaves at once.
    async fn right_missing(&self, secret: &Secret, evidence: Evidence) -> ProviderError {
        let Some(person) = &self.shared.person else {
            return ProviderError::Unauthorized(evidence);
        };
        let themselves = ImapServer {
            login: person.clone(),
            ..self.shared.server.clone()
        };
        match Box::pin(self.open_as(&themselves, secret)).await {
            Ok(mut session) => {
                let farewell = session.order("LOGOUT", refusal::Asked::Other);
                let _ = tokio::time::timeout(self.shared.patience.sign_of_life, farewell).await;
                ProviderError::Forbidden(Evidence {
                    code: Some("IMAP shared refused".to_owned()),
                    ..evidence
                })
            }
            Err(_) => ProviderError::Unauthorized(evidence),
        }
    }

    async fn refuse_token(&self, session: &Session) {
        if let (Credentials::Tokens(tokens), Some(token)) =
            (&self.shared.credentials, &session.token)
        {
            tokens.refused(token).await;
        }
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
            name: name::decoded(&wire),
            id: wire,
            total: selected.exists,
            has_had_mail: selected.exists > 0 || selected.uid_next > 1,
        })
    }

    /// How full the mailbox is, by the limit that is nearest; nothing where the server tells of none.
    pub(crate) async fn quota(&self) -> Result<Option<Quota>, ProviderError> {
        with_session!(self, session => quota::nearest(session, &self.shared.folder))
    }

    /// All folders.
    pub(crate) async fn folders(&self) -> Result<Vec<FolderEntry>, ProviderError> {
        with_session!(self, session => folders::folders(session))
    }

    /// A page of the newest messages received at or before `until`, as the folder lists them.
    pub(crate) async fn newest(
        &self,
        folder: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        let newest = self.newest_uids(folder, until, size, page).await?;
        let uids: Vec<u32> = newest.messages.iter().map(|(_, uid)| *uid).collect();
        let undated = Undated::since(Millis::MIN);
        let undated = Undated {
            most: undated.most.min(until),
            ..undated
        };
        let mut listed = self.list(folder, newest.validity, &uids, undated).await?;
        Ok(NewestPage {
            messages: uids.iter().filter_map(|uid| listed.remove(uid)).collect(),
            next: newest.next,
        })
    }

    /// As [`Self::newest`], with no more than ids and dates: one answer tells them of the whole folder.
    pub(crate) async fn newest_ids(
        &self,
        folder: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        let newest = self.newest_uids(folder, until, size, page).await?;
        let bare = |(at, uid): &(Millis, u32)| {
            let at = Undated {
                least: *at,
                most: *at,
            };
            listing::bare(folder, newest.validity, *uid, at)
        };
        Ok(NewestPage {
            messages: newest.messages.iter().map(bare).collect(),
            next: newest.next,
        })
    }

    async fn newest_uids(
        &self,
        folder: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<newest::Newest, ProviderError> {
        let mut order = self.shared.order.lock().await;
        with_session!(self, session =>
            newest::newest(session, &mut order, folder, until, size.max(1), page))
    }

    /// The messages as their folders list them; as they are where that cannot be told.
    pub(crate) async fn described(&self, messages: Vec<RemoteMessage>) -> Vec<RemoteMessage> {
        let mut described = BTreeMap::new();
        let bare = messages
            .iter()
            .filter(|message| message.from.is_empty() && message.message_id.is_none());
        let ids = bare.filter_map(|message| {
            let id = MessageId::parse(&message.server_id, &self.shared.folder)?;
            Some((id, message.received_at))
        });
        for (id, at) in ids {
            let undated = Undated::since(at);
            // What went wrong with the message itself may go wrong with its listing.
            if let Ok(listed) = self.list(&id.folder, id.validity, &[id.uid], undated).await {
                described.extend(
                    listed
                        .into_values()
                        .map(|message| (message.server_id.clone(), message)),
                );
            }
        }
        messages
            .into_iter()
            .map(|message| described.remove(&message.server_id).unwrap_or(message))
            .collect()
    }

    /// The first round: messages received since `since`.
    pub(crate) fn cursor_since(folder: &str, since: Millis) -> Cursor {
        let point = Point::Round { since, last: None };
        let folder = Some(folder.to_owned());
        Place { folder, point }.cursor()
    }

    /// The next page of changes: new messages only.
    pub(crate) async fn changes(&self, cursor: &Cursor) -> Result<ChangePage, ProviderError> {
        let place = Place::parse(&cursor.0).ok_or_else(|| protocol("cursor"))?;
        let folder = place.folder.as_ref().unwrap_or(&self.shared.folder);
        let found = self.find_changes(folder, place.point).await?;
        let undated = Undated::since(found.since);
        let listed = self
            .list(folder, found.validity, &found.uids, undated)
            .await?;
        Ok(ChangePage {
            changed: listed
                .into_values()
                .filter(|message| message.received_at >= found.since)
                .collect(),
            removed: Vec::new(),
            next: found.next,
            more: found.more,
        })
    }

    async fn find_changes(
        &self,
        folder: &str,
        point: Point,
    ) -> Result<changes::Found, ProviderError> {
        with_session!(self, session => changes::changes(session, folder, point))
    }

    /// Opens `folder` for watching; nothing where the server has no IDLE. `after` is the place that is known.
    pub(crate) async fn watch(
        &self,
        folder: &str,
        after: Option<&Cursor>,
    ) -> Result<Option<Watch>, ProviderError> {
        Watch::begin(Box::pin(self.open()).await?, folder, after).await
    }

    /// Raw messages, one result each, in order.
    pub(crate) async fn fetch(&self, server_ids: &[String]) -> Vec<Result<Bytes, ProviderError>> {
        let ids: Vec<Option<MessageId>> = server_ids
            .iter()
            .map(|id| MessageId::parse(id, &self.shared.folder))
            .collect();
        let mut folders: BTreeMap<String, Vec<MessageId>> = BTreeMap::new();
        for id in ids.iter().flatten() {
            folders
                .entry(id.folder.clone())
                .or_default()
                .push(id.clone());
        }
        let mut had = bodies::Had::new();
        for (folder, ids) in folders {
            had.extend(self.fetch_from(&folder, &ids).await);
        }
        ids.into_iter()
            .map(|id| {
                id.and_then(|id| had.get(&id).cloned())
                    .unwrap_or(Err(gone()))
            })
            .collect()
    }
}

/// Whether a line has died, with or without a farewell. Whoever was silent for all of its time may be silent once more.
fn is_dead_line(error: &ProviderError) -> bool {
    let is_dead = matches!(error, ProviderError::Offline(_)) && !is_silence(error);
    is_dead || has_code(error, "IMAP connection closed")
}

fn is_expired_token(error: &ProviderError) -> bool {
    has_code(error, "AccessTokenExpired")
}

fn is_silence(error: &ProviderError) -> bool {
    has_code(error, "connection_timeout")
}

fn has_code(error: &ProviderError, code: &str) -> bool {
    let evidence = error.evidence();
    evidence.and_then(|evidence| evidence.code.as_deref()) == Some(code)
}
