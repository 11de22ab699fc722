//! One set of tokens, and its form for sealing.

use crate::Millis;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// What the token endpoint gave.
#[derive(Debug, Clone)]
pub struct TokenSet {
    /// Access token for one resource.
    pub access: SecretString,
    /// When the access token ends.
    pub expires_at: Millis,
    /// Refresh token.
    pub refresh: SecretString,
    /// Scopes granted, by their short names (`Mail.Send`, not `https://graph.microsoft.com/Mail.Send`).
    pub scopes: Vec<String>,
}

/// Stored bytes are no [`TokenSet`].
#[derive(Debug, thiserror::Error)]
#[error("the stored sign-in is damaged")]
pub struct DamagedTokens;

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    access: Cow<'a, str>,
    expires_at: Millis,
    refresh: Cow<'a, str>,
    scopes: Vec<String>,
}

impl TokenSet {
    /// The set as JSON, for sealing.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored {
            access: self.access.expose_secret().into(),
            expires_at: self.expires_at,
            refresh: self.refresh.expose_secret().into(),
            scopes: self.scopes.clone(),
        };
        // Room for all of it at once: growing would leave copies behind in freed memory.
        let room = 256
            + 2 * (stored.access.len() + stored.refresh.len())
            + self.scopes.iter().map(|s| s.len() + 8).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        // Writing strings and numbers to memory cannot fail; if it did, reading would say so.
        let _ = serde_json::to_writer(&mut *bytes, &stored);
        bytes
    }

    /// Reads what [`TokenSet::to_bytes`] made.
    ///
    /// # Errors
    /// [`DamagedTokens`]; the cause is left out because it may quote a token.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedTokens> {
        let stored: Stored<'_> = serde_json::from_slice(bytes).map_err(|_| DamagedTokens)?;
        Ok(Self {
            access: SecretString::from(stored.access.into_owned()),
            expires_at: stored.expires_at,
            refresh: SecretString::from(stored.refresh.into_owned()),
            scopes: stored.scopes,
        })
    }

    /// Whether both are the same tokens.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.access.expose_secret() == other.access.expose_secret()
            && self.refresh.expose_secret() == other.refresh.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_from_bytes_and_never_shows_its_tokens() {
        let set = TokenSet {
            access: "CANARY-access\"\\".into(),
            expires_at: 1_700_000_000_000,
            refresh: "CANARY-refresh".into(),
            scopes: vec!["Mail.Send".to_owned()],
        };
        let back = TokenSet::from_bytes(&set.to_bytes()).unwrap();
        assert!(back.is_same(&set));
        assert_eq!(
            (back.expires_at, &back.scopes),
            (set.expires_at, &set.scopes)
        );
        assert!(!format!("{set:?}").contains("CANARY"));
        let damaged = TokenSet::from_bytes(br#"{"access":{"CANARY":1}}"#).unwrap_err();
        assert!(!format!("{damaged} {damaged:?}").contains("CANARY"));
    }
}
