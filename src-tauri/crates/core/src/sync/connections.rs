//! Ways to the servers: the provider of an address with the tokens of its account.

use crate::account::{EmailAddress, ImapAuth, ImapServer, Registration, SmtpServer};
use crate::diagnosis::forecast::ServerCertificate;
use crate::oauth::tokens::{TokenRecords, TokenSet, Tokens};
use crate::provider::graph::GraphMailbox;
use crate::provider::imap::{Credentials, ImapMailbox, Patience, Trust};
use crate::provider::outbound::{Copies, Outbound};
use crate::provider::smtp::SmtpSender;
use crate::provider::{MailboxName, Provider};
use crate::secrets::{Secrets, SecretsError, Vault};
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::{Store, StoreError, accounts, addresses, certificates};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The key to the stored sign-ins is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum NoVault {
    /// The keychain said no.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// There are stored sign-ins, but no key: another computer's data folder, or the entry was removed.
    #[error("the keychain holds no key for the stored sign-ins")]
    KeyMissing,
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoVault {
    /// The catalogue's code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Secrets(SecretsError::NoKeychain(_)) => "no_keychain",
            Self::Secrets(SecretsError::Locked(_)) => "keychain_locked",
            Self::Secrets(SecretsError::WrongPassphrase) => "wrong_passphrase",
            Self::Secrets(SecretsError::Damaged | SecretsError::File(_)) | Self::KeyMissing => {
                "key_missing"
            }
            Self::Store(_) => "database_trouble",
        }
    }
}

/// Makes providers. All providers of one account share its tokens, so that only one of them renews.
pub struct Connections {
    http: reqwest::Client,
    trust: Arc<Trust>,
    store: Store,
    secrets: Arc<dyn Secrets>,
    vault: tokio::sync::Mutex<Option<Vault>>,
    open: Mutex<Open>,
}

/// What is open already: tokens by account, mailboxes by account and name. A mailbox's limit of requests in flight
/// holds for whoever asks: polling, an import, a check.
#[derive(Default)]
struct Open {
    tokens: BTreeMap<i64, Tokens>,
    mailboxes: BTreeMap<(i64, Option<String>), OpenMailbox>,
}

/// An open mailbox, and how it is reached: another process may have changed that meanwhile.
struct OpenMailbox {
    provider: Provider,
    server: Option<ImapServer>,
    password: Option<SecretString>,
}

impl OpenMailbox {
    fn is_reached_by(&self, server: Option<&ImapServer>, password: Option<&SecretString>) -> bool {
        let text = |secret: Option<&SecretString>| secret.map(|it| it.expose_secret().to_owned());
        self.server.as_ref() == server && text(self.password.as_ref()) == text(password)
    }
}

impl Connections {
    /// Nothing is opened yet: the keychain may ask the person, so it is only touched when needed. `trust` judges the
    /// certificates of servers that do not speak HTTP.
    pub fn new(
        http: reqwest::Client,
        trust: Trust,
        store: Store,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let trust = Arc::new(trust.telling(keep_certificate(store.clone())));
        Self {
            http,
            trust,
            store,
            secrets,
            vault: tokio::sync::Mutex::new(None),
            open: Mutex::default(),
        }
    }

    /// The HTTP client that everything shares.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The vault, opened once. A key is made only where no sign-in is stored yet.
    ///
    /// # Errors
    /// [`NoVault`]; the next call tries again.
    pub async fn vault(&self) -> Result<Vault, NoVault> {
        let mut vault = self.vault.lock().await;
        if let Some(vault) = &*vault {
            return Ok(vault.clone());
        }
        let any_tokens = self.store.read(accounts::any_tokens).await?;
        let opened = Vault::open(self.secrets.clone(), !any_tokens)
            .await?
            .ok_or(NoVault::KeyMissing)?;
        *vault = Some(opened.clone());
        Ok(opened)
    }

