//! The map of an address that is read by IMAP: the stations of the sign-in service are lit where a token is used, and by
//! what the mail servers said. A password needs none of them.

use super::{AHEAD, Known, Lights, reading, timed};
use crate::account::{ImapAuth, ImapServer};
use crate::api::view::Station;
use crate::app::App;
use crate::diagnosis::checks::{self, finding_of, finding_of_token};
use crate::diagnosis::evidence::{
    self, ComputerEvidence, ConsentEvidence, FetchEvidence, FolderEvidence,
};
use crate::diagnosis::map::{Facts, Judgement};
use crate::diagnosis::stations::station_of;
use crate::diagnosis::{Finding, Severity};
use crate::oauth::error::TokenError;
use crate::provider::{Folder, Provider, ProviderError};

/// A server, and which shared mailbox is opened there by whom.
#[derive(Clone, Copy)]
struct Opened<'a> {
    server: &'a ImapServer,
    /// The mailbox, and the login name of who signed in.
    shared: Option<(&'a str, &'a str)>,
}

impl<'a> Opened<'a> {
    fn own(server: &'a ImapServer) -> Self {
        Self {
            server,
            shared: None,
        }
    }
}

/// From this computer to the round trip.
pub(super) async fn pass(app: &App, known: &Known, server: &ImapServer, lights: &mut Lights<'_>) {
    let connections = &app.context.connections;
    let login = known.account.identity.login_name.as_str();
    let opened = Opened {
        server,
        shared: known.row.mailbox.as_deref().map(|mailbox| (mailbox, login)),
    };
    let provider = connections.provider(&known.row, &known.account).await;
    let trouble = match &provider {
        Err(missing) => Some(Finding::plain(missing.code(), Severity::Failed)),
        Ok(_) => app.context.storage_trouble(),
    };
    if !this_computer(app, trouble, lights).await {
        return;
    }
    let Ok(provider) = provider else { return };
    let (mut facts, mut doubt) = (Facts::new(), None);
    if uses_tokens(known, server) {
        let (judged, refused) = sign_in_service(app, known).await;
        facts = judged.facts;
        if let Some(error) = refused {
            let found = without_token(&error, judged.finding, known);
            fail_at(lights, found, opened, (facts, None));
            return;
        }
        doubt = judged.finding;
    }
    let (inbox, took) = timed(evidence::inbox(&provider)).await;
    let inbox = match inbox {
        Ok(inbox) => Some(inbox),
        // What was asked for is the folder that is read. Without it the mailbox is there all the same.
        Err(ProviderError::NotFound(_)) if known.row.folder_path.is_some() => None,
        Err(error) => {
            fail_at(lights, refused_at(&error, server), opened, (facts, doubt));
            return;
        }
    };
    let quota = evidence::within(provider.quota()).await;
    let room = checks::mailbox::room(quota.unwrap_or_else(|error| {
        tracing::debug!(%error, "The server does not tell how full the mailbox is.");
        None
    }));
    for station in Station::ALL {
        if station > Station::Computer && station < Station::Folder {
            let asked = (station == Station::Network).then_some(took);
            let mut judgement = if station == Station::Consent && server.auth == ImapAuth::Token {
                consent(known)
            } else if station == Station::Mailbox {
                room.clone()
            } else {
                well(station, opened)
            };
            if station == Station::Network {
                judgement.facts.append(&mut facts);
                if let Some(finding) = doubt.take() {
                    judgement = not_needed_yet(finding, judgement.facts);
                }
            }
            if !lights.light(station, judgement, asked) {
                return;
            }
        }
    }
    let inbox = inbox.filter(|_| known.row.folder_path.is_none());
    reading(app, known, &provider, inbox, lights).await;
}

/// Whether any of the two servers wants a token.
fn uses_tokens(known: &Known, server: &ImapServer) -> bool {
    let outbound = known.row.outbound.as_ref().map(|server| server.auth);
    server.auth == ImapAuth::Token || outbound == Some(ImapAuth::Token)
}

