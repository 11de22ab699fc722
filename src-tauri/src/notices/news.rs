//! Which notices a person wants to hear of while doing something else: pure.

use crate::tray::lamp_of;
use mailroom_core::api::view::{AddressView, Notice, Status};
use mailroom_core::words::Words;
use std::collections::BTreeMap;

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

    /// Remembers what the notice says and returns what is worth a notification.
    pub(crate) fn news(&mut self, notice: &Notice, words: &Words) -> Option<News> {
        match notice {
            Notice::Address(address) => {
                let before = self.known.insert(address.id, (**address).clone())?;
                changed(before.status, address, words)
            }
            Notice::AddressRemoved(id) => {
                self.known.remove(id);
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
            Notice::Connect(_)
            | Notice::TicketsChanged(_)
            | Notice::Polling(_)
            | Notice::Silent { .. }
            | Notice::Recovered { .. }
            | Notice::Check { .. } => None,
        }
    }
}

/// Only what stops mail is news, and that it flows again; being offline or paused explains itself.
fn changed(before: Status, now: &AddressView, words: &Words) -> Option<News> {
    let stopped = |status| matches!(status, Status::Failed | Status::WaitingForApproval);
    let address = [("address", now.address.as_str())];
    if stopped(now.status) && !stopped(before) {
        return Some(News {
            title: words.notice("trouble", &address),
            text: words.notice("trouble_text", &[("status", words.status(now.status))]),
        });
    }
    (stopped(before) && lamp_of(now.status).is_ok()).then(|| News {
        title: words.notice("recovered", &address),
        text: words.status(now.status).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailroom_core::api::view::ProviderKind;
    use mailroom_core::words::words;

    fn notice(status: Status) -> Notice {
        Notice::Address(Box::new(AddressView {
            id: 7,
            address: "support@contoso.example".into(),
            brand: "Contoso".into(),
            provider: ProviderKind::Graph,
            sandbox: true,
            is_default: true,
            status,
            cause: None,
            last_success_at: None,
            next_poll_at: None,
            polling: false,
            new_tickets_today: 0,
            activity: Vec::new(),
            open_tickets: 0,
            import: None,
        }))
    }

    fn told(statuses: &[Status]) -> Vec<String> {
        let mut memory = Memory::default();
        let news = statuses
            .iter()
            .filter_map(|status| memory.news(&notice(*status), words("en")));
        news.map(|news| news.title).collect()
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
                "Mail has stopped: support@contoso.example",
                "Mail is flowing again: support@contoso.example"
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
        memory.news(&notice(Status::Verified), words("en"));
        memory.news(&Notice::AddressRemoved(7), words("en"));
        assert!(memory.addresses().is_empty());
    }
}
