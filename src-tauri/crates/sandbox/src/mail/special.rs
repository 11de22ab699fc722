//! Mail that no person wrote to us: newsletters, automatic replies, bounces, mailing lists, invitations.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::rngs::StdRng;

use super::letter::{Thread, local_date, received};
use super::mime::{self, Charset, Entity, WordCoding};
use super::words::{Language, any};
use crate::tenant::mailboxes::delivery::{report, stamp};

const SENDERS: [(&str, &str); 5] = [
    ("Roastery Weekly", "roastery-weekly.example"),
    ("Ergonomie heute", "ergonomie-heute.example"),
    ("Office Trends", "office-trends.example"),
    ("Messe Nord", "messe-nord.example"),
    ("珈琲通信", "coffee-tsushin.example"),
];
const HEADLINES: [&str; 8] = [
    "Five beans to try before spring",
    "Gesünder sitzen: was die neue Norm ändert",
    "The quiet office: what really absorbs sound",
    "Ihre Einladung zur Frühjahrsmesse",
    "今月のおすすめ豆と抽出のこつ",
    "Last days: early bird tickets",
    "Milch oder Hafer? Der große Vergleich",
    "How much does a cup really cost?",
];
const LIST_SUBJECTS: [&str; 6] = [
    "grinder alignment, again",
    "Water hardness map of Europe",
    "spare parts for the old FilterPro",
    "Anyone using the new descaler?",
    "Re: noise of pump after ten years",
    "meeting notes and next date",
];

