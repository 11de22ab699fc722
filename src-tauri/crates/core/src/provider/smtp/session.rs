//! One SMTP session: greeting, TLS, extensions, one message, farewell. Every reply's code is compared with the one that
//! belongs there.

use super::line::{Ear, Fault, line, secure_line};
use super::refusal::{Stage, refusal};
use super::{Offer, Times, protocol};
use crate::account::{EmailAddress, SmtpServer, Tls};
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use crate::provider::outbound::{Envelope, NotSent, Sent, lines_ended};
use crate::provider::tls::{Trust, io_failure};
use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};
use lettre::transport::smtp::{Error, response::Response};
use rustls::pki_types::ServerName;
use std::error::Error as _;
use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A farewell is waited for this long: the work is done.
const FAREWELL: Duration = Duration::from_secs(2);

/// An open session.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    ear: Ear,
    times: Times,
    offer: Offer,
    /// The server's end of the line is in order: a farewell makes sense.
    is_well: bool,
}

impl Session {
    /// Connects and encrypts; nobody is signed in yet.
    pub(super) async fn open(
        server: &SmtpServer,
        trust: &Trust,
        times: Times,
    ) -> Result<Self, ProviderError> {
        let tcp = TcpStream::connect((server.host.as_str(), server.port));
        let tcp = timeout(times.connect, tcp)
            .await
            .map_err(|_| late())?
            .map_err(|error| io_failure(&error))?;
        tcp.set_nodelay(true).map_err(|error| io_failure(&error))?;
        let (line, ear) = match server.tls {
            Tls::Implicit => secure_line(encrypted(server, trust, tcp, times).await?),
            Tls::StartTls => line(tcp),
        };
        // Greeting and EHLO; the name of this computer is nobody's business (RFC 5321 §4.1.4 allows an address).
        let hello = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(line), &hello);
        let connection = match timeout(times.reply, greeted).await {
            Err(_) => return Err(late()),
            Ok(Err(error)) => return Err(meaning(&error, &ear, Stage::Greeting, &[])),
            Ok(Ok(connection)) => connection,
        };
        let mut session = Self {
            connection,
            offer: offer(&ear.heard())?,
            ear,
            times,
            is_well: true,
        };
        if server.tls == Tls::StartTls {
            session.start_tls(server, trust, hello).await?;
        }
        Ok(session)
    }

    /// RFC 3207. What lettre remembers from before is not looked at again.
    async fn start_tls(
        &mut self,
        server: &SmtpServer,
        trust: &Trust,
        hello: ClientId,
    ) -> Result<(), ProviderError> {
        if !has_extension(&self.ear.heard(), "STARTTLS") {
            let text = self.ear.heard();
            self.leave_politely().await;
            return Err(not_encrypted(&text));
        }
        self.command(Starttls, 220, Stage::StartTls, &[]).await?;
        let tcp = self.ear.take_plain().ok_or_else(|| protocol("not_smtp"))?;
        let stream = encrypted(server, trust, tcp, self.times).await?;
        self.ear.put_secure(stream);
        self.command(Ehlo::new(hello), 250, Stage::Greeting, &[])
            .await?;
        self.offer = offer(&self.ear.heard())?;
        Ok(())
    }

    /// What the server offers.
    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Gives a command and takes the reply, which must have the code `expected`; `known` are secrets of this exchange.
    pub(super) async fn command(
        &mut self,
        command: impl Display,
        expected: u16,
        stage: Stage,
        known: &[&str],
    ) -> Result<String, ProviderError> {
        let (code, text) = self.exchange(command, stage, known).await?;
        if code == expected {
            return Ok(text);
        }
        self.is_well = false;
        Err(protocol("wrong_code"))
    }

    /// As [`Session::command`], with whatever code says yes.
    pub(super) async fn exchange(
        &mut self,
        command: impl Display,
        stage: Stage,
        known: &[&str],
    ) -> Result<(u16, String), ProviderError> {
        match timeout(self.times.reply, self.connection.command(command)).await {
            Err(_) => {
                self.is_well = false;
                Err(late())
            }
            Ok(Err(error)) => {
                self.is_well &= error.status().is_some();
                Err(meaning(&error, &self.ear, stage, known))
            }
            Ok(Ok(response)) => Ok((response.code().into(), words(&response))),
        }
    }

    /// Hands a message over.
    pub(super) async fn send(&mut self, envelope: &Envelope, raw: &[u8]) -> Result<Sent, NotSent> {
        let raw = lines_ended(raw);
        let refused = self
            .announce(envelope, &raw)
            .await
            .map_err(NotSent::surely)?;
        let sending = timeout(self.times.message, self.connection.message(&raw)).await;
        // Until its end was written, and where the server said no, the message has certainly not left.
        let unless_ended = |error| NotSent {
            error,
            may_have_left: self.ear.has_ended_message(),
        };
        match sending {
            Ok(Ok(response)) if response.has_code(250) => Ok(Sent {
                refused,
                ..Sent::default()
            }),
            Ok(Ok(_)) => {
                self.is_well = false;
                Err(unless_ended(protocol("wrong_code")))
            }
            Ok(Err(error)) if error.status().is_some() => Err(NotSent::surely(meaning(
                &error,
                &self.ear,
                Stage::Message,
                &[],
            ))),
            Ok(Err(error)) => {
                self.is_well = false;
                Err(unless_ended(meaning(
                    &error,
                    &self.ear,
                    Stage::Message,
                    &[],
                )))
            }
            Err(_) => {
                self.is_well = false;
                Err(unless_ended(late()))
            }
        }
    }

    /// Sender, recipients and DATA. At least one recipient must be taken; gives those that are not.
    async fn announce(
        &mut self,
        envelope: &Envelope,
        raw: &[u8],
    ) -> Result<Vec<(EmailAddress, ProviderError)>, ProviderError> {
        let size = raw.len();
        if let Some(limit) = self.offer.size
            && u64::try_from(size).unwrap_or(u64::MAX) > limit
        {
            let text =
                format!("552 5.3.4 The server takes {limit} bytes; this message has {size}.");
            return Err(refusal(Stage::Sender, 552, &text, &[]));
        }
        let mut parameters = vec![MailParameter::Size(size)];
        if self.offer.size.is_none() {
            parameters.clear();
        }
        if !raw.is_ascii() {
            if !self.offer.eight_bit {
                return Err(protocol("no_8bitmime"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let is_plain = |address: &EmailAddress| address.as_str().is_ascii();
        if !is_plain(&envelope.from) || !envelope.to.iter().all(is_plain) {
            if !self.offer.utf8 {
                return Err(protocol("no_smtputf8"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(Some(address(&envelope.from)?), parameters);
        self.command(sender, 250, Stage::Sender, &[]).await?;
        let mut refused: Vec<(EmailAddress, ProviderError)> = Vec::new();
        for recipient in &envelope.to {
            let command = Rcpt::new(address(recipient)?, Vec::new());
            match self.exchange(command, Stage::Recipient, &[]).await {
                // RFC 5321 §3.3: 251 is taken as well.
                Ok((250 | 251, _)) => {}
                Ok(_) => {
                    self.is_well = false;
                    return Err(protocol("wrong_code"));
                }
                Err(error) if self.is_well => refused.push((recipient.clone(), error)),
                Err(error) => return Err(error),
            }
        }
        if refused.len() == envelope.to.len() {
            let first = refused.into_iter().next();
            return Err(first.map_or_else(|| protocol("no_recipient"), |(_, error)| error));
        }
        self.command(Data, 354, Stage::Data, &[]).await?;
        Ok(refused)
    }

    /// Says farewell, where the line is in order, and hangs up.
    pub(super) async fn leave(mut self) {
        self.leave_politely().await;
    }

    async fn leave_politely(&mut self) {
        if self.is_well {
            // What the server says to it changes nothing any more.
            let _ = timeout(FAREWELL, self.connection.command(Quit)).await;
        }
    }
}

async fn encrypted(
    server: &SmtpServer,
    trust: &Trust,
    tcp: TcpStream,
    times: Times,
) -> Result<TlsStream<TcpStream>, ProviderError> {
    let name = ServerName::try_from(server.host.clone()).map_err(|_| protocol("host_name"))?;
    let handshake = TlsConnector::from(trust.config()?).connect(name, tcp);
    let line = timeout(times.reply, handshake)
        .await
        .map_err(|_| late())?
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => dropped(),
            _ => io_failure(&error),
        })?;
    trust.note(&server.host, server.port, &line);
    Ok(line)
}

fn address(address: &EmailAddress) -> Result<Address, ProviderError> {
    address
        .as_str()
        .parse()
        .map_err(|_| protocol("address_characters"))
}

/// The extensions in a reply to EHLO (RFC 5321 §4.1.1.1).
fn offer(heard: &str) -> Result<Offer, ProviderError> {
    if !heard.starts_with("250") {
        return Err(protocol("wrong_code"));
    }
    let mut offer = Offer::default();
    for line in heard.lines().skip(1) {
        let line = line.get(4..).unwrap_or_default().to_ascii_uppercase();
        // `AUTH=` is how servers said it before RFC 2554.
        let line = line.replacen("AUTH=", "AUTH ", 1);
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            // RFC 1870: zero means no limit.
            Some("SIZE") => {
                let limit = words.next().and_then(|number| number.parse().ok());
                offer.size = limit.filter(|limit| *limit > 0);
            }
            Some("AUTH") => offer.mechanisms.extend(words.map(str::to_owned)),
            Some("8BITMIME") => offer.eight_bit = true,
            Some("SMTPUTF8") => offer.utf8 = true,
            Some(_) | None => {}
        }
    }
    Ok(offer)
}

fn has_extension(heard: &str, name: &str) -> bool {
    heard
        .lines()
        .skip(1)
        .filter_map(|line| line.get(4..))
        .any(|line| line.trim().eq_ignore_ascii_case(name))
}

/// A reply as it was said, with its code.
fn words(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" "))
}

/// What a failure means. The server's words come from lettre's error, because a farewell may have followed them.
fn meaning(error: &Error, ear: &Ear, stage: Stage, known: &[&str]) -> ProviderError {
    if let Some(code) = error.status() {
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        return refusal(stage, code.into(), &format!("{code} {said}"), known);
    }
    match ear.fault() {
        Some(Fault::TooLarge) => return protocol("too_large"),
        Some(Fault::Malformed) => return protocol("not_smtp"),
        Some(Fault::Closed) => return dropped(),
        // A server that ends a message early says why.
        Some(Fault::Unasked) => {
            let said = ear.heard();
            let code = said.get(..3).and_then(|code| code.parse().ok());
            return match code {
                Some(code @ 400..=599) => refusal(stage, code, said.trim_end(), known),
                _ => protocol("unasked"),
            };
        }
        None => {}
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => dropped(),
                _ => io_failure(error),
            };
        }
        source = inner.source();
    }
    protocol("not_smtp")
}

