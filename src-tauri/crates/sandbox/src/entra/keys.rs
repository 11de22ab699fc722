//! The key that signs tokens (RS256) and the document that publishes it.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An RSA-2048 key pair with its key id.
pub(crate) struct SigningKey {
    pair: KeyPair,
    id: String,
}

impl SigningKey {
    /// Makes a new key.
    pub(crate) fn generate() -> Result<Self, String> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|e| e.to_string())?;
        Ok(Self::with(pair))
    }

    /// Reads a key written by [`SigningKey::pkcs8`].
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        let pair = KeyPair::from_pkcs8(der).map_err(|e| e.to_string())?;
        Ok(Self::with(pair))
    }

    /// The key pair as PKCS #8 (RFC 5958), for the state folder.
    pub(crate) fn pkcs8(&self) -> Result<Vec<u8>, String> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.pair).map_err(|e| e.to_string())?;
        Ok(der.as_ref().to_vec())
    }

    fn with(pair: KeyPair) -> Self {
        let digest = Sha256::digest(pair.public_key().as_ref());
        let id = B64.encode(&digest[..20]);
        SigningKey { pair, id }
    }

    /// Signs claims as a compact JWT (RFC 7515, RFC 7519).
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, String> {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.id, "x5t": self.id});
        let input = format!(
            "{}.{}",
            B64.encode(header.to_string()),
            B64.encode(claims.to_string())
        );
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
            .map_err(|e| e.to_string())?;
        Ok(format!("{input}.{}", B64.encode(signature)))
    }

    /// The claims of a compact JWT signed with this key; `None` for anything else.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let header: Value = serde_json::from_slice(&B64.decode(header).ok()?).ok()?;
        if header["alg"] != "RS256" || header["kid"] != self.id.as_str() {
            return None;
        }
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(
            &RSA_PKCS1_2048_8192_SHA256,
            self.pair.public_key().as_ref(),
        );
        public
            .verify(input.as_bytes(), &B64.decode(signature).ok()?)
            .ok()?;
        serde_json::from_slice(&B64.decode(claims).ok()?).ok()
    }

    /// The JSON Web Key Set (RFC 7517) as Entra prints it. `issuer` may contain `{tenantid}`.
    pub(crate) fn jwks(&self, issuer: &str) -> Value {
        let public = self.pair.public_key();
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": B64.encode(public.modulus().big_endian_without_leading_zero()),
            "e": B64.encode(public.exponent().big_endian_without_leading_zero()),
            "cloud_instance_name": "localhost",
            "issuer": issuer,
        }]})
    }
}
