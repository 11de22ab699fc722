//! Bytes to text. Labels lie: what the bytes show plainly (valid UTF-8, an ISO-2022-JP escape) outranks
//! what the label says, and without a usable label the likeliest of a few charsets is taken.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Decodes `bytes` after the charset `label`; `hint` is a charset named elsewhere in the same mail, tried
/// before guessing. Never fails: what has no meaning becomes U+FFFD.
pub(super) fn decode(bytes: &[u8], label: Option<&str>, hint: Option<&str>) -> String {
    let label = label.map(clean).unwrap_or_default();
    if bytes.is_ascii()
        && !bytes.contains(&0x1b)
        && matches!(label.as_str(), "" | "utf-8" | "us-ascii")
    {
        return lossy(bytes);
    }
    // RFC 1468: the escape is unmistakable, also under a wrong label.
    if bytes.contains(&0x1b)
        && bytes.windows(2).any(|pair| pair == b"\x1b$")
        && !label.starts_with("iso-2022-k")
        && !label.starts_with("iso-2022-c")
    {
        return by_name(bytes, "iso-2022-jp").unwrap_or_else(|| lossy(bytes));
    }
    if matches!(label.as_str(), "" | "utf-8" | "us-ascii") {
        return match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => guess(bytes, hint, label == "utf-8"),
        };
    }
    if matches!(label.as_str(), "iso-8859-1" | "windows-1252") && !bytes.is_ascii() {
        // Latin letters hardly ever form valid UTF-8 sequences by chance.
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.to_owned();
        }
    }
    match by_name(bytes, &label) {
        Some(text) if !text.contains('\u{fffd}') => text,
        decoded => match (std::str::from_utf8(bytes), decoded) {
            (Ok(text), _) => text.to_owned(),
            (Err(_), Some(text)) if text.chars().any(|c| c != '\u{fffd}') => text,
            _ => guess(bytes, hint, false),
        },
    }
}

/// The label in lower case, without quotes and language tag, with common misnomers put right.
fn clean(label: &str) -> String {
    let label = label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';'));
    let label = label
        .split('*')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .replace('_', "-");
    match label.as_str() {
        "ascii" | "us-ascii" | "ansi-x3.4-1968" | "iso646-us" | "unknown" | "unknown-8bit"
        | "x-unknown" | "8bit" | "7bit" | "binary" | "default" | "default-charset" | "none"
        | "-iso-2022-7bit" => "us-ascii".into(),
        "utf8" | "utf-8" | "unicode-1-1-utf-8" | "utf8mb4" | "cp65001" => "utf-8".into(),
        "iso-8859-1" | "iso8859-1" | "iso88591" | "latin1" | "latin-1" | "l1" => {
            "iso-8859-1".into()
        }
        "cp1252" | "windows-1252" | "win1252" | "ansi" => "windows-1252".into(),
        "cp932" | "ms932" | "windows-31j" | "windows-932" | "x-sjis" | "sjis" | "shift-jis"
        | "x-ms-cp932" | "ms-kanji" | "shiftjis" | "csshiftjis" => "shift-jis".into(),
        name if name.starts_with("iso-2022-jp") => "iso-2022-jp".into(),
        name if name.starts_with("gb18030") => "gb18030".into(),
        _ => label,
    }
}

/// Decodes with the charset of this name, if there is one.
fn by_name(bytes: &[u8], name: &str) -> Option<String> {
    if name.is_empty() || name.len() > 45 || name.bytes().any(|b| b <= b' ' || b >= 0x7f) {
        return None;
    }
    let decoder = charset_decoder(name.as_bytes())?;
    Some(if name == "iso-2022-jp" {
        decoder(&without_empty_runs(bytes))
    } else {
        decoder(bytes)
    })
}