    /// The tokens of an account, shared by everything that uses the account.
    ///
    /// # Errors
    /// [`NoVault`].
    pub async fn tokens(&self, account: &AccountRow) -> Result<Tokens, NoVault> {
        let vault = self.vault().await?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.tokens_in(&mut open, vault, account))
    }

    /// The provider of a connected address.
    ///
    /// # Errors
    /// [`NoVault`].
    pub async fn provider(
        &self,
        address: &AddressRow,
        account: &AccountRow,
    ) -> Result<Provider, NoVault> {
        let vault = self.vault().await?;
        // A shared mailbox that cannot be named must not become the person's own.
        let nameless = address
            .mailbox
            .as_deref()
            .is_some_and(|name| EmailAddress::parse(name).is_none());
        if address.disconnected || nameless {
            return Ok(self.resting(address, account));
        }
        let server = address.server.as_ref();
        let password = match server.map(|server| server.auth) {
            Some(ImapAuth::Password) => Some(self.password(&vault, account.id).await?),
            Some(ImapAuth::Token) | None => None,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // By IMAP a mailbox is one folder. No shared mailbox's address looks like this.
        let name = server.map(|_| format!("address {} {:?}", address.id, address.folder_path));
        let key = (account.id, name.or_else(|| address.mailbox.clone()));
        if let Some(mailbox) = open.mailboxes.get(&key)
            && mailbox.is_reached_by(server, password.as_ref())
        {
            return Ok(mailbox.provider.clone());
        }
        let folder = address.folder_path.as_deref();
        let provider = match (server, &password) {
            (Some(server), Some(password)) => {
                let credentials = Credentials::Password(password.clone());
                self.imap(None, server, folder, credentials)
            }
            (Some(server), None) => {
                let tokens = self.tokens_in(&mut open, vault, account);
                let person = person(address, account);
                self.imap(person, server, folder, Credentials::Tokens(tokens))
            }
            (None, _) => {
                let tokens = self.tokens_in(&mut open, vault, account);
                self.graph(&account.registration, tokens, mailbox_name(address))
            }
        };
        let mailbox = OpenMailbox {
            provider: provider.clone(),
            server: server.cloned(),
            password,
        };
        open.mailboxes.insert(key, mailbox);
        Ok(provider)
    }

    /// The provider of a disconnected address: it has no sign-in, whoever else uses the account and however long the
    /// sign-in is kept, so nothing is read and nothing is sent.
    fn resting(&self, address: &AddressRow, account: &AccountRow) -> Provider {
        let tokens = self.no_tokens(account);
        match &address.server {
            Some(server) => {
                let server = ImapServer {
                    auth: ImapAuth::Token,
                    ..server.clone()
                };
                let credentials = Credentials::Tokens(tokens);
                self.imap(None, &server, address.folder_path.as_deref(), credentials)
            }
            None => self.graph(&account.registration, tokens, mailbox_name(address)),
        }
    }

    fn no_tokens(&self, account: &AccountRow) -> Tokens {
        let registration = account.registration.clone();
        Tokens::new(self.http.clone(), registration, Arc::new(NoTokens))
    }

    /// Keeps the tokens of a sign-in that is not connected yet in memory, where trials renew them.
    pub fn hold(&self, registration: &Registration, tokens: TokenSet) -> HeldTokens {
        let set = Arc::new(Mutex::new(tokens));
        let records = Arc::new(Held(set.clone()));
        HeldTokens {
            set,
            tokens: Tokens::new(self.http.clone(), registration.clone(), records),
        }
    }

    /// A provider with tokens that are kept in memory only: for looking at a mailbox before it is connected. `shared`
    /// is the mailbox to open where it is not the account's own.
    pub fn trial(
        &self,
        registration: &Registration,
        tokens: &HeldTokens,
        shared: Option<&EmailAddress>,
    ) -> Provider {
        let name = shared.map_or(MailboxName::Own, |name| MailboxName::Shared(name.clone()));
        self.graph(registration, tokens.tokens.clone(), name)
    }

    /// As [`Connections::trial`], for a folder of an IMAP server; `person` is who signed in, where the mailbox is a
    /// shared one.
    pub fn imap_trial(
        &self,
        person: Option<&str>,
        server: &ImapServer,
        folder: Option<&str>,
        tokens: &HeldTokens,
    ) -> Provider {
        let credentials = Credentials::Tokens(tokens.tokens.clone());
        self.imap(person, server, folder, credentials)
    }

    /// As [`Connections::imap_trial`], with a password.
    pub fn imap_password_trial(
        &self,
        server: &ImapServer,
        folder: Option<&str>,
        password: SecretString,
    ) -> Provider {
        self.imap(None, server, folder, Credentials::Password(password))
    }

    /// As [`Connections::imap_trial`], for an address that is connected, with the stored tokens of its account.
    ///
    /// # Errors
    /// [`NoVault`].
    pub async fn imap_account_trial(
        &self,
        server: &ImapServer,
        folder: Option<&str>,
        address: &AddressRow,
        account: &AccountRow,
    ) -> Result<Provider, NoVault> {
        let credentials = Credentials::Tokens(self.tokens(account).await?);
        Ok(self.imap(person(address, account), server, folder, credentials))
    }

    /// The password that is stored for an account.
    ///
    /// # Errors
    /// [`NoVault`], also where the account signs in otherwise.
    pub async fn stored_password(&self, account_id: i64) -> Result<SecretString, NoVault> {
        let vault = self.vault().await?;
        self.password(&vault, account_id).await
    }

    /// The way on which an address's mail leaves; nothing where there is none.
    ///
    /// # Errors
    /// [`NoVault`].
    pub async fn outbound(
        &self,
        address: &AddressRow,
        account: &AccountRow,
    ) -> Result<Option<Outbound>, NoVault> {
        let own = EmailAddress::parse(&address.address);
        let (Some(server), Some(own)) = (&address.outbound, own) else {
            return Ok(match self.provider(address, account).await? {
                Provider::Graph(mailbox) => Some(Outbound::Graph(mailbox)),
                Provider::Imap(_) => None,
            });
        };
        let vault = self.vault().await?;
        let credentials = match server.auth {
            _ if address.disconnected => Credentials::Tokens(self.no_tokens(account)),
            ImapAuth::Token => Credentials::Tokens(self.tokens(account).await?),
            ImapAuth::Password => {
                let id = address.id;
                let sealed = self
                    .store
                    .read(move |db| addresses::outbound_secret(db, id))
                    .await?;
                Credentials::Password(match sealed {
                    Some(sealed) => opened(&vault, &outbound_purpose(id), &sealed)?,
                    None => self.password(&vault, account.id).await?,
                })
            }
        };
        let copies = match Box::pin(self.provider(address, account)).await? {
            Provider::Imap(mailbox) => Copies::of(&server.host, mailbox),
            Provider::Graph(_) => Copies::Nobody,
        };
        let sender = SmtpSender::new(server.clone(), own, credentials, self.trust.clone());
        let sender = sender.keeping(copies);
        Ok(Some(Outbound::Smtp(sender)))
    }

    /// A way to hand mail over with a sign-in that is kept in memory only: for trying a server before it is stored.
    pub fn smtp_trial(
        &self,
        server: &SmtpServer,
        own: &EmailAddress,
        tokens: &HeldTokens,
    ) -> SmtpSender {
        let credentials = Credentials::Tokens(tokens.tokens.clone());
        SmtpSender::new(server.clone(), own.clone(), credentials, self.trust.clone())
    }

    /// As [`Connections::smtp_trial`], with a password.
    pub fn smtp_password_trial(
        &self,
        server: &SmtpServer,
        own: &EmailAddress,
        password: SecretString,
    ) -> SmtpSender {
        let credentials = Credentials::Password(password);
        SmtpSender::new(server.clone(), own.clone(), credentials, self.trust.clone())
    }

    /// Forgets an account's tokens in memory, after they were replaced or removed.
    pub fn forget(&self, account_id: i64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.tokens.remove(&account_id);
        open.mailboxes
            .retain(|(account, _), _| *account != account_id);
    }

    fn tokens_in(&self, open: &mut Open, vault: Vault, account: &AccountRow) -> Tokens {
        let tokens = open.tokens.entry(account.id).or_insert_with(|| {
            let records = StoredTokens {
                store: self.store.clone(),
                vault,
                account_id: account.id,
            };
            Tokens::new(
                self.http.clone(),
                account.registration.clone(),
                Arc::new(records),
            )
        });
        tokens.clone()
    }

    fn imap(
        &self,
        person: Option<&str>,
        server: &ImapServer,
        folder: Option<&str>,
        credentials: Credentials,
    ) -> Provider {
        Provider::Imap(ImapMailbox::opened_by(
            person,
            server.clone(),
            folder,
            credentials,
            self.trust.clone(),
            Patience::default(),
        ))
    }

    async fn password(&self, vault: &Vault, account: i64) -> Result<SecretString, NoVault> {
        let sealed = self
            .store
            .read(move |db| accounts::load_tokens(db, account))
            .await?
            .ok_or(NoVault::KeyMissing)?;
        opened(vault, &password_purpose(account), &sealed)
    }

    fn graph(&self, registration: &Registration, tokens: Tokens, name: MailboxName) -> Provider {
        Provider::Graph(GraphMailbox::new(
            self.http.clone(),
            registration.graph_url.clone(),
            tokens,
            name,
        ))
    }
}

