//! A mail server as typed in: its name, perhaps a port, and the login name there.

use super::error::{ApiError, ErrorCode};
use super::view::Direction;
use crate::account::Registration;
use crate::oauth::exchange;
use url::Url;

/// Reads `host` or `host:port`. The host comes back as certificates and the wire want it: in lower case, an IPv6 address
/// without brackets.
///
/// # Errors
/// [`ErrorCode::OutOfRange`] with the text for anything else.
pub(super) fn host_and_port(text: &str) -> Result<(String, Option<u16>), ApiError> {
    let wrong = || ApiError::new(ErrorCode::OutOfRange).arg("value", text);
    let typed = text.trim();
    // `https` makes the parser check and normalise the host; the scheme goes no further.
    let url = Url::parse(&format!("https://{typed}/")).map_err(|_| wrong())?;
    let bare = url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str().filter(|_| bare).ok_or_else(wrong)?;
    // The parser drops the port that `https` has anyway.
    let port = url
        .port()
        .or_else(|| typed.ends_with(":443").then_some(443));
    if port == Some(0) {
        return Err(wrong());
    }
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// Refuses to show the tokens of `registration` to `host` where they open Exchange Online and the host is none of its
/// servers. Providers refuse it, too; this is said before anybody signs in.
///
/// # Errors
/// [`ErrorCode::NotExchange`] with the right host.
pub(super) fn refuse_other_door(
    registration: &Registration,
    host: &str,
    direction: Direction,
) -> Result<(), ApiError> {
    match exchange::only_door(registration) {
        Some(door) if !door.is_at(host) => {
            let expected = match direction {
                Direction::Inbound => door.imap,
                Direction::Outbound => door.smtp,
            };
            Err(ApiError::new(ErrorCode::NotExchange)
                .arg("value", host)
                .arg("expected", expected))
        }
        Some(_) | None => Ok(()),
    }
}

/// Reads a login name: anything but nothing, on one line.
///
/// # Errors
/// [`ErrorCode::OutOfRange`] with the text.
pub(super) fn login_name(text: &str) -> Result<String, ApiError> {
    let login = text.trim();
    if login.is_empty() || login.chars().any(char::is_control) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", login));
    }
    Ok(login.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_perhaps_a_port() {
        for (text, host, port) in [
            ("mail.contoso.example", "mail.contoso.example", None),
            (
                " Mail.Contoso.example:9993 ",
                "mail.contoso.example",
                Some(9993),
            ),
            (
                "mail.contoso.example:443",
                "mail.contoso.example",
                Some(443),
            ),
            ("127.0.0.1:1143", "127.0.0.1", Some(1143)),
            ("[::1]:1143", "::1", Some(1143)),
            ("[::1]", "::1", None),
        ] {
            let read = host_and_port(text).unwrap();
            assert_eq!(read, (host.to_owned(), port), "{text}");
        }
        for text in [
            "",
            "a b",
            "kim@mail.contoso.example",
            "host/path",
            "host:99999",
            "host:0",
            "host?x",
            "host#x",
        ] {
            assert!(host_and_port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_login_name_is_one_line() {
        assert_eq!(login_name(" kim ").unwrap(), "kim");
        for text in ["", "  ", "kim\r\nA LOGOUT"] {
            assert!(login_name(text).is_err(), "{text:?}");
        }
    }
}
