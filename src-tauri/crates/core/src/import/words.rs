//! Encoded words (RFC 2047) in header fields. Neighbours of one charset are joined before decoding,
//! because senders split characters between them.

use base64::Engine as _;

use super::{charset, transfer};

/// Encoded words decoded per field; the rest stays as written.
const WORDS: usize = 2_000;
/// Longest encoded text looked at; RFC 2047 allows 75 characters, senders do not care.
const WORD_LENGTH: usize = 4_096;
/// What looks like an encoded word and is none, before no more are looked for.
const FAILURES: usize = 32;

struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// A field value as text: encoded words decoded, white space between them dropped.
pub(super) fn decode(value: &str, hint: Option<&str>) -> String {
    rewrite(value, hint, "=?", |text| text)
}

/// A field value with addresses: encoded words become short UTF-8 ones that a parser of addresses takes
/// apart without trouble, because a decoded name may hold commas and brackets.
pub(super) fn for_addresses(value: &str, hint: Option<&str>) -> String {
    // What is no encoded word is broken up: the parser is not to look for its end again and again.
    rewrite(value, hint, "= ?", |text| {
        let plain = text.chars().filter(|c| !c.is_control()).collect::<String>();
        format!(
            " =?utf-8?B?{}?= ",
            base64::engine::general_purpose::STANDARD.encode(plain)
        )
    })
}

fn rewrite(
    value: &str,
    hint: Option<&str>,
    no_word: &str,
    put: impl Fn(String) -> String,
) -> String {
    let mut out = String::with_capacity(value.len());
    let mut pending: Option<Word<'_>> = None;
    let mut rest = value;
    let (mut words, mut failures) = (0, 0);
    let flush = |pending: &mut Option<Word<'_>>, out: &mut String| {
        if let Some(word) = pending.take() {
            out.push_str(&put(charset::decode(&word.bytes, Some(word.charset), hint)));
        }
    };
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let parsed = if words < WORDS && failures < FAILURES {
            word(from)
        } else {
            None
        };
        let between = before.trim_matches([' ', '\t']);
        if !(between.is_empty() && pending.is_some() && parsed.is_some()) {
            flush(&mut pending, &mut out);
            out.push_str(before);
        }
        match parsed {
            Some((next, length)) => {
                words += 1;
                match &mut pending {
                    Some(word) if word.charset.eq_ignore_ascii_case(next.charset) => {
                        word.bytes.extend(next.bytes)
                    }
                    _ => {
                        flush(&mut pending, &mut out);
                        pending = Some(next);
                    }
                }
                rest = &from[length..];
            }
            None => {
                failures += 1;
                out.push_str(no_word);
                rest = &from[2..];
            }
        }
    }
    flush(&mut pending, &mut out);
    out.push_str(rest);
    out
}

/// The encoded word at the start of `text`, and its length.
fn word(text: &str) -> Option<(Word<'_>, usize)> {
    let bytes = text.as_bytes();
    let charset_end = 2 + bytes.get(2..)?.iter().take(60).position(|b| *b == b'?')?;
    let charset = text.get(2..charset_end)?;
    if charset.is_empty() || charset.contains([' ', '=']) {
        return None;
    }
    let quoted = match bytes.get(charset_end + 1)? {
        b'q' | b'Q' => true,
        b'b' | b'B' => false,
        _ => return None,
    };
    if bytes.get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let start = charset_end + 3;
    let length = bytes
        .get(start..)?
        .windows(2)
        .take(WORD_LENGTH)
        .position(|pair| pair == b"?=")?;
    let encoded = &bytes[start..start + length];
    let decoded = if quoted {
        let spaced = encoded
            .iter()
            .map(|b| if *b == b'_' { b' ' } else { *b })
            .collect::<Vec<_>>();
        transfer::quoted_printable(&spaced)
    } else {
        transfer::base64(encoded)
    };
    Some((
        Word {
            charset,
            bytes: decoded,
        },
        start + length + 2,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_words_that_split_a_character() {
        assert_eq!(
            decode("=?utf-8?B?5pel5pys6Kq?= =?utf-8?B?e?=", None)
                .chars()
                .count(),
            3
        );
        assert_eq!(
            decode("=?UTF-8?Q?Gr=C3?=\t=?utf-8?q?=BC=C3=9Fe?= Welt", None),
            "Grüße Welt"
        );
    }

    #[test]
    fn decodes_words_as_senders_write_them() {
        assert_eq!(
            decode("Re: =?iso-8859-1?Q?Stra=DFe 5?= und mehr", None),
            "Re: Straße 5 und mehr"
        );
        assert_eq!(
            decode("=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", None),
            "こんにちは"
        );
        assert_eq!(decode("=?utf-8*de?q?=C3=A4?=", None), "ä");
        assert_eq!(decode("a =?no word", None), "a =?no word");
    }
}
