//! Signed reports as files for the requesting facility: the exact signed bytes, signature, attachments,
//! receipt and certificates. Everything needed to verify them without this center.

use super::error::Error;
use super::files::plain;
use super::reports;
use super::state::Center;
use crate::center::contract::PART_SIGNATURE;
use crate::vault::ca::pem;
use crate::vault::signature::verify_detached;
use std::fs;
use std::path::{Path, PathBuf};

/// Root certificate of the center, PEM.
pub const CA_FILE: &str = "ca.pem";
/// Certificate of the signer, PEM.
pub const SIGNER_FILE: &str = "signer.pem";

/// Writes the newest version into `folder` and earlier ones into `folder/version-N`. Gives the folders written,
/// newest first. Blocks.
pub fn export(center: &Center, report_id: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = center.db().read_now(|t| reports::load(t, report_id))?;
    let report = found.ok_or_else(|| Error::Refused(format!("there is no report {report_id}")))?;
    let newest = report.versions.last().map_or(0, |v| v.version);
    let mut written = Vec::new();
    for version in report.versions.iter().rev() {
        let target = if version.version == newest {
            folder.to_owned()
        } else {
            folder.join(format!("version-{}", version.version))
        };
        fs::create_dir_all(&target).map_err(Error::io(&target))?;
        let source = center.files().report_version(report_id, version.version)?;
        copy_all(&source, &target)?;
        certificates(center, &target)?;
        written.push(target);
    }
    Ok(written)
}

fn copy_all(source: &Path, target: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(source).map_err(Error::io(source))? {
        let path = entry.map_err(Error::io(source))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let to = target.join(plain(name)?);
        fs::copy(&path, &to).map_err(Error::io(&to))?;
    }
    Ok(())
}

/// The root, and the signer's certificate as it stands in the signature.
fn certificates(center: &Center, target: &Path) -> Result<(), Error> {
    let ca = target.join(CA_FILE);
    fs::write(&ca, center.pki().ca.certificate_pem()).map_err(Error::io(&ca))?;
    let signature = target.join(PART_SIGNATURE);
    let cms = fs::read(&signature).map_err(Error::io(&signature))?;
    // Only the certificate is wanted here; whether it verifies is for whoever receives the files to say.
    let roots = [center.pki().ca.certificate().to_vec()];
    if let Some(signer) = verify_detached(&[], &cms, &roots, center.now()).signer {
        let path = target.join(SIGNER_FILE);
        fs::write(&path, pem("CERTIFICATE", &signer.certificate)).map_err(Error::io(&path))?;
    }
    Ok(())
}

/// The report of an assignment, if there is one. Blocks.
pub fn report_of(center: &Center, assignment: &str) -> Result<Option<String>, Error> {
    use rusqlite::OptionalExtension as _;
    center.db().read_now(|t| {
        Ok(t.query_row("SELECT id FROM report WHERE assignment_id = ?1", [assignment], |r| r.get(0)).optional()?)
    })
}
