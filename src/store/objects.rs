//! Sealed files of instances, named by random numbers. Any thread may write and read them.

use super::{Faults, StoreError};
use crate::vault::private;
use crate::vault::random::random_id;
use crate::vault::seal::{SealError, Sealer};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ENDING: &str = "dks";

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFile {
    /// Its name; means nothing.
    pub name: String,
    /// Plain bytes in it.
    pub bytes: u64,
}

/// The folder of sealed files.
#[derive(Clone)]
pub struct Objects {
    folder: PathBuf,
    sealer: Sealer,
    faults: Arc<dyn Faults>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects(…)")
    }
}

struct Announced<'a> {
    file: File,
    faults: &'a dyn Faults,
}

impl Write for Announced<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.faults.before_write("object.write")?;
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Objects {
    pub(super) fn open(folder: &Path, sealer: Sealer, faults: Arc<dyn Faults>) -> Result<Self, StoreError> {
        private::create_folders(folder)?;
        Ok(Self { folder: folder.to_owned(), sealer, faults })
    }

    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let well_formed = name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let shelf = name.get(..2).filter(|_| well_formed).ok_or(StoreError::Damaged("file name"))?;
        Ok(self.folder.join(shelf).join(format!("{name}.{ENDING}")))
    }

    /// Seals `plain` into a new file. Written beside and renamed, so a file with a row is whole unless the power
    /// failed soon after; such a file does not open ([`StoreError::Damaged`]) and is fetched again.
    pub fn write(&self, context: &[u8], plain: &[u8]) -> Result<ObjectFile, StoreError> {
        let name = random_id()?;
        let path = self.path(&name)?;
        if let Some(shelf) = path.parent() {
            self.faults.before_write("object.folder")?;
            private::create_folders(shelf)?;
        }
        let beside = path.with_extension("tmp");
        let written = self.write_beside(&beside, context, plain).and_then(|()| {
            self.faults.before_write("object.rename")?;
            Ok(fs::rename(&beside, &path)?)
        });
        if let Err(error) = written {
            remove_if_there(&beside)?;
            return Err(error);
        }
        Ok(ObjectFile { name, bytes: plain.len() as u64 })
    }

    fn write_beside(&self, path: &Path, context: &[u8], plain: &[u8]) -> Result<(), StoreError> {
        self.faults.before_write("object.create")?;
        let file = Announced { file: private::create_file(path)?, faults: self.faults.as_ref() };
        let mut writer = self.sealer.seal_file(context, file).map_err(unwrap_io)?;
        writer.write_all(plain)?;
        writer.finish().map_err(unwrap_io)?;
        Ok(())
    }

    /// The plain bytes of a file. A file that is gone, cut or altered is [`StoreError::Damaged`].
    pub fn read(&self, context: &[u8], name: &str) -> Result<Vec<u8>, StoreError> {
        let file = match File::open(self.path(name)?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::Damaged("file missing")),
            Err(error) => return Err(error.into()),
        };
        let mut reader = self.sealer.open_file(context, file).map_err(damaged)?;
        reader.read_whole().map_err(damaged)
    }

    /// Removes a file; one that is gone already is no error.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        Ok(remove_if_there(&self.path(name)?)?)
    }

    /// Removes every file that `keep` does not know, and all half-written ones.
    pub(super) fn retain(&self, keep: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        for shelf in fs::read_dir(&self.folder)? {
            let shelf = shelf?;
            if !shelf.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(shelf.path())? {
                let path = file?.path();
                let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
                let ours = path.extension().is_some_and(|e| e == ENDING);
                if !(ours && keep(name)) {
                    remove_if_there(&path)?;
                }
            }
        }
        Ok(())
    }
}

fn damaged(error: SealError) -> StoreError {
    match error {
        SealError::Io(error) => error.into(),
        SealError::Tampered | SealError::NotSealed => StoreError::Damaged("file altered or cut off"),
        other => other.into(),
    }
}

fn unwrap_io(error: SealError) -> StoreError {
    match error {
        SealError::Io(error) => error.into(),
        other => other.into(),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::super::{Fault, FaultPlan};
    use super::*;

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder)
            .expect("folder")
            .map(|e| e.expect("entry").path())
            .map(|p| if p.is_dir() { files(&p) } else { 1 })
            .sum()
    }

    #[test]
    fn no_space_at_any_write_leaves_no_file() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let store = bench.open_with(plan.clone()).expect("opens");
        let (objects, plain) = (store.objects(), vec![7u8; 700_000]);
        plan.restart();
        let file = objects.write(b"c", &plain).expect("written");
        let points = plan.seen();
        assert!(points.len() > 4, "{points:?}");
        objects.remove(&file.name).expect("removed");
        for nth in 0..points.len() as u64 {
            plan.arm(nth, Fault::Fail(io::ErrorKind::StorageFull));
            assert!(matches!(objects.write(b"c", &plain), Err(StoreError::Full(_))), "write {nth}");
            assert_eq!(files(&bench.folder.path().join("objects")), 0, "write {nth}");
        }
    }

    #[test]
    fn cut_exchanged_and_missing_files_are_told() {
        let bench = Bench::new();
        let store = bench.open();
        let objects = store.objects();
        let file = objects.write(b"c", b"plain").expect("written");
        assert!(matches!(objects.read(b"other", &file.name), Err(StoreError::Damaged(_))));
        let path = objects.path(&file.name).expect("path");
        let sealed = fs::read(&path).expect("file");
        fs::write(&path, &sealed[..sealed.len() - 1]).expect("cut");
        assert!(matches!(objects.read(b"c", &file.name), Err(StoreError::Damaged(_))));
        fs::remove_file(&path).expect("removed");
        assert!(matches!(objects.read(b"c", &file.name), Err(StoreError::Damaged(_))));
        assert!(matches!(objects.read(b"c", "../../etc/passwd"), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn leftovers_are_cleared_at_start() {
        let bench = Bench::new();
        let store = bench.open();
        let file = store.objects().write(b"c", b"no row names this").expect("written");
        let half = store.objects().path(&file.name).expect("path").with_extension("tmp");
        fs::write(&half, b"half").expect("left");
        drop(store);
        bench.open();
        assert_eq!(files(&bench.folder.path().join("objects")), 0);
    }
}
