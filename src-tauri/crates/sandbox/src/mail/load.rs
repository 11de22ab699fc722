//! Loads real mail from files: `.eml`, mbox and Maildir. Nothing in a file can do more than be stored.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use mail_parser::{DateTime, MessageParser};

use crate::options::StartError;
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::message::Message;

/// Files larger than this are left out.
const LARGEST: u64 = 512 * 1024 * 1024;
/// Folders deeper than this are left out, and so are circles of links.
const DEEPEST: usize = 16;

/// Loads everything at `path` into the inbox and returns how many mails there were.
///
/// # Errors
/// When `path` itself cannot be read; unreadable files below it are left out with a warning.
pub(super) fn load(
    mailbox: &mut Mailbox,
    path: &Path,
    now: Timestamp,
) -> Result<usize, StartError> {
    let failed = |source| StartError::File {
        path: path.to_owned(),
        source,
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    let mut files = Vec::new();
    if about.is_dir() {
        std::fs::read_dir(path).map_err(failed)?;
        walk(path, &mut Vec::new(), &mut files);
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut loaded = 0;
    for file in files {
        match read(&file) {
            Ok((bytes, modified)) => loaded += store(mailbox, &file, &bytes, modified, now),
            Err(error) => tracing::warn!(file = %file.display(), %error, "left out"),
        }
    }
    Ok(loaded)
}

/// Collects the files below `folder`; `above` are the real paths of the folders that led here.
fn walk(folder: &Path, above: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) {
    let (Ok(entries), Ok(real)) = (std::fs::read_dir(folder), folder.canonicalize()) else {
        return;
    };
    if above.contains(&real) {
        return;
    }
    above.push(real);
    for entry in entries.flatten() {
        let path = entry.path();
        match std::fs::metadata(&path) {
            Ok(about) if about.is_dir() && above.len() <= DEEPEST => {
                // In a Maildir, `tmp` holds what is still being delivered.
                let unfinished = path.file_name().is_some_and(|name| name == "tmp")
                    && folder.join("cur").is_dir();
                if !unfinished {
                    walk(&path, above, files);
                }
            }
            Ok(about) if about.is_file() && about.len() <= LARGEST => files.push(path),
            Ok(_) | Err(_) => {}
        }
    }
    above.pop();
}

fn read(path: &Path) -> std::io::Result<(Bytes, Timestamp)> {
    let modified = std::fs::metadata(path)?.modified().ok();
    let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
    Ok((
        Bytes::from(std::fs::read(path)?),
        modified.unwrap_or(Timestamp::UNIX_EPOCH),
    ))
}

fn store(
    mailbox: &mut Mailbox,
    path: &Path,
    bytes: &Bytes,
    modified: Timestamp,
    now: Timestamp,
) -> usize {
    let parent = path.parent().and_then(Path::file_name);
    let in_maildir = parent.is_some_and(|name| name == "cur" || name == "new");
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    let is_eml = ending.as_ref().is_some_and(|ending| ending == "eml");
    let mails: Vec<Bytes> = if is_eml || in_maildir {
        vec![bytes.clone()]
    } else if bytes.starts_with(b"From ") {
        split_mbox(bytes)
    } else {
        return 0;
    };
    // Maildir flags stand behind ":2," in the name; S is "seen".
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let seen = in_maildir
        && name
            .rsplit_once(":2,")
            .is_some_and(|(_, flags)| flags.contains('S'));
    let inbox = mailbox.well_known("inbox");
    let count = mails.len();
    for mail in mails {
        let received = received(&mail, now).unwrap_or(modified);
        let mut message = Message::new(mail, received);
        message.is_read = seen;
        mailbox.add(inbox, message);
    }
    count
}

/// When a mail arrived: by its topmost Received field, else by its Date.
fn received(raw: &[u8], now: Timestamp) -> Option<Timestamp> {
    let mail = MessageParser::default().parse_headers(raw)?;
    let latest = now
        .checked_add(SignedDuration::from_hours(24))
        .unwrap_or(now);
    let time = |date: &DateTime| {
        let time = date
            .is_valid()
            .then(|| Timestamp::from_second(date.to_timestamp()).ok())??;
        (time <= latest && time > Timestamp::UNIX_EPOCH).then_some(time)
    };
    let trace = mail
        .received()
        .and_then(|received| received.date())
        .and_then(|date| time(&date));
    trace.or_else(|| mail.date().and_then(time))
}

/// Cuts an mbox at its "From " lines and takes one `>` from quoted ones (mboxrd).
fn split_mbox(whole: &Bytes) -> Vec<Bytes> {
    let mut mails = Vec::new();
    let mut mail: Vec<u8> = Vec::new();
    let mut after_blank = true;
    let mut first = true;
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        if after_blank && line.starts_with(b"From ") {
            if !first {
                mails.push(Bytes::from(std::mem::take(&mut mail)));
            }
            first = false;
            after_blank = false;
            continue;
        }
        let quoted = line.iter().position(|byte| *byte != b'>').unwrap_or(0);
        let line_kept = if quoted > 0 && line[quoted..].starts_with(b"From ") {
            &line[1..]
        } else {
            line
        };
        mail.extend_from_slice(line_kept);
        after_blank = line == b"\n" || line == b"\r\n";
    }
    if !first {
        mails.push(Bytes::from(mail));
    }
    mails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eml_mbox_and_maildir_are_loaded_with_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("box/cur")).unwrap();
        std::fs::create_dir_all(at("box/tmp")).unwrap();
        std::fs::write(at("one.eml"), "Received: from a by b; Tue, 3 Feb 2026 10:00:00 +0100\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\n\r\nx").unwrap();
        std::fs::write(at("many"), "From a@b Mon\nSubject: 1\n\n>From here\n>>From there\n\nFrom c@d Tue\nSubject: 2\nDate: Mon, 2 Feb 2026 10:00:00 +0000\n\nText\nFrom not after a blank\n").unwrap();
        std::fs::write(at("box/cur/17.host:2,S"), "Subject: seen\n\n").unwrap();
        std::fs::write(at("box/tmp/18.host"), "Subject: unfinished\n\n").unwrap();
        std::fs::write(at("hostile.eml"), [0xff; 5000]).unwrap();
        std::fs::write(at("empty.eml"), "").unwrap();
        std::fs::write(at("readme.txt"), "no mail").unwrap();
        let mut mailbox = Mailbox::new("support@contoso.example");
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(load(&mut mailbox, folder.path(), now).unwrap(), 6);
        let has = |time: &str| {
            mailbox
                .by_time()
                .iter()
                .filter(|(at, _)| at.to_string() == time)
                .count()
        };
        assert_eq!(has("2026-02-03T09:00:00Z"), 1);
        assert_eq!(has("2026-02-02T10:00:00Z"), 1);
        let all: Vec<_> = mailbox
            .by_time()
            .iter()
            .map(|(_, k)| mailbox.message(*k).unwrap())
            .collect();
        assert_eq!(all.iter().filter(|m| m.is_read).count(), 1);
        assert!(
            all.iter()
                .any(|m| m.raw.ends_with(b"From here\n>From there\n\n"))
        );
        assert!(load(&mut mailbox, &at("nowhere"), now).is_err());
    }
}
