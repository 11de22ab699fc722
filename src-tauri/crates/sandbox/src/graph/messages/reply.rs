//! Replies and forwards: as drafts (`createReply` …) or sent at once (`reply` …).

use serde_json::Value;

use super::change::entity;
use super::draft::{empty, fill, people, stored};
use super::find;
use super::resource::View;
use crate::graph::access::{Visit, Wish};
use crate::graph::answer::{Answer, Refusal};
use crate::graph::query::Options;
use crate::graph::send_mail;
use crate::tenant::mailboxes::draft::{Draft, DraftFile};
use crate::tenant::mailboxes::message::Message;
use crate::tenant::mailboxes::summary;

/// Which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To the sender.
    Reply,
    /// To the sender and everybody else.
    ReplyAll,
    /// To somebody new.
    Forward,
}

/// `createReply`, `createReplyAll`, `createForward`.
pub(super) fn create(visit: &Visit<'_>, id: &str, kind: Kind) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    let view = View::new(visit.call, &Options::default());
    let now = visit.world.now();
    visit.write(|mailbox| {
        let draft = answer_to(visit, find(mailbox, id)?, kind, &body)?;
        let drafts = mailbox.well_known("drafts");
        let key = mailbox.add(drafts, stored(draft, now));
        let message = mailbox.message(key).ok_or_else(Refusal::gone)?;
        Ok(Answer::created(entity(
            visit,
            view.message(mailbox, message),
        )))
    })
}

/// `reply`, `replyAll`, `forward`.
pub(super) fn send(visit: &Visit<'_>, id: &str, kind: Kind) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    visit.allow(Wish::Send)?;
    let draft = visit.look(|mailbox| answer_to(visit, find(mailbox, id)?, kind, &body))?;
    send_mail::send_now(visit, draft, true)
}

fn answer_to(
    visit: &Visit<'_>,
    original: &Message,
    kind: Kind,
    body: &Value,
) -> Result<Draft, Refusal> {
    let from = original.summary();
    let mut draft = empty(visit.user);
    let subject = from.subject.as_deref().unwrap_or_default();
    let (prefix, known) = match kind {
        Kind::Reply | Kind::ReplyAll => ("RE: ", ["re:", "aw:"]),
        Kind::Forward => ("FW: ", ["fw:", "wg:"]),
    };
    let lower = subject.to_lowercase();
    let bare = known
        .iter()
        .find(|p| lower.starts_with(*p))
        .map_or(subject, |p| &subject[p.len()..]);
    draft.subject = format!("{prefix}{}", bare.trim_start());
    let ours = |address: &str| visit.user.answers_to(address);
    if kind != Kind::Forward {
        draft.to = if from.reply_to.is_empty() {
            from.from.clone().into_iter().collect()
        } else {
            from.reply_to.clone()
        };
        draft.in_reply_to = from.message_id.clone();
    }
    if kind == Kind::ReplyAll {
        draft
            .to
            .extend(from.to.iter().filter(|p| !ours(&p.address)).cloned());
        draft.cc = from
            .cc
            .iter()
            .filter(|p| !ours(&p.address))
            .cloned()
            .collect();
    }
    draft.references = from
        .references
        .iter()
        .chain(&from.message_id)
        .cloned()
        .collect();
    let quoted = summary::body(&original.raw);
    let comment = body["comment"].as_str().unwrap_or_default();
    let who = from.from.as_ref().map_or("", |from| from.name.as_str());
    draft.is_html = true;
    let inner = if quoted.is_html {
        quoted.content
    } else {
        format!("<pre>{}</pre>", escaped(&quoted.content))
    };
    draft.content = format!(
        "<html><body><div>{}</div><hr><div><b>From:</b> {}<br><b>Subject:</b> {}</div>{inner}</body></html>",
        escaped(comment),
        escaped(who),
        escaped(subject),
    );
    if kind == Kind::Forward {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        draft.attachments = summary::attachments(&original.raw)
            .into_iter()
            .map(|file| DraftFile {
                name: file.name,
                content_type: file.content_type,
                base64: STANDARD.encode(file.bytes),
                content_id: file.content_id.filter(|_| file.is_inline),
            })
            .collect();
    }
    fill(&mut draft, &body["message"])?;
    if let Some(list) = body.get("toRecipients").filter(|list| !list.is_null()) {
        draft.to = people(list, "toRecipients")?;
    }
    Ok(draft)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\n', "<br>")
}
