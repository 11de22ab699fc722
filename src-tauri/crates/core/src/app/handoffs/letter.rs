//! The message as a mail from another connected address, sent only on a click and once a click.

use super::draw;
use crate::Millis;
use crate::account::EmailAddress;
use crate::api::view::{HandOff, HandOffSender};
use crate::app::App;
use crate::diagnosis::catalogue::Language;
use crate::diagnosis::handoff::{HandOffMessage, Mailed};
use crate::provider::ProviderError;
use crate::provider::outbound::{Envelope, NotSent};
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow};
use crate::store::events::{self, EventKind};
use crate::store::handoffs;
use crate::sync::{StepError, Turn};
use mail_builder::MessageBuilder;
use std::time::Duration;

/// How long the server may take. Whoever does not answer in time may have taken the mail all the same.
const PATIENCE: Duration = Duration::from_secs(90);

/// Connected addresses that are well and may send, the default one first.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn senders(app: &App) -> Result<Vec<HandOffSender>, StepError> {
    let rows = app
        .context
        .store
        .read(|db| {
            let mut rows = Vec::new();
            for row in addresses::all(db)? {
                if let Some(account) = accounts::get(db, row.account_id)? {
                    rows.push((row, account));
                }
            }
            Ok(rows)
        })
        .await?;
    let mut rows: Vec<_> = rows
        .into_iter()
        .filter(|(row, account)| may_send(row, account))
        .collect();
    rows.sort_by_key(|(row, _)| !row.is_default);
    // Two servers may take mail from one address: connected addresses come first, each by its own.
    let mut senders: Vec<HandOffSender> = Vec::new();
    for further in [false, true] {
        for (row, _) in &rows {
            let from = row.senders();
            for address in from.iter().filter(|one| is_further(row, one) == further) {
                let is_it =
                    |known: &HandOffSender| known.address.eq_ignore_ascii_case(address.as_str());
                if !senders.iter().any(is_it) {
                    senders.push(HandOffSender {
                        id: row.id,
                        address: address.to_string(),
                    });
                }
            }
        }
    }
    Ok(senders)
}

fn is_further(row: &AddressRow, address: &EmailAddress) -> bool {
    address.key() != row.address_key
}

fn may_send(row: &AddressRow, account: &AccountRow) -> bool {
    let rests = row.paused || row.disconnected || row.offline_since.is_some();
    let granted = account
        .scopes
        .iter()
        .any(|scope| scope.to_ascii_lowercase().ends_with("mail.send"));
    let has_way = row.outbound.is_some() || (row.server.is_none() && granted);
    !rests && row.cause.is_none() && row.failures == 0 && has_way
}

/// Sends the message of hand-off `id` in `language` from a connected address, or from one of its additional addresses. The
/// same `click` never sends twice: the
/// mail is noted before it leaves, rather none than two. Nothing where there is no such hand-off or sender.
///
/// # Errors
/// [`StepError`]: a refusal leaves the hand-off as it was.
pub(crate) async fn mail(
    app: &App,
    id: i64,
    (from, as_address): (i64, Option<&str>),
    to: EmailAddress,
    language: Language,
    click: String,
) -> Result<Option<HandOff>, StepError> {
    let read = app
        .context
        .store
        .read(move |db| {
            let (Some(handoff), Some(sender)) = (handoffs::get(db, id)?, addresses::get(db, from)?)
            else {
                return Ok(None);
            };
            let account = accounts::get(db, sender.account_id)?;
            Ok(account.map(|account| (handoff, sender, account)))
        })
        .await?;
    let Some((row, sender, account)) = read.filter(|(_, row, account)| may_send(row, account))
    else {
        return Ok(None);
    };
    let own = match as_address {
        None => EmailAddress::parse(&sender.address),
        Some(text) => EmailAddress::parse(text).filter(|one| sender.senders().contains(one)),
    };
    let Some(own) = own else {
        return Ok(None);
    };
    let former = row.mailed.clone();
    let about = row.address_id;
    let drawn = draw(app, row.clone(), None).await?;
    if former.as_ref().is_some_and(|mailed| mailed.click == click) {
        return Ok(Some(drawn));
    }
    let now = app.context.clock.now();
    let mailed = Mailed {
        from: own.to_string(),
        to: to.to_string(),
        at: now,
        unsure: true,
        click,
    };
    let way = app.context.connections.outbound(&sender, &account).await?;
    let Some(way) = way else {
        return Ok(None);
    };
    let envelope = Envelope {
        from: own,
        to: vec![to],
    };
    let raw = raw(&mailed, drawn.messages.of(language))
        .map_err(|_| ProviderError::Protocol("unwritable", Default::default()))?;
    let turn = app.context.turn(&way).await;
    if !begin(app, id, &mailed).await? {
        // Another window sent the same click meanwhile.
        return super::one(app, id).await.map_err(StepError::Store);
    }
    let unsure = match send(turn, &envelope, &raw).await {
        Ok(unsure) => unsure,
        Err(error) => {
            app.context
                .store
                .write(move |tx| handoffs::set_mailed(tx, id, former.as_ref()))
                .await?;
            return Err(error.into());
        }
    };
    let mailed = Mailed { unsure, ..mailed };
    app.context
        .store
        .write(move |tx| {
            handoffs::set_mailed(tx, id, Some(&mailed))?;
            let args = [("from", &mailed.from), ("to", &mailed.to)]
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .into();
            for address in [Some(from), about.filter(|id| *id != from)]
                .into_iter()
                .flatten()
            {
                events::add(tx, address, now, EventKind::AdminMailed, &args)?;
            }
            Ok(())
        })
        .await?;
    super::one(app, id).await.map_err(StepError::Store)
}

