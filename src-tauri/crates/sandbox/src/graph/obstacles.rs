//! What the scenarios make Graph refuse, in Graph's words ("Microsoft Graph error responses and resource types",
//! "Outlook mail API overview").

use bytes::Bytes;
use http::Method;

use super::access::{Visit, Wish};
use super::answer::{Answer, Refusal};
use crate::portal;
use crate::scenarios::Scenario;
use crate::world::World;

/// Ids of folders and messages are longer than every well-known name.
const SHORTEST_ID: usize = 60;

/// An answer that comes from something in between, not from Graph.
pub(super) fn in_between(world: &World) -> Option<Answer> {
    if world.has(Scenario::HtmlInsteadOfJson) {
        let page = Bytes::from_static(portal::PORTAL.as_bytes());
        return Some(Answer::raw("text/html; charset=utf-8", page));
    }
    if world.has(Scenario::GatewayErrors) {
        let mut mailboxes = world.mailboxes.lock();
        mailboxes.requests += 1;
        let status = if mailboxes.requests.is_multiple_of(2) {
            504
        } else {
            502
        };
        let page = Bytes::from(portal::gateway(status));
        return Some(Answer {
            status,
            ..Answer::raw("text/html", page)
        });
    }
    None
}

/// Why the mailbox as a whole cannot be reached. `path` begins behind the user.
pub(super) fn mailbox(visit: &Visit<'_>, path: &[&str]) -> Result<(), Refusal> {
    let world = visit.world;
    let refusals = [
        (
            Scenario::GraphAccessPolicy,
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled.",
        ),
        (
            Scenario::MailboxOnPremises,
            404,
            "MailboxNotHostedInExchangeOnline",
            "The mailbox is not hosted in Exchange Online.",
        ),
        (
            Scenario::MailboxUnsupported,
            404,
            "MailboxNotSupportedForRESTAPI",
            "REST API is not supported for this mailbox.",
        ),
    ];
    for (scenario, status, code, text) in refusals {
        if world.has(scenario) {
            return Err(Refusal::new(status, code, text));
        }
    }
    let id_after = |name: &str| {
        path.windows(2)
            .any(|pair| pair[0].eq_ignore_ascii_case(name) && pair[1].len() >= SHORTEST_ID)
    };
    if world.has(Scenario::FolderGone) && id_after("mailFolders") {
        let text = "The specified folder could not be found in the store.";
        return Err(Refusal::new(404, "ErrorFolderNotFound", text));
    }
    if world.has(Scenario::IdsStale) && (id_after("mailFolders") || id_after("messages")) {
        return Err(Refusal::new(
            400,
            "ErrorInvalidIdMalformed",
            "Id is malformed.",
        ));
    }
    Ok(())
}

/// Why something that the rights allow is refused all the same.
pub(super) fn wish(visit: &Visit<'_>, wish: Wish) -> Result<(), Refusal> {
    let world = visit.world;
    // Marking and moving take no space.
    let grows = wish == Wish::Send || (wish == Wish::Write && *visit.method() == Method::POST);
    if grows && world.has(Scenario::QuotaFull) {
        let text =
            "The mailbox has exceeded its quota., Cannot save changes made to an item to store.";
        return Err(Refusal::new(507, "ErrorQuotaExceeded", text));
    }
    if wish == Wish::Send && world.has(Scenario::SubmissionBlocked) {
        let text =
            "Cannot submit message., The message could not be sent because the sender is blocked.";
        return Err(Refusal::new(403, "ErrorMessageSubmissionBlocked", text));
    }
    if wish == Wish::Send && world.has(Scenario::MessageTooLarge) {
        let text = "The message exceeds the maximum supported size.";
        return Err(Refusal::new(413, "ErrorMessageSizeExceeded", text));
    }
    Ok(())
}
