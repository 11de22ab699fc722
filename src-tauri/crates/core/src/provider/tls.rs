//! Which certificates are believed on lines that do not speak HTTP: the system's authorities and those of `--ca-file`, as
//! for everything else. There is no way to believe more.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the errors of TLS grow; what is not told apart is one thing"
)]

mod certificate;

use crate::diagnosis::Evidence;
use crate::diagnosis::forecast::ServerCertificate;
use crate::provider::ProviderError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, Error as TlsError};
use rustls_platform_verifier::Verifier;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Hears of the certificate that a server has shown.
type Tell = Box<dyn Fn(ServerCertificate) + Send + Sync>;

/// Whom to believe. The system's authorities are read when they are first needed.
pub struct Trust {
    extra_roots: Vec<Vec<u8>>,
    config: OnceLock<Arc<rustls::ClientConfig>>,
    tell: Option<Tell>,
}

impl Trust {
    /// `extra_roots` are PEM certificates trusted beside the system's.
    pub fn new(extra_roots: Vec<Vec<u8>>) -> Self {
        Self {
            extra_roots,
            config: OnceLock::new(),
            tell: None,
        }
    }

    /// `tell` hears of each certificate that is believed, whenever a server shows it.
    #[must_use]
    pub fn telling(self, tell: impl Fn(ServerCertificate) + Send + Sync + 'static) -> Self {
        Self {
            tell: Some(Box::new(tell)),
            ..self
        }
    }

    /// Looks at the certificate of an open line. A line that goes on with the keys of a former one shows nothing new
    /// (RFC 8446 §2.2), and the server may have another certificate by now.
    pub(super) fn note(&self, host: &str, port: u16, line: &TlsStream<TcpStream>) {
        let (_, session) = line.get_ref();
        let Some(tell) = &self.tell else { return };
        if session.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
            return;
        }
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        if let Some((issuer, ends_at)) = shown.and_then(|der| certificate::read(der)) {
            tell(ServerCertificate {
                host: host.to_owned(),
                port,
                issuer,
                ends_at,
            });
        }
    }

    /// The client's side of TLS.
    pub(super) fn config(&self) -> Result<Arc<rustls::ClientConfig>, ProviderError> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let made = config(&self.extra_roots).map_err(|error| {
            let text = error.to_string();
            ProviderError::Untrusted(Evidence::of(Some("tls_handshake"), None, &text, &[]))
        })?;
        Ok(self.config.get_or_init(|| made).clone())
    }
}

fn config(extra_roots: &[Vec<u8>]) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let unreadable = |_| rustls::Error::General("a certificate cannot be read".to_owned());
    let mut roots = Vec::new();
    for pem in extra_roots {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.push(certificate.map_err(unreadable)?);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, provider.clone())?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The meaning of a failed connect, handshake, read or write.
pub(super) fn io_failure(error: &io::Error) -> ProviderError {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    let evidence = |code| Evidence::of(Some(code), None, &error.to_string(), &[]);
    let code = match tls {
        None if error.kind() == io::ErrorKind::ConnectionRefused => {
            return ProviderError::Offline(evidence("connection_refused"));
        }
        None => return ProviderError::Offline(Evidence::of(None, None, &error.to_string(), &[])),
        Some(TlsError::InvalidCertificate(reason)) => match reason {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "tls_wrong_name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "tls_expired",
            _ => "tls_unknown_issuer",
        },
        Some(_) => "tls_handshake",
    };
    ProviderError::Untrusted(evidence(code))
}
