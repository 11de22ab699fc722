//! A request by a customer, what an agent answers, and what the customer writes then.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use rand::Rng;
use rand::rngs::StdRng;

use super::files::{File, logo};
use super::mime::{self, Charset, Entity, WordCoding};
use super::words::{Language, any};

/// Somebody who writes in.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    /// Their language.
    pub(super) language: Language,
    /// Their name.
    pub(super) name: String,
    /// Their address.
    pub(super) address: String,
    /// How their program encodes text.
    pub(super) charset: Charset,
    /// How it encodes words in headers.
    pub(super) coding: WordCoding,
}

/// A conversation that may go on.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    /// The customer.
    pub(super) writer: Writer,
    /// The subject without prefixes.
    pub(super) subject: String,
    /// Message-IDs so far, oldest first.
    pub(super) ids: Vec<String>,
}

/// The oddities of a single mail.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Oddities {
    /// Without Message-ID.
    pub(super) no_id: bool,
    /// Without Subject.
    pub(super) no_subject: bool,
    /// Without any text.
    pub(super) no_text: bool,
    /// With a subject of some 400 characters.
    pub(super) long_subject: bool,
    /// With emoji.
    pub(super) emoji: bool,
    /// With an HTML version.
    pub(super) html: bool,
    /// With a picture inside the HTML.
    pub(super) inline: bool,
    /// With a file.
    pub(super) file: Option<File>,
}

/// Invents a customer.
pub(super) fn writer(rng: &mut StdRng, language: Language) -> Writer {
    let phrases = language.phrases();
    let (first, last) = (
        rng.random_range(0..phrases.first.len()),
        rng.random_range(0..phrases.last.len()),
    );
    let domain = any(rng, phrases.domains);
    let (name, local) = match language {
        Language::Japanese => (
            format!("{} {}", phrases.last[last], phrases.first[first]),
            format!("user{:03}", last * phrases.first.len() + first),
        ),
        Language::English | Language::German => {
            let name = format!("{} {}", phrases.first[first], phrases.last[last]);
            (name.clone(), ascii(&name))
        }
    };
    let charset = match language {
        Language::English => Charset::Utf8,
        Language::German => {
            if rng.random_bool(0.3) {
                Charset::Latin1
            } else {
                Charset::Utf8
            }
        }
        Language::Japanese => match rng.random_range(0..10) {
            0..4 => Charset::Iso2022Jp,
            4..6 => Charset::ShiftJis,
            _ => Charset::Utf8,
        },
    };
    let coding = if rng.random_bool(0.4) {
        WordCoding::Q
    } else {
        WordCoding::B
    };
    Writer {
        language,
        name,
        address: format!("{local}@{domain}"),
        charset,
        coding,
    }
}

fn ascii(name: &str) -> String {
    let mut out = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            ' ' => out.push('.'),
            'a'..='z' => out.push(letter),
            _ => {}
        }
    }
    out
}

/// A request: the raw mail, and the conversation it opens.
pub(super) fn request(
    rng: &mut StdRng,
    to: &str,
    at: Timestamp,
    writer: Writer,
    odd: Oddities,
) -> (Vec<u8>, Thread) {
    let phrases = writer.language.phrases();
    let topics = writer.language.topics();
    let (subject, text) = topics[rng.random_range(0..topics.len())];
    let product = any(rng, phrases.products);
    let city = any(rng, phrases.cities);
    let order = format!("C-{}", rng.random_range(20_000..99_999));
    let number = rng.random_range(2..40).to_string();
    let day = day(writer.language, at, rng.random_range(-6..20));
    let fill = |text: &str| {
        text.replace("{product}", product)
            .replace("{city}", city)
            .replace("{order}", &order)
            .replace("{n}", &number)
            .replace("{date}", &day)
    };
    let mut subject = fill(subject);
    if odd.emoji {
        subject = format!("☕️ {subject} 🙏");
    }
    if odd.long_subject {
        subject = [subject.as_str(); 9].join(" / ");
    }
    let mut text = capital(&fill(text));
    if rng.random_bool(0.6) {
        text.push(if writer.language == Language::Japanese {
            '\n'
        } else {
            ' '
        });
        text.push_str(any(rng, phrases.extras));
    }
    let body = if odd.no_text {
        String::new()
    } else {
        signed(rng, &writer, &text)
    };
    let thread = Thread {
        writer,
        subject,
        ids: Vec::new(),
    };
    let name = odd.file.map(|file| file_name(&thread, file, &order));
    let (raw, id) = write(rng, &thread, to, at, &thread.subject, &body, odd, name);
    (
        raw,
        Thread {
            ids: id.into_iter().collect(),
            ..thread
        },
    )
}

/// What the customer writes after an answer.
pub(super) fn follow_up(rng: &mut StdRng, to: &str, at: Timestamp, thread: &mut Thread) -> Vec<u8> {
    let phrases = thread.writer.language.phrases();
    let text = any(rng, phrases.follow_ups);
    let quoted = format!("> {}\n> {}", any(rng, phrases.answers), "Contoso Support");
    let body = format!("{}\n\n{quoted}\n", signed(rng, &thread.writer, text));
    let prefix = if thread.writer.language == Language::German {
        "AW: "
    } else {
        "Re: "
    };
    let subject = format!("{prefix}{}", thread.subject);
    let (raw, id) = write(
        rng,
        thread,
        to,
        at,
        &subject,
        &body,
        Oddities::default(),
        None,
    );
    thread.ids.extend(id);
    raw
}

