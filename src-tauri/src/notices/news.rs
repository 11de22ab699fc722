//! Which notices a person wants to hear of while doing something else: pure.
//!
//! An outage seldom strikes one address alone, so changes of state are gathered for a moment and told together.

use crate::tray::lamp_of;
use mailroom_core::api::view::{AddressView, Notice, Status};
use mailroom_core::words::Words;
use std::collections::{BTreeMap, BTreeSet};

/// A desktop notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// First line.
    pub(crate) title: String,
    /// The rest.
    pub(crate) text: String,
}

/// The addresses as they were last told of.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    known: BTreeMap<i64, AddressView>,
    /// Changes that nobody was told of yet: whether mail of an address flows again, or has stopped.
    changed: BTreeMap<i64, bool>,
    /// Addresses of which it was told that mail flows again, since it last stopped.
    told_flowing: BTreeSet<i64>,
}

impl Memory {
    /// Takes the list without making news of it.
    pub(crate) fn learn(&mut self, addresses: Vec<AddressView>) {
        self.known = addresses
            .into_iter()
            .map(|address| (address.id, address))
            .collect();
    }

    /// All addresses known now.
    pub(crate) fn addresses(&self) -> Vec<AddressView> {
        self.known.values().cloned().collect()
    }

    /// Remembers what the notice says and returns what is worth a notification at once.
    pub(crate) fn news(&mut self, notice: &Notice, words: &Words) -> Option<News> {
        match notice {
            Notice::Address(address) => {
                if let Some(before) = self.known.insert(address.id, (**address).clone()) {
                    self.note(before.status, address);
                }
                None
            }
            Notice::AddressRemoved(id) => {
                self.known.remove(id);
                self.changed.remove(id);
                None
            }
            Notice::NewTickets { address, count } => Some(News {
                title: match count {
                    0 => return None,
                    1 => words.notice("one_ticket", &[]),
                    count => words.notice("many_tickets", &[("count", &count.to_string())]),
                },
                text: address.clone(),
            }),
            Notice::Silent { address_ids } => {
                for id in address_ids {
                    self.told_flowing.remove(id);
                }
                let names = self.names(address_ids.iter());
                let why = words.notice("silent_text", &[]);
                grouped(&names, ["silent", "silent_many"], &why, words)
            }
            Notice::Recovered { address_ids } => {
                let untold: Vec<i64> = address_ids
                    .iter()
                    .copied()
                    .filter(|id| !self.told_flowing.remove(id))
                    .collect();
                self.flowing(&self.names(untold.iter()), words)
            }
            Notice::Connect(_)
            | Notice::TicketsChanged(_)
            | Notice::Polling(_)
            | Notice::HandOffs
            | Notice::Check { .. } => None,
        }
    }

    /// Whether changes wait for being told together.
    pub(crate) fn waits(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The changes since the last call, at most one notification for each direction. What is not `heard` is let go.
    pub(crate) fn gathered(&mut self, words: &Words, heard: bool) -> Vec<News> {
        let changed = std::mem::take(&mut self.changed);
        if !heard {
            return Vec::new();
        }
        let ids = |flows| {
            changed
                .iter()
                .filter(move |(_, now)| **now == flows)
                .map(|(id, _)| id)
        };
        self.told_flowing.extend(ids(true));
        let stopped = self.names(ids(false));
        let worst = ids(false)
            .filter_map(|id| self.known.get(id))
            .map(|address| address.status)
            .max();
        let status = worst.map_or("", |status| words.status(status));
        let why = words.notice("trouble_text", &[("status", status)]);
        let trouble = grouped(&stopped, ["trouble", "trouble_many"], &why, words);
        let flowing = self.flowing(&self.names(ids(true)), words);
        trouble.into_iter().chain(flowing).collect()
    }

    /// Only what stops mail is news, and that it flows again; being offline or paused explains itself.
    fn note(&mut self, before: Status, now: &AddressView) {
        let stopped = |status| matches!(status, Status::Failed | Status::WaitingForApproval);
        let flows = match (stopped(before), stopped(now.status)) {
            (false, true) => false,
            (true, false) if lamp_of(now.status).is_ok() => true,
            _ => return,
        };
        if !flows {
            self.told_flowing.remove(&now.id);
        }
        // A change and its opposite within the moment are no news at all.
        if self.changed.remove(&now.id).is_none() {
            self.changed.insert(now.id, flows);
        }
    }

    fn names<'a>(&self, ids: impl Iterator<Item = &'a i64>) -> Vec<String> {
        ids.filter_map(|id| self.known.get(id))
            .map(|address| address.address.clone())
            .collect()
    }

    fn flowing(&self, names: &[String], words: &Words) -> Option<News> {
        let status = words.status(Status::Verified);
        grouped(names, ["recovered", "recovered_many"], status, words)
    }
}