/// Who signs in, where the mailbox is a shared one.
fn person<'a>(address: &AddressRow, account: &'a AccountRow) -> Option<&'a str> {
    let login = account.identity.login_name.as_str();
    address.mailbox.is_some().then_some(login)
}

/// Keeps what servers show, unless it is known already: sessions are opened all the time, and certificates change once
/// in months.
fn keep_certificate(store: Store) -> impl Fn(ServerCertificate) + Send + Sync {
    let known: Arc<Mutex<BTreeSet<ServerCertificate>>> = Arc::default();
    move |shown| {
        let is_known = known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&shown);
        if is_known {
            return;
        }
        let (store, known) = (store.clone(), known.clone());
        tokio::spawn(async move {
            let seen = shown.clone();
            let kept = store.write(move |tx| certificates::keep(tx, &seen));
            match kept.await {
                Ok(()) => {
                    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                    known.retain(|one| (&one.host, one.port) != (&shown.host, shown.port));
                    known.insert(shown);
                }
                // The next session shows it again.
                Err(error) => tracing::debug!(%error, "A server's certificate cannot be noted."),
            }
        });
    }
}

/// The mailbox that an address stands for.
fn mailbox_name(address: &AddressRow) -> MailboxName {
    let shared = address.mailbox.as_deref().and_then(EmailAddress::parse);
    shared.map_or(MailboxName::Own, MailboxName::Shared)
}

