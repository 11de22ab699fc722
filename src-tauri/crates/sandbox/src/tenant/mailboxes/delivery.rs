//! How mail gets from one mailbox to another: local delivery, mail that leaves, and what bounces.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::Mailboxes;
use super::message::header;
use crate::mail::mime::{Charset, Entity};
use crate::tenant::directory::{CONTOSO, Directory, FABRIKAM};

/// The most mail that left is remembered.
const SENT_OUT_KEPT: usize = 1_000;

/// A mail that left the tenant for the outside world.
#[derive(Debug, Clone)]
pub(crate) struct SentOut {
    /// When.
    pub(crate) at: Timestamp,
    /// From which mailbox.
    pub(crate) mailbox: String,
    /// To whom.
    pub(crate) to: String,
    /// The message as it left.
    pub(crate) raw: Bytes,
}

/// What becomes of one recipient.
enum Route {
    /// A mailbox here, by primary address.
    Mailbox(String),
    /// Somewhere else.
    Outside,
    /// Nobody: the reason as a delivery status (RFC 3464) and its diagnostic text.
    Nobody(&'static str, String),
}

impl Mailboxes {
    /// Carries `raw` from `mailbox` to `recipients`: into the mailboxes of both companies, out of them,
    /// or back as a non-delivery report.
    pub(crate) fn submit(
        &mut self,
        directory: &Directory,
        mailbox: &str,
        raw: &Bytes,
        recipients: &[String],
        now: Timestamp,
    ) {
        let travelling = Bytes::from(without_header(raw, "bcc"));
        let mut reached = BTreeSet::new();
        for recipient in recipients {
            match self.route(directory, recipient) {
                Route::Mailbox(address) => {
                    if reached.insert(address.clone()) {
                        let stamped = stamp(&travelling, recipient, now);
                        self.open(&address).receive(stamped, now);
                    }
                }
                Route::Outside => {
                    self.sent_out.push(SentOut {
                        at: now,
                        mailbox: mailbox.to_owned(),
                        to: recipient.clone(),
                        raw: travelling.clone(),
                    });
                    if self.sent_out.len() > SENT_OUT_KEPT {
                        self.sent_out.remove(0);
                    }
                }
                Route::Nobody(status, text) => {
                    let report = report(mailbox, recipient, status, &text, &travelling, now);
                    self.open(mailbox).receive(report, now);
                }
            }
        }
    }

