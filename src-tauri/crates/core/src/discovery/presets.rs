//! Settings that providers document themselves.

use super::{Found, FoundServer, FoundSignIn};
use crate::account::{EmailAddress, Tls};

/// A provider that is known by the domains of its addresses.
struct Preset {
    name: &'static str,
    domains: &'static [&'static str],
    imap: &'static str,
    smtp: (&'static str, u16, Tls),
    sign_in: FoundSignIn,
}

/// Sources: the providers' help pages on IMAP and SMTP settings. IMAP is always at port 993 with TLS.
const PRESETS: [Preset; 6] = [
    Preset {
        name: "Gmail",
        domains: &["gmail.com", "googlemail.com"],
        imap: "imap.gmail.com",
        smtp: ("smtp.gmail.com", 587, Tls::StartTls),
        sign_in: FoundSignIn::Password,
    },
    Preset {
        name: "iCloud Mail",
        domains: &["icloud.com", "me.com", "mac.com"],
        imap: "imap.mail.me.com",
        smtp: ("smtp.mail.me.com", 587, Tls::StartTls),
        sign_in: FoundSignIn::Password,
    },
    Preset {
        name: "Yahoo Mail",
        domains: &["yahoo.com", "yahoo.de", "yahoo.co.uk"],
        imap: "imap.mail.yahoo.com",
        smtp: ("smtp.mail.yahoo.com", 465, Tls::Implicit),
        sign_in: FoundSignIn::Password,
    },
    Preset {
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm"],
        imap: "imap.fastmail.com",
        smtp: ("smtp.fastmail.com", 465, Tls::Implicit),
        sign_in: FoundSignIn::Password,
    },
    Preset {
        name: "GMX",
        domains: &["gmx.de", "gmx.net", "gmx.at", "gmx.ch"],
        imap: "imap.gmx.net",
        smtp: ("mail.gmx.net", 587, Tls::StartTls),
        sign_in: FoundSignIn::Password,
    },
    Preset {
        name: "WEB.DE",
        domains: &["web.de"],
        imap: "imap.web.de",
        smtp: ("smtp.web.de", 587, Tls::StartTls),
        sign_in: FoundSignIn::Password,
    },
];

/// The settings of a provider that gives out addresses of this domain.
pub(super) fn known(address: &EmailAddress) -> Option<Found> {
    let domain = address.domain();
    let preset = PRESETS
        .iter()
        .find(|preset| preset.domains.contains(&domain))?;
    Some(found(preset, address))
}

/// Exchange Online (Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth").
pub(super) fn microsoft_365(address: &EmailAddress) -> Found {
    let preset = Preset {
        name: "Microsoft 365",
        domains: &[],
        imap: "outlook.office365.com",
        smtp: ("smtp.office365.com", 587, Tls::StartTls),
        sign_in: FoundSignIn::Microsoft,
    };
    found(&preset, address)
}

fn found(preset: &Preset, address: &EmailAddress) -> Found {
    let server = |host: &str, port, tls| FoundServer {
        host: host.to_owned(),
        port,
        tls,
        login: address.to_string(),
    };
    let (host, port, tls) = preset.smtp;
    Found {
        source: preset.name.to_owned(),
        built_in: true,
        inbound: server(preset.imap, 993, Tls::Implicit),
        outbound: Some(server(host, port, tls)),
        sign_in: preset.sign_in,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_belongs_to_one_provider_at_most() {
        let mut domains: Vec<_> = PRESETS.iter().flat_map(|preset| preset.domains).collect();
        let all = domains.len();
        domains.sort_unstable();
        domains.dedup();
        assert_eq!(domains.len(), all);
        let address = |text| EmailAddress::parse(text).unwrap();
        assert_eq!(known(&address("kim@GMX.net")).unwrap().source, "GMX");
        assert_eq!(known(&address("kim@contoso.example")), None);
    }
}
