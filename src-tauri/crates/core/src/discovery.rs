//! Which servers an address may have: documented settings of known providers, and what the address's own domain
//! publishes (Mozilla's autoconfiguration, "Autoconfiguration in Thunderbird"). A proposal is only shown; nothing is
//! signed in to before a person has seen the servers' names and agreed.

mod autoconfig;
mod presets;

use crate::account::{EmailAddress, Tls};
use crate::oauth::http::{is_allowed, is_loopback, read_capped};
use std::time::Duration;
use url::Url;

/// Longest settings file, in bytes.
const FILE_LIMIT: usize = 256 << 10;
/// Redirects that are followed, all within the domain.
const REDIRECTS: usize = 3;
/// Time for one file, redirects included.
const PATIENCE: Duration = Duration::from_secs(8);

/// A server that may be the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the line is encrypted. Servers without encryption are never proposed.
    pub tls: Tls,
    /// Login name.
    pub login: String,
}

/// How a provider wants people to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundSignIn {
    /// With the password of the mailbox.
    Password,
    /// With a password that is made for one program.
    AppPassword,
    /// In the browser, at Microsoft.
    Microsoft,
    /// In the browser, at an issuer that has to be named.
    Issuer,
}

/// Settings that may be the right ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who says so: a provider's name, or the address of a settings file.
    pub source: String,
    /// Whether the settings are built in; else the domain published them.
    pub built_in: bool,
    /// For reading.
    pub inbound: FoundServer,
    /// For sending.
    pub outbound: Option<FoundServer>,
    /// How to sign in.
    pub sign_in: FoundSignIn,
    /// The catalogue's card about what has to be done at the provider first.
    pub hint: Option<&'static str>,
    /// Servers that published settings name outside the mail domain: they belong to somebody else, and only a person
    /// can know whether that is right.
    pub elsewhere: Vec<String>,
    /// The provider whose servers these are, where it is known.
    pub owner: Option<&'static str>,
}

/// The catalogue's card about signing in with a password at a known provider's server; nothing for every other host.
pub fn card_at(host: &str) -> Option<&'static str> {
    presets::owner(host).and_then(|(_, card)| card)
}

/// Whether one known provider reads at `inbound` and takes mail at `outbound`; both in lower case.
pub fn is_pair(inbound: &str, outbound: &str) -> bool {
    presets::is_pair(inbound, outbound)
}

/// Settings for `address`, likeliest first. Asks the address's own domain only, by HTTPS, and only where the provider is
/// not known; Microsoft 365 comes last for every other domain, because organisations use it under their own name.
pub async fn propose(http: &reqwest::Client, address: &EmailAddress) -> Vec<Found> {
    if let Some(known) = presets::known(address) {
        return vec![known];
    }
    let domain = address.domain();
    let places = [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];
    let places = places.iter().filter_map(|place| Url::parse(place).ok());
    let mut found = published(http, places.collect(), address, PATIENCE).await;
    found.push(presets::microsoft_365(address));
    found
}

/// What the first of `places` that has settings says.
async fn published(
    http: &reqwest::Client,
    places: Vec<Url>,
    address: &EmailAddress,
    patience: Duration,
) -> Vec<Found> {
    let domain = address.domain();
    let looks = places.into_iter().map(|place| async move {
        let file = tokio::time::timeout(patience, file(http, place.clone(), domain)).await;
        (file.ok().flatten(), place)
    });
    for (file, place) in futures_util::future::join_all(looks).await {
        let settings = file.and_then(|bytes| autoconfig::read(&bytes, address));
        if let Some((inbound, outbound, sign_in)) = settings {
            let mut elsewhere: Vec<String> = [Some(&inbound), outbound.as_ref()]
                .into_iter()
                .flatten()
                .map(|server| server.host.clone())
                .filter(|host| !is_within(host, domain))
                .collect();
            elsewhere.dedup();
            let owner = presets::owner(&inbound.host);
            return vec![Found {
                source: place.to_string(),
                built_in: false,
                inbound,
                outbound,
                sign_in,
                hint: owner.and_then(|(_, card)| card),
                elsewhere,
                owner: owner.map(|(name, _)| name),
            }];
        }
    }
    Vec::new()
}

/// Gets one file. Whatever goes wrong means that there are no settings there.
async fn file(http: &reqwest::Client, place: Url, domain: &str) -> Option<bytes::Bytes> {
    let mut url = place;
    for _ in 0..=REDIRECTS {
        let answer = http.get(url.clone()).send().await.ok()?;
        if answer.status().is_redirection() {
            let location = answer
                .headers()
                .get(http::header::LOCATION)?
                .to_str()
                .ok()?;
            let next = url.join(location).ok()?;
            if !may_follow(&url, &next, domain) {
                tracing::info!(%domain, "Mail settings lead out of the domain and were not followed.");
                return None;
            }
            url = next;
            continue;
        }
        if answer.status() != http::StatusCode::OK {
            return None;
        }
        return read_capped(answer, FILE_LIMIT).await.ok();
    }
    None
}

