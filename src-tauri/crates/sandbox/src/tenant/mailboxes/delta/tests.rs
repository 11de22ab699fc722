//! A client that only follows delta pages must always end with what is in the folder.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::tenant::mailboxes::message::Message;

struct Client {
    kind: IdKind,
    round: Round,
    seen: BTreeMap<String, bool>,
}

impl Client {
    fn page(&mut self, mailbox: &Mailbox, limit: usize) -> bool {
        let page = mailbox
            .delta_page(&self.round, limit, self.kind, |_| true)
            .unwrap();
        assert!(page.changes.len() <= limit);
        for change in page.changes {
            match change {
                Change::Created(key) | Change::Updated(key) => {
                    let message = mailbox.message(key).unwrap();
                    self.seen
                        .insert(message.id(mailbox.guid, self.kind), message.is_read);
                }
                Change::Removed(removal) => {
                    let id = match self.kind {
                        IdKind::Ordinary => super::super::ids::ordinary_id(
                            mailbox.guid,
                            self.round.folder,
                            removal.instance,
                        ),
                        IdKind::Immutable => {
                            super::super::ids::immutable_id(mailbox.guid, removal.key)
                        }
                    };
                    self.seen.remove(&id);
                }
            }
        }
        self.round = page.next;
        page.more
    }
}

fn truth(mailbox: &Mailbox, folder: FolderKey, kind: IdKind) -> BTreeMap<String, bool> {
    let folder = mailbox.folder(folder).unwrap();
    let messages = folder
        .by_time
        .iter()
        .map(|(_, key)| mailbox.message(*key).unwrap());
    messages
        .map(|m| (m.id(mailbox.guid, kind), m.is_read))
        .collect()
}

fn disturb(mailbox: &mut Mailbox, rng: &mut StdRng, folders: [FolderKey; 2]) {
    let at = Timestamp::from_second(rng.random_range(0..500)).unwrap();
    let keys: Vec<Key> = mailbox.by_time().iter().map(|(_, key)| *key).collect();
    let any = (!keys.is_empty()).then(|| keys[rng.random_range(0..keys.len())]);
    let to = folders[rng.random_range(0..2)];
    match (rng.random_range(0..6), any) {
        (0 | 1, _) | (_, None) => {
            mailbox.add(
                to,
                Message::new(Bytes::from_static(b"Subject: x\r\n\r\n"), at),
            );
        }
        (2, Some(key)) => mailbox.relocate(key, to, at).unwrap(),
        (3, Some(key)) => drop(mailbox.remove(key)),
        (4, Some(key)) => drop(mailbox.copy(key, to, at)),
        (_, Some(key)) => {
            mailbox.change(key, at, |m| m.is_read = !m.is_read).unwrap();
        }
    }
}

#[test]
fn following_the_pages_always_ends_at_the_truth() {
    for seed in 0..150 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut mailbox = Mailbox::new("support@contoso.example");
        let folders = [mailbox.well_known("inbox"), mailbox.well_known("archive")];
        for _ in 0..rng.random_range(0..40) {
            disturb(&mut mailbox, &mut rng, folders);
        }
        let mut clients = [IdKind::Ordinary, IdKind::Immutable].map(|kind| Client {
            kind,
            round: mailbox.first_round(folders[0], None),
            seen: BTreeMap::new(),
        });
        for _ in 0..12 {
            for _ in 0..rng.random_range(0..15) {
                disturb(&mut mailbox, &mut rng, folders);
            }
            for client in &mut clients {
                // Changes also happen between the pages of one round.
                let limit = rng.random_range(1..7);
                while client.page(&mailbox, limit) {
                    if rng.random_bool(0.3) {
                        disturb(&mut mailbox, &mut rng, folders);
                    }
                }
            }
        }
        for client in &mut clients {
            while client.page(&mailbox, 5) {}
            // A first round tells what changed during it in the next one.
            while client.page(&mailbox, 5) {}
            assert_eq!(
                client.seen,
                truth(&mailbox, folders[0], client.kind),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn an_old_generation_is_expired() {
    let mut all = Mailboxes::default();
    let inbox = all.open("a@contoso.example").well_known("inbox");
    let round = all.open("a@contoso.example").first_round(inbox, None);
    all.expire_delta();
    let mailbox = all.get("a@contoso.example").unwrap();
    assert_eq!(
        mailbox
            .delta_page(&round, 5, IdKind::Ordinary, |_| true)
            .unwrap_err(),
        Expired
    );
}

#[test]
fn a_filtered_first_round_stops_at_five_thousand() {
    let mut mailbox = Mailbox::new("a@contoso.example");
    let inbox = mailbox.well_known("inbox");
    for second in 0..5_200 {
        let at = Timestamp::from_second(second).unwrap();
        mailbox.add(inbox, Message::new(Bytes::from_static(b"\r\n"), at));
    }
    let mut round = mailbox.first_round(inbox, Some(Timestamp::UNIX_EPOCH));
    let mut told = 0;
    loop {
        let page = mailbox
            .delta_page(&round, 999, IdKind::Immutable, |_| true)
            .unwrap();
        told += page.changes.len();
        round = page.next;
        if !page.more {
            break;
        }
    }
    assert_eq!(told, MOST_WITH_FILTER);
}
