//! Explains a pasted text without a network: an AADSTS page, an SMTP line, a SOAP fault, Graph's JSON, an IMAP answer
//! or a bounce. Known codes become cards in the order in which they stand in the text; a text without any
//! becomes one generic card. Nothing is guessed: what is not in the catalogue is called unknown.

mod details;
mod reading;
#[cfg(test)]
mod tests;

use crate::diagnosis::Finding;
use crate::diagnosis::catalogue::{self, Card, Entry, Family, Language};
use crate::diagnosis::redact::redact;
use reading::{Found, Reading};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What follows after so many bytes of a pasted text is not looked at.
const LONGEST: usize = 64 * 1024;
/// A text with more codes than this is a log; the first ones are enough.
const MOST: usize = 12;

/// One recognised code of a pasted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Explanation {
    /// What it means and what to do, with the values found in the text.
    pub card: Card,
    /// The part of the text by which it was recognised; empty for the generic card.
    pub matched: String,
    /// The text, with secrets taken out, at most 4,000 characters.
    pub raw: String,
    /// What else the text says, where it does: `correlation_id`, `request_id`, `trace_id`, `timestamp`, `tenant`,
    /// `client_id`, `scope`, `address`, `login`, and `addresses` (all of them, separated by spaces).
    pub details: BTreeMap<String, String>,
}

/// A code that was found, and where.
struct Hit {
    code: String,
    family: Option<Family>,
    found: Found,
    hint: bool,
}

/// Explains `text` in `language`. There is always at least one explanation. Never fails, whatever the text is.
pub fn explain(text: &str, language: Language) -> Vec<Explanation> {
    let text = reading::shortened(text, LONGEST);
    let details = details::of(text);
    let raw = redact(text, &[]);
    let mut explanations: Vec<Explanation> = hits(text)
        .into_iter()
        .map(|hit| Explanation {
            card: catalogue::card(&hit.code, &details, language),
            matched: redact(&hit.found.matched, &[]),
            raw: raw.clone(),
            details: details.clone(),
        })
        .collect();
    if explanations.is_empty() {
        let code = details::unfamiliar_code(text).unwrap_or_else(|| "unknown".to_owned());
        explanations.push(Explanation {
            card: catalogue::card(&code, &details, language),
            matched: String::new(),
            raw,
            details,
        });
    }
    explanations
}

/// The codes that [`explain`] would explain, in the same order; none where it would say that it does not know.
pub fn codes(text: &str) -> Vec<String> {
    hits(reading::shortened(text, LONGEST))
        .into_iter()
        .filter(|hit| hit.family.is_some())
        .map(|hit| hit.code)
        .collect()
}

/// The card of a finding. Where servers use one code for several things (`ErrorAccessDenied`), the sentence that came with
/// it, kept in the evidence, decides which card it is; `args` are completed with what the evidence says.
pub fn card_of(finding: &Finding, language: Language) -> Card {
    let mut args = finding.args.clone();
    let Some(evidence) = &finding.evidence else {
        return catalogue::card(&finding.code, &args, language);
    };
    for (name, value) in [
        ("correlation_id", &evidence.correlation_id),
        ("request_id", &evidence.request_id),
    ] {
        if let Some(value) = value {
            args.entry(name.to_owned()).or_insert_with(|| value.clone());
        }
    }
    let narrower = codes(&evidence.raw)
        .into_iter()
        .find(|code| is_narrower(code, &finding.code));
    catalogue::card(narrower.as_ref().unwrap_or(&finding.code), &args, language)
}

/// Whether the entry of `code` is recognised by a sentence that follows `wide`.
fn is_narrower(code: &str, wide: &str) -> bool {
    let patterns = catalogue::get(code).and_then(|entry| entry.patterns.as_deref());
    patterns.unwrap_or_default().iter().any(|pattern| {
        let first = pattern.split('…').next().unwrap_or_default().trim();
        pattern.contains('…') && first == wide
    })
}

fn hits(text: &str) -> Vec<Hit> {
    let reading = Reading::of(text);
    if let Some(whole) = whole_text(&reading) {
        return vec![whole];
    }
    let mut hits = numbers(&reading);
    let has_known_number = hits.iter().any(|hit| hit.family.is_some());
    for entry in catalogue::entries() {
        // Entra's sentences go with a number; where it is there, a sentence could only name another one.
        if has_known_number && entry.family() == Family::Entra {
            continue;
        }
        hits.extend(matches(&reading, entry));
    }
    choose(hits, reading.is_soap())
}

