//! Which certificates are believed on lines that do not speak HTTP: the system's authorities and those of `--ca-file`, as
//! for everything else. There is no way to believe more.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the errors of TLS grow; what is not told apart is one thing"
)]

use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, Error as TlsError};
use rustls_platform_verifier::Verifier;
use std::io;
use std::sync::{Arc, OnceLock};

/// Whom to believe. The system's authorities are read when they are first needed.
pub struct Trust {
    extra_roots: Vec<Vec<u8>>,
    config: OnceLock<Arc<rustls::ClientConfig>>,
}

impl Trust {
    /// `extra_roots` are PEM certificates trusted beside the system's.
    pub fn new(extra_roots: Vec<Vec<u8>>) -> Self {
        Self {
            extra_roots,
            config: OnceLock::new(),
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