/// A newsletter: HTML with styles, remote pictures and an unsubscribe header (RFC 2369, RFC 8058).
pub(super) fn newsletter(rng: &mut StdRng, to: &str, at: Timestamp) -> Vec<u8> {
    let (name, domain) = SENDERS[rng.random_range(0..SENDERS.len())];
    let headline = any(rng, &HEADLINES);
    let number = rng.random_range(10_000..99_999);
    let head = format!(
        "{}From: {}\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <news.{number}.{:08x}@{domain}>\r\n\
         List-Id: <news.{domain}>\r\nList-Unsubscribe: <https://{domain}/u/{number}>, <mailto:leave@{domain}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n",
        received(domain, to, at),
        mime::address(
            name,
            &format!("news@{domain}"),
            Charset::Utf8,
            WordCoding::B
        ),
        mime::encoded(headline, Charset::Utf8, WordCoding::Q),
        local_date(at, 1),
        rng.random::<u32>(),
    );
    let html = format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><style>body{{background:#f4efe6;font-family:Georgia,serif}} .box{{width:600px;margin:auto;background:#fff}} @media(max-width:600px){{.box{{width:100%}}}}</style></head>\
         <body><table class=\"box\"><tr><td><img src=\"https://img.{domain}/head-{number}.jpg\" width=\"600\" alt=\"\"></td></tr><tr><td><h1>{headline}</h1><p>Read on in your browser, or forward this issue to a colleague.</p>\
         <a href=\"https://{domain}/r/{number}?utm_source=mail\" style=\"background:#7a4b2b;color:#fff;padding:12px\">Read more</a></td></tr></table><img src=\"https://t.{domain}/o/{number}.gif\" width=\"1\" height=\"1\" alt=\"\"></body></html>"
    );
    let parts = vec![
        Entity::text(
            "plain",
            &format!("{headline}\n\nhttps://{domain}/r/{number}\n"),
            Charset::Utf8,
        ),
        Entity::text("html", &html, Charset::Utf8),
    ];
    Entity::multipart("alternative", &format!("nl-{number}"), parts).message(&head)
}

/// An out-of-office reply to something we sent (RFC 3834).
pub(super) fn auto_reply(rng: &mut StdRng, to: &str, at: Timestamp, thread: &Thread) -> Vec<u8> {
    let writer = &thread.writer;
    let domain = writer
        .address
        .rsplit_once('@')
        .map_or("x.example", |(_, domain)| domain);
    let (prefix, text) = match writer.language {
        Language::English => (
            "Automatic reply: ",
            "I am out of the office until next Monday and read mail only occasionally. In urgent cases please call our reception.",
        ),
        Language::German => (
            "Automatische Antwort: ",
            "ich bin bis kommenden Montag nicht im Haus. In dringenden Fällen hilft Ihnen unser Empfang gern weiter.",
        ),
        Language::Japanese => (
            "自動応答: ",
            "来週月曜日まで不在にしております。お急ぎの場合は受付までお電話ください。",
        ),
    };
    let mut head = format!(
        "{}Return-Path: <>\r\nFrom: {}\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <oof.{:016x}@{domain}>\r\nAuto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nPrecedence: auto_reply\r\n",
        received(domain, to, at),
        mime::address(&writer.name, &writer.address, writer.charset, writer.coding),
        mime::encoded(
            &format!("{prefix}{}", thread.subject),
            writer.charset,
            writer.coding
        ),
        local_date(at, writer.language.phrases().offset),
        rng.random::<u64>(),
    );
    if let Some(id) = thread.ids.last() {
        head.push_str(&format!("In-Reply-To: {id}\r\nReferences: {id}\r\n"));
    }
    Entity::text(
        "plain",
        &format!("{text}\n\n{}\n", writer.name),
        writer.charset,
    )
    .message(&head)
}

/// A bounce of something we sent.
pub(super) fn bounce(rng: &mut StdRng, to: &str, at: Timestamp, thread: &Thread) -> Vec<u8> {
    let recipient = &thread.writer.address;
    let (status, text) = [
        (
            "5.1.1",
            "550 5.1.1 The email account that you tried to reach does not exist",
        ),
        ("5.2.2", "552 5.2.2 Mailbox full"),
        (
            "4.4.1",
            "451 4.4.1 Connection timed out; message will be retried for 24 hours",
        ),
        (
            "5.7.1",
            "550 5.7.1 Message rejected as spam by content filtering",
        ),
    ][rng.random_range(0..4)];
    let id = thread
        .ids
        .last()
        .map_or("<unknown@contoso.example>", String::as_str);
    let subject = mime::encoded(
        &format!("Re: {}", thread.subject),
        Charset::Utf8,
        WordCoding::B,
    );
    let original = format!(
        "From: Contoso Support <{to}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\nMessage-ID: {id}\r\n\r\n"
    );
    let report = report(to, recipient, status, text, original.as_bytes(), at);
    stamp(&report, to, at).to_vec()
}

/// A mail of a mailing list (RFC 2919).
pub(super) fn list_mail(rng: &mut StdRng, to: &str, at: Timestamp) -> Vec<u8> {
    let phrases = Language::English.phrases();
    let author = format!("{} {}", any(rng, phrases.first), any(rng, phrases.last));
    let head = format!(
        "{}From: \"{author} via machines\" <machines@lists.coffee-guild.example>\r\nTo: Machine keepers <machines@lists.coffee-guild.example>\r\nReply-To: machines@lists.coffee-guild.example\r\n\
         Subject: [machines] {}\r\nDate: {}\r\nMessage-ID: <{:016x}@lists.coffee-guild.example>\r\nList-Id: Machine keepers <machines.lists.coffee-guild.example>\r\nList-Post: <mailto:machines@lists.coffee-guild.example>\r\nList-Unsubscribe: <mailto:machines-leave@lists.coffee-guild.example>\r\nPrecedence: list\r\nSender: machines-bounces@lists.coffee-guild.example\r\n",
        received("lists.coffee-guild.example", to, at),
        any(rng, &LIST_SUBJECTS),
        local_date(at, 0),
        rng.random::<u64>(),
    );
    let text = format!(
        "{}\n\n{author}\n_______________________________________________\nmachines mailing list\nhttps://lists.coffee-guild.example/machines\n",
        any(rng, phrases.follow_ups)
    );
    Entity::text("plain", &text, Charset::Utf8).message(&head)
}

/// A calendar invitation (RFC 6047).
pub(super) fn invitation(rng: &mut StdRng, to: &str, at: Timestamp) -> Vec<u8> {
    let phrases = Language::English.phrases();
    let name = format!("{} {}", any(rng, phrases.first), any(rng, phrases.last));
    let domain = any(rng, phrases.domains);
    let uid = format!("{:016x}@{domain}", rng.random::<u64>());
    let start = at
        .checked_add(SignedDuration::from_hours(rng.random_range(24..200)))
        .unwrap_or(at);
    let end = start
        .checked_add(SignedDuration::from_mins(45))
        .unwrap_or(start);
    let stamp = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let title = format!("Service visit {}", any(rng, phrases.cities));
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Northwind//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{title}\r\nORGANIZER;CN={name}:mailto:calendar@{domain}\r\nATTENDEE;RSVP=TRUE:mailto:{to}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        stamp(at),
        stamp(start),
        stamp(end)
    );
    let head = format!(
        "{}From: {name} <calendar@{domain}>\r\nTo: <{to}>\r\nSubject: Invitation: {title}\r\nDate: {}\r\nMessage-ID: <cal.{uid}>\r\n",
        received(domain, to, at),
        local_date(at, 0),
    );
    let parts = vec![
        Entity::text(
            "plain",
            &format!("{name} invites you to \"{title}\".\n"),
            Charset::Utf8,
        ),
        Entity::raw(
            "Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\r\nContent-Transfer-Encoding: 7bit\r\n",
            calendar,
        ),
    ];
    Entity::multipart("alternative", "cal-part", parts).message(&head)
}
