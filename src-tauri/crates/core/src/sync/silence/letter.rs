//! The mail to the failure list (RFC 5322; `Auto-Submitted`: RFC 3834; `X-Auto-Response-Suppress`: MS-OXCMAIL).

use super::{MINUTE, Seen};
use crate::Millis;
use crate::account::EmailAddress;
use crate::provider::outbound::Envelope;
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::silences::SilenceRow;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

/// The addresses of a failure list: separated by semicolons or commas, each once.
///
/// # Errors
/// The texts that are no addresses, separated by commas.
pub fn recipients(list: &str) -> Result<Vec<EmailAddress>, String> {
    let mut found: Vec<EmailAddress> = Vec::new();
    let mut wrong: Vec<&str> = Vec::new();
    for text in list.split([';', ',', '\n']).map(str::trim) {
        if text.is_empty() {
            continue;
        }
        match EmailAddress::parse(text) {
            Some(address) if found.contains(&address) => {}
            // A mail header has no place for others without a server that knows SMTPUTF8.
            Some(address) if address.as_str().is_ascii() => found.push(address),
            Some(_) | None => wrong.push(text),
        }
    }
    if wrong.is_empty() {
        Ok(found)
    } else {
        Err(wrong.join(", "))
    }
}

/// One mail about all that changed.
pub(super) struct Letter {
    from: String,
    to: Vec<EmailAddress>,
    language: String,
    minutes: u32,
    silent: Vec<String>,
    recovered: Vec<String>,
}

impl Letter {
    /// A letter from `sender` to `list` without the sender itself and without the addresses that it is about. Nothing
    /// when nobody is left.
    pub(super) fn new(
        seen: &Seen,
        due: &[SilenceRow],
        sender: &AddressRow,
        account: &AccountRow,
        list: Vec<EmailAddress>,
    ) -> Option<Self> {
        let about = |id: i64| {
            due.iter()
                .any(|silence| silence.address_id == id && silence.silent)
        };
        let own = |address: &EmailAddress| {
            address.key() == sender.address_key
                || (sender.mailbox.is_none() && account.identity.owns(address))
                || seen
                    .rows
                    .iter()
                    .any(|(row, _)| about(row.id) && row.address_key == address.key())
        };
        let to: Vec<EmailAddress> = list.into_iter().filter(|address| !own(address)).collect();
        let names = |silent: bool| {
            let chosen = due.iter().filter(move |row| row.silent == silent);
            chosen
                .filter_map(|silence| {
                    seen.rows
                        .iter()
                        .find(|(row, _)| row.id == silence.address_id)
                })
                .map(|(row, _)| row.address.clone())
                .collect()
        };
        (!to.is_empty()).then(|| Self {
            from: sender.address.clone(),
            to,
            language: seen.settings.language.clone().unwrap_or_default(),
            minutes: seen.settings.alert_after_min,
            silent: names(true),
            recovered: names(false),
        })
    }

    /// From whom it goes to whom; nothing where the sender is no address.
    pub(super) fn envelope(&self) -> Option<Envelope> {
        Some(Envelope {
            from: EmailAddress::parse(&self.from)?,
            to: self.to.clone(),
        })
    }

    /// The mail as it is handed to the server.
    pub(super) fn raw(&self, now: Millis) -> std::io::Result<Vec<u8>> {
        let words = words(&self.language);
        let subject = match (self.silent.as_slice(), self.recovered.as_slice()) {
            ([], [one]) => words.one_recovered.replace("{address}", one),
            ([], more) => words
                .many_recovered
                .replace("{count}", &more.len().to_string()),
            ([one], _) => words.one_silent.replace("{address}", one),
            (more, _) => words
                .many_silent
                .replace("{count}", &more.len().to_string()),
        };
        let mut text = String::new();
        for (intro, names) in [
            (words.silent, &self.silent),
            (words.recovered, &self.recovered),
        ] {
            if !names.is_empty() {
                text.push_str(&intro.replace("{minutes}", &self.minutes.to_string()));
                text.push_str("\n\n");
                names
                    .iter()
                    .for_each(|name| text.push_str(&format!("  {name}\n")));
                text.push('\n');
            }
        }
        text.push_str(words.end);
        let domain = self
            .from
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain);
        let to: Vec<&str> = self.to.iter().map(EmailAddress::as_str).collect();
        MessageBuilder::new()
            .from(("Mailroom", self.from.as_str()))
            .to(to)
            .subject(subject)
            .date(now / (MINUTE / 60))
            .message_id(format!(
                "mailroom-alert.{}@{domain}",
                uuid::Uuid::new_v4().simple()
            ))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .text_body(text)
            .write_to_vec()
    }
}

struct Words {
    one_silent: &'static str,
    many_silent: &'static str,
    one_recovered: &'static str,
    many_recovered: &'static str,
    silent: &'static str,
    recovered: &'static str,
    end: &'static str,
}

fn words(language: &str) -> &'static Words {
    match language.get(..2) {
        Some("de") => &DE,
        Some("ja") => &JA,
        _ => &EN,
    }
}

const EN: Words = Words {
    one_silent: "Mailroom: {address} is silent",
    many_silent: "Mailroom: {count} addresses are silent",
    one_recovered: "Mailroom: {address} works again",
    many_recovered: "Mailroom: {count} addresses work again",
    silent: "Mailroom has not been able to fetch mail for {minutes} minutes or more from:",
    recovered: "Mailroom fetches mail again from:",
    end: "Open Mailroom to see the cause and who can mend it. No further mail comes until this changes.\n",
};

const DE: Words = Words {
    one_silent: "Mailroom: {address} ist verstummt",
    many_silent: "Mailroom: {count} Adressen sind verstummt",
    one_recovered: "Mailroom: {address} funktioniert wieder",
    many_recovered: "Mailroom: {count} Adressen funktionieren wieder",
    silent: "Mailroom konnte seit {minutes} Minuten oder länger keine E-Mails abrufen von:",
    recovered: "Mailroom ruft wieder E-Mails ab von:",
    end: "Öffnen Sie Mailroom, um die Ursache zu sehen und wer sie beheben kann. Bis sich das ändert, kommt keine weitere E-Mail.\n",
};

const JA: Words = Words {
    one_silent: "Mailroom: {address} の受信が途絶えています",
    many_silent: "Mailroom: {count} 件のアドレスの受信が途絶えています",
    one_recovered: "Mailroom: {address} の受信が再開しました",
    many_recovered: "Mailroom: {count} 件のアドレスの受信が再開しました",
    silent: "次のアドレスから {minutes} 分以上メールを受信できていません。",
    recovered: "次のアドレスの受信が再開しました。",
    end: "原因と対応できる人は Mailroom で確認できます。状態が変わるまで、次の通知メールは送信されません。\n",
};
