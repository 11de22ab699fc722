//! The sandbox's own certificate authority and its certificate for localhost.

use crate::options::StartError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A TLS server configuration and where its authority's certificate lies.
pub(crate) struct Certificates {
    /// For `localhost`, `127.0.0.1` and `::1`.
    pub(crate) server: Arc<rustls::ServerConfig>,
    /// PEM.
    pub(crate) ca_file: PathBuf,
}

impl Certificates {
    /// Reads the authority kept in this folder, or makes one there; the server's certificate is new each time.
    pub(crate) fn in_dir(dir: &Path) -> Result<Self, StartError> {
        let (ca_file, key_file) = (dir.join("ca.pem"), dir.join("ca-key.pem"));
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| StartError::File { path, source }
        };
        std::fs::create_dir_all(dir).map_err(file(dir))?;
        if !(ca_file.exists() && key_file.exists()) {
            let (certificate, key) = authority().map_err(|e| StartError::Key(e.to_string()))?;
            crate::state::write_private(&key_file, key.as_bytes()).map_err(file(&key_file))?;
            std::fs::write(&ca_file, certificate).map_err(file(&ca_file))?;
        }
        let certificate = std::fs::read_to_string(&ca_file).map_err(file(&ca_file))?;
        let key = std::fs::read_to_string(&key_file).map_err(file(&key_file))?;
        let server = server(&certificate, &key).map_err(|e| StartError::State {
            path: ca_file.clone(),
            reason: e.to_string(),
        })?;
        Ok(Certificates { server, ca_file })
    }
}

fn authority() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = authority_params().self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// The same at every start: an authority read back from its folder is its key plus these.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Mailroom practice authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server(ca: &str, ca_key: &str) -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    let issuer = Issuer::new(authority_params(), KeyPair::from_pem(ca_key)?);
    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, &issuer)?;
    let chain = vec![
        leaf.der().clone(),
        CertificateDer::from_pem_slice(ca.as_bytes())?,
    ];
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
