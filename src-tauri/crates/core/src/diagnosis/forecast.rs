//! What will end, and when, if nobody does anything: worked out from what is known, without asking a server. Certificates
//! of mail servers are known from the last session with each of them, secrets of an app registration from its manifest.
//!
//! Dates of Microsoft's retirements: Message Center posts MC1227454 (EWS in Exchange Online), MC1191578 (EWS for kiosk
//! licences) and MC786329 (passwords for SMTP). Times of refresh tokens: Microsoft identity platform, "Refresh tokens".

use super::Severity;
use super::registration::Expiry;
use crate::Millis;
use crate::store::addresses::ProviderKind;
use crate::store::events::{EventKind, EventView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// A refresh token that is not used for so long ends (default; each use gives a new one).
const IDLE: Millis = 90 * DAY;

/// So long before the end a warning is due.
const SOON: Millis = 14 * DAY;

/// A server's certificate is told of so long before its end: most are renewed by themselves about then.
const EARLY: Millis = 30 * DAY;

/// Sign-ins ended by a sign-in frequency policy.
const FREQUENCY_CODE: &str = "AADSTS70043";

/// Something that will end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ForecastItem {
    /// Key into the catalogue, for instance `forecast_idle`.
    pub code: String,
    /// When it ends.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub at: Millis,
    /// `ok`: far off or renewed by itself; `warning`: soon, or a decision is due; `failed`: the instant has passed.
    pub severity: Severity,
    /// Values for the catalogue's placeholders, and `days` that are left (negative when past).
    pub args: BTreeMap<String, String>,
}

/// A certificate that a mail server has shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerCertificate {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who signed the certificate; empty where that has no name.
    pub issuer: String,
    /// When it ends.
    pub ends_at: Millis,
}

/// What a forecast is made from.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The address.
    pub address: &'a str,
    /// How it is reached.
    pub provider: ProviderKind,
    /// Whether its mailbox is in Microsoft's cloud, where retirements apply.
    pub online: bool,
    /// Whether somebody signs in to Microsoft: a password does not end by itself, and other services have other times.
    pub signs_in: bool,
    /// When the sign-in was last made or used: every poll uses it.
    pub used_at: Millis,
    /// Whether polls go on: then the sign-in is renewed by itself.
    pub polls: bool,
    /// Its timeline, newest first.
    pub events: &'a [EventView],
    /// What its mail servers showed.
    pub certificates: &'a [ServerCertificate],
    /// Secrets and certificates of its app registration, where somebody has had the manifest checked.
    pub expiries: &'a [Expiry],
    /// Now.
    pub now: Millis,
}

/// A retirement: the catalogue's code, the day, and the provider that it touches.
struct Retirement {
    code: &'static str,
    date: jiff::civil::Date,
    provider: ProviderKind,
    /// Whether mail stops then. Otherwise it is said for those who plan.
    stops_mail: bool,
}

const RETIREMENTS: [Retirement; 3] = [
    Retirement {
        code: "forecast_ews_blocked",
        date: jiff::civil::date(2026, 10, 1),
        provider: ProviderKind::Ews,
        stops_mail: true,
    },
    Retirement {
        code: "forecast_ews_gone",
        date: jiff::civil::date(2027, 4, 1),
        provider: ProviderKind::Ews,
        stops_mail: true,
    },
    Retirement {
        code: "forecast_smtp_password",
        date: jiff::civil::date(2026, 12, 31),
        provider: ProviderKind::Imap,
        // Mailroom signs in to SMTP with OAuth; other programs on the same mailbox may not.
        stops_mail: false,
    },
];

/// What will end for one address, soonest first.
pub fn forecast(facts: &Facts<'_>) -> Vec<ForecastItem> {
    let mut items = Vec::new();
    if facts.signs_in {
        items.push(idle(facts));
        items.extend(frequency(facts));
        items.extend(registration(facts));
    }
    items.extend(certificates(facts));
    if facts.online {
        items.extend(
            RETIREMENTS
                .iter()
                .filter(|retirement| retirement.provider == facts.provider)
                .filter_map(|retirement| retire(facts, retirement)),
        );
    }
    items.sort_by_key(|item| item.at);
    items
}

fn item(facts: &Facts<'_>, code: &str, at: Millis, severity: Severity) -> ForecastItem {
    let days = (at - facts.now).div_euclid(DAY).to_string();
    ForecastItem {
        code: code.to_owned(),
        at,
        severity,
        args: [
            ("address".to_owned(), facts.address.to_owned()),
            ("days".to_owned(), days),
        ]
        .into(),
    }
}

fn nearness(facts: &Facts<'_>, at: Millis) -> Severity {
    match at - facts.now {
        left if left <= 0 => Severity::Failed,
        left if left <= SOON => Severity::Warning,
        _ => Severity::Ok,
    }
}

/// The sign-in ends when it is not used. While polls go on this only moves ahead.
fn idle(facts: &Facts<'_>) -> ForecastItem {
    let at = facts.used_at + IDLE;
    let code = if facts.polls {
        "forecast_renewed"
    } else {
        "forecast_idle"
    };
    item(facts, code, at, nearness(facts, at))
}

