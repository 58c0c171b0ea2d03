//! Removing patient data from a disk.
//!
//! What counts is the crypto-erase: the keys go first. On journaling file systems and flash memory overwriting a file does not
//! reliably overwrite its old blocks, so it is done as a best effort only, after the keys.

use super::atomic;
use super::private;
use super::random;
use super::seal::{FILE_MAGIC, HEADER_BYTES, MASTER_KEY_NAME};
use super::secrets::{SecretError, SecretStore};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// How thoroughly file contents are overwritten before removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Only the wrapped keys of sealed files: quick, and enough where everything is sealed.
    Keys,
    /// Every byte of every file.
    Everything,
}

/// What a wipe did.
#[derive(Debug, Default)]
pub struct WipeOutcome {
    /// Files removed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be removed or overwritten, and why. Not empty means: not finished.
    pub failed: Vec<(PathBuf, io::Error)>,
    /// Secrets that could not be removed from the store (it is locked, say), and why.
    pub failed_secrets: Vec<(String, SecretError)>,
}

impl WipeOutcome {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.failed_secrets.is_empty()
    }
}

/// Why a wipe did not start.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// Not a folder of a program's data: a link, a file, a drive's root.
    #[error("only a data folder can be wiped")]
    NotADataFolder,
    /// The folder could not be looked at.
    #[error("the folder could not be read: {0}")]
    Io(#[from] io::Error),
}

/// Erases a profile: the master key and then `other_secrets` out of the secret store, then [`wipe_folder`]. When the key is gone,
/// all sealed data are unreadable, whatever becomes of the files. A store that cannot be opened does not save the files: they
/// are wiped all the same, and the outcome lists the secrets that are left.
pub fn wipe_profile(
    secrets: &dyn SecretStore,
    other_secrets: &[&str],
    folder: &Path,
    overwrite: Overwrite,
) -> Result<WipeOutcome, WipeError> {
    let mut failed_secrets = Vec::new();
    for name in std::iter::once(MASTER_KEY_NAME).chain(other_secrets.iter().copied()) {
        if let Err(error) = secrets.delete(name) {
            failed_secrets.push((name.to_owned(), error));
        }
    }
    let outcome = wipe_folder(folder, overwrite)?;
    Ok(WipeOutcome { failed_secrets, ..outcome })
}

/// Overwrites and removes `folder` with all that is in it: first the wrapped keys of all sealed files, then the contents (if
/// asked for), then the names. Links are removed, never followed. Goes on after a failure and lists it.
pub fn wipe_folder(folder: &Path, overwrite: Overwrite) -> Result<WipeOutcome, WipeError> {
    let kind = match fs::symlink_metadata(folder) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(WipeOutcome::default()),
        Err(error) => return Err(error.into()),
    };
    if !kind.is_dir() || fs::canonicalize(folder)?.parent().is_none() {
        return Err(WipeError::NotADataFolder);
    }
    let mut outcome = WipeOutcome::default();
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(current) = folders.get(next).cloned() {
        next += 1;
        match list(&current) {
            Ok(entries) => {
                for (path, is_folder) in entries {
                    if is_folder {
                        folders.push(path);
                    } else {
                        files.push(path);
                    }
                }
            }
            Err(error) => outcome.failed.push((current, error)),
        }
    }
    for path in &files {
        if let Err(error) = overwrite_file(path, Overwrite::Keys) {
            outcome.failed.push((path.clone(), error));
        }
    }
    for path in files {
        match remove_file(&path, overwrite) {
            Ok(bytes) => {
                outcome.files += 1;
                outcome.bytes += bytes;
            }
            Err(error) => outcome.failed.push((path, error)),
        }
    }
    for path in folders.into_iter().rev() {
        if let Err(error) = fs::remove_dir(&path) {
            outcome.failed.push((path, error));
        }
    }
    if let Err(error) = atomic::sync_folder(folder) {
        outcome.failed.push((folder.to_owned(), error));
    }
    Ok(outcome)
}

fn list(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.file_type()?.is_dir()))
        })
        .collect()
}

fn remove_file(path: &Path, overwrite: Overwrite) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if overwrite == Overwrite::Everything {
        overwrite_file(path, overwrite)?;
    }
    fs::remove_file(path)?;
    Ok(if metadata.is_file() { metadata.len() } else { 0 })
}

