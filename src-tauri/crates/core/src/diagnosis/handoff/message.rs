//! The words of a hand-off. Values come from servers and settings; none of them can write a line, a command or a
//! parameter of its own.

use super::{HandOffKind, HandOffMessage, HandOffMessages, Values, shows_by_sending};
use crate::account::Registration;
use crate::diagnosis::catalogue::{Card, CardCommand, Language, card_for_admin, clean};
use crate::oauth::http::below;
use url::Url;

/// Where the sign-in service sends the admin's browser afterwards: the redirect address of the registration. Nothing
/// listens there on the admin's own computer, which the messages say.
pub const REDIRECT: &str = "http://localhost";

/// How long Exchange takes until a changed right works everywhere, in minutes (Microsoft, "Give mailbox permissions to
/// another user").
const EXCHANGE_MINUTES: &str = "60";

/// The link for the admin: consent for the whole tenant with exactly `scopes` ("Admin consent on the Microsoft identity
/// platform"). `common` does not exist there; `organizations` lets the admin's own account decide.
pub fn consent_link(
    registration: &Registration,
    scopes: &[String],
    state: &str,
    redirect: &str,
) -> Url {
    let tenant = match registration.tenant.as_str() {
        "common" | "consumers" | "" => "organizations",
        tenant => tenant,
    };
    let mut link = below(&registration.authority, &[tenant, "v2.0", "adminconsent"]);
    link.query_pairs_mut()
        .append_pair("client_id", &registration.client_id)
        .append_pair("scope", &scopes.join(" "))
        .append_pair("redirect_uri", redirect)
        .append_pair("state", state);
    link
}

/// The message for a hand-off, in all languages. `link` is the consent link of an approval.
pub fn messages(
    kind: HandOffKind,
    code: &str,
    values: &Values,
    scopes: &[String],
    link: Option<&Url>,
) -> HandOffMessages {
    let message = |language| match (kind, link) {
        (HandOffKind::Approval, Some(link)) => approval(language, values, scopes, link),
        _ => request(language, kind, code, values),
    };
    HandOffMessages {
        en: message(Language::En),
        de: message(Language::De),
        ja: message(Language::Ja),
    }
}

fn approval(language: Language, values: &Values, scopes: &[String], link: &Url) -> HandOffMessage {
    let text = match language {
        Language::En => include_str!("approval.en.txt"),
        Language::De => include_str!("approval.de.txt"),
        Language::Ja => include_str!("approval.ja.txt"),
    };
    let scopes: Vec<String> = scopes.iter().map(|scope| clean(scope)).collect();
    let filled = [
        ("address", value(values, "address")),
        ("client_id", value(values, "client_id")),
        ("permissions", scopes.join(", ")),
        ("link", link.to_string()),
    ];
    written(text, &filled, Vec::new())
}

fn request(language: Language, kind: HandOffKind, code: &str, values: &Values) -> HandOffMessage {
    let text = match language {
        Language::En => include_str!("request.en.txt"),
        Language::De => include_str!("request.de.txt"),
        Language::Ja => include_str!("request.ja.txt"),
    };
    let card = card_for_admin(code, values, language);
    let only = |wanted: bool, text: String| if wanted { text } else { String::new() };
    let in_exchange = kind == HandOffKind::Mailbox;
    let by_sending = shows_by_sending(code);
    let address = value(values, "address");
    let filled = [
        ("address", address.clone()),
        ("title", card.title.clone()),
        ("meaning", card.meaning.clone()),
        ("login", only(in_exchange, value(values, "login"))),
        ("client_id", only(!in_exchange, value(values, "client_id"))),
        ("tenant", only(!in_exchange, value(values, "tenant"))),
        ("steps", steps(&card)),
        ("commands", commands(&card.commands, language)),
        ("links", links(&card)),
        ("minutes", only(in_exchange, EXCHANGE_MINUTES.to_owned())),
        ("watched", only(!by_sending, address.clone())),
        ("sender", only(by_sending, address)),
        ("said", said(code, values)),
    ];
    written(text, &filled, card.commands)
}

fn steps(card: &Card) -> String {
    let lines: Vec<String> = card
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| format!("{}. {step}", at + 1))
        .collect();
    lines.join("\n")
}

/// Each command under what it does, as a comment: the block can be pasted as it is.
fn commands(commands: &[CardCommand], language: Language) -> String {
    let changes = match language {
        Language::En => " (changes)",
        Language::De => " (ändert)",
        Language::Ja => "（変更）",
    };
    let lines: Vec<String> = commands
        .iter()
        .map(|command| {
            let mark = if command.writes { changes } else { "" };
            format!("  # {}{mark}\n  {}", command.label, command.text)
        })
        .collect();
    lines.join("\n")
}

fn links(card: &Card) -> String {
    let lines: Vec<String> = card
        .links
        .iter()
        .map(|link| format!("{}: {}", link.label, link.url))
        .collect();
    lines.join("\n")
}

fn said(code: &str, values: &Values) -> String {
    let parts = [
        clean(code),
        value(values, "request_id"),
        value(values, "seen_at"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn value(values: &Values, name: &str) -> String {
    values
        .get(name)
        .map(|value| clean(value))
        .unwrap_or_default()
}

/// The first line of `text` is the subject. A paragraph with an empty value is left out.
fn written(text: &str, values: &[(&str, String)], commands: Vec<CardCommand>) -> HandOffMessage {
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    let is_empty = |paragraph: &str| {
        values
            .iter()
            .any(|(name, value)| value.is_empty() && paragraph.contains(&format!("{{{name}}}")))
    };
    let paragraphs: Vec<String> = body
        .trim()
        .split("\n\n")
        .filter(|paragraph| !is_empty(paragraph))
        .map(|paragraph| fill(paragraph, values))
        .collect();
    HandOffMessage {
        subject: fill(subject.trim(), values),
        text: format!("{}\n", paragraphs.join("\n\n")),
        commands,
    }
}

/// `text` with its `{name}`s replaced, in one pass: a value that looks like a placeholder stays as it is.
fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 512);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let after = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((value, after))
        });
        match found {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
