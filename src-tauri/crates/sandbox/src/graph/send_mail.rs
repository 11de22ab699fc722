//! `sendMail` and sending drafts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use serde_json::Value;
use uuid::Uuid;

use super::access::{Visit, Wish};
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::messages::{draft, find};
use crate::tenant::mailboxes::delivery::without_header;
use crate::tenant::mailboxes::draft::Draft;
use crate::tenant::mailboxes::message::{Message, header};
use crate::tenant::mailboxes::summary::{Person, Summary};

/// Whether the body is base64 MIME (`Content-Type: text/plain`).
pub(super) fn is_mime(call: &Call) -> bool {
    call.header("content-type")
        .is_some_and(|kind| kind.to_lowercase().starts_with("text/plain"))
}

/// The MIME of the body.
pub(super) fn decode_mime(call: &Call) -> Result<Vec<u8>, Refusal> {
    let text: Vec<u8> = call
        .body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let raw = STANDARD.decode(text).map_err(|_| {
        Refusal::new(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        )
    })?;
    let has_from = header(&raw, "from").is_some() || header(&raw, "to").is_some();
    if has_from {
        Ok(raw)
    } else {
        Err(Refusal::new(
            400,
            "ErrorMimeContentInvalid",
            "The MIME content is invalid.",
        ))
    }
}

/// `POST …/sendMail` ("user: sendMail").
pub(super) fn send(visit: &Visit<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    if let Some(segment) = path.first() {
        return Err(Refusal::no_segment(segment));
    }
    if *visit.method() != Method::POST {
        return Err(Refusal::no_method());
    }
    visit.allow(Wish::Send)?;
    if is_mime(visit.call) {
        let raw = cleaned(decode_mime(visit.call)?);
        let summary = Summary::of(&raw);
        let from = summary
            .from
            .as_ref()
            .map_or(visit.user.mail, |from| from.address.as_str());
        may_send_as(visit, from)?;
        let to: Vec<String> = summary
            .to
            .iter()
            .chain(&summary.cc)
            .chain(&summary.bcc)
            .map(|person| person.address.clone())
            .filter(|address| !address.is_empty())
            .collect();
        return carry(visit, Bytes::from(raw), &to, true);
    }
    let body = visit.call.json()?;
    let message = body
        .get("message")
        .or_else(|| body.get("Message"))
        .filter(|m| m.is_object());
    let message = message.ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorInvalidRequest",
            "The parameter 'Message' is missing.",
        )
    })?;
    let mut new = draft::empty(visit.user);
    draft::fill(&mut new, message)?;
    let keep = ["saveToSentItems", "SaveToSentItems"]
        .iter()
        .find_map(|name| body.get(*name));
    // Some clients send the flag as a string.
    let keep = keep.is_none_or(|keep| *keep != Value::Bool(false) && *keep != "false");
    send_now(visit, new, keep)
}

/// Sends a draft that was never stored.
pub(super) fn send_now(visit: &Visit<'_>, mut new: Draft, keep: bool) -> Result<Answer, Refusal> {
    let to = prepare(visit, &mut new)?;
    carry(visit, new.to_mime(visit.world.now()), &to, keep)
}

/// `POST …/messages/{id}/send`.
pub(super) fn send_draft(visit: &Visit<'_>, id: &str) -> Result<Answer, Refusal> {
    visit.allow(Wish::Send)?;
    let (key, draft) = visit.look(|mailbox| {
        let message = find(mailbox, id)?;
        let draft = message.draft.clone().ok_or_else(|| {
            Refusal::new(
                400,
                "ErrorInvalidOperation",
                "The message has been sent already.",
            )
        })?;
        Ok((message.key, draft))
    })?;
    let mut draft = *draft;
    let to = prepare(visit, &mut draft)?;
    let now = visit.world.now();
    let raw = draft.to_mime(now);
    let directory = visit.world.directory.lock();
    let mut mailboxes = visit.world.mailboxes.lock();
    let mailbox = mailboxes
        .get_mut(visit.user.mail)
        .ok_or_else(Refusal::gone)?;
    let sent = mailbox.well_known("sentitems");
    mailbox.change(key, now, |message| {
        message.draft = None;
        message.set_raw(raw.clone());
    });
    mailbox.relocate(key, sent, now).ok_or_else(Refusal::gone)?;
    mailboxes.submit(&directory, visit.user.mail, &raw, &to, now);
    Ok(Answer::empty(202))
}

/// Checks the author and the recipients; returns the recipients' addresses.
fn prepare(visit: &Visit<'_>, draft: &mut Draft) -> Result<Vec<String>, Refusal> {
    may_send_as(visit, &draft.from.address)?;
    // Exchange puts the name from its directory in place of the one given.
    if visit.user.answers_to(&draft.from.address) {
        draft.from = Person {
            name: visit.user.name.to_owned(),
            address: draft.from.address.clone(),
        };
    }
    let to: Vec<String> = draft
        .recipients()
        .map(|person| person.address.clone())
        .collect();
    if to.is_empty() {
        let text = "At least one recipient is not valid., One or more recipients are required.";
        return Err(Refusal::new(400, "ErrorInvalidRecipients", text));
    }
    if let Some(bad) = to.iter().find(|address| !plausible(address)) {
        let text =
            format!("At least one recipient is not valid., Recipient '{bad}' is not resolved.");
        return Err(Refusal::new(400, "ErrorInvalidRecipients", text));
    }
    Ok(to)
}

fn plausible(address: &str) -> bool {
    address.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !address.contains([' ', '<', '>', ','])
    })
}

/// Whoever sends as somebody else needs `Mail.Send.Shared` and Send As on that mailbox, whichever mailbox the call names
/// ("Send Outlook messages from another user").
fn may_send_as(visit: &Visit<'_>, from: &str) -> Result<(), Refusal> {
    let directory = visit.world.directory.lock();
    let author = directory
        .find(from)
        .filter(|user| user.tenant == visit.claims.tid);
    let is_other = author.is_some_and(|author| author.oid != visit.claims.oid);
    if is_other && !visit.has_scope(&["Mail.Send.Shared"]) {
        return Err(Refusal::denied());
    }
    if author.is_some_and(|author| directory.may_send_as(&visit.claims.oid, author.oid)) {
        return Ok(());
    }
    let text = "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account. Cannot submit message.";
    Err(Refusal::new(403, "ErrorSendAsDenied", text))
}

/// What Exchange does to submitted MIME: some header fields go, a Message-ID and a Date are made sure of.
fn cleaned(raw: Vec<u8>) -> Vec<u8> {
    let mut raw = without_header(&without_header(&raw, "auto-submitted"), "return-path");
    if header(&raw, "message-id").is_none() {
        let line = format!(
            "Message-ID: <{}@contoso.example>\r\n",
            Uuid::new_v4().simple()
        );
        raw.splice(0..0, line.into_bytes());
    }
    raw
}

fn carry(visit: &Visit<'_>, raw: Bytes, to: &[String], keep: bool) -> Result<Answer, Refusal> {
    let now = visit.world.now();
    let directory = visit.world.directory.lock();
    let mut mailboxes = visit.world.mailboxes.lock();
    if keep && let Some(mailbox) = mailboxes.get_mut(visit.user.mail) {
        let sent = mailbox.well_known("sentitems");
        let mut copy = Message::new(raw.clone(), now);
        copy.is_read = true;
        mailbox.add(sent, copy);
    }
    mailboxes.submit(&directory, visit.user.mail, &raw, to, now);
    Ok(Answer::empty(202))
}
