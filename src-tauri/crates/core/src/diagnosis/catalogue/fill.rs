//! Puts values into the catalogue's sentences, links and commands. Values come from servers and pasted texts, so
//! each target has its own way of making them harmless.

use std::collections::BTreeMap;
use url::Url;

/// A placeholder's value is cut off after so many characters: server texts can be long.
const LONGEST: usize = 300;

/// Lets `value` say what stands at each `{name}`; nothing as soon as one value is nothing. Braces around anything but a
/// name are PowerShell's own and stay.
fn replace(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        rest = after;
        match after.split_once('}') {
            Some((name, after)) if is_name(name) => {
                out.push_str(&value(name)?);
                rest = after;
            }
            Some(_) | None => out.push('{'),
        }
    }
    out.push_str(rest);
    Some(out)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The names in braces, in order.
#[cfg(test)]
pub(super) fn placeholders(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    replace(text, |name| {
        names.push(name.to_owned());
        Some(String::new())
    });
    names
}

/// Control characters, line and paragraph separators, and characters that reverse the reading direction: none of
/// them has a place in a name, and all of them can make a line read differently from what it does.
fn unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `value` on one line, without anything invisible, cut off after 300 characters.
pub fn clean(value: &str) -> String {
    value
        .chars()
        .filter(|c| !unwanted(*c))
        .take(LONGEST)
        .collect::<String>()
        .trim()
        .to_owned()
}

fn known(args: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let value = clean(args.get(name)?);
    (!value.is_empty()).then_some(value)
}

/// A sentence: values as they are, `blank` for those that are missing.
pub(super) fn sentence(
    text: &str,
    args: &BTreeMap<String, String>,
    blank: impl Fn(&str) -> String,
) -> String {
    replace(text, |name| {
        Some(known(args, name).unwrap_or_else(|| blank(name)))
    })
    .unwrap_or_default()
}

/// A PowerShell command: every value becomes a single-quoted string.
pub(super) fn command(
    text: &str,
    args: &BTreeMap<String, String>,
    blank: impl Fn(&str) -> String,
) -> String {
    replace(text, |name| {
        let value = known(args, name).unwrap_or_else(|| blank(name));
        Some(quoted(&value))
    })
    .unwrap_or_default()
}

/// A PowerShell single-quoted string: nothing in it is expanded, and a quote is written twice. PowerShell takes the
/// typographic quotes U+2018 to U+201B for quotes as well (manual page `about_Quoting_Rules`; PowerShell's
/// `CharExtensions.IsSingleQuote`).
pub fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for c in clean(value).chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// A link: every value is percent-encoded, except `authority`, which must be an HTTPS origin (or HTTP on this
/// computer). Nothing when a value is missing that has no default, or when the outcome is no such URL.
pub(super) fn link(
    text: &str,
    args: &BTreeMap<String, String>,
    defaults: &BTreeMap<String, String>,
) -> Option<String> {
    let url = replace(text, |name| {
        let value = known(args, name).or_else(|| defaults.get(name).cloned())?;
        if name == "authority" {
            origin(&value)
        } else {
            Some(encoded(&value))
        }
    })?;
    is_safe(&Url::parse(&url).ok()?).then_some(url)
}

fn is_safe(url: &Url) -> bool {
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

fn origin(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    is_safe(&url).then(|| url.origin().ascii_serialization())
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that a value can be neither a path nor a query. A value
/// of dots alone would still be a path step.
fn encoded(value: &str) -> String {
    let dots = value.chars().all(|c| c == '.');
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && !dots)
        {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
