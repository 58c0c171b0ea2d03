//! `dokuei verify`: is this report what was signed, by whom, and did the center confirm it?

use crate::report::Receipt;
use crate::report::manifest::{self, Manifest, REPORT_JSON};
use crate::vault::ca::certificates_from_pem;
use crate::vault::digest::sha256_hex;
use crate::vault::signature::{Expected, Policy, Verdict, Verification};
use base64::Engine as _;
use jiff::Timestamp;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

/// Largest file of a package that is read.
const MAX_FILE: u64 = 256 << 20;

/// What to verify against what.
#[derive(Debug, Clone)]
pub struct VerifyArgs {
    /// A folder with `report.json`, or a `report.json`.
    pub path: PathBuf,
    /// The CMS signature; `None`: `signature.p7s` beside the report.
    pub signature: Option<PathBuf>,
    /// The center's root certificate, PEM; `None`: `ca.pem` beside the report (told as such).
    pub ca: Option<PathBuf>,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file is missing or unreadable.
    #[error("cannot read {path}: {source}")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The root certificate is none.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// The verdict could not be written.
    #[error("cannot write the verdict")]
    Write(#[from] std::io::Error),
}

fn read(path: &Path) -> Result<Vec<u8>, VerifyError> {
    let problem = |source| VerifyError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(problem)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(problem(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "larger than 256 MiB")));
    }
    Ok(bytes)
}

/// Verifies and writes a verdict for people. `true` = everything is in order.
pub fn run(args: &VerifyArgs, now: Timestamp, out: &mut dyn Write) -> Result<bool, VerifyError> {
    let report_path = if args.path.is_dir() { args.path.join(REPORT_JSON) } else { args.path.clone() };
    let folder = report_path.parent().unwrap_or(Path::new(".")).to_owned();
    let report = read(&report_path)?;
    let signature = read(&args.signature.clone().unwrap_or_else(|| folder.join("signature.p7s")))?;
    let ca_path = args.ca.clone().unwrap_or_else(|| folder.join("ca.pem"));
    let ca_text = String::from_utf8_lossy(&read(&ca_path)?).into_owned();
    let roots = certificates_from_pem(&ca_text)
        .ok()
        .filter(|roots| !roots.is_empty())
        .ok_or_else(|| VerifyError::NoCertificate(ca_path.clone()))?;

    let verified =
        Policy { roots: &roots, revoked: &[], at: now, expected: Expected::Anyone }.verify(&report, &signature);
    let content = manifest::parse(&report);
    let mut good = verified.verdict.is_valid();
    writeln!(out, "Signature    {}", verdict_text(&verified))?;
    if let Some(signer) = &verified.signer {
        let id = signer.reader_id.as_deref().unwrap_or("-");
        writeln!(out, "Signer       {} ({id}), certificate {}", signer.subject_cn, signer.serial)?;
        writeln!(out, "Signed at    {} (signer's own clock)", signer.signing_time)?;
    }
    match &content {
        Ok(manifest) => good &= describe(manifest, &verified, &folder, out)?,
        Err(problem) => {
            good = false;
            writeln!(out, "Content      NOT SOUND: {problem}")?;
        }
    }
    good &= check_receipt(&folder, &report, &roots, now, out)?;
    writeln!(out, "SHA-256      {}", sha256_hex(&report))?;
    if args.ca.is_none() {
        writeln!(out, "Trust        {} lay beside the report: make sure that it is your center's", ca_path.display())?;
    }
    writeln!(out, "{}", if good { "VALID" } else { "NOT VALID" })?;
    Ok(good)
}

fn describe(
    manifest: &Manifest,
    verified: &Verification,
    folder: &Path,
    out: &mut dyn Write,
) -> Result<bool, VerifyError> {
    let mut good = true;
    writeln!(out, "Document     {} ({:?}, {})", manifest.title, manifest.version_kind, manifest.assignment_id)?;
    let named = verified.signer.as_ref().and_then(|s| s.reader_id.as_deref());
    if named != Some(manifest.signer.user.as_str()) {
        good = false;
        writeln!(out, "Reader       NOT THE SIGNER: the report names {}", manifest.signer.user)?;
    }
    for attachment in &manifest.attachments {
        let state = match read(&folder.join(&attachment.name)) {
            Ok(bytes) if sha256_hex(&bytes) == attachment.sha256 => "unchanged",
            Ok(_) => "CHANGED",
            Err(_) => "MISSING",
        };
        good &= state == "unchanged";
        writeln!(out, "Attachment   {} {state}", attachment.name)?;
    }
    Ok(good)
}

/// A receipt is optional: without one the report is signed, but nothing says that the center has it.
fn check_receipt(
    folder: &Path,
    report: &[u8],
    roots: &[Vec<u8>],
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<bool, VerifyError> {
    let path = folder.join("receipt.json");
    if !path.is_file() {
        writeln!(out, "Receipt      none here: nothing says that the center has received it")?;
        return Ok(true);
    }
    let problem = match serde_json::from_slice::<Receipt>(&read(&path)?) {
        Err(_) => Some("cannot be read".to_owned()),
        Ok(receipt) if receipt.sha256 != sha256_hex(report) => Some("is for another report".to_owned()),
        Ok(receipt) => {
            let cms = base64::engine::general_purpose::STANDARD.decode(&receipt.signature).unwrap_or_default();
            let bytes = receipt.signed_bytes().unwrap_or_default();
            let check = Policy { roots, revoked: &[], at: now, expected: Expected::Center }.verify(&bytes, &cms);
            if check.verdict.is_valid() {
                writeln!(
                    out,
                    "Receipt      {} version {} at {}, by {}",
                    receipt.report_id, receipt.version, receipt.received_at, receipt.center
                )?;
                None
            } else {
                Some(verdict_text(&check))
            }
        }
    };
    if let Some(problem) = &problem {
        writeln!(out, "Receipt      NOT VALID: {problem}")?;
    }
    Ok(problem.is_none())
}

fn verdict_text(verified: &Verification) -> String {
    let words = match verified.verdict {
        Verdict::ValidNoTst => "valid (no trusted time stamp)",
        Verdict::Modified => "NOT VALID: the report has been changed after signing",
        Verdict::CertExpiredAtSign => "NOT VALID: the certificate was not in force when it was signed",
        Verdict::CertRevoked => "NOT VALID: the certificate has been withdrawn",
        Verdict::ChainUntrusted => "NOT VALID: the certificate is not of this center",
        Verdict::AlgoWeak | Verdict::AlgoUnsupported => {
            "NOT VALID: the signature uses an algorithm that is not accepted"
        }
        Verdict::WrongSigner => "NOT VALID: the certificate is not for signing reports, or another signer's",
        Verdict::TimeImplausible => "NOT VALID: the signing time lies in the future",
        Verdict::Malformed => "NOT VALID: the signature file cannot be read",
    };
    format!("{words} [{}: {}]", verified.verdict.code(), verified.detail)
}
