//! The map of a connection being made: what the attempt knows, on the stations it has passed.

use super::signing_in::{SignInSeen, judge_sign_in, needed};
use super::{Lights, sending, servers, timed, way};
use crate::account::Identity;
use crate::api::view::{ConnectStage, ConnectionMap, Station};
use crate::app::App;
use crate::app::attempts::{self, Plan, Proven};
use crate::app::views::{scope_views, server_scopes};
use crate::diagnosis::checks;
use crate::diagnosis::evidence::{
    self, FetchEvidence, FolderEvidence, MailboxEvidence, MarkEvidence, SendEvidence,
};
use crate::diagnosis::map::{Facts, Judgement};
use crate::diagnosis::stations::station_of;
use crate::diagnosis::{Finding, Severity};
use crate::store::handoffs::{self, HandOffRow};
use std::time::Duration;

/// The map of an attempt; nothing where there is no such attempt. This computer and the network are looked at, the
/// rest comes from the sign-in. While the browser is waited for, stations behind the network are unknown.
pub(crate) async fn check_attempt(app: &App, id: &str) -> Option<ConnectionMap> {
    let stage = app.attempts.view(id)?.stage;
    let plan = app.attempts.plan(id)?;
    let proven = app.attempts.proven(id).map(|(_, proven)| proven);
    let key = plan.address.key();
    let approval = app
        .context
        .store
        .read(move |db| handoffs::approval_of(db, &key))
        .await
        .ok()
        .flatten();
    let granted = match (&proven, &stage) {
        (Some(proven), _) => proven.tokens.current().scopes,
        (None, _) => Vec::new(),
    };
    let mut lights = Lights {
        map: ConnectionMap::dark(
            plan.address.as_str(),
            app.context.clock.now(),
            match plan.imap {
                Some(_) => server_scopes(&plan.registration, &granted),
                None => scope_views(&granted, plan.shared().is_some()),
            },
        ),
        until: Station::RoundTrip,
        address: plan.address.to_string(),
        login: proven
            .as_ref()
            .map(|proven| proven.identity.login_name.clone()),
        registration: plan.registration.clone(),
        scopes: plan.scopes(),
        remembered: None,
        tell: Box::new(|_| {}),
    };
    if let (Some((server, _)), Some(_)) = (&plan.imap, &plan.password) {
        lights.map.scopes = Vec::new();
        match (stage, attempts::mailbox_of(app, id)) {
            (ConnectStage::Failed { finding }, _) => {
                servers::failed_attempt(app, server, finding, &mut lights).await;
            }
            (_, Some((provider, folder))) => {
                servers::ready_attempt(app, server, &provider, folder, &mut lights).await;
            }
            (_, None) => {}
        }
        return Some(lights.map);
    }
    let goes_on = way(app, &mut lights, app.context.storage_trouble()).await;
    match stage {
        ConnectStage::Preparing
        | ConnectStage::WaitingForBrowser { .. }
        | ConnectStage::Checking => {}
        ConnectStage::Failed { finding } => {
            failed(app, &plan, &mut lights, goes_on, finding, approval).await;
        }
        ConnectStage::WrongAccount {
            asked,
            signed_in,
            primary_address,
        } => {
            let mut finding = Finding::plain("wrong_account", Severity::Failed);
            finding.args.insert("address".into(), asked);
            finding.args.insert("login".into(), signed_in);
            if let Some(primary) = primary_address {
                finding.args.insert("primary".into(), primary);
            }
            failed(app, &plan, &mut lights, goes_on, finding, approval).await;
        }
        ConnectStage::Ready { .. } => {
            if let (true, Some(proven)) = (goes_on, proven) {
                ready(app, &plan, proven, &mut lights).await;
            }
        }
    }
    Some(lights.map)
}

