//! Bytes to [`ParsedMail`]. The tree of parts, the fields and their caps are our own ([`super::structure`]),
//! because mail-parser 0.11 recurses on nested messages and rescans for boundaries; mail-parser reads
//! addresses, dates, transfer encodings and charsets.

use std::collections::HashSet;

use mail_parser::Address;
use mail_parser::parsers::MessageStream;
use sha2::{Digest as _, Sha256};

use super::body::{self, Wanted};
use super::fields::Fields;
use super::structure::{Part, Tree, note};
use super::{Attachment, ParsedMail, Person, automatic, names, thread, words};

/// Addresses kept of a field.
const ADDRESSES: usize = 1_000;

/// Reads a mail. Never fails: what cannot be read is said in `damage`.
pub fn parse(raw: &[u8]) -> ParsedMail {
    let tree = Tree::read(raw);
    let mut mail = ParsedMail {
        damage: tree.damage.clone(),
        ..ParsedMail::default()
    };
    let Some(root) = tree.parts.first() else {
        return mail;
    };
    let fields = &root.fields;

    mail.subject = names::line(&fields.decoded("subject").unwrap_or_default());
    let (from, _) = people(fields, "from");
    mail.from = from
        .into_iter()
        .next()
        .or_else(|| people(fields, "sender").0.into_iter().next())
        .unwrap_or_default();
    mail.reply_to = people(fields, "reply-to")
        .0
        .into_iter()
        .find(|person| !person.address.is_empty());
    for (name, list) in [("to", &mut mail.to), ("cc", &mut mail.cc)] {
        let (people, cut) = people(fields, name);
        *list = people;
        if cut {
            note(&mut mail.damage, "too_large");
        }
    }
    mail.sent_at = fields.text("date").and_then(|text| instant(&text));
    mail.message_id = fields
        .text("message-id")
        .and_then(|text| thread::ids(&text).into_iter().next());
    let in_reply_to = fields.text("in-reply-to").unwrap_or_default();
    let references = fields.all("references").collect::<Vec<_>>().join(" ");
    mail.references = thread::references(&in_reply_to, &references, mail.message_id.as_deref());

    let (text, cut) = body::text(&tree);
    if cut {
        note(&mut mail.damage, "text_cut");
    }
    if !fields.any || unreadable(&text) {
        note(&mut mail.damage, "unreadable");
    }
    mail.text = text;
    mail.has_html = body::pieces(&tree, Wanted::Html)
        .iter()
        .any(|piece| piece.html);
    mail.attachments = attachments(&tree);
    mail.automatic = automatic::classify(&tree);
    if mail.automatic == Some(automatic::Automatic::Bounce) {
        mail.bounced_message_id = automatic::bounced_message_id(&tree);
    }
    mail.fingerprint = fingerprint(&mail);
    mail
}

/// The decoded bytes of an attachment, by [`super::Attachment::part`].
pub fn attachment(raw: &[u8], part: u32) -> Option<Vec<u8>> {
    let tree = Tree::read(raw);
    let part = tree
        .parts
        .get(usize::try_from(part).ok()?)
        .filter(|part| !part.multipart)?;
    Some(tree.decoded(part).into_owned())
}

/// The people in a field, and whether there were more than are kept.
fn people(fields: &Fields, name: &str) -> (Vec<Person>, bool) {
    let Some(text) = fields.text(name) else {
        return (Vec::new(), false);
    };
    let mut text = words::for_addresses(&text, fields.hint.as_deref()).replace(['\r', '\n'], " ");
    text.push('\n');
    let found = match MessageStream::new(text.as_bytes())
        .parse_address()
        .into_address()
    {
        Some(Address::List(list)) => list,
        Some(Address::Group(groups)) => groups
            .into_iter()
            .flat_map(|group| group.addresses)
            .collect(),
        None => Vec::new(),
    };
    let cut = found.len() > ADDRESSES;
    let people = found.iter().take(ADDRESSES).map(|found| {
        let name = names::line(found.name.as_deref().unwrap_or_default());
        let name = name.trim_matches(['\'', '"', ' ']).to_owned();
        let address = found.address.as_deref().unwrap_or_default();
        let address = address
            .chars()
            .filter(|c| !names::deceives(*c) && !c.is_whitespace())
            .take(320)
            .collect();
        Person { name, address }
    });
    (
        people
            .filter(|person| !person.name.is_empty() || !person.address.is_empty())
            .collect(),
        cut,
    )
}

