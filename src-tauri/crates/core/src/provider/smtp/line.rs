//! The line under lettre: it keeps what the server said last, so that extensions can be read, and ends the line where a
//! server says more than any honest one does, or says something that nobody asked for. lettre measures a line only after
//! it has kept all of it, and reads on behind STARTTLS with what came before; here neither can happen.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Longest line of a reply in bytes, four times what RFC 5321 §4.5.3.1.5 allows.
const LINE_LIMIT: usize = 2048;
/// Longest reply in bytes.
const REPLY_LIMIT: usize = 32 << 10;
/// Most lines of a reply.
const MOST_LINES: usize = 256;
/// What ends a message (RFC 5321 §4.1.1.4).
const END: [u8; 5] = *b"\r\n.\r\n";

/// Why the line was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// More bytes than any honest reply has.
    #[error("too much")]
    TooLarge,
    /// The server spoke before it was asked, or more often than asked.
    #[error("not asked for")]
    Unasked,
    /// No SMTP.
    #[error("no SMTP")]
    Malformed,
    /// The server hung up.
    #[error("closed")]
    Closed,
}

/// The end that lettre holds.
#[derive(Debug)]
pub(super) struct Line(Arc<Mutex<State>>);

/// Our end: what was heard, and the switch to TLS.
pub(super) struct Ear(Arc<Mutex<State>>);

enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
    /// Between the two.
    Gone,
}

struct State {
    stream: Stream,
    peer: Option<SocketAddr>,
    /// The reply to the last command, as far as it has come.
    heard: Vec<u8>,
    line_begins: usize,
    lines: usize,
    /// The reply has come to its end: whatever comes now was not asked for.
    is_whole: bool,
    /// The last bytes that were written.
    tail: [u8; 5],
    fault: Option<Fault>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// Both ends of a line over `stream`.
pub(super) fn line(stream: TcpStream) -> (Line, Ear) {
    let peer = stream.peer_addr().ok();
    pair(Stream::Plain(stream), peer)
}

/// Both ends of a line that is encrypted from its first byte.
pub(super) fn secure_line(stream: TlsStream<TcpStream>) -> (Line, Ear) {
    let peer = stream.get_ref().0.peer_addr().ok();
    pair(Stream::Secure(Box::new(stream)), peer)
}

fn pair(stream: Stream, peer: Option<SocketAddr>) -> (Line, Ear) {
    let state = Arc::new(Mutex::new(State {
        stream,
        peer,
        heard: Vec::new(),
        line_begins: 0,
        lines: 0,
        is_whole: false,
        tail: [0; 5],
        fault: None,
    }));
    (Line(state.clone()), Ear(state))
}

impl Ear {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last reply.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.state().heard).into_owned()
    }

    /// Why the line was ended, where it was we who ended it.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    /// Whether the end of a message is the last that was written: from here on the server may have taken it.
    pub(super) fn has_ended_message(&self) -> bool {
        self.state().tail == END
    }

    /// The line as it is before TLS, to be encrypted; nothing where it is already.
    pub(super) fn take_plain(&self) -> Option<TcpStream> {
        let mut state = self.state();
        match std::mem::replace(&mut state.stream, Stream::Gone) {
            Stream::Plain(stream) => Some(stream),
            other => {
                state.stream = other;
                None
            }
        }
    }

    /// The line goes on encrypted. What was heard before is forgotten: nobody vouches for it (RFC 3207 §4.2).
    pub(super) fn put_secure(&self, stream: TlsStream<TcpStream>) {
        let mut state = self.state();
        state.stream = Stream::Secure(Box::new(stream));
        state.heard.clear();
    }
}

impl State {
    fn fail(&mut self, fault: Fault) -> io::Error {
        // lettre says QUIT after some failures; what ended the line came before.
        self.fault.get_or_insert(fault);
        io::Error::other(fault)
    }

    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Keeps what came, if it is a part of one reply.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for byte in bytes {
            if self.is_whole {
                return Err(Fault::Unasked);
            }
            self.heard.push(*byte);
            let length = self.heard.len() - self.line_begins;
            if length > LINE_LIMIT || self.heard.len() > REPLY_LIMIT {
                return Err(Fault::TooLarge);
            }
            if *byte == b'\n' {
                let line = self.heard.get(self.line_begins..).unwrap_or_default();
                self.is_whole = is_last(line)?;
                self.line_begins = self.heard.len();
                self.lines += 1;
                if self.lines > MOST_LINES {
                    return Err(Fault::TooLarge);
                }
            }
        }
        Ok(())
    }

    /// Looks whether the server has spoken where it is our turn.
    fn look(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut room = [0; 512];
        let mut buffer = ReadBuf::new(&mut room);
        match self.read(cx, &mut buffer) {
            Poll::Pending => Ok(()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Err(self.fail(Fault::Closed)),
            Poll::Ready(Ok(())) => {
                self.heard = buffer.filled().to_vec();
                Err(self.fail(Fault::Unasked))
            }
        }
    }

    fn note_written(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().skip(bytes.len().saturating_sub(END.len())) {
            self.tail.rotate_left(1);
            if let Some(last) = self.tail.last_mut() {
                *last = *byte;
            }
        }
    }
}

/// Whether a line is a reply's last one (RFC 5321 §4.2.1).
fn is_last(line: &[u8]) -> Result<bool, Fault> {
    let text = line.strip_suffix(b"\r\n").ok_or(Fault::Malformed)?;
    let code = text.get(..3).ok_or(Fault::Malformed)?;
    match (code.iter().all(u8::is_ascii_digit), text.get(3)) {
        (true, None | Some(b' ')) => Ok(true),
        (true, Some(b'-')) => Ok(false),
        _ => Err(Fault::Malformed),
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = buffer.filled().len();
        std::task::ready!(state.read(cx, buffer))?;
        let some = buffer.filled().get(before..).unwrap_or_default();
        if some.is_empty() {
            return Poll::Ready(Err(state.fail(Fault::Closed)));
        }
        if let Err(fault) = state.hear(some) {
            return Poll::Ready(Err(state.fail(fault)));
        }
        // lettre takes no other characters; what the server really said is kept.
        for byte in buffer.filled_mut().iter_mut().skip(before) {
            if !byte.is_ascii() || *byte == 0 {
                *byte = b'?';
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.look(cx)?;
        if state.is_whole {
            state.is_whole = false;
            state.heard.clear();
            (state.line_begins, state.lines) = (0, 0);
        }
        let written = match &mut state.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        if let Poll::Ready(Ok(count)) = written {
            state.note_written(bytes.get(..count).unwrap_or_default());
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut state.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut state.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncTokioStream for Line {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.peer.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_with_its_last_line() {
        for (line, expected) in [
            (&b"250 OK\r\n"[..], Ok(true)),
            (b"250\r\n", Ok(true)),
            (b"250-SIZE 100\r\n", Ok(false)),
            (b"250 OK\n", Err(Fault::Malformed)),
            (b"25\r\n", Err(Fault::Malformed)),
            (b"250_OK\r\n", Err(Fault::Malformed)),
            (b"HTTP/1.1 400 Bad Request\r\n", Err(Fault::Malformed)),
        ] {
            assert_eq!(is_last(line), expected, "{line:?}");
        }
    }
}
