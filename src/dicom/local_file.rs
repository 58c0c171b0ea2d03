//! A file of the reader's own: by itself on the disk, or a member of a ZIP archive. Members are opened in memory only:
//! nothing of a patient is ever unpacked to the disk.

use super::decode::Object;
use super::read::{Header, MAX_OBJECT_BYTES, ReadError};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
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

    /// Bytes that are taken to look at its header: of a member all of them.
    pub(super) fn opened_bytes(&self) -> u64 {
        self.member.as_ref().map_or(0, |m| m.size)
    }

    /// Its header; of a member all of it is opened.
    pub fn header(&self) -> Result<Header, ReadError> {
        if self.member.is_none() { Header::read(&self.path) } else { Header::from_bytes(self.bytes()?) }
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
        if member.size > MAX_OBJECT_BYTES {
            return Err(ReadError::TooLarge { size: member.size, limit: MAX_OBJECT_BYTES });
        }
        file.seek(SeekFrom::Start(member.at))?;
        let packed = file.take(member.packed);
        let damaged = |why: &str| ReadError::Broken(format!("damaged in its archive: {why}"));
        let mut bytes = Vec::new();
        let limit = member.size + 1;
        let read = if member.deflated {
            flate2::bufread::DeflateDecoder::new(std::io::BufReader::new(packed)).take(limit).read_to_end(&mut bytes)
        } else {
            packed.take(limit).read_to_end(&mut bytes)
        };
        read.map_err(|e| damaged(&e.to_string()))?;
        if bytes.len() as u64 != member.size {
            return Err(damaged("it has another length than the archive says"));
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        if crc.sum() != member.crc {
            return Err(damaged("its check sum is wrong"));
        }
        Ok(bytes)
    }
}
