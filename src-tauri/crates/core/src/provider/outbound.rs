//! The one door for mail that leaves: whatever an address sends goes through [`Outbound::send`], by Graph or by SMTP.

use super::ProviderError;
use super::graph::GraphMailbox;
use super::imap::ImapMailbox;
use super::smtp::SmtpSender;
use crate::account::EmailAddress;
use crate::diagnosis::Evidence;
use mail_parser::MessageParser;
use std::time::Duration;

/// Where an address's mail is handed over.
#[derive(Clone)]
pub enum Outbound {
    /// Microsoft Graph, which keeps a copy in Sent Items by itself.
    Graph(GraphMailbox),
    /// An SMTP server. What becomes of copies is [`Copies`].
    Smtp(SmtpSender),
}

/// Who keeps copies of what an SMTP server takes.
#[derive(Clone, Default)]
pub enum Copies {
    /// Nobody.
    #[default]
    Nobody,
    /// The server itself, in the mailbox of the login.
    Server,
    /// We do, in the folder for sent mail of the mailbox that is read.
    Folder(ImapMailbox),
}

/// Where the copy of a message lies.
#[derive(Debug, Clone, Default)]
pub enum SentCopy {
    /// Nowhere.
    #[default]
    Nowhere,
    /// Where the server keeps what it sends: of Graph in the Sent Items of the mailbox that it was sent by (Microsoft
    /// Graph, "Send Outlook messages from another user", "Sent Items behavior").
    Server,
    /// In this folder, as people see it.
    Folder(String),
    /// The message has left; its copy could not be kept.
    Failed(ProviderError),
}

/// A copy is waited for no longer than this: the message itself has left.
const COPY_PATIENCE: Duration = Duration::from_secs(30);

impl Copies {
    /// Who keeps copies of what the SMTP server `host` takes, where `mailbox` is read. Exchange Online files what it takes
    /// (Nextcloud administration manual, "Avoid duplicate sent messages (Exchange / Office 365)"), and so does Gmail
    /// (Gmail Help, "Recommended IMAP client settings"): a copy of ours would be a second one.
    pub fn of(host: &str, mailbox: ImapMailbox) -> Self {
        const THEMSELVES: [&str; 7] = [
            "office365.com",
            "office365.us",
            "outlook.com",
            "outlook.cn",
            "outlook.office.com",
            "gmail.com",
            "googlemail.com",
        ];
        let host = host.to_ascii_lowercase();
        let is_at = |domain: &str| {
            host.strip_suffix(domain)
                .is_some_and(|left| left.is_empty() || left.ends_with('.'))
        };
        match THEMSELVES.iter().any(|domain| is_at(domain)) {
            true => Self::Server,
            false => Self::Folder(mailbox),
        }
    }

    /// Keeps a copy of a message that has left.
    async fn keep(&self, raw: &[u8]) -> SentCopy {
        let mailbox = match self {
            Self::Nobody => return SentCopy::Nowhere,
            Self::Server => return SentCopy::Server,
            Self::Folder(mailbox) => mailbox,
        };
        match tokio::time::timeout(COPY_PATIENCE, Box::pin(mailbox.keep_copy(raw))).await {
            Ok(Ok(Some(folder))) => SentCopy::Folder(folder),
            Ok(Ok(None)) => SentCopy::Nowhere,
            Ok(Err(error)) => SentCopy::Failed(error),
            Err(_) => SentCopy::Failed(late()),
        }
    }
}

fn late() -> ProviderError {
    ProviderError::Offline(Evidence::of(
        Some("connection_timeout"),
        None,
        "The server did not answer in time.",
        &[],
    ))
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
    /// Where its copy lies.
    pub copy: SentCopy,
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
        let sent = self.hand_over(envelope, raw).await?;
        Ok(self.file(sent, raw).await)
    }

    /// As [`Outbound::send`]. The server has `patience` to take the message; the copy has its own time, because a message
    /// that has left is not in doubt.
    ///
    /// # Errors
    /// [`NotSent`]: where the time is over the message may have left.
    pub async fn send_within(
        &self,
        patience: Duration,
        envelope: &Envelope,
        raw: &[u8],
    ) -> Result<Sent, NotSent> {
        let handing_over = Box::pin(self.hand_over(envelope, raw));
        let sent = tokio::time::timeout(patience, handing_over)
            .await
            .map_err(|_| NotSent {
                error: late(),
                may_have_left: true,
            })??;
        Ok(self.file(sent, raw).await)
    }

    async fn hand_over(&self, envelope: &Envelope, raw: &[u8]) -> Result<Sent, NotSent> {
        if !is_from(raw, &envelope.from) || envelope.to.is_empty() {
            return Err(NotSent::surely(super::smtp::protocol("other_sender")));
        }
        match self {
            Self::Graph(mailbox) => match mailbox.send_mime(raw).await {
                Ok(()) => Ok(Sent {
                    copy: SentCopy::Server,
                    ..Sent::default()
                }),
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

    /// Keeps a copy of what an SMTP server took.
    async fn file(&self, sent: Sent, raw: &[u8]) -> Sent {
        let Self::Smtp(sender) = self else {
            return sent;
        };
        let copy = sender.copies().keep(raw).await;
        if let SentCopy::Failed(error) = &copy {
            tracing::warn!(%error, "A copy of what was sent could not be kept.");
        }
        Sent { copy, ..sent }
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

/// The message with every line ended as servers want it (RFC 5321 §2.3.8, RFC 3501 §4.3.1: no bare CR or LF), without the
/// last end, which belongs to the end of the message.
pub(super) fn lines_ended(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40);
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            byte => out.push(byte),
        }
    }
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    out
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
