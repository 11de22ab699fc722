//! The connection map: thirteen stations in a fixed order, each probed and lit, and what follows from their order
//! (a station behind a failed one is blocked).

use super::Finding;
use crate::Millis;
use crate::api::view::ScopeView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One station on the way from this computer to a delivered mail, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Station {
    /// This computer: data folder, clock.
    Computer,
    /// Name look-up, connection and TLS to the sign-in service and to the mail server.
    Network,
    /// The tenant and the app registration in it.
    Registration,
    /// Who signed in, and whether they need to do so again.
    SignIn,
    /// What the token grants: fixed by whoever may consent.
    Consent,
    /// Renewing the sign-in without a person.
    Token,
    /// The mailbox and its primary address.
    Mailbox,
    /// What Exchange allows (Full Access): fixed by the mailbox admin.
    MailboxRight,
    /// The folder that is read.
    Folder,
    /// Listing and reading a message.
    Fetch,
    /// Telling the server what was imported.
    Mark,
    /// Sending as the address.
    Send,
    /// A mail to oneself, from sending to arrival.
    RoundTrip,
}

/// How a station is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum StationState {
    /// In order.
    Ok,
    /// Works, but needs a look.
    Warning,
    /// Does not work.
    Failed,
    /// Not looked at, because an earlier station has to be mended first.
    Blocked,
    /// Not known: not looked at yet, or only an explicit proof can tell.
    Unknown,
    /// This connection does without it.
    NotNeeded,
}

/// Values that a station shows: hosts, times, counts. Shells have words for the names.
///
/// Instants are milliseconds since 1970 as decimal text, in names that end with `_at`; spans are milliseconds, in
/// names that end with `_ms`.
pub type Facts = BTreeMap<String, String>;

/// One station of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct StationView {
    /// Which one.
    pub station: Station,
    /// How it is.
    pub state: StationState,
    /// How long looking took, in milliseconds; nothing where nothing was asked.
    pub took_ms: Option<u32>,
    /// What was found, unless all is well: its card says who can mend it and how.
    pub finding: Option<Finding>,
    /// For [`StationState::Blocked`]: the station to be mended first.
    pub blocked_by: Option<Station>,
    /// Values for the details.
    pub facts: Facts,
}

/// The map of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ConnectionMap {
    /// The address.
    pub address: String,
    /// When the check began.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub at: Millis,
    /// All thirteen stations, in order.
    pub stations: Vec<StationView>,
    /// Scopes needed and granted: the lamp of consent.
    pub scopes: Vec<ScopeView>,
    /// Whether Exchange lets the account open the mailbox: the lamp of the mailbox right.
    pub full_access: StationState,
    /// Whether Exchange lets the account send as the address; proved by a test mail only.
    pub send_as: StationState,
}

/// What a check says of one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How the station is.
    pub state: StationState,
    /// What was found.
    pub finding: Option<Finding>,
    /// Values for the details.
    pub facts: Facts,
    /// Whether later stations cannot be looked at: so after every failure, and after a warning that means "not now".
    pub stops: bool,
}

impl Station {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Computer,
        Self::Network,
        Self::Registration,
        Self::SignIn,
        Self::Consent,
        Self::Token,
        Self::Mailbox,
        Self::MailboxRight,
        Self::Folder,
        Self::Fetch,
        Self::Mark,
        Self::Send,
        Self::RoundTrip,
    ];

    /// Its name in JSON and on the command line, for instance `mailbox_right`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computer => "computer",
            Self::Network => "network",
            Self::Registration => "registration",
            Self::SignIn => "sign_in",
            Self::Consent => "consent",
            Self::Token => "token",
            Self::Mailbox => "mailbox",
            Self::MailboxRight => "mailbox_right",
            Self::Folder => "folder",
            Self::Fetch => "fetch",
            Self::Mark => "mark",
            Self::Send => "send",
            Self::RoundTrip => "round_trip",
        }
    }

    /// The station of a name; hyphens count as underscores.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|station| station.name() == name)
    }
}

impl Judgement {
    /// In order.
    pub fn ok(facts: Facts) -> Self {
        Self {
            state: StationState::Ok,
            finding: None,
            facts,
            stops: false,
        }
    }

    /// Works, but needs a look.
    pub fn warning(finding: Finding, facts: Facts) -> Self {
        Self {
            state: StationState::Warning,
            finding: Some(finding),
            facts,
            stops: false,
        }
    }

    /// Nothing can be asked for the moment; it passes by itself.
    pub fn not_now(finding: Finding, facts: Facts) -> Self {
        Self {
            stops: true,
            ..Self::warning(finding, facts)
        }
    }

