//! What probes bring home: plain values, gathered over the network and from the disk, not yet judged. The judging is
//! [`super::checks`]' and does no I/O.

mod network;
mod probes;

pub use network::{HostSeen, HttpFailure, HttpSeen, look_at_hosts, look_at_sign_in_service};
pub use probes::{
    data_folder, discovery, fetch, folder, identity, inbox, listed, silent_renewal, within,
};

use crate::Millis;
use crate::account::Identity;
use crate::oauth::error::{SignInError, TokenError};
use crate::provider::smtp::Offer;
use crate::provider::{Folder, ProviderError};
use crate::store::own_tests::OwnTest;
use std::time::Duration;

use super::Finding;

/// About this computer.
#[derive(Debug, Default)]
pub struct ComputerEvidence {
    /// Why the data folder cannot be written, if so.
    pub data_folder: Option<String>,
    /// What keeps anything from being stored, or the key to stored sign-ins from being had.
    pub trouble: Option<Finding>,
    /// What the servers' clocks say compared with this one, in milliseconds; positive where they are ahead. Nothing
    /// where no server told.
    pub skew_ms: Option<i64>,
}

/// About the way to the servers.
#[derive(Debug)]
pub struct NetworkEvidence {
    /// The sign-in service.
    pub authority: HostSeen,
    /// The mail server.
    pub graph: HostSeen,
}

/// About the tenant and the app registration in it.
#[derive(Debug)]
pub struct RegistrationEvidence {
    /// The issuer that OpenID discovery of the tenant names.
    pub discovery: Result<String, SignInError>,
    /// What the sign-in service said when the sign-in was last used.
    pub refusal: Option<Finding>,
}

/// About who signed in.
#[derive(Debug)]
pub struct SignInEvidence {
    /// Who; nothing where nobody is signed in (disconnected).
    pub identity: Option<Identity>,
    /// What the sign-in service said when the sign-in was last used.
    pub refusal: Option<Finding>,
}

/// About what the token grants.
#[derive(Debug)]
pub struct ConsentEvidence {
    /// Scopes needed.
    pub needed: Vec<String>,
    /// Scopes granted.
    pub granted: Vec<String>,
    /// What the sign-in service said when the sign-in was last used.
    pub refusal: Option<Finding>,
    /// Since when an admin is waited for, and whether they refused.
    pub asked: Option<(Millis, bool)>,
}

/// About renewing the sign-in silently.
#[derive(Debug)]
pub struct TokenEvidence {
    /// When the access token ends, or why there is none.
    pub renewal: Result<Option<Millis>, TokenError>,
    /// The mail server refused a fresh token.
    pub unauthorized: Option<Finding>,
}

/// About the mailbox.
#[derive(Debug)]
pub struct MailboxEvidence {
    /// The address connected.
    pub address: String,
    /// The shared mailbox's address; nothing for the account's own.
    pub shared: Option<String>,
    /// Who the mail server says the mailbox belongs to; nothing where that was not asked for (shared mailboxes).
    pub identity: Option<Result<Identity, ProviderError>>,
    /// Its inbox; nothing where the question before it failed already.
    pub inbox: Option<Result<Folder, ProviderError>>,
    /// How long the mail server asked us to stay away, from now, where it did.
    pub wait: Option<Duration>,
}

/// About the folder that is read.
#[derive(Debug)]
pub struct FolderEvidence {
    /// The name and the id it had when it was chosen.
    pub chosen: (String, String),
    /// What is found under its id now.
    pub found: Result<Folder, ProviderError>,
    /// Whether it lies in the folder of deleted mail: there it works on, but nobody means it any more.
    pub in_trash: bool,
    /// Whether a message was ever seen in it since it is the one that is read.
    pub ever_seen: bool,
}

/// About reading mail.
#[derive(Debug)]
pub struct FetchEvidence {
    /// When the newest message was received, and its size in bytes where it was read; nothing in an empty folder.
    pub newest: Result<Option<(Millis, usize)>, ProviderError>,
    /// The last successful poll.
    pub last_success_at: Option<Millis>,
}

/// About telling the server what was imported. Nothing is written for the check.
#[derive(Debug, Default)]
pub struct MarkEvidence {
    /// Marks that wait.
    pub pending: u32,
    /// How often the most tried one was tried.
    pub attempts: u32,
    /// The code of the last refusal, and when.
    pub last_refusal: Option<(String, Millis)>,
}

/// About sending, and about the way there and back.
#[derive(Debug, Default)]
pub struct SendEvidence {
    /// The latest test mail.
    pub test: Option<OwnTest>,
    /// How the address's mail leaves.
    pub way: SendingWay,
    /// The name of the folder that is read.
    pub folder: String,
    /// Where copies of it lie.
    pub copies: SentPlace,
}

/// Where copies of what an address sends lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SentPlace {
    /// Nobody knows.
    #[default]
    Unknown,
    /// In Sent Items of this mailbox: Graph puts them there.
    SentItems(String),
    /// The server keeps them in the mailbox of this login.
    Server(String),
    /// In this folder of the mailbox that is read.
    Folder(String),
    /// Nowhere: the server has no folder for sent mail.
    Nowhere,
    /// Nowhere, although there should be: the latest one could not be kept, or the folder cannot be looked for.
    Failed,
}

/// How an address's mail leaves.
#[derive(Debug, Default)]
pub enum SendingWay {
    /// The provider that reads also sends.
    #[default]
    Provider,
    /// An SMTP server, as `host:port`, and what it said when it was asked.
    Server(String, Box<Result<Offer, ProviderError>>),
    /// Not at all: nobody has named a server.
    None,
}
