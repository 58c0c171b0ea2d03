//! Replacing a small file so that a crash leaves the old or the new one, never half of either.
//!
//! Bound to the platform: the sync of a folder exists on Unix; on Windows `rename` replaces the target and is journalled.

use super::faults::{Faults, NoFaults};
use super::private;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`: temporary file beside it (readable by the owner only), sync, rename, sync of the folder.
/// The folder must exist. On an error the file is whole: the previous one is untouched and the temporary one removed; only
/// where nothing but the folder's sync failed are the new bytes in place, and a power cut may still bring back the old ones.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_announced(path, bytes, &NoFaults)
}

/// [`write()`], which announces `atomic.create`, `atomic.write`, `atomic.rename` and `atomic.sync` before it does them.
pub fn write_announced(path: &Path, bytes: &[u8], faults: &dyn Faults) -> io::Result<()> {
    let temporary = temporary_name(path)?;
    let result = write_new(&temporary, bytes, faults).and_then(|()| {
        faults.before_write("atomic.rename")?;
        fs::rename(&temporary, path)
    });
    if let Err(error) = result {
        // The first error is the one that the caller must see; a leftover temporary file holds nothing readable.
        if let Err(cleanup) = fs::remove_file(&temporary)
            && cleanup.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(error = %cleanup, "temporary file could not be removed");
        }
        return Err(error);
    }
    faults.before_write("atomic.sync")?;
    sync_folder(path)
}

/// Removes the temporary files that a crash during [`write()`] left beside `path`. Nobody else may be writing it now.
pub fn clear_leftovers(path: &Path) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let mut beginning = name.as_encoded_bytes().to_vec();
    beginning.push(b'.');
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        if found.starts_with(&beginning) && found.ends_with(b".tmp") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "path names no file"))?;
    let id = super::random::random_id().map_err(io::Error::other)?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{id}.tmp"));
    Ok(path.with_file_name(temporary))
}

fn write_new(path: &Path, bytes: &[u8], faults: &dyn Faults) -> io::Result<()> {
    faults.before_write("atomic.create")?;
    let mut file = private::create_file(path)?;
    faults.before_write("atomic.write")?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or removal in the folder of `path` durable.
#[cfg(unix)]
pub fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

/// Makes a rename or removal in the folder of `path` durable; Windows offers no handle for this and journals renames itself.
#[cfg(not(unix))]
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::faults::FaultPlan;
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        write(&path, b"old").unwrap();
        write(&path, b"new and longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new and longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_full_disk_leaves_the_old_or_the_new_bytes_and_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        let plan = FaultPlan::default();
        let points = ["atomic.create", "atomic.write", "atomic.rename", "atomic.sync"];
        for (point, left) in points.into_iter().zip(["old", "old", "old", "new"]) {
            write(&path, b"old").unwrap();
            plan.fail_at(point, io::ErrorKind::StorageFull);
            let error = write_announced(&path, b"new", &plan).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{point}");
            assert_eq!(fs::read(&path).unwrap(), left.as_bytes(), "{point}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{point}");
        }
        plan.heal();
        plan.restart();
        write_announced(&path, b"new", &plan).unwrap();
        assert_eq!(plan.seen(), points, "every write is announced, in this order");
    }

    #[test]
    fn failure_keeps_the_old_file_and_cleans_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"x").unwrap();
        assert!(write(&path, b"cannot replace a folder").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("missing/file"), b"x").is_err());
    }
}
