//! What Entra says when it refuses: read whole, redacted, and sorted by what can be done about it.

use crate::diagnosis::Evidence;
use crate::oauth::error::SignInError;
use http::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A request to the sign-in service did not give tokens.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::oauth) enum Refusal {
    /// No connection, or the service is in trouble.
    #[error("the sign-in service cannot be reached")]
    Offline(Evidence),
    /// An OAuth error.
    #[error("refused: {error}")]
    Refused {
        error: String,
        suberror: Option<String>,
        claims: Option<String>,
        evidence: Evidence,
    },
    /// The answer is not what the documentation promises.
    #[error("not valid: {0}")]
    Invalid(&'static str, Evidence),
}

/// The error answer (Microsoft identity platform, "Handle errors and exceptions"; RFC 6749 §5.2).
#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    error_description: Option<String>,
    suberror: Option<String>,
    claims: Option<String>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
}

/// Sorts an answer of the token or discovery endpoint that is no success.
pub(in crate::oauth) fn refusal_of(status: StatusCode, body: &[u8], known: &[&str]) -> Refusal {
    let raw = String::from_utf8_lossy(body);
    let Ok(answer) = serde_json::from_slice::<ErrorAnswer>(body) else {
        // A proxy or a portal speaks, not the sign-in service: nobody has to sign in again because of it.
        let evidence = Evidence::of(None, Some(status.as_u16()), &raw, known);
        return Refusal::Offline(evidence);
    };
    let description = answer.error_description.as_deref().unwrap_or_default();
    let code = aadsts(description).unwrap_or(&answer.error);
    let mut evidence = Evidence::of(Some(code), Some(status.as_u16()), &raw, known);
    evidence.request_id = answer
        .trace_id
        .or_else(|| labelled(description, "Trace ID: "));
    evidence.correlation_id = answer
        .correlation_id
        .or_else(|| labelled(description, "Correlation ID: "));
    let is_transient = matches!(
        answer.error.as_str(),
        "temporarily_unavailable" | "server_error"
    ) || status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT;
    if is_transient {
        return Refusal::Offline(evidence);
    }
    Refusal::Refused {
        error: answer.error,
        suberror: answer.suberror,
        claims: answer.claims,
        evidence,
    }
}

/// Reads the error that came back in a redirect (RFC 6749 §4.1.2.1). `known` are the secrets of the attempt.
pub(in crate::oauth) fn refusal_of_redirect(
    error: &str,
    parameters: &BTreeMap<String, String>,
    known: &[&str],
) -> Refusal {
    let description = parameters
        .get("error_description")
        .map_or("", String::as_str);
    let raw: Vec<String> = parameters
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "code" | "state" | "session_state"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let code = aadsts(description).unwrap_or(error);
    let mut evidence = Evidence::of(Some(code), None, &raw.join("\n"), known);
    evidence.request_id = labelled(description, "Trace ID: ");
    evidence.correlation_id = labelled(description, "Correlation ID: ");
    Refusal::Refused {
        error: error.chars().take(120).collect(),
        suberror: parameters
            .get("error_subcode")
            .or_else(|| parameters.get("suberror"))
            .cloned(),
        claims: parameters.get("claims").cloned(),
        evidence,
    }
}

impl From<Refusal> for SignInError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Offline(evidence) => Self::Offline(evidence),
            Refusal::Refused {
                error,
                suberror,
                evidence,
                claims: _,
            } => Self::Refused {
                error,
                suberror,
                evidence,
            },
            Refusal::Invalid(what, evidence) => Self::Invalid(what, evidence),
        }
    }
}

/// The `AADSTS…` number at the beginning of, or in, a description.
fn aadsts(description: &str) -> Option<&str> {
    let start = description.find("AADSTS")?;
    let rest = description.get(start..)?;
    let digits = rest
        .get(6..)?
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len() - 6);
    (digits > 0).then(|| rest.get(..6 + digits)).flatten()
}

