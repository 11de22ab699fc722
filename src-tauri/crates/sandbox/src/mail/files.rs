//! Small real files to attach, made once and kept as ready base64 lines.

use std::sync::LazyLock;

use super::mime::base64_lines;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// A one-page PDF.
    Pdf,
    /// A small picture.
    Png,
    /// A table.
    Csv,
    /// An archive holding the table.
    Zip,
}

static PDF: LazyLock<String> = LazyLock::new(|| base64_lines(&pdf()));
static PNG: LazyLock<String> = LazyLock::new(|| base64_lines(&png(64, 40)));
static LOGO: LazyLock<String> = LazyLock::new(|| base64_lines(&png(24, 24)));
static CSV: LazyLock<String> = LazyLock::new(|| base64_lines(csv().as_bytes()));
static ZIP: LazyLock<String> =
    LazyLock::new(|| base64_lines(&zip("positions.csv", csv().as_bytes())));

impl File {
    /// Its media type and its bytes as base64 lines.
    pub(super) fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Pdf => ("application/pdf", &PDF),
            Self::Png => ("image/png", &PNG),
            Self::Csv => ("text/csv; charset=utf-8", &CSV),
            Self::Zip => ("application/zip", &ZIP),
        }
    }

    /// The ending of its name.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Csv => "csv",
            Self::Zip => "zip",
        }
    }
}

/// The picture of a signature, as base64 lines of a PNG.
pub(super) fn logo() -> &'static str {
    &LOGO
}

fn csv() -> String {
    let mut out = String::from("position;article;quantity;price\r\n");
    for line in 1..=24 {
        out.push_str(&format!(
            "{line};ErgoSeat 4 / {};{};{}.90\r\n",
            4_000 + line * 7,
            line % 5 + 1,
            180 + line * 3
        ));
    }
    out
}

fn pdf() -> Vec<u8> {
    let text = "BT /F1 18 Tf 60 760 Td (Contoso Office) Tj 0 -30 Td /F1 11 Tf (Delivery note. Please keep it for your records.) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = out.len();
    out.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for offset in offsets {
        out.push_str(&format!("{offset:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    out.into_bytes()
}

/// A colour gradient as PNG, its data stored uncompressed (RFC 1950, RFC 1951 section 3.2.4).
fn png(width: u8, height: u8) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        for x in 0..width {
            rows.extend_from_slice(&[x.wrapping_mul(4), y.wrapping_mul(6), 140]);
        }
    }
    let length = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let mut data = vec![0x78, 0x01, 0x01];
    data.extend_from_slice(&length.to_le_bytes());
    data.extend_from_slice(&(!length).to_le_bytes());
    data.extend_from_slice(&rows);
    data.extend_from_slice(&adler32(&rows).to_be_bytes());
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
        let body = [kind, data].concat();
        out.extend_from_slice(&body);
        out.extend_from_slice(&crc32(&body).to_be_bytes());
    };
    let size = [0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0];
    chunk(b"IHDR", &size);
    chunk(b"IDAT", &data);
    chunk(b"IEND", b"");
    out
}

/// A ZIP archive with one stored file (PKWARE APPNOTE 4.3).
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap_or(0).to_le_bytes();
    let name_length = u16::try_from(name.len()).unwrap_or(0).to_le_bytes();
    // Version 2.0, no flags, stored, 1 January 2026 at noon.
    let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0x60, 0x21, 0x5c];
    about.extend_from_slice(&crc32(content).to_le_bytes());
    about.extend_from_slice(&size);
    about.extend_from_slice(&size);
    about.extend_from_slice(&name_length);
    about.extend_from_slice(&[0, 0]);
    let mut out = [b"PK\x03\x04".as_slice(), &about, name.as_bytes(), content].concat();
    let directory = u32::try_from(out.len()).unwrap_or(0);
    out.extend_from_slice(b"PK\x01\x02\x14\x00");
    out.extend_from_slice(&about);
    out.extend_from_slice(&[0; 14]);
    out.extend_from_slice(name.as_bytes());
    let length = u32::try_from(out.len()).unwrap_or(0) - directory;
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&directory.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn files_begin_and_end_as_their_kind_does() {
        assert!(pdf().starts_with(b"%PDF-1.4") && pdf().ends_with(b"%%EOF\n"));
        assert!(png(8, 8).ends_with(b"IEND\xaeB`\x82"));
        let zip = zip("a.csv", b"x");
        assert_eq!(zip.len(), 30 + 5 + 1 + 46 + 5 + 22);
    }
}
