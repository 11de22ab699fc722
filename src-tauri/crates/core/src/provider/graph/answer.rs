//! What an answer means: success, or which [`ProviderError`], with evidence.

use super::wire::ErrorAnswer;
use crate::diagnosis::Evidence;
use crate::provider::{CLAIMS_LINE, ProviderError};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The wait where the server names none.
const USUAL_WAIT: Duration = Duration::from_secs(10);
/// A difference between the clocks that is worth a word, in seconds.
const SKEW: i64 = 5 * 60;

/// One answer, with its body. A success, unless it comes out of a batch.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Our `client-request-id`.
    pub(super) asked_as: String,
}

impl Answer {
    /// Evidence of this answer; `known` are secrets that must not be in it.
    pub(super) fn evidence(&self, known: &[&str]) -> Evidence {
        let error = serde_json::from_slice::<ErrorAnswer>(&self.body)
            .unwrap_or_default()
            .error;
        let mut raw = String::new();
        if let Some(claims) = claims_of(&self.headers) {
            raw = format!("{CLAIMS_LINE}{claims}\n");
        }
        raw.push_str(&String::from_utf8_lossy(&self.body));
        if let Some(skew) = skew_of(&self.headers, jiff::Timestamp::now()) {
            raw.push_str(&skew);
        }
        let inner = error.inner.unwrap_or_default();
        let mut evidence = Evidence::of(
            error.code.as_deref(),
            Some(self.status.as_u16()),
            &raw,
            known,
        );
        let from_header = self
            .headers
            .get("request-id")
            .and_then(|id| id.to_str().ok());
        evidence.request_id = from_header.map(str::to_owned).or(inner.request_id);
        evidence.correlation_id = Some(self.asked_as.clone())
            .filter(|id| !id.is_empty())
            .or(inner.client_request_id);
        evidence
    }

    /// An answer that is not what the documentation promises.
    pub(super) fn protocol(&self, what: &'static str) -> ProviderError {
        ProviderError::Protocol(what, self.evidence(&[]))
    }

    /// The meaning of an answer that is no success.
    pub(super) fn refusal(&self, known: &[&str]) -> ProviderError {
        let evidence = self.evidence(known);
        let code = evidence
            .code
            .clone()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let wait = retry_after(&self.headers, jiff::Timestamp::now());
        let status = self.status.as_u16();
        match code.as_str() {
            "errorquotaexceeded" | "quotalimitreached" | "errormailboxstorelimitexceeded" => {
                return ProviderError::QuotaFull(evidence);
            }
            "syncstatenotfound" | "syncstateinvalid" | "resyncrequired" => {
                return ProviderError::CursorExpired(evidence);
            }
            "errorinvalididmalformed" => return ProviderError::NotFound(evidence),
            // The item was changed by somebody else at the same moment.
            "errorirresolvableconflict" => return ProviderError::Server(evidence),
            _ => {}
        }
        match (status, wait) {
            (401, _) => ProviderError::Unauthorized(evidence),
            (403, _) => ProviderError::Forbidden(evidence),
            (404, _) => ProviderError::NotFound(evidence),
            (410, _) => ProviderError::CursorExpired(evidence),
            (429 | 509, wait) => ProviderError::Throttled(wait.unwrap_or(USUAL_WAIT), evidence),
            (503, Some(wait)) => ProviderError::Throttled(wait, evidence),
            (507, _) => ProviderError::QuotaFull(evidence),
            (408 | 409 | 412 | 423 | 500..=599, _) => ProviderError::Server(evidence),
            (413, _) => ProviderError::Protocol("too_large", evidence),
            (300..=399, _) => ProviderError::Protocol("redirect", evidence),
            _ => ProviderError::Protocol("refused", evidence),
        }
    }

    /// Whether the body claims to be JSON (or does not say what it is).
    pub(super) fn is_json(&self) -> bool {
        content_type(&self.headers).is_none_or(|kind| kind.contains("json"))
    }

