use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn wire<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Wire<S> {
    Wire::new(stream, 30 * SECOND, Arc::default())
}

async fn read(bytes: &'static [u8], mut room: Room) -> Result<Received, WireError> {
    let stream = tokio::io::join(bytes, tokio::io::sink());
    wire(stream)
        .response(Instant::now() + 5 * SECOND, &mut room)
        .await
}

#[tokio::test]
async fn a_response_ends_behind_its_literals() {
    let two = b"* 1 FETCH (UID 1 BODY[] {8}\r\na}\r\nb)\r\n X {0}\r\n)\r\n* OK next\r\n";
    let had = read(two, Room::bodies()).await.unwrap();
    assert_eq!(had.bytes, two[..two.len() - 11].to_vec());
    let text = b"* OK braces {5}\r\n";
    assert_eq!(read(text, Room::talk()).await.unwrap().bytes, text.to_vec());
}

#[tokio::test]
async fn what_is_too_much_is_refused_before_it_is_kept() {
    for (bytes, expected) in [
        (&b"* 1 FETCH (BODY[] {4294967295}\r\n"[..], "TooLarge"),
        (
            b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n",
            "TooLarge",
        ),
        (
            b"* 1 FETCH (BODYSTRUCTURE (((((((((((((((((((((((((\r\n",
            "Malformed",
        ),
        (b"* OK bare line feed\n", "Malformed"),
        (b"* OK cut", "Closed"),
        (b"* 1 FETCH (BODY[] {10}\r\nshort", "Closed"),
    ] {
        let error = read(bytes, Room::bodies()).await.unwrap_err();
        assert_eq!(format!("{error:?}"), expected);
    }
}

#[tokio::test]
async fn a_literal_beyond_the_room_is_passed_by_and_the_next_one_is_read() {
    let bytes = b"* 1 FETCH (X {70000}\r\n";
    let rest = [vec![b'x'; 70_000], b" Y {2}\r\nok)\r\n".to_vec()].concat();
    let stream = tokio::io::join(
        std::io::Cursor::new([bytes.to_vec(), rest].concat()),
        tokio::io::sink(),
    );
    let mut wire = wire(stream);
    let mut room = Room::talk();
    let had = wire
        .response(Instant::now() + 5 * SECOND, &mut room)
        .await
        .unwrap();
    assert_eq!(&had.bytes[..], b"* 1 FETCH (X {0}\r\n Y {2}\r\nok)\r\n");
    assert_eq!(had.dropped, Some(Dropped::TooLarge));
    assert!(wire.held.load(Ordering::Relaxed) < 200);
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let endless = tokio::io::join(tokio::io::repeat(b'x'), tokio::io::sink());
    let mut wire = wire(endless);
    let mut room = Room::listing();
    let error = wire
        .response(Instant::now() + 60 * SECOND, &mut room)
        .await
        .unwrap_err();
    assert!(matches!(error, WireError::TooLarge), "{error:?}");
    assert!(wire.held.load(Ordering::Relaxed) < 32 << 20);
}

#[tokio::test]
async fn a_byte_now_and_then_is_no_progress() {
    let (ours, mut theirs) = tokio::io::duplex(64);
    let drip = async {
        loop {
            theirs.write_all(b"*").await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let begun = Instant::now();
    let mut wire = Wire::new(ours, Duration::from_millis(200), Arc::default());
    let mut room = Room::talk();
    tokio::select! {
        read = wire.response(begun + 3_600 * SECOND, &mut room) => {
            assert!(matches!(read, Err(WireError::TimedOut)), "{read:?}");
        }
        () = drip => {}
        () = tokio::time::sleep(20 * SECOND) => panic!("waited in vain"),
    }
}
