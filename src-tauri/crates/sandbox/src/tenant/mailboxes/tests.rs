use super::*;

fn mail(id: &str) -> Message {
    let raw = format!("Message-ID: <{id}@x.example>\r\nSubject: {id}\r\n\r\nText\r\n");
    Message::new(Bytes::from(raw), Timestamp::UNIX_EPOCH)
}

#[test]
fn a_move_changes_the_ordinary_id_and_keeps_the_immutable_one() {
    let mut mailbox = Mailbox::new("support@contoso.example");
    let (inbox, archive) = (mailbox.well_known("inbox"), mailbox.well_known("archive"));
    let key = mailbox.add(inbox, mail("a"));
    let names = |mailbox: &Mailbox| {
        let message = mailbox.message(key).unwrap();
        (
            message.id(mailbox.guid, ids::IdKind::Ordinary),
            message.id(mailbox.guid, ids::IdKind::Immutable),
        )
    };
    let before = names(&mailbox);
    mailbox
        .relocate(key, archive, Timestamp::UNIX_EPOCH)
        .unwrap();
    let after = names(&mailbox);
    assert_ne!(before.0, after.0);
    assert_eq!(before.1, after.1);
    assert!(mailbox.find(&before.0).unwrap().is_none());
    assert_eq!(
        mailbox.find(&after.1).unwrap().map(|m| m.folder),
        Some(archive)
    );
}

#[test]
fn counts_follow_every_change() {
    let mut mailbox = Mailbox::new("support@contoso.example");
    let inbox = mailbox.well_known("inbox");
    let key = mailbox.add(inbox, mail("a"));
    mailbox.add(inbox, mail("b"));
    let counts = |m: &Mailbox| {
        m.folder(inbox)
            .map(|f| (f.by_time.len(), f.unread))
            .unwrap()
    };
    assert_eq!(counts(&mailbox), (2, 2));
    mailbox.change(key, Timestamp::UNIX_EPOCH, |m| m.is_read = true);
    assert_eq!(counts(&mailbox), (2, 1));
    assert_eq!(mailbox.with_message_id("<a@x.example>").count(), 1);
    mailbox.remove(key);
    assert_eq!(counts(&mailbox), (1, 1));
    assert_eq!(mailbox.with_message_id("<a@x.example>").count(), 0);
    assert_eq!(mailbox.len(), 1);
}

#[test]
fn folders_are_found_by_name_id_and_path() {
    let mut mailbox = Mailbox::new("support@contoso.example");
    let tech = mailbox.folder_at("Requests/Tech support");
    assert_eq!(tech, mailbox.folder_at("requests/tech SUPPORT"));
    assert_eq!(mailbox.path(tech), "Requests/Tech support");
    let id = ids::folder_id(mailbox.guid, tech);
    assert_eq!(mailbox.find_folder(&id).map(|f| f.key), Some(tech));
    assert_eq!(
        mailbox.find_folder("SentItems").map(|f| f.name.as_str()),
        Some("Sent Items")
    );
    assert!(mailbox.find_folder("nonsense").is_none());
}
