//! Judging a detached signature.

use super::chain::{self, Refusal};
use super::ess::{self, Named};
use super::{
    ATTR_CONTENT_TYPE, ATTR_MESSAGE_DIGEST, ATTR_SIGNING_CERTIFICATE_V2, ATTR_SIGNING_TIME, ECDSA_WITH_SHA256, ID_DATA,
    ID_SIGNED_DATA, MAX_CMS_BYTES, Note, Revoked, SHA256, SignerInfo, Verdict, Verification, ecdsa_verify, is_p256,
};
use crate::vault::digest;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedAttributes, SignedData, SignerIdentifier};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode as _, Encode as _};
use jiff::{SignedDuration, Timestamp};
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::time::Time;

/// A signer's clock may be ahead by this much (beyond it the workstation refuses to sign, domain reference §14).
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(1);
const MAX_CERTIFICATES: usize = 16;

/// Who must have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// Anyone whom the roots certify for signing.
    Anyone,
    /// The reader with this id.
    Reader(&'a str),
    /// The center itself (a certificate that names no reader): receipts.
    Center,
}

/// Against what a signature is judged.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Trusted root certificates, DER.
    pub roots: &'a [Vec<u8>],
    /// Withdrawn certificates.
    pub revoked: &'a [Revoked],
    /// The earliest moment at which the signature is *known* to have existed: when the center received it, or now. Without a
    /// time stamp the signer's own time proves nothing about a revoked key, so revocation is judged at this moment.
    pub at: Timestamp,
    /// Who must have signed.
    pub expected: Expected<'a>,
}

/// Judges `cms_der` as a signature over `content` by anyone certified under `roots`, known to exist at `at`; no revocations.
/// [`Policy::verify`] takes a list of revocations and the expected signer.
pub fn verify_detached(content: &[u8], cms_der: &[u8], roots: &[Vec<u8>], at: Timestamp) -> Verification {
    Policy { roots, revoked: &[], at, expected: Expected::Anyone }.verify(content, cms_der)
}

impl Policy<'_> {
    /// Judges `cms_der` as a detached signature over `content`.
    pub fn verify(&self, content: &[u8], cms_der: &[u8]) -> Verification {
        let mut signer = None;
        let mut notes = Vec::new();
        let (verdict, detail) = match self.judge(content, cms_der, &mut signer, &mut notes) {
            Ok(()) => (Verdict::ValidNoTst, "intact and trusted; the signing time is the signer's own"),
            Err(refusal) => refusal,
        };
        Verification { verdict, detail, signer, notes }
    }

    fn judge(
        &self,
        content: &[u8],
        cms_der: &[u8],
        claimed: &mut Option<SignerInfo>,
        notes: &mut Vec<Note>,
    ) -> Result<(), Refusal> {
        let signed = parse(cms_der)?;
        let [info] = signed.signer_infos.0.as_slice() else {
            return malformed("not exactly one signer");
        };
        let included = certificates(&signed)?;
        let signer =
            find_signer(&included, &info.sid).ok_or((Verdict::Malformed, "the signer's certificate is missing"))?;
        let attributes = info.signed_attrs.as_ref().ok_or((Verdict::Malformed, "no signed attributes"))?;
        let signing_time = signing_time(attributes)?;
        *claimed = Some(SignerInfo {
            subject_cn: chain::common_name(signer),
            serial: chain::serial(signer),
            reader_id: chain::reader_id(signer),
            certificate: signer.to_der().map_err(|_| (Verdict::Malformed, "unreadable certificate"))?,
            signing_time,
        });

        check_algorithms(info.digest_alg.oid, info.signature_algorithm.oid)?;
        if !is_p256(signer.tbs_certificate().subject_public_key_info()) {
            return Err((Verdict::AlgoUnsupported, "the signer's key is not P-256"));
        }
        check_content(content, attributes)?;
        check_signature(signer, attributes, info.signature.as_bytes())?;
        match ess::names(only(attributes, ATTR_SIGNING_CERTIFICATE_V2)?, signer) {
            Named::This => {}
            Named::Another => {
                return Err((Verdict::WrongSigner, "the signature names another certificate"));
            }
            Named::OtherHash => {
                return Err((Verdict::AlgoUnsupported, "the certificate is named by another hash than SHA-256"));
            }
            Named::Unreadable => return malformed("unreadable signing-certificate-v2"),
        }
        chain::check_signer(signer)?;
        let path = chain::build(signer, &included, self.roots, signing_time)?;
        if signing_time.duration_since(self.at) > CLOCK_TOLERANCE {
            return Err((Verdict::TimeImplausible, "the claimed signing time lies in the future"));
        }
        self.check_revocation(&path, notes)?;
        self.check_expected(chain::reader_id(signer).as_deref())?;
        if let Some((_, not_after)) = chain::validity(signer)
            && not_after < self.at
        {
            notes.push(Note::CertExpiredSince { at: not_after });
        }
        Ok(())
    }

    fn check_revocation(&self, path: &[Certificate], notes: &mut Vec<Note>) -> Result<(), Refusal> {
        for serial in path.iter().map(chain::serial) {
            for entry in self.revoked.iter().filter(|entry| entry.serial.eq_ignore_ascii_case(&serial)) {
                if entry.at <= self.at {
                    return Err((Verdict::CertRevoked, "revoked before the signature was known to exist"));
                }
                notes.push(Note::RevokedLater { at: entry.at });
            }
        }
        Ok(())
    }

    fn check_expected(&self, reader_id: Option<&str>) -> Result<(), Refusal> {
        match self.expected {
            Expected::Anyone => Ok(()),
            Expected::Reader(id) if reader_id == Some(id) => Ok(()),
            Expected::Reader(_) => Err((Verdict::WrongSigner, "signed by another than the expected reader")),
            Expected::Center if reader_id.is_none() => Ok(()),
            Expected::Center => Err((Verdict::WrongSigner, "signed by a reader, not by the center")),
        }
    }
}

