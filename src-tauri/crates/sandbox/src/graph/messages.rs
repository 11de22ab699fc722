//! `/messages`, in one folder or in all: list, get, change, delete.

mod attachments;
mod change;
mod delta;
pub(super) mod draft;
mod list;
mod reply;
pub(super) mod resource;

use bytes::Bytes;
use http::Method;

use super::access::Visit;
use super::answer::{Answer, Refusal};
use super::query::Options;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::message::Message;
use resource::{PROPERTIES, TYPE, View};

/// Everything from `/messages` on; `folder` is the folder's name in the path, if there is one.
pub(super) fn route(
    visit: &Visit<'_>,
    folder: Option<&str>,
    path: &[&str],
) -> Result<Answer, Refusal> {
    let method = visit.method();
    match path {
        [] if *method == Method::GET => list::list(visit, folder),
        [] if *method == Method::POST => draft::create(visit, folder),
        ["$count"] if *method == Method::GET => list::count(visit, folder),
        ["delta"] if *method == Method::GET => {
            let folder = folder.ok_or_else(|| {
                Refusal::bad("Change tracking is not supported against 'microsoft.graph.message'.")
            })?;
            delta::delta(visit, folder)
        }
        [id] if *method == Method::GET => get(visit, folder, id),
        [id] if *method == Method::PATCH => change::patch(visit, id),
        [id] if *method == Method::DELETE => change::delete(visit, id),
        [id, "$value"] if *method == Method::GET => mime(visit, id),
        [id, part, rest @ ..] if part.eq_ignore_ascii_case("attachments") => {
            attachments::route(visit, id, rest)
        }
        [id, action] if *method == Method::POST => match action.to_lowercase().as_str() {
            "move" => change::relocate(visit, id, false),
            "copy" => change::relocate(visit, id, true),
            "send" => super::send_mail::send_draft(visit, id),
            "createreply" => reply::create(visit, id, reply::Kind::Reply),
            "createreplyall" => reply::create(visit, id, reply::Kind::ReplyAll),
            "createforward" => reply::create(visit, id, reply::Kind::Forward),
            "reply" => reply::send(visit, id, reply::Kind::Reply),
            "replyall" => reply::send(visit, id, reply::Kind::ReplyAll),
            "forward" => reply::send(visit, id, reply::Kind::Forward),
            _ => Err(Refusal::no_segment(action)),
        },
        [] | [_] | [_, "$value"] => Err(Refusal::no_method()),
        [_, segment, ..] => Err(Refusal::no_segment(segment)),
    }
}

/// The message an id names, or why not.
pub(super) fn find<'m>(mailbox: &'m Mailbox, id: &str) -> Result<&'m Message, Refusal> {
    mailbox.find(id)?.ok_or_else(Refusal::gone)
}

fn get(visit: &Visit<'_>, folder: Option<&str>, id: &str) -> Result<Answer, Refusal> {
    let call = visit.call;
    let options = Options::read(call, &["select", "expand"], TYPE, &PROPERTIES)?;
    let view = View::new(call, &options);
    visit.read(|mailbox| {
        let message = find(mailbox, id)?;
        if let Some(folder) = folder
            && super::mail_folders::find(mailbox, folder)?.key != message.folder
        {
            return Err(Refusal::gone());
        }
        let mut body = view.message(mailbox, message);
        let list = options
            .select
            .as_ref()
            .map_or(String::new(), |names| format!("({})", names.join(",")));
        let context = format!(
            "{}/v1.0/$metadata#{}/messages{list}/$entity",
            call.root,
            visit.owner()
        );
        body["@odata.context"] = context.into();
        Ok(Answer::json(body))
    })
}

/// `GET …/messages/{id}/$value` ("Get MIME content of a message").
fn mime(visit: &Visit<'_>, id: &str) -> Result<Answer, Refusal> {
    let raw: Bytes = visit.read(|mailbox| Ok(find(mailbox, id)?.raw.clone()))?;
    Ok(Answer::raw("text/plain", raw))
}
