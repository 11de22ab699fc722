//! Bytes of one IMAP connection cut into whole responses (RFC 3501 §7): every length is checked before anything is
//! kept, so that a server can fill neither memory nor time.

use super::room::{Dropped, Room};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

/// Bytes read ahead.
const AHEAD: usize = 64 << 10;
/// Parentheses within one another. A listing needs three; the parser is recursive.
const DEPTH_LIMIT: usize = 24;
/// Literals in one response: a message has one or two.
const MOST_LITERALS: u32 = 64;
/// A server that is in the middle of a response sends at least this many bytes in the time that it may be silent.
const LEAST_PROGRESS: usize = 256;

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

/// A response with its literals.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    /// A literal was passed by: it stands as an empty one.
    pub(super) dropped: Option<Dropped>,
}

/// One connection.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    /// The server must say something within this time.
    silence: Duration,
    /// The most bytes that were ever kept at once.
    held: Arc<AtomicUsize>,
    /// When the server must have made progress, and how many bytes came since that was set.
    progress: (Instant, usize),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, silence: Duration, held: Arc<AtomicUsize>) -> Self {
        Self {
            stream: BufReader::with_capacity(AHEAD, stream),
            silence,
            held,
            progress: (Instant::now() + silence, 0),
        }
    }

    /// The stream below, if nothing was read ahead from it.
    pub(super) fn into_inner(self) -> Option<S> {
        self.stream
            .buffer()
            .is_empty()
            .then(|| self.stream.into_inner())
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
        match tokio::time::timeout(self.silence, sending).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(WireError::TimedOut),
        }
    }

    /// Waits until the server says something, which stays unread; gives whether it did by `deadline`.
    pub(super) async fn says_something(&mut self, deadline: Instant) -> Result<bool, WireError> {
        match timeout_at(deadline, self.stream.fill_buf()).await {
            Err(_) => Ok(false),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok([])) => Err(WireError::Closed),
            Ok(Ok(_)) => Ok(true),
        }
    }

    /// The next response with its literals. It must be whole by `deadline`, no pause may be longer than the time for
    /// silence, and what is kept is taken from `room`.
    pub(super) async fn response(
        &mut self,
        deadline: Instant,
        room: &mut Room,
    ) -> Result<Received, WireError> {
        let mut response = Vec::new();
        let mut dropped = None;
        let mut depth = 0_usize;
        self.progress = (Instant::now() + self.silence, 0);
        for _ in 0..MOST_LITERALS {
            let begin = response.len();
            self.line(&mut response, deadline, room).await?;
            let line = response.get(begin..).unwrap_or_default();
            depth = nesting(line, depth)?;
            let Some(length) = literal(line)? else {
                return Ok(Received {
                    bytes: Bytes::from(response),
                    dropped,
                });
            };
            match room.keep(length)? {
                None => {
                    response.reserve_exact(length.saturating_add(16));
                    self.take(length, deadline, |some| response.extend_from_slice(some))
                        .await?;
                }
                Some(why) => {
                    dropped = Some(why);
                    let open = response.iter().rposition(|byte| *byte == b'{');
                    response.truncate(open.unwrap_or_default());
                    response.extend_from_slice(b"{0}\r\n");
                    self.take(length, deadline, |_| {}).await?;
                }
            }
            self.held.fetch_max(room.kept(), Ordering::Relaxed);
        }
        Err(WireError::Malformed)
    }

    async fn take(
        &mut self,
        mut missing: usize,
        deadline: Instant,
        mut keep: impl FnMut(&[u8]),
    ) -> Result<(), WireError> {
        while missing > 0 {
            let some = self.some(deadline).await?;
            let taken = some.len().min(missing);
            keep(some.get(..taken).unwrap_or_default());
            self.consume(taken);
            missing -= taken;
        }
        Ok(())
    }

    async fn line(
        &mut self,
        response: &mut Vec<u8>,
        deadline: Instant,
        room: &mut Room,
    ) -> Result<(), WireError> {
        loop {
            let some = self.some(deadline).await?;
            let end = some.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(some.len(), |end| end + 1);
            room.line(taken)?;
            response.extend_from_slice(some.get(..taken).unwrap_or_default());
            self.consume(taken);
            self.held.fetch_max(room.kept(), Ordering::Relaxed);
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
        let until = deadline.min(self.progress.0);
        match timeout_at(until, self.stream.fill_buf()).await {
            Err(_) => Err(WireError::TimedOut),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok([])) => Err(WireError::Closed),
            Ok(Ok(_)) => Ok(self.stream.buffer()),
        }
    }

    fn consume(&mut self, taken: usize) {
        self.stream.consume(taken);
        self.progress.1 = self.progress.1.saturating_add(taken);
        if self.progress.1 >= LEAST_PROGRESS {
            self.progress = (Instant::now() + self.silence, 0);
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
mod tests;
