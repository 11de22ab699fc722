//! The tree of parts (RFC 2046), found in one pass over the lines with a stack of boundaries. Depth and
//! count are capped here, before any parser sees a byte; message/rfc822 parts are leaves and are not entered.

use std::borrow::Cow;
use std::ops::Range;

use super::fields::{self, Fields, Parametric};
use super::transfer;

/// Bytes looked at; Exchange Online takes messages up to 150 MB ("Exchange Online limits").
pub(super) const LARGEST: usize = 150 * 1024 * 1024;
/// Multiparts within multiparts; real mail has fewer than ten.
const DEEPEST: usize = 64;
/// Parts in a mail.
const MOST_PARTS: usize = 10_000;

/// One part: the whole mail (number 0), a multipart, or a leaf.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) fields: Fields,
    pub(super) media: Parametric,
    pub(super) disposition: Parametric,
    /// Bytes after the header, without the line end before the next delimiter.
    pub(super) body: Range<usize>,
    /// Parts directly below.
    pub(super) children: Vec<usize>,
    /// Whether it is a multipart whose boundary occurs.
    pub(super) multipart: bool,
}

impl Part {
    /// Type and subtype in lower case.
    pub(super) fn media_type(&self) -> &str {
        &self.media.value
    }

    /// The file name that the sender gave.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.disposition
            .get("filename")
            .or_else(|| self.media.get("name"))
    }

    /// `Content-ID` without angle brackets.
    pub(super) fn content_id(&self) -> Option<String> {
        let id = self.fields.text("content-id")?;
        let id = id
            .trim()
            .trim_start_matches('<')
            .trim_end_matches('>')
            .trim();
        (!id.is_empty() && id.len() <= 500).then(|| id.to_owned())
    }
}

/// A mail taken apart.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    raw: Cow<'a, [u8]>,
    /// Parts in the order in which they stand; the mail itself is the first.
    pub(super) parts: Vec<Part>,
    /// What was cut, as [`super::ParsedMail::damage`] says it.
    pub(super) damage: Vec<&'static str>,
}

struct Open {
    part: usize,
    boundary: Vec<u8>,
}

impl<'a> Tree<'a> {
    /// Takes a mail apart.
    pub(super) fn read(raw: &'a [u8]) -> Self {
        let mut damage = Vec::new();
        let raw = if raw.len() > LARGEST {
            damage.push("too_large");
            &raw[..LARGEST]
        } else {
            raw
        };
        let raw = one_line_end(raw);
        let mut scan = Scan {
            raw: &raw,
            parts: Vec::new(),
            stack: Vec::new(),
            damage,
        };
        scan.run();
        let Scan {
            mut parts, damage, ..
        } = scan;
        hand_down_hint(&mut parts);
        Self { raw, parts, damage }
    }

    /// The body of a part as it stands.
    pub(super) fn body(&self, part: &Part) -> &[u8] {
        self.raw.get(part.body.clone()).unwrap_or_default()
    }

    /// The body of a part, decoded after its `Content-Transfer-Encoding`.
    pub(super) fn decoded(&self, part: &Part) -> Cow<'_, [u8]> {
        transfer::decode(
            self.body(part),
            &part
                .fields
                .text("content-transfer-encoding")
                .unwrap_or_default(),
        )
    }
}

struct Scan<'a> {
    raw: &'a [u8],
    parts: Vec<Part>,
    stack: Vec<Open>,
    damage: Vec<&'static str>,
}

impl Scan<'_> {
    fn run(&mut self) {
        let (start, leaf) = self.part(skip_preface(self.raw), None);
        let mut leaf = leaf;
        let mut pos = start;
        while pos < self.raw.len() && !self.stack.is_empty() {
            let (line, next) = fields::line(self.raw, pos);
            let Some((level, closing)) = delimiter(&self.stack, line) else {
                pos = next;
                continue;
            };
            self.end(leaf.take(), pos);
            self.stack.truncate(level + 1);
            let parent = self.stack[level].part;
            self.parts[parent].multipart = true;
            if closing {
                self.parts[parent].body.end = pos;
                self.stack.pop();
                pos = next;
                continue;
            }
            if self.parts.len() >= MOST_PARTS {
                note(&mut self.damage, "too_many_parts");
                break;
            }
            (pos, leaf) = self.part(next, Some(parent));
        }
        if !self.stack.is_empty() {
            note(&mut self.damage, "truncated");
        }
        let end = self.raw.len();
        self.end(leaf.take(), end);
        if self.parts.iter().any(|part| part.fields.cut) {
            note(&mut self.damage, "too_large");
        }
    }

    /// Reads the header at `at` and files the part; returns where its body starts and the part, if a leaf.
    fn part(&mut self, at: usize, parent: Option<usize>) -> (usize, Option<usize>) {
        let stack = &self.stack;
        let (fields, start) =
            Fields::read(self.raw, at.min(self.raw.len()), parent.is_none(), |line| {
                parent.is_some() && delimiter(stack, line).is_some()
            });
        let in_digest = parent.is_some_and(|p| self.parts[p].media_type() == "multipart/digest");
        let mut media = fields
            .text("content-type")
            .map(|text| Parametric::read(&text, None))
            .unwrap_or_default();
        if !media.value.contains('/') {
            media.value = match media.value.as_str() {
                "" if in_digest => "message/rfc822",
                "html" => "text/html",
                _ => "text/plain",
            }
            .to_owned();
        }
        let disposition = fields
            .text("content-disposition")
            .map(|text| Parametric::read(&text, None))
            .unwrap_or_default();
        let boundary = media
            .get("boundary")
            .map(|boundary| boundary.trim_end().as_bytes().to_vec());
        let boundary = boundary
            .filter(|boundary| media.value.starts_with("multipart/") && !boundary.is_empty());
        if boundary.is_some() && self.stack.len() >= DEEPEST {
            // What lies deeper hangs below the deepest part allowed, so that its text is still found.
            note(&mut self.damage, "too_deep");
            if let (Some(boundary), Some(open)) = (boundary, self.stack.last_mut()) {
                open.boundary = boundary;
            }
            return (start, None);
        }
        let number = self.parts.len();
        self.parts.push(Part {
            fields,
            media,
            disposition,
            body: start..self.raw.len(),
            ..Part::default()
        });
        if let Some(parent) = parent {
            self.parts[parent].children.push(number);
        }
        self.stack.extend(boundary.map(|boundary| Open {
            part: number,
            boundary,
        }));
        (start, Some(number))
    }

    /// Ends a leaf before the delimiter at `pos`; the line end before it belongs to the delimiter (RFC 2046
    /// section 5.1.1). A multipart that has no parts so far is only ended by its own or an outer delimiter.
    fn end(&mut self, leaf: Option<usize>, pos: usize) {
        let Some(part) = leaf.and_then(|leaf| self.parts.get_mut(leaf)) else {
            return;
        };
        let mut end = pos.max(part.body.start);
        for byte in *b"\n\r" {
            if end < self.raw.len() && end > part.body.start && self.raw[end - 1] == byte {
                end -= 1;
            }
        }
        part.body.end = end;
    }
}

