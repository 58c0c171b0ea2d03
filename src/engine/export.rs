//! Files on their way out of the sealed store: written whole under a name of their own, then renamed, or removed.

use super::message::Failure;
use crate::store::Faults;
use crate::vault::atomic::sync_folder;
use crate::vault::private;
use crate::vault::random::random_id;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A name that stays in its folder and means the same everywhere.
pub(super) fn plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn failure_of_io(what: &str, error: &io::Error) -> Failure {
    let detail = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::Full(detail),
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => Failure::Conflict(detail),
        _ => Failure::Local(detail),
    }
}

/// Files written under a name of their own, to be renamed as a whole or removed.
pub(super) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    faults: Arc<dyn Faults>,
    done: bool,
}

impl Staged {
    /// Writes everything beside the target and syncs it.
    pub(super) fn write(
        folder: &Path,
        name: &str,
        files: &[(String, Vec<u8>)],
        faults: Arc<dyn Faults>,
    ) -> Result<Self, Failure> {
        let told = |error: &io::Error| failure_of_io("the files cannot be written", error);
        let target = folder.join(name);
        free(&target)?;
        let id = random_id().map_err(|e| Failure::Local(e.to_string()))?;
        let temporary = folder.join(format!(".{name}.{id}.tmp"));
        private::create_folder(&temporary).map_err(|e| told(&e))?;
        let staged = Self { temporary, target, faults, done: false };
        staged.fill(files).map_err(|e| told(&e))?;
        Ok(staged)
    }

    fn fill(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        for (name, bytes) in files {
            self.faults.before_write("export.file")?;
            let path = self.temporary.join(name);
            let mut file = private::create_file(&path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            sync_folder(&path)?;
        }
        Ok(())
    }

    /// Gives the folder its name.
    pub(super) fn finish(mut self) -> Result<PathBuf, Failure> {
        free(&self.target)?;
        let renamed = self.faults.before_write("export.rename").and_then(|()| {
            std::fs::rename(&self.temporary, &self.target)?;
            // From here on it lies under this name: what fails now takes it away from there.
            self.temporary.clone_from(&self.target);
            self.faults.before_write("export.sync")?;
            sync_folder(&self.target)?;
            self.done = true;
            Ok(())
        });
        renamed.map_err(|e| failure_of_io("the files cannot be put in place", &e))?;
        Ok(self.target.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Patient data do not lie about in half a folder.
        if !self.done
            && let Err(error) = std::fs::remove_dir_all(&self.temporary)
        {
            tracing::warn!(%error, "an unfinished export could not be removed");
        }
    }
}

/// What is there is never written over.
fn free(target: &Path) -> Result<(), Failure> {
    match target.symlink_metadata() {
        Ok(_) => Err(Failure::Conflict(format!("{} is there already", target.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failure_of_io("the folder cannot be looked at", &error)),
    }
}

/// Work that waits for the disk, off the threads that must not.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::Local(e.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fault, FaultPlan, NoFaults};

    fn files() -> Vec<(String, Vec<u8>)> {
        vec![("report.json".into(), b"{}".to_vec()), ("signature.p7s".into(), vec![1; 9000])]
    }

    #[test]
    fn files_come_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("folder");
        let names = || std::fs::read_dir(folder.path()).expect("read").count();
        let plan = Arc::new(FaultPlan::default());
        for nth in 0..4 {
            plan.arm(nth, Fault::Fail(io::ErrorKind::StorageFull));
            let done = Staged::write(folder.path(), "a-1", &files(), plan.clone()).and_then(Staged::finish);
            assert!(matches!(done, Err(Failure::Full(_))), "write {nth}: {done:?}");
            assert_eq!(names(), 0, "write {nth} left something behind");
        }
        plan.restart();
        let done =
            Staged::write(folder.path(), "a-1", &files(), plan.clone()).and_then(Staged::finish).expect("written");
        assert_eq!(plan.seen(), ["export.file", "export.file", "export.rename", "export.sync"]);
        assert_eq!(std::fs::read(done.join("signature.p7s")).expect("read"), vec![1; 9000]);
        assert_eq!(names(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(done.metadata().expect("there").permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join("a-1")).expect("folder");
        let done = Staged::write(folder.path(), "a-1", &files(), Arc::new(NoFaults)).map(|_| ());
        assert!(matches!(done, Err(Failure::Conflict(_))), "{done:?}");
        // Also where it came between.
        let staged = Staged::write(folder.path(), "a-2", &files(), Arc::new(NoFaults)).expect("written");
        std::fs::create_dir(folder.path().join("a-2")).expect("folder");
        assert!(matches!(staged.finish(), Err(Failure::Conflict(_))));
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2);
    }

    #[test]
    fn names_stay_in_their_folder() {
        for good in ["a-1", "report.html", "key-1.png"] {
            assert!(plain(good), "{good}");
        }
        for bad in ["", ".", "..", "../a", "a/b", "a\\b", ".hidden", "C:", "a ", "山田", "a."] {
            assert!(!plain(bad), "{bad}");
        }
    }
}
