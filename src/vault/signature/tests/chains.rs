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

#[test]
fn an_unknown_critical_extension_is_not_overlooked() {
    let keys: Vec<SigningKey> = (0..2).map(|_| SigningKey::generate().unwrap()).collect();
    let judge = |critical_root: Option<bool>, critical_end: Option<bool>| {
        let extend = |params: &mut CertificateParams, critical: Option<bool>| {
            if let Some(critical) = critical {
                let mut extension =
                    rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![0x05, 0x00]);
                extension.set_criticality(critical);
                params.custom_extensions.push(extension);
            }
        };
        let mut root = CertificateParams::default();
        root.distinguished_name.push(rcgen::DnType::CommonName, "root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        extend(&mut root, critical_root);
        let root_der = root.self_signed(&keys[0]).unwrap().der().to_vec();
        let mut end = CertificateParams::default();
        end.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
        extend(&mut end, critical_end);
        let end = end.signed_by(&keys[1], &Issuer::from_params(&root, &keys[0])).unwrap().der().to_vec();
        let cms = sign_detached(CONTENT, &keys[1], &end, &[], at(SIGNED_AT)).unwrap();
        verify_detached(CONTENT, &cms, &[root_der], at(RECEIVED_AT)).verdict
    };
    assert_eq!(judge(None, None), Verdict::ValidNoTst);
    assert_eq!(judge(Some(false), Some(false)), Verdict::ValidNoTst);
    assert_eq!(judge(Some(true), None), Verdict::ChainUntrusted);
    assert_eq!(judge(None, Some(true)), Verdict::ChainUntrusted);
}

#[test]
fn a_root_of_the_same_name_with_another_key_is_a_stranger() {
    let keys: Vec<SigningKey> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
    let root_is = IsCa::Ca(BasicConstraints::Unconstrained);
    let usage = [KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    let genuine = certificate("root", root_is, &[KeyUsagePurpose::KeyCertSign], &keys[0], None);
    let impostor = certificate("root", root_is, &[KeyUsagePurpose::KeyCertSign], &keys[1], None);
    let end = certificate("end", IsCa::ExplicitNoCa, &usage, &keys[2], Some((&impostor, &keys[1])));
    let cms = sign_detached(CONTENT, &keys[2], &end, std::slice::from_ref(&impostor), at(SIGNED_AT)).unwrap();
    let verdict = |root: &Vec<u8>| verify_detached(CONTENT, &cms, std::slice::from_ref(root), at(RECEIVED_AT)).verdict;
    assert_eq!(verdict(&genuine), Verdict::ChainUntrusted);
    assert_eq!(verdict(&impostor), Verdict::ValidNoTst);
}

#[test]
fn a_twin_with_the_same_issuer_and_serial_is_told_by_its_hash() {
    let keys: Vec<SigningKey> = (0..2).map(|_| SigningKey::generate().unwrap()).collect();
    let root_is = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = certificate("root", root_is, &[KeyUsagePurpose::KeyCertSign], &keys[0], None);
    let issuer = rustls::pki_types::CertificateDer::from(root.clone());
    let issuer = Issuer::from_ca_cert_der(&issuer, &keys[0]).unwrap();
    let twin = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7, 7]));
        Certificate::from_der(params.signed_by(&keys[1], &issuer).unwrap().der()).unwrap()
    };
    let (one, two) = (twin("one"), twin("two"));
    let attributes = signed_attributes(CONTENT, &one, at(SIGNED_AT)).unwrap();
    let signature = keys[1].sign(&attributes.to_der().unwrap());
    let judge = |certificate: Certificate| {
        let cms = assemble(certificate, &[], attributes.clone(), signature.clone()).unwrap();
        verify_detached(CONTENT, &cms, std::slice::from_ref(&root), at(RECEIVED_AT)).verdict
    };
    assert_eq!(judge(one), Verdict::ValidNoTst);
    assert_eq!(judge(two), Verdict::WrongSigner);
}
