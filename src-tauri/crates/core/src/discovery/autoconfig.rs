//! Mozilla's settings file ("Autoconfiguration: Config File Format"), read as something that anybody may have written.

use super::{FoundServer, FoundSignIn};
use crate::account::{EmailAddress, Tls};
use crate::oauth::exchange;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Most pieces of XML that are looked at. Real files have a few hundred.
const PIECES: usize = 20_000;
/// Deepest nesting. Real files have four levels.
const DEPTH: usize = 16;

/// Last labels of names that mean something within one network only (RFC 6761, RFC 6762, RFC 8375, RFC 9476).
const LOCAL: [&str; 7] = [
    "local",
    "localhost",
    "internal",
    "home",
    "lan",
    "arpa",
    "alt",
];

/// What one `incomingServer` or `outgoingServer` says.
#[derive(Default)]
struct Entry {
    kind: String,
    host: String,
    port: String,
    socket: String,
    login: String,
    authentication: Vec<String>,
}

/// The first IMAP and the first SMTP server that speak TLS, and how to sign in. Nothing where the file is no such file,
/// names no IMAP server, or defines entities of its own.
pub(super) fn read(
    bytes: &[u8],
    address: &EmailAddress,
) -> Option<(FoundServer, Option<FoundServer>, FoundSignIn)> {
    let mut imap = None;
    let mut smtp = None;
    for entry in entries(bytes)? {
        let Some(server) = server(&entry, address) else {
            continue;
        };
        match entry.kind.as_str() {
            "imap" if imap.is_none() => imap = Some((server, sign_in(&entry))),
            "smtp" if smtp.is_none() => smtp = Some(server),
            _ => {}
        }
    }
    let (inbound, sign_in) = imap?;
    let sign_in = sign_in?;
    if sign_in == FoundSignIn::Microsoft {
        // A file says where mail is read; where a sign-in at Microsoft is shown besides, it has no say in.
        let built_in = exchange::serving(&inbound.host)?;
        smtp = Some(FoundServer {
            host: built_in.smtp.to_owned(),
            port: 587,
            tls: Tls::StartTls,
            login: inbound.login.clone(),
        });
    }
    Some((inbound, smtp, sign_in))
}

fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    let mut all = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut entry: Option<Entry> = None;
    let mut text = String::new();
    for _ in 0..PIECES {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if path.len() == DEPTH {
                    return None;
                }
                if matches!(name.as_str(), "incomingServer" | "outgoingServer") {
                    let kind = start.try_get_attribute("type").ok()??;
                    entry = Some(Entry {
                        kind: kind.value.into_owned(),
                        ..Entry::default()
                    });
                }
                text.clear();
                path.push(name);
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::End(_) => {
                let name: String = path.pop()?;
                let value = text.trim().to_owned();
                text.clear();
                match (name.as_str(), &mut entry) {
                    ("hostname", Some(entry)) => entry.host = value,
                    ("port", Some(entry)) => entry.port = value,
                    ("socketType", Some(entry)) => entry.socket = value,
                    ("username", Some(entry)) => entry.login = value,
                    ("authentication", Some(entry)) => entry.authentication.push(value),
                    ("incomingServer" | "outgoingServer", _) => all.extend(entry.take()),
                    _ => {}
                }
            }
            // Nobody needs a document type here; whoever brings one means harm.
            Event::DocType(_) => return None,
            Event::Eof => return path.is_empty().then_some(all),
            Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
    }
    None
}

fn server(entry: &Entry, address: &EmailAddress) -> Option<FoundServer> {
    let tls = match entry.socket.as_str() {
        "SSL" => Tls::Implicit,
        "STARTTLS" => Tls::StartTls,
        _ => return None,
    };
    let fill = |text: &str| {
        text.replace("%EMAILADDRESS%", address.as_str())
            .replace("%EMAILLOCALPART%", address.local_part())
            .replace("%EMAILDOMAIN%", address.domain())
    };
    let host = fill(&entry.host).to_lowercase();
    // The same rule as for a mail domain: labels of letters, digits and hyphens. A number or a name of this network
    // is nobody's mail server in public.
    EmailAddress::parse(&format!("x@{host}"))?;
    let last = host.rsplit('.').next()?;
    if last.chars().all(|c| c.is_ascii_digit()) || LOCAL.contains(&last) {
        return None;
    }
    let login = match fill(&entry.login) {
        login if login.is_empty() => address.to_string(),
        login => login,
    };
    let plain = login.len() <= 256 && !login.chars().any(char::is_control);
    let port = entry.port.parse().ok().filter(is_sane)?;
    plain.then_some(FoundServer {
        host,
        port,
        tls,
        login,
    })
}

/// Ports below 1024 belong to one service each; no settings lead to another one's (RFC 6335 §6; RFC 8314 §7).
fn is_sane(port: &u16) -> bool {
    matches!(port, 143 | 465 | 587 | 993) || *port >= 1024
}

