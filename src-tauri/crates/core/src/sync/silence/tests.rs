use super::*;

#[test]
fn a_sleep_of_the_computer_begins_a_new_grace() {
    let mut watch = Watch::default();
    assert_eq!(watch.wake(1_000 * MINUTE), 1_000 * MINUTE);
    assert_eq!(watch.wake(1_001 * MINUTE), 1_000 * MINUTE);
    assert_eq!(watch.wake(1_010 * MINUTE), 1_010 * MINUTE);
    assert_eq!(watch.wake(1_009 * MINUTE), 1_009 * MINUTE, "set back");
}

#[test]
fn news_waits_a_minute_for_company_and_then_goes_together() {
    let row = |address_id, changed_at| SilenceRow {
        address_id,
        silent: true,
        changed_at,
        notice_due: true,
        mail_due: false,
    };
    let both = [row(1, 0), row(2, MINUTE - 1)];
    assert!(gathered(&both, |row| row.notice_due, MINUTE - 1).is_empty());
    assert_eq!(gathered(&both, |row| row.notice_due, MINUTE).len(), 2);
    assert!(gathered(&both, |row| row.mail_due, MINUTE).is_empty());
}

#[test]
fn a_failure_list_may_use_either_sign_and_refuses_what_is_no_address() {
    let list = recipients(" a@x.example;b@x.example, A@x.example ;;").unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(
        recipients("nobody; a@x.example, @x; ü@x.example"),
        Err("nobody, @x, ü@x.example".to_owned()),
        "every wrong one is named"
    );
    assert!(recipients("").unwrap().is_empty());
}
