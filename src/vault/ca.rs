//! The reading center's small certificate authority.
//!
//! One self-signed root issues the TLS server certificate, the readers' signing certificates (from their requests) and the
//! center's receipt certificate. All keys are P-256, all signatures ECDSA with SHA-256. Times are arguments; serial numbers random.

use super::keys::{KeyError, SigningKey, Subject};
use super::random;
use der::{Decode as _, Encode as _};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use std::net::IpAddr;
use x509_cert::Certificate;
use x509_cert::request::CertReq;

/// Longest request that is read.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

/// Why a certificate was not issued.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The request cannot be read.
    #[error("the certificate request cannot be read")]
    MalformedRequest,
    /// The request's own signature is wrong: whoever sent it has not shown to hold the key.
    #[error("the certificate request is not signed with its own key")]
    NoProofOfPossession,
    /// Another key than P-256 with SHA-256.
    #[error("only P-256 keys with SHA-256 are certified")]
    UnsupportedKey,
    /// The end is not after the beginning, or lies outside what a certificate can say.
    #[error("the validity period is not usable")]
    BadValidity,
    /// A server name that is not a DNS name.
    #[error("not a usable server name: {0}")]
    BadName(String),
    /// The CA's certificate and key do not belong together, or it is no CA certificate.
    #[error("the CA certificate does not fit its key")]
    WrongCaKey,
    /// The subject lacks a name or, for a reader, an id, or holds control characters.
    #[error("the certificate's subject is incomplete")]
    IncompleteSubject,
    /// The certificate could not be written.
    #[error("the certificate could not be made: {0}")]
    Encoding(String),
    /// A key problem.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] random::RandomError),
}

/// From when to when a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: Timestamp,
    /// Last moment.
    pub not_after: Timestamp,
}

impl Validity {
    /// `days` days from `start`; saturates at the calendar's end.
    pub fn days(start: Timestamp, days: u32) -> Self {
        let seconds = start.as_second().saturating_add(i64::from(days) * 86_400);
        Self { not_before: start, not_after: Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX) }
    }

    fn apply(self, params: &mut CertificateParams) -> Result<(), CaError> {
        if self.not_after <= self.not_before {
            return Err(CaError::BadValidity);
        }
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let at = |time: Timestamp| {
            let seconds = u64::try_from(time.as_second()).map_err(|_| CaError::BadValidity)?;
            // 9999-12-31: the last day that GeneralizedTime can say.
            if seconds > 253_402_214_400 {
                Err(CaError::BadValidity)
            } else {
                Ok(epoch + std::time::Duration::from_secs(seconds))
            }
        };
        params.not_before = at(self.not_before)?;
        params.not_after = at(self.not_after)?;
        Ok(())
    }
}

/// An issued certificate with its private key (server and receipt certificates, which the center holds itself).
#[derive(Debug)]
pub struct Issued {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: SigningKey,
}

/// The certificate authority: root certificate and key.
#[derive(Debug)]
pub struct CertificateAuthority {
    certificate: Vec<u8>,
    key: SigningKey,
}

impl CertificateAuthority {
    /// A new root for `center_name`.
    pub fn create(center_name: &str, validity: Validity) -> Result<Self, CaError> {
        if center_name.is_empty() {
            return Err(CaError::IncompleteSubject);
        }
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, center_name);
        // Two roots of one center must not look alike to software that finds issuers by name.
        name.push(DnType::CommonName, format!("{center_name} Root CA {}", super::digest::hex(&random::bytes::<4>()?)));
        let mut params = base(name, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = SigningKey::generate()?;
        let certificate = params.self_signed(&key).map_err(encoding)?.der().to_vec();
        Ok(Self { certificate, key })
    }

    /// The root read back from its certificate and key; refuses a pair that does not belong together.
    pub fn from_parts(certificate_der: Vec<u8>, key: SigningKey) -> Result<Self, CaError> {
        let certificate = Certificate::from_der(&certificate_der).map_err(|_| CaError::WrongCaKey)?;
        let public = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
        let constraints = certificate.tbs_certificate().get_extension::<x509_cert::ext::pkix::BasicConstraints>();
        let is_ca = matches!(constraints, Ok(Some((_, constraints))) if constraints.ca);
        if public != key.der_bytes() || !is_ca {
            return Err(CaError::WrongCaKey);
        }
        Ok(Self { certificate: certificate_der, key })
    }

