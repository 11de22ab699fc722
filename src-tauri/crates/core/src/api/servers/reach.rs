//! Where a stored password may be shown without being typed again.

use crate::account::{ImapAuth, ImapServer, SmtpServer};
use secrecy::{ExposeSecret, SecretString};

/// What a password for the outbound server could be.
#[derive(Clone, Copy, Default)]
pub(in crate::api) struct Passwords {
    /// One for it alone is typed now.
    pub(in crate::api) typed: bool,
    /// One for it alone is stored.
    pub(in crate::api) own: bool,
    /// The one of the inbound server is typed now, together with both servers.
    pub(in crate::api) typed_for_both: bool,
}

/// Labels that are a server's job and nobody's name. Digits behind them only count servers.
const JOBS: [&str; 31] = [
    "asmtp",
    "email",
    "imap",
    "imap-mail",
    "imaps",
    "in",
    "inbound",
    "incoming",
    "mail",
    "mailgate",
    "mailhost",
    "mailout",
    "mails",
    "mailserver",
    "mailsrv",
    "mx",
    "out",
    "outbound",
    "outgoing",
    "pop",
    "relay",
    "secure",
    "secureimap",
    "securemail",
    "securesmtp",
    "send",
    "smtp",
    "smtp-auth",
    "smtp-mail",
    "smtps",
    "submission",
];

/// Second labels below which registries of countries give out names, as in `contoso.co.uk`.
const REGISTRIES: [&str; 20] = [
    "ac", "asso", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "gv", "ltd", "mil", "ne",
    "net", "nom", "or", "org", "plc", "sch",
];

/// Whether the password that is there may be shown to `server`; `former` is the outbound server until now.
pub(super) fn is_stored_for(
    former: Option<&SmtpServer>,
    server: &SmtpServer,
    inbound: &ImapServer,
    passwords: Passwords,
) -> bool {
    let former = former.filter(|former| former.auth == ImapAuth::Password);
    let same_host = former.filter(|former| former.host.eq_ignore_ascii_case(&server.host));
    if passwords.own {
        return same_host.is_some_and(|former| former.login == server.login);
    }
    // Beside tokens no password is stored.
    inbound.auth == ImapAuth::Password
        && (passwords.typed_for_both
            || same_host.is_some()
            || is_known(&inbound.host, &server.host))
}

/// The password that was typed for sending, where it has to be kept for that alone: one that is `mailbox`'s own is not kept
/// twice, so that sending goes on when that one changes.
pub(in crate::api) fn kept_apart(
    typed: Option<SecretString>,
    mailbox: Option<&SecretString>,
) -> Option<SecretString> {
    typed.filter(|typed| {
        mailbox.is_none_or(|mailbox| mailbox.expose_secret() != typed.expose_secret())
    })
}

/// Whether the password of the mailbox at `inbound` may be shown to `outbound` although nobody types it for that server:
/// it is the same host, the two are one known provider's, or they are siblings (`imap.contoso.example` and
/// `smtp.contoso.example`).
///
/// Siblings are safe because the domain above both is that of whoever has the password already, and names below it can be
/// given out by them alone, so a slip in the first label ends at their own servers or at none. Three things could make the
/// domain above belong to many: it is a top-level domain (so it must have two labels), it is one that a country's registry
/// gives names out below ([`REGISTRIES`]), or it is a host's or a dynamic DNS service's with a name for each customer (so
/// both first labels must be jobs, [`JOBS`], as names of customers are not). Whatever is not certain is typed again.
fn is_known(inbound: &str, outbound: &str) -> bool {
    let (inbound, outbound) = (inbound.to_ascii_lowercase(), outbound.to_ascii_lowercase());
    inbound == outbound
        || crate::discovery::is_pair(&inbound, &outbound)
        || matches!((domain(&inbound), domain(&outbound)), (Some(one), Some(other)) if one == other)
}

