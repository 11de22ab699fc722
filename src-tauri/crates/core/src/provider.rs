//! How a mailbox is reached: a closed set of providers with one error for all, so that polling and diagnosis
//! never learn a dialect. Providers know neither the store nor what a ticket is.

pub mod graph;
pub mod imap;
mod known;
pub mod outbound;
mod sasl;
pub mod smtp;
mod tls;

use crate::Millis;
use crate::account::{EmailAddress, Identity};
use crate::diagnosis::Evidence;
use crate::oauth::error::TokenError;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Begins the first line of evidence that carries a claims challenge.
const CLAIMS_LINE: &str = "claims: ";

/// What is wrong with [`ProviderError::no_room`].
const NO_ROOM: &str = "no_room";

/// What is wrong with [`ProviderError::unreadable`].
const UNREADABLE: &str = "unreadable";

/// One mailbox on one server.
#[derive(Clone)]
pub enum Provider {
    /// Microsoft Graph.
    Graph(graph::GraphMailbox),
    /// IMAP.
    Imap(imap::ImapMailbox),
}

/// A message as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteMessage {
    /// The server's stable id (Graph: immutable id).
    pub server_id: String,
    /// When the server received it.
    pub received_at: Millis,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// Subject.
    pub subject: String,
    /// Sender's address.
    pub from: String,
    /// Whether it is marked read.
    pub is_read: bool,
    /// Categories on it.
    pub categories: Vec<String>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The server's id.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// Messages in it.
    pub total: u32,
    /// Whether the server shows that a message has ever been in it: one is, or it has given out a number (IMAP: UIDNEXT,
    /// RFC 3501 §2.3.1.1). Graph tells of the present only.
    pub has_had_mail: bool,
}

/// How much of a mailbox's room is taken: bytes in thousands or messages, whichever limit is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Taken.
    pub used: u64,
    /// The most there may be.
    pub limit: u64,
}

impl Quota {
    /// Taken room in whole percent, rounded down: 100 and more is full, and so is a limit of nothing.
    pub fn percent(self) -> u64 {
        let all = u128::from(self.limit).max(1);
        let percent = u128::from(self.used) * 100 / all;
        let percent = if self.limit == 0 {
            percent.max(100)
        } else {
            percent
        };
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}

/// A folder in the list of all folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// The server's id, as [`Folder::id`].
    pub id: String,
    /// Own name, as people see it.
    pub name: String,
    /// The way from the top, as people see it and as [`Provider::folder`] takes it. Levels are parted by `/`
    /// (Graph; a `/` or `\` within a name has a `\` before it) or by the server's own delimiter (IMAP).
    pub path: String,
    /// The id of the folder that it lies in; nothing at the top.
    pub parent: Option<String>,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Messages in it, where the server told.
    pub total: Option<u32>,
    /// What the server uses it for.
    pub special: Option<SpecialUse>,
}

/// What a server uses a folder for (RFC 6154 §2; Microsoft Graph, "mailFolder resource type", well-known names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum SpecialUse {
    /// Where mail arrives.
    Inbox,
    /// Mail put away.
    Archive,
    /// Letters not sent yet.
    Drafts,
    /// Copies of what was sent.
    Sent,
    /// Deleted mail.
    Trash,
    /// Unwanted mail.
    Junk,
    /// A view of all mail.
    All,
    /// A view of flagged mail.
    Flagged,
}

/// An inbox rule that is switched on and sends mail on to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardingRule {
    /// Its name, as people see it.
    pub name: String,
    /// Who gets the mail: addresses, or names where the server knows no address.
    pub targets: Vec<String>,
    /// Whether it also moves or deletes the mail, so that it is not in the inbox any more.
    pub takes_away: bool,
}

/// One page of the newest messages.
#[derive(Debug, Clone)]
pub struct NewestPage {
    /// Newest first.
    pub messages: Vec<RemoteMessage>,
    /// Where the next page is.
    pub next: Option<String>,
}

