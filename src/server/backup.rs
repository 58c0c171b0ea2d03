//! `backup`: a copy that is a whole center, made while it runs.
//!
//! The database goes first (SQLite's online backup), the files after it: whatever the copied database names was on disk before it was
//! committed, so it is in the copy too.

use super::error::Error;
use super::state::Center;
use crate::vault::{atomic, private};
use std::fs;
use std::path::{Path, PathBuf};

/// What a backup did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Files of the center.
    pub files: usize,
    /// Copied now; the others were there from an earlier backup.
    pub copied: usize,
    /// Of the copied ones, those that were there with other content (keys and certificates that were renewed, the database).
    pub changed: usize,
}

/// Copies the center into `target`. A later backup into the same folder copies only what is new. Blocks.
pub fn backup(center: &Center, target: &Path) -> Result<Done, Error> {
    let source = center.config().data_dir.clone();
    fs::create_dir_all(target).map_err(Error::io(target))?;
    private::restrict_folder(target).map_err(Error::io(target))?;
    let (from, to) = (canonical(&source)?, canonical(target)?);
    if to.starts_with(&from) || from.starts_with(&to) {
        return Err(Error::Refused("the backup's folder must lie outside the center's own".into()));
    }
    let mut done = Done::default();
    let database = to.join("center.db.new");
    match fs::remove_file(&database) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&database)(e)),
        _ => {}
    }
    center.db().backup_to(&database)?;
    for part in ["dicom", "reports", "pki"] {
        copy_tree(&from.join(part), &to.join(part), part == "pki", &mut done)?;
    }
    // Only now is the copy whole: the new database takes the place of the old one.
    let place = to.join("center.db");
    for stale in ["center.db-wal", "center.db-shm"] {
        match fs::remove_file(to.join(stale)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(to.join(stale))(e)),
            _ => {}
        }
    }
    done.files += 1;
    done.copied += 1;
    done.changed += usize::from(place.exists());
    fs::rename(&database, &place).map_err(Error::io(&place))?;
    atomic::sync_folder(&place).map_err(Error::io(&place))?;
    Ok(done)
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(path).map_err(Error::io(path))
}

fn copy_tree(from: &Path, to: &Path, may_change: bool, done: &mut Done) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::io(to))?;
    if may_change {
        private::restrict_folder(to).map_err(Error::io(to))?;
    }
    for entry in walkdir::WalkDir::new(from).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::Refused(e.to_string()))?;
        let relative = entry.path().strip_prefix(from).map_err(|e| Error::Interrupted(e.to_string()))?;
        let place = to.join(relative);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place).map_err(Error::io(&place))?;
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(Error::io(entry.path()))?;
        done.files += 1;
        let there = place.exists();
        if there {
            let same = if may_change {
                fs::read(&place).map_err(Error::io(&place))? == bytes
            } else {
                fs::metadata(&place).map_err(Error::io(&place))?.len() == bytes.len() as u64
            };
            if same {
                continue;
            }
        }
        atomic::write(&place, &bytes).map_err(Error::io(&place))?;
        done.copied += 1;
        done.changed += usize::from(there);
    }
    Ok(())
}
