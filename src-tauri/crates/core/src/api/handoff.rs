//! Handing a fix over: to the admin who approves, to whoever manages mailboxes, to the owner of the app registration.

use super::addresses::not_found;
use super::error::{ApiError, ErrorCode};
use super::tickets::write_whole;
use super::view::{
    ApprovalVisit, ConnectAttempt, HandOff, HandOffFor, HandOffKind, HandOffSender, MailHandOff,
};
use crate::account::EmailAddress;
use crate::app::App;
use crate::app::handoffs;
use crate::diagnosis::catalogue::Language;
use crate::store;
use std::path::Path;
use std::sync::Arc;

/// Notes that somebody else is asked to mend the finding `code` of `whom`, and gives the words to send them. Asking
/// again keeps since when. Links in the words may then be opened from the window.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] where there is no such finding, or nobody else could mend it.
pub async fn hand_off(app: &App, whom: HandOffFor, code: &str) -> Result<HandOff, ApiError> {
    let wanted = handoffs::wanted(app, &whom, code).await?;
    let wanted = wanted.ok_or_else(not_found)?;
    let address = wanted.address.clone();
    handoffs::ask(app, wanted)
        .await?
        .ok_or_else(|| ApiError::new(ErrorCode::WrongState).arg("value", address))
}

/// All hand-offs that wait, or were denied; oldest first. They survive a restart.
///
/// # Errors
/// The database cannot be read.
pub async fn list_hand_offs(app: &App) -> Result<Vec<HandOff>, ApiError> {
    Ok(handoffs::all(app).await?)
}

/// Looks quietly whether it is done: by trying with a stored sign-in, at most once in five minutes where the sign-in
/// service refused, never by opening a browser or sending a mail. [`super::view::Recheck`] says where nothing can be
/// asked quietly. What is done is given once more and then forgotten.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn recheck_hand_off(app: &Arc<App>, id: i64) -> Result<HandOff, ApiError> {
    handoffs::recheck(app, id).await?.ok_or_else(not_found)
}

/// Signs in for a hand-off, the one click that shows whether it is done where nothing can be asked quietly. The attempt
/// goes on as any other one ([`super::begin_connect`]), as the app and in the tenant that it is about.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::AddressInUse`], and what keeps the keychain shut.
pub async fn sign_in_for_hand_off(
    app: &Arc<App>,
    id: i64,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    let row = row(app, id).await?;
    match row.address_id {
        Some(address) if handoffs::includes_rules(&row.scopes) => {
            super::ask_for_forwarding(app, address, private_window, language).await
        }
        Some(address) => super::reconnect_address(app, address, private_window, language).await,
        None => {
            let address = EmailAddress::parse(&row.address).ok_or_else(not_found)?;
            // Who asked for a shared mailbox's permissions wants to open one.
            let opens = match row.scopes.iter().any(|scope| scope.ends_with(".Shared")) {
                true => super::view::Opens::Shared,
                false => super::view::Opens::Own,
            };
            let address = (address, opens);
            super::connect::begin_as(app, address, row.registration, private_window, language).await
        }
    }
}

/// Opens an approval in this computer's browser, for an admin who sits at it. Once it is given, `attempt` is signed in
/// anew and a connected address is looked at again, without a further click.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] for anything but an approval; no free port.
pub async fn approve_here(
    app: &Arc<App>,
    id: i64,
    attempt: Option<String>,
    language: &str,
) -> Result<ApprovalVisit, ApiError> {
    let row = row(app, id).await?;
    if row.kind != HandOffKind::Approval {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", row.address));
    }
    let words = crate::words::words(language).approval_page();
    handoffs::approve_here(app, row, attempt, words)
        .await
        .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))
}

/// Addresses that a hand-off can be mailed from: connected ones that are well and may send, each with the additional
/// addresses that its server takes mail from.
///
/// # Errors
/// The database cannot be read.
pub async fn hand_off_senders(app: &App) -> Result<Vec<HandOffSender>, ApiError> {
    Ok(handoffs::senders(app).await?)
}

/// Mails a hand-off's message, exactly as [`HandOff::messages`] has it, from the chosen address to the chosen one. Only
/// call it when the person has seen both and agreed. The same click never sends twice.
///
/// # Errors
/// [`ErrorCode::InvalidAddress`] for a receiver that is no address or not in ASCII; [`ErrorCode::NotFound`] for an unknown
/// hand-off, or a sender that is not well or not one of [`hand_off_senders`]; what the server refused.
pub async fn mail_hand_off(app: &App, mail: MailHandOff) -> Result<HandOff, ApiError> {
    let to = EmailAddress::parse(&mail.to)
        .filter(|to| to.as_str().is_ascii())
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", &mail.to))?;
    let language = Language::from_tag(&mail.language);
    let from = (mail.from, mail.sender.as_deref());
    handoffs::mail(app, mail.id, from, to, language, mail.click)
        .await?
        .ok_or_else(not_found)
}

/// The name to offer for saving a hand-off's message.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn hand_off_name(app: &App, id: i64) -> Result<String, ApiError> {
    let row = row(app, id).await?;
    let address: String = row
        .address
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    Ok(format!("mailroom-{address}.txt"))
}

/// Saves a hand-off's message in `language` as plain text (UTF-8): the subject, an empty line, the text.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::CannotWriteFile`].
pub async fn save_hand_off(
    app: &App,
    id: i64,
    language: &str,
    path: &Path,
) -> Result<(), ApiError> {
    let handoff = handoffs::one(app, id).await?.ok_or_else(not_found)?;
    let message = handoff.messages.of(Language::from_tag(language));
    let text = format!("{}\n\n{}", message.subject, message.text);
    save_text(path, text).await
}

/// Writes a text file: whole, or not at all.
pub(super) async fn save_text(path: &Path, text: String) -> Result<(), ApiError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        write_whole(&path, text.as_bytes()).map_err(|error| {
            ApiError::new(ErrorCode::CannotWriteFile)
                .arg("path", path.display())
                .because(error)
        })
    })
    .await
    .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?
}

/// Stops waiting for somebody.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn withdraw_hand_off(app: &App, id: i64) -> Result<(), ApiError> {
    if handoffs::withdraw(app, id).await? {
        Ok(())
    } else {
        Err(not_found())
    }
}

async fn row(app: &App, id: i64) -> Result<store::handoffs::HandOffRow, ApiError> {
    let find = move |db: &rusqlite::Connection| store::handoffs::get(db, id);
    app.context.store.read(find).await?.ok_or_else(not_found)
}