    fn route(&self, directory: &Directory, recipient: &str) -> Route {
        // A plus address reaches the mailbox without the tag, as Exchange Online does.
        let plain = match (recipient.split_once('+'), recipient.rsplit_once('@')) {
            (Some((name, _)), Some((_, domain))) => format!("{name}@{domain}"),
            _ => recipient.to_owned(),
        };
        let user = directory.find(recipient).or_else(|| directory.find(&plain));
        if let Some(user) = user.filter(|user| self.get(user.mail).is_some()) {
            return Route::Mailbox(user.mail.to_owned());
        }
        let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
        let ours = [CONTOSO, FABRIKAM]
            .iter()
            .filter_map(|id| directory.tenant(id))
            .any(|tenant| {
                tenant
                    .domains
                    .iter()
                    .any(|ours| ours.eq_ignore_ascii_case(domain))
            });
        if ours || domain.is_empty() {
            let text = format!(
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {recipient} not found by SMTP address lookup"
            );
            return Route::Nobody("5.1.10", text);
        }
        if domain.to_lowercase().ends_with(".invalid") {
            let text = format!("550 5.4.310 DNS domain {domain} does not exist");
            return Route::Nobody("5.4.310", text);
        }
        Route::Outside
    }
}

/// Puts the trace of its arrival (RFC 5321, section 4.4) on top of a message.
pub(crate) fn stamp(raw: &[u8], recipient: &str, now: Timestamp) -> Bytes {
    let mut out = format!(
        "Received: from mail.contoso.example (203.0.113.25) by mx.contoso.example\r\n with ESMTPS id {:08x} for <{recipient}>; {}\r\n",
        now.as_millisecond() & 0xffff_ffff,
        mail_date(now)
    )
    .into_bytes();
    out.extend_from_slice(raw);
    Bytes::from(out)
}

/// A date as mail headers write it (RFC 5322, section 3.3), in UTC.
pub(crate) fn mail_date(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// `raw` without the header field `name` (lower case) and its folded lines; the body is untouched.
pub(crate) fn without_header(raw: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut dropping = false;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            dropping = line.len() > name.len()
                && line[name.len()] == b':'
                && line[..name.len()].eq_ignore_ascii_case(name.as_bytes());
        }
        if !dropping {
            out.extend_from_slice(line);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// A non-delivery report (RFC 3464) as Exchange writes it.
pub(crate) fn report(
    to: &str,
    recipient: &str,
    status: &str,
    text: &str,
    original: &[u8],
    now: Timestamp,
) -> Bytes {
    let subject = header(original, "subject").unwrap_or_default();
    let id = Uuid::new_v4();
    let mut head = format!(
        "From: Microsoft Outlook <postmaster@contoso.example>\r\nTo: <{to}>\r\nSubject: Undeliverable: {subject}\r\n\
         Message-ID: <{id}@contoso.example>\r\nDate: {}\r\nAuto-Submitted: auto-replied\r\nReturn-Path: <>\r\nX-MS-Exchange-Message-Is-Ndr:\r\n",
        mail_date(now)
    );
    if let Some(original_id) = header(original, "message-id") {
        head.push_str(&format!(
            "In-Reply-To: {original_id}\r\nReferences: {original_id}\r\n"
        ));
    }
    let words = format!(
        "Your message to {recipient} couldn't be delivered.\r\n\r\nThe address wasn't found, or it can't receive mail.\r\n\r\n{text}\r\n"
    );
    let status = format!(
        "Reporting-MTA: dns;mx.contoso.example\r\nArrival-Date: {}\r\n\r\nFinal-Recipient: rfc822;{recipient}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp;{text}\r\n",
        mail_date(now)
    );
    let end = original
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map_or(original.len(), |at| at + 2);
    let parts = vec![
        Entity::text("plain", &words, Charset::Utf8),
        Entity::raw("Content-Type: message/delivery-status\r\n", status),
        Entity::raw("Content-Type: text/rfc822-headers\r\n", &original[..end]),
    ];
    let boundary = format!("_ndr_{}", id.simple());
    let report = Entity::multipart("report; report-type=delivery-status", &boundary, parts);
    Bytes::from(report.message(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_reaches_aliases_once_and_bounces_for_strangers_of_our_domain() {
        let directory = Directory::contoso();
        let mut all = Mailboxes::default();
        all.open("support@contoso.example");
        all.open("alex@contoso.example");
        let raw = Bytes::from_static(
            b"Bcc: x@y.example,\r\n z@y.example\r\nSubject: Hi\r\n\r\nBcc: stays\r\n",
        );
        let to = [
            "help@contoso.example",
            "Support@contoso.example",
            "nobody@contoso.example",
            "customer@adatum.example",
        ];
        all.submit(
            &directory,
            "alex@contoso.example",
            &raw,
            &to.map(str::to_owned),
            Timestamp::UNIX_EPOCH,
        );

        let support = all.get("support@contoso.example").unwrap();
        assert_eq!(support.len(), 1);
        let (_, key) = support.by_time().first().unwrap();
        let got = String::from_utf8(support.message(*key).unwrap().raw.to_vec()).unwrap();
        assert!(
            got.starts_with("Received: from") && got.ends_with("Subject: Hi\r\n\r\nBcc: stays\r\n"),
            "{got}"
        );

        let alex = all.get("alex@contoso.example").unwrap();
        let (_, key) = alex.by_time().first().unwrap();
        assert_eq!(
            alex.message(*key).unwrap().summary().subject.as_deref(),
            Some("Undeliverable: Hi")
        );
        assert_eq!(all.sent_out.len(), 1);
    }

    #[test]
    fn a_plus_address_reaches_its_mailbox() {
        let mut all = Mailboxes::default();
        all.open("support@contoso.example");
        let to = ["support+ticket-7@contoso.example".to_owned()];
        let raw = Bytes::from_static(b"\r\nHi\r\n");
        all.submit(
            &Directory::contoso(),
            "support@contoso.example",
            &raw,
            &to,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(all.get("support@contoso.example").unwrap().len(), 1);
    }
}