/// The way to the sign-in service, and why there is no token, if so.
async fn sign_in_service(app: &App, known: &Known) -> (Judgement, Option<TokenError>) {
    let connections = &app.context.connections;
    let clock = &app.context.clock;
    let registration = &known.account.registration;
    let look = evidence::look_at_sign_in_service(connections.http(), registration, || clock.now());
    let renewal = async {
        match connections.tokens(&known.account).await {
            Ok(tokens) => evidence::silent_renewal(&tokens).await,
            Err(_) => Err(TokenError::NoTokens),
        }
    };
    let (seen, renewed) = tokio::join!(look, renewal);
    (checks::network::sign_in_service(&seen), renewed.err())
}

/// Where there is no token: the way to the sign-in service is what is wrong, or the service itself, or the sign-in.
fn without_token(error: &TokenError, way: Option<Finding>, known: &Known) -> (Station, Finding) {
    let mut finding = finding_of_token(error);
    match (error, way) {
        (TokenError::Offline(_), Some(way)) => (Station::Network, way),
        (TokenError::Offline(_), None) => {
            let host = known.account.registration.authority.host_str();
            let host = host.unwrap_or_default().to_owned();
            finding.args.insert("host".to_owned(), host);
            (Station::Token, finding)
        }
        _ => at_its_station(finding),
    }
}

/// Nobody can sign in at the moment, and nobody has to: the token at hand is still good.
fn not_needed_yet(finding: Finding, facts: Facts) -> Judgement {
    let finding = Finding {
        severity: Severity::Warning,
        ..finding
    };
    Judgement::warning(finding, facts)
}

/// What was granted, against what a mail server's token needs.
fn consent(known: &Known) -> Judgement {
    let registration = &known.account.registration;
    checks::consent::check(&ConsentEvidence {
        needed: crate::oauth::mail_scopes(registration),
        granted: known.account.scopes.clone(),
        refusal: None,
        asked: None,
    })
}

/// The station that an IMAP server's refusal belongs to, with the finding.
fn refused_at(error: &ProviderError, server: &ImapServer) -> (Station, Finding) {
    let station = match error {
        ProviderError::Offline(_) | ProviderError::Untrusted(_) => Station::Network,
        ProviderError::Unauthorized(_) if server.auth == ImapAuth::Token => Station::Token,
        ProviderError::Unauthorized(_) => Station::SignIn,
        ProviderError::Token(error) => return at_its_station(finding_of_token(error)),
        ProviderError::Forbidden(_) if is_about_sign_in(error) => Station::SignIn,
        ProviderError::Forbidden(_) => Station::MailboxRight,
        ProviderError::NotFound(_)
        | ProviderError::Throttled(..)
        | ProviderError::CursorExpired(_)
        | ProviderError::QuotaFull(_)
        | ProviderError::Server(_)
        | ProviderError::Protocol(..) => Station::Mailbox,
    };
    (station, finding_of(error))
}

/// Whether the server knows no way to sign in that fits.
fn is_about_sign_in(error: &ProviderError) -> bool {
    station_of(&finding_of(error)) == Station::SignIn
}

fn at_its_station(finding: Finding) -> (Station, Finding) {
    (station_of(&finding), finding)
}

/// The map of an attempt with a password that failed: the server's refusal, at its station.
pub(super) async fn failed_attempt(
    app: &App,
    server: &ImapServer,
    finding: Finding,
    lights: &mut Lights<'_>,
) {
    if !this_computer(app, app.context.storage_trouble(), lights).await {
        return;
    }
    // Without tokens there is one station at which a server refuses a person.
    let station = station_of(&finding);
    let of_tokens = matches!(
        station,
        Station::Registration | Station::Consent | Station::Token
    );
    let station = match finding.sign_in_again || of_tokens {
        true => Station::SignIn,
        false => station,
    };
    fail_at(
        lights,
        (station, finding),
        Opened::own(server),
        (Facts::new(), None),
    );
}

