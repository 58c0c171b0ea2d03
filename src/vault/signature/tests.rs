//! Signature vectors of the domain reference §14, and hostile input.

mod chains;
mod openssl;

use super::sign::{assemble, sign_unchecked, signed_attributes};
use super::verify::{Expected, Policy};
use super::*;
use crate::vault::ca::CertificateAuthority;
use crate::vault::keys::SigningKey;
use crate::vault::testing::{at, authority, reader, signer};
use der::asn1::SetOfVec;
use der::{Any, Decode as _, Encode as _, Tag};
use proptest::prelude::*;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;

const CONTENT: &[u8] = "{\"所見\":\"右上葉に結節\"}".as_bytes();
const SIGNED_AT: &str = "2026-06-01T09:30:00Z";
const RECEIVED_AT: &str = "2026-06-01T09:31:00Z";

struct Signed {
    ca: CertificateAuthority,
    key: SigningKey,
    certificate: Vec<u8>,
    cms: Vec<u8>,
    roots: Vec<Vec<u8>>,
}

fn signed() -> Signed {
    let (ca, _) = authority();
    let (key, certificate) = signer(&ca);
    let cms = sign_detached(CONTENT, &key, &certificate, &[ca.certificate().to_vec()], at(SIGNED_AT)).unwrap();
    let roots = vec![ca.certificate().to_vec()];
    Signed { ca, key, certificate, cms, roots }
}

impl Signed {
    fn verdict(&self, cms: &[u8]) -> Verdict {
        verify_detached(CONTENT, cms, &self.roots, at(RECEIVED_AT)).verdict
    }

    fn unchecked(&self, certificate: &[u8], time: &str) -> Vec<u8> {
        let certificate = Certificate::from_der(certificate).unwrap();
        sign_unchecked(CONTENT, &self.key, certificate, &[], at(time)).unwrap()
    }
}

#[test]
fn a_good_signature_names_its_signer() {
    let signed = signed();
    let found = verify_detached(CONTENT, &signed.cms, &signed.roots, at(RECEIVED_AT));
    assert_eq!((found.verdict, found.verdict.code(), found.notes.len()), (Verdict::ValidNoTst, "VALID_NO_TST", 0));
    let who = found.signer.unwrap();
    assert_eq!(who.subject_cn, "読影 太郎");
    assert_eq!(who.reader_id.as_deref(), Some("reader-1"));
    assert_eq!(who.signing_time, at(SIGNED_AT));
    assert_eq!(who.certificate, signed.certificate);
    let summary = summarize_certificate(&signed.certificate).unwrap();
    assert_eq!((summary.serial.as_str(), summary.subject_cn.as_str()), (who.serial.as_str(), "読影 太郎"));
    assert_eq!(summary.not_before, at("2026-04-01T00:00:00Z"));
    assert!(summarize_certificate(b"rubbish").is_none());
}

#[test]
fn every_changed_byte_of_the_content_is_modified() {
    let signed = signed();
    for place in 0..CONTENT.len() {
        let mut changed = CONTENT.to_vec();
        changed[place] ^= 1;
        assert_eq!(verify_detached(&changed, &signed.cms, &signed.roots, at(RECEIVED_AT)).verdict, Verdict::Modified);
    }
    for other in [&b""[..], &CONTENT[..CONTENT.len() - 1]] {
        assert_eq!(verify_detached(other, &signed.cms, &signed.roots, at(RECEIVED_AT)).verdict, Verdict::Modified);
    }
}

#[test]
fn raw_r_and_s_is_refused() {
    let signed = signed();
    let certificate = Certificate::from_der(&signed.certificate).unwrap();
    let attributes = signed_attributes(CONTENT, &certificate, at(SIGNED_AT)).unwrap();
    let der_signature = signed.key.sign(&attributes.to_der().unwrap());
    let raw = p256::ecdsa::Signature::from_der(&der_signature).unwrap().to_bytes().to_vec();
    assert_eq!(raw.len(), 64);
    let good = assemble(certificate.clone(), &[], attributes.clone(), der_signature).unwrap();
    assert_eq!(signed.verdict(&good), Verdict::ValidNoTst);
    let bad = assemble(certificate, &[], attributes, raw).unwrap();
    assert_eq!(signed.verdict(&bad), Verdict::Malformed);
}

