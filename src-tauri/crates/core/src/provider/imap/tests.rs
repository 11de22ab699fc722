//! What can be said without a server.

use super::*;

#[test]
fn places_come_back_from_their_text() {
    for text in ["since:1700000000000", "since:17:3:9", "1700000000:42"] {
        assert_eq!(Place::parse(text).unwrap().cursor().0, text);
    }
    for text in ["", "since", "since:x", "1", "1:2:3", "a:b", "since:1:2:3:4"] {
        assert_eq!(Place::parse(text), None, "{text}");
    }
}

#[test]
fn ids_bear_the_folders_generation() {
    assert_eq!(
        parse_id(&server_id(1_700_000_000, 7)),
        Some((1_700_000_000, 7))
    );
    for text in ["", "7", "7.", ".7", "7.x", "7.-1", "7.4294967296"] {
        assert_eq!(parse_id(text), None, "{text}");
    }
}

#[test]
fn neighbours_become_ranges() {
    assert_eq!(uid_set(&[5, 3, 4, 9, 4294967295]), "3:5,9,4294967295");
}
