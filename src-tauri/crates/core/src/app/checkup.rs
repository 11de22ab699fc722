//! Checks of a connection: probes in the order of the stations, a map that lights up as they come back.

mod attempt;
mod folder;
mod proof;
mod servers;
mod signing_in;

pub(crate) use attempt::check_attempt;
pub(crate) use proof::prove_sending;

use super::App;
use super::views::scopes_of;
use crate::Millis;
use crate::account::Registration;
use crate::api::view::{ConnectionMap, Notice, Station, StationState};
use crate::diagnosis::checks;
use crate::diagnosis::evidence::{
    self, ComputerEvidence, FetchEvidence, MailboxEvidence, MarkEvidence, NetworkEvidence,
    SendEvidence, SendingWay, SentPlace,
};
use crate::diagnosis::handoff::HandOffKind;
use crate::diagnosis::map::Judgement;
use crate::diagnosis::stations::station_of_code;
use crate::diagnosis::{Finding, Severity};
use crate::provider::outbound::{Copies, Outbound, SentCopy};
use crate::provider::smtp::SmtpSender;
use crate::provider::{Folder, Provider};
use crate::store::accounts::{self, AccountRow};
use crate::store::addresses::{self, AddressRow};
use crate::store::handoffs::{self, HandOffRow};
use crate::store::own_tests::{self, OwnTest};
use crate::store::{StoreError, events, ledger, marks};
use signing_in::{Reached, sign_in};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The clock of a server may be ahead: messages up to this much in the future are listed.
const AHEAD: Millis = 60 * 60 * 1000;

/// The last map of each address, while the program runs.
#[derive(Default)]
pub(crate) struct Maps(Mutex<BTreeMap<i64, ConnectionMap>>);

impl Maps {
    fn last(&self, id: i64) -> Option<ConnectionMap> {
        let maps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        maps.get(&id).cloned()
    }

    fn keep(&self, id: i64, map: &ConnectionMap) {
        let mut maps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        maps.insert(id, map.clone());
    }
}

/// What the database knows of an address.
struct Known {
    row: AddressRow,
    account: AccountRow,
    approval: Option<HandOffRow>,
    handoffs: Vec<HandOffRow>,
    ever_seen: bool,
    marks: MarkEvidence,
    test: Option<OwnTest>,
}

async fn known(app: &App, id: i64) -> Result<Option<Known>, StoreError> {
    app.context
        .store
        .read(move |db| {
            let Some(row) = addresses::get(db, id)? else {
                return Ok(None);
            };
            let Some(account) = accounts::get(db, row.account_id)? else {
                return Ok(None);
            };
            Ok(Some(Known {
                approval: handoffs::approval_of(db, &row.address_key)?,
                handoffs: handoffs::of_address(db, &row.address_key)?,
                ever_seen: ledger::any_of_folder(db, id)?,
                marks: MarkEvidence {
                    pending: marks::pending(db, id)?,
                    attempts: marks::most_attempts(db, id)?,
                    last_refusal: events::last_of(db, id, events::EventKind::MarkFailed)?
                        .and_then(|event| Some((event.args.get("code")?.clone(), event.at))),
                },
                test: own_tests::latest(db, id)?,
                row,
                account,
            }))
        })
        .await
}

/// A map that is being lit, and what its findings are about.
struct Lights<'a> {
    map: ConnectionMap,
    until: Station,
    address: String,
    login: Option<String>,
    registration: Registration,
    /// Scopes that a sign-in asks for.
    scopes: Vec<String>,
    /// When the sign-in service said what is repeated from memory, if it is.
    remembered: Option<Millis>,
    tell: Box<dyn Fn(&ConnectionMap) + Send + Sync + 'a>,
}

impl Lights<'_> {
    /// Lights a station and tells; says whether to go on with the next one.
    fn light(
        &mut self,
        station: Station,
        mut judgement: Judgement,
        took: Option<Duration>,
    ) -> bool {
        judgement.finding = judgement.finding.map(|finding| {
            finding.asking(&self.scopes).about(
                &self.address,
                self.login.as_deref(),
                &self.registration,
            )
        });
        if let Some(asked_at) = self.remembered
            && judgement.state == StationState::Failed
        {
            let again_at = asked_at + crate::oauth::tokens::MEMORY;
            for (name, at) in [("asked_at", asked_at), ("asked_again_at", again_at)] {
                judgement.facts.insert(name.to_owned(), at.to_string());
            }
        }
        let goes_on = self.map.light(station, judgement, took);
        if station == Station::MailboxRight {
            self.map.full_access = self
                .map
                .station(station)
                .map_or(StationState::Unknown, |view| view.state);
        }
        (self.tell)(&self.map);
        goes_on && station < self.until
    }
}