#[test]
fn changed_attributes_and_foreign_signatures_are_modified() {
    let signed = signed();
    let certificate = Certificate::from_der(&signed.certificate).unwrap();
    let then = signed_attributes(CONTENT, &certificate, at(SIGNED_AT)).unwrap();
    let later = signed_attributes(CONTENT, &certificate, at("2026-06-02T00:00:00Z")).unwrap();
    let signature = signed.key.sign(&then.to_der().unwrap());
    assert_eq!(signed.verdict(&assemble(certificate.clone(), &[], later, signature).unwrap()), Verdict::Modified);
    let stranger = SigningKey::generate().unwrap().sign(&then.to_der().unwrap());
    assert_eq!(signed.verdict(&assemble(certificate.clone(), &[], then.clone(), stranger).unwrap()), Verdict::Modified);
    // Signed in the [0] form that lies in the message instead of the SET OF form: not a signature.
    let mut implicit = then.to_der().unwrap();
    implicit[0] = 0xa0;
    let wrong_form = signed.key.sign(&implicit);
    assert_eq!(signed.verdict(&assemble(certificate, &[], then, wrong_form).unwrap()), Verdict::Modified);
}

#[test]
fn each_signed_attribute_is_there_exactly_once() {
    let signed = signed();
    let certificate = Certificate::from_der(&signed.certificate).unwrap();
    let good: Vec<Attribute> = signed_attributes(CONTENT, &certificate, at(SIGNED_AT)).unwrap().into_vec();
    assert_eq!(good.len(), 4);
    let judge = |attributes: Vec<Attribute>| {
        let attributes = SetOfVec::try_from(attributes).unwrap();
        let signature = signed.key.sign(&attributes.to_der().unwrap());
        signed.verdict(&assemble(certificate.clone(), &[], attributes, signature).unwrap())
    };
    assert_eq!(judge(good.clone()), Verdict::ValidNoTst);
    let other = signed_attributes(b"other content", &certificate, at("2026-06-02T00:00:00Z")).unwrap().into_vec();
    for place in 0..good.len() {
        let mut missing = good.clone();
        missing.remove(place);
        assert_eq!(judge(missing), Verdict::Malformed, "without {}", good[place].oid);
        // The same attribute a second time, with another value where there is one.
        let twin = other.iter().find(|attribute| attribute.oid == good[place].oid).unwrap();
        let doubled = [good.as_slice(), std::slice::from_ref(twin)].concat();
        assert_eq!(judge(doubled), Verdict::Malformed, "twice {}", good[place].oid);
        let mut empty = good.clone();
        empty[place].values = SetOfVec::new();
        assert_eq!(judge(empty), Verdict::Malformed, "no value in {}", good[place].oid);
        let mut rubbish = good.clone();
        rubbish[place].values = SetOfVec::try_from(vec![Any::new(Tag::Null, Vec::new()).unwrap()]).unwrap();
        assert_eq!(judge(rubbish), Verdict::Malformed, "NULL in {}", good[place].oid);
    }
}

#[test]
fn the_certificate_cannot_be_exchanged() {
    let signed = signed();
    let one = signed.certificate.clone();
    // A second certificate for the very same key: the attribute still names the first.
    let mut other = reader();
    other.common_name = "別人 花子".to_owned();
    other.reader_id = Some("reader-2".to_owned());
    let validity = crate::vault::ca::Validity::days(at("2026-04-01T00:00:00Z"), 365);
    let two = signed.ca.issue_signing(&signed.key.csr(&other).unwrap(), &other, validity).unwrap();
    let attributes = signed_attributes(CONTENT, &Certificate::from_der(&one).unwrap(), at(SIGNED_AT)).unwrap();
    let signature = signed.key.sign(&attributes.to_der().unwrap());
    let exchanged = assemble(Certificate::from_der(&two).unwrap(), &[], attributes, signature).unwrap();
    assert_eq!(signed.verdict(&exchanged), Verdict::WrongSigner);
}

