//! The practice tenant's mails in a Maildir, which a server and its users share.

use crate::connection::MAILBOX;
use crate::tenant::Tenant;
use crate::{Outcome, floor, runtime};
use mailroom_sandbox::Description;
use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Different mails; a larger mailbox holds each several times, under other Message-IDs.
const DIFFERENT: u32 = 10_000;

/// Writes `mails` into the Maildir at `path`, the oldest first, a minute apart; all belong to `owner`.
pub(crate) fn write(path: &Path, mails: u32, owner: u32) -> Outcome<()> {
    for part in ["", "new", "cur", "tmp"] {
        let folder = path.join(part);
        fs::create_dir(&folder)?;
        chown(&folder, Some(owner), Some(owner))?;
    }
    let tenant = Tenant::start(mails.min(DIFFERENT))?;
    let description: Description = serde_json::from_str(&tenant.description)?;
    let different = runtime()?.block_on(floor::mails(description, mails.min(DIFFERENT)))?;
    drop(tenant);
    let now = SystemTime::now();
    for number in 0..mails {
        let age = mails - number;
        let raw = &different[usize::try_from(number)? % different.len()];
        let file = path.join("cur").join(format!("{number:07}.{MAILBOX}:2,"));
        fs::write(&file, renamed(raw, number / DIFFERENT))?;
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
