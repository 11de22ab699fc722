//! `check`: the connection map in a terminal, the same findings in the same order as in the window.

use super::connect;
use crate::args::{CheckArguments, Common};
use crate::{Failure, print, session};
use mailroom_core::api::view::{ConnectChoices, ConnectionMap, Station, StationState, StationView};
use mailroom_core::api::{self, ForwardingCheck};
use mailroom_core::diagnosis::catalogue::Language;
use mailroom_core::diagnosis::explain;

/// Checks an address. Fails when a station failed.
pub(crate) async fn run(common: &Common, options: CheckArguments) -> Result<(), Failure> {
    if options.forwarding {
        return forwarding(common, &options).await;
    }
    let app = session::open(common, false).await?;
    let id = api::find_address(&app, &options.address).await?;
    let map = if options.prove_sending {
        api::prove_sending(&app, id).await?
    } else {
        api::check_address(&app, id, options.station).await?
    };
    session::close(&app).await;
    if common.json {
        print::json(&map);
    } else {
        show(&map, &session::language(common));
    }
    if map.first_failed().is_some() {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

/// Looks for inbox rules that send mail on. Fails when there are some.
async fn forwarding(common: &Common, options: &CheckArguments) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let id = api::find_address(&app, &options.address).await?;
    let mut check = api::look_for_forwarding(&app, id).await?;
    if let ForwardingCheck::NeedsConsent { scope } = &check {
        print::note(&format!("The permission {scope} is needed for this."));
        let privately = options.private_window;
        let language = session::language(common);
        let attempt = api::ask_for_forwarding(&app, id, privately, &language).await?;
        let brand = api::address_details(&app, id).await?.address.brand;
        let choices = ConnectChoices {
            brand,
            import_newest: None,
            folder: None,
        };
        connect::follow(&app, common, attempt, choices).await?;
        check = api::look_for_forwarding(&app, id).await?;
    }
    session::close(&app).await;
    if common.json {
        print::json(&check);
    }
    let ForwardingCheck::Looked { findings, .. } = check else {
        return Err(Failure::Findings);
    };
    if !common.json {
        if findings.is_empty() {
            print::line(&format!(
                "{}: no inbox rule sends mail on.",
                options.address
            ));
            print::line("Forwarding that an admin has set on the mailbox itself is not seen here.");
        }
        for finding in &findings {
            print::finding(finding, &session::language(common));
        }
    }
    match findings.is_empty() {
        true => Ok(()),
        false => Err(Failure::Findings),
    }
}

fn show(map: &ConnectionMap, language: &str) {
    print::line(&map.address);
    for view in &map.stations {
        print::line(&row(view, language));
    }
    let missing: Vec<&str> = map
        .scopes
        .iter()
        .filter(|scope| scope.needed && !scope.granted)
        .map(|scope| scope.name.as_str())
        .collect();
    if !missing.is_empty() {
        print::line(&format!("missing permissions: {}", missing.join(" ")));
    }
    if let Some(finding) = map.first_failed().and_then(|view| view.finding.as_ref()) {
        print::line("");
        print::finding(finding, language);
    }
}

/// One station: symbol, name, word, time, and what was found in a few words.
fn row(view: &StationView, language: &str) -> String {
    let (symbol, word) = state(view.state);
    let took = view
        .took_ms
        .map_or(String::new(), |took| format!("{took} ms"));
    let note = match (&view.finding, view.blocked_by) {
        (_, Some(station)) => format!("first: {}", name(station)),
        (Some(finding), None) => {
            let card = explain::card_of(finding, Language::from_tag(language));
            format!("{} [{}]", card.title, finding.code)
        }
        (None, None) => fact(view),
    };
    let line = format!(
        "{symbol} {:<22} {word:<10} {took:>8}  {note}",
        name(view.station)
    );
    print::plain(line.trim_end())
}

/// The one value that says most about a station that is well.
fn fact(view: &StationView) -> String {
    let fact = |name: &str| view.facts.get(name).cloned().unwrap_or_default();
    match view.station {
        Station::Network => {
            let mut hosts = ["authority_host", "graph_host", "imap_host"]
                .map(fact)
                .to_vec();
            hosts.retain(|host| !host.is_empty());
            hosts.join(", ")
        }
        Station::SignIn => fact("login"),
        Station::Consent => format!("{} of {} permissions", fact("granted"), fact("needed")),
        Station::Mailbox => fact("primary"),
        Station::Folder => format!("{}: {} messages", fact("folder"), fact("messages")),
        Station::Mark => format!("{} waiting", fact("pending")),
        Station::RoundTrip => match view.facts.get("round_trip_ms") {
            Some(took) => format!("there and back in {took} ms"),
            None => String::new(),
        },
        Station::Computer
        | Station::Registration
        | Station::Token
        | Station::MailboxRight
        | Station::Fetch => String::new(),
        Station::Send => fact("smtp_host"),
    }
}

fn state(state: StationState) -> (&'static str, &'static str) {
    match state {
        StationState::Ok => ("✓", "ok"),
        StationState::Warning => ("!", "warning"),
        StationState::Failed => ("✗", "failed"),
        StationState::Blocked => ("-", "blocked"),
        StationState::Unknown => ("?", "unknown"),
        StationState::NotNeeded => ("○", "not needed"),
    }
}

fn name(station: Station) -> &'static str {
    match station {
        Station::Computer => "this computer",
        Station::Network => "network and TLS",
        Station::Registration => "app registration",
        Station::SignIn => "sign-in",
        Station::Consent => "consent",
        Station::Token => "token",
        Station::Mailbox => "mailbox",
        Station::MailboxRight => "mailbox right",
        Station::Folder => "folder",
        Station::Fetch => "fetch",
        Station::Mark => "mark",
        Station::Send => "send",
        Station::RoundTrip => "round trip",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailroom_core::diagnosis::map::Judgement;
    use mailroom_core::diagnosis::{Finding, Severity};

    #[test]
    fn every_station_has_a_symbol_and_a_word_in_the_order_of_the_map() {
        let mut map = ConnectionMap::dark("support@contoso.example", 1, Vec::new());
        let facts = [(
            "authority_host".to_owned(),
            "login.contoso.example\u{1b}[2J".to_owned(),
        )];
        map.light(Station::Network, Judgement::ok(facts.into()), None);
        let finding = Finding::plain("AADSTS65001", Severity::Failed);
        let took = Some(std::time::Duration::from_millis(12));
        map.light(
            Station::Consent,
            Judgement::failed(finding, Default::default()),
            took,
        );
        let rows: Vec<String> = map.stations.iter().map(|view| row(view, "de")).collect();
        assert_eq!(rows.len(), 13);
        assert!(
            rows[1].starts_with("\u{2713} network and TLS        ok"),
            "{}",
            rows[1]
        );
        assert!(!rows[1].contains('\u{1b}'));
        assert!(
            rows[4].contains("failed") && rows[4].contains("12 ms"),
            "{}",
            rows[4]
        );
        assert!(
            rows[4].contains("noch nicht genehmigt [AADSTS65001]"),
            "{}",
            rows[4]
        );
        assert!(rows[12].contains("blocked") && rows[12].ends_with("first: consent"));
    }
}
