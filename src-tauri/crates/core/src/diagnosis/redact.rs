//! The one place where secrets are taken out of what a server said, before it becomes [`Evidence`].
//!
//! Three nets, each of which would be enough for most answers: the secrets of this very exchange, wherever they
//! stand; the values of names that hold secrets in OAuth (RFC 6749, RFC 7636, OpenID Connect Core); and whatever
//! has the shape of a token.

use super::Evidence;

/// Longest `raw`, in characters.
pub const RAW_LIMIT: usize = 4_000;

/// What stands in place of a secret.
pub const MARK: &str = "[redacted]";

/// Beyond this an answer is not even looked at.
const INPUT_LIMIT: usize = 64_000;

/// A run of token characters this long is a token. Graph's item ids stay below (about 150 characters).
const TOKEN_RUN: usize = 200;

/// A known secret that is shorter, in bytes, is looked for in what becomes evidence only, which then goes as a whole.
const SHORT: usize = 6;

/// Names whose values are secret, as a JSON member, a form field or a header.
const NAMES: [&str; 13] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "client_assertion",
    "assertion",
    "code_verifier",
    "device_code",
    "password",
    "passwd",
    "session_state",
    "nonce",
    "set-cookie",
];

/// Names whose values are secret in a form or a query only: as JSON members they are error codes.
const FORM_NAMES: [&str; 2] = ["code", "state"];

impl Evidence {
    /// Makes evidence of an answer (or of the text of a failure), redacted and cut; `known` are the secrets of
    /// this exchange. The time is now; ids can be filled in afterwards.
    pub fn of(code: Option<&str>, status: Option<u16>, raw: &str, known: &[&str]) -> Self {
        Self {
            code: code.map(|code| redact(code, known).chars().take(120).collect()),
            status,
            at: jiff::Timestamp::now().as_millisecond(),
            raw: match known
                .iter()
                .any(|secret| is_short(secret) && raw.contains(secret))
            {
                // Taken out, it would tell its place and length; nobody can tell it from the words around it.
                true => MARK.to_owned(),
                false => redact(raw, known),
            },
            ..Self::default()
        }
    }
}

/// Takes secrets out of `text` and cuts it to [`RAW_LIMIT`] characters. `known` are secrets of this exchange, in
/// clear; they are also found percent-encoded.
pub fn redact(text: &str, known: &[&str]) -> String {
    let mut out: String = text.chars().take(INPUT_LIMIT).collect();
    let was_cut = out.len() < text.len();
    for secret in known.iter().filter(|secret| secret.len() >= SHORT) {
        out = out.replace(secret, MARK);
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        if encoded != **secret {
            out = out.replace(&encoded, MARK);
        }
    }
    out = without_named(&out);
    out = without_schemes(&out);
    out = without_runs(&out);
    cut(&out, was_cut)
}

/// Whether a secret is so short that it may stand in any text by chance.
fn is_short(secret: &str) -> bool {
    !secret.is_empty() && secret.len() < SHORT
}

fn is_name_char(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c == b'-'
}

/// Whether a name may begin at `at`: nothing before it belongs to a longer name. A percent escape counts as a
/// boundary (`%3Fcode%3D`).
fn starts_name(bytes: &[u8], at: usize) -> bool {
    match at.checked_sub(1).and_then(|i| bytes.get(i)) {
        None => true,
        Some(c) if !is_name_char(*c) => true,
        Some(_) => at >= 3 && bytes.get(at - 3) == Some(&b'%'),
    }
}