#[test]
fn time_is_judged() {
    let signed = signed();
    for outside in ["2026-03-31T23:59:59Z", "2027-04-01T00:00:01Z"] {
        let cms = signed.unchecked(&signed.certificate, outside);
        assert_eq!(
            verify_detached(CONTENT, &cms, &signed.roots, at("2028-01-01T00:00:00Z")).verdict,
            Verdict::CertExpiredAtSign
        );
        let refused = sign_detached(CONTENT, &signed.key, &signed.certificate, &[], at(outside));
        assert!(matches!(refused, Err(SignError::OutsideValidity)));
    }
    for (received, verdict) in [
        ("2026-06-01T08:30:00Z", Verdict::ValidNoTst),
        ("2026-06-01T08:29:59Z", Verdict::TimeImplausible),
        ("2027-03-31T00:00:00Z", Verdict::ValidNoTst),
    ] {
        assert_eq!(verify_detached(CONTENT, &signed.cms, &signed.roots, at(received)).verdict, verdict, "{received}");
    }
    let late = verify_detached(CONTENT, &signed.cms, &signed.roots, at("2030-01-01T00:00:00Z"));
    assert_eq!(late.verdict, Verdict::ValidNoTst);
    assert_eq!(late.notes, [Note::CertExpiredSince { at: at("2027-04-01T00:00:00Z") }]);
}

#[test]
fn a_root_that_had_run_out_certifies_nothing() {
    let short =
        crate::vault::ca::Validity { not_before: at("2020-01-01T00:00:00Z"), not_after: at("2026-05-31T00:00:00Z") };
    let ca = CertificateAuthority::create("試験読影センター", short).unwrap();
    let (key, certificate) = signer(&ca);
    let roots = [ca.certificate().to_vec()];
    for (time, verdict) in [("2026-05-30T00:00:00Z", Verdict::ValidNoTst), (SIGNED_AT, Verdict::CertExpiredAtSign)] {
        let cms = sign_detached(CONTENT, &key, &certificate, &[], at(time)).unwrap();
        assert_eq!(verify_detached(CONTENT, &cms, &roots, at(RECEIVED_AT)).verdict, verdict, "{time}");
    }
}

#[test]
fn revocation_before_and_after() {
    let signed = signed();
    let serial = summarize_certificate(&signed.certificate).unwrap().serial;
    let judge = |revoked: &[Revoked]| {
        let policy = Policy { roots: &signed.roots, revoked, at: at(RECEIVED_AT), expected: Expected::Anyone };
        policy.verify(CONTENT, &signed.cms)
    };
    let before = Revoked { serial: serial.to_uppercase(), at: at("2026-06-01T09:30:30Z") };
    let after = Revoked { serial, at: at("2026-06-01T09:31:01Z") };
    let unrelated = Revoked { serial: "1234".to_owned(), at: at("2026-05-01T00:00:00Z") };
    assert_eq!(judge(std::slice::from_ref(&before)).verdict, Verdict::CertRevoked);
    assert_eq!(judge(std::slice::from_ref(&unrelated)).verdict, Verdict::ValidNoTst);
    let noted = judge(std::slice::from_ref(&after));
    assert_eq!(
        (noted.verdict, noted.notes.as_slice()),
        (Verdict::ValidNoTst, &[Note::RevokedLater { at: after.at }][..])
    );
    assert_eq!(judge(&[after, before]).verdict, Verdict::CertRevoked);
}

#[test]
fn only_the_expected_signer() {
    let signed = signed();
    let judge = |expected, cms: &[u8]| {
        Policy { roots: &signed.roots, revoked: &[], at: at(RECEIVED_AT), expected }.verify(CONTENT, cms).verdict
    };
    assert_eq!(judge(Expected::Reader("reader-1"), &signed.cms), Verdict::ValidNoTst);
    assert_eq!(judge(Expected::Reader("reader-2"), &signed.cms), Verdict::WrongSigner);
    assert_eq!(judge(Expected::Center, &signed.cms), Verdict::WrongSigner);
}

#[test]
fn receipts_are_the_centers() {
    let (ca, validity) = authority();
    let receipt = ca.issue_receipt("試験読影センター", validity).unwrap();
    let cms = sign_detached(CONTENT, &receipt.key, &receipt.certificate, &[], at(SIGNED_AT)).unwrap();
    let roots = [ca.certificate().to_vec()];
    let judge = |expected| Policy { roots: &roots, revoked: &[], at: at(RECEIVED_AT), expected }.verify(CONTENT, &cms);
    assert_eq!(judge(Expected::Center).verdict, Verdict::ValidNoTst);
    assert_eq!(judge(Expected::Reader("reader-1")).verdict, Verdict::WrongSigner);
    assert_eq!(judge(Expected::Center).signer.unwrap().reader_id, None);
}