fn late() -> ProviderError {
    let text = "The server did not answer in time.";
    ProviderError::Offline(Evidence::of(Some("connection_timeout"), None, text, &[]))
}

fn dropped() -> ProviderError {
    let text = "The server closed the connection.";
    ProviderError::Offline(Evidence::of(Some("connection_dropped"), None, text, &[]))
}

fn not_encrypted(said: &str) -> ProviderError {
    ProviderError::Untrusted(Evidence::of(Some("starttls_missing"), None, said, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_as_smtp_wants_it() {
        for (raw, expected) in [
            (&b"a\nb\r\nc\rd\r\n"[..], &b"a\r\nb\r\nc\r\nd"[..]),
            (b"a\n.\nb", b"a\r\n.\r\nb"),
            (b"a\r\r\n", b"a\r\n"),
            (b"", b""),
        ] {
            assert_eq!(lines_ended(raw), expected);
        }
    }

    #[test]
    fn extensions_are_read_from_the_reply_to_ehlo() {
        let heard = "250-mail.contoso.example\r\n250-SIZE 35651584\r\n250-AUTH=LOGIN\r\n\
            250-AUTH PLAIN XOAUTH2\r\n250-8bitmime\r\n250 SMTPUTF8\r\n";
        let seen = offer(heard).unwrap();
        assert_eq!(seen.size, Some(35_651_584));
        assert_eq!(seen.mechanisms, ["LOGIN", "PLAIN", "XOAUTH2"]);
        assert!(seen.eight_bit && seen.utf8);
        assert!(!has_extension(heard, "STARTTLS"));
        assert_eq!(offer("250-x\r\n250 SIZE 0\r\n").unwrap().size, None);
        assert!(offer("354 go on\r\n").is_err());
    }
}
