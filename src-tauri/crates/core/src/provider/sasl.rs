//! What proves to a mail server who we are, in the words of SASL: PLAIN (RFC 4616), XOAUTH2 (Google, "OAuth 2.0
//! Mechanism"; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth") and OAUTHBEARER (RFC 7628). IMAP
//! and SMTP differ only in how the words travel.

use super::ProviderError;
use super::imap::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The longest reason of a refusal that is kept, in characters.
const LONGEST_REASON: usize = 1000;

/// What proves who we are, for one sign-in.
pub(super) enum Secret {
    /// A password.
    Password(SecretString),
    /// An access token.
    Token(SecretString),
}

/// A way to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// Name and password (RFC 4616).
    Plain,
    /// Name and token.
    XOAuth2,
    /// Name, server and token (RFC 7628).
    OAuthBearer,
}

impl Secret {
    /// The secret of `credentials`; a token is renewed where its time is over.
    ///
    /// # Errors
    /// [`ProviderError::Token`].
    pub(super) async fn of(credentials: &Credentials) -> Result<Self, ProviderError> {
        Ok(match credentials {
            Credentials::Password(password) => Self::Password(password.clone()),
            Credentials::Tokens(tokens) => Self::Token(tokens.access().await?),
        })
    }

    /// The secret itself.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Password(text) | Self::Token(text) => text.expose_secret(),
        }
    }

    /// The token, where it is one.
    pub(super) fn into_token(self) -> Option<SecretString> {
        match self {
            Self::Password(_) => None,
            Self::Token(token) => Some(token),
        }
    }

    /// The mechanism to use with a server that offers those for which `offers` is true; nothing where none fits.
    /// XOAUTH2 comes first: Exchange Online knows no other.
    pub(super) fn mechanism(&self, offers: impl Fn(&str) -> bool) -> Option<Mechanism> {
        let known: &[Mechanism] = match self {
            Self::Password(_) => &[Mechanism::Plain],
            Self::Token(_) => &[Mechanism::XOAuth2, Mechanism::OAuthBearer],
        };
        known.iter().copied().find(|one| offers(one.name()))
    }
}

impl Mechanism {
    /// Its registered name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The client's first and only answer, in base64: `login` opens the mailbox at `host` and `port` with `secret`.
    pub(super) fn answer(
        self,
        login: &str,
        secret: &Secret,
        (host, port): (&str, u16),
    ) -> Zeroizing<String> {
        let secret = secret.text();
        let plain = Zeroizing::new(match self {
            Self::Plain => format!("\0{login}\0{secret}"),
            Self::XOAuth2 => format!("user={login}\u{1}auth=Bearer {secret}\u{1}\u{1}"),
            Self::OAuthBearer => {
                // RFC 7628 §3.1; `,` and `=` of the name are escaped (RFC 5801 §4).
                let name = login.replace('=', "=3D").replace(',', "=2C");
                format!(
                    "n,a={name},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {secret}\u{1}\u{1}"
                )
            }
        });
        coded(&plain)
    }

    /// What is said, in base64, to the reason of a refusal: only then comes the refusal itself. OAUTHBEARER wants the
    /// one byte 0x01 (RFC 7628 §3.2.3), XOAUTH2 an empty line.
    pub(super) fn answer_to_reason(self) -> &'static str {
        match self {
            Self::Plain | Self::XOAuth2 => "",
            Self::OAuthBearer => "AQ==",
        }
    }
}

/// Text in base64.
pub(super) fn coded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

/// The reason within a challenge, which is base64 of a JSON document; empty where there is none.
pub(super) fn reason(challenge: &[u8]) -> String {
    let text = STANDARD.decode(challenge.trim_ascii()).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .chars()
        .take(LONGEST_REASON)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(mechanism: Mechanism, login: &str, secret: &Secret) -> String {
        let coded = mechanism.answer(login, secret, ("mail.contoso.example", 993));
        String::from_utf8(STANDARD.decode(coded.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_answers_are_those_of_the_manuals() {
        let token = Secret::Token("tok".into());
        let password = Secret::Password("pw".into());
        assert_eq!(said(Mechanism::Plain, "kim", &password), "\0kim\0pw");
        assert_eq!(
            said(Mechanism::XOAuth2, "info@contoso.example", &token),
            "user=info@contoso.example\u{1}auth=Bearer tok\u{1}\u{1}"
        );
        assert_eq!(
            said(Mechanism::OAuthBearer, "a=b,c", &token),
            "n,a=a=3Db=2Cc,\u{1}host=mail.contoso.example\u{1}port=993\u{1}auth=Bearer tok\u{1}\u{1}"
        );
    }

    #[test]
    fn a_secret_is_said_only_in_a_way_that_the_server_offers() {
        let token = Secret::Token("tok".into());
        let password = Secret::Password("pw".into());
        let offers = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        for (secret, offered, expected) in [
            (
                &token,
                &["PLAIN", "OAUTHBEARER", "XOAUTH2"][..],
                Some(Mechanism::XOAuth2),
            ),
            (&token, &["OAUTHBEARER"], Some(Mechanism::OAuthBearer)),
            (&token, &["PLAIN", "LOGIN"], None),
            (&password, &["PLAIN", "XOAUTH2"], Some(Mechanism::Plain)),
            (&password, &["XOAUTH2"], None),
        ] {
            assert_eq!(secret.mechanism(offers(offered)), expected, "{offered:?}");
        }
    }

    #[test]
    fn the_reason_of_a_refusal_is_read_and_bounded() {
        let json = r#"{"status":"401","schemes":"bearer","scope":"mail"}"#;
        assert_eq!(reason(format!(" {} ", *coded(json)).as_bytes()), json);
        assert_eq!(reason(b"not base64!"), "");
        assert_eq!(
            reason(coded(&"x".repeat(5_000)).as_bytes()).len(),
            LONGEST_REASON
        );
    }
}