    /// Whether the body is a web page: a portal or a proxy speaks.
    pub(super) fn is_html(&self) -> bool {
        content_type(&self.headers).is_some_and(|kind| kind.contains("html"))
    }
}

/// Reads JSON; `answer` is where it came from.
pub(super) fn parse<T: DeserializeOwned>(
    body: &[u8],
    answer: Option<&Answer>,
) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| {
        let mut evidence = match answer {
            Some(answer) => answer.evidence(&[]),
            None => Evidence::of(None, None, &String::from_utf8_lossy(body), &[]),
        };
        // The place, not the message: that one may quote what it found.
        let place = format!("at line {} column {}: ", error.line(), error.column());
        evidence.raw.insert_str(0, &place);
        evidence.raw = crate::diagnosis::redact::redact(&evidence.raw, &[]);
        ProviderError::Protocol("bad_json", evidence)
    })
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.to_ascii_lowercase())
}

fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds or a date; at most fifteen minutes are believed.
pub(super) fn retry_after(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<f64>() {
        Ok(seconds) => seconds,
        #[allow(clippy::cast_precision_loss, reason = "seconds until a date are small")]
        Err(_) => (http_date(text)?.as_second() - now.as_second()) as f64,
    };
    let wait = Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64()));
    wait.ok()
}

/// A line about the clocks, where they differ by more than five minutes: tokens then seem expired.
fn skew_of(headers: &HeaderMap, now: jiff::Timestamp) -> Option<String> {
    let theirs = http_date(headers.get(header::DATE)?.to_str().ok()?)?;
    let differs = (theirs.as_second() - now.as_second()).abs() > SKEW;
    differs.then(|| format!("\nclock: the server says {theirs}, this computer {now}"))
}

