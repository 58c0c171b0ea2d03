//! Detached CMS signatures over reports and receipts (RFC 5652 with signing-certificate-v2, CAdES-BES), and their verification.
//!
//! One profile: ECDSA on P-256 with SHA-256. RSA (HPKI cards) is recognised and refused with a verdict of its own. There is no
//! time stamp yet, so the best verdict is [`Verdict::ValidNoTst`]. The verifier takes hostile bytes: sizes and counts are capped,
//! nothing indexes or unwraps outside data.

mod chain;
mod ess;
mod sign;
mod verify;

#[cfg(test)]
mod tests;

pub use sign::{SignError, sign_detached};
pub use verify::{Expected, Policy, verify_detached};

use der::asn1::ObjectIdentifier;
use jiff::Timestamp;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// Longest CMS object that is read.
pub const MAX_CMS_BYTES: usize = 64 * 1024;

pub(super) const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
pub(super) const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ATTR_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ATTR_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ATTR_SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const ATTR_SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// The outcome of a verification (domain reference §9, item 6; VALID and TST_INVALID come with time stamps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Intact, by the certified signer, trusted; the time is the signer's own word.
    ValidNoTst,
    /// The content or the signed attributes are not what was signed.
    Modified,
    /// The signing time lies outside the validity of the certificate or of one above it.
    CertExpiredAtSign,
    /// The certificate had been revoked by the time at which the signature is known to have existed.
    CertRevoked,
    /// No path from the certificate to a trusted root.
    ChainUntrusted,
    /// SHA-1, MD5 or the like.
    AlgoWeak,
    /// A sound algorithm that this program does not verify (RSA, other curves, other hashes).
    AlgoUnsupported,
    /// Not the expected signer, a certificate other than the signed one, or one that is not for signing reports.
    WrongSigner,
    /// The claimed signing time lies in the future.
    TimeImplausible,
    /// Not a signature of this kind at all.
    Malformed,
}

impl Verdict {
    /// Whether the content may be shown as signed and final.
    pub fn is_valid(self) -> bool {
        self == Self::ValidNoTst
    }

    /// The stable code for JSON and audit records.
    pub fn code(self) -> &'static str {
        match self {
            Self::ValidNoTst => "VALID_NO_TST",
            Self::Modified => "MODIFIED",
            Self::CertExpiredAtSign => "CERT_EXPIRED_AT_SIGN",
            Self::CertRevoked => "CERT_REVOKED",
            Self::ChainUntrusted => "CHAIN_UNTRUSTED",
            Self::AlgoWeak => "ALGO_WEAK",
            Self::AlgoUnsupported => "ALGO_UNSUPPORTED",
            Self::WrongSigner => "WRONG_SIGNER",
            Self::TimeImplausible => "TIME_IMPLAUSIBLE",
            Self::Malformed => "MALFORMED",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// Who signed, as the certificate says. Believe it only with a valid verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerInfo {
    /// Common name of the certificate's subject.
    pub subject_cn: String,
    /// Serial number as lower-case hexadecimal digits.
    pub serial: String,
    /// The reader's id (`userId` of the subject); `None` in certificates of the center itself.
    pub reader_id: Option<String>,
    /// The signer's certificate, DER.
    pub certificate: Vec<u8>,
    /// The signer's own claim, whole seconds.
    pub signing_time: Timestamp,
}

/// What a person should know beside a valid verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Revoked after the signature was known to exist.
    RevokedLater {
        /// When.
        at: Timestamp,
    },
    /// The certificate has run out since.
    CertExpiredSince {
        /// When.
        at: Timestamp,
    },
}

/// A verdict, its reason, and the claimed signer as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The outcome.
    pub verdict: Verdict,
    /// Why, in a few English words for logs and support; `ui` has its own words per verdict.
    pub detail: &'static str,
    /// The claimed signer.
    pub signer: Option<SignerInfo>,
    /// Further facts.
    pub notes: Vec<Note>,
}

/// A certificate that its center has withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Serial number as lower-case hexadecimal digits, as in [`SignerInfo::serial`].
    pub serial: String,
    /// From when on.
    pub at: Timestamp,
}

/// Whether this is ecdsa-with-SHA256.
pub(super) fn is_ecdsa_sha256(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == ECDSA_WITH_SHA256 && algorithm.parameters.is_none()
}

/// Whether this is a P-256 key as an uncompressed point.
pub(super) fn is_p256(spki: &SubjectPublicKeyInfoOwned) -> bool {
    let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let point = spki.subject_public_key.as_bytes().unwrap_or_default();
    spki.algorithm.oid == EC_PUBLIC_KEY && curve == Some(P256) && point.len() == 65 && point.first() == Some(&4)
}

/// Verifies an ECDSA P-256 SHA-256 signature in DER form; raw r‖s does not pass. The verifier is `ring`'s, the signer `p256`'s:
/// a fault would have to be in both.
pub(super) fn ecdsa_verify(spki: &SubjectPublicKeyInfoOwned, message: &[u8], signature_der: &[u8]) -> bool {
    let Some(point) = spki.subject_public_key.as_bytes() else {
        return false;
    };
    is_p256(spki)
        && ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, point)
            .verify(message, signature_der)
            .is_ok()
}

/// Serial number, common name, reader id and the like, read from a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    /// Common name of the subject.
    pub subject_cn: String,
    /// `userId` of the subject.
    pub reader_id: Option<String>,
    /// Serial number as lower-case hexadecimal digits.
    pub serial: String,
    /// First moment.
    pub not_before: Timestamp,
    /// Last moment.
    pub not_after: Timestamp,
    /// SHA-256 of the whole certificate, hexadecimal.
    pub sha256: String,
}

/// Reads what people and databases need of a certificate; `None` where it is not one.
pub fn summarize_certificate(der_bytes: &[u8]) -> Option<CertificateSummary> {
    use der::Decode as _;
    if der_bytes.len() > MAX_CMS_BYTES {
        return None;
    }
    let certificate = x509_cert::Certificate::from_der(der_bytes).ok()?;
    let (not_before, not_after) = chain::validity(&certificate)?;
    Some(CertificateSummary {
        subject_cn: chain::common_name(&certificate),
        reader_id: chain::reader_id(&certificate),
        serial: chain::serial(&certificate),
        not_before,
        not_after,
        sha256: super::digest::sha256_hex(der_bytes),
    })
}
