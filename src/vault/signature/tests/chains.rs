//! Paths through intermediate certificates.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyUsagePurpose};

/// A CA or end certificate made by hand, signed by `issuer`.
fn certificate(
    name: &str,
    is_ca: IsCa,
    usages: &[KeyUsagePurpose],
    key: &SigningKey,
    issuer: Option<(&[u8], &SigningKey)>,
) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = is_ca;
    params.key_usages = usages.to_vec();
    let made = match issuer {
        None => params.self_signed(key),
        Some((certificate, issuer_key)) => {
            let certificate = rustls::pki_types::CertificateDer::from(certificate.to_vec());
            params.signed_by(key, &Issuer::from_ca_cert_der(&certificate, issuer_key).unwrap())
        }
    };
    made.unwrap().der().to_vec()
}

#[test]
fn intermediates_must_be_allowed_to_certify() {
    let sign_usage = [KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    let ca_usage = [KeyUsagePurpose::KeyCertSign];
    let unlimited = IsCa::Ca(BasicConstraints::Unconstrained);
    let keys: Vec<SigningKey> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
    let judge = |root_is: IsCa, middle_is: IsCa, middle_usage: &[KeyUsagePurpose]| {
        let root = certificate("root", root_is, &ca_usage, &keys[0], None);
        let middle = certificate("middle", middle_is, middle_usage, &keys[1], Some((&root, &keys[0])));
        let end = certificate("end", IsCa::ExplicitNoCa, &sign_usage, &keys[2], Some((&middle, &keys[1])));
        let cms = sign_detached(CONTENT, &keys[2], &end, std::slice::from_ref(&middle), at(SIGNED_AT)).unwrap();
        let with = verify_detached(CONTENT, &cms, std::slice::from_ref(&root), at(RECEIVED_AT)).verdict;
        let cms = sign_detached(CONTENT, &keys[2], &end, &[], at(SIGNED_AT)).unwrap();
        assert_eq!(
            verify_detached(CONTENT, &cms, &[root], at(RECEIVED_AT)).verdict,
            Verdict::ChainUntrusted,
            "without the middle"
        );
        with
    };
    assert_eq!(judge(unlimited, unlimited, &ca_usage), Verdict::ValidNoTst);
    assert_eq!(judge(IsCa::Ca(BasicConstraints::Constrained(1)), unlimited, &ca_usage), Verdict::ValidNoTst);
    assert_eq!(judge(IsCa::Ca(BasicConstraints::Constrained(0)), unlimited, &ca_usage), Verdict::ChainUntrusted);
    assert_eq!(judge(unlimited, IsCa::ExplicitNoCa, &ca_usage), Verdict::ChainUntrusted);
    assert_eq!(judge(unlimited, IsCa::NoCa, &sign_usage), Verdict::ChainUntrusted);
    assert_eq!(judge(unlimited, IsCa::Ca(BasicConstraints::Unconstrained), &sign_usage), Verdict::ChainUntrusted);
}