/// The mail domain that a host in lower case serves, where its name says so.
fn domain(host: &str) -> Option<&str> {
    let (job, above) = host.split_once('.')?;
    let job = job.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let mut labels = above.rsplit('.');
    let (top, second) = (labels.next()?, labels.next()?);
    let is_registry = labels.next().is_none() && top.len() == 2 && REGISTRIES.contains(&second);
    (JOBS.contains(&job) && !is_registry && !top.is_empty() && !second.is_empty()).then_some(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Tls;

    fn sending(host: &str, login: &str) -> SmtpServer {
        SmtpServer {
            host: host.into(),
            port: 587,
            tls: Tls::StartTls,
            login: login.into(),
            auth: ImapAuth::Password,
            from: Vec::new(),
        }
    }

    fn reading(auth: ImapAuth) -> ImapServer {
        ImapServer {
            host: "imap.contoso.example".into(),
            port: 993,
            tls: Tls::Implicit,
            login: "kim".into(),
            auth,
        }
    }

    #[test]
    fn the_mailboxs_password_serves_at_home_and_where_it_has_been() {
        let mailbox = reading(ImapAuth::Password);
        let stored = |former, server| is_stored_for(former, server, &mailbox, Passwords::default());
        let home = sending("smtp.contoso.example", "kim");
        let relay = sending("relay.fabrikam.example", "kim");
        assert!(stored(None, &home));
        assert!(!stored(None, &relay));
        let shouted = sending("RELAY.fabrikam.example", "kim");
        assert!(stored(Some(&shouted), &relay));
        // It signed in there with tokens.
        let by_token = SmtpServer {
            auth: ImapAuth::Token,
            ..relay.clone()
        };
        assert!(!stored(Some(&by_token), &relay));
        let both = Passwords {
            typed_for_both: true,
            ..Passwords::default()
        };
        assert!(is_stored_for(None, &relay, &mailbox, both));
        // Nothing is stored but tokens.
        let by_browser = reading(ImapAuth::Token);
        assert!(!is_stored_for(
            None,
            &home,
            &by_browser,
            Passwords::default()
        ));
    }

    #[test]
    fn a_password_for_sending_alone_stays_where_it_is() {
        let own = Passwords {
            own: true,
            typed_for_both: true,
            ..Passwords::default()
        };
        let relay = sending("relay.fabrikam.example", "kim");
        let stored = |server: &SmtpServer| {
            is_stored_for(Some(&relay), server, &reading(ImapAuth::Password), own)
        };
        assert!(stored(&relay));
        assert!(!stored(&sending("relay.fabrikam.example", "robin")));
        assert!(!stored(&sending("smtp.contoso.example", "kim")));
        assert!(!stored(&sending("imap.contoso.example", "kim")));
    }

    #[test]
    fn a_password_that_is_the_mailboxs_is_not_kept_twice() {
        let typed = |text: &str| Some(SecretString::from(text));
        let mailbox = SecretString::from("one");
        assert!(kept_apart(typed("one"), Some(&mailbox)).is_none());
        assert!(kept_apart(typed("two"), Some(&mailbox)).is_some());
        assert!(kept_apart(typed("one"), None).is_some());
    }

    #[test]
    fn siblings_of_one_domain_and_pairs_of_one_provider_are_known() {
        for (inbound, outbound) in [
            ("imap.contoso.example", "smtp.contoso.example"),
            ("IMAP.Contoso.example", "smtp.contoso.EXAMPLE"),
            ("mail.contoso.co.uk", "smtp.contoso.co.uk"),
            ("imap2.mail.contoso.example", "smtp.mail.contoso.example"),
            ("w0123456.hoster.example", "w0123456.hoster.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("imap.gmail.com", "smtp.gmail.com"),
            ("secureimap.t-online.de", "securesmtp.t-online.de"),
        ] {
            assert!(is_known(inbound, outbound), "{inbound} {outbound}");
        }
    }

    #[test]
    fn a_slip_and_a_stranger_are_not() {
        for (inbound, outbound) in [
            ("imap.contoso.example", "smtp.contosso.example"),
            (
                "imap.contoso.example",
                "smtp.contoso.example.fabrikam.example",
            ),
            ("imap.contoso.example", "smtp.example"),
            ("imap.contoso.example", "contoso.example"),
            ("imap.contoso.example", "smtp.contoso.example."),
            ("imap.gmail.com", "smtp.gmial.com"),
            ("imap.gmail.com", "smtp.web.de"),
            // Everybody may have a name there.
            ("contoso.co.uk", "fabrikam.co.uk"),
            ("mail.co.uk", "smtp.co.uk"),
            ("imap.example", "smtp.example"),
            ("kim.hoster.example", "smtp.hoster.example"),
            ("mail.hoster.example", "robin.hoster.example"),
            ("192.0.2.1", "193.0.2.1"),
            ("2001:db8::1", "2001:db8::2"),
            ("mail..", "smtp.."),
        ] {
            assert!(!is_known(inbound, outbound), "{inbound} {outbound}");
        }
    }
}