#[test]
fn a_tls_certificate_signs_no_report() {
    let (ca, validity) = authority();
    let server = ca.issue_server(&["localhost".to_owned()], validity).unwrap();
    let refused = sign_detached(CONTENT, &server.key, &server.certificate, &[], at(SIGNED_AT));
    assert!(matches!(refused, Err(SignError::NotForSigning)));
    let certificate = Certificate::from_der(&server.certificate).unwrap();
    let cms = sign_unchecked(CONTENT, &server.key, certificate, &[], at(SIGNED_AT)).unwrap();
    let found = verify_detached(CONTENT, &cms, &[ca.certificate().to_vec()], at(RECEIVED_AT));
    assert_eq!(found.verdict, Verdict::WrongSigner);
    let root = Certificate::from_der(ca.certificate()).unwrap();
    let cms = sign_unchecked(CONTENT, ca.key(), root, &[], at(SIGNED_AT)).unwrap();
    assert_eq!(
        verify_detached(CONTENT, &cms, &[ca.certificate().to_vec()], at(RECEIVED_AT)).verdict,
        Verdict::WrongSigner
    );
}

#[test]
fn key_and_certificate_must_fit() {
    let signed = signed();
    let other = SigningKey::generate().unwrap();
    let result = sign_detached(CONTENT, &other, &signed.certificate, &[], at(SIGNED_AT));
    assert!(matches!(result, Err(SignError::KeyMismatch)));
    let result = sign_detached(CONTENT, &other, b"rubbish", &[], at(SIGNED_AT));
    assert!(matches!(result, Err(SignError::BadCertificate)));
    let result = sign_detached(CONTENT, &signed.key, &signed.certificate, &[b"rubbish".to_vec()], at(SIGNED_AT));
    assert!(matches!(result, Err(SignError::BadCertificate)));
}

#[test]
fn strangers_are_untrusted() {
    let signed = signed();
    let (stranger, _) = authority();
    let verdict = |roots: &[Vec<u8>]| verify_detached(CONTENT, &signed.cms, roots, at(RECEIVED_AT)).verdict;
    assert_eq!(verdict(&[]), Verdict::ChainUntrusted);
    assert_eq!(verdict(&[stranger.certificate().to_vec()]), Verdict::ChainUntrusted);
    assert_eq!(verdict(&[b"rubbish".to_vec()]), Verdict::ChainUntrusted);
    assert_eq!(verdict(&[stranger.certificate().to_vec(), signed.roots[0].clone()]), Verdict::ValidNoTst);
    // The signer's own certificate as "root" certifies nothing, not even itself.
    assert_eq!(verdict(std::slice::from_ref(&signed.certificate)), Verdict::ChainUntrusted);
}

#[test]
fn cut_and_altered_signatures_never_pass_for_another() {
    let signed = signed();
    let good = verify_detached(CONTENT, &signed.cms, &signed.roots, at(RECEIVED_AT)).signer;
    for cut in 0..signed.cms.len() {
        assert_eq!(signed.verdict(&signed.cms[..cut]), Verdict::Malformed, "cut at {cut}");
    }
    let mut longer = signed.cms.clone();
    longer.push(0);
    assert_eq!(signed.verdict(&longer), Verdict::Malformed);
    for place in 0..signed.cms.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut altered = signed.cms.clone();
            altered[place] ^= change;
            let found = verify_detached(CONTENT, &altered, &signed.roots, at(RECEIVED_AT));
            // Some bytes are not signed (version number, the root's copy); a valid verdict must still name the same signer.
            assert!(!found.verdict.is_valid() || found.signer == good, "byte {place}");
        }
    }
    assert_eq!(signed.verdict(&vec![0x30; MAX_CMS_BYTES + 1]), Verdict::Malformed);
    assert_eq!(signed.verdict(&signed.certificate), Verdict::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_never_a_signature(bytes in proptest::collection::vec(any::<u8>(), 0..600), root in proptest::collection::vec(any::<u8>(), 0..300)) {
        let found = verify_detached(CONTENT, &bytes, std::slice::from_ref(&root), at(RECEIVED_AT));
        prop_assert_eq!(found.verdict, Verdict::Malformed);
        prop_assert!(summarize_certificate(&bytes).is_none());
    }
}
