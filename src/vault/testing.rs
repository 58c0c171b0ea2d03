//! What the tests of this module share: fixed times and a fresh CA. Nothing here reads the clock.

use super::ca::{CertificateAuthority, Validity};
use super::keys::{SigningKey, Subject};
use jiff::Timestamp;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A CA that holds from 2026 to 2036, and that validity.
pub(super) fn authority() -> (CertificateAuthority, Validity) {
    let validity = Validity { not_before: at("2026-01-01T00:00:00Z"), not_after: at("2036-01-01T00:00:00Z") };
    (CertificateAuthority::create("試験読影センター", validity).unwrap(), validity)
}

pub(super) fn reader() -> Subject {
    Subject {
        common_name: "読影 太郎".to_owned(),
        reader_id: Some("reader-1".to_owned()),
        organization: "試験読影センター".to_owned(),
    }
}

/// A reader's key and certificate of the year 2026.
pub(super) fn signer(ca: &CertificateAuthority) -> (SigningKey, Vec<u8>) {
    let key = SigningKey::generate().unwrap();
    let validity = Validity::days(at("2026-04-01T00:00:00Z"), 365);
    let certificate = ca.issue_signing(&key.csr(&reader()).unwrap(), &reader(), validity).unwrap();
    (key, certificate)
}

/// Runs `openssl` in `folder`; gives its success and everything it said. OpenSSL is the independent judge of what we write, so
/// a machine without it cannot pass these tests.
pub(super) fn openssl(folder: &std::path::Path, arguments: &[&str]) -> (bool, String) {
    let output = std::process::Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program `openssl` is needed by the tests of vault (Debian/Ubuntu: apt install openssl)");
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A validity that no clock of a test machine leaves: `openssl` judges by the machine's own time.
pub(super) fn always() -> Validity {
    Validity { not_before: at("2001-01-01T00:00:00Z"), not_after: at("9000-01-01T00:00:00Z") }
}