/// When the organisation will want the next sign-in, judged by how long earlier ones lasted.
fn frequency(facts: &Facts<'_>) -> Option<ForecastItem> {
    let signed_in =
        |event: &&EventView| matches!(event.kind, EventKind::Connected | EventKind::Reconnected);
    let mut shortest: Option<Millis> = None;
    for (place, event) in facts.events.iter().enumerate() {
        let ended = event.kind == EventKind::PollFailed
            && event
                .args
                .get("code")
                .is_some_and(|code| code == FREQUENCY_CODE);
        let before = facts.events.get(place + 1..).unwrap_or_default();
        if ended && let Some(begun) = before.iter().find(signed_in) {
            let lasted = event.at - begun.at;
            if lasted > 0 && shortest.is_none_or(|shortest| lasted < shortest) {
                shortest = Some(lasted);
            }
        }
    }
    let shortest = shortest?;
    let at = facts.events.iter().find(signed_in)?.at + shortest;
    let severity = nearness(facts, at).max(Severity::Warning);
    Some(item(facts, "forecast_sign_in_frequency", at, severity))
}

/// Servers whose certificates end soon. One server with one certificate on several ports is said once.
fn certificates(facts: &Facts<'_>) -> Vec<ForecastItem> {
    let mut soon: Vec<(&ServerCertificate, Vec<String>)> = Vec::new();
    for one in facts.certificates {
        if one.ends_at - facts.now > EARLY {
            continue;
        }
        let is_same = |other: &ServerCertificate| {
            other.host.eq_ignore_ascii_case(&one.host)
                && (&other.issuer, other.ends_at) == (&one.issuer, one.ends_at)
        };
        match soon.iter_mut().find(|(other, _)| is_same(other)) {
            Some((_, ports)) => ports.push(one.port.to_string()),
            None => soon.push((one, vec![one.port.to_string()])),
        }
    }
    let draw = |(one, ports): (&ServerCertificate, Vec<String>)| {
        let severity = nearness(facts, one.ends_at);
        let mut item = item(facts, "forecast_certificate", one.ends_at, severity);
        let host = format!("{}:{}", one.host, ports.join(", "));
        item.args.insert("host".to_owned(), host);
        item.args.insert("issuer".to_owned(), one.issuer.clone());
        item
    };
    soon.into_iter().map(draw).collect()
}

/// Secrets and certificates of the app registration that are still to end. Mailroom needs none of them; other programs
/// may.
fn registration(facts: &Facts<'_>) -> Vec<ForecastItem> {
    let ahead = facts.expiries.iter().filter(|one| one.ends_at > facts.now);
    let draw = |one: &Expiry| {
        let code = match one.certificate {
            true => "forecast_app_certificate",
            false => "forecast_app_secret",
        };
        let mut item = item(facts, code, one.ends_at, Severity::Ok);
        item.args.insert("what".to_owned(), one.name.clone());
        item
    };
    ahead.map(draw).collect()
}

