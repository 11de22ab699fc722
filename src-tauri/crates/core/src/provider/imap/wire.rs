//! Bytes of one IMAP connection cut into whole responses (RFC 3501 §7): every length is checked before anything is
//! kept, so that a server can fill neither memory nor time. Only TLS streams get here in the product.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

/// The server must say something within this time.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// Longest literal, in bytes: what Exchange Online can store at most as one message.
pub(super) const LITERAL_LIMIT: usize = 150 << 20;
/// Longest response apart from its literals, in bytes: a search that finds two million messages fits.
const LINE_LIMIT: usize = 16 << 20;
/// Parentheses within one another. A listing needs three; the parser is recursive.
const DEPTH_LIMIT: usize = 24;

/// Why no response could be read.
#[derive(Debug)]
pub(super) enum WireError {
    /// The line dropped.
    Broken(io::Error),
    /// The server hung up.
    Closed,
    /// The server was silent for too long, or never came to an end.
    TimedOut,
    /// More bytes than any honest answer has.
    TooLarge,
    /// No IMAP.
    Malformed,
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Many servers leave without a farewell of TLS.
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

/// One connection.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::with_capacity(32 << 10, stream),
        }
    }

    /// Sends a line; its end is added.
    pub(super) async fn send(&mut self, line: &str) -> Result<(), WireError> {
        let sending = async {
            let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(line.len() + 2));
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(SILENCE, sending).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(WireError::TimedOut),
        }
    }

    /// The next response with its literals. It must be whole by `deadline`, and no pause may be longer than
    /// [`SILENCE`].
    pub(super) async fn response(&mut self, deadline: Instant) -> Result<Vec<u8>, WireError> {
        let mut response = Vec::new();
        let mut literals = 0_usize;
        let mut depth = 0_usize;
        loop {
            let begin = response.len();
            self.line(&mut response, literals, deadline).await?;
            let line = response.get(begin..).unwrap_or_default();
            depth = nesting(line, depth)?;
            let Some(length) = literal(line)? else {
                return Ok(response);
            };
            literals = literals.saturating_add(length);
            if literals > LITERAL_LIMIT {
                return Err(WireError::TooLarge);
            }
            // What is announced is not yet there: room is made as it comes.
            response.reserve(length.min(8 << 20));
            let mut missing = length;
            while missing > 0 {
                let some = self.some(deadline).await?;
                let taken = some.len().min(missing);
                response.extend_from_slice(some.get(..taken).unwrap_or_default());
                self.stream.consume(taken);
                missing -= taken;
            }
        }
    }

    async fn line(
        &mut self,
        response: &mut Vec<u8>,
        literals: usize,
        deadline: Instant,
    ) -> Result<(), WireError> {
        loop {
            let some = self.some(deadline).await?;
            let end = some.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(some.len(), |end| end + 1);
            response.extend_from_slice(some.get(..taken).unwrap_or_default());
            self.stream.consume(taken);
            if response.len().saturating_sub(literals) > LINE_LIMIT {
                return Err(WireError::TooLarge);
            }
            if end.is_some() {
                return match response.ends_with(b"\r\n") {
                    true => Ok(()),
                    false => Err(WireError::Malformed),
                };
            }
        }
    }

    /// What has arrived and was not taken yet; never empty.
    async fn some(&mut self, deadline: Instant) -> Result<&[u8], WireError> {
        let until = deadline.min(Instant::now() + SILENCE);
        match timeout_at(until, self.stream.fill_buf()).await {
            Err(_) => Err(WireError::TimedOut),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok([])) => Err(WireError::Closed),
            Ok(Ok(_)) => Ok(self.stream.buffer()),
        }
    }
}

/// The length that a literal's announcement at the end of `line` gives (RFC 3501 §4.3; RFC 7888 for the `+`).
fn literal(line: &[u8]) -> Result<Option<usize>, WireError> {
    let is_text = ["* OK", "* NO", "* BAD", "* BYE", "* PREAUTH", "+"]
        .iter()
        .any(|sign| line.starts_with(sign.as_bytes()));
    let Some(announced) = line.strip_suffix(b"}\r\n").filter(|_| !is_text) else {
        return Ok(None);
    };
    let Some(open) = announced.iter().rposition(|byte| *byte == b'{') else {
        return Ok(None);
    };
    let digits = announced.get(open + 1..).unwrap_or_default();
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or(WireError::TooLarge)
}

/// How many parentheses are open after `line`.
fn nesting(line: &[u8], mut depth: usize) -> Result<usize, WireError> {
    let (mut quoted, mut escaped) = (false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            return Err(WireError::Malformed);
        }
    }
    Ok(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &'static [u8]) -> Result<Vec<u8>, WireError> {
        let stream = tokio::io::join(bytes, tokio::io::sink());
        let deadline = Instant::now() + Duration::from_secs(5);
        Wire::new(stream).response(deadline).await
    }

    #[tokio::test]
    async fn a_response_ends_behind_its_literals() {
        let two = b"* 1 FETCH (UID 1 BODY[] {8}\r\na}\r\nb)\r\n X {0}\r\n)\r\n* OK next\r\n";
        assert_eq!(read(two).await.unwrap(), two[..two.len() - 11].to_vec());
        let text = b"* OK braces {5}\r\n";
        assert_eq!(read(text).await.unwrap(), text.to_vec());
    }

    #[tokio::test]
    async fn what_is_too_much_is_refused_before_it_is_kept() {
        for (bytes, expected) in [
            (&b"* 1 FETCH (BODY[] {157286401}\r\n"[..], "TooLarge"),
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
            let error = read(bytes).await.unwrap_err();
            assert_eq!(format!("{error:?}"), expected);
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_refused() {
        let endless = tokio::io::join(tokio::io::repeat(b'x'), tokio::io::sink());
        let deadline = Instant::now() + Duration::from_secs(60);
        let error = Wire::new(endless).response(deadline).await.unwrap_err();
        assert!(matches!(error, WireError::TooLarge), "{error:?}");
    }

    #[tokio::test]
    async fn what_does_not_come_in_time_is_not_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        // A byte now and then is no excuse.
        let drip = async {
            loop {
                theirs.write_all(b"*").await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let deadline = Instant::now() + Duration::from_millis(200);
        let mut wire = Wire::new(ours);
        tokio::select! {
            read = wire.response(deadline) => {
                assert!(matches!(read, Err(WireError::TimedOut)), "{read:?}");
            }
            () = drip => {}
            () = tokio::time::sleep(Duration::from_secs(5)) => panic!("waited in vain"),
        }
    }
}