    /// The root certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The root certificate, PEM.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The root key, for the center's own secret store.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A TLS server certificate for DNS names and IP addresses (each entry is one or the other), with a new key.
    pub fn issue_server(&self, names: &[String], validity: Validity) -> Result<Issued, CaError> {
        let first = names.first().ok_or(CaError::IncompleteSubject)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, first.as_str());
        let mut params = base(name, validity)?;
        for entry in names {
            params.subject_alt_names.push(match entry.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(dns_name(entry)?.try_into().map_err(|_| CaError::BadName(entry.clone()))?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = SigningKey::generate()?;
        Ok(Issued { certificate: self.sign(&params, &key)?, key })
    }

    /// A reader's signing certificate from a PKCS#10 request in DER.
    ///
    /// Only the public key is taken from the request, after its own signature has been checked; name and id are what the center
    /// knows of the signed-in reader.
    pub fn issue_signing(&self, request_der: &[u8], reader: &Subject, validity: Validity) -> Result<Vec<u8>, CaError> {
        let id = reader.reader_id.as_deref().unwrap_or_default();
        if [id, &reader.common_name].iter().any(|text| text.is_empty() || text.chars().any(char::is_control)) {
            return Err(CaError::IncompleteSubject);
        }
        let key = verified_request_key(request_der)?;
        self.sign(&signing_params(reader, validity)?, &key)
    }

    /// The center's certificate for signing receipts, with a new key. It names no reader.
    pub fn issue_receipt(&self, center_name: &str, validity: Validity) -> Result<Issued, CaError> {
        if center_name.is_empty() {
            return Err(CaError::IncompleteSubject);
        }
        let subject = Subject {
            common_name: format!("{center_name} receipts"),
            reader_id: None,
            organization: center_name.to_owned(),
        };
        let key = SigningKey::generate()?;
        Ok(Issued { certificate: self.sign(&signing_params(&subject, validity)?, &key)?, key })
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Result<Vec<u8>, CaError> {
        let root = rustls::pki_types::CertificateDer::from(self.certificate.as_slice());
        let issuer = Issuer::from_ca_cert_der(&root, &self.key).map_err(encoding)?;
        Ok(params.signed_by(key, &issuer).map_err(encoding)?.der().to_vec())
    }
}

fn encoding(error: rcgen::Error) -> CaError {
    CaError::Encoding(error.to_string())
}

fn base(name: DistinguishedName, validity: Validity) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    validity.apply(&mut params)?;
    // 127 random bits with the top one clear, the next set: positive, 16 bytes, never shortened (RFC 5280 4.1.2.2).
    let mut serial = random::bytes::<16>()?;
    serial[0] = (serial[0] & 0x7f) | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    Ok(params)
}

/// Signing certificates: digitalSignature and contentCommitment (nonRepudiation). emailProtection, so that `openssl cms -verify`
/// accepts them for its default purpose and nothing accepts them for TLS.
fn signing_params(subject: &Subject, validity: Validity) -> Result<CertificateParams, CaError> {
    let mut params = base(subject.distinguished_name(), validity)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    Ok(params)
}

fn dns_name(name: &str) -> Result<String, CaError> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    if name.len() <= 253 && name.split('.').all(label) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(CaError::BadName(name.to_owned()))
    }
}

/// The public key of a request whose own signature is right.
fn verified_request_key(request_der: &[u8]) -> Result<SubjectPublicKeyInfo, CaError> {
    if request_der.len() > MAX_REQUEST_BYTES {
        return Err(CaError::MalformedRequest);
    }
    let request = CertReq::from_der(request_der).map_err(|_| CaError::MalformedRequest)?;
    if !super::signature::is_ecdsa_sha256(&request.algorithm) || !super::signature::is_p256(&request.info.public_key) {
        return Err(CaError::UnsupportedKey);
    }
    let signed = request.info.to_der().map_err(|_| CaError::MalformedRequest)?;
    let signature = request.signature.as_bytes().ok_or(CaError::MalformedRequest)?;
    if !super::signature::ecdsa_verify(&request.info.public_key, &signed, signature) {
        return Err(CaError::NoProofOfPossession);
    }
    let spki = request.info.public_key.to_der().map_err(|_| CaError::MalformedRequest)?;
    SubjectPublicKeyInfo::from_der(&spki).map_err(|_| CaError::UnsupportedKey)
}

/// PEM of one DER object, LF line ends.
pub fn pem(label: &'static str, der_bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der_bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        // The text is ASCII, so every position is a character border.
        let (line, later) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = later;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// DER of every certificate in a PEM text, in order.
pub fn certificates_from_pem(text: &str) -> Result<Vec<Vec<u8>>, CaError> {
    let chain = Certificate::load_pem_chain(text.as_bytes()).map_err(|_| CaError::MalformedRequest)?;
    chain.iter().map(|certificate| certificate.to_der().map_err(|_| CaError::MalformedRequest)).collect()
}

/// The public key of a certificate (DER), as SubjectPublicKeyInfo DER.
pub fn public_key_of(certificate_der: &[u8]) -> Result<Vec<u8>, CaError> {
    let certificate = Certificate::from_der(certificate_der).map_err(|_| CaError::MalformedRequest)?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    key.to_der().map_err(|_| CaError::MalformedRequest)
}

#[cfg(test)]
mod tests;
