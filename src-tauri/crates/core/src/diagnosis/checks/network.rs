//! The way to the sign-in service and to the mail server. The request decides; look-up and connection explain.

use crate::diagnosis::evidence::{HostSeen, HttpSeen, NetworkEvidence};
use crate::diagnosis::map::{Facts, Judgement};
use crate::diagnosis::{Evidence, Finding, Severity, explain};
use std::time::Duration;

/// An answer that takes longer than this is worth a word.
const SLOW: Duration = Duration::from_millis(1_500);

/// Judges the way to both servers; the sign-in service comes first.
pub fn check(seen: &NetworkEvidence) -> Judgement {
    let mut facts = Facts::new();
    for (name, host) in [("authority", &seen.authority), ("graph", &seen.graph)] {
        describe(&mut facts, name, host);
    }
    for host in [&seen.authority, &seen.graph] {
        if let Some(finding) = trouble(host) {
            return Judgement::failed(finding, facts);
        }
    }
    let slowest = [&seen.authority, &seen.graph]
        .into_iter()
        .filter_map(|host| Some((answer(host)?.took, &host.host)))
        .max();
    match slowest {
        Some((took, host)) if took > SLOW => {
            let mut finding = Finding::plain("slow_answers", Severity::Warning);
            finding.args.insert("host".to_owned(), host.clone());
            let seconds = format!("{:.1}", took.as_secs_f64());
            finding.args.insert("seconds".to_owned(), seconds);
            Judgement::warning(finding, facts)
        }
        Some(_) | None => Judgement::ok(facts),
    }
}

/// Judges the way to a sign-in service alone.
pub fn sign_in_service(seen: &HostSeen) -> Judgement {
    let mut facts = Facts::new();
    describe(&mut facts, "authority", seen);
    match trouble(seen) {
        Some(finding) => Judgement::failed(finding, facts),
        None => Judgement::ok(facts),
    }
}

fn answer(host: &HostSeen) -> Option<&HttpSeen> {
    host.http.as_ref()?.as_ref().ok()
}

fn describe(facts: &mut Facts, name: &str, host: &HostSeen) {
    let mut add = |what: &str, value: String| {
        if !value.is_empty() {
            facts.insert(format!("{name}_{what}"), value);
        }
    };
    add("host", host.host.clone());
    if let Some(Ok((ip, took))) = &host.connected {
        add("ip", ip.to_string());
        add("connect_ms", took.as_millis().to_string());
    }
    if let Some(answer) = answer(host) {
        add("answer_ms", answer.took.as_millis().to_string());
        add("tls", if answer.tls { "yes" } else { "no" }.to_owned());
        add("http", answer.version.clone());
    }
}

/// Why nothing of use came back, if so.
fn trouble(host: &HostSeen) -> Option<Finding> {
    let failure = match host.http.as_ref()? {
        Ok(answer) => return portal(answer, &host.host),
        Err(failure) => failure,
    };
    let mut finding = if let Some(Err(reason)) = &host.addresses {
        seen("offline", &format!("{}: {reason}", host.host))
    } else if let Some(code) = tls_code(&failure.text) {
        seen(&code, &failure.text)
    } else if let Some(Err(reason)) = &host.connected {
        let text = format!("{}: {reason}", host.host);
        match explain::codes(reason).into_iter().next() {
            Some(code) => seen(&code, &text),
            None => seen("connection_timeout", &text),
        }
    } else if failure.timed_out {
        seen("connection_timeout", &failure.text)
    } else {
        let code = explain::codes(&failure.text).into_iter().next();
        seen(code.as_deref().unwrap_or("offline"), &failure.text)
    };
    finding.args.insert("host".to_owned(), host.host.clone());
    Some(finding)
}

fn tls_code(text: &str) -> Option<String> {
    explain::codes(text)
        .into_iter()
        .find(|code| code.starts_with("tls_"))
}

/// Somebody else answered: a sign-in page of a hotel or guest network, or a proxy that wants a password.
fn portal(answer: &HttpSeen, host: &str) -> Option<Finding> {
    let elsewhere = answer.location.as_deref().is_some_and(|location| {
        url::Url::parse(location).is_ok_and(|url| url.host_str() != Some(host))
    });
    let code = match answer.status {
        407 => "proxy_auth",
        511 => "captive_portal",
        300..=399 if elsewhere => "captive_portal",
        200..=299 if answer.content_type.contains("html") => "captive_portal",
        _ => return None,
    };
    let text = format!(
        "HTTP {} {} {}",
        answer.status,
        answer.content_type,
        answer.location.as_deref().unwrap_or_default()
    );
    let mut finding = seen(code, text.trim());
    finding.args.insert("host".to_owned(), host.to_owned());
    Some(finding)
}