/// A place in a folder's stream of changes: opaque, provider's own text (Graph: a nextLink or deltaLink).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One page of changes.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// New or changed messages.
    pub changed: Vec<RemoteMessage>,
    /// Ids of messages that left the folder.
    pub removed: Vec<String>,
    /// Where to go on; durable with the page's messages.
    pub next: Cursor,
    /// Whether `next` is to be read at once (more pages) or at the next poll.
    pub more: bool,
}

/// What the server is to be told about an imported message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The message.
    pub server_id: String,
    /// The folder that it was read from ([`Folder::id`]). A message that is not there any more was dealt with by
    /// somebody else: it is neither moved nor deleted.
    pub folder_id: String,
    /// Mark it read.
    pub read: bool,
    /// Category to add; existing ones stay.
    pub category: Option<String>,
    /// What becomes of it, once it is marked. Repeating it is harmless.
    pub then: Then,
}

/// What becomes of a message on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Then {
    /// It stays where it is.
    Stay,
    /// It goes to this folder ([`FolderEntry::id`]).
    Move {
        /// The folder.
        folder_id: String,
    },
    /// It is deleted as mail programs delete: it goes to the folder for deleted mail.
    Delete {
        /// That folder, as it was rehearsed ([`FolderEntry::id`]). Nothing in marks that are older than this word: the
        /// folder is looked for then, and only where the server has none, the message is removed for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder_id: Option<String>,
    },
    /// It is removed for good. Graph knows no such thing: there it goes to the folder for deleted mail.
    Remove,
}

/// The folder for deleted mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trash {
    /// As [`FolderEntry::id`].
    pub id: String,
    /// As [`FolderEntry::path`].
    pub path: String,
}

/// A request failed. A variant exists because somebody does something different about it; what the server
/// said travels along.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// No connection: DNS, refused, time-out, dropped line.
    #[error("the server cannot be reached")]
    Offline(Evidence),
    /// The sign-in does not work any more, or no token could be had.
    #[error("not signed in: {0}")]
    Token(#[from] TokenError),
    /// 401 with a fresh token.
    #[error("the server does not accept the sign-in")]
    Unauthorized(Evidence),
    /// 403.
    #[error("the server refuses access")]
    Forbidden(Evidence),
    /// The server cannot prove that it is the one asked for, or it is none that the sign-in may be shown to.
    #[error("the server is not trusted")]
    Untrusted(Evidence),
    /// 404: message, folder or mailbox.
    #[error("not found")]
    NotFound(Evidence),
    /// 429, 503 or 509 with the time to wait.
    #[error("the server asks to wait {0:?}")]
    Throttled(Duration, Evidence),
    /// 410: the cursor is too old.
    #[error("the cursor has expired")]
    CursorExpired(Evidence),
    /// The mailbox is full.
    #[error("the mailbox is full")]
    QuotaFull(Evidence),
    /// 5xx: try again.
    #[error("the server has trouble")]
    Server(Evidence),
    /// An answer that is not what the documentation promises: malformed, too large, a link to another host.
    #[error("the server's answer is not valid: {0}")]
    Protocol(&'static str, Evidence),
}

impl ProviderError {
    /// What the server said.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Offline(e)
            | Self::Unauthorized(e)
            | Self::Forbidden(e)
            | Self::Untrusted(e)
            | Self::NotFound(e)
            | Self::Throttled(_, e)
            | Self::CursorExpired(e)
            | Self::QuotaFull(e)
            | Self::Server(e)
            | Self::Protocol(_, e) => Some(e),
            Self::Token(TokenError::Offline(e) | TokenError::SignInAgain { evidence: e, .. }) => {
                Some(e)
            }
            Self::Token(TokenError::NoTokens | TokenError::NotStored(_)) => None,
        }
    }
}

impl ProviderError {
    /// A message that was not fetched because there was no room beside others: to be asked for again at once.
    pub(crate) fn no_room() -> Self {
        Self::Protocol(NO_ROOM, Evidence::default())
    }

