//! The one door for mail that leaves: whatever an address sends goes through [`Outbound::send`], by Graph or by SMTP.

use super::ProviderError;
use super::graph::GraphMailbox;
use super::smtp::SmtpSender;
use crate::account::EmailAddress;
use mail_parser::MessageParser;

/// Where an address's mail is handed over.
#[derive(Clone)]
pub enum Outbound {
    /// Microsoft Graph, which keeps a copy in Sent Items by itself.
    Graph(GraphMailbox),
    /// An SMTP server. No copy is put anywhere by us: Exchange keeps one by itself in the mailbox of the login, and
    /// where it does not, a second copy by IMAP would be there twice as soon as somebody switches it on.
    Smtp(SmtpSender),
}

/// From whom a message goes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The sender: also the only address in the message's `From`.
    pub from: EmailAddress,
    /// The recipients.
    pub to: Vec<EmailAddress>,
}

/// A message was taken.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Recipients that the server refused while it took the message for others.
    pub refused: Vec<(EmailAddress, ProviderError)>,
}

/// A message was not taken, or nobody knows.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct NotSent {
    /// What happened.
    pub error: ProviderError,
    /// Whether the server may have taken the message although it did not say so. Such a message must not be sent once
    /// more; whether it left shows where it arrives.
    pub may_have_left: bool,
}

impl Outbound {
    /// Hands over a message given as MIME, once. Its `From` must be the envelope's sender and nothing else.
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(&self, envelope: &Envelope, raw: &[u8]) -> Result<Sent, NotSent> {
        if !is_from(raw, &envelope.from) || envelope.to.is_empty() {
            return Err(NotSent::surely(super::smtp::protocol("other_sender")));
        }
        match self {
            Self::Graph(mailbox) => match mailbox.send_mime(raw).await {
                Ok(()) => Ok(Sent::default()),
                Err(error) => Err(NotSent {
                    may_have_left: matches!(
                        error,
                        ProviderError::Offline(_) | ProviderError::Server(_)
                    ),
                    error,
                }),
            },
            Self::Smtp(sender) => sender.send(envelope, raw).await,
        }
    }
}

impl NotSent {
    /// It certainly did not leave.
    pub(crate) fn surely(error: ProviderError) -> Self {
        Self {
            error,
            may_have_left: false,
        }
    }
}

/// Whether `sender` is the only author that the message names.
fn is_from(raw: &[u8], sender: &EmailAddress) -> bool {
    let parsed = MessageParser::default().parse_headers(raw);
    let authors: Vec<_> = parsed
        .as_ref()
        .and_then(|message| message.from())
        .map(|from| from.iter().collect())
        .unwrap_or_default();
    match authors.as_slice() {
        [one] => one.address().and_then(EmailAddress::parse).as_ref() == Some(sender),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_from_somebody_else_is_not_sent() {
        let sender = EmailAddress::parse("support@contoso.example").unwrap();
        for (header, expected) in [
            ("From: support@contoso.example", true),
            ("From: \"Support\" <Support@Contoso.example>", true),
            ("From: kim@contoso.example", false),
            ("From: support@contoso.example, kim@contoso.example", false),
            ("To: support@contoso.example", false),
        ] {
            let raw = format!("{header}\r\nSubject: x\r\n\r\ntext\r\n");
            assert_eq!(is_from(raw.as_bytes(), &sender), expected, "{header}");
        }
    }
}
