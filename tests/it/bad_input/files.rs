//! Hostile mail.

use std::fmt::Write;
use std::path::Path;

fn head(word: &str, content_type: &str) -> String {
    format!(
        "From: Eve <eve@fabrikam.example>\r\nTo: support@contoso.example\r\nSubject: {word}\r\n\
         Message-ID: <{word}@t.example>\r\nDate: Fri, 20 Nov 2026 09:00:00 +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n"
    )
}

/// Ends in the middle of a base64 attachment, without its boundary.
pub(super) fn truncated() -> Vec<u8> {
    let mut mail = head("truncatedword", "multipart/mixed; boundary=b");
    mail.push_str(
        "\r\n--b\r\nContent-Type: text/plain\r\n\r\nThe text is whole.\r\n--b\r\n\
         Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=a.pdf\r\n\r\nJVBERi0xLjQKJ",
    );
    mail.into_bytes()
}

/// Multiparts within multiparts.
pub(super) fn nested(levels: usize) -> Vec<u8> {
    let mut mail = head("nestedword", "multipart/mixed; boundary=b0");
    mail.push_str("\r\n");
    for level in 1..=levels {
        let _ = write!(
            mail,
            "--b{}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n",
            level - 1
        );
    }
    let _ = write!(mail, "--b{levels}\r\n\r\nAt the bottom\r\n");
    mail.into_bytes()
}

/// Nothing but opening tags for so many bytes.
pub(super) fn nested_div(bytes: usize) -> Vec<u8> {
    let mut mail = head("divword", "text/html; charset=utf-8");
    mail.push_str("\r\n");
    mail.push_str(&"<div>".repeat(bytes / 5));
    mail.push_str("<p>Deep down</p>");
    mail.into_bytes()
}

pub(super) fn many_parts(parts: usize) -> Vec<u8> {
    let mut mail = head("partsword", "multipart/mixed; boundary=b");
    mail.push_str("\r\n");
    for part in 0..parts {
        let _ = write!(mail, "--b\r\nContent-Type: text/plain\r\n\r\n{part}\r\n");
    }
    mail.push_str("--b--\r\n");
    mail.into_bytes()
}

/// A header of one line that does not end, and references by the thousand.
pub(super) fn endless_header(bytes: usize) -> Vec<u8> {
    let mut mail = head("headerword", "text/plain");
    let references: String = (0..bytes / 40).fold(String::new(), |mut text, number| {
        let _ = write!(text, " <r{number}@t.example>");
        text
    });
    let _ = write!(
        mail,
        "References:{references}\r\nX-Long: {}\r\n\r\nText\r\n",
        "x".repeat(bytes)
    );
    mail.into_bytes()
}

/// A folder as somebody might point to who means no good, or who has had a disk failure.
pub(super) fn fill(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("empty.eml", b"");
    write(
        "noise.eml",
        &(0..200_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect::<Vec<_>>(),
    );
    write("zeros.eml", &[0; 100_000]);
    write("headers-only.eml", b"Subject: only");
    write("colons.eml", &b":".repeat(50_000));
    write("nested.eml", &nested(5_000));
    write("latin.eml", b"From: a@b.example\r\nSubject: latinword \xfc\xe4\xff\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xe9\xe8\r\n");
    write(
        "date.eml",
        b"Date: Fri, 99 Nov 99999 99:99:99 +9999\r\nSubject: date\r\n\r\nx\r\n",
    );
    write(
        "escape.eml",
        b"From: \"\x1b]0;owned\x07\" <x@y.example>\r\nSubject: \x1b[2J\r\n\r\n\x1b[31m\r\n",
    );
    write(
        "box.mbox",
        b"From a@b Mon\nSubject: mboxword\n\nText\nFrom here it breaks off\n\nFrom ",
    );
    write("program.exe", b"MZ");
    std::fs::create_dir_all(folder.join("dir/cur")).unwrap();
    std::fs::write(
        folder.join("dir/cur/1.x:2,S"),
        "Subject: maildirword\n\nText\n",
    )
    .unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder, folder.join("circle")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("dangling.eml")).unwrap();
    }
}
