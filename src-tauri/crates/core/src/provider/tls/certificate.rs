//! What a server's certificate says of itself: until when it holds and who signed it (RFC 5280 §4.1, DER by ITU-T X.690).
//! Only certificates that were believed are read; whatever cannot be read is nothing.

use crate::Millis;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version, which certificates of version 1 leave out.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
/// `id-at-commonName` and `id-at-organizationName` (RFC 5280 appendix A.1).
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];
/// Longest name of an issuer that is kept, in characters: twice the bound of RFC 5280 and room to join two.
const LONGEST: usize = 140;

/// The issuer's name (empty where it has none) and the end of the certificate's time.
pub(super) fn read(der: &[u8]) -> Option<(String, Millis)> {
    let (certificate, _) = within(der, SEQUENCE)?;
    let (body, _) = within(certificate, SEQUENCE)?;
    let body = within(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_, _serial, body) = element(body)?;
    let (_, _algorithm, body) = element(body)?;
    let (issuer, body) = within(body, SEQUENCE)?;
    let (validity, _) = within(body, SEQUENCE)?;
    let (_, _begins, validity) = element(validity)?;
    let (tag, ends, _) = element(validity)?;
    Some((name(issuer), instant(tag, ends)?))
}

/// Tag, content and what follows the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long - 0x80))?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// Content of the first element, if it has this tag, and what follows.
fn within(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// The name as people know it: the common name with its organisation, or the one that there is.
fn name(mut issuer: &[u8]) -> String {
    let (mut common, mut organization) = (String::new(), String::new());
    while let Some((mut set, rest)) = within(issuer, SET) {
        issuer = rest;
        while let Some((attribute, rest)) = within(set, SEQUENCE) {
            set = rest;
            let Some((_, kind, value)) = element(attribute) else {
                continue;
            };
            let place = match kind {
                kind if kind == COMMON_NAME => &mut common,
                kind if kind == ORGANIZATION => &mut organization,
                _ => continue,
            };
            if let Some((tag, text, _)) = element(value) {
                *place = words(tag, text);
            }
        }
    }
    let both = match (common.is_empty(), organization.is_empty()) {
        (false, false) if !common.contains(&organization) => format!("{common} ({organization})"),
        (false, _) => common,
        (true, _) => organization,
    };
    both.chars().take(LONGEST).collect()
}

fn words(tag: u8, text: &[u8]) -> String {
    let text = if tag == BMP_STRING {
        let units: Vec<u16> = text
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(text).into_owned()
    };
    let seen = text.chars().filter(|c| !c.is_control());
    seen.collect::<String>().trim().to_owned()
}

/// RFC 5280 §4.1.2.5: always in UTC, to the second; a year of two digits lies between 1950 and 2049.
fn instant(tag: u8, text: &[u8]) -> Option<Millis> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let part = |at: usize| -> Option<i8> { rest.get(at..at + 2)?.parse().ok() };
    let date =
        jiff::civil::DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0);
    let zoned = date.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut out = vec![tag];
        match content.len() {
            short @ 0..=0x7f => out.push(u8::try_from(short).unwrap()),
            long => {
                out.push(0x82);
                out.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        out.extend(content);
        out
    }

    fn attribute(kind: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        let attribute = der(SEQUENCE, &[&der(0x06, &[kind]), &der(tag, &[text])]);
        der(SET, &[&attribute])
    }

    fn certificate(version: &[u8], issuer: &[Vec<u8>], tag: u8, ends: &str) -> Vec<u8> {
        let issuer: Vec<&[u8]> = issuer.iter().map(Vec::as_slice).collect();
        let validity = [
            der(UTC_TIME, &[b"250101000000Z"]),
            der(tag, &[ends.as_bytes()]),
        ];
        let parts = [
            der(0x02, &[&[1]]),
            der(SEQUENCE, &[]),
            der(SEQUENCE, &issuer),
            der(SEQUENCE, &[&validity[0], &validity[1]]),
            der(SEQUENCE, &[&[0; 200]]),
        ];
        let parts: Vec<&[u8]> = std::iter::once(version)
            .chain(parts.iter().map(Vec::as_slice))
            .collect();
        der(SEQUENCE, &[&der(SEQUENCE, &parts)])
    }

    #[test]
    fn the_issuer_and_the_end_are_read_in_every_form() {
        let common = |text: &str| attribute(&COMMON_NAME, 0x0c, text.as_bytes());
        let company = |text: &str| attribute(&ORGANIZATION, 0x13, text.as_bytes());
        let country = attribute(&[0x55, 0x04, 0x06], 0x13, b"DE");
        let wide = attribute(&COMMON_NAME, BMP_STRING, &[0x8a, 0x8d, 0x5b, 0x9a]);
        let version = der(VERSION, &[&der(0x02, &[&[2]])]);
        for (version, issuer, tag, ends, expected) in [
            (
                &version[..],
                vec![country, company("Contoso"), common("R11")],
                UTC_TIME,
                "261202120000Z",
                Some(("R11 (Contoso)", "2026-12-02T12:00:00Z")),
            ),
            (
                &[],
                vec![common("Contoso Root")],
                GENERALIZED_TIME,
                "20510203040506Z",
                Some(("Contoso Root", "2051-02-03T04:05:06Z")),
            ),
            (
                &version,
                vec![company("Contoso"), common("Contoso CA")],
                UTC_TIME,
                "491231235959Z",
                Some(("Contoso CA", "2049-12-31T23:59:59Z")),
            ),
            (
                &version,
                vec![company("Con\u{7}toso")],
                UTC_TIME,
                "991231235959Z",
                Some(("Contoso", "1999-12-31T23:59:59Z")),
            ),
            (
                &version,
                vec![wide],
                UTC_TIME,
                "300101000000Z",
                Some(("認定", "2030-01-01T00:00:00Z")),
            ),
            (
                &version,
                vec![],
                UTC_TIME,
                "300101000000Z",
                Some(("", "2030-01-01T00:00:00Z")),
            ),
            (&version, vec![], UTC_TIME, "301301000000Z", None),
            (&version, vec![], UTC_TIME, "3001010000Z", None),
            (&version, vec![], UTC_TIME, "äöü101000000Z", None),
            (&version, vec![], 0x02, "300101000000Z", None),
        ] {
            let raw = certificate(version, &issuer, tag, ends);
            let expected = expected.map(|(issuer, ends)| {
                let ends: jiff::Timestamp = ends.parse().unwrap();
                (issuer.to_owned(), ends.as_millisecond())
            });
            assert_eq!(read(&raw), expected, "{ends}");
            for cut in 0..raw.len().min(60) {
                assert_eq!(read(&raw[..cut]), None, "a torn certificate, {cut}");
            }
        }
    }
}
