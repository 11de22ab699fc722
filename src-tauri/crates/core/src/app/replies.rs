//! Answers to tickets: from the ticket's own address, to whoever wrote last, kept in the ticket. Each is handed over
//! once; where nobody knows whether it left, that is said instead of sending it again.

mod letter;

use crate::account::EmailAddress;
use crate::api::error::{ApiError, ErrorCode};
use crate::api::view::{Notice, ReplyView};
use crate::app::App;
use crate::import::{ParsedMail, parse};
use crate::provider::outbound::{Envelope, NotSent, SentCopy};
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow};
use crate::store::messages::{self, NewMessage, PersonView};
use crate::store::search::{self, Searchable};
use crate::store::tickets::{self, TicketView};
use crate::store::{StoreError, replies};
use crate::sync::{StepError, Turn};
use bytes::Bytes;
use letter::{Letter, Refusal};
use std::time::Duration;

/// Longest text of a reply, in bytes.
pub(crate) const LONGEST: usize = 1 << 20;
/// How long handing over may take, from the moment when it is the login's turn.
const PATIENCE: Duration = Duration::from_secs(180);

/// How a reply is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Only to see what would be sent.
    Rehearse,
    /// To send it.
    Send,
    /// To send it although nobody knows whether an earlier one left.
    SendAgain,
}

/// What a reply needs to know.
struct Known {
    ticket: TicketView,
    row: AddressRow,
    account: AccountRow,
    /// All connected addresses, the ticket's own included.
    ours: Vec<EmailAddress>,
    /// When an earlier reply was handed over of which nobody knows whether it left.
    doubtful: Option<crate::Millis>,
}

/// Answers a ticket with `text`.
/// It leaves from `sender`, else from the address that was written to ([`Known::written_to`]).
pub(crate) async fn reply(
    app: &App,
    id: i64,
    text: &str,
    sender: Option<&str>,
    ask: Ask,
) -> Result<ReplyView, ApiError> {
    let known = known(app, id).await?;
    if known.row.disconnected {
        return Err(StepError::Disconnected.into());
    }
    let sender = sender.map(|text| known.allowed(text)).transpose()?;
    let letter = letter(app, &known, sender, text).await?;
    let raw = letter
        .raw()
        .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    let view = letter.view(id, text);
    if ask == Ask::Rehearse {
        return Ok(view);
    }
    if let (Some(at), Ask::Send) = (known.doubtful, ask) {
        return Err(ApiError::new(ErrorCode::ReplyUnsure).arg("at", at));
    }
    let way = app
        .context
        .connections
        .outbound(&known.row, &known.account)
        .await?
        .ok_or_else(|| ApiError::new(ErrorCode::NoOutbound).arg("value", &known.row.address))?;
    let envelope = Envelope {
        from: letter.from.clone(),
        to: vec![letter.to.clone()],
    };
    let turn = app.context.turn(&way).await;
    begin(app, &known, &letter.message_id, ask).await?;
    let copy = match hand_over(app, turn, &envelope, &raw).await {
        Ok(copy) => copy,
        Err(error) => {
            if error.code != ErrorCode::ReplyUnsure {
                let message_id = letter.message_id.clone();
                app.context
                    .store
                    .write(move |tx| replies::settle(tx, &message_id))
                    .await?;
            }
            return Err(error);
        }
    };
    // It has left: whatever happens now is no reason to send it again.
    let kept = match keep(app, &known, &letter, raw).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "A reply left and could not be kept.");
            false
        }
    };
    app.announce(Notice::TicketsChanged(known.row.address.clone()));
    Ok(ReplyView {
        sent: true,
        kept,
        copy_failed: matches!(copy, SentCopy::Failed(_)),
        ..view
    })
}

/// Notes that a reply is about to be handed over. Much may have happened while it waited for its turn.
async fn begin(app: &App, known: &Known, message_id: &str, ask: Ask) -> Result<(), ApiError> {
    let (ticket, address) = (known.ticket.ticket.id, known.row.id);
    let (message_id, now) = (message_id.to_owned(), app.context.clock.now());
    let hindrance = app
        .context
        .store
        .write(move |tx| {
            if addresses::get(tx, address)?.is_none_or(|row| row.disconnected) {
                return Ok(Some(StepError::Disconnected.into()));
            }
            if let (Some(at), Ask::Send) = (replies::doubtful(tx, ticket)?, ask) {
                return Ok(Some(ApiError::new(ErrorCode::ReplyUnsure).arg("at", at)));
            }
            replies::forget(tx, ticket)?;
            replies::begin(tx, ticket, &message_id, now)?;
            Ok(None)
        })
        .await?;
    hindrance.map_or(Ok(()), Err)
}