/// The claims challenge in `WWW-Authenticate`, decoded (Microsoft identity platform, "Claims challenges").
fn claims_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .find_map(|value| {
            let text = value.to_str().ok()?;
            let (_, rest) = text.split_once("claims=\"")?;
            let (encoded, _) = rest.split_once('"')?;
            let encoded = encoded.trim_end_matches('=');
            let bytes = STANDARD_NO_PAD
                .decode(encoded)
                .or_else(|_| URL_SAFE_NO_PAD.decode(encoded))
                .ok()?;
            let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
            Some(json.to_string())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
            asked_as: "ours".to_owned(),
        }
    }

    fn graph_error(code: &str) -> String {
        format!(
            r#"{{"error":{{"code":"{code}","message":"m","innerError":{{"date":"2026-04-11T18:00:12","request-id":"r-1","client-request-id":"c-1"}}}}}}"#
        )
    }

    #[test]
    fn sorts_refusals_by_what_can_be_done() {
        use ProviderError as E;
        type Is = fn(&E) -> bool;
        type Case = (
            u16,
            &'static str,
            &'static [(&'static str, &'static str)],
            Is,
        );
        let cases: [Case; 17] = [
            (401, "InvalidAuthenticationToken", &[], |e| {
                matches!(e, E::Unauthorized(_))
            }),
            (403, "ErrorAccessDenied", &[], |e| {
                matches!(e, E::Forbidden(_))
            }),
            (403, "ErrorQuotaExceeded", &[], |e| {
                matches!(e, E::QuotaFull(_))
            }),
            (404, "ErrorItemNotFound", &[], |e| {
                matches!(e, E::NotFound(_))
            }),
            (400, "ErrorInvalidIdMalformed", &[], |e| {
                matches!(e, E::NotFound(_))
            }),
            (410, "SyncStateNotFound", &[], |e| {
                matches!(e, E::CursorExpired(_))
            }),
            (400, "syncStateNotFound", &[], |e| {
                matches!(e, E::CursorExpired(_))
            }),
            (
                429,
                "TooManyRequests",
                &[("retry-after", "7")],
                |e| matches!(e, E::Throttled(d, _) if d.as_secs() == 7),
            ),
            (
                429,
                "TooManyRequests",
                &[],
                |e| matches!(e, E::Throttled(d, _) if *d == USUAL_WAIT),
            ),
            (
                503,
                "ErrorServerBusy",
                &[("retry-after", "99999")],
                |e| matches!(e, E::Throttled(d, _) if *d == LONGEST_WAIT),
            ),
            (503, "UnknownError", &[], |e| matches!(e, E::Server(_))),
            (
                509,
                "BandwidthLimitExceeded",
                &[("retry-after", "1")],
                |e| matches!(e, E::Throttled(..)),
            ),
            (500, "", &[], |e| matches!(e, E::Server(_))),
            (504, "UnknownError", &[], |e| matches!(e, E::Server(_))),
            (412, "ErrorIrresolvableConflict", &[], |e| {
                matches!(e, E::Server(_))
            }),
            (302, "", &[("location", "https://portal.example/")], |e| {
                matches!(e, E::Protocol("redirect", _))
            }),
            (400, "BadRequest", &[], |e| {
                matches!(e, E::Protocol("refused", _))
            }),
        ];
        for (status, code, headers, is) in cases {
            let error = answer(status, headers, &graph_error(code)).refusal(&[]);
            assert!(is(&error), "{status} {code}: {error:?}");
            let evidence = error.evidence().unwrap();
            assert_eq!(evidence.code.as_deref(), Some(code));
            assert_eq!(evidence.request_id.as_deref(), Some("r-1"));
            assert_eq!(evidence.correlation_id.as_deref(), Some("ours"));
        }
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"error":"text"}"#,
            r#"{"error":{"code":7}}"#,
        ] {
            assert!(
                matches!(answer(500, &[], body).refusal(&[]), E::Server(_)),
                "{body}"
            );
        }
    }

    #[test]
    fn understands_every_form_of_retry_after() {
        let now: jiff::Timestamp = "2026-04-11T18:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("0", Some(0.0)),
            ("3", Some(3.0)),
            (" 3 ", Some(3.0)),
            ("1.5", Some(1.5)),
            ("-4", Some(0.0)),
            ("1e99", Some(900.0)),
            ("inf", Some(900.0)),
            ("NaN", None),
            ("Sat, 11 Apr 2026 18:00:30 GMT", Some(30.0)),
            ("Sat, 11 Apr 2026 17:00:00 GMT", Some(0.0)),
            ("Fri, 11 Apr 2036 18:00:00 GMT", Some(900.0)),
            ("soon", None),
            ("", None),
        ] {
            let headers = answer(429, &[("retry-after", text)], "").headers;
            let wait = retry_after(&headers, now).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, seconds, "{text}");
        }
    }

    #[test]
    fn carries_a_claims_challenge_on_to_the_browser() {
        // The example of the manual.
        let header = r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYwNDEwNjY1MSJ9fX0=""#;
        let error = answer(
            401,
            &[("www-authenticate", header)],
            &graph_error("InvalidAuthenticationToken"),
        )
        .refusal(&[]);
        assert_eq!(
            error.claims_challenge().unwrap(),
            r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#
        );
        assert_eq!(answer(401, &[], "").refusal(&[]).claims_challenge(), None);
        let broken = [("www-authenticate", r#"Bearer claims="%%%""#)];
        assert_eq!(
            answer(401, &broken, "").refusal(&[]).claims_challenge(),
            None
        );
    }

    #[test]
    fn says_when_the_clocks_differ() {
        let wrong = answer(401, &[("date", "Sat, 11 Apr 2015 18:00:00 GMT")], "{}");
        assert!(
            wrong
                .evidence(&[])
                .raw
                .contains("clock: the server says 2015-04-11T18:00:00Z")
        );
        assert!(!answer(401, &[], "{}").evidence(&[]).raw.contains("clock"));
    }
}