/// A text that is nothing but a code, or nothing but the digits of an AADSTS number.
fn whole_text(reading: &Reading) -> Option<Hit> {
    let text = reading.original().trim();
    let entry = catalogue::get(text);
    let code = match entry {
        Some(_) => text.to_owned(),
        None => format!("AADSTS{text}"),
    };
    let entry = catalogue::get(&code)?;
    (code != "unknown").then(|| Hit {
        code: entry
            .codes()
            .find(|known| known.eq_ignore_ascii_case(&code))
            .unwrap_or(&entry.code)
            .to_owned(),
        family: Some(entry.family()),
        found: Found::whole(text),
        hint: false,
    })
}

/// Entra's numbers: `AADSTS65001` anywhere, and bare where a field says that it is one.
fn numbers(reading: &Reading) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (digits, found, certain) in reading.aadsts_numbers() {
        let code = format!("AADSTS{digits}");
        let family = catalogue::get(&code).map(Entry::family);
        if certain || family.is_some() {
            hits.push(Hit {
                code,
                family,
                found,
                hint: false,
            });
        }
    }
    hits
}

/// Where an entry's patterns stand; each pattern counts once.
fn matches(reading: &Reading, entry: &Entry) -> Vec<Hit> {
    let own: Vec<&str> = entry.codes().collect();
    let patterns = match &entry.patterns {
        Some(patterns) => patterns.iter().map(String::as_str).collect(),
        None => own.clone(),
    };
    patterns
        .into_iter()
        .filter(|pattern| !pattern.starts_with("AADSTS"))
        .filter_map(|pattern| {
            let (hint, words) = match pattern.strip_prefix('~') {
                Some(words) => (true, words),
                None => (false, pattern),
            };
            let code = own
                .iter()
                .find(|code| code.eq_ignore_ascii_case(words) || has_number(code, words))
                .unwrap_or(&entry.code.as_str())
                .to_string();
            Some(Hit {
                code,
                family: Some(entry.family()),
                found: reading.find(words)?,
                hint,
            })
        })
        .collect()
}

/// `SMTP 5.1.1` is what the pattern `5.1.1` finds, `EWS ErrorAccessDenied` what `ErrorAccessDenied` finds.
fn has_number(code: &str, words: &str) -> bool {
    ["SMTP ", "EWS "]
        .iter()
        .any(|prefix| code.strip_prefix(prefix).is_some_and(|rest| rest == words))
}

/// Certain ones before hints, longer ones before shorter ones in the same place, one per code, in the text's order.
fn choose(mut hits: Vec<Hit>, soap: bool) -> Vec<Hit> {
    let certain = hits.iter().any(|hit| !hit.hint && hit.family.is_some());
    if certain {
        hits.retain(|hit| !hit.hint);
    }
    leave_out_namesakes(&mut hits, soap);
    hits.sort_by_key(|hit| (std::cmp::Reverse(hit.found.weight), hit.found.start()));
    let mut chosen: Vec<Hit> = Vec::new();
    for hit in hits {
        let taken = chosen
            .iter()
            .any(|other| other.code == hit.code || other.found.overlaps(&hit.found));
        if !taken {
            chosen.push(hit);
        }
    }
    chosen.sort_by_key(|hit| hit.found.start());
    chosen.dedup_by(|later, earlier| same_entry(later, earlier));
    chosen.truncate(MOST);
    chosen
}

/// A code that Graph and EWS share stands for the one whose kind of text this is.
fn leave_out_namesakes(hits: &mut Vec<Hit>, soap: bool) {
    let (right, other) = if soap {
        (Family::Ews, Family::Graph)
    } else {
        (Family::Graph, Family::Ews)
    };
    let name = |hit: &Hit| hit.code.trim_start_matches("EWS ").to_owned();
    let right: Vec<String> = hits
        .iter()
        .filter(|hit| hit.family == Some(right))
        .map(name)
        .collect();
    hits.retain(|hit| hit.family != Some(other) || !right.contains(&name(hit)));
}

/// Two names of one entry beside each other need only one card, except for AADSTS numbers, which people look for.
fn same_entry(a: &Hit, b: &Hit) -> bool {
    let entry = |hit: &Hit| catalogue::get(&hit.code).map(|entry| entry.code.clone());
    !a.code.starts_with("AADSTS") && entry(a).is_some() && entry(a) == entry(b)
}
