//! The reader's signing key: ECDSA on P-256, made on the terminal and kept in the secret store, never shown or exported.

use super::random;
use super::secrets::{SecretError, SecretStore};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey as EcdsaKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use rcgen::{CertificateParams, DistinguishedName, DnType, PublicKeyData, SignatureAlgorithm};
use zeroize::Zeroizing;

/// Name of the reader's signing key in the secret store.
pub const SIGNING_KEY_NAME: &str = "signing-key";

/// X.520 / RFC 4519 `userId`: carries the reader's id at the center in certificate subjects.
pub(super) const USER_ID_OID: [u64; 7] = [0, 9, 2342, 19_200_300, 100, 1, 1];

/// Why a key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a P-256 key in PKCS#8 DER.
    #[error("not a P-256 private key in PKCS#8")]
    Malformed,
    /// The request could not be written.
    #[error("the certificate request could not be made: {0}")]
    Request(String),
    /// The secret store failed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] random::RandomError),
}

/// Who a certificate is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name as a person writes it, in UTF-8 (読影 太郎).
    pub common_name: String,
    /// The reader's id at the center; `None` for the center's own certificates.
    pub reader_id: Option<String>,
    /// The center's name.
    pub organization: String,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("reader_id", &self.reader_id).finish_non_exhaustive()
    }
}

impl Subject {
    pub(super) fn distinguished_name(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        if !self.organization.is_empty() {
            name.push(DnType::OrganizationName, self.organization.as_str());
        }
        name.push(DnType::CommonName, self.common_name.as_str());
        if let Some(id) = &self.reader_id {
            name.push(DnType::CustomDnType(USER_ID_OID.to_vec()), id.as_str());
        }
        name
    }
}

/// A P-256 signing key. Zeroed when dropped; `Debug` shows nothing.
pub struct SigningKey {
    key: EcdsaKey,
    /// Uncompressed SEC1 point.
    public: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    fn new(key: EcdsaKey) -> Self {
        let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { key, public }
    }

    /// A new random key.
    pub fn generate() -> Result<Self, KeyError> {
        // A random 256-bit number is outside the group's range with a chance of 2^-32; then another one is drawn.
        loop {
            let candidate = random::secret_bytes::<32>()?;
            if let Ok(key) = EcdsaKey::from_slice(candidate.as_ref()) {
                return Ok(Self::new(key));
            }
        }
    }

    /// Reads a PKCS#8 DER private key (unencrypted: it comes out of a secret store).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        EcdsaKey::from_pkcs8_der(der).map(Self::new).map_err(|_| KeyError::Malformed)
    }

    /// The key as PKCS#8 DER, for a secret store only.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.key.to_pkcs8_der().map(|der| Zeroizing::new(der.as_bytes().to_vec())).map_err(|_| KeyError::Malformed)
    }

    /// The key of this name in the store, if there is one.
    pub fn load(secrets: &dyn SecretStore, name: &str) -> Result<Option<Self>, KeyError> {
        secrets.get(name)?.map(|der| Self::from_pkcs8_der(&der)).transpose()
    }

    /// Puts the key into the store.
    pub fn store(&self, secrets: &dyn SecretStore, name: &str) -> Result<(), KeyError> {
        Ok(secrets.set(name, &self.to_pkcs8_der()?)?)
    }

    /// The public key as SubjectPublicKeyInfo DER.
    pub fn public_key_der(&self) -> Result<Vec<u8>, KeyError> {
        self.key.verifying_key().to_public_key_der().map(|der| der.as_bytes().to_vec()).map_err(|_| KeyError::Malformed)
    }

    /// ECDSA with SHA-256 over `message`, as DER `SEQUENCE { r, s }`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.key.sign(message);
        signature.as_bytes().to_vec()
    }

    /// A PKCS#10 request for `subject` in DER, signed with this key (proof of possession).
    pub fn csr(&self, subject: &Subject) -> Result<Vec<u8>, KeyError> {
        Ok(self.request(subject)?.der().to_vec())
    }

    /// The same request as PEM.
    pub fn csr_pem(&self, subject: &Subject) -> Result<String, KeyError> {
        self.request(subject)?.pem().map_err(|error| KeyError::Request(error.to_string()))
    }

    fn request(&self, subject: &Subject) -> Result<rcgen::CertificateSigningRequest, KeyError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject.distinguished_name();
        params.serialize_request(self).map_err(|error| KeyError::Request(error.to_string()))
    }
}

impl PublicKeyData for SigningKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(SigningKey::sign(self, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::secrets::MemoryStore;

    #[test]
    fn stored_key_signs_like_the_first() {
        let secrets = MemoryStore::new();
        assert!(SigningKey::load(&secrets, SIGNING_KEY_NAME).unwrap().is_none());
        let key = SigningKey::generate().unwrap();
        key.store(&secrets, SIGNING_KEY_NAME).unwrap();
        let again = SigningKey::load(&secrets, SIGNING_KEY_NAME).unwrap().unwrap();
        assert_eq!(key.public_key_der().unwrap(), again.public_key_der().unwrap());
        // RFC 6979: the same key and message give the same signature.
        assert_eq!(key.sign(b"sample"), again.sign(b"sample"));
        assert_ne!(SigningKey::generate().unwrap().public_key_der().unwrap(), key.public_key_der().unwrap());
        assert!(key.to_pkcs8_der().unwrap().len() < 256);
    }

    #[test]
    fn signature_is_der_and_another_implementation_accepts_it() {
        let key = SigningKey::generate().unwrap();
        let signature = key.sign(b"message");
        let judge = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, key.der_bytes());
        assert!(judge.verify(b"message", &signature).is_ok());
        assert!(judge.verify(b"massage", &signature).is_err());
    }

    #[test]
    fn rubbish_is_no_key_and_debug_is_silent() {
        for bytes in [&b""[..], b"rubbish", &[0x30, 0x82, 0xff, 0xff]] {
            assert!(matches!(SigningKey::from_pkcs8_der(bytes), Err(KeyError::Malformed)));
        }
        assert_eq!(format!("{:?}", SigningKey::generate().unwrap()), "SigningKey(…)");
    }
}