/// What a sealed token set is bound to: a row's tokens cannot be moved to another account.
pub fn purpose(account_id: i64) -> String {
    format!("tokens of account {account_id}")
}

/// What a sealed password is bound to.
pub fn password_purpose(account_id: i64) -> String {
    format!("password of account {account_id}")
}

/// What a sealed password for sending alone is bound to.
pub fn outbound_purpose(address_id: i64) -> String {
    format!("outbound password of address {address_id}")
}

fn opened(vault: &Vault, purpose: &str, sealed: &[u8]) -> Result<SecretString, NoVault> {
    let plain = vault
        .unseal(purpose, sealed)
        .map_err(|_| NoVault::KeyMissing)?;
    std::str::from_utf8(&plain)
        .map(SecretString::from)
        .map_err(|_| NoVault::KeyMissing)
}

struct StoredTokens {
    store: Store,
    vault: Vault,
    account_id: i64,
}

impl TokenRecords for StoredTokens {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, String>> {
        let id = self.account_id;
        Box::pin(async move {
            let sealed = self
                .store
                .read(move |db| accounts::load_tokens(db, id))
                .await
                .map_err(|error| error.to_string())?;
            let Some(sealed) = sealed else {
                return Ok(None);
            };
            let plain = self
                .vault
                .unseal(&purpose(id), &sealed)
                .map_err(|error| error.to_string())?;
            TokenSet::from_bytes(&plain)
                .map(Some)
                .map_err(|error| error.to_string())
        })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), String>> {
        let id = self.account_id;
        Box::pin(async move {
            let sealed = self.vault.seal(&purpose(id), &tokens.to_bytes());
            let scopes = tokens.scopes.clone();
            self.store
                .write(move |tx| accounts::save_tokens(tx, id, &sealed, &scopes))
                .await
                .map_err(|error| error.to_string())
        })
    }
}

/// The tokens of a sign-in that is not connected yet. All clones share them: a trial may renew them, and an issuer that
/// rotates refresh tokens ends the whole sign-in when a former one comes back (RFC 9700 §4.14.2).
#[derive(Clone)]
pub struct HeldTokens {
    set: Arc<Mutex<TokenSet>>,
    tokens: Tokens,
}

impl HeldTokens {
    /// The newest set.
    pub fn current(&self) -> TokenSet {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.clone()
    }
}

struct Held(Arc<Mutex<TokenSet>>);

impl TokenRecords for Held {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, String>> {
        let set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let set = set.clone();
        Box::pin(async move { Ok(Some(set)) })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *set = tokens.clone();
            Ok(())
        })
    }
}

/// The sign-in of a disconnected address.
struct NoTokens;

impl TokenRecords for NoTokens {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, String>> {
        Box::pin(async { Ok(None) })
    }

    fn save<'a>(&'a self, _tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("the address is disconnected".to_owned()) })
    }
}