fn retire(facts: &Facts<'_>, retirement: &Retirement) -> Option<ForecastItem> {
    let day = retirement.date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let at = day.timestamp().as_millisecond();
    let severity = match (retirement.stops_mail, facts.now < at) {
        (false, _) => Severity::Ok,
        (true, true) => Severity::Warning,
        (true, false) => Severity::Failed,
    };
    Some(item(facts, retirement.code, at, severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_790_000_000_000; // 2026-09-21

    fn facts(events: &[EventView]) -> Facts<'_> {
        Facts {
            address: "support@contoso.example",
            provider: ProviderKind::Graph,
            online: true,
            signs_in: true,
            used_at: NOW,
            polls: true,
            events,
            certificates: &[],
            expiries: &[],
            now: NOW,
        }
    }

    fn event(days_ago: i64, kind: EventKind, code: &str) -> EventView {
        EventView {
            at: NOW - days_ago * DAY,
            kind,
            args: [("code".to_owned(), code.to_owned())].into(),
        }
    }

    fn seen(facts: &Facts<'_>) -> Vec<(String, i64, Severity)> {
        forecast(facts)
            .into_iter()
            .map(|item| (item.code, (item.at - NOW).div_euclid(DAY), item.severity))
            .collect()
    }

    #[test]
    fn a_sign_in_that_is_used_is_renewed_and_one_that_rests_ends_after_ninety_days() {
        assert_eq!(
            seen(&facts(&[])),
            [("forecast_renewed".to_owned(), 90, Severity::Ok)]
        );
        for (idle, left, severity) in [
            (10, 80, Severity::Ok),
            (80, 10, Severity::Warning),
            (100, -10, Severity::Failed),
        ] {
            let facts = Facts {
                used_at: NOW - idle * DAY,
                polls: false,
                ..facts(&[])
            };
            assert_eq!(seen(&facts), [("forecast_idle".to_owned(), left, severity)]);
            assert_eq!(forecast(&facts)[0].args["days"], left.to_string());
        }
    }

    #[test]
    fn a_sign_in_frequency_seen_before_tells_the_next_one() {
        let events = [
            event(2, EventKind::Reconnected, ""),
            event(3, EventKind::PollFailed, "AADSTS70043"),
            event(5, EventKind::PollFailed, "offline"),
            event(10, EventKind::Reconnected, ""),
            event(11, EventKind::PollFailed, "AADSTS70043"),
            event(31, EventKind::Connected, ""),
        ];
        assert_eq!(
            seen(&facts(&events))[0],
            (
                "forecast_sign_in_frequency".to_owned(),
                5,
                Severity::Warning
            )
        );
        let once = [
            event(3, EventKind::PollFailed, "offline"),
            event(9, EventKind::Connected, ""),
        ];
        assert_eq!(seen(&facts(&once)).len(), 1);
    }

    #[test]
    fn retirements_touch_their_provider_in_the_cloud_only() {
        let ews = Facts {
            provider: ProviderKind::Ews,
            ..facts(&[])
        };
        let codes: Vec<_> = seen(&ews)
            .into_iter()
            .map(|(code, _, severity)| (code, severity))
            .collect();
        assert_eq!(
            codes,
            [
                ("forecast_ews_blocked".to_owned(), Severity::Warning),
                ("forecast_renewed".to_owned(), Severity::Ok),
                ("forecast_ews_gone".to_owned(), Severity::Warning),
            ]
        );
        let late = Facts {
            now: NOW + 300 * DAY,
            ..ews.clone()
        };
        assert!(
            forecast(&late)
                .iter()
                .all(|item| item.severity == Severity::Failed)
        );
        let at_home = Facts {
            online: false,
            ..ews
        };
        assert_eq!(seen(&at_home).len(), 1);
        let imap = Facts {
            provider: ProviderKind::Imap,
            ..facts(&[])
        };
        assert!(seen(&imap).contains(&("forecast_smtp_password".to_owned(), 100, Severity::Ok)));
    }

    fn shown(host: &str, port: u16, days: i64) -> ServerCertificate {
        ServerCertificate {
            host: host.to_owned(),
            port,
            issuer: "R11 (Contoso)".to_owned(),
            ends_at: NOW + days * DAY,
        }
    }

    #[test]
    fn a_servers_certificate_is_told_of_for_thirty_days_and_for_all_its_ports_at_once() {
        let password = Facts {
            signs_in: false,
            online: false,
            ..facts(&[])
        };
        for (days, expected) in [
            (31, None),
            (30, Some(Severity::Ok)),
            (15, Some(Severity::Ok)),
            (14, Some(Severity::Warning)),
            (0, Some(Severity::Failed)),
            (-3, Some(Severity::Failed)),
        ] {
            let certificates = [shown("mail.contoso.example", 993, days)];
            let facts = Facts {
                certificates: &certificates,
                ..password.clone()
            };
            let severities: Vec<Severity> =
                forecast(&facts).iter().map(|item| item.severity).collect();
            assert_eq!(severities, Vec::from_iter(expected), "{days}");
        }
        let certificates = [
            shown("mail.contoso.example", 993, 10),
            shown("Mail.contoso.example", 587, 10),
            shown("relay.contoso.example", 587, 9),
            shown("mail.contoso.example", 465, 11),
        ];
        let facts = Facts {
            certificates: &certificates,
            ..password
        };
        let hosts: Vec<String> = forecast(&facts)
            .iter()
            .map(|item| item.args["host"].clone())
            .collect();
        assert_eq!(
            hosts,
            [
                "relay.contoso.example:587",
                "mail.contoso.example:993, 587",
                "mail.contoso.example:465"
            ]
        );
        assert_eq!(forecast(&facts)[0].args["issuer"], "R11 (Contoso)");
    }

    #[test]
    fn what_a_registration_holds_is_told_of_until_it_has_ended() {
        let expiry = |certificate, name: &str, days: i64| Expiry {
            certificate,
            name: name.to_owned(),
            ends_at: NOW + days * DAY,
        };
        let expiries = [
            expiry(false, "old", -1),
            expiry(false, "ticket system", 40),
            expiry(true, "scanner", 100),
        ];
        let facts = Facts {
            expiries: &expiries,
            ..facts(&[])
        };
        let told: Vec<(String, String, Severity)> = forecast(&facts)
            .into_iter()
            .filter_map(|item| Some((item.code, item.args.get("what")?.clone(), item.severity)))
            .collect();
        let expected = [
            ("forecast_app_secret", "ticket system"),
            ("forecast_app_certificate", "scanner"),
        ];
        let expected =
            expected.map(|(code, what)| (code.to_owned(), what.to_owned(), Severity::Ok));
        assert_eq!(told, expected);
    }

    #[test]
    fn every_code_has_its_card() {
        use crate::diagnosis::catalogue::{Language, card};
        let idle = [
            "forecast_renewed",
            "forecast_idle",
            "forecast_sign_in_frequency",
            "forecast_certificate",
            "forecast_app_secret",
            "forecast_app_certificate",
        ];
        for code in idle
            .into_iter()
            .chain(RETIREMENTS.iter().map(|retirement| retirement.code))
        {
            assert!(card(code, &BTreeMap::new(), Language::Ja).known, "{code}");
        }
    }
}