/// A `Date` field in milliseconds since 1970.
fn instant(text: &str) -> Option<crate::Millis> {
    let line = format!("{}\n", text.replace(['\r', '\n'], " "));
    let date = MessageStream::new(line.as_bytes())
        .parse_date()
        .into_datetime()?;
    date.is_valid().then(|| date.to_timestamp() * 1_000)
}

/// Whether so much has no meaning that a person cannot read the rest.
fn unreadable(text: &str) -> bool {
    if !text.contains('\u{fffd}') {
        return false;
    }
    let broken = text.matches('\u{fffd}').count();
    broken > 8 && broken * 10 > text.chars().count()
}

fn attachments(tree: &Tree<'_>) -> Vec<Attachment> {
    let mut shown: Option<HashSet<String>> = None;
    let mut out = Vec::new();
    for index in body::attached(tree) {
        let part = &tree.parts[index];
        let media_type = part.media_type().to_owned();
        let content_id = part.content_id();
        let inline = media_type.starts_with("image/")
            && content_id.as_deref().is_some_and(|id| {
                shown
                    .get_or_insert_with(|| images_in_html(tree))
                    .contains(&id.to_lowercase())
            });
        let number = out.len() + 1;
        let decoded = tree.decoded(part);
        out.push(Attachment {
            part: u32::try_from(index).unwrap_or(u32::MAX),
            name: name(part, &decoded, number),
            media_type,
            size: decoded.len() as u64,
            content_id,
            inline,
        });
    }
    out
}

/// A safe name: for a message its subject, else what the sender gave, else one made from the media type.
fn name(part: &Part, decoded: &[u8], number: usize) -> String {
    let extension = names::extension(part.media_type());
    let given = part
        .file_name()
        .map(names::line)
        .and_then(|name| names::file(&name));
    let subject = if matches!(part.media_type(), "message/rfc822" | "message/global") {
        let (mut fields, _) = Fields::read(decoded, 0, true, |_| false);
        fields.hint.clone_from(&part.fields.hint);
        let subject =
            names::line(&fields.decoded("subject").unwrap_or_default()).replace(['/', '\\'], "_");
        names::file(&subject).and_then(|subject| names::file(&format!("{subject}.eml")))
    } else {
        None
    };
    subject
        .or(given)
        .unwrap_or_else(|| format!("attachment-{number}.{extension}"))
}

/// Content-IDs that the HTML shows, in lower case.
fn images_in_html(tree: &Tree<'_>) -> HashSet<String> {
    let mut out = HashSet::new();
    for piece in body::pieces(tree, Wanted::Html)
        .into_iter()
        .filter(|piece| piece.html)
    {
        let (html, _) = body::characters(tree, &tree.parts[piece.part]);
        let html = html.to_lowercase();
        for (at, _) in html.match_indices("cid:") {
            let id = html[at + 4..]
                .split(['"', '\'', '>', ' ', ')', '<', '\n'])
                .next()
                .unwrap_or_default();
            out.insert(id.trim().replace("%40", "@").replace("&amp;", "&"));
        }
    }
    out
}

fn fingerprint(mail: &ParsedMail) -> Option<[u8; 32]> {
    let mut hash = Sha256::new();
    let date = mail.sent_at.map(|at| at.to_string()).unwrap_or_default();
    let from = mail.from.address.to_lowercase();
    for field in [
        mail.message_id.as_ref()?,
        &from,
        &date,
        &mail.subject,
        &mail.text,
    ] {
        for word in field.split_whitespace() {
            hash.update(word);
            hash.update(b" ");
        }
        hash.update(b"\0");
    }
    Some(hash.finalize().into())
}

#[cfg(test)]
mod tests;