async fn known(app: &App, id: i64) -> Result<Known, ApiError> {
    let known = app.context.store.read(move |db| {
        let Some(ticket) = tickets::view(db, id)? else {
            return Ok(None);
        };
        let key = ticket.ticket.address.to_lowercase();
        let Some(row) = addresses::by_key(db, &key)? else {
            return Ok(None);
        };
        let Some(account) = accounts::get(db, row.account_id)? else {
            return Ok(None);
        };
        let ours = addresses::all(db)?
            .iter()
            .filter_map(|row| EmailAddress::parse(&row.address))
            .collect();
        Ok(Some(Known {
            doubtful: replies::doubtful(db, id)?,
            ticket,
            row,
            account,
            ours,
        }))
    });
    known
        .await?
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

impl Known {
    /// The sender that was asked for, where the address may send from it.
    fn allowed(&self, asked: &str) -> Result<EmailAddress, ApiError> {
        let sender = EmailAddress::parse(asked)
            .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", asked))?;
        let senders = self.row.senders();
        if senders.contains(&sender) {
            return Ok(sender);
        }
        let senders: Vec<&str> = senders.iter().map(EmailAddress::as_str).collect();
        Err(ApiError::new(ErrorCode::SenderNotAllowed)
            .arg("value", asked)
            .arg("allowed", senders.join(", ")))
    }

    /// Whoever wrote to an additional address and not to the ticket's own gets the answer from there.
    fn written_to(&self, mail: &ParsedMail) -> Option<EmailAddress> {
        let senders = self.row.senders();
        let named: Vec<EmailAddress> = mail
            .to
            .iter()
            .chain(&mail.cc)
            .filter_map(|person| EmailAddress::parse(&person.address))
            .collect();
        let own = senders.first()?;
        if named.contains(own) {
            return Some(own.clone());
        }
        let further = named
            .iter()
            .find_map(|one| senders.iter().find(|sender| *sender == one));
        Some(further.unwrap_or(own).clone())
    }

    /// Whether mail from this address is the team's own.
    fn is_ours(&self, address: &str) -> bool {
        let Some(address) = EmailAddress::parse(address) else {
            return false;
        };
        let sends_as = self.row.outbound.iter().flat_map(|server| &server.from);
        self.ours.contains(&address)
            || sends_as.into_iter().any(|from| *from == address)
            || (self.row.mailbox.is_none() && self.account.identity.owns(&address))
    }
}

/// The answer to the newest message that is not the team's own.
async fn letter(
    app: &App,
    known: &Known,
    sender: Option<EmailAddress>,
    text: &str,
) -> Result<Letter, ApiError> {
    let refused =
        |refusal: Refusal| ApiError::new(ErrorCode::NobodyToAnswer).arg("how", refusal.word());
    let last = known
        .ticket
        .messages
        .iter()
        .rev()
        .find(|message| !known.is_ours(&message.from.address))
        .ok_or_else(|| refused(Refusal::Own))?
        .id;
    let raw = app
        .context
        .store
        .read(move |db| messages::raw(db, last))
        .await?
        .unwrap_or_default();
    let parsed = tokio::task::spawn_blocking(move || parse::parse(&Bytes::from(raw)))
        .await
        .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    let from = sender
        .or_else(|| known.written_to(&parsed))
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", &known.row.address))?;
    let letter =
        Letter::answering(&parsed, &from, text, app.context.clock.now()).map_err(refused)?;
    if known.is_ours(letter.to.as_str()) {
        return Err(refused(Refusal::Own));
    }
    Ok(letter)
}

async fn hand_over(
    app: &App,
    turn: Turn<'_>,
    envelope: &Envelope,
    raw: &[u8],
) -> Result<SentCopy, ApiError> {
    let unsure = || ApiError::new(ErrorCode::ReplyUnsure).arg("at", app.context.clock.now());
    match turn.send_within(PATIENCE, envelope, raw).await {
        Ok(sent) => match sent.refused.into_iter().next() {
            Some((_, error)) => Err(StepError::Provider(error).into()),
            None => Ok(sent.copy),
        },
        Err(NotSent {
            may_have_left: false,
            error,
        }) => Err(StepError::Provider(error).into()),
        Err(NotSent { error, .. }) => Err(ApiError {
            evidence: error.evidence().cloned().map(Box::new),
            ..unsure().because(error)
        }),
    }
}

/// The reply becomes a message of the ticket, so that answers to it find their way.
async fn keep(app: &App, known: &Known, letter: &Letter, raw: Vec<u8>) -> Result<(), StoreError> {
    let raw = Bytes::from(raw);
    let bytes = raw.clone();
    // Read as it would be if the server gave it back: then the same mail has the same fingerprint.
    let parsed = tokio::task::spawn_blocking(move || parse::parse(&bytes)).await;
    let parsed = parsed.unwrap_or_default();
    let person = |address: &EmailAddress| PersonView {
        name: String::new(),
        address: address.to_string(),
    };
    let new = NewMessage {
        ticket_id: known.ticket.ticket.id,
        address_id: known.row.id,
        message_id: Some(letter.message_id.clone()),
        references: parsed.references,
        fingerprint: parsed.fingerprint,
        subject: letter.subject.clone(),
        from: person(&letter.from),
        to: vec![person(&letter.to)],
        received_at: letter.at,
        sent_at: Some(letter.at),
        text: parsed.text,
        raw,
        ..NewMessage::default()
    };
    let people = std::iter::once(&new.from).chain(&new.to);
    let people = people.map(|person| (person.name.as_str(), person.address.as_str()));
    let searchable = Searchable::new(&new.subject, people, &new.text);
    app.context
        .store
        .write(move |tx| {
            let id = messages::insert(tx, &new)?;
            if let Some(message_id) = &new.message_id {
                replies::settle(tx, message_id)?;
            }
            search::add(tx, std::iter::once((id, &searchable)))
        })
        .await
}