/// Checks a connected address, station by station; `only` ends behind that station, which is looked at together with
/// all that it depends on. Nothing where there is no such address.
///
/// # Errors
/// [`StoreError`]: without the database nothing is known of the address.
pub(crate) async fn check_address(
    app: &App,
    id: i64,
    only: Option<Station>,
) -> Result<Option<ConnectionMap>, StoreError> {
    let Some(known) = known(app, id).await? else {
        return Ok(None);
    };
    let now = app.context.clock.now();
    let scopes = scopes_of(&known.row, &known.account);
    let mut map = only
        .and_then(|_| app.maps.last(id))
        .unwrap_or_else(|| ConnectionMap::dark(&known.row.address, now, scopes));
    map.at = now;
    let mut lights = Lights {
        map,
        until: only.unwrap_or(Station::RoundTrip),
        address: known.row.address.clone(),
        login: Some(known.account.identity.login_name.clone()),
        registration: known.account.registration.clone(),
        scopes: match known.row.server {
            Some(_) => crate::oauth::mail_scopes(&known.account.registration),
            None => crate::oauth::scopes(known.row.mailbox.is_some()),
        },
        remembered: None,
        tell: Box::new(move |map| {
            app.maps.keep(id, map);
            app.announce(Notice::Check {
                id,
                map: Box::new(map.clone()),
            });
        }),
    };
    pass(app, &known, &mut lights).await;
    settle(app, &known, &lights.map).await?;
    Ok(Some(lights.map))
}

async fn pass(app: &App, known: &Known, lights: &mut Lights<'_>) {
    if let Some(server) = &known.row.server {
        return servers::pass(app, known, server, lights).await;
    }
    let provider = app
        .context
        .connections
        .provider(&known.row, &known.account)
        .await;
    let trouble = match &provider {
        Err(missing) => Some(Finding::plain(missing.code(), Severity::Failed)),
        Ok(_) => app.context.storage_trouble(),
    };
    if !way(app, lights, trouble).await {
        return;
    }
    let Ok(provider) = provider else { return };
    let Some(reached) = sign_in(app, known, &provider, lights).await else {
        return;
    };
    mailbox(app, known, &provider, reached, lights).await;
}

/// This computer and the network.
async fn way(app: &App, lights: &mut Lights<'_>, trouble: Option<Finding>) -> bool {
    let registration = lights.registration.clone();
    let http = app.context.connections.http();
    let clock = &app.context.clock;
    let begun = Instant::now();
    let disk = async {
        let folder = evidence::data_folder(&app.data_dir).await;
        (folder, begun.elapsed())
    };
    let (authority, graph) = (&registration.authority, &registration.graph_url);
    let hosts = evidence::look_at_hosts(http, authority, graph, || clock.now());
    let ((data_folder, disk_took), (authority, graph)) = tokio::join!(disk, hosts);
    let network_took = begun.elapsed();
    let skews = [&authority, &graph].map(|host| host.http.as_ref()?.as_ref().ok()?.skew_ms);
    let computer = ComputerEvidence {
        data_folder,
        trouble,
        skew_ms: skews.into_iter().flatten().max_by_key(|ms| ms.abs()),
    };
    let judgement = checks::computer::check(&computer);
    if !lights.light(Station::Computer, judgement, Some(disk_took)) {
        return false;
    }
    let judgement = checks::network::check(&NetworkEvidence { authority, graph });
    lights.light(Station::Network, judgement, Some(network_took))
}

/// From the mailbox to the round trip.
async fn mailbox(
    app: &App,
    known: &Known,
    provider: &Provider,
    reached: Reached,
    lights: &mut Lights<'_>,
) {
    let row = &known.row;
    let inbox = match (&reached.inbox, &row.folder_path) {
        (Some(Ok(inbox)), None) => Some(inbox.clone()),
        _ => None,
    };
    let seen = MailboxEvidence {
        address: row.address.clone(),
        shared: row.mailbox.clone(),
        identity: reached.identity,
        inbox: reached.inbox,
        wait: reached.wait,
    };
    let judgement = checks::mailbox::check(&seen);
    if !lights.light(Station::Mailbox, judgement, Some(reached.took)) {
        return;
    }
    let judgement = checks::mailbox_right::check(&seen);
    if !lights.light(Station::MailboxRight, judgement, None) {
        return;
    }
    Box::pin(reading(app, known, provider, inbox, lights)).await;
}

/// From the folder to the round trip; `inbox` is the folder where it was looked at already.
async fn reading(
    app: &App,
    known: &Known,
    provider: &Provider,
    inbox: Option<Folder>,
    lights: &mut Lights<'_>,
) {
    let row = &known.row;
    let (seen, took) = match inbox {
        Some(inbox) => (folder::unchanged(known, inbox), None),
        None => {
            let (seen, took) = timed(folder::look(app, known, provider)).await;
            (seen, Some(took))
        }
    };
    let judgement = checks::folder::check(&seen);
    if !lights.light(Station::Folder, judgement, took) {
        return;
    }
    let until = app.context.clock.now() + AHEAD;
    let (newest, took) = timed(evidence::fetch(provider, &row.folder_id, until)).await;
    let judgement = checks::fetch::check(&FetchEvidence {
        newest,
        last_success_at: row.last_success_at,
    });
    if !lights.light(Station::Fetch, judgement, Some(took)) {
        return;
    }
    let judgement = checks::mark::check(&known.marks);
    if !lights.light(Station::Mark, judgement, None) {
        return;
    }
    let (seen, took) = timed(Box::pin(send_evidence(app, known))).await;
    let took = matches!(seen.way, SendingWay::Server(..)).then_some(took);
    sending(lights, row.mailbox.is_some(), &seen, took);
}

