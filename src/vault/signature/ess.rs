//! The signed attribute signing-certificate-v2 (RFC 5035): the signature names its certificate by hash, so that another
//! certificate for the same key cannot be put in its place.

use super::ATTR_SIGNING_CERTIFICATE_V2;
use crate::vault::digest;
use der::asn1::{OctetString, SetOfVec};
use der::{Any, Encode as _, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::serial_number::SerialNumber;

/// `IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct IssuerSerial {
    issuer: Vec<GeneralName>,
    serial_number: SerialNumber,
}

/// `ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash OCTET STRING, issuerSerial OPTIONAL }`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct EssCertIdV2 {
    hash_algorithm: Option<AlgorithmIdentifierOwned>,
    cert_hash: OctetString,
    issuer_serial: Option<IssuerSerial>,
}

/// `SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OF PolicyInformation OPTIONAL }`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
    policies: Option<Any>,
}

fn issuer_serial(certificate: &Certificate) -> IssuerSerial {
    let tbs = certificate.tbs_certificate();
    IssuerSerial {
        issuer: vec![GeneralName::DirectoryName(tbs.issuer().clone())],
        serial_number: tbs.serial_number().clone(),
    }
}

/// The attribute for `certificate`. SHA-256 is the default and therefore left out (DER).
pub(super) fn attribute(certificate: &Certificate) -> der::Result<Attribute> {
    let value = SigningCertificateV2 {
        certs: vec![EssCertIdV2 {
            hash_algorithm: None,
            cert_hash: OctetString::new(digest::sha256(&certificate.to_der()?))?,
            issuer_serial: Some(issuer_serial(certificate)),
        }],
        policies: None,
    };
    Ok(Attribute { oid: ATTR_SIGNING_CERTIFICATE_V2, values: SetOfVec::try_from(vec![Any::encode_from(&value)?])? })
}

/// What the attribute says about `certificate`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It names this certificate.
    This,
    /// It names another one.
    Another,
    /// It uses another hash than SHA-256.
    OtherHash,
    /// It cannot be read.
    Unreadable,
}

pub(super) fn names(value: &Any, certificate: &Certificate) -> Named {
    let Ok(parsed) = value.decode_as::<SigningCertificateV2>() else {
        return Named::Unreadable;
    };
    let (Some(first), Ok(encoded)) = (parsed.certs.first(), certificate.to_der()) else {
        return Named::Unreadable;
    };
    if first.hash_algorithm.as_ref().is_some_and(|algorithm| algorithm.oid != super::SHA256) {
        return Named::OtherHash;
    }
    let same_hash = first.cert_hash.as_bytes() == digest::sha256(&encoded);
    let same_serial = first.issuer_serial.as_ref().is_none_or(|named| *named == issuer_serial(certificate));
    if same_hash && same_serial { Named::This } else { Named::Another }
}
