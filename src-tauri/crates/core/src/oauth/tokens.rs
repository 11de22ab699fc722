//! Tokens that renew themselves: one refresh at a time per account, and the rotated refresh token is durable
//! before the new access token is used.

use super::error::TokenError;
use crate::Millis;
use crate::account::Registration;
use secrecy::SecretString;
use std::sync::Arc;

/// What the token endpoint gave.
#[derive(Clone)]
pub struct TokenSet {
    /// Access token for one resource.
    pub access: SecretString,
    /// When the access token ends.
    pub expires_at: Millis,
    /// Refresh token.
    pub refresh: SecretString,
    /// Scopes granted, as the answer lists them.
    pub scopes: Vec<String>,
}

/// Where one account's tokens are kept, sealed. The store implements it; tests use a map.
pub trait TokenRecords: Send + Sync {
    /// Reads the stored set.
    fn load(&self) -> futures_util::future::BoxFuture<'_, Result<Option<TokenSet>, String>>;
    /// Stores the set durably (it is on disk when this returns).
    fn save<'a>(
        &'a self,
        tokens: &'a TokenSet,
    ) -> futures_util::future::BoxFuture<'a, Result<(), String>>;
}

/// One account's tokens for Graph. Cheap to clone; all clones share the single flight.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

struct Shared {
    _http: reqwest::Client,
    _registration: Registration,
    _records: Arc<dyn TokenRecords>,
}

impl Tokens {
    /// Tokens of one account.
    pub fn new(
        http: reqwest::Client,
        registration: Registration,
        records: Arc<dyn TokenRecords>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                _http: http,
                _registration: registration,
                _records: records,
            }),
        }
    }

    /// An access token good for at least the next minute, renewed where needed. After a failure that needs a
    /// person, the same error is given again without a request for five minutes.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn access(&self) -> Result<SecretString, TokenError> {
        let _ = &self.shared;
        todo!()
    }

    /// Says that the server refused `token` with 401: the next [`Tokens::access`] renews unless that happened meanwhile.
    pub async fn refused(&self, _token: &SecretString) {
        todo!()
    }

    /// Scopes granted by the latest answer.
    ///
    /// # Errors
    /// [`TokenError::NoTokens`].
    pub async fn scopes(&self) -> Result<Vec<String>, TokenError> {
        todo!()
    }
}
