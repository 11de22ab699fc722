//! Which parts are the body, and their text.

use std::collections::HashSet;

use super::structure::{Part, Tree};
use super::{charset, markup, transfer};

/// Bytes of text kept.
pub(super) const TEXT: usize = 1024 * 1024;
/// Bytes of an encoded body that are decoded for text.
const SOURCE: usize = 2 * TEXT;

/// A part of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) part: usize,
    pub(super) html: bool,
}

/// Which of several renderings of one content is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Text,
    Html,
}

/// The parts of the body in reading order.
pub(super) fn pieces(tree: &Tree<'_>, wanted: Wanted) -> Vec<Piece> {
    let mut out = Vec::new();
    if !tree.parts.is_empty() {
        collect(tree, 0, wanted, &mut out);
    }
    out
}

/// Depth is capped by [`Tree`], so this recursion is too.
fn collect(tree: &Tree<'_>, index: usize, wanted: Wanted, out: &mut Vec<Piece>) {
    let part = &tree.parts[index];
    if !part.multipart {
        if let Some(html) = shown(part, index == 0) {
            out.push(Piece { part: index, html });
        }
        return;
    }
    match part.media_type() {
        "multipart/alternative" => out.extend(choose(tree, part, wanted)),
        // The root is the first part (RFC 2387); what a report or a signature adds are attachments.
        "multipart/related" | "multipart/report" | "multipart/signed" => {
            if let Some(first) = part.children.first() {
                collect(tree, *first, wanted, out);
            }
        }
        _ => part
            .children
            .iter()
            .for_each(|child| collect(tree, *child, wanted, out)),
    }
}

fn choose(tree: &Tree<'_>, part: &Part, wanted: Wanted) -> Vec<Piece> {
    let mut last = Vec::new();
    for child in &part.children {
        let mut pieces = Vec::new();
        collect(tree, *child, wanted, &mut pieces);
        let filled = pieces.iter().any(|piece| !blank(tree, *piece));
        let html = pieces.iter().any(|piece| piece.html);
        if wanted == Wanted::Text && filled && !html {
            return pieces;
        }
        // RFC 2046 section 5.1.4: the last one is the best; plain text does not displace HTML here.
        if filled && (html || !last.iter().any(|piece: &Piece| piece.html)) {
            last = pieces;
        }
    }
    last
}

/// Whether a leaf is shown as part of the body, and if so whether it is HTML.
fn shown(part: &Part, root: bool) -> Option<bool> {
    if part.disposition.value == "attachment" || (!root && part.file_name().is_some()) {
        return None;
    }
    match part.media_type() {
        "text/html" => Some(true),
        "text/plain" | "text/enriched" | "text/markdown" => Some(false),
        // Its boundary never comes: whatever is there is shown.
        multipart if multipart.starts_with("multipart/") => Some(false),
        _ => None,
    }
}

fn blank(tree: &Tree<'_>, piece: Piece) -> bool {
    let part = &tree.parts[piece.part];
    let body = tree.body(part);
    if body.len() <= 64 {
        tree.decoded(part).trim_ascii().is_empty()
    } else {
        body.trim_ascii().is_empty()
    }
}

/// Parts that are neither body nor a further rendering of it.
pub(super) fn attached(tree: &Tree<'_>) -> Vec<usize> {
    let used = [Wanted::Text, Wanted::Html]
        .iter()
        .flat_map(|w| pieces(tree, *w))
        .map(|p| p.part)
        .collect::<HashSet<_>>();
    let renderings = tree
        .parts
        .iter()
        .filter(|part| part.media_type() == "multipart/alternative")
        .flat_map(|part| &part.children)
        .filter(|child| {
            let part = &tree.parts[**child];
            part.media_type().starts_with("text/")
                && part.media_type() != "text/calendar"
                && part.file_name().is_none()
        })
        .collect::<HashSet<_>>();
    let leaves = tree
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.multipart);
    leaves
        .filter(|(index, part)| {
            let nothing = part.file_name().is_none() && tree.body(part).trim_ascii().is_empty();
            !used.contains(index) && !renderings.contains(index) && !nothing
        })
        .map(|(index, _)| index)
        .collect()
}

/// The characters of a text part, and whether they were cut.
pub(super) fn characters(tree: &Tree<'_>, part: &Part) -> (String, bool) {
    let body = tree.body(part);
    let source = &body[..body.len().min(SOURCE)];
    let bytes = transfer::decode(
        source,
        &part
            .fields
            .text("content-transfer-encoding")
            .unwrap_or_default(),
    );
    let text = charset::decode(
        &bytes,
        part.media.get("charset"),
        part.fields.hint.as_deref(),
    );
    (text, source.len() < body.len())
}

/// The text of the whole body, and whether it was cut.
pub(super) fn text(tree: &Tree<'_>) -> (String, bool) {
    let mut out = String::new();
    let mut cut = false;
    for piece in pieces(tree, Wanted::Text) {
        let part = &tree.parts[piece.part];
        let (characters, short) = characters(tree, part);
        cut |= short;
        let text = if piece.html {
            markup::to_text(&characters)
        } else if part
            .media
            .get("format")
            .is_some_and(|f| f.eq_ignore_ascii_case("flowed"))
        {
            let delete_space = part
                .media
                .get("delsp")
                .is_some_and(|d| d.eq_ignore_ascii_case("yes"));
            unflow(&characters, delete_space)
        } else {
            characters
        };
        cut |= text.len() > TEXT;
        let text = clean(&text[..floor(&text, TEXT)]);
        if !text.is_empty() {
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            out.push_str(&text);
        }
        if out.len() > TEXT {
            cut = true;
            out.truncate(floor(&out, TEXT));
            break;
        }
    }
    (out, cut)
}

/// The last character boundary at or before `most`.
pub(super) fn floor(text: &str, most: usize) -> usize {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// Line ends made uniform, control characters and direction overrides taken out, blank edges trimmed.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let harmless = |b: u8| matches!(b, b'\n' | b'\t' | b' '..=b'~');
    if text.bytes().all(harmless) {
        return trim(&text).to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{c}' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            '\u{feff}' | '\u{202d}' | '\u{202e}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    trim(&out).to_owned()
}

/// Without empty lines at the beginning and white space at the end; the first line keeps its indentation.
fn trim(text: &str) -> &str {
    let start = text
        .find(|c: char| !c.is_whitespace())
        .unwrap_or(text.len());
    let start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    text[start..].trim_end()
}

/// Paragraphs put together again (RFC 3676).
fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let quotes = line.bytes().take_while(|b| *b == b'>').count();
        let content = &line[quotes..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if open != Some(quotes) || signature {
            if open.is_some() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', quotes));
            if quotes > 0 && !content.is_empty() {
                out.push(' ');
            }
        }
        if content.ends_with(' ') && !signature {
            out.push_str(if delete_space {
                &content[..content.len() - 1]
            } else {
                content
            });
            open = Some(quotes);
        } else {
            out.push_str(content);
            out.push('\n');
            open = None;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_flowed_paragraphs_together() {
        let text = "Dear team, \nthe box \nis full.\n> what \n> now?\n>> old\n\n-- \nAnna";
        assert_eq!(
            unflow(text, false),
            "Dear team, the box is full.\n> what now?\n>> old\n\n-- \nAnna\n"
        );
        assert_eq!(unflow("日本 \n語\n", true), "日本語\n");
    }

    #[test]
    fn takes_control_characters_out() {
        assert_eq!(clean("\r\n  a\0b\u{7}\r\nc\td\u{202e}\n\n"), "  ab\nc\td");
    }
}
