//! Requests, issued certificates and stored authorities, with OpenSSL as the second opinion.

use super::*;
use crate::vault::testing::{always, at, authority, openssl, reader, signer};

#[test]
fn a_request_must_be_signed_with_its_own_key() {
    let (ca, validity) = authority();
    let key = SigningKey::generate().unwrap();
    let request = key.csr(&reader()).unwrap();
    assert!(ca.issue_signing(&request, &reader(), validity).is_ok());
    let mut accepted = 0;
    for place in 0..request.len() {
        let mut bad = request.clone();
        bad[place] ^= 1;
        accepted += usize::from(ca.issue_signing(&bad, &reader(), validity).is_ok());
        assert!(ca.issue_signing(&request[..place], &reader(), validity).is_err(), "cut at {place}");
    }
    assert_eq!(accepted, 0, "altered requests were certified");
    assert!(matches!(ca.issue_signing(&vec![0; 20_000], &reader(), validity), Err(CaError::MalformedRequest)));
}

#[test]
fn the_request_decides_nothing_but_the_key() {
    let (ca, validity) = authority();
    let key = SigningKey::generate().unwrap();
    let mut boast = reader();
    boast.common_name = "院長".to_owned();
    boast.reader_id = Some("admin".to_owned());
    let certificate = ca.issue_signing(&key.csr(&boast).unwrap(), &reader(), validity).unwrap();
    let summary = crate::vault::signature::summarize_certificate(&certificate).unwrap();
    assert_eq!((summary.subject_cn.as_str(), summary.reader_id.as_deref()), ("読影 太郎", Some("reader-1")));
    let mut forger = reader();
    forger.common_name = "読影 太郎\u{8}\u{8}花子".to_owned();
    let request = key.csr(&boast).unwrap();
    assert!(matches!(ca.issue_signing(&request, &forger, validity), Err(CaError::IncompleteSubject)));
    let mut nobody = reader();
    nobody.reader_id = None;
    assert!(matches!(ca.issue_signing(&key.csr(&boast).unwrap(), &nobody, validity), Err(CaError::IncompleteSubject)));
}

#[test]
fn other_keys_are_not_certified() {
    let (ca, validity) = authority();
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [&["rsa:2048"][..], &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], &["ed25519"]] {
        let mut arguments = vec![
            "req", "-new", "-nodes", "-keyout", "k", "-outform", "DER", "-out", "r.der", "-subj", "/CN=x", "-newkey",
        ];
        arguments.extend_from_slice(algorithm);
        let (made, said) = openssl(folder.path(), &arguments);
        assert!(made, "{said}");
        let request = std::fs::read(folder.path().join("r.der")).unwrap();
        assert!(
            matches!(ca.issue_signing(&request, &reader(), validity), Err(CaError::UnsupportedKey)),
            "{algorithm:?}"
        );
    }
}