/// Lights the station that the attempt failed at. What the sign-in got past is in order.
async fn failed(
    app: &App,
    plan: &Plan,
    lights: &mut Lights<'_>,
    goes_on: bool,
    finding: Finding,
    approval: Option<HandOffRow>,
) {
    let place = station_of(&finding);
    if !goes_on && place > Station::Network {
        // What stands in the way now comes first.
        return;
    }
    for station in Station::ALL {
        if station >= place {
            break;
        }
        if station == Station::Registration {
            let http = app.context.connections.http();
            let (discovery, took) = timed(evidence::discovery(http, &plan.registration)).await;
            let judgement = checks::registration::check(&evidence::RegistrationEvidence {
                discovery,
                refusal: None,
            });
            if !lights.light(station, judgement, Some(took)) {
                return;
            }
        } else if station > Station::Network && station != Station::MailboxRight {
            lights.light(station, Judgement::ok(Facts::new()), None);
        } else if station == Station::MailboxRight {
            lights.light(station, Judgement::not_needed(Facts::new()), None);
        }
    }
    let judgement = if place == Station::Consent {
        consent(lights, finding, approval)
    } else {
        Judgement::failed(finding, Facts::new())
    };
    lights.light(place, judgement, None);
}

fn consent(lights: &Lights<'_>, finding: Finding, approval: Option<HandOffRow>) -> Judgement {
    let needed: Vec<String> = needed(&lights.map.scopes);
    let granted = match finding.args.get("scope") {
        Some(missing) if finding.code == "missing_scope" => needed
            .iter()
            .filter(|scope| !missing.split(' ').any(|missing| missing == *scope))
            .cloned()
            .collect(),
        Some(_) | None => Vec::new(),
    };
    checks::consent::check(&evidence::ConsentEvidence {
        needed,
        granted,
        refusal: Some(finding),
        asked: approval.map(|row| (row.asked_at, row.denied)),
    })
}

/// The sign-in went well and waits for the person's choices: everything is looked at, with the tokens in memory.
async fn ready(app: &App, plan: &Plan, proven: Proven, lights: &mut Lights<'_>) {
    let Proven {
        identity,
        tokens,
        folder,
        ..
    } = proven;
    let provider = attempts::trial(app, plan, &tokens);
    let http = app.context.connections.http();
    let until = app.context.clock.now() + super::AHEAD;
    let (discovery, newest) = tokio::join!(
        timed(evidence::discovery(http, &plan.registration)),
        timed(evidence::fetch(&provider, &folder.id, until))
    );
    let (discovery, discovery_took) = discovery;
    let tokens = tokens.current();
    let goes_on = judge_sign_in(
        lights,
        SignInSeen {
            discovery,
            discovery_took,
            identity: Some(identity.clone()),
            granted: tokens.scopes,
            refusal: None,
            asked: None,
            renewal: Ok(Some(tokens.expires_at)),
            unauthorized: None,
            token_took: Duration::ZERO,
        },
    );
    if goes_on {
        mailbox(plan, identity, folder, newest, lights);
    }
}

type Newest = (
    Result<Option<(crate::Millis, usize)>, crate::provider::ProviderError>,
    Duration,
);

fn mailbox(
    plan: &Plan,
    identity: Identity,
    folder: crate::provider::Folder,
    (newest, took): Newest,
    lights: &mut Lights<'_>,
) {
    let seen = MailboxEvidence {
        address: plan.address.to_string(),
        shared: plan.shared().map(ToString::to_string),
        // A shared mailbox has another owner than the person who signed in.
        identity: plan.shared().is_none().then_some(Ok(identity)),
        inbox: Some(Ok(folder.clone())),
        wait: None,
    };
    let steps = [
        (Station::Mailbox, checks::mailbox::check(&seen)),
        (Station::MailboxRight, checks::mailbox_right::check(&seen)),
        (
            Station::Folder,
            checks::folder::check(&FolderEvidence {
                chosen: (folder.name.clone(), folder.id.clone()),
                found: Ok(folder),
                in_trash: false,
                ever_seen: false,
            }),
        ),
    ];
    for (station, judgement) in steps {
        if !lights.light(station, judgement, None) {
            return;
        }
    }
    let judgement = checks::fetch::check(&FetchEvidence {
        newest,
        last_success_at: None,
    });
    if !lights.light(Station::Fetch, judgement, Some(took)) {
        return;
    }
    let judgement = checks::mark::check(&MarkEvidence::default());
    if lights.light(Station::Mark, judgement, None) {
        sending(
            lights,
            plan.shared().is_some(),
            &SendEvidence::default(),
            None,
        );
    }
}
