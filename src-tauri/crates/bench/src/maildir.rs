//! The practice tenant's mails in a Maildir, which a server and its users share.

use crate::connection::MAILBOX;
use crate::tenant::Tenant;
use crate::{Outcome, floor, runtime};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mailroom_sandbox::Description;
use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Different mails; a larger mailbox holds each several times, under other Message-IDs.
const DIFFERENT: u32 = 10_000;

/// Sizes of attachments, in bytes before encoding: a picture in a signature, a letter, a scan.
const ATTACHMENTS: [usize; 3] = [8_000, 30_000, 70_000];

/// Writes `mails` into the Maildir that stands at `path`, the oldest first, a minute apart; all belong to `owner`.
pub(crate) fn write(path: &Path, mails: u32, owner: u32) -> Outcome<()> {
    let tenant = Tenant::start(mails.min(DIFFERENT))?;
    let description: Description = serde_json::from_str(&tenant.description)?;
    let different = runtime()?.block_on(floor::mails(description, mails.min(DIFFERENT)))?;
    drop(tenant);
    let now = SystemTime::now();
    for number in 0..mails {
        let age = mails - number;
        let raw = &different[usize::try_from(number)? % different.len()];
        let file = path.join("cur").join(format!("{number:07}.{MAILBOX}:2,"));
        let mail = renamed(raw, number / DIFFERENT);
        let mail = match number % 4 {
            3 => with_attachment(&mail, number),
            _ => mail,
        };
        fs::write(&file, mail)?;
        let at = now - Duration::from_secs(60) * age;
        fs::File::open(&file)?.set_modified(at)?;
        chown(&file, Some(owner), Some(owner))?;
    }
    Ok(())
}

/// The mail under another Message-ID and subject, so that it is another mail.
fn renamed(raw: &[u8], copy: u32) -> Vec<u8> {
    if copy == 0 {
        return raw.to_vec();
    }
    let mut mail = format!("X-Copy: {copy}\r\n").into_bytes();
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.len() > 12 && line[..12].eq_ignore_ascii_case(b"message-id: ") {
            mail.extend(format!("Message-ID: <copy-{copy}-").bytes());
            mail.extend(line[12..].iter().filter(|byte| **byte != b'<'));
        } else {
            mail.extend(line);
        }
    }
    mail
}

/// The mail with a file attached: its body becomes the first part.
fn with_attachment(mail: &[u8], number: u32) -> Vec<u8> {
    let text = String::from_utf8_lossy(mail);
    let (header, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let (mut outer, mut inner) = (String::new(), String::new());
    let mut of_part = false;
    for line in header.split_inclusive("\r\n") {
        if !line.starts_with([' ', '\t']) {
            let name = line.to_ascii_lowercase();
            of_part = name.starts_with("content-") || name.starts_with("mime-version:");
        }
        if of_part { &mut inner } else { &mut outer }.push_str(line);
    }
    let size = ATTACHMENTS[usize::try_from(number / 4).unwrap_or_default() % ATTACHMENTS.len()];
    // Bytes that no compression and no parser takes a short cut on.
    let mut state = u64::from(number) + 1;
    let file: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(size)
    .collect();
    let encoded = BASE64_STANDARD.encode(file);
    let mut mail = format!(
        "{}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"bench-{number}\"\r\n\r\n--bench-{number}\r\n{}\r\n\r\n{body}\r\n\
         --bench-{number}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{number}.bin\"\r\n\r\n",
        outer.trim_end(),
        inner.trim_end(),
    );
    for line in encoded.as_bytes().chunks(76) {
        mail.push_str(&String::from_utf8_lossy(line));
        mail.push_str("\r\n");
    }
    mail.push_str(&format!("--bench-{number}--\r\n"));
    mail.into_bytes()
}