/// The data folder and the keychain.
async fn this_computer(app: &App, trouble: Option<Finding>, lights: &mut Lights<'_>) -> bool {
    let (data_folder, took) = timed(evidence::data_folder(&app.data_dir)).await;
    let judgement = checks::computer::check(&ComputerEvidence {
        data_folder,
        trouble,
        skew_ms: None,
    });
    lights.light(Station::Computer, judgement, Some(took))
}

/// The map of an attempt with a password that is ready.
pub(super) async fn ready_attempt(
    app: &App,
    server: &ImapServer,
    provider: &Provider,
    folder: Folder,
    lights: &mut Lights<'_>,
) {
    if !this_computer(app, app.context.storage_trouble(), lights).await {
        return;
    }
    for station in Station::ALL {
        let between = station > Station::Computer && station < Station::Folder;
        let judgement = well(station, Opened::own(server));
        if between && !lights.light(station, judgement, None) {
            return;
        }
    }
    // The attempt knows what is in the folder, and only the server what was.
    let folder = evidence::folder(provider, Some(&folder.name))
        .await
        .unwrap_or(folder);
    let judgement = checks::folder::check(&FolderEvidence {
        chosen: (folder.name.clone(), folder.id.clone()),
        found: Ok(folder.clone()),
        in_trash: false,
        ever_seen: false,
    });
    if !lights.light(Station::Folder, judgement, None) {
        return;
    }
    let until = app.context.clock.now() + AHEAD;
    let (newest, took) = timed(evidence::fetch(provider, &folder.id, until)).await;
    let judgement = checks::fetch::check(&FetchEvidence {
        newest,
        last_success_at: None,
    });
    lights.light(Station::Fetch, judgement, Some(took));
}

/// Lights everything up to the station that failed; `facts` are those of the network, `doubt` what is wrong there without
/// having stopped anything yet.
fn fail_at(
    lights: &mut Lights<'_>,
    found: (Station, Finding),
    opened: Opened<'_>,
    (mut facts, mut doubt): (Facts, Option<Finding>),
) {
    let (failed, mut finding) = found;
    finding
        .args
        .entry("host".to_owned())
        .or_insert_with(|| opened.server.host.clone());
    let mut finding = Some(finding);
    for station in Station::ALL {
        if station <= Station::Computer {
            continue;
        }
        let mut judgement = match finding.take_if(|_| station == failed) {
            Some(finding) => Judgement::failed(finding, Facts::new()),
            None => well(station, opened),
        };
        if station == Station::Network {
            judgement.facts.append(&mut facts);
            if let Some(finding) = doubt.take_if(|_| station != failed) {
                judgement = not_needed_yet(finding, judgement.facts);
            }
        }
        if !lights.light(station, judgement, None) {
            return;
        }
    }
}

/// A station that nothing stands against.
fn well(station: Station, Opened { server, shared }: Opened<'_>) -> Judgement {
    let of_tokens = matches!(
        station,
        Station::Registration | Station::Consent | Station::Token
    );
    if of_tokens && server.auth == ImapAuth::Password {
        return Judgement::not_needed(Facts::new());
    }
    let fact = match station {
        Station::Network => Some(("imap_host", format!("{}:{}", server.host, server.port))),
        Station::SignIn => {
            let login = shared.map_or(server.login.as_str(), |(_, login)| login);
            Some(("login", login.to_owned()))
        }
        Station::MailboxRight => shared.map(|(mailbox, _)| ("mailbox", mailbox.to_owned())),
        Station::Computer
        | Station::Registration
        | Station::Consent
        | Station::Token
        | Station::Mailbox
        | Station::Folder
        | Station::Fetch
        | Station::Mark
        | Station::Send
        | Station::RoundTrip => None,
    };
    let facts = fact.map(|(name, value)| (name.to_owned(), value));
    Judgement::ok(facts.into_iter().collect())
}
