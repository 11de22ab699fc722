//! What lies in the mailboxes when the practice tenant starts for the first time.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::author::Author;
use crate::tenant::directory::{CONTOSO, Directory, FABRIKAM, UserKind};
use crate::tenant::mailboxes::ids::FolderKey;
use crate::tenant::mailboxes::message::Message;
use crate::tenant::mailboxes::{Mailbox, Mailboxes};

/// The mailbox with the most mail.
pub(super) const SUPPORT: &str = "support@contoso.example";
/// How many mails lie in the support inbox.
const SUPPORT_MAILS: u32 = 1_248;
/// The support inbox reaches back so far.
const REACH: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Categories somebody has given before we came.
const CATEGORIES: [&str; 6] = [
    "Red category",
    "Follow up",
    "Erledigt",
    "Wartet auf Kunde",
    "要対応",
    "Billing",
];

/// Fills the mailboxes of everybody but administrators, who have none.
pub(super) fn fill(all: &mut Mailboxes, directory: &Directory, now: Timestamp) {
    for (position, user) in [CONTOSO, FABRIKAM]
        .iter()
        .flat_map(|id| directory.users(id))
        .enumerate()
    {
        if user.kind == UserKind::Admin {
            continue;
        }
        let seed = 4_711 + position as u64;
        let mailbox = all.open(user.mail);
        if user.mail == SUPPORT {
            fill_support(mailbox, seed, now);
        } else {
            let mut author = Author::new(seed, user.mail);
            let count = 10 + author.dice(31);
            let inbox = mailbox.well_known("inbox");
            spread(mailbox, &mut author, inbox, count, now);
        }
    }
}

fn fill_support(mailbox: &mut Mailbox, seed: u64, now: Timestamp) {
    let mut author = Author::new(seed, SUPPORT);
    let inbox = mailbox.well_known("inbox");
    spread(mailbox, &mut author, inbox, SUPPORT_MAILS, now);
    let last_year = now
        .checked_sub(SignedDuration::from_hours(24 * 330))
        .unwrap_or(now);
    for (path, count, end) in [
        ("Requests/Tech support", 42, now),
        ("Requests/Orders", 18, now),
        ("Archive/2025", 60, last_year),
        ("Ablage", 25, now),
        ("Deleted Items", 12, now),
        ("Junk Email", 9, now),
    ] {
        let folder = mailbox.folder_at(path);
        spread(mailbox, &mut author, folder, count, end);
    }
}

/// Spreads `count` mails over the time until `end`, busier on working days.
fn spread(
    mailbox: &mut Mailbox,
    author: &mut Author,
    folder: FolderKey,
    count: u32,
    end: Timestamp,
) {
    let sent_items = mailbox.well_known("sentitems");
    let step = REACH.as_millis() / i128::from(count.max(1));
    for position in (0..count).rev() {
        let jitter = i128::from(author.dice(1_000)) * step / 1_000;
        // The newest mail is some minutes old, so that mail that arrives now is newer.
        let back = i128::from(position) * step + jitter + 60_000;
        let back = SignedDuration::from_millis(i64::try_from(back).unwrap_or(0));
        let at = workday(end.checked_sub(back).unwrap_or(end));
        let written = author.next(at);
        if let Some((when, raw)) = written.sent {
            let mut message = Message::new(Bytes::from(raw), when);
            message.is_read = true;
            mailbox.add(sent_items, message);
        }
        let mut message = Message::new(Bytes::from(written.incoming), at);
        let old = back > SignedDuration::from_hours(240);
        message.is_read = author.dice(100) < if old { 75 } else { 25 };
        if message.is_read && author.dice(100) < 12 {
            message
                .categories
                .push(CATEGORIES[author.dice(6) as usize].to_owned());
        }
        if author.dice(100) < 2 {
            message.flag = "flagged".to_owned();
        }
        mailbox.add(folder, message);
    }
}

/// Most of what would arrive on a Sunday arrives on the Saturday before: the desk is closed.
fn workday(at: Timestamp) -> Timestamp {
    let zoned = at.to_zoned(jiff::tz::TimeZone::UTC);
    if zoned.weekday() == jiff::civil::Weekday::Sunday && zoned.hour() > 3 {
        return at.checked_sub(SignedDuration::from_hours(20)).unwrap_or(at);
    }
    at
}

/// Adds `count` mails of all kinds to an inbox, one a second until `now`.
pub(crate) fn add(mailbox: &mut Mailbox, count: u32, seed: u64, now: Timestamp) {
    let mut author = Author::new(seed, &mailbox.address.clone());
    let inbox = mailbox.well_known("inbox");
    for position in (0..count).rev() {
        let at = now
            .checked_sub(SignedDuration::from_secs(i64::from(position)))
            .unwrap_or(now);
        mailbox.add(
            inbox,
            Message::new(Bytes::from(author.next(at).incoming), at),
        );
    }
}

#[cfg(test)]
mod tests;
