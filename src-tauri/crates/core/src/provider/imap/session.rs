//! One signed-in session: commands and their answers, one after another or several in flight.

use super::line::connect;
use super::name::quoted;
use super::parsed::parsed;
use super::patience::Patience;
use super::place::renumbered;
use super::refusal::{Asked, broken, refusal};
use super::room::Room;
use super::signing_in::sign_in;
use super::wire::{Received, Wire, WireError};
use crate::account::ImapServer;
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use crate::provider::sasl::{self, Secret};
use crate::provider::tls::Trust;
use imap_proto::{Capability, MailboxDatum, Outcome, Response, ResponseCode, Status};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

/// Untagged responses that one command may bring: a listing has one a message, and flags may change meanwhile.
const MOST_RESPONSES: u32 = 100_000;
/// A session that rested for longer may have been closed by something in between (RFC 3501 §5.4 allows servers to
/// hang up after 30 minutes; routers are less patient).
const LONGEST_REST: Duration = Duration::from_secs(4 * 60);

/// A session, signed in.
pub(super) struct Session {
    pub(super) wire: Wire<TlsStream<TcpStream>>,
    pub(super) patience: Patience,
    pub(super) capabilities: BTreeSet<String>,
    /// The token that it was opened with.
    pub(super) token: Option<SecretString>,
    /// What was said to sign in, in all its spellings. A server may repeat it at any time; no evidence holds it.
    secrets: Arc<Vec<Zeroizing<String>>>,
    number: u32,
    /// A command was begun and has not come to its end: nothing more can be asked here.
    unfinished: bool,
    used_at: Instant,
    /// The open folder and what its opening told.
    open: Option<(String, Selected)>,
    /// The last command's answer was that a folder is open for reading only.
    read_only: bool,
}

/// What the folder's opening told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) uid_validity: u32,
    /// The number that the next arriving message gets at least; 0 where the server does not tell.
    pub(super) uid_next: u32,
    pub(super) exists: u32,
    /// Whether the flag `\Seen` can be set so that it stays: servers say so beforehand (RFC 3501 §7.1, PERMANENTFLAGS
    /// and READ-ONLY), and some then take the order without a word and do nothing.
    pub(super) keeps_seen: bool,
    /// The same for the flag `\Deleted`.
    pub(super) keeps_deleted: bool,
}

/// One request and how it is answered.
pub(super) struct Work {
    pub(super) asked: Asked,
    pub(super) time: Duration,
    pub(super) room: Room,
    /// Sent when the server asks to go on.
    pub(super) more: Option<Zeroizing<String>>,
    /// Sent when the server gives a reason before it refuses a sign-in.
    pub(super) answer_to_reason: &'static str,
}

/// How commands ended.
pub(super) struct Ended {
    /// Something about a message could not be read: what is missing in the answer may be on the server all the same.
    pub(super) unread: bool,
    /// The same of what a search found.
    pub(super) unread_search: bool,
    /// The same of the list of folders.
    pub(super) unread_list: bool,
    /// One for each command, in order.
    pub(super) each: Vec<Result<(), ProviderError>>,
}

impl Ended {
    /// The first refusal, if any.
    pub(super) fn all_well(self) -> Result<Self, ProviderError> {
        match self.each.iter().find_map(|each| each.as_ref().err()) {
            Some(error) => Err(error.clone()),
            None => Ok(self),
        }
    }
}

impl Session {
    /// Connects and signs in.
    pub(super) async fn open(
        server: &ImapServer,
        trust: &Trust,
        secret: &Secret,
        patience: Patience,
        held: Arc<AtomicUsize>,
    ) -> Result<Self, ProviderError> {
        let opening = async {
            let line = connect(server, trust, patience, held).await?;
            let mut session = Self {
                wire: line.wire,
                patience,
                capabilities: BTreeSet::new(),
                token: match secret {
                    Secret::Token(token) => Some(token.clone()),
                    Secret::Password(_) => None,
                },
                secrets: Arc::default(),
                number: 0,
                unfinished: false,
                used_at: Instant::now(),
                open: None,
                read_only: false,
            };
            sign_in(&mut session, line.greets, server, secret).await?;
            Ok(session)
        };
        timeout(patience.silence, opening)
            .await
            .map_err(|_| broken(WireError::TimedOut))?
    }