fn seen(code: &str, text: &str) -> Finding {
    Finding::seen(code, Severity::Failed, &Evidence::of(None, None, text, &[]))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::diagnosis::evidence::HttpFailure;
    use crate::diagnosis::map::StationState as S;
    use std::net::{IpAddr, Ipv4Addr};

    const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    fn well() -> HostSeen {
        HostSeen {
            host: "graph.contoso.example".into(),
            addresses: Some(Ok(vec![IP])),
            connected: Some(Ok((IP, Duration::from_millis(20)))),
            http: Some(Ok(HttpSeen {
                status: 401,
                content_type: "application/json".into(),
                took: Duration::from_millis(80),
                tls: true,
                ..HttpSeen::default()
            })),
        }
    }

    fn answering(status: u16, content_type: &str, location: Option<&str>) -> HostSeen {
        HostSeen {
            http: Some(Ok(HttpSeen {
                status,
                content_type: content_type.into(),
                location: location.map(str::to_owned),
                ..HttpSeen::default()
            })),
            ..well()
        }
    }

    fn failing(text: &str, timed_out: bool) -> HostSeen {
        HostSeen {
            http: Some(Err(HttpFailure {
                text: text.into(),
                timed_out,
            })),
            ..well()
        }
    }

    #[test]
    fn tells_what_stands_between_this_computer_and_the_servers() {
        let cases = [
            (well(), (S::Ok, "", false)),
            (answering(200, "application/json", None), (S::Ok, "", false)),
            // The server's own trouble is found where it matters; the way is free.
            (answering(503, "text/html", None), (S::Ok, "", false)),
            (
                answering(200, "text/html", None),
                (S::Failed, "captive_portal", true),
            ),
            (
                answering(302, "", Some("http://portal.hotel.example/")),
                (S::Failed, "captive_portal", true),
            ),
            (
                answering(302, "", Some("https://graph.contoso.example/x")),
                (S::Ok, "", false),
            ),
            (answering(407, "", None), (S::Failed, "proxy_auth", true)),
            (
                failing("invalid peer certificate: UnknownIssuer", false),
                (S::Failed, "tls_unknown_issuer", true),
            ),
            (
                failing("invalid peer certificate: Expired", false),
                (S::Failed, "tls_expired", true),
            ),
            (
                failing("operation timed out", true),
                (S::Failed, "connection_timeout", true),
            ),
            (
                HostSeen {
                    addresses: Some(Err("failed to lookup address information".into())),
                    connected: None,
                    ..failing("dns error", false)
                },
                (S::Failed, "offline", true),
            ),
            (
                HostSeen {
                    connected: Some(Err("Connection refused (os error 111)".into())),
                    ..failing("error sending request", false)
                },
                (S::Failed, "connection_refused", true),
            ),
        ];
        for (graph, expected) in cases {
            let evidence = NetworkEvidence {
                authority: well(),
                graph,
            };
            assert_eq!(testing::seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }

    #[test]
    fn a_proxy_that_does_the_look_up_is_no_failure() {
        let graph = HostSeen {
            addresses: Some(Err("no such host".into())),
            connected: None,
            ..well()
        };
        let judgement = check(&NetworkEvidence {
            authority: well(),
            graph,
        });
        assert_eq!(testing::seen(&judgement), (S::Ok, "", false));
    }

    #[test]
    fn slow_answers_are_a_warning_with_the_host() {
        let mut slow = well();
        if let Some(Ok(answer)) = &mut slow.http {
            answer.took = Duration::from_millis(2_100);
        }
        let judgement = check(&NetworkEvidence {
            authority: well(),
            graph: slow,
        });
        assert_eq!(
            testing::seen(&judgement),
            (S::Warning, "slow_answers", false)
        );
        let finding = judgement.finding.unwrap();
        assert_eq!(finding.args["seconds"], "2.1");
        assert_eq!(judgement.facts["graph_ip"], "192.0.2.7");
    }
}