/// What is known about sending. An SMTP server is asked whether it would take mail; none is sent.
async fn send_evidence(app: &App, known: &Known) -> SendEvidence {
    let connections = &app.context.connections;
    let row = &known.row;
    let (way, copies) = match Box::pin(connections.outbound(row, &known.account)).await {
        Ok(Some(Outbound::Smtp(sender))) => {
            let host = row.outbound.as_ref();
            let host = host.map_or_else(String::new, |at| format!("{}:{}", at.host, at.port));
            let (asked, copies) = tokio::join!(
                Box::pin(evidence::within(sender.verify())),
                Box::pin(sent_place(row, &sender))
            );
            (SendingWay::Server(host, Box::new(asked)), copies)
        }
        Ok(Some(Outbound::Graph(_))) => (SendingWay::Provider, sent_items(row)),
        Err(_) => (SendingWay::Provider, SentPlace::Unknown),
        Ok(None) => (SendingWay::None, SentPlace::Unknown),
    };
    SendEvidence {
        test: known.test.clone(),
        way,
        folder: known.row.folder_name.clone(),
        copies,
    }
}

/// Where an SMTP server's mail is filed.
async fn sent_place(row: &AddressRow, sender: &SmtpSender) -> SentPlace {
    let found = match sender.copies() {
        Copies::Nobody => SentCopy::Nowhere,
        Copies::Server => SentCopy::Server,
        Copies::Folder(mailbox) => match evidence::within(mailbox.sent_folder()).await {
            Ok(Some(folder)) => SentCopy::Folder(folder),
            Ok(None) => SentCopy::Nowhere,
            Err(error) => SentCopy::Failed(error),
        },
    };
    place_of(row, found)
}

/// Graph files in the mailbox that is named in the request (Microsoft Graph, "Send Outlook messages from another user",
/// "Sent Items behavior").
fn sent_items(row: &AddressRow) -> SentPlace {
    SentPlace::SentItems(row.mailbox.clone().unwrap_or_else(|| row.address.clone()))
}

/// Where the copy of a message lies, named.
fn place_of(row: &AddressRow, copy: SentCopy) -> SentPlace {
    match (copy, &row.outbound) {
        (SentCopy::Server, Some(server)) => SentPlace::Server(server.login.clone()),
        (SentCopy::Server, None) => sent_items(row),
        (SentCopy::Folder(folder), _) => SentPlace::Folder(folder),
        (SentCopy::Nowhere, _) => SentPlace::Nowhere,
        (SentCopy::Failed(_), _) => SentPlace::Failed,
    }
}

/// Sending and the round trip, by the latest test mail.
fn sending(lights: &mut Lights<'_>, shared: bool, seen: &SendEvidence, took: Option<Duration>) {
    let judgement = checks::send::check(seen);
    let is_unproven = judgement.state == StationState::Unknown;
    lights.map.send_as = if is_unproven && !shared {
        StationState::NotNeeded
    } else {
        judgement.state
    };
    if lights.light(Station::Send, judgement, took) {
        let judgement = checks::round_trip::check(seen);
        lights.light(Station::RoundTrip, judgement, None);
    }
}

/// What a check that went well ends: waiting for somebody else's fix, and a pause after a failure.
async fn settle(app: &App, known: &Known, map: &ConnectionMap) -> Result<(), StoreError> {
    let is_ok = |station| {
        map.station(station)
            .is_some_and(|view| view.state == StationState::Ok)
    };
    let done: Vec<HandOffRow> = known
        .handoffs
        .iter()
        .filter(|row| match row.kind {
            HandOffKind::Approval => is_ok(Station::Consent) && is_ok(Station::Token),
            HandOffKind::Mailbox | HandOffKind::Tenant | HandOffKind::Registration => {
                is_ok(station_of_code(&row.code))
            }
        })
        .cloned()
        .collect();
    let mended = known.row.cause.is_some() && map.first_failed().is_none() && is_ok(Station::Fetch);
    if done.is_empty() && !mended {
        return Ok(());
    }
    let id = known.row.id;
    app.context
        .store
        .write(move |tx| {
            for handoff in done {
                if handoffs::is_granted(tx, &handoff)? {
                    handoffs::remove(tx, handoff.id)?;
                }
            }
            if mended {
                addresses::request_wake(tx, id)?;
            }
            Ok(())
        })
        .await?;
    app.context.nudge.notify_one();
    Ok(())
}

/// What the last map of an address found under `code`.
pub(crate) fn found(app: &App, id: i64, code: &str) -> Option<Finding> {
    let map = app.maps.last(id)?;
    map.stations
        .into_iter()
        .filter_map(|view| view.finding)
        .find(|finding| finding.code == code)
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}
