//! Results on standard output, notes and progress on standard error.
#![expect(clippy::print_stderr, reason = "this is where the command line speaks")]

use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{AddressView, ImportView, LedgerTotals, Status};
use mailroom_core::diagnosis::Finding;
use mailroom_core::diagnosis::catalogue::{self, Card, Language};
use mailroom_core::diagnosis::explain;
use mailroom_core::words;
use serde::Serialize;
use std::collections::BTreeMap;

/// A line of the result.
pub(crate) fn line(text: &str) {
    use std::io::Write;
    // Nobody reads any more (`| head`): there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The result as one JSON document.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => note(&error.to_string()),
    }
}

/// A note beside the result.
pub(crate) fn note(text: &str) {
    eprintln!("{}", plain(text));
}

/// A JSON line of progress.
pub(crate) fn progress_json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        eprintln!("{text}");
    }
}

/// Text from a server or a mail without control characters: a terminal obeys some of them.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// On one line, cut to `width` characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let text: String = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= width {
        return text;
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A table with its columns as wide as needed.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| width(cell));
            cells
                .chain([width(head.get(column).copied().unwrap_or_default())])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let draw = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide.saturating_sub(width(cell)))))
            .collect();
        line(cells.join("  ").trim_end());
    };
    draw(head.to_vec());
    for row in rows {
        draw(row.iter().map(String::as_str).collect());
    }
}

/// Columns that a text takes in a terminal: East Asian wide characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}') { 2 } else { 1 }).sum()
}

/// The status table, with the causes below it.
pub(crate) fn addresses(views: &[AddressView], language: &str) {
    if views.is_empty() {
        line(
            "No address is connected yet. `mailroom connect ADDRESS` connects one; `mailroom practice` shows how it goes.",
        );
        return;
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            vec![
                view.address.clone(),
                view.brand.clone(),
                provider(view).to_owned(),
                status_word(view.status, language),
                view.last_success_at.map_or("-".into(), |at| ago(now - at)),
                view.next_poll_at.map_or("-".into(), |at| ahead(at - now)),
                view.new_tickets_today.to_string(),
                view.open_tickets.to_string(),
                view.import.as_ref().map_or("-".into(), import_cell),
            ]
        })
        .collect();
    table(
        &[
            "ADDRESS",
            "BRAND",
            "PROVIDER",
            "STATUS",
            "LAST SUCCESS",
            "NEXT POLL",
            "NEW TODAY",
            "OPEN",
            "IMPORT",
        ],
        &rows,
    );
    for view in views {
        if let Some(cause) = &view.cause {
            line("");
            line(&format!("{}:", view.address));
            finding(cause, language);
        }
    }
}

/// The status in words.
pub(crate) fn status_word(status: Status, language: &str) -> String {
    words::words(language).status(status).to_owned()
}

fn provider(view: &AddressView) -> &'static str {
    use mailroom_core::api::view::ProviderKind;
    match view.provider {
        ProviderKind::Graph if view.sandbox => "Graph (practice)",
        ProviderKind::Graph => "Graph",
        ProviderKind::Imap => "IMAP",
        ProviderKind::Ews => "EWS",
    }
}

fn import_cell(import: &ImportView) -> String {
    let done = import.totals.found.saturating_sub(import.pending);
    format!("{done}/{} {}", import.totals.found, state_word(import))
}

fn state_word(import: &ImportView) -> &'static str {
    use mailroom_core::api::view::ImportState;
    match import.state {
        ImportState::Listing => "listing",
        ImportState::Running => "running",
        ImportState::Paused => "paused",
        ImportState::Cancelled => "cancelled",
        ImportState::Done => "done",
    }
}

/// Totals on one line; they add up.
pub(crate) fn totals(totals: &LedgerTotals) {
    line(&format!(
        "found {} = imported {} + duplicate {} + skipped {} + failed {}",
        totals.found, totals.imported, totals.duplicate, totals.skipped, totals.failed
    ));
}

/// What is wrong and why, in a line.
pub(crate) fn in_short(finding: &Finding, language: &str) -> String {
    let card = explain::card_of(finding, Language::from_tag(language));
    format!("{} {}", card.title, card.meaning)
}

/// A finding as the catalogue words it, with what the server said.
pub(crate) fn finding(finding: &Finding, language: &str) {
    card(&explain::card_of(finding, Language::from_tag(language)));
    if let Some(evidence) = &finding.evidence {
        let mut said = cut(&evidence.raw, 600);
        if let Some(id) = &evidence.request_id {
            said.push_str(&format!(" (request id {id})"));
        }
        if !said.is_empty() {
            line(&format!("  Server: {said}"));
        }
    }
}

/// A card of the catalogue.
pub(crate) fn card(card: &Card) {
    line(&format!("  {} [{}]", card.title, card.code));
    line(&format!("  {}", card.meaning));
    if !card.fixer_labels.is_empty() {
        line(&format!("  → {}", card.fixer_labels.join(" / ")));
    }
    for (number, step) in card.steps.iter().enumerate() {
        line(&format!("  {}. {step}", number + 1));
    }
    for note in &card.notes {
        line(&format!("  {note}"));
    }
    for command in &card.commands {
        line(&format!("     {}", command.text));
    }
    for link in &card.links {
        line(&format!("     {}: {}", link.label, link.url));
    }
}

/// What a card says in a sentence, and where it leads.
pub(crate) fn hint(code: &str, language: &str) {
    let card = catalogue::card(code, &BTreeMap::new(), Language::from_tag(language));
    line(&card.meaning);
    for link in &card.links {
        line(&format!("  {}: {}", link.label, link.url));
    }
}

/// An error of the core.
pub(crate) fn api_error(error: &ApiError, as_json: bool, language: &str) {
    if as_json {
        progress_json(error);
        return;
    }
    let values: Vec<String> = error
        .args
        .iter()
        .map(|(name, value)| format!("{name}: {}", plain(value)))
        .collect();
    note(&crate::commands::words_for(error));
    if !values.is_empty() {
        note(&format!("  {}", values.join(", ")));
    }
    let Some(evidence) = &error.evidence else {
        return;
    };
    note(&format!("  Server: {}", cut(&evidence.raw, 600)));
    // What the catalogue knows of the server's words says what to do about them.
    let code = evidence.code.as_deref().unwrap_or_default();
    let card = catalogue::card(code, &error.args, Language::from_tag(language));
    if error.code == ErrorCode::ServerRefused && card.known {
        note(&format!("  {}. {}", card.title, card.meaning));
        for link in &card.links {
            note(&format!("  {}: {}", link.label, link.url));
        }
    }
}

/// A span of time, roughly.
pub(crate) fn ago(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

fn ahead(millis: i64) -> String {
    let seconds = (millis + 999) / 1000;
    match seconds {
        ..=0 => "now".into(),
        1..120 => format!("in {seconds} s"),
        _ => format!("in {} min", seconds / 60),
    }
}