/// Finds where the value begins and ends if a secret's name stands at `at`. Positions are in bytes.
fn named_value(lower: &str, at: usize) -> Option<(usize, usize)> {
    let rest = lower.get(at..)?;
    let (name, form_only) = NAMES
        .iter()
        .map(|name| (*name, false))
        .chain(FORM_NAMES.iter().map(|name| (*name, true)))
        .find(|(name, _)| rest.starts_with(name))?;
    let mut tail = rest.get(name.len()..)?;
    if !form_only {
        tail = tail.trim_start_matches(['\\', '"', '\'', ' ']);
    }
    let encoded = tail.strip_prefix("%3d");
    let tail = match encoded {
        Some(tail) => tail,
        None => tail
            .strip_prefix('=')
            .or_else(|| tail.strip_prefix(':').filter(|_| !form_only))?
            .trim_start_matches(' '),
    };
    let tail = tail.trim_start_matches(['\\', '"', '\'']);
    if tail.starts_with(['{', '[']) {
        // A claims challenge has a member `access_token` that is an object, and must stay whole.
        return None;
    }
    let start = lower.len() - tail.len();
    let plain_end = tail
        .find([
            '&', '"', '\'', '\\', '<', '>', ',', ';', ')', '}', ' ', '\n', '\r', '\t',
        ])
        .unwrap_or(tail.len());
    let end = match encoded.and(tail.find("%26")) {
        Some(end) => end.min(plain_end),
        None => plain_end,
    };
    // `error_uri` ends with `?code=` and the number of the error.
    let value = tail.get(..end)?;
    let is_number = form_only && value.len() <= 8 && value.bytes().all(|c| c.is_ascii_digit());
    (end > 0 && !is_number).then_some((start, start + end))
}

fn without_named(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if starts_name(bytes, at)
            && lower.is_char_boundary(at)
            && let Some((start, end)) = named_value(&lower, at)
        {
            out.push_str(text.get(copied..start).unwrap_or_default());
            out.push_str(MARK);
            copied = end;
            at = end;
        } else {
            at += 1;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// Takes out what follows `Bearer`, `Basic` or `XOAUTH2` and looks like a credential rather than like a word
/// ("Basic authentication is disabled" stays).
fn without_schemes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hide_next = false;
    for piece in text.split_inclusive([' ', '\n', '\t']) {
        let word = piece.trim_end_matches([' ', '\n', '\t', '\r']);
        let looks_secret = word.len() >= 8
            && !word.trim_end_matches('=').contains(['=', '"'])
            && (word.chars().any(|c| c.is_ascii_digit())
                || word.ends_with('=')
                || word.chars().skip(1).any(|c| c.is_ascii_uppercase()));
        if hide_next && looks_secret {
            out.push_str(MARK);
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
        let scheme = word
            .rsplit(['"', '\'', ':', '=', '\\'])
            .next()
            .unwrap_or_default();
        hide_next = ["bearer", "basic", "xoauth2"]
            .iter()
            .any(|s| scheme.eq_ignore_ascii_case(s));
    }
    out
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '!' | '*')
}

/// Takes out long runs, and signed or encrypted JSON Web Tokens of any length (RFC 7519: base64 of `{"` is `eyJ`).
/// A claims challenge also begins so but has no dot.
fn without_runs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run_end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(run_end);
        let is_jwt = run.starts_with("eyJ") && run.len() >= 20 && run.contains('.');
        if run.len() >= TOKEN_RUN || is_jwt {
            out.push_str(MARK);
        } else {
            out.push_str(run);
        }
        let gap = tail.find(is_token_char).unwrap_or(tail.len());
        let (between, tail) = tail.split_at(gap);
        out.push_str(between);
        rest = tail;
    }
    out
}