/// Nothing where only ways are offered that Mailroom does not know (Kerberos, NTLM, client certificates).
fn sign_in(entry: &Entry) -> Option<FoundSignIn> {
    let offers = |name: &str| entry.authentication.iter().any(|way| way == name);
    let outlook = exchange::serving(&entry.host).is_some();
    match () {
        () if offers("OAuth2") && outlook => Some(FoundSignIn::Microsoft),
        () if offers("password-cleartext") || offers("password-encrypted") => {
            Some(FoundSignIn::Password)
        }
        () if offers("OAuth2") => Some(FoundSignIn::Issuer),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(file: &str) -> Option<(FoundServer, Option<FoundServer>, FoundSignIn)> {
        let address = EmailAddress::parse("support@contoso.example").unwrap();
        read(file.as_bytes(), &address)
    }

    fn incoming(host: &str, port: &str, socket: &str, login: &str, way: &str) -> String {
        format!(
            "<clientConfig><emailProvider><incomingServer type=\"imap\"><hostname>{host}</hostname>\
             <port>{port}</port><socketType>{socket}</socketType><username>{login}</username>\
             <authentication>{way}</authentication></incomingServer>\
             <outgoingServer type=\"smtp\"><hostname>smtp.%EMAILDOMAIN%</hostname><port>587</port>\
             <socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>"
        )
    }

    #[test]
    fn reads_servers_and_fills_in_the_address() {
        let file = incoming(
            "imap.%EMAILDOMAIN%",
            "993",
            "SSL",
            "%EMAILLOCALPART%",
            "password-cleartext",
        );
        let (inbound, outbound, sign_in) = judged(&file).unwrap();
        assert_eq!(
            (inbound.host.as_str(), inbound.port, inbound.login.as_str()),
            ("imap.contoso.example", 993, "support")
        );
        let outbound = outbound.unwrap();
        assert_eq!(
            (
                outbound.host.as_str(),
                outbound.tls,
                outbound.login.as_str()
            ),
            (
                "smtp.contoso.example",
                Tls::StartTls,
                "support@contoso.example"
            )
        );
        assert_eq!(sign_in, FoundSignIn::Password);
        let strange = incoming("outlook.office356.com", "993", "SSL", "", "OAuth2");
        assert_eq!(judged(&strange).unwrap().2, FoundSignIn::Issuer);
        let other = incoming("mail.contoso.example", "143", "STARTTLS", "", "OAuth2");
        assert_eq!(judged(&other).unwrap().2, FoundSignIn::Issuer);
    }

    #[test]
    fn no_entity_is_looked_up_or_grows() {
        let way = "password-cleartext";
        let file = incoming("imap.contoso.example", "993", "SSL", "a&lol;b&#10;c", way);
        let login = judged(&file).map(|(inbound, ..)| inbound.login);
        assert_eq!(
            login.as_deref(),
            Some("abc"),
            "an unknown entity is nothing"
        );
        let bomb = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">\
             <!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>{}",
            incoming("imap.contoso.example", "993", "SSL", "&b;&x;", way)
        );
        assert_eq!(judged(&bomb), None);
    }

    #[test]
    fn a_sign_in_at_microsoft_is_shown_to_microsofts_servers_only() {
        for (host, smtp) in [
            ("outlook.office365.com", "smtp.office365.com"),
            ("outlook.office365.us", "outlook.office365.us"),
            ("partner.outlook.cn", "smtp.partner.outlook.cn"),
        ] {
            // The file names smtp.contoso.example.
            let file = incoming(host, "993", "SSL", "", "OAuth2");
            let (_, outbound, sign_in) = judged(&file).unwrap();
            assert_eq!(sign_in, FoundSignIn::Microsoft);
            let outbound = outbound.unwrap();
            assert_eq!((outbound.host.as_str(), outbound.port), (smtp, 587));
            assert_eq!(outbound.login, "support@contoso.example");
        }
    }

    #[test]
    fn proposes_nothing_without_encryption_and_nothing_odd() {
        let way = "password-cleartext";
        for file in [
            incoming("imap.contoso.example", "143", "plain", "", way),
            incoming("imap.contoso.example", "0", "SSL", "", way),
            incoming("imap.contoso.example", "99999", "SSL", "", way),
            incoming("imap.contoso.example", "22", "SSL", "", way),
            incoming("imap.contoso.example", "-993", "SSL", "", way),
            incoming("127.0.0.1", "993", "SSL", "", way),
            incoming("mail.localhost", "993", "SSL", "", way),
            incoming("mail.lan", "993", "SSL", "", way),
            incoming("localhost", "993", "SSL", "", way),
            incoming("[::1]", "993", "SSL", "", way),
            incoming("kim@imap.contoso.example", "993", "SSL", "", way),
            incoming("imap.contoso.example/x", "993", "SSL", "", way),
            incoming("", "993", "SSL", "", way),
            incoming("imap.contoso.example", "993", "SSL", "a&#10;b", "GSSAPI"),
            format!(
                "<!DOCTYPE a [<!ENTITY b \"c\">]>{}",
                incoming("i.example", "993", "SSL", "", way)
            ),
            "<a>".repeat(100),
            "<clientConfig/>".to_owned(),
            "<clientConfig>".to_owned(),
            "<html><body>Hotel WiFi</body></html>".to_owned(),
            "<a/>".repeat(PIECES + 1),
            String::new(),
        ] {
            assert_eq!(judged(&file), None, "{}", file.get(..200).unwrap_or(&file));
        }
    }
}
