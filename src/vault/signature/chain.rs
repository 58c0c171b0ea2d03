//! From the signer's certificate to a trusted root: signatures, validity, constraints (RFC 5280 §6, for one algorithm).

use super::{Verdict, ecdsa_verify, is_ecdsa_sha256, verify::is_weak};
use crate::vault::digest;
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::DirectoryString;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

/// Certificates above the signer's, root included.
const MAX_DEPTH: usize = 4;
const USER_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1");
const EMAIL_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
/// Extensions that are understood here; another one marked critical makes a certificate unusable (RFC 5280 §4.2).
const UNDERSTOOD: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("2.5.29.19"), // basicConstraints
    ObjectIdentifier::new_unwrap("2.5.29.15"), // keyUsage
    ObjectIdentifier::new_unwrap("2.5.29.37"), // extKeyUsage
    ObjectIdentifier::new_unwrap("2.5.29.17"), // subjectAltName
];

pub(super) type Refusal = (Verdict, &'static str);

fn text(certificate: &Certificate, oid: ObjectIdentifier) -> Option<String> {
    let value = certificate.tbs_certificate().subject().by_oid::<DirectoryString>(oid).ok()??;
    Some(value.value().into_owned())
}

pub(super) fn common_name(certificate: &Certificate) -> String {
    text(certificate, const_oid::db::rfc4519::COMMON_NAME).unwrap_or_default()
}

pub(super) fn reader_id(certificate: &Certificate) -> Option<String> {
    text(certificate, USER_ID)
}

pub(super) fn serial(certificate: &Certificate) -> String {
    let bytes = certificate.tbs_certificate().serial_number().as_bytes();
    let significant = bytes.iter().position(|b| *b != 0).and_then(|at| bytes.get(at..)).unwrap_or(&[0]);
    digest::hex(significant)
}

pub(super) fn validity(certificate: &Certificate) -> Option<(Timestamp, Timestamp)> {
    let validity = certificate.tbs_certificate().validity();
    let at = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        Timestamp::from_second(seconds).ok()
    };
    Some((at(validity.not_before)?, at(validity.not_after)?))
}

/// Whether the certificate may sign reports and receipts: digitalSignature and nonRepudiation, no CA, and if its purposes are
/// limited, then to what a document signature is.
pub(super) fn check_signer(certificate: &Certificate) -> Result<(), Refusal> {
    let wrong = |detail| Err((Verdict::WrongSigner, detail));
    let tbs = certificate.tbs_certificate();
    match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) if usage.digital_signature() && usage.non_repudiation() && !usage.key_cert_sign() => {}
        Ok(_) => return wrong("the certificate is not for signing documents (keyUsage)"),
        Err(_) => return Err((Verdict::Malformed, "unreadable keyUsage")),
    }
    match tbs.get_extension::<ExtendedKeyUsage>() {
        Ok(None) => {}
        Ok(Some((_, purposes)))
            if purposes.0.contains(&EMAIL_PROTECTION) || purposes.0.contains(&ANY_EXTENDED_KEY_USAGE) => {}
        Ok(Some(_)) => {
            return wrong("the certificate is not for signing documents (extendedKeyUsage)");
        }
        Err(_) => return Err((Verdict::Malformed, "unreadable extendedKeyUsage")),
    }
    match tbs.get_extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) if constraints.ca => wrong("a CA certificate signs no documents"),
        Ok(_) => Ok(()),
        Err(_) => Err((Verdict::Malformed, "unreadable basicConstraints")),
    }
}

/// Whether every critical extension is understood.
fn critical_extensions_understood(certificate: &Certificate) -> bool {
    let extensions = certificate.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
    extensions.iter().all(|extension| !extension.critical || UNDERSTOOD.contains(&extension.extn_id))
}

/// Whether `issuer` may certify with `below` further CA certificates between it and the signer.
fn may_certify(issuer: &Certificate, below: usize) -> bool {
    let tbs = issuer.tbs_certificate();
    let Ok(Some((_, constraints))) = tbs.get_extension::<BasicConstraints>() else {
        return false;
    };
    let long_enough = constraints.path_len_constraint.is_none_or(|limit| below <= usize::from(limit));
    let signs = matches!(tbs.get_extension::<KeyUsage>(), Ok(Some((_, usage))) if usage.key_cert_sign());
    constraints.ca && long_enough && signs && critical_extensions_understood(issuer)
}

fn signed_by(child: &Certificate, issuer: &Certificate) -> bool {
    let Ok(signed) = child.tbs_certificate().to_der() else {
        return false;
    };
    let Some(signature) = child.signature().as_bytes() else {
        return false;
    };
    child.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        && child.tbs_certificate().signature() == child.signature_algorithm()
        && is_ecdsa_sha256(child.signature_algorithm())
        && ecdsa_verify(issuer.tbs_certificate().subject_public_key_info(), &signed, signature)
}

/// The path from `signer` (first) to a trusted root (last), valid at `signing_time`.
pub(super) fn build(
    signer: &Certificate,
    included: &[Certificate],
    roots: &[Vec<u8>],
    signing_time: Timestamp,
) -> Result<Vec<Certificate>, Refusal> {
    let untrusted = |detail| Err((Verdict::ChainUntrusted, detail));
    if !critical_extensions_understood(signer) {
        return untrusted("an unknown critical extension");
    }
    let mut anchors = Vec::with_capacity(roots.len());
    for root in roots {
        match Certificate::from_der(root) {
            Ok(root) => anchors.push(root),
            Err(_) => return untrusted("a trusted root cannot be read"),
        }
    }
    let mut path = vec![signer.clone()];
    let mut current = signer;
    for below in 0..MAX_DEPTH {
        if is_weak(current.signature_algorithm().oid) {
            return Err((Verdict::AlgoWeak, "a certificate is signed with a weak algorithm"));
        }
        let fits = |issuer: &&Certificate| may_certify(issuer, below) && signed_by(current, issuer);
        if let Some(root) = anchors.iter().find(fits) {
            path.push(root.clone());
            return check_validity(path, signing_time);
        }
        let Some(next) = included.iter().filter(|candidate| !path.contains(candidate)).find(fits) else {
            return untrusted("no path to a trusted root");
        };
        path.push(next.clone());
        current = next;
    }
    untrusted("the path to a root is too long")
}

fn check_validity(path: Vec<Certificate>, signing_time: Timestamp) -> Result<Vec<Certificate>, Refusal> {
    for certificate in &path {
        let Some((not_before, not_after)) = validity(certificate) else {
            return Err((Verdict::Malformed, "unreadable validity"));
        };
        if signing_time < not_before || signing_time > not_after {
            return Err((Verdict::CertExpiredAtSign, "signed outside the validity of a certificate"));
        }
    }
    Ok(path)
}