/// Which open multipart this line delimits, innermost first, and whether it closes it.
fn delimiter(stack: &[Open], line: &[u8]) -> Option<(usize, bool)> {
    let rest = line.strip_prefix(b"--")?;
    stack.iter().enumerate().rev().find_map(|(level, open)| {
        let after = rest.strip_prefix(open.boundary.as_slice())?;
        let closing = after.starts_with(b"--");
        let after = if closing { &after[2..] } else { after };
        after
            .iter()
            .all(u8::is_ascii_whitespace)
            .then_some((level, closing))
    })
}

/// Empty lines, a byte order mark and an mbox line before the header are passed over.
fn skip_preface(raw: &[u8]) -> usize {
    let mut at = if raw.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    while raw.get(at).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        at += 1;
    }
    if raw[at..].starts_with(b"From ") || raw[at..].starts_with(b">From ") {
        at = fields::line(raw, at).1;
    }
    at
}

/// Mail with bare carriage returns for line ends gets line feeds instead.
fn one_line_end(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(
        raw.iter()
            .map(|b| if *b == b'\r' { b'\n' } else { *b })
            .collect(),
    )
}

/// Raw bytes in the headers are most likely written in the charset of the first text part that names one.
fn hand_down_hint(parts: &mut [Part]) {
    let hint = parts
        .iter()
        .filter(|part| part.media_type().starts_with("text/"))
        .find_map(|part| part.media.get("charset"));
    let Some(hint) = hint.map(str::to_owned) else {
        return;
    };
    for part in parts {
        part.fields.hint = Some(hint.clone());
        for (field, into) in [
            ("content-type", &mut part.media),
            ("content-disposition", &mut part.disposition),
        ] {
            let raw = part.fields.raw(field).unwrap_or_default();
            if std::str::from_utf8(raw).is_err() {
                let value = std::mem::take(&mut into.value);
                let text = super::charset::decode(raw, None, Some(&hint));
                *into = Parametric::read(&text, Some(&hint));
                into.value = value;
            }
        }
    }
}

/// Notes a damage once.
pub(super) fn note(damage: &mut Vec<&'static str>, word: &'static str) {
    if !damage.contains(&word) {
        damage.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(raw: &str) -> Vec<String> {
        let tree = Tree::read(raw.as_bytes());
        let leaves = tree.parts.iter().filter(|part| !part.multipart);
        leaves
            .map(|part| String::from_utf8_lossy(tree.body(part)).into_owned())
            .collect()
    }

    #[test]
    fn outer_delimiters_end_inner_parts() {
        let raw = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n\
                   --ab\n\none\n--a\n\ntwo\n--a--\nepilogue";
        assert_eq!(bodies(raw), ["one", "two"]);
        assert!(Tree::read(raw.as_bytes()).damage.is_empty());
    }

    #[test]
    fn a_boundary_that_starts_like_another_is_told_apart() {
        let raw = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n--xy is text\n--x--\n";
        assert_eq!(bodies(raw), ["--xy is text"]);
    }

    #[test]
    fn a_part_without_header_is_text() {
        let raw = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\njust text\r\n\r\nmore\r\n--x--\r\n";
        assert_eq!(bodies(raw), ["just text\r\n\r\nmore"]);
    }

    #[test]
    fn says_when_the_end_is_missing() {
        let tree = Tree::read(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\ncut her");
        assert_eq!(tree.damage, ["truncated"]);
        assert_eq!(tree.body(&tree.parts[1]), b"cut her");
    }
}