    /// Does not work.
    pub fn failed(finding: Finding, facts: Facts) -> Self {
        Self {
            state: StationState::Failed,
            finding: Some(finding),
            facts,
            stops: true,
        }
    }

    /// This connection does without it.
    pub fn not_needed(facts: Facts) -> Self {
        Self {
            state: StationState::NotNeeded,
            ..Self::ok(facts)
        }
    }

    /// Not known until it is proved.
    pub fn unknown(finding: Option<Finding>, facts: Facts) -> Self {
        Self {
            state: StationState::Unknown,
            finding,
            ..Self::ok(facts)
        }
    }
}

impl ConnectionMap {
    /// A map on which nothing was looked at yet.
    pub fn dark(address: &str, at: Millis, scopes: Vec<ScopeView>) -> Self {
        Self {
            address: address.to_owned(),
            at,
            stations: Station::ALL
                .into_iter()
                .map(|station| StationView {
                    station,
                    state: StationState::Unknown,
                    took_ms: None,
                    finding: None,
                    blocked_by: None,
                    facts: Facts::new(),
                })
                .collect(),
            scopes,
            full_access: StationState::Unknown,
            send_as: StationState::Unknown,
        }
    }

    /// One station.
    pub fn station(&self, station: Station) -> Option<&StationView> {
        self.stations.iter().find(|view| view.station == station)
    }

    /// The first station that failed: the one to open.
    pub fn first_failed(&self) -> Option<&StationView> {
        self.stations
            .iter()
            .find(|view| view.state == StationState::Failed)
    }

    /// Lights a station; where it stops the way, all stations behind it become blocked. Returns whether the way
    /// goes on.
    pub fn light(
        &mut self,
        station: Station,
        judgement: Judgement,
        took: Option<std::time::Duration>,
    ) -> bool {
        let goes_on = !judgement.stops;
        for view in &mut self.stations {
            if view.station == station {
                view.state = judgement.state;
                view.took_ms = took.map(|took| u32::try_from(took.as_millis()).unwrap_or(u32::MAX));
                view.finding = judgement.finding.clone();
                view.facts = judgement.facts.clone();
                view.blocked_by = None;
            } else if view.station > station && !goes_on {
                view.state = StationState::Blocked;
                view.took_ms = None;
                view.finding = None;
                view.blocked_by = Some(station);
                view.facts = Facts::new();
            } else if view.station > station && view.blocked_by == Some(station) {
                // What blocked it is mended; nobody has looked at it since.
                view.state = StationState::Unknown;
                view.blocked_by = None;
            }
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Severity;

    fn map() -> ConnectionMap {
        ConnectionMap::dark("support@contoso.example", 1, Vec::new())
    }

    fn failure() -> Judgement {
        Judgement::failed(
            Finding::plain("AADSTS65001", Severity::Failed),
            Facts::new(),
        )
    }

    #[test]
    fn a_map_always_has_all_thirteen_stations_in_order() {
        let stations: Vec<Station> = map().stations.iter().map(|view| view.station).collect();
        assert_eq!(stations, Station::ALL);
        assert!(stations.is_sorted());
    }

    #[test]
    fn names_are_those_of_the_json_and_found_again() {
        for station in Station::ALL {
            let json = serde_json::to_string(&station).unwrap();
            assert_eq!(json, format!("\"{}\"", station.name()));
            assert_eq!(Station::from_name(station.name()), Some(station));
        }
        assert_eq!(Station::from_name("Round-Trip"), Some(Station::RoundTrip));
        assert_eq!(Station::from_name("moon"), None);
    }

    #[test]
    fn stations_behind_a_failed_one_are_blocked_by_it() {
        let mut map = map();
        assert!(map.light(Station::Computer, Judgement::ok(Facts::new()), None));
        assert!(!map.light(Station::Consent, failure(), None));
        for view in &map.stations {
            let behind = view.station > Station::Consent;
            assert_eq!(
                view.state == StationState::Blocked,
                behind,
                "{:?}",
                view.station
            );
            assert_eq!(view.blocked_by, behind.then_some(Station::Consent));
        }
        assert_eq!(
            map.first_failed().map(|view| view.station),
            Some(Station::Consent)
        );
    }

    #[test]
    fn what_was_blocked_is_unknown_once_the_way_is_free() {
        let mut map = map();
        map.light(Station::Consent, failure(), None);
        map.light(Station::Consent, Judgement::ok(Facts::new()), None);
        assert!(
            map.stations
                .iter()
                .all(|view| view.state != StationState::Blocked && view.blocked_by.is_none())
        );
    }
}