/// Cuts to the limit. Where the input itself was cut, the last word may be half a secret that no net knows, so
/// it goes too.
fn cut(text: &str, was_cut: bool) -> String {
    if text.chars().count() <= RAW_LIMIT {
        if !was_cut {
            return text.to_owned();
        }
        let whole = text.rfind(|c: char| !is_token_char(c)).unwrap_or(0);
        return format!("{}…", text.get(..whole).unwrap_or_default())
            .chars()
            .take(RAW_LIMIT)
            .collect();
    }
    let mut short: String = text.chars().take(RAW_LIMIT - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "CANARY7fQ2x";

    #[test]
    fn takes_out_named_values_in_every_spelling() {
        for text in [
            format!(r#"{{"access_token":"{CANARY}","token_type":"Bearer"}}"#),
            format!(r#"{{ "refresh_token" : "{CANARY}" }}"#),
            format!(r#"{{\"id_token\":\"{CANARY}\"}}"#),
            format!("http://localhost:1/?code={CANARY}&state={CANARY}"),
            format!("next=http%3A%2F%2Flocalhost%3Fcode%3D{CANARY}%26x%3D1"),
            format!("grant_type=authorization_code&code_verifier={CANARY}"),
            format!("STATE={CANARY}"),
            format!("Authorization: Bearer {CANARY}"),
            format!("A1 AUTHENTICATE XOAUTH2 {CANARY}"),
            format!("set-cookie: {CANARY}; Path=/"),
        ] {
            let clean = redact(&text, &[]);
            assert!(!clean.contains(CANARY), "{text} became {clean}");
            assert!(clean.contains(MARK), "{text} became {clean}");
        }
    }

    #[test]
    fn takes_out_known_secrets_wherever_they_stand() {
        let secret = "a/b+c canary=";
        let text = "said a/b+c canary= and a%2Fb%2Bc+canary%3D";
        assert_eq!(redact(text, &[secret]), "said [redacted] and [redacted]");
    }

    #[test]
    fn a_short_secret_takes_the_whole_text_with_it_but_never_the_code() {
        for secret in ["x7", "1234", "a"] {
            let text = format!("NO LOGIN failed for \"{secret}\"");
            let evidence = Evidence::of(Some("IMAP LOGIN failed"), None, &text, &["", secret]);
            assert_eq!(evidence.raw, MARK);
            assert_eq!(evidence.code.as_deref(), Some("IMAP LOGIN failed"));
        }
        let evidence = Evidence::of(None, None, "NO LOGIN failed", &["", "1234"]);
        assert_eq!(evidence.raw, "NO LOGIN failed");
    }

    #[test]
    fn takes_out_what_has_the_shape_of_a_token() {
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJDQU5BUlkifQ.c2ln";
        assert_eq!(
            redact(&format!("got {jwt}, sorry"), &[]),
            "got [redacted], sorry"
        );
        let opaque = format!("0.AXoA{}", "x-_9".repeat(100));
        assert_eq!(redact(&opaque, &[]), MARK);
    }

    #[test]
    fn leaves_what_explains_the_error() {
        for text in [
            r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied."}}"#,
            r#"{"error":"invalid_grant","error_codes":[65001],"error_description":"AADSTS65001: The user…"}"#,
            r#"{"error_uri":"https://login.microsoftonline.com/error?code=700082"}"#,
            "NO Basic authentication is disabled.",
            r#"Bearer realm="", error="insufficient_claims""#,
            r#"claims: {"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#,
            r#"{"claims":"{\"access_token\":{\"polids\":{}}}"}"#,
            "claims: eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==",
            "GET /v1.0/me/messages/AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AZmFrZQ/$value",
        ] {
            assert_eq!(redact(text, &[]), text);
        }
    }

    #[test]
    fn cuts_long_answers_and_never_leaves_half_a_secret() {
        let long = "word ".repeat(5_000);
        assert_eq!(redact(&long, &[]).chars().count(), RAW_LIMIT);
        let mut hidden = "\u{e4} ".repeat(INPUT_LIMIT / 2 - 10);
        hidden.push_str(&"S3CRET".repeat(10));
        let clean = redact(&hidden, &[]);
        assert!(clean.chars().count() <= RAW_LIMIT);
        let spaced = format!(
            "access_token={} {}",
            "y".repeat(INPUT_LIMIT - 40),
            "CANARYCANARYCANARYCANARYCANARY"
        );
        assert!(!redact(&spaced, &[]).contains("CANARY"));
    }

    #[test]
    fn survives_text_that_is_not_ascii() {
        assert_eq!(
            redact("Zugriff verweigert: 同意が必要です %", &[]),
            "Zugriff verweigert: 同意が必要です %"
        );
        assert_eq!(
            redact("パスワード password=秘密 x", &[]),
            "パスワード password=[redacted] x"
        );
    }
}
