//! A pasted text made easy to search: one case, single spaces, no escapes; every place leads back to the original.

use std::ops::Range;

/// The parts of a pattern may lie this many bytes apart.
const WIDEST_GAP: usize = 400;

/// The beginning of `text`, cut at a character.
pub(super) fn shortened(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Found {
    parts: Vec<Range<usize>>,
    /// How much of the text speaks for it: the length of all parts.
    pub(super) weight: usize,
    /// The original text from the first part to the last.
    pub(super) matched: String,
}

impl Found {
    pub(super) fn whole(text: &str) -> Self {
        Self {
            parts: std::iter::once(0..text.len()).collect(),
            weight: text.len(),
            matched: text.to_owned(),
        }
    }

    pub(super) fn start(&self) -> usize {
        self.parts.first().map_or(0, |part| part.start)
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.parts.iter().any(|one| {
            other
                .parts
                .iter()
                .any(|two| one.start < two.end && two.start < one.end)
        })
    }
}

/// The text as it is searched.
pub(super) struct Reading<'a> {
    original: &'a str,
    plain: String,
    /// For every byte of `plain`, where its character begins in `original`.
    places: Vec<usize>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(original: &'a str) -> Self {
        let mut reading = Self {
            original,
            plain: String::with_capacity(original.len()),
            places: Vec::with_capacity(original.len()),
        };
        // Only the address that a browser is sent back to is percent-encoded; elsewhere `+` and `%` mean themselves.
        let encoded = ["error=", "error_description=", "error%3d"]
            .iter()
            .any(|sign| contains_ignoring_case(original, sign));
        let mut rest = original;
        while let Some(c) = rest.chars().next() {
            let at = original.len() - rest.len();
            let (plain, length) = unescaped(rest, encoded).unwrap_or((Some(c), c.len_utf8()));
            if let Some(plain) = plain {
                reading.push(plain, at);
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        reading
    }

    fn push(&mut self, c: char, at: usize) {
        let c = match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            '‘' | '’' | '‚' | '‛' => '\'',
            '“' | '”' | '„' => '"',
            c => c.to_ascii_lowercase(),
        };
        if c == ' ' && self.plain.ends_with(' ') {
            return;
        }
        self.plain.push(c);
        self.places.resize(self.plain.len(), at);
    }

    pub(super) fn original(&self) -> &'a str {
        self.original
    }

    /// Whether it is an answer of Exchange Web Services rather than of Graph.
    pub(super) fn is_soap(&self) -> bool {
        [
            "soap",
            "responsecode",
            "<m:",
            "exchange/services/2006",
            "exchange.asmx",
            "responseclass",
        ]
        .iter()
        .any(|sign| self.plain.contains(sign))
    }

    /// The first place of a pattern: its parts between `…`, in order, each not inside of a longer word or number.
    pub(super) fn find(&self, pattern: &str) -> Option<Found> {
        let pattern = pattern.to_ascii_lowercase();
        let words: Vec<&str> = pattern.split('…').map(str::trim).collect();
        let (first, more) = words.split_first()?;
        let mut from = 0;
        // Each start costs at most one look at a short stretch, so that no text makes this slow.
        for _ in 0..64 {
            let start = self.find_word(first, from, self.plain.len())?;
            let mut parts = Vec::with_capacity(words.len());
            parts.push(start..start + first.len());
            for word in more {
                let end = parts.last().map_or(start, |part| part.end);
                let limit = self.plain.len().min(end + WIDEST_GAP + word.len());
                match self.find_word(word, end, limit) {
                    Some(at) => parts.push(at..at + word.len()),
                    None => break,
                }
            }
            if parts.len() == words.len() {
                return Some(self.found(parts));
            }
            from = start + 1;
        }
        None
    }

    fn found(&self, parts: Vec<Range<usize>>) -> Found {
        let start = parts.first().map_or(0, |part| part.start);
        let end = parts.last().map_or(0, |part| part.end);
        let begin = self.places.get(start).copied().unwrap_or_default();
        let stop = self.places.get(end).copied().unwrap_or(self.original.len());
        Found {
            weight: parts.iter().map(Range::len).sum(),
            matched: self
                .original
                .get(begin..stop)
                .unwrap_or_default()
                .to_owned(),
            parts,
        }
    }

    fn find_word(&self, word: &str, from: usize, to: usize) -> Option<usize> {
        if word.is_empty() {
            return None;
        }
        let bytes = self.plain.as_bytes();
        let mut at = from;
        while at < to {
            // `from` may lie inside of a character after a failed try.
            at = self.plain.ceil_char_boundary(at);
            let stretch = self
                .plain
                .get(at..self.plain.floor_char_boundary(to).max(at))?;
            at += stretch.find(word)?;
            if stands_alone(bytes, at, at + word.len()) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Digits of AADSTS numbers, where they stand, and whether they certainly are such a number.
    pub(super) fn aadsts_numbers(&self) -> Vec<(String, Found, bool)> {
        let mut numbers = Vec::new();
        for (sign, certain) in [
            ("aadsts", true),
            ("error_codes", false),
            ("errorcode", false),
            ("error code", false),
            ("error?code=", false),
        ] {
            for (at, _) in self.plain.match_indices(sign) {
                let mut digits_at = at + sign.len();
                if !certain {
                    digits_at += self
                        .plain
                        .bytes()
                        .skip(digits_at)
                        .take(4)
                        .take_while(|byte| b" \":=[".contains(byte))
                        .count();
                }
                let digits: String = self
                    .plain
                    .bytes()
                    .skip(digits_at)
                    .take_while(u8::is_ascii_digit)
                    .map(char::from)
                    .collect();
                if (4..=9).contains(&digits.len()) {
                    let place = if certain { at } else { digits_at };
                    let range = place..digits_at + digits.len();
                    numbers.push((digits, self.found(vec![range]), certain));
                }
            }
        }
        numbers
    }
}

fn contains_ignoring_case(text: &str, sign: &str) -> bool {
    text.as_bytes()
        .windows(sign.len())
        .any(|window| window.eq_ignore_ascii_case(sign.as_bytes()))
}

/// What an escape at the beginning of `rest` stands for (nothing: it disappears), and its length.
fn unescaped(rest: &str, encoded: bool) -> Option<(Option<char>, usize)> {
    const ESCAPES: [(&str, Option<char>); 17] = [
        ("\\r", Some(' ')),
        ("\\n", Some(' ')),
        ("\\t", Some(' ')),
        ("\\\"", Some('"')),
        ("\\/", Some('/')),
        ("\\u0027", Some('\'')),
        ("\\u003c", Some('<')),
        ("\\u003e", Some('>')),
        ("&quot;", Some('"')),
        ("&apos;", Some('\'')),
        ("&#39;", Some('\'')),
        ("&#x27;", Some('\'')),
        ("&lt;", Some('<')),
        ("&gt;", Some('>')),
        ("&amp;", Some('&')),
        // The soft line break of quoted-printable (RFC 2045 §6.7).
        ("=\r\n", None),
        ("=\n", None),
    ];
    if let Some((escape, plain)) = ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape)) {
        return Some((*plain, escape.len()));
    }
    if !encoded {
        return None;
    }
    if rest.starts_with('+') {
        return Some((Some(' '), 1));
    }
    let hex = rest.strip_prefix('%')?.get(..2)?;
    let byte = u8::from_str_radix(hex, 16).ok()?;
    byte.is_ascii().then(|| (Some(char::from(byte)), 3))
}

/// Whether `start..end` is no part of a longer word, and no part of a longer dotted number.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| bytes.get(index)).copied();
    let is_word =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let first = at(Some(start));
    let last = at(end.checked_sub(1));
    let before = at(start.checked_sub(1));
    let after = at(Some(end));
    if is_word(first) && is_word(before) || is_word(last) && is_word(after) {
        return false;
    }
    let dotted_before =
        is_digit(first) && before == Some(b'.') && is_digit(at(start.checked_sub(2)));
    let dotted_after = is_digit(last) && after == Some(b'.') && is_digit(at(Some(end + 1)));
    !(dotted_before || dotted_after)
}