/// The word behind a label; Entra's descriptions end with `Trace ID: … Correlation ID: … Timestamp: …`.
fn labelled(description: &str, label: &str) -> Option<String> {
    let (_, rest) = description.split_once(label)?;
    let word = rest.split_whitespace().next()?;
    Some(word.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVOKED: &str = r#"{"error":"invalid_grant","error_description":"AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed.\r\nTrace ID: 3939d04c-d7ba-42bf-9cb7-1e5854cdce9e\r\nCorrelation ID: a8125194-2dc8-4078-90ba-7b6592a7f231\r\nTimestamp: 2026-04-11 18:00:12Z","error_codes":[50173],"timestamp":"2026-04-11 18:00:12Z","trace_id":"3939d04c-d7ba-42bf-9cb7-1e5854cdce9e","correlation_id":"a8125194-2dc8-4078-90ba-7b6592a7f231","error_uri":"https://login.microsoftonline.com/error?code=50173","suberror":"bad_token"}"#;

    #[test]
    fn keeps_everything_that_entra_says() {
        let Refusal::Refused {
            error,
            suberror,
            evidence,
            claims,
        } = refusal_of(StatusCode::BAD_REQUEST, REVOKED.as_bytes(), &[])
        else {
            panic!("not refused");
        };
        assert_eq!(
            (error.as_str(), suberror.as_deref()),
            ("invalid_grant", Some("bad_token"))
        );
        assert_eq!(claims, None);
        assert_eq!(evidence.code.as_deref(), Some("AADSTS50173"));
        assert_eq!(evidence.status, Some(400));
        assert_eq!(
            evidence.request_id.as_deref(),
            Some("3939d04c-d7ba-42bf-9cb7-1e5854cdce9e")
        );
        assert_eq!(
            evidence.correlation_id.as_deref(),
            Some("a8125194-2dc8-4078-90ba-7b6592a7f231")
        );
        assert!(
            evidence.raw.contains("\"error_codes\":[50173]"),
            "{}",
            evidence.raw
        );
    }

    #[test]
    fn trouble_of_the_service_is_no_reason_to_sign_in_again() {
        for (status, body) in [
            (503, r#"{"error":"invalid_grant"}"#),
            (429, r#"{"error":"invalid_request"}"#),
            (
                400,
                r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error"}"#,
            ),
            (200, "<html>Hotel WiFi</html>"),
            (407, "Proxy Authentication Required"),
            (500, ""),
        ] {
            let refusal = refusal_of(StatusCode::from_u16(status).unwrap(), body.as_bytes(), &[]);
            assert!(
                matches!(refusal, Refusal::Offline(_)),
                "{status} {body}: {refusal:?}"
            );
        }
    }

    #[test]
    fn reads_the_error_of_a_redirect_without_its_secrets() {
        let parameters = BTreeMap::from(
            [
                ("error", "access_denied"),
                ("error_subcode", "cancel"),
                ("error_description", "AADSTS65004: User declined to consent.\r\nTrace ID: t-1\r\nCorrelation ID: c-1"),
                ("state", "CANARYstate"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let Refusal::Refused {
            error,
            suberror,
            evidence,
            ..
        } = refusal_of_redirect("access_denied", &parameters, &["CANARYstate"])
        else {
            panic!("not refused");
        };
        assert_eq!(
            (error.as_str(), suberror.as_deref()),
            ("access_denied", Some("cancel"))
        );
        assert_eq!(evidence.code.as_deref(), Some("AADSTS65004"));
        assert_eq!(evidence.request_id.as_deref(), Some("t-1"));
        assert!(!evidence.raw.contains("CANARY"));
    }

    #[test]
    fn finds_the_number_only_where_there_is_one() {
        assert_eq!(aadsts("AADSTS7000218: x"), Some("AADSTS7000218"));
        assert_eq!(aadsts("AADSTS50011"), Some("AADSTS50011"));
        assert_eq!(aadsts("AADSTS: x"), None);
        assert_eq!(aadsts("nothing"), None);
    }
}