/// What an agent answered, as it lies in Sent Items.
pub(super) fn answer(rng: &mut StdRng, from: &str, at: Timestamp, thread: &mut Thread) -> Vec<u8> {
    let writer = &thread.writer;
    let phrases = writer.language.phrases();
    let id = format!("<{:016x}@contoso.example>", rng.random::<u64>());
    let mut head = format!(
        "From: Contoso Support <{from}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: {id}\r\nDate: {}\r\n",
        mime::address(&writer.name, &writer.address, Charset::Utf8, WordCoding::B),
        mime::encoded(
            &format!("Re: {}", thread.subject),
            Charset::Utf8,
            WordCoding::B
        ),
        local_date(at, phrases.offset),
    );
    push_references(&mut head, &thread.ids);
    let greeting = any(rng, phrases.greetings);
    let body = format!(
        "{greeting}\n\n{}\n\nContoso Support\n",
        any(rng, phrases.answers)
    );
    thread.ids.push(id);
    Entity::text("plain", &body, Charset::Utf8).message(&head)
}

#[allow(
    clippy::too_many_arguments,
    reason = "one call per kind of letter; a struct would only rename them"
)]
fn write(
    rng: &mut StdRng,
    thread: &Thread,
    to: &str,
    at: Timestamp,
    subject: &str,
    body: &str,
    odd: Oddities,
    file_name: Option<String>,
) -> (Vec<u8>, Option<String>) {
    let writer = &thread.writer;
    // An emoji fits no older character set.
    let charset = if odd.emoji {
        Charset::Utf8
    } else {
        writer.charset
    };
    let domain = writer
        .address
        .rsplit_once('@')
        .map_or("x.example", |(_, domain)| domain);
    let id = format!(
        "<{:08x}.{:08x}@{domain}>",
        rng.random::<u32>(),
        rng.random::<u32>()
    );
    let offset = writer.language.phrases().offset;
    let mut head = received(domain, to, at);
    head.push_str(&format!(
        "From: {}\r\nTo: {to}\r\n",
        mime::address(&writer.name, &writer.address, charset, writer.coding)
    ));
    if !odd.no_subject {
        head.push_str(&format!(
            "Subject: {}\r\n",
            mime::encoded(subject, charset, writer.coding)
        ));
    }
    head.push_str(&format!("Date: {}\r\n", local_date(at, offset)));
    if !odd.no_id {
        head.push_str(&format!("Message-ID: {id}\r\n"));
    }
    push_references(&mut head, &thread.ids);
    let boundary = format!("{:012x}", rng.random::<u64>() >> 16);
    let mut entity = Entity::text("plain", body, charset);
    if odd.html {
        let picture = if odd.inline {
            "<p><img src=\"cid:logo@contoso-letter\" alt=\"logo\"></p>"
        } else {
            ""
        };
        let html = format!(
            "<html><head><style>p {{ font-family: sans-serif }}</style></head><body><p>{}</p>{picture}</body></html>",
            body.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace("\n\n", "</p>\n<p>")
                .replace('\n', "<br>\n")
        );
        let mut html = Entity::text("html", &html, charset);
        if odd.inline {
            let logo = Entity::file("logo.png", "image/png", logo(), Some("logo@contoso-letter"));
            html = Entity::multipart("related", &format!("rel-{boundary}"), vec![html, logo]);
        }
        entity = Entity::multipart(
            "alternative",
            &format!("alt-{boundary}"),
            vec![entity, html],
        );
    }
    if let (Some(file), Some(name)) = (odd.file, file_name) {
        let (kind, base64) = file.parts();
        let file = Entity::file(&name, kind, base64, None);
        entity = Entity::multipart("mixed", &format!("mix-{boundary}"), vec![entity, file]);
    }
    (entity.message(&head), (!odd.no_id).then_some(id))
}

/// The trace line of the last server on the way in.
pub(super) fn received(domain: &str, to: &str, at: Timestamp) -> String {
    format!(
        "Received: from mail.{domain} (198.51.100.{}) by mx.contoso.example\r\n with ESMTPS for <{to}>; {}\r\n",
        domain.len(),
        local_date(at, 0)
    )
}

/// A date as mail headers write it, in a zone `offset` hours from UTC.
pub(super) fn local_date(at: Timestamp, offset: i8) -> String {
    let zone = TimeZone::fixed(Offset::constant(offset));
    at.to_zoned(zone)
        .strftime("%a, %d %b %Y %H:%M:%S %z")
        .to_string()
}

fn push_references(head: &mut String, ids: &[String]) {
    if let Some(last) = ids.last() {
        head.push_str(&format!(
            "In-Reply-To: {last}\r\nReferences: {}\r\n",
            ids.join("\r\n ")
        ));
    }
}

fn signed(rng: &mut StdRng, writer: &Writer, text: &str) -> String {
    let phrases = writer.language.phrases();
    format!(
        "{}\n\n{text}\n\n{}\n{}\n",
        any(rng, phrases.greetings),
        any(rng, phrases.closings),
        writer.name
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn day(language: Language, at: Timestamp, days: i64) -> String {
    let date = at
        .to_zoned(TimeZone::UTC)
        .date()
        .saturating_add(jiff::Span::new().days(days));
    let pattern = match language {
        Language::English => "%d %B",
        Language::German => "%d.%m.",
        Language::Japanese => "%m月%d日",
    };
    date.strftime(pattern).to_string()
}

fn file_name(thread: &Thread, file: File, order: &str) -> String {
    let stem = match (thread.writer.language, file) {
        (Language::English, File::Png) => "photo of the damage".to_owned(),
        (Language::English, _) => format!("order {order}"),
        (Language::German, File::Png) => "Foto Tür außen".to_owned(),
        (Language::German, _) => format!("Übersicht {order}"),
        (Language::Japanese, File::Png) => "破損箇所の写真".to_owned(),
        (Language::Japanese, _) => format!("注文書 {order}"),
    };
    format!("{stem}.{}", file.ending())
}