/// Overwrites a regular file in place; anything else is left alone.
fn overwrite_file(path: &Path, overwrite: Overwrite) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    let mut file = open_for_overwrite(path, &metadata)?;
    match overwrite {
        Overwrite::Keys => {
            let mut magic = [0u8; 4];
            match file.read_exact(&mut magic) {
                Ok(()) if magic == FILE_MAGIC => {}
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
            file.seek(SeekFrom::Start(0))?;
            let noise = random::bytes::<HEADER_BYTES>().map_err(io::Error::other)?;
            let length = metadata.len().min(HEADER_BYTES as u64) as usize;
            file.write_all(noise.get(..length).unwrap_or(&noise))?;
        }
        Overwrite::Everything => {
            let zeros = vec![0u8; 256 * 1024];
            let mut left = metadata.len();
            while left > 0 {
                let piece = left.min(zeros.len() as u64);
                file.write_all(zeros.get(..piece as usize).unwrap_or(&zeros))?;
                left -= piece;
            }
        }
    }
    file.sync_all()
}

fn open_for_overwrite(path: &Path, metadata: &fs::Metadata) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && metadata.permissions().readonly() => {
            private::allow_writing(path, metadata.permissions())?;
            OpenOptions::new().read(true).write(true).open(path)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::seal::{MasterKey, Sealer};
    use crate::vault::secrets::MemoryStore;

    fn sealed_file(sealer: &Sealer, path: &Path) {
        let mut writer = sealer.seal_file(b"i", File::create(path).unwrap()).unwrap();
        writer.write_all(&[7; 3000]).unwrap();
        writer.finish().unwrap().sync_all().unwrap();
    }

    #[test]
    fn a_profile_is_gone_key_first() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("profile");
        fs::create_dir_all(folder.join("a/b")).unwrap();
        let secrets = MemoryStore::new();
        let sealer = Sealer::new(MasterKey::load_or_create(&secrets, false).unwrap());
        secrets.set("signing-key", b"x").unwrap();
        sealed_file(&sealer, &folder.join("a/b/one"));
        fs::write(folder.join("index"), b"x").unwrap();
        fs::write(folder.join("empty"), b"").unwrap();
        let outcome = wipe_profile(&secrets, &["signing-key"], &folder, Overwrite::Everything).unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(outcome.files, 3);
        assert!(!folder.exists() && parent.path().exists());
        assert!(secrets.get(MASTER_KEY_NAME).unwrap().is_none());
        assert!(secrets.get("signing-key").unwrap().is_none());
        // Again: nothing to do is no error.
        assert!(wipe_profile(&secrets, &[], &folder, Overwrite::Keys).unwrap().is_complete());
    }

    struct Locked;

    impl SecretStore for Locked {
        fn get(&self, _: &str) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, SecretError> {
            self.delete("").map(|()| None)
        }
        fn set(&self, name: &str, _: &[u8]) -> Result<(), SecretError> {
            self.delete(name)
        }
        fn delete(&self, _: &str) -> Result<(), SecretError> {
            Err(SecretError::Locked { detail: "test".to_owned() })
        }
    }

    #[test]
    fn a_locked_store_is_told_and_the_files_go_all_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("profile");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("one"), b"x").unwrap();
        let outcome = wipe_profile(&Locked, &["token"], &folder, Overwrite::Keys).unwrap();
        assert!(!outcome.is_complete() && !folder.exists());
        assert_eq!(outcome.failed_secrets.len(), 2);
        assert!(outcome.failed.is_empty());
    }

    #[test]
    fn overwriting_the_keys_alone_makes_a_file_unreadable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one");
        let sealer = Sealer::new(MasterKey::generate().unwrap());
        sealed_file(&sealer, &path);
        assert!(sealer.open_file(b"i", File::open(&path).unwrap()).is_ok());
        let before = fs::read(&path).unwrap();
        overwrite_file(&path, Overwrite::Keys).unwrap();
        let after = fs::read(&path).unwrap();
        assert_eq!(before[HEADER_BYTES..], after[HEADER_BYTES..]);
        assert!(sealer.open_file(b"i", File::open(&path).unwrap()).is_err());
        overwrite_file(&path, Overwrite::Everything).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![0; before.len()]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_removed_and_never_followed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("profile");
        let outside = parent.path().join("outside");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), b"kept").unwrap();
        std::os::unix::fs::symlink(&outside, folder.join("to-folder")).unwrap();
        std::os::unix::fs::symlink(outside.join("kept"), folder.join("to-file")).unwrap();
        assert!(wipe_folder(&folder, Overwrite::Everything).unwrap().is_complete());
        assert_eq!(fs::read(outside.join("kept")).unwrap(), b"kept");
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert!(matches!(wipe_folder(&link, Overwrite::Keys), Err(WipeError::NotADataFolder)));
        assert!(matches!(wipe_folder(Path::new("/"), Overwrite::Keys), Err(WipeError::NotADataFolder)));
        assert!(matches!(wipe_folder(&outside.join("kept"), Overwrite::Keys), Err(WipeError::NotADataFolder)));
    }
}
