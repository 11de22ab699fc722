//! Names that others chose: made safe to show, and safe as file names on every system.

/// Longest file name in bytes; file systems allow 255, and viewers add to the name.
const FILE_NAME_BYTES: usize = 200;
/// Longest text of a name or subject, in characters.
const LINE_CHARS: usize = 2_000;

/// Whether a character changes how its neighbours are shown, or is not shown at all.
pub(super) fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{061c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of text: white space folded, control and direction characters taken out.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LINE_CHARS));
    for word in text
        .split(|c: char| c.is_ascii_whitespace() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}'))
    {
        let shown = word.chars().filter(|c| !deceives(*c)).collect::<String>();
        if shown.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&shown);
    }
    match out.char_indices().nth(LINE_CHARS) {
        Some((end, _)) => out[..end].to_owned(),
        None => out,
    }
}

/// A file name without folders and without anything that a file system or a reader takes amiss; nothing
/// when no name is left.
pub(super) fn file(name: &str) -> Option<String> {
    let last = name
        .rsplit(['/', '\\'])
        .find(|piece| !piece.trim().is_empty())?;
    let cleaned = last
        .chars()
        .filter(|c| !deceives(*c))
        .map(|c| {
            if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') {
                '_'
            } else {
                c
            }
        })
        .collect::<String>();
    let name = cleaned
        .trim_matches(|c: char| c.is_whitespace())
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if name.trim_matches(['.', '_']).is_empty() {
        return None;
    }
    let name = if reserved(name) {
        format!("_{name}")
    } else {
        name.to_owned()
    };
    Some(shorten(&name))
}

/// Names that Windows gives to devices, with any extension ("Naming Files, Paths, and Namespaces").
fn reserved(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|n| {
            matches!(
                n,
                "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
    };
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) || numbered("COM")
        || numbered("LPT")
}

/// Cuts the middle out so that the extension stays.
fn shorten(name: &str) -> String {
    if name.len() <= FILE_NAME_BYTES {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .map(|at| &name[at..])
        .filter(|e| e.len() <= 20)
        .unwrap_or_default();
    let mut end = FILE_NAME_BYTES - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!(
        "{}{extension}",
        name[..end].trim_end_matches(|c: char| c == '.' || c.is_whitespace())
    )
}

/// The extension that a media type usually has.
pub(super) fn extension(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "pdf",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/json" => "json",
        "application/xml" | "text/xml" => "xml",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/vnd.ms-excel" => "xls",
        "application/ms-tnef" => "dat",
        "application/pgp-signature" | "application/pgp-encrypted" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/rtf" | "text/rtf" => "rtf",
        "audio/mpeg" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "image/gif" => "gif",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/png" => "png",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "image/webp" => "webp",
        "image/heic" => "heic",
        "message/rfc822" | "message/global" => "eml",
        "message/delivery-status" | "message/disposition-notification" | "text/rfc822-headers" => {
            "txt"
        }
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/plain" => "txt",
        "text/vcard" | "text/x-vcard" => "vcf",
        "video/mp4" => "mp4",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_everywhere() {
        let cases = [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\x\\report.docx", Some("report.docx")),
            ("C:report.docx", Some("C_report.docx")),
            ("CON", Some("_CON")),
            ("nul.txt", Some("_nul.txt")),
            ("com1 .log", Some("_com1 .log")),
            ("COM¹.txt", Some("_COM¹.txt")),
            ("console.log", Some("console.log")),
            ("invoice\u{202e}fdp.exe", Some("invoicefdp.exe")),
            ("a\0b.txt", Some("ab.txt")),
            ("trailing. . .", Some("trailing")),
            ("..", None),
            ("", None),
            ("///", None),
            ("???", None),
            ("a<b>|c?.txt", Some("a_b__c_.txt")),
            ("line\r\nbreak.txt", Some("linebreak.txt")),
            (".htaccess", Some(".htaccess")),
            ("請求書.pdf", Some("請求書.pdf")),
            ("x/..", None),
        ];
        for (name, expected) in cases {
            assert_eq!(file(name).as_deref(), expected, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = file(&format!("{}.pdf", "語".repeat(30_000))).unwrap();
        assert!(name.len() <= FILE_NAME_BYTES && name.ends_with("語.pdf"));
        assert!(file(&"x".repeat(70_000)).unwrap().len() <= FILE_NAME_BYTES);
    }

    #[test]
    fn names_cannot_turn_the_reading_direction() {
        assert_eq!(
            line("Anna \u{202e}elpmaxe\u{202c}\u{0}\r\n Muster"),
            "Anna elpmaxe Muster"
        );
    }
}