    /// Whether another command can be given.
    pub(super) fn is_usable(&self) -> bool {
        !self.unfinished && self.used_at.elapsed() < LONGEST_REST
    }

    /// How long ago it was used.
    pub(super) fn rest(&self) -> Duration {
        self.used_at.elapsed()
    }

    /// Whether the server has this capability.
    pub(super) fn can(&self, name: &str) -> bool {
        self.capabilities.contains(name)
    }

    /// What is known of `folder` where it is open already.
    pub(super) fn is_open(&self, folder: &str) -> Option<Selected> {
        let (name, selected) = self.open.as_ref()?;
        (name == folder).then_some(*selected)
    }

    /// Opens a folder by its name on the wire, or opens it again to see what is new.
    pub(super) async fn select(&mut self, folder: &str) -> Result<Selected, ProviderError> {
        let selected = self.opened("SELECT", folder).await?;
        self.open = Some((folder.to_owned(), selected));
        Ok(selected)
    }

    /// Looks into a folder without changing anything; afterwards none is open.
    pub(super) async fn examine(&mut self, folder: &str) -> Result<Selected, ProviderError> {
        self.opened("EXAMINE", folder).await
    }

    async fn opened(&mut self, order: &str, folder: &str) -> Result<Selected, ProviderError> {
        let name = quoted(folder).ok_or_else(|| protocol("folder_name"))?;
        // Without a list of permanent flags all of them are (RFC 3501 §6.3.1).
        let mut selected = Selected {
            keeps_seen: true,
            keeps_deleted: true,
            ..Selected::default()
        };
        self.open = None;
        let command = format!("{order} {name}");
        let work = self.talk(Asked::Folder);
        self.command(&command, work, |response, _| match response {
            Response::MailboxData(MailboxDatum::Exists(exists)) => selected.exists = *exists,
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(value)) => selected.uid_validity = *value,
                Some(ResponseCode::UidNext(value)) => selected.uid_next = *value,
                Some(ResponseCode::PermanentFlags(flags)) => {
                    let has = |name: &str| flags.iter().any(|flag| flag.eq_ignore_ascii_case(name));
                    selected.keeps_seen = has("\\Seen");
                    selected.keeps_deleted = has("\\Deleted");
                }
                _ => {}
            },
            _ => {}
        })
        .await
        .map_err(|error| about_folder(folder, error))?;
        if selected.uid_validity == 0 {
            // Without it nothing can be told apart for long (RFC 3501 §2.3.1.1).
            return Err(protocol("no_uid_validity"));
        }
        selected.keeps_seen &= !self.read_only;
        selected.keeps_deleted &= !self.read_only;
        Ok(selected)
    }

    /// A short request.
    pub(super) fn talk(&self, asked: Asked) -> Work {
        self.work(asked, self.patience.silence, Room::talk())
    }

    /// A listing or a search.
    pub(super) fn listing(&self) -> Work {
        self.work(Asked::Other, self.patience.listing, Room::listing())
    }

    /// A request for messages.
    pub(super) fn bodies(&self) -> Work {
        self.work(Asked::Other, self.patience.bodies, Room::bodies())
    }

    fn work(&self, asked: Asked, time: Duration, room: Room) -> Work {
        Work {
            asked,
            time,
            room,
            more: None,
            answer_to_reason: "",
        }
    }

    /// Gives an order whose answer says nothing but how it went.
    pub(super) async fn order(&mut self, command: &str, asked: Asked) -> Result<(), ProviderError> {
        let work = Work {
            time: self.patience.listing,
            ..self.talk(asked)
        };
        self.command(command, work, |_, _| {}).await?;
        Ok(())
    }

    /// Gives a command and hands every untagged response to `take`, until the command's end.
    pub(super) async fn command(
        &mut self,
        command: &str,
        work: Work,
        take: impl FnMut(&Response<'_>, &Received) + Send,
    ) -> Result<Ended, ProviderError> {
        let tag = self.begin(command).await?;
        self.finish(vec![tag], work, take).await?.all_well()
    }

    /// Gives commands that do not depend on one another (RFC 3501 §5.5) at once; `work` is for all of them.
    pub(super) async fn batch(
        &mut self,
        commands: &[String],
        work: Work,
        take: impl FnMut(&Response<'_>, &Received) + Send,
    ) -> Result<Ended, ProviderError> {
        let mut tags = Vec::with_capacity(commands.len());
        for command in commands {
            tags.push(self.begin(command).await?);
        }
        self.finish(tags, work, take).await
    }

    /// The server refused a command that matters to nobody, so it is still known where client and server are.
    pub(super) fn go_on(&mut self) {
        self.unfinished = false;
    }

    /// These must not be in any evidence from now on.
    pub(super) fn keep_secret(&mut self, secrets: &[&str]) {
        let own = |secret: &&str| Zeroizing::new((*secret).to_owned());
        self.secrets = Arc::new(secrets.iter().map(own).collect());
    }

    /// What a refusal outside of [`Session::finish`] means.
    pub(super) fn refused(&self, bytes: &[u8], farewell: bool) -> ProviderError {
        let known: Vec<&str> = self.secrets.iter().map(|secret| secret.as_str()).collect();
        match farewell {
            true => farewell_of(bytes, &known),
            false => refusal(&text_of(bytes), Asked::Other, &known),
        }
    }

    pub(super) async fn begin(&mut self, command: &str) -> Result<String, ProviderError> {
        self.number += 1;
        let tag = format!("M{}", self.number);
        self.unfinished = true;
        let line = Zeroizing::new(format!("{tag} {command}"));
        self.wire.send(&line).await.map_err(broken)?;
        Ok(tag)
    }

    /// Reads on to the end of the commands `tags`. To a first request to go on, `work.more` is sent; to a further one,
    /// which in SASL carries the reason of a refusal, `work.answer_to_reason`.
    pub(super) async fn finish(
        &mut self,
        tags: Vec<String>,
        mut work: Work,
        mut take: impl FnMut(&Response<'_>, &Received) + Send,
    ) -> Result<Ended, ProviderError> {
        let asked = work.asked;
        let secrets = self.secrets.clone();
        let known: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let known = known.as_slice();
        let deadline = Instant::now() + work.time;
        let (mut unread, mut unread_search, mut unread_list) = (false, false, false);
        let mut each: Vec<Option<Result<(), ProviderError>>> = tags.iter().map(|_| None).collect();
        let mut in_step = true;
        let mut farewell: Option<bytes::Bytes> = None;
        let mut reason = String::new();
        for _ in 0..MOST_RESPONSES {
            if each.iter().all(Option::is_some) {
                self.unfinished = !in_step;
                self.used_at = Instant::now();
                let each = each.into_iter().flatten().collect();
                return Ok(Ended {
                    unread,
                    unread_search,
                    unread_list,
                    each,
                });
            }
            let received = match self.wire.response(deadline, &mut work.room).await {
                Ok(received) => received,
                Err(error) => {
                    return Err(match (error, farewell) {
                        (WireError::Closed | WireError::Broken(_), Some(words)) => {
                            farewell_of(&words, known)
                        }
                        (error, _) => broken(error),
                    });
                }
            };
            let bytes = &received.bytes;
            if let Some(said) = bytes.strip_prefix(b"+") {
                let answer = match work.more.take() {
                    Some(answer) => answer,
                    None if matches!(asked, Asked::Password | Asked::Token)
                        && reason.is_empty() =>
                    {
                        reason = format!(" {}", sasl::reason(said));
                        Zeroizing::new(work.answer_to_reason.to_owned())
                    }
                    None => return Err(protocol("continuation")),
                };
                self.wire.send(&answer).await.map_err(broken)?;
                continue;
            }
            let response = match parsed(bytes) {
                Some(response) => response,
                None if bytes.starts_with(b"* ") => {
                    // Extensions nobody asked for are passed by.
                    unread |= names(bytes, " FETCH ");
                    unread_search |= names(bytes, "* SEARCH");
                    unread_list |= names(bytes, "* LIST");
                    continue;
                }
                None => return Err(protocol("not_imap")),
            };
            match &response {
                Response::Done {
                    tag,
                    status,
                    outcome,
                } => {
                    let mut slots = each.iter_mut().zip(&tags);
                    let slot = slots.find(|(slot, ours)| **ours == tag.0 && slot.is_none());
                    let Some((slot, _)) = slot else {
                        return Err(protocol("wrong_tag"));
                    };
                    self.note_capabilities(outcome);
                    self.read_only = matches!(outcome.code, Some(ResponseCode::ReadOnly));
                    if *status == Status::Ok {
                        *slot = Some(Ok(()));
                        continue;
                    }
                    // After a BAD, client and server may not agree on where they are.
                    in_step &= *status == Status::No;
                    let text = format!("{}{}", text_of(bytes), reason.trim_end());
                    *slot = Some(Err(refusal(&text, asked, known)));
                }
                Response::Data {
                    status: Status::Bye,
                    ..
                } => farewell = Some(bytes.clone()),
                Response::Data { outcome, .. } => {
                    self.note_capabilities(outcome);
                    if let (Some(ResponseCode::UidValidity(is)), Some((_, open))) =
                        (&outcome.code, &self.open)
                        && *is != open.uid_validity
                    {
                        // All numbers of this session are void.
                        return Err(renumbered(open.uid_validity, *is));
                    }
                    take(&response, &received);
                }
                Response::Capabilities(list) => self.set_capabilities(list),
                _ => take(&response, &received),
            }
        }
        Err(protocol("endless"))
    }

    pub(super) fn note_capabilities(&mut self, outcome: &Outcome<'_>) {
        if let Some(ResponseCode::Capabilities(list)) = &outcome.code {
            self.set_capabilities(list);
        }
    }

    fn set_capabilities(&mut self, list: &[Capability<'_>]) {
        self.capabilities = list
            .iter()
            .map(|capability| match capability {
                Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
                Capability::Atom(name) => name.to_ascii_uppercase(),
            })
            .collect();
    }
}

/// Every mailbox has an inbox (RFC 3501 §5.1): where a server says that there is none, this login may not see it.
fn about_folder(folder: &str, error: ProviderError) -> ProviderError {
    match error {
        ProviderError::NotFound(evidence) if folder.eq_ignore_ascii_case("INBOX") => {
            ProviderError::Forbidden(Evidence {
                code: Some("IMAP no permission".to_owned()),
                ..evidence
            })
        }
        other => other,
    }
}

/// An answer that breaks the protocol in the way that `what` names.
pub(super) fn protocol(what: &'static str) -> ProviderError {
    ProviderError::Protocol(what, Evidence::default())
}

/// The meaning of a `BYE`: where its words say nothing more, the server hung up.
pub(super) fn farewell_of(bytes: &[u8], known: &[&str]) -> ProviderError {
    match refusal(&text_of(bytes), Asked::Other, known) {
        ProviderError::Server(evidence) if evidence.code.is_none() => {
            ProviderError::Server(Evidence {
                code: Some("IMAP connection closed".to_owned()),
                ..evidence
            })
        }
        other => other,
    }
}

/// A response's words, behind tag and status.
fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.trim_end().splitn(3, ' ');
    words.nth(2).unwrap_or_default().to_owned()
}

/// Whether a response that cannot be read is of this kind.
fn names(bytes: &[u8], kind: &str) -> bool {
    let head = bytes.get(..40.min(bytes.len())).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_uppercase();
    head.contains(kind)
}
