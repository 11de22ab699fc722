//! The form in which text is compared.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Compatibility forms as one (full-width `Ａ１` is `a1`, half-width katakana is katakana), without case, and without the
/// accents of Latin, Greek and Cyrillic letters.
pub(in crate::store) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // Most of most mails is ASCII, which needs no tables. An accent after it is dropped in either way.
        let plain = rest
            .bytes()
            .position(|byte| !byte.is_ascii() || byte == 0)
            .unwrap_or(rest.len());
        let (ascii, other) = rest.split_at(plain);
        folded.extend(
            ascii
                .bytes()
                .map(|byte| char::from(byte.to_ascii_lowercase())),
        );
        let end = other
            .bytes()
            .position(|byte| byte.is_ascii() && byte != 0)
            .unwrap_or(other.len());
        let (other, after) = other.split_at(end);
        if !other.is_empty() {
            fold_other(other, &mut folded);
        }
        rest = after;
    }
    folded
}

fn fold_other(text: &str, folded: &mut String) {
    let plain: String = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(text)
        .chars()
        .filter(|c| !is_accent(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| !is_accent(*c))
        // A NUL would end the text of a search too early.
        .map(|c| if c == '\0' { ' ' } else { c })
        .collect();
    for c in ComposingNormalizerBorrowed::new_nfc()
        .normalize(&plain)
        .chars()
    {
        match c {
            'ß' => folded.push_str("ss"),
            c => folded.push(c),
        }
    }
}

fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_one_of_all_ways_to_write_the_same() {
        for (text, expected) in [
            ("INVOICE 4711", "invoice 4711"),
            ("Überprüfung", "uberprufung"),
            ("U\u{308}berpru\u{308}fung", "uberprufung"),
            ("Straße STRASSE", "strasse strasse"),
            ("ＡＢＣ１２３", "abc123"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("ガイド", "ガイド"),
            ("カ\u{3099}イト\u{3099}", "ガイド"),
            ("Ångström", "angstrom"),
            ("İstanbul", "istanbul"),
            ("ﬁle", "file"),
            ("a\0b", "a b"),
            ("한국어", "한국어"),
            ("", ""),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
            assert_eq!(fold(expected), expected, "{expected:?} stays");
        }
    }
}
