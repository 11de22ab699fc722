//! Settings of providers that are known: by the domain of an address, and by the name of a server.

mod table;

use super::{Found, FoundServer, FoundSignIn};
use crate::account::{EmailAddress, Tls};
use table::PRESETS;

/// A provider.
struct Preset {
    /// As people call it.
    name: &'static str,
    /// The domains of the addresses that it gives out, in lower case, separated by blanks.
    domains: &'static str,
    imap: (&'static str, Login),
    smtp: (&'static str, u16, Tls, Login),
    sign_in: FoundSignIn,
    /// The catalogue's card about what has to be done there before a mail program gets in.
    card: Option<&'static str>,
}

/// What a provider takes as the login name.
#[derive(Clone, Copy)]
enum Login {
    /// The whole address.
    Address,
    /// The part before the `@`.
    LocalPart,
}

impl Login {
    fn of(self, address: &EmailAddress) -> String {
        match self {
            Self::Address => address.to_string(),
            Self::LocalPart => address.local_part().to_owned(),
        }
    }
}

/// The settings of a provider that gives out addresses of this domain.
pub(super) fn known(address: &EmailAddress) -> Option<Found> {
    let domain = address.domain();
    PRESETS
        .iter()
        .find(|preset| {
            preset
                .domains
                .split_ascii_whitespace()
                .any(|known| known == domain)
        })
        .map(|preset| found(preset, address))
}

/// Exchange Online (Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth").
pub(super) fn microsoft_365(address: &EmailAddress) -> Found {
    let preset = Preset {
        name: "Microsoft 365",
        domains: "",
        imap: (EXCHANGE_ONLINE, Login::Address),
        smtp: ("smtp.office365.com", 587, Tls::StartTls, Login::Address),
        sign_in: FoundSignIn::Microsoft,
        card: None,
    };
    found(&preset, address)
}

/// Where organisations and persons alike are read; its name tells nothing about whose mailbox it is.
const EXCHANGE_ONLINE: &str = "outlook.office365.com";

/// Whose server this is: the provider's name and the catalogue's card about signing in there.
pub(super) fn owner(host: &str) -> Option<(&'static str, Option<&'static str>)> {
    let host = host.to_lowercase();
    if host == EXCHANGE_ONLINE {
        return None;
    }
    PRESETS
        .iter()
        .find(|preset| preset.imap.0 == host || preset.smtp.0 == host)
        .map(|preset| (preset.name, preset.card))
}

/// Whether one known provider reads at `inbound` and takes mail at `outbound`; both in lower case.
pub(super) fn is_pair(inbound: &str, outbound: &str) -> bool {
    PRESETS
        .iter()
        .any(|preset| preset.imap.0 == inbound && preset.smtp.0 == outbound)
}

fn found(preset: &Preset, address: &EmailAddress) -> Found {
    let server = |host: &str, port, tls, login: Login| FoundServer {
        host: host.to_owned(),
        port,
        tls,
        login: login.of(address),
    };
    let (inbound, inbound_login) = preset.imap;
    let (outbound, port, tls, login) = preset.smtp;
    Found {
        source: preset.name.to_owned(),
        built_in: true,
        inbound: server(inbound, 993, Tls::Implicit, inbound_login),
        outbound: Some(server(outbound, port, tls, login)),
        sign_in: preset.sign_in,
        hint: preset.card,
        elsewhere: Vec::new(),
        owner: Some(preset.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn a_domain_belongs_to_one_provider_at_most() {
        let mut domains = BTreeSet::new();
        for preset in &PRESETS {
            for domain in preset.domains.split_ascii_whitespace() {
                assert!(domains.insert(domain), "{domain} twice");
                let example = address(&format!("kim@{domain}"));
                assert_eq!(example.domain(), domain, "is written as it is looked for");
            }
        }
        assert_eq!(known(&address("kim@GMX.net")).unwrap().source, "GMX");
        assert_eq!(known(&address("kim@contoso.example")), None);
        assert_eq!(known(&address("kim@mail.gmx.net")), None);
    }

    #[test]
    fn every_entry_is_encrypted_and_complete() {
        for preset in &PRESETS {
            let (_, port, tls, _) = preset.smtp;
            let expected = match tls {
                Tls::Implicit => 465,
                Tls::StartTls => 587,
            };
            assert_eq!(port, expected, "{}", preset.name);
            for host in [preset.imap.0, preset.smtp.0] {
                assert_eq!(address(&format!("x@{host}")).domain(), host);
            }
            // Who wants a password made for programs says where it is made.
            let explained = preset.card.is_some() || preset.sign_in == FoundSignIn::Password;
            assert!(explained, "{}", preset.name);
        }
    }

    #[test]
    fn cards_are_those_of_the_catalogue_and_lead_somewhere() {
        use crate::diagnosis::catalogue::{Language, card};
        for code in PRESETS.iter().filter_map(|preset| preset.card) {
            for code in [code.to_owned(), format!("SMTP {code}")] {
                let card = card(&code, &Default::default(), Language::En);
                assert!(card.known, "{code}");
                assert!(!card.links.is_empty(), "{code} leads nowhere");
            }
        }
    }

    #[test]
    fn logins_are_as_the_provider_wants_them() {
        let mac = known(&address("kim@mac.com")).unwrap();
        assert_eq!(mac.inbound.login, "kim");
        assert_eq!(mac.outbound.unwrap().login, "kim@mac.com");
        let web = known(&address("kim@web.de")).unwrap();
        assert_eq!(
            (web.inbound.login.as_str(), web.sign_in),
            ("kim", FoundSignIn::Password)
        );
        let google = known(&address("kim@googlemail.com")).unwrap();
        assert_eq!(google.inbound.login, "kim@googlemail.com");
        assert_eq!(google.sign_in, FoundSignIn::AppPassword);
        assert_eq!(google.hint, Some("Gmail sign-in"));
    }

    #[test]
    fn a_servers_name_tells_whose_it_is() {
        assert_eq!(
            owner("IMAP.gmail.com"),
            Some(("Gmail", Some("Gmail sign-in")))
        );
        assert_eq!(owner("imap.strato.de"), Some(("STRATO", None)));
        for nobody in ["imap.contoso.example", "gmail.com", EXCHANGE_ONLINE] {
            assert_eq!(owner(nobody), None, "{nobody}");
        }
    }
}
