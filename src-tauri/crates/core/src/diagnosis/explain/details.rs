//! What a pasted text says besides its codes: ids to look for in logs, the tenant, addresses.

use std::collections::BTreeMap;
use uuid::Uuid;

/// A label, and the detail that stands behind it. Longer labels come first where one is part of another.
const LABELS: [(&str, &str); 17] = [
    ("correlation_id", "correlation_id"),
    ("correlation id", "correlation_id"),
    ("correlationid", "correlation_id"),
    ("client-request-id", "client_request_id"),
    ("x-ms-request-id", "request_id"),
    ("request-id", "request_id"),
    ("request id", "request_id"),
    ("requestid", "request_id"),
    ("trace_id", "trace_id"),
    ("trace id", "trace_id"),
    ("timestamp", "timestamp"),
    ("client_id", "client_id"),
    ("application with identifier", "client_id"),
    ("application with id", "client_id"),
    ("for the application", "client_id"),
    ("tenant id", "tenant"),
    ("tenant", "tenant"),
];

/// The details of a text, by the names that the catalogue's placeholders have.
pub(super) fn of(text: &str) -> BTreeMap<String, String> {
    let mut details = BTreeMap::new();
    let lower = text.to_ascii_lowercase();
    for (label, name) in LABELS {
        if details.contains_key(name) {
            continue;
        }
        let value = lower
            .match_indices(label)
            .take(8)
            .filter_map(|(at, _)| text.get(at + label.len()..))
            .find_map(|rest| value(name, rest));
        if let Some(value) = value {
            details.insert(name.to_owned(), value);
        }
    }
    if let Some(scope) = scope(text, &lower) {
        details.insert("scope".to_owned(), scope);
    }
    addresses(text, &lower, &mut details);
    details
}

/// The value behind a label: what it must look like depends on what it is.
fn value(name: &str, rest: &str) -> Option<String> {
    let rest = rest
        .trim_start_matches(|c: char| c.is_whitespace() || "\":='\u{2018}\u{201c}<>".contains(c));
    match name {
        "timestamp" => timestamp(rest),
        "tenant" => {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
            let word = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
            let is_tenant = Uuid::try_parse(word).is_ok() || is_domain(word);
            is_tenant.then(|| word.to_owned())
        }
        _ => {
            let word = rest.get(..36)?;
            Uuid::try_parse(word).ok()?;
            Some(word.to_owned())
        }
    }
}

/// `2026-03-01 10:00:00Z` or with a `T`.
fn timestamp(rest: &str) -> Option<String> {
    let word: String = rest
        .chars()
        .take(33)
        .take_while(|c| c.is_ascii_digit() || "-:TZ .+".contains(*c))
        .collect();
    let word = word.trim().trim_end_matches('.');
    let is_date = word.len() >= 16
        && word.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && word.get(4..5) == Some("-");
    is_date.then(|| word.to_owned())
}

fn is_domain(word: &str) -> bool {
    word.contains('.')
        && word
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= 63)
}

/// Permissions named in the text, for instance `Mail.ReadWrite`: words of Graph's and Exchange's shape.
fn scope(text: &str, lower: &str) -> Option<String> {
    if !lower.contains("scope") && !lower.contains("permission") {
        return None;
    }
    let mut scopes: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')) {
        let word = word.trim_matches('.');
        let known = [
            "Mail.",
            "MailboxSettings.",
            "User.",
            "IMAP.",
            "SMTP.",
            "POP.",
            "EWS.",
        ]
        .iter()
        .any(|prefix| word.len() > prefix.len() && word.starts_with(prefix));
        if known && word.len() <= 40 && !scopes.contains(&word) && scopes.len() < 10 {
            scopes.push(word);
        }
    }
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

/// Addresses. One alone is the one the text is about; of several only a sentence tells which is which, and
/// a command with the wrong one would change the wrong mailbox.
fn addresses(text: &str, lower: &str, details: &mut BTreeMap<String, String>) {
    let all = all_addresses(text);
    let in_text = |address: &str| {
        all.iter()
            .find(|one| one.eq_ignore_ascii_case(address))
            .cloned()
    };
    if let Some((before, after)) = lower.split_once("not allowed to send as") {
        let login = all_addresses(before).pop().and_then(|one| in_text(&one));
        let address = all_addresses(after)
            .into_iter()
            .next()
            .and_then(|one| in_text(&one));
        if let (Some(login), Some(address)) = (login, address) {
            details.insert("login".to_owned(), login);
            details.insert("address".to_owned(), address);
        }
    } else if let [only] = all.as_slice() {
        let login = [
            "user account",
            "for user",
            "assertion user",
            "signed in user",
        ]
        .iter()
        .any(|sign| lower.contains(sign));
        let name = if login { "login" } else { "address" };
        details.insert(name.to_owned(), only.clone());
    }
    if !all.is_empty() {
        details.insert("addresses".to_owned(), all.join(" "));
    }
}

fn all_addresses(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "@.!#$%&*+/=?^_`{|}~-".contains(c);
    for word in text.split(|c: char| !is_part(c)) {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let Some((local, domain)) = word.split_once('@') else {
            continue;
        };
        let local = local.rsplit('=').next().unwrap_or(local);
        let plain = domain
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if local.is_empty() || local.len() > 64 || !plain || !is_domain(domain) {
            continue;
        }
        let address = format!("{local}@{domain}");
        if all.len() < 10 && !all.iter().any(|one| one.eq_ignore_ascii_case(&address)) {
            all.push(address);
        }
    }
    all
}

/// A code that the catalogue does not have but the text clearly gives: `error.code` of JSON, a SOAP response code, or an
/// enhanced status code (RFC 3463).
pub(super) fn unfamiliar_code(text: &str) -> Option<String> {
    json_code(text)
        .or_else(|| between(text, "ResponseCode>", "<"))
        .or_else(|| status_code(text))
}

fn json_code(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text.trim()).ok()?;
    let error = json.get("error")?;
    let code = error.get("code").unwrap_or(error).as_str()?;
    is_code(code).then(|| code.to_owned())
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let (code, _) = rest.split_once(after)?;
    let code = code.trim();
    is_code(code).then(|| code.to_owned())
}

fn is_code(code: &str) -> bool {
    (2..=80).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn status_code(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find(|word| {
            let mut parts = word.split('.');
            let class = parts.next().unwrap_or_default();
            let rest: Vec<&str> = parts.collect();
            matches!(class, "4" | "5")
                && rest.len() == 2
                && rest.iter().all(|part| (1..=3).contains(&part.len()))
        })
        .map(|word| format!("SMTP {word}"))
}
