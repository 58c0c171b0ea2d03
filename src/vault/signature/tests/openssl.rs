//! OpenSSL as the second opinion, in both directions.

use super::*;
use crate::vault::ca::pem;
use crate::vault::testing::{always, openssl};
use std::fs;

/// Files for OpenSSL: content, signer certificate and key, root.
fn openssl_folder() -> (tempfile::TempDir, CertificateAuthority, SigningKey, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let ca = CertificateAuthority::create("試験読影センター", always()).unwrap();
    let key = SigningKey::generate().unwrap();
    let certificate = ca.issue_signing(&key.csr(&reader()).unwrap(), &reader(), always()).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("report.json", CONTENT);
    write("other.json", b"something else");
    write("ca.pem", ca.certificate_pem().as_bytes());
    write("signer.pem", pem("CERTIFICATE", &certificate).as_bytes());
    write("key.pem", pem("PRIVATE KEY", &key.to_pkcs8_der().unwrap()).as_bytes());
    (folder, ca, key, certificate)
}

#[test]
fn openssl_accepts_what_we_sign_and_refuses_what_was_changed() {
    let (folder, ca, key, certificate) = openssl_folder();
    let (stranger, _) = authority();
    fs::write(folder.path().join("stranger.pem"), stranger.certificate_pem()).unwrap();
    for (chain, time) in
        [(vec![], SIGNED_AT), (vec![ca.certificate().to_vec()], SIGNED_AT), (vec![], "2051-02-03T04:05:06Z")]
    {
        let cms = sign_detached(CONTENT, &key, &certificate, &chain, at(time)).unwrap();
        fs::write(folder.path().join("report.p7s"), &cms).unwrap();
        let verify = |content: &str, ca_file: &str| {
            let arguments = [
                "cms",
                "-verify",
                "-inform",
                "DER",
                "-binary",
                "-in",
                "report.p7s",
                "-content",
                content,
                "-CAfile",
                ca_file,
            ];
            openssl(folder.path(), &arguments)
        };
        let (good, said) = verify("report.json", "ca.pem");
        assert!(good && said.contains("successful"), "{said}");
        assert!(!verify("other.json", "ca.pem").0);
        assert!(!verify("report.json", "stranger.pem").0);
        let (_, printed) =
            openssl(folder.path(), &["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "report.p7s"]);
        for part in
            ["id-smime-aa-signingCertificateV2", "signingTime", "messageDigest", "contentType", "ecdsa-with-SHA256"]
        {
            assert!(printed.contains(part), "{part} is missing in {printed}");
        }
        let found = verify_detached(CONTENT, &cms, &[ca.certificate().to_vec()], at(time));
        assert_eq!(found.verdict, Verdict::ValidNoTst, "{}", found.detail);
        assert_eq!(found.signer.unwrap().signing_time, at(time));
    }
}

#[test]
fn what_openssl_signs_is_judged_alike() {
    let (folder, ca, _, _) = openssl_folder();
    let run = |arguments: &[&str]| {
        let (good, said) = openssl(folder.path(), arguments);
        assert!(good, "{arguments:?}: {said}");
    };
    run(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key", "-out", "rsa.pem", "-subj", "/CN=rsa",
        "-days", "1",
    ]);
    run(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-384",
        "-nodes",
        "-keyout",
        "p384.key",
        "-out",
        "p384.pem",
        "-subj",
        "/CN=p384",
    ]);
    let sign = |extra: &[&str]| {
        let mut arguments =
            vec!["cms", "-sign", "-binary", "-in", "report.json", "-outform", "DER", "-out", "made.p7s"];
        arguments.extend_from_slice(extra);
        run(&arguments);
        let cms = fs::read(folder.path().join("made.p7s")).unwrap();
        // Far in the future: OpenSSL signs with the machine's clock, which must not matter here.
        let found = verify_detached(CONTENT, &cms, &[ca.certificate().to_vec()], at("8999-01-01T00:00:00Z"));
        (found.verdict, found.detail)
    };
    let ours = ["-signer", "signer.pem", "-inkey", "key.pem"];
    let with = |extra: &[&'static str]| [&ours[..], extra].concat();
    let verdict = |arguments: &[&str]| sign(arguments).0;
    let (good, why) = sign(&with(&["-md", "sha256", "-cades"]));
    assert_eq!(good, Verdict::ValidNoTst, "{why}");
    assert_eq!(verdict(&with(&["-md", "sha256", "-cades", "-keyid"])), Verdict::ValidNoTst);
    assert_eq!(verdict(&with(&["-md", "sha256"])), Verdict::Malformed, "without signing-certificate-v2");
    assert_eq!(verdict(&with(&["-md", "sha256", "-cades", "-nodetach"])), Verdict::Malformed, "content inside");
    assert_eq!(verdict(&with(&["-md", "sha256", "-cades", "-nocerts"])), Verdict::Malformed, "no certificate");
    assert_eq!(verdict(&with(&["-md", "sha256", "-noattr"])), Verdict::Malformed, "no attributes");
    assert_eq!(verdict(&with(&["-md", "sha1"])), Verdict::AlgoWeak);
    assert_eq!(verdict(&with(&["-md", "sha512", "-cades"])), Verdict::AlgoUnsupported);
    let rsa = ["-signer", "rsa.pem", "-inkey", "rsa.key", "-md"];
    assert_eq!(verdict(&[&rsa[..], &["sha256", "-cades"]].concat()), Verdict::AlgoUnsupported);
    assert_eq!(verdict(&[&rsa[..], &["sha1"]].concat()), Verdict::AlgoWeak);
    assert_eq!(
        verdict(&["-signer", "p384.pem", "-inkey", "p384.key", "-md", "sha256", "-cades"]),
        Verdict::AlgoUnsupported
    );
    let two = [&ours[..], &["-signer", "rsa.pem", "-inkey", "rsa.key"]].concat();
    assert_eq!(verdict(&two), Verdict::Malformed, "two signers");
}
