//! Files on disk: instances by UID, reports by id, and staging folders from which both come by rename.

use super::error::Error;
use crate::study::{SeriesUid, SopInstanceUid, StudyUid};
use crate::vault::{atomic, private, random};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Where things lie. UIDs hold digits and dots only (their types see to it), ids are made here: no path can leave its folder.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
}

/// A folder of unfinished work; removed when dropped.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file and makes it durable. `name` must be a plain file name.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.join(plain(name)?);
        let mut file = private::create_file(&path).map_err(Error::io(&path))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io(&path))?;
        Ok(path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After a successful move the folder is gone; at the next start everything left here is removed.
        if let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "staging folder could not be removed");
        }
    }
}

impl Files {
    /// Opens the folders below the center's data folder. What is half done in `staging` is left to [`Files::clear_staging`].
    pub fn open(root: &Path) -> Result<Self, Error> {
        for name in ["dicom", "reports", "staging"] {
            let folder = root.join(name);
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Removes what an interrupted server left behind. Only at the start of a server: imports use the folder too.
    pub fn clear_staging(&self) -> Result<(), Error> {
        let folder = self.root.join("staging");
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let path = entry.map_err(Error::io(&folder))?.path();
            // An import of another process that runs now has touched its folder within the day.
            let old = fs::metadata(&path)
                .and_then(|m| m.modified())
                .ok()
                .and_then(|t| t.elapsed().ok())
                .is_some_and(|age| age.as_secs() > 86_400);
            if old {
                fs::remove_dir_all(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// A new staging folder.
    pub fn stage(&self) -> Result<Staging, Error> {
        let path = self.root.join("staging").join(random::random_id()?);
        fs::create_dir(&path).map_err(Error::io(&path))?;
        Ok(Staging { path })
    }

    /// Where an instance lies.
    pub fn instance(&self, study: &StudyUid, series: &SeriesUid, instance: &SopInstanceUid) -> PathBuf {
        self.root.join("dicom").join(study.as_str()).join(series.as_str()).join(format!("{instance}.dcm"))
    }

    /// Moves a staged, synced file to its place.
    pub fn settle(staged: &Path, target: &Path) -> Result<(), Error> {
        if let Some(folder) = target.parent() {
            make_durable_folder(folder)?;
        }
        fs::rename(staged, target).map_err(Error::io(target))?;
        atomic::sync_folder(target).map_err(Error::io(target))
    }

    /// Folder of a report's version.
    pub fn report_version(&self, report_id: &str, version: u32) -> Result<PathBuf, Error> {
        Ok(self.root.join("reports").join(plain(report_id)?).join(version.to_string()))
    }

    /// Moves a staged folder to the place of a report's version. A folder that lies there already is of a submission whose
    /// database transaction never ended: it is replaced.
    pub fn settle_report(&self, staging: &Staging, report_id: &str, version: u32) -> Result<(), Error> {
        let target = self.report_version(report_id, version)?;
        if let Some(folder) = target.parent() {
            make_durable_folder(folder)?;
        }
        if target.exists() {
            fs::remove_dir_all(&target).map_err(Error::io(&target))?;
        }
        File::open(&staging.path).and_then(|f| f.sync_all()).map_err(Error::io(&staging.path))?;
        fs::rename(&staging.path, &target).map_err(Error::io(&target))?;
        atomic::sync_folder(&target).map_err(Error::io(&target))
    }

    /// A file of a report's version.
    pub fn report_file(&self, report_id: &str, version: u32, name: &str) -> Result<PathBuf, Error> {
        Ok(self.report_version(report_id, version)?.join(plain(name)?))
    }
}

fn make_durable_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_durable_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => atomic::sync_folder(folder).map_err(Error::io(folder)),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Error::io(folder)(e)),
    }
}

/// A name that stays in its folder: letters, digits, `.`, `-`, `_`, not beginning with a dot, at most 128 characters.
pub fn plain(name: &str) -> Result<&str, Error> {
    let good = !name.is_empty()
        && name.len() <= 128
        && !name.starts_with('.')
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'));
    if good { Ok(name) } else { Err(Error::Refused("a file name is not allowed".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_folder() {
        for bad in ["", "..", ".x", "a/b", "a\\b", "a\0", "ü", &"x".repeat(129)] {
            assert!(plain(bad).is_err(), "{bad:?}");
        }
        assert!(plain("report.json").is_ok());
    }

    #[test]
    fn a_staged_report_arrives_whole_and_replaces_a_leftover() {
        let folder = tempfile::tempdir().expect("folder");
        let files = Files::open(folder.path()).expect("open");
        for content in [&b"first"[..], b"second"] {
            let staging = files.stage().expect("stage");
            staging.put("report.json", content).expect("put");
            files.settle_report(&staging, "r1", 1).expect("settle");
        }
        let path = files.report_file("r1", 1, "report.json").expect("name");
        assert_eq!(fs::read(path).expect("read"), b"second");
        assert_eq!(fs::read_dir(folder.path().join("staging")).expect("dir").count(), 0);
        assert!(files.report_file("../r1", 1, "report.json").is_err());
    }
}
