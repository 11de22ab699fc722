//! What the bundle takes out beyond what evidence is already without. A bundle leaves the computer, so it is stricter:
//! a word too many that is hidden costs less than a secret that is not.

use crate::diagnosis::redact::{MARK, redact};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Names whose values are hidden up to the end of the value, beside those of [`redact`].
const NAMES: [&str; 14] = [
    "authorization",
    "cookie",
    "api_key",
    "api-key",
    "apikey",
    "secret",
    "pwd",
    "pass",
    "passphrase",
    "user_code",
    "token",
    "private_key",
    "signature",
    "auth",
];

/// A run of token characters this long, with digits and letters of both cases in it, is taken for a token.
const MIXED_RUN: usize = 32;

/// A run of base64 this long is looked into.
const ENCODED_RUN: usize = 12;

/// `text` without secrets, whatever its length.
pub(super) fn scrub(text: &str) -> String {
    text.split('\n')
        .map(scrub_line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn scrub_line(line: &str) -> String {
    let plain = nets(line);
    if !plain.contains('%') {
        return plain;
    }
    // A word that hides a secret behind percent signs goes as a whole.
    plain
        .split_inclusive(' ')
        .map(|word| {
            let bare = word.trim_end();
            let decoded = percent_decoded(bare);
            if decoded != bare && nets(&decoded) != decoded {
                format!("{MARK}{}", word.get(bare.len()..).unwrap_or_default())
            } else {
                word.to_owned()
            }
        })
        .collect()
}

fn nets(line: &str) -> String {
    let named = without_named(&redact(line, &[]));
    let mut out = String::with_capacity(named.len());
    let mut rest = named.as_str();
    while !rest.is_empty() {
        let end = rest.find(|c| !is_run(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        out.push_str(if is_token(run) || hides_credentials(run) {
            MARK
        } else {
            run
        });
        let gap = tail.find(is_run).unwrap_or(tail.len());
        let (between, tail) = tail.split_at(gap);
        out.push_str(between);
        rest = tail;
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match pair.filter(|_| *byte == b'%') {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_run(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '=' | '!' | '*' | '$')
}

fn is_token(run: &str) -> bool {
    run.split(['/', '='])
        .any(|part| part.len() >= MIXED_RUN && has_all_kinds(part))
        || (run.len() >= 2 * MIXED_RUN && !run.contains("//") && has_all_kinds(run))
}

fn has_all_kinds(part: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| part.as_bytes().iter().any(kind);
    has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

/// Whether the run is base64 of `user:password`, of an XOAUTH2 answer or of anything that would itself be redacted.
fn hides_credentials(run: &str) -> bool {
    let body = run.trim_end_matches('=');
    if body.len() < ENCODED_RUN {
        return false;
    }
    let decoded = STANDARD_NO_PAD
        .decode(body)
        .or_else(|_| URL_SAFE_NO_PAD.decode(body));
    let Some(text) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let readable = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\u{1}' | '\0' | '\r' | '\n' | '\t'));
    readable && text.is_ascii()
}

/// Hides the values of [`NAMES`]: up to the closing quote, else (an Authorization header has two words) to the end of
/// the line for that name and to the next blank for others.
fn without_named(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < lower.len() {
        match value_at(&lower, at).filter(|(start, end)| start < end) {
            Some((start, end)) => {
                out.push_str(text.get(copied..start).unwrap_or_default());
                out.push_str(MARK);
                copied = end;
                at = end;
            }
            None => at += 1,
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

fn value_at(lower: &str, at: usize) -> Option<(usize, usize)> {
    let rest = lower.get(at..)?;
    let name = NAMES
        .iter()
        .filter(|name| rest.starts_with(**name))
        .max_by_key(|name| name.len())?;
    let tail = rest
        .get(name.len()..)?
        .trim_start_matches(['\\', '"', '\'', ' ']);
    let tail = tail.strip_prefix(['=', ':'])?.trim_start_matches(' ');
    let quoted = tail.starts_with(['\\', '"', '\'']);
    let tail = tail.trim_start_matches(['\\', '"', '\'']);
    if tail.starts_with(['{', '[']) {
        return None;
    }
    let start = lower.len() - tail.len();
    let length = if quoted {
        tail.find(['"', '\'', '\\'])
    } else if matches!(*name, "authorization" | "cookie") {
        tail.find(['"', '\n'])
    } else {
        tail.find([
            '&', '"', '\'', '\\', '<', '>', ',', ';', ')', '}', ' ', '\n',
        ])
    };
    Some((start, start + length.unwrap_or(tail.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_secrets_in_every_dress() {
        for text in [
            "Authorization: Digest username=CANARY, nonce=CANARY",
            "{\"Authorization\":\"Negotiate CANARY\"}",
            "x-api-key: CANARY",
            "password is in pass=CANARY;",
            "user_code: CANARY",
            "C: AUTH PLAIN AGFsZXgAQ0FOQVJZLXBhc3N3b3Jk",
            "dXNlcjpDQU5BUlktcGFzc3dvcmQ=",
            "%7B%22refresh_token%22%3A%22CANARY%22%7D",
            "GET /cb%3Fcode%3DCANARY%26state%3DCANARY HTTP/1.1",
            "M.R3_BAY.CANARY12345abcdefghijklmnopqrstuv-1",
        ] {
            let out = scrub(text);
            assert!(!out.contains("CANARY"), "{text} → {out}");
            assert!(
                !out.contains("AGFsZXg") && !out.contains("dXNlcjpD"),
                "{text} → {out}"
            );
            assert!(out.contains(MARK), "{text}");
        }
    }

    #[test]
    fn leaves_what_support_needs() {
        for text in [
            "AADSTS50173: The provided grant has expired due to it being revoked.",
            "request-id 0f5e2a52-5e5c-4b53-9a7e-0e0f7d2c1b11 at 2026-11-21T10:00:00Z",
            "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages",
            "Basic authentication is disabled for this mailbox.",
            "100% of 20 messages",
        ] {
            assert_eq!(scrub(text), text);
        }
    }
}