/// Notes the mail before it leaves; says no where this click did so already.
async fn begin(app: &App, id: i64, mailed: &Mailed) -> Result<bool, StepError> {
    let mailed = mailed.clone();
    let begun = app
        .context
        .store
        .write(move |tx| {
            let Some(row) = handoffs::get(tx, id)? else {
                return Ok(false);
            };
            if row
                .mailed
                .is_some_and(|former| former.click == mailed.click)
            {
                return Ok(false);
            }
            handoffs::set_mailed(tx, id, Some(&mailed))?;
            Ok(true)
        })
        .await?;
    Ok(begun)
}

/// Sends; says whether nobody knows if it left.
async fn send(turn: Turn<'_>, envelope: &Envelope, raw: &[u8]) -> Result<bool, ProviderError> {
    match turn.send_within(PATIENCE, envelope, raw).await {
        Ok(sent) => match sent.refused.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(false),
        },
        Err(NotSent {
            may_have_left: false,
            error,
        }) => Err(error),
        Err(_) => Ok(true),
    }
}

/// The mail (RFC 5322). A person wrote it by a click, so nothing marks it as automatic: answers are welcome.
fn raw(mailed: &Mailed, message: &HandOffMessage) -> std::io::Result<Vec<u8>> {
    const SECOND: Millis = 1_000;
    let domain = mailed.from.rsplit_once('@').map_or("localhost", |(_, d)| d);
    MessageBuilder::new()
        .from(mailed.from.as_str())
        .to(mailed.to.as_str())
        .subject(message.subject.as_str())
        .date(mailed.at / SECOND)
        .message_id(format!(
            "mailroom-request.{}@{domain}",
            uuid::Uuid::new_v4().simple()
        ))
        .text_body(message.text.as_str())
        .write_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_is_what_was_shown_and_no_value_adds_a_header() {
        let mailed = Mailed {
            from: "sales@contoso.example".into(),
            to: "admin@contoso.example".into(),
            at: 1_763_600_000_000,
            unsure: true,
            click: "c".into(),
        };
        let message = HandOffMessage {
            subject: "Please approve “Ünïcode” 管理者\r\nBcc: canary@evil.example".into(),
            text: "Hello,\n\nplease.\n.\nFrom here\n".into(),
            commands: Vec::new(),
        };
        let raw = raw(&mailed, &message).unwrap();
        let parsed = crate::import::parse::parse(&bytes::Bytes::from(raw.clone()));
        assert_eq!(parsed.from.address, "sales@contoso.example");
        assert!(
            parsed
                .subject
                .starts_with("Please approve “Ünïcode” 管理者")
        );
        assert!(parsed.text.contains("please."), "{}", parsed.text);
        assert!(parsed.automatic.is_none());
        let text = String::from_utf8_lossy(&raw);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
}
