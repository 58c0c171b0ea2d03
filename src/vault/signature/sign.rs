//! Making a detached signature.

use super::{
    ATTR_CONTENT_TYPE, ATTR_MESSAGE_DIGEST, ATTR_SIGNING_TIME, ECDSA_WITH_SHA256, ID_DATA, ID_SIGNED_DATA, SHA256,
    chain, ess,
};
use crate::vault::digest;
use crate::vault::keys::SigningKey;
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedAttributes, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime};
use der::{Any, Decode as _, Encode as _};
use jiff::Timestamp;
use rcgen::PublicKeyData as _;
use spki::AlgorithmIdentifierOwned;
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::time::Time;

/// 2050-01-01: from here on times are GeneralizedTime (RFC 5652 §11.3).
const YEAR_2050: u64 = 2_524_608_000;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The certificate or one of the chain cannot be read.
    #[error("a certificate cannot be read")]
    BadCertificate,
    /// The certificate is for another key.
    #[error("the certificate does not belong to the signing key")]
    KeyMismatch,
    /// The certificate is not valid at the signing time.
    #[error("the signing certificate is not valid at this time")]
    OutsideValidity,
    /// The certificate may not sign documents.
    #[error("the certificate is not for signing documents")]
    NotForSigning,
    /// A time before 1970.
    #[error("the signing time cannot be written")]
    BadTime,
    /// The structure could not be encoded.
    #[error("the signature could not be encoded")]
    Encoding(#[from] der::Error),
}

/// Signs `content` and gives the CMS SignedData (DER, detached).
///
/// `certificate` is the signer's; it and `chain` (issuers, the root may be among them) go into the signature. Refuses a
/// certificate that is of another key, not for signing, or not valid at `signing_time`.
pub fn sign_detached(
    content: &[u8],
    key: &SigningKey,
    certificate: &[u8],
    chain: &[Vec<u8>],
    signing_time: Timestamp,
) -> Result<Vec<u8>, SignError> {
    let parsed = Certificate::from_der(certificate).map_err(|_| SignError::BadCertificate)?;
    let (not_before, not_after) = chain::validity(&parsed).ok_or(SignError::BadCertificate)?;
    if signing_time < not_before || signing_time > not_after {
        return Err(SignError::OutsideValidity);
    }
    chain::check_signer(&parsed).map_err(|_| SignError::NotForSigning)?;
    sign_unchecked(content, key, parsed, chain, signing_time)
}

/// The same without looking at validity and purpose: tests make signatures that must be refused.
pub(super) fn sign_unchecked(
    content: &[u8],
    key: &SigningKey,
    certificate: Certificate,
    chain: &[Vec<u8>],
    signing_time: Timestamp,
) -> Result<Vec<u8>, SignError> {
    let public = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
    if public != key.der_bytes() {
        return Err(SignError::KeyMismatch);
    }
    let attributes = signed_attributes(content, &certificate, signing_time)?;
    // RFC 5652 §5.4: the signature is over the DER of the attributes as SET OF (0x31), not over their [0] form in the message.
    let signature = key.sign(&attributes.to_der()?);
    assemble(certificate, chain, attributes, signature)
}

pub(super) fn signed_attributes(
    content: &[u8],
    certificate: &Certificate,
    at: Timestamp,
) -> Result<SignedAttributes, SignError> {
    Ok(SignedAttributes::try_from(vec![
        attribute(ATTR_CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
        attribute(ATTR_SIGNING_TIME, Any::encode_from(&cms_time(at)?)?)?,
        attribute(ATTR_MESSAGE_DIGEST, Any::encode_from(&OctetString::new(digest::sha256(content))?)?)?,
        ess::attribute(certificate)?,
    ])?)
}

pub(super) fn assemble(
    certificate: Certificate,
    chain: &[Vec<u8>],
    signed_attrs: SignedAttributes,
    signature: Vec<u8>,
) -> Result<Vec<u8>, SignError> {
    let sha256 = AlgorithmIdentifierOwned { oid: SHA256, parameters: None };
    let tbs = certificate.tbs_certificate();
    let sid = SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
        issuer: tbs.issuer().clone(),
        serial_number: tbs.serial_number().clone(),
    });
    let mut certificates = vec![CertificateChoices::Certificate(certificate)];
    for other in chain {
        let other =
            CertificateChoices::Certificate(Certificate::from_der(other).map_err(|_| SignError::BadCertificate)?);
        if !certificates.contains(&other) {
            certificates.push(other);
        }
    }
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid,
        digest_alg: sha256.clone(),
        signed_attrs: Some(signed_attrs),
        signature_algorithm: AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let signed = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![sha256])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: ID_DATA, econtent: None },
        certificates: Some(CertificateSet::try_from(certificates)?),
        crls: None,
        signer_infos: SignerInfos::try_from(vec![signer])?,
    };
    Ok(ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&signed)? }.to_der()?)
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn cms_time(at: Timestamp) -> Result<Time, SignError> {
    let seconds = u64::try_from(at.as_second()).map_err(|_| SignError::BadTime)?;
    let since_epoch = Duration::from_secs(seconds);
    let time = if seconds < YEAR_2050 {
        UtcTime::from_unix_duration(since_epoch).map(Time::UtcTime)
    } else {
        GeneralizedTime::from_unix_duration(since_epoch).map(Time::GeneralTime)
    };
    time.map_err(|_| SignError::BadTime)
}
