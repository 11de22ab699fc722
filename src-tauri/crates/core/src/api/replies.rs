//! Answering tickets.

use super::error::{ApiError, ErrorCode};
use super::view::ReplyView;
use crate::app::App;
use crate::app::replies::{self, Ask, LONGEST};

/// What a reply with `text` would be, and from which address: nothing is sent, and no server is asked.
///
/// # Errors
/// As [`reply`], without those of sending.
pub async fn rehearse_reply(
    app: &App,
    id: i64,
    text: &str,
    from: Option<&str>,
) -> Result<ReplyView, ApiError> {
    replies::reply(app, id, checked(text)?, from, Ask::Rehearse).await
}

/// Answers a ticket with `text`: to whoever wrote last, through the address's own way of sending and no other. It leaves
/// `from` the ticket's address or one of its additional ones; without a word from the one that was written to. The reply
/// is kept in the ticket. It is handed over once, as soon as the login may send again, however long that takes; `again`
/// is a way through where nobody knows whether an earlier one left.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::OutOfRange`] for an empty text and for one above 1 MiB (in bytes);
/// [`ErrorCode::NobodyToAnswer`] for automatic mail, for the team's own and for mail without a usable sender;
/// [`ErrorCode::InvalidAddress`] and [`ErrorCode::SenderNotAllowed`] for `from`; [`ErrorCode::WrongState`] for a disconnected address; [`ErrorCode::NoOutbound`]; [`ErrorCode::ReplyUnsure`] where
/// nobody knows whether this reply or an earlier one left; what the server or the sign-in says against it.
pub async fn reply(
    app: &App,
    id: i64,
    text: &str,
    from: Option<&str>,
    again: bool,
) -> Result<ReplyView, ApiError> {
    let ask = match again {
        true => Ask::SendAgain,
        false => Ask::Send,
    };
    replies::reply(app, id, checked(text)?, from, ask).await
}

fn checked(text: &str) -> Result<&str, ApiError> {
    if text.trim().is_empty() || text.len() > LONGEST || text.contains('\0') {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", text.len())
            .arg("least", 1)
            .arg("most", LONGEST));
    }
    Ok(text)
}
