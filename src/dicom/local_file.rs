//! A file of the reader's own: by itself on the disk, or a member of a ZIP archive. Members are opened in memory only:
//! nothing of a patient is ever unpacked to the disk.

use super::decode::Object;
use super::read::{Header, MAX_OBJECT_BYTES, ReadError};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a member of an archive lies in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Member {
    /// As the archive names it; for people only.
    pub(super) name: String,
    /// First byte of its data.
    pub(super) at: u64,
    /// Bytes in the archive.
    pub(super) packed: u64,
    /// Bytes opened.
    pub(super) size: u64,
    /// Deflated, else stored.
    pub(super) deflated: bool,
    /// CRC-32 of the opened bytes.
    pub(super) crc: u32,
}

/// A file of the reader's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalFile {
    path: PathBuf,
    member: Option<Arc<Member>>,
}

impl From<PathBuf> for LocalFile {
    fn from(path: PathBuf) -> Self {
        Self { path, member: None }
    }
}

impl From<&str> for LocalFile {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl std::fmt::Display for LocalFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.member {
            None => write!(f, "{}", self.path.display()),
            Some(member) => write!(f, "{}: {}", self.path.display(), member.name),
        }
    }
}

impl LocalFile {
    pub(super) fn member_of(path: &Path, member: Member) -> Self {
        Self { path: path.to_owned(), member: Some(Arc::new(member)) }
    }

    /// The file on the disk: itself, or the archive that it is a member of.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name within its archive; `None` for a file by itself.
    pub fn member(&self) -> Option<&str> {
        self.member.as_ref().map(|m| m.name.as_str())
    }

    /// Its header. A member is read to its end all the same, to see that it is what was packed; only the header is kept.
    pub fn header(&self) -> Result<Header, ReadError> {
        self.header_told(&mut |_| {})
    }

    /// As [`Self::header`]; `before` is told how many bytes are going to be held, each time that more are read.
    pub(super) fn header_told(&self, before: &mut dyn FnMut(usize)) -> Result<Header, ReadError> {
        let Some(member) = &self.member else {
            let mut file = File::open(&self.path)?;
            let size = file.metadata()?.len();
            return Header::read_from(&mut file, size, before);
        };
        let mut opened = Opened::new(&self.path, member)?;
        let header = Header::read_from(&mut opened, member.size, before);
        std::io::copy(&mut opened, &mut std::io::sink()).map_err(|e| damaged(&e.to_string()))?;
        opened.check(member)?;
        header
    }

    /// The whole object.
    pub fn object(&self) -> Result<Object, ReadError> {
        if self.member.is_none() { Object::read(&self.path) } else { Object::from_bytes(self.bytes()?) }
    }

    /// Its bytes; of a member no more than the archive declares, and only if they are those that were packed.
    pub fn bytes(&self) -> Result<Vec<u8>, ReadError> {
        let mut file = File::open(&self.path)?;
        let Some(member) = &self.member else {
            let size = file.metadata()?.len();
            if size > MAX_OBJECT_BYTES {
                return Err(ReadError::TooLarge { size, limit: MAX_OBJECT_BYTES });
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            return Ok(bytes);
        };
        let mut opened = Opened::new(&self.path, member)?;
        let mut bytes = Vec::with_capacity(usize::try_from(member.size).unwrap_or(0).min(FIRST_ROOM));
        opened.read_to_end(&mut bytes).map_err(|e| damaged(&e.to_string()))?;
        opened.check(member)?;
        Ok(bytes)
    }
}

/// Room that is made before anything proves the size that an archive declares.
const FIRST_ROOM: usize = 64 << 20;

fn damaged(why: &str) -> ReadError {
    ReadError::Broken(format!("damaged in its archive: {why}"))
}

/// A member while it is opened: no byte more than the archive declares but one, each counted.
struct Opened {
    from: Box<dyn Read>,
    crc: flate2::Crc,
    length: u64,
}

impl Opened {
    fn new(archive: &Path, member: &Member) -> Result<Self, ReadError> {
        if member.size > MAX_OBJECT_BYTES {
            return Err(ReadError::TooLarge { size: member.size, limit: MAX_OBJECT_BYTES });
        }
        let mut file = File::open(archive)?;
        file.seek(SeekFrom::Start(member.at))?;
        let packed = BufReader::new(file.take(member.packed));
        let from: Box<dyn Read> = if member.deflated {
            Box::new(flate2::bufread::DeflateDecoder::new(packed).take(member.size + 1))
        } else {
            Box::new(packed.take(member.size + 1))
        };
        Ok(Self { from, crc: flate2::Crc::new(), length: 0 })
    }

    /// At its end: whether it was what the archive says.
    fn check(&self, member: &Member) -> Result<(), ReadError> {
        if self.length != member.size {
            return Err(damaged("it has another length than the archive says"));
        }
        if self.crc.sum() != member.crc {
            return Err(damaged("its check sum is wrong"));
        }
        Ok(())
    }
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(into)?;
        self.crc.update(into.get(..count).unwrap_or_default());
        self.length += count as u64;
        Ok(count)
    }
}