    /// Whether this is [`ProviderError::no_room`].
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::Protocol(what, _) if *what == NO_ROOM)
    }

    /// A message that cannot be had as it is, while others can; `evidence` tells why.
    pub(crate) fn unreadable(evidence: Evidence) -> Self {
        Self::Protocol(UNREADABLE, evidence)
    }

    /// Whether this is [`ProviderError::unreadable`] without a word of the server's why.
    pub(crate) fn is_left_out(&self) -> bool {
        matches!(self, Self::Protocol(what, evidence) if *what == UNREADABLE && evidence.code.is_none())
    }

    /// Whether this says nothing about the mailbox, only about the one message that was asked for.
    pub fn is_about_one_message(&self) -> bool {
        matches!(self, Self::Protocol(what, _) if [UNREADABLE, "too_large"].contains(what))
    }

    /// The claims challenge to answer in the browser (`SignInRequest::claims`), where the server sent one.
    pub fn claims_challenge(&self) -> Option<String> {
        if let Self::Token(TokenError::SignInAgain { claims, .. }) = self {
            return claims.clone();
        }
        let evidence = self.evidence()?;
        let line = evidence.raw.lines().next()?;
        line.strip_prefix(CLAIMS_LINE).map(str::to_owned)
    }
}

// What is asked by IMAP stands in a box: these futures are large, and all who wait for them would carry them along.
impl Provider {
    /// Who the mailbox belongs to and its addresses.
    ///
    /// # Errors
    /// Any [`ProviderError`], as for all methods here.
    pub async fn identity(&self) -> Result<Identity, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.identity().await,
            Self::Imap(mailbox) => Box::pin(mailbox.identity()).await,
        }
    }

    /// Looks a folder up; nothing means the inbox.
    pub async fn folder(&self, path: Option<&str>) -> Result<Folder, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.folder(path).await,
            Self::Imap(mailbox) => Box::pin(mailbox.folder(path)).await,
        }
    }

    /// A folder by its id, which survives renaming where the server has such ids.
    pub async fn folder_by_id(&self, id: &str) -> Result<Folder, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.folder_by_id(id).await,
            Self::Imap(mailbox) => Box::pin(mailbox.folder(None)).await,
        }
    }

    /// The mailbox's inbox.
    pub async fn inbox(&self) -> Result<Folder, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.folder(None).await,
            Self::Imap(mailbox) => Box::pin(mailbox.folder(Some("INBOX"))).await,
        }
    }

    /// The inbox rules that send mail on; nothing where rules cannot be read by this protocol. Only of one's own
    /// mailbox, with [`crate::oauth::RULES_SCOPE`].
    pub async fn forwarding_rules(&self) -> Result<Option<Vec<ForwardingRule>>, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.forwarding_rules().await.map(Some),
            Self::Imap(_) => Ok(None),
        }
    }

    /// All folders, each behind the one that it lies in.
    pub async fn folders(&self) -> Result<Vec<FolderEntry>, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.folders().await,
            Self::Imap(mailbox) => Box::pin(mailbox.folders()).await,
        }
    }

    /// The folder for deleted mail; nothing where the server names none. Where something in the server's list could
    /// not be read, the folder may be that: this is an error.
    pub async fn trash(&self) -> Result<Option<Trash>, ProviderError> {
        match self {
            Self::Graph(mailbox) => {
                let entries = mailbox.folders().await?;
                let found = entries
                    .into_iter()
                    .find(|entry| entry.special == Some(SpecialUse::Trash));
                Ok(found.map(|entry| Trash {
                    id: entry.id,
                    path: entry.path,
                }))
            }
            Self::Imap(mailbox) => Box::pin(mailbox.trash()).await,
        }
    }

    /// The newest messages received at or before `until`, newest first; `page` is a former answer's `next`.
    pub async fn newest(
        &self,
        folder_id: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.newest(folder_id, until, size, page).await,
            Self::Imap(mailbox) => Box::pin(mailbox.newest(folder_id, until, size, page)).await,
        }
    }

    /// As [`Self::newest`], but nothing except ids and dates is sure to be there: the mails tell the rest.
    pub async fn newest_ids(
        &self,
        folder_id: &str,
        until: Millis,
        size: u32,
        page: Option<&str>,
    ) -> Result<NewestPage, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.newest(folder_id, until, size, page).await,
            Self::Imap(mailbox) => mailbox.newest_ids(folder_id, until, size, page).await,
        }
    }

    /// How many ids are best listed at once. A page of Graph is one answer; IMAP tells those of a folder in one.
    pub fn page(&self) -> u32 {
        match self {
            Self::Graph(_) => 250,
            Self::Imap(_) => 5_000,
        }
    }

    /// Messages of [`Self::newest_ids`] with what their folder tells of them, where it can.
    pub async fn described(&self, messages: Vec<RemoteMessage>) -> Vec<RemoteMessage> {
        match self {
            Self::Graph(_) => messages,
            Self::Imap(mailbox) => mailbox.described(messages).await,
        }
    }

    /// The beginning of the stream of changes: messages received since `since` come first.
    pub fn cursor_since(&self, folder_id: &str, since: Millis) -> Result<Cursor, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.cursor_since(folder_id, since),
            Self::Imap(_) => Ok(imap::ImapMailbox::cursor_since(folder_id, since)),
        }
    }

    /// The next page of changes.
    pub async fn changes(&self, cursor: &Cursor) -> Result<ChangePage, ProviderError> {
        match self {
            Self::Graph(mailbox) => mailbox.changes(cursor).await,
            Self::Imap(mailbox) => Box::pin(mailbox.changes(cursor)).await,
        }
    }

    /// Opens a line on which the server tells of new mail in the folder at once; nothing where it cannot. `after` is
    /// the place in the stream of changes up to which everything is known.
    pub async fn watch(
        &self,
        folder_id: &str,
        after: Option<&Cursor>,
    ) -> Result<Option<imap::Watch>, ProviderError> {
        match self {
            // Graph tells web servers only (Microsoft Graph, "Change notifications").
            Self::Graph(_) => Ok(None),
            Self::Imap(mailbox) => Box::pin(mailbox.watch(folder_id, after)).await,
        }
    }

    /// How many messages are best fetched at once. Graph takes at most twenty requests in one (Microsoft Graph, "JSON
    /// batching"); IMAP takes any number, and fewer questions are fewer pauses.
    pub fn group(&self) -> usize {
        match self {
            Self::Graph(_) => 20,
            Self::Imap(_) => 50,
        }
    }

    /// How full the mailbox is; nothing where the server tells of no limit, as Graph does.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn quota(&self) -> Result<Option<Quota>, ProviderError> {
        match self {
            Self::Graph(_) => Ok(None),
            Self::Imap(mailbox) => Box::pin(mailbox.quota()).await,
        }
    }

    /// Raw MIME of up to [`Provider::group`] messages, one result each, in order.
    pub async fn fetch(&self, server_ids: &[String]) -> Vec<Result<Bytes, ProviderError>> {
        match self {
            Self::Graph(mailbox) => mailbox.fetch(server_ids).await,
            Self::Imap(mailbox) => Box::pin(mailbox.fetch(server_ids)).await,
        }
    }

    /// Marks up to twenty messages, one result each, in order.
    pub async fn mark(&self, marks: &[Mark]) -> Vec<Result<(), ProviderError>> {
        match self {
            Self::Graph(mailbox) => mailbox.mark(marks).await,
            Self::Imap(mailbox) => Box::pin(mailbox.mark(marks)).await,
        }
    }
}

/// The address a mailbox is asked for by: the signed-in person's own, or another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxName {
    /// `/me`
    Own,
    /// `/users/{address}`
    Shared(EmailAddress),
}