/// One notification about these addresses: `titles` for one and for several; several are named in the text.
fn grouped(names: &[String], titles: [&str; 2], why: &str, words: &Words) -> Option<News> {
    match names {
        [] => None,
        [one] => Some(News {
            title: words.notice(titles[0], &[("address", one)]),
            text: why.to_owned(),
        }),
        more => Some(News {
            title: words.notice(titles[1], &[("count", &more.len().to_string())]),
            text: format!("{}\n{why}", more.join(", ")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailroom_core::api::view::ProviderKind;
    use mailroom_core::words::words;

    fn notice_of(id: i64, status: Status) -> Notice {
        Notice::Address(Box::new(AddressView {
            id,
            address: format!("a{id}@contoso.example"),
            brand: "Contoso".into(),
            provider: ProviderKind::Graph,
            mailbox: None,
            sandbox: true,
            is_default: true,
            proven_at: None,
            default_to_be: false,
            undo_until: None,
            status,
            cause: None,
            last_success_at: None,
            next_poll_at: None,
            polling: false,
            silent: false,
            new_tickets_today: 0,
            activity: Vec::new(),
            open_tickets: 0,
            pending_marks: 0,
            import: None,
        }))
    }

    fn take(memory: &mut Memory, notices: &[Notice]) -> Vec<String> {
        let told = notices
            .iter()
            .filter_map(|notice| memory.news(notice, words("en")));
        told.map(|news| news.title).collect()
    }

    fn gathered(memory: &mut Memory) -> Vec<String> {
        let told = memory.gathered(words("en"), true);
        told.into_iter().map(|news| news.title).collect()
    }

    /// What is told when each status is followed by a moment of rest.
    fn told(statuses: &[Status]) -> Vec<String> {
        let mut memory = Memory::default();
        let mut all = Vec::new();
        for status in statuses {
            all.extend(take(&mut memory, &[notice_of(7, *status)]));
            all.extend(gathered(&mut memory));
        }
        all
    }

    #[test]
    fn trouble_is_told_once_and_so_is_its_end() {
        let told = told(&[
            Status::Verified,
            Status::Failed,
            Status::Failed,
            Status::Verified,
            Status::Verified,
        ]);
        assert_eq!(
            told,
            [
                "Mail has stopped: a7@contoso.example",
                "Mail is flowing again: a7@contoso.example"
            ]
        );
    }

    #[test]
    fn going_offline_and_pausing_are_no_news() {
        let quiet = [
            Status::Verified,
            Status::Offline,
            Status::Paused,
            Status::Verified,
        ];
        assert!(told(&quiet).is_empty());
    }

    #[test]
    fn a_new_address_is_no_news_even_when_it_failed() {
        assert!(told(&[Status::Failed]).is_empty());
    }

    #[test]
    fn several_addresses_that_fail_together_share_one_notification() {
        let mut memory = Memory::default();
        for id in 1..=3 {
            take(&mut memory, &[notice_of(id, Status::Verified)]);
            take(&mut memory, &[notice_of(id, Status::Failed)]);
        }
        // The third one was only a hiccup.
        take(&mut memory, &[notice_of(3, Status::Verified)]);
        assert!(memory.waits());
        let news = memory.gathered(words("de"), true);
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].title, "E-Mails kommen nicht mehr an: 2 Adressen");
        assert!(
            news[0]
                .text
                .starts_with("a1@contoso.example, a2@contoso.example\n")
        );
        assert!(!memory.waits());
    }

    #[test]
    fn silence_and_its_end_are_told_with_the_names() {
        let mut memory = Memory::default();
        take(&mut memory, &[notice_of(1, Status::Offline)]);
        take(&mut memory, &[notice_of(2, Status::Offline)]);
        let silent = |ids: &[i64]| Notice::Silent {
            address_ids: ids.to_vec(),
        };
        let recovered = |ids: &[i64]| Notice::Recovered {
            address_ids: ids.to_vec(),
        };
        assert_eq!(
            take(&mut memory, &[silent(&[1]), silent(&[1, 2])]),
            ["a1@contoso.example is silent", "2 addresses are silent"]
        );
        assert_eq!(
            take(&mut memory, &[recovered(&[1, 2])]),
            ["Mail is flowing again: 2 addresses"]
        );
        assert!(take(&mut memory, &[silent(&[9])]).is_empty(), "unknown");
    }

    #[test]
    fn the_end_of_a_failure_and_of_its_silence_is_told_once() {
        let mut memory = Memory::default();
        let recovered = || Notice::Recovered {
            address_ids: vec![1],
        };
        take(&mut memory, &[notice_of(1, Status::Verified)]);
        take(&mut memory, &[notice_of(1, Status::Failed)]);
        assert_eq!(gathered(&mut memory).len(), 1);
        let silent = Notice::Silent {
            address_ids: vec![1],
        };
        assert_eq!(take(&mut memory, &[silent]).len(), 1);
        take(&mut memory, &[notice_of(1, Status::Verified)]);
        assert_eq!(
            gathered(&mut memory),
            ["Mail is flowing again: a1@contoso.example"]
        );
        assert!(take(&mut memory, &[recovered()]).is_empty());
        // The next silence is told of again, and so is its end.
        assert_eq!(take(&mut memory, &[recovered()]).len(), 1);
    }

    #[test]
    fn what_nobody_heard_in_quiet_hours_is_told_by_the_end_of_silence() {
        let mut memory = Memory::default();
        take(&mut memory, &[notice_of(1, Status::Failed)]);
        take(&mut memory, &[notice_of(1, Status::Verified)]);
        assert!(memory.gathered(words("en"), false).is_empty());
        let recovered = Notice::Recovered {
            address_ids: vec![1],
        };
        assert_eq!(take(&mut memory, &[recovered]).len(), 1);
    }

    #[test]
    fn new_tickets_are_counted_in_words() {
        let news = |count| {
            let notice = Notice::NewTickets {
                address: "support@contoso.example".into(),
                count,
            };
            Memory::default()
                .news(&notice, words("en"))
                .map(|news| news.title)
        };
        assert_eq!(news(1).as_deref(), Some("1 new ticket"));
        assert_eq!(news(3).as_deref(), Some("3 new tickets"));
        assert_eq!(news(0), None);
    }

    #[test]
    fn a_removed_address_is_forgotten() {
        let mut memory = Memory::default();
        memory.news(&notice_of(7, Status::Verified), words("en"));
        memory.news(&notice_of(7, Status::Failed), words("en"));
        memory.news(&Notice::AddressRemoved(7), words("en"));
        assert!(memory.addresses().is_empty());
        assert!(!memory.waits());
    }
}