#[test]
fn openssl_reads_request_and_certificates_as_meant() {
    let folder = tempfile::tempdir().unwrap();
    let ca = CertificateAuthority::create("試験読影センター", always()).unwrap();
    let key = SigningKey::generate().unwrap();
    let certificate = ca.issue_signing(&key.csr(&reader()).unwrap(), &reader(), always()).unwrap();
    let server =
        ca.issue_server(&["Center.example".to_owned(), "192.0.2.7".to_owned(), "::1".to_owned()], always()).unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("r.pem", key.csr_pem(&reader()).unwrap());
    write("ca.pem", ca.certificate_pem());
    write("s.pem", pem("CERTIFICATE", &certificate));
    write("t.pem", pem("CERTIFICATE", &server.certificate));
    let run = |arguments: &[&str]| {
        let (good, said) = openssl(folder.path(), arguments);
        assert!(good, "{arguments:?}: {said}");
        said
    };
    assert!(run(&["req", "-verify", "-noout", "-in", "r.pem"]).to_lowercase().contains("ok"));
    run(&["verify", "-x509_strict", "-purpose", "smimesign", "-CAfile", "ca.pem", "s.pem"]);
    run(&[
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "center.example",
        "-CAfile",
        "ca.pem",
        "t.pem",
    ]);
    run(&["verify", "-purpose", "sslserver", "-verify_ip", "192.0.2.7", "-CAfile", "ca.pem", "t.pem"]);
    let (wrong, _) = openssl(folder.path(), &["verify", "-purpose", "sslserver", "-CAfile", "ca.pem", "s.pem"]);
    assert!(!wrong, "a signing certificate serves no TLS");
    let text = run(&["x509", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus", "-in", "s.pem"]);
    for part in [
        "CN=読影 太郎",
        "UID=reader-1",
        "Digital Signature, Non Repudiation",
        "ASN1 OID: prime256v1",
        "ecdsa-with-SHA256",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(run(&["x509", "-noout", "-text", "-in", "ca.pem"]).contains("CA:TRUE, pathlen:0"));
}

#[test]
fn the_authority_survives_storage_and_refuses_a_foreign_key() {
    let (ca, validity) = authority();
    let stored = ca.key().to_pkcs8_der().unwrap();
    let again =
        CertificateAuthority::from_parts(ca.certificate().to_vec(), SigningKey::from_pkcs8_der(&stored).unwrap())
            .unwrap();
    assert!(again.issue_receipt("試験", validity).is_ok());
    let foreign = CertificateAuthority::from_parts(ca.certificate().to_vec(), SigningKey::generate().unwrap());
    assert!(matches!(foreign, Err(CaError::WrongCaKey)));
    let (key, certificate) = signer(&ca);
    assert!(matches!(CertificateAuthority::from_parts(certificate, key), Err(CaError::WrongCaKey)));
    let key = SigningKey::generate().unwrap();
    assert!(matches!(CertificateAuthority::from_parts(b"rubbish".to_vec(), key), Err(CaError::WrongCaKey)));
    // Two roots of one name are told apart.
    let (other, _) = authority();
    let name = |ca: &CertificateAuthority| crate::vault::signature::summarize_certificate(ca.certificate()).unwrap();
    assert_ne!(name(&ca).subject_cn, name(&other).subject_cn);
    assert_ne!(name(&ca).serial, name(&other).serial);
}

#[test]
fn validity_and_names_are_checked() {
    let (ca, validity) = authority();
    let backwards = Validity { not_before: validity.not_after, not_after: validity.not_before };
    assert!(matches!(ca.issue_receipt("c", backwards), Err(CaError::BadValidity)));
    let before_1970 = Validity { not_before: at("1969-12-31T23:59:59Z"), ..validity };
    assert!(matches!(ca.issue_receipt("c", before_1970), Err(CaError::BadValidity)));
    assert_eq!(Validity::days(at("2026-01-01T00:00:00Z"), 2).not_after, at("2026-01-03T00:00:00Z"));
    let capped = Validity::days(Timestamp::MAX, u32::MAX);
    assert_eq!(capped.not_after, Timestamp::MAX);
    for bad in ["", "a b", "ホスト", "-a", "a..b", "*.example"] {
        assert!(matches!(ca.issue_server(&[bad.to_owned()], validity), Err(CaError::BadName(_))), "{bad}");
    }
    assert!(matches!(ca.issue_server(&[], validity), Err(CaError::IncompleteSubject)));
}

#[test]
fn pem_round_trip() {
    let (ca, _) = authority();
    let (_, certificate) = signer(&ca);
    let text = ca.certificate_pem() + &pem("CERTIFICATE", &certificate);
    assert_eq!(certificates_from_pem(&text).unwrap(), [ca.certificate().to_vec(), certificate]);
    assert!(text.lines().all(|line| line.len() <= 64));
    assert!(certificates_from_pem("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n").is_err());
}