fn malformed<T>(detail: &'static str) -> Result<T, Refusal> {
    Err((Verdict::Malformed, detail))
}

fn parse(cms_der: &[u8]) -> Result<SignedData, Refusal> {
    if cms_der.len() > MAX_CMS_BYTES {
        return malformed("larger than any signature of this kind");
    }
    let Ok(outer) = ContentInfo::from_der(cms_der) else {
        return malformed("not CMS in DER");
    };
    if outer.content_type != ID_SIGNED_DATA {
        return malformed("not SignedData");
    }
    let Ok(signed) = outer.content.decode_as::<SignedData>() else {
        return malformed("unreadable SignedData");
    };
    if signed.encap_content_info.econtent.is_some() {
        return malformed("not a detached signature");
    }
    if signed.encap_content_info.econtent_type != ID_DATA {
        return malformed("signs another type of content");
    }
    Ok(signed)
}

fn certificates(signed: &SignedData) -> Result<Vec<Certificate>, Refusal> {
    let choices = signed.certificates.as_ref().map(|set| set.0.as_slice()).unwrap_or_default();
    if choices.len() > MAX_CERTIFICATES {
        return malformed("too many certificates");
    }
    let plain = |choice: &CertificateChoices| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
        CertificateChoices::Other(_) => None,
    };
    Ok(choices.iter().filter_map(plain).collect())
}

fn find_signer<'a>(included: &'a [Certificate], sid: &SignerIdentifier) -> Option<&'a Certificate> {
    included.iter().find(|certificate| {
        let tbs = certificate.tbs_certificate();
        match sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                *tbs.issuer() == named.issuer && *tbs.serial_number() == named.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                matches!(tbs.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *named)
            }
        }
    })
}

/// The one value of an attribute that must be there exactly once (RFC 5652 §11).
fn only(attributes: &SignedAttributes, oid: ObjectIdentifier) -> Result<&Any, Refusal> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
    match (found.next().map(|attribute| attribute.values.as_slice()), found.next()) {
        (Some([value]), None) => Ok(value),
        _ => malformed("a signed attribute is missing or doubled"),
    }
}

fn signing_time(attributes: &SignedAttributes) -> Result<Timestamp, Refusal> {
    let refusal = (Verdict::Malformed, "unreadable signing time");
    let time = only(attributes, ATTR_SIGNING_TIME)?.decode_as::<Time>().map_err(|_| refusal)?;
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| refusal)?;
    Timestamp::from_second(seconds).map_err(|_| refusal)
}

/// MD2, MD4, MD5 and SHA-1, alone or with RSA, DSA or ECDSA.
pub(super) fn is_weak(oid: ObjectIdentifier) -> bool {
    const WEAK: [&str; 11] = [
        "1.2.840.113549.2.2",
        "1.2.840.113549.2.4",
        "1.2.840.113549.2.5",
        "1.3.14.3.2.26",
        "1.3.14.3.2.29",
        "1.2.840.113549.1.1.2",
        "1.2.840.113549.1.1.3",
        "1.2.840.113549.1.1.4",
        "1.2.840.113549.1.1.5",
        "1.2.840.10040.4.3",
        "1.2.840.10045.4.1",
    ];
    WEAK.iter().any(|weak| ObjectIdentifier::new_unwrap(weak) == oid)
}

fn check_algorithms(digest_alg: ObjectIdentifier, signature_alg: ObjectIdentifier) -> Result<(), Refusal> {
    if is_weak(digest_alg) || is_weak(signature_alg) {
        return Err((Verdict::AlgoWeak, "a weak algorithm"));
    }
    if digest_alg != SHA256 {
        return Err((Verdict::AlgoUnsupported, "another hash than SHA-256"));
    }
    if signature_alg != ECDSA_WITH_SHA256 {
        return Err((
            Verdict::AlgoUnsupported,
            "another signature algorithm than ECDSA with SHA-256 (RSA is not supported)",
        ));
    }
    Ok(())
}

fn check_content(content: &[u8], attributes: &SignedAttributes) -> Result<(), Refusal> {
    match only(attributes, ATTR_CONTENT_TYPE)?.decode_as::<ObjectIdentifier>() {
        Ok(ID_DATA) => {}
        _ => return malformed("signs another type of content"),
    }
    let Ok(named) = only(attributes, ATTR_MESSAGE_DIGEST)?.decode_as::<OctetString>() else {
        return malformed("unreadable message digest");
    };
    if named.as_bytes() == digest::sha256(content) {
        Ok(())
    } else {
        Err((Verdict::Modified, "the content is not what was signed"))
    }
}

fn check_signature(signer: &Certificate, attributes: &SignedAttributes, signature: &[u8]) -> Result<(), Refusal> {
    // Raw r‖s (JOSE, PKCS#11) is not a CMS signature value, whatever it would verify to.
    if p256::ecdsa::DerSignature::from_bytes(signature).is_err() {
        return malformed("the signature value is not DER (r, s)");
    }
    let signed = attributes.to_der().map_err(|_| (Verdict::Malformed, "unreadable signed attributes"))?;
    if ecdsa_verify(signer.tbs_certificate().subject_public_key_info(), &signed, signature) {
        Ok(())
    } else {
        Err((Verdict::Modified, "the signature does not fit its certificate and attributes"))
    }
}