/// Whether a redirect stays within the mail domain, encrypted and at the usual port.
fn may_follow(from: &Url, to: &Url, domain: &str) -> bool {
    if is_loopback(from) {
        return to.origin() == from.origin();
    }
    let inside = to.host_str().is_some_and(|host| is_within(host, domain));
    inside && is_allowed(to) && to.scheme() == "https" && to.port().is_none()
}

/// Whether `host` is `domain` or below it. What stands above a domain may be anybody's (`co.uk`), so it is outside.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_lowercase(), domain.to_lowercase());
    host == domain
        || host
            .strip_suffix(&domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{Server, text};

    const FILE: &str = r#"<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="contoso.example">
        <incomingServer type="imap"><hostname>imap.contoso.example</hostname><port>993</port>
        <socketType>SSL</socketType><username>%EMAILADDRESS%</username>
        <authentication>password-cleartext</authentication></incomingServer></emailProvider></clientConfig>"#;

    fn address() -> EmailAddress {
        EmailAddress::parse("support@contoso.example").unwrap()
    }

    #[tokio::test]
    async fn takes_the_first_file_that_has_settings() {
        let server = Server::start(|asked, _| match asked.target.as_str() {
            "/moved" => http::Response::builder()
                .status(302)
                .header("location", "/there")
                .body(bytes::Bytes::new())
                .unwrap(),
            "/there" => text(200, "text/xml", FILE),
            "/away" => http::Response::builder()
                .status(302)
                .header("location", "http://127.0.0.1:1/there")
                .body(bytes::Bytes::new())
                .unwrap(),
            "/large" => text(200, "text/xml", vec![b' '; FILE_LIMIT + 1]),
            "/loop" => http::Response::builder()
                .status(302)
                .header("location", "/loop")
                .body(bytes::Bytes::new())
                .unwrap(),
            _ => text(404, "text/html", "<h1>Not found</h1>"),
        })
        .await;
        let http = crate::oauth::http::client(&[]).unwrap();
        let found = async |places: &[&str]| {
            let places = places.iter().map(|place| server.url.join(place).unwrap());
            published(&http, places.collect(), &address(), PATIENCE).await
        };
        let settings = found(&["/nothing", "/moved"]).await;
        assert_eq!(settings[0].inbound.host, "imap.contoso.example");
        assert_eq!(settings[0].inbound.login, "support@contoso.example");
        assert!(!settings[0].built_in);
        assert!(found(&["/away", "/large", "/loop"]).await.is_empty());
        assert!(server.asked().iter().all(|asked| asked.method == "GET"));
    }

    /// A line that says nothing more after these bytes, and stays open.
    async fn falls_silent(bytes: &'static [u8]) -> Url {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut line, _)) = listener.accept().await {
                let _ = line.read(&mut [0; 1024]).await;
                let _ = line.write_all(bytes).await;
                open.push(line);
            }
        });
        Url::parse(&url).unwrap()
    }

    #[tokio::test]
    async fn a_silent_server_costs_the_time_of_one_file() {
        let http = crate::oauth::http::client(&[]).unwrap();
        for said in [
            b"".as_slice(),
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 900\r\n\r\n<clientConfig>",
        ] {
            let url = falls_silent(said).await;
            let found = published(&http, vec![url], &address(), Duration::from_millis(200)).await;
            assert!(found.is_empty());
        }
    }

    #[tokio::test]
    async fn servers_outside_the_mail_domain_are_named_with_their_owner() {
        let server = Server::start(|asked, _| {
            let host = asked.target.trim_start_matches('/');
            text(200, "text/xml", FILE.replace("imap.contoso.example", host))
        })
        .await;
        let http = crate::oauth::http::client(&[]).unwrap();
        for (host, elsewhere, owner, hint) in [
            ("imap.contoso.example", false, None, None),
            ("contoso.example", false, None, None),
            ("imap.evilcontoso.example", true, None, None),
            ("contoso.example.evil.example", true, None, None),
            ("example.example", true, None, None),
            ("imap.gmail.com", true, Some("Gmail"), Some("Gmail sign-in")),
            ("imap.strato.de", true, Some("STRATO"), None),
        ] {
            let place = server.url.join(&format!("/{host}")).unwrap();
            let found = published(&http, vec![place], &address(), PATIENCE).await;
            let expected: Vec<&str> = elsewhere.then_some(host).into_iter().collect();
            assert_eq!(found[0].elsewhere, expected);
            assert_eq!((found[0].owner, found[0].hint), (owner, hint), "{host}");
        }
    }

    #[test]
    fn redirects_stay_within_the_domain() {
        let from = Url::parse("https://autoconfig.contoso.example/mail/config-v1.1.xml").unwrap();
        for (to, may) in [
            ("https://contoso.example/a", true),
            ("https://mail.contoso.example/a", true),
            ("http://mail.contoso.example/a", false),
            ("https://evilcontoso.example/a", false),
            ("https://contoso.example.evil.example/a", false),
            ("https://contoso.example:8443/a", false),
            ("https://kim@contoso.example/a", false),
            ("https://127.0.0.1/a", false),
        ] {
            let to = Url::parse(to).unwrap();
            assert_eq!(may_follow(&from, &to, "contoso.example"), may, "{to}");
        }
    }
}