/// ISO-2022-JP without escapes that another one follows at once: lines and words put together have them,
/// and decoders after the WHATWG rules take them for an attack.
fn without_empty_runs(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0x1b && bytes.get(at + 3) == Some(&0x1b) {
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// The likeliest reading of bytes that are not UTF-8.
fn guess(bytes: &[u8], hint: Option<&str>, said_utf8: bool) -> String {
    let utf8 = String::from_utf8_lossy(bytes);
    let broken = utf8.matches('\u{fffd}').count();
    let good = utf8
        .chars()
        .filter(|c| !c.is_ascii() && *c != '\u{fffd}')
        .count();
    // A few broken characters in otherwise good UTF-8: cut in the middle, not another charset.
    if good > broken * 4 || (said_utf8 && good > broken) {
        return utf8.into_owned();
    }
    if let Some(hint) = hint.map(clean)
        && !matches!(
            hint.as_str(),
            "utf-8" | "us-ascii" | "iso-8859-1" | "windows-1252"
        )
        && let Some(text) = by_name(bytes, &hint)
        && !text.contains('\u{fffd}')
    {
        return text;
    }
    // 64 KB tell the charset; guessing need not read more.
    let sample = &bytes[..bytes.len().min(65_536)];
    let name = if looks_cyrillic(sample) {
        let lower_in_koi8 = sample.iter().filter(|b| (0xc0..0xe0).contains(*b)).count();
        let lower_in_1251 = sample.iter().filter(|b| **b >= 0xe0).count();
        if lower_in_koi8 > lower_in_1251 {
            "koi8-r"
        } else {
            "windows-1251"
        }
    } else {
        east_asian(sample).unwrap_or("windows-1252")
    };
    by_name(bytes, name).unwrap_or_else(|| utf8.into_owned())
}

/// Whether nearly all high bytes are letters of a Cyrillic single-byte charset, standing side by side.
fn looks_cyrillic(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let letters = bytes.iter().filter(|b| **b >= 0xc0).count();
    let pairs = bytes
        .windows(2)
        .filter(|w| w[0] >= 0xc0 && w[1] >= 0xc0)
        .count();
    high >= 4 && letters == high && pairs * 10 >= high * 6
}

/// Shift_JIS, EUC-JP or GB18030, where the bytes form its pairs throughout.
fn east_asian(bytes: &[u8]) -> Option<&'static str> {
    let whole = |name: &str| {
        // A sample may end within a character.
        by_name(bytes, name).is_some_and(|t| {
            let text = t.strip_suffix('\u{fffd}').unwrap_or(&t);
            !text.contains('\u{fffd}')
                && !text.chars().any(|c| ('\u{e000}'..='\u{f8ff}').contains(&c))
        })
    };
    let (mut pairs, mut kana, mut sjis_leads, mut other_leads) = (0usize, 0usize, 0usize, 0usize);
    let mut at = 0;
    while at + 1 < bytes.len() {
        match bytes[at] {
            0x00..=0x7f => at += 1,
            lead => {
                pairs += 1;
                kana += usize::from(matches!(lead, 0xa4 | 0xa5));
                if matches!(lead, 0x81..=0x9f) {
                    sjis_leads += 1
                } else {
                    other_leads += 1
                }
                at += 2;
            }
        }
    }
    if sjis_leads > other_leads && whole("shift-jis") {
        Some("shift-jis")
    } else if pairs >= 2 && kana * 5 >= pairs && whole("euc-jp") {
        Some("euc-jp")
    } else if pairs >= 2 && sjis_leads == 0 && whole("gb18030") {
        Some("gb18030")
    } else {
        None
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_label_hides() {
        let cases: &[(&[u8], Option<&str>, &str)] = &[
            (b"Gr\xfc\xdfe", Some("us-ascii"), "Grüße"),
            (b"f\xfcr 5 \x80", None, "für 5 €"),
            ("Grüße".as_bytes(), Some("iso-8859-1"), "Grüße"),
            (b"Gr\xfc\xdfe", Some("ISO-8859-1"), "Grüße"),
            (b"\x1b$B$3$s$K$A$O\x1b(B", None, "こんにちは"),
            (b"\x1b$B$3$s$K$A$O\x1b(B", Some("us-ascii"), "こんにちは"),
            (b"\x1b$B$3\x1b(B\x1b$B$s\x1b(B", Some("iso-2022-jp"), "こん"),
            (
                b"\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd",
                None,
                "こんにちは",
            ),
            (b"\x82\xb1\x82\xf1", Some("windows-31j"), "こん"),
            (
                b"\xa4\xb3\xa4\xf3\xa4\xcb\xa4\xc1\xa4\xcf",
                None,
                "こんにちは",
            ),
            (
                b"\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7",
                None,
                "你好，世界",
            ),
            (
                b"\xf0\xd2\xc9\xd7\xc5\xd4 \xcd\xc9\xd2",
                Some("koi8-r"),
                "Привет мир",
            ),
            (b"\xf0\xd2\xc9\xd7\xc5\xd4", None, "Привет"),
            (b"\xcf\xf0\xe8\xe2\xe5\xf2", None, "Привет"),
            (b"+AOQ- und +APw-", Some("utf-7"), "ä und ü"),
            (b"plain", Some("x-no-such-charset"), "plain"),
            (b"\xa1\xb0\xc6", Some("\"iso-8859-2\""), "Ą°Ć"),
        ];
        for (bytes, label, expected) in cases {
            assert_eq!(decode(bytes, *label, None), *expected, "{label:?}");
        }
    }

    #[test]
    fn takes_the_charset_named_elsewhere_before_guessing() {
        assert_eq!(
            decode(b"\xf0\xd2\xc9\xd7\xc5\xd4", None, Some("windows-1251")),
            "рТЙЧЕФ"
        );
    }

    #[test]
    fn keeps_utf8_that_was_cut_in_the_middle() {
        let text = "日本語のメールです";
        let cut = &text.as_bytes()[..text.len() - 1];
        assert!(decode(cut, Some("utf-8"), None).starts_with("日本語のメールで"));
    }
}
