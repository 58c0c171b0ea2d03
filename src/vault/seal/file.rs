//! Sealed files: chunks of 512 KiB under a random key of the file's own, readable at any position.
//!
//! Header: magic (4) · version (1) · file id (16) · wrapped file key (77). Then the chunks, each ciphertext and tag. The nonce of
//! a chunk is its index; its associated data are file id, index and whether it is the last. So altered, moved, missing, appended
//! and exchanged chunks are all found. The file key is wrapped by the master key with file id and caller's context: a whole file
//! put in another's place is found too, and overwriting the header alone makes the file unreadable.

use super::{BLOB_OVERHEAD_BYTES, SealError, Sealer, aead_key};
use crate::vault::random;
use ring::aead::{Aad, LessSafeKey, Nonce};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use zeroize::{Zeroize as _, Zeroizing};

/// Plain bytes per chunk; only the last one may be shorter.
pub const CHUNK_BYTES: usize = 512 * 1024;
/// First bytes of a sealed file.
pub const MAGIC: [u8; 4] = *b"DkSF";
const VERSION: u8 = 1;
const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const WRAPPED_BYTES: usize = 32 + BLOB_OVERHEAD_BYTES;
/// Bytes before the first chunk.
pub const HEADER_BYTES: usize = MAGIC.len() + 1 + ID_BYTES + WRAPPED_BYTES;
const SEALED_CHUNK_BYTES: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;
const KEY_LABEL: &str = "dokuei file key 1";

fn chunk_nonce(index: u64) -> Nonce {
    let mut nonce = [0u8; 12];
    let (_, counter) = nonce.split_at_mut(4);
    counter.copy_from_slice(&index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn chunk_aad(id: &[u8; ID_BYTES], index: u64, last: bool) -> Aad<[u8; ID_BYTES + 9]> {
    let mut aad = [0u8; ID_BYTES + 9];
    let (id_part, rest) = aad.split_at_mut(ID_BYTES);
    id_part.copy_from_slice(id);
    let (index_part, flag) = rest.split_at_mut(8);
    index_part.copy_from_slice(&index.to_be_bytes());
    flag.fill(u8::from(last));
    Aad::from(aad)
}

fn key_context(id: &[u8; ID_BYTES], context: &[u8]) -> Vec<u8> {
    [id.as_slice(), context].concat()
}

impl Sealer {
    /// Starts a sealed file; write the plain bytes, then call [`SealedWriter::finish`]. Without `finish` the file does not open.
    pub fn seal_file<W: Write>(&self, context: &[u8], mut writer: W) -> Result<SealedWriter<W>, SealError> {
        let id = random::bytes::<ID_BYTES>()?;
        let file_key = random::secret_bytes::<32>()?;
        let wrapped = self.seal_labelled(KEY_LABEL, &key_context(&id, context), file_key.as_ref())?;
        writer.write_all(&MAGIC)?;
        writer.write_all(&[VERSION])?;
        writer.write_all(&id)?;
        writer.write_all(&wrapped)?;
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
        Ok(SealedWriter { writer, key: aead_key(&file_key)?, id, buffer, index: 0, failed: false })
    }

    /// Opens a sealed file for reading. Checks the header and the last chunk at once, so a cut file is refused here.
    pub fn open_file<R: Read + Seek>(&self, context: &[u8], mut reader: R) -> Result<SealedReader<R>, SealError> {
        let total = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let mut header = [0u8; HEADER_BYTES];
        reader.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::NotSealed,
            _ => SealError::Io(error),
        })?;
        let (magic, rest) = header.split_first_chunk::<4>().ok_or(SealError::NotSealed)?;
        if *magic != MAGIC {
            return Err(SealError::NotSealed);
        }
        let (version, rest) = rest.split_first().ok_or(SealError::NotSealed)?;
        if *version != VERSION {
            return Err(SealError::UnknownVersion(*version));
        }
        let (id, wrapped) = rest.split_first_chunk::<ID_BYTES>().ok_or(SealError::NotSealed)?;
        let mut file_key = Zeroizing::new([0u8; 32]);
        let opened = self.open_labelled(KEY_LABEL, &key_context(id, context), wrapped)?;
        if opened.len() != file_key.len() {
            return Err(SealError::Tampered);
        }
        file_key.copy_from_slice(&opened);

        let body = total.checked_sub(HEADER_BYTES as u64).ok_or(SealError::NotSealed)?;
        let chunks = body.div_ceil(SEALED_CHUNK_BYTES);
        let last_index = chunks.checked_sub(1).ok_or(SealError::Tampered)?;
        let tail = body - last_index * SEALED_CHUNK_BYTES;
        let tail_plain = tail.checked_sub(TAG_BYTES as u64).ok_or(SealError::Tampered)?;
        let length = last_index * CHUNK_BYTES as u64 + tail_plain;
        let mut sealed = SealedReader { reader, key: aead_key(&file_key)?, id: *id, length, last_index, held: None };
        sealed.chunk(last_index)?;
        Ok(sealed)
    }
}

/// Seals what is written to it; see [`Sealer::seal_file`].
pub struct SealedWriter<W: Write> {
    writer: W,
    key: LessSafeKey,
    id: [u8; ID_BYTES],
    buffer: Zeroizing<Vec<u8>>,
    index: u64,
    failed: bool,
}

impl<W: Write> SealedWriter<W> {
    /// Seals the last chunk, flushes, and gives the inner writer back (sync it before relying on it).
    pub fn finish(mut self) -> Result<W, SealError> {
        self.put_chunk(true)?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn put_chunk(&mut self, last: bool) -> io::Result<()> {
        // After a failed write the position in the inner writer is unknown; going on would only hide that.
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write to this sealed file failed"));
        }
        let tag = self
            .key
            .seal_in_place_separate_tag(
                chunk_nonce(self.index),
                chunk_aad(&self.id, self.index, last),
                &mut self.buffer,
            )
            .map_err(|_| io::Error::other("sealing failed"))?;
        self.writer.write_all(&self.buffer)?;
        self.writer.write_all(tag.as_ref())?;
        self.buffer.clear();
        self.index += 1;
        self.failed = false;
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is held back until more follows: only then is it known not to be the last.
        if !bytes.is_empty() && self.buffer.len() == CHUNK_BYTES {
            self.put_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    /// Flushes nothing: a chunk is sealed when it is full or last.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> std::fmt::Debug for SealedWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedWriter").field("chunks_written", &self.index).finish_non_exhaustive()
    }
}

/// Reads a sealed file, whole or in part; keeps the chunk read last. Every byte it gives out has been authenticated.
pub struct SealedReader<R: Read + Seek> {
    reader: R,
    key: LessSafeKey,
    id: [u8; ID_BYTES],
    length: u64,
    last_index: u64,
    held: Option<(u64, Zeroizing<Vec<u8>>)>,
}

impl<R: Read + Seek> std::fmt::Debug for SealedReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedReader").field("length", &self.length).finish_non_exhaustive()
    }
}

impl<R: Read + Seek> SealedReader<R> {
    /// Bytes of the plain text.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether the plain text is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The whole plain text.
    pub fn read_whole(&mut self) -> Result<Vec<u8>, SealError> {
        self.read_range(0..self.length)
    }

    /// Plain bytes `range.start..range.end`; a range beyond the end is [`SealError::OutOfRange`].
    pub fn read_range(&mut self, range: Range<u64>) -> Result<Vec<u8>, SealError> {
        if range.start > range.end || range.end > self.length {
            return Err(SealError::OutOfRange);
        }
        let wanted = usize::try_from(range.end - range.start).map_err(|_| SealError::TooLarge)?;
        let mut out = Vec::with_capacity(wanted);
        let mut at = range.start;
        while at < range.end {
            let index = at / CHUNK_BYTES as u64;
            let chunk_start = index * CHUNK_BYTES as u64;
            let end = range.end.min(chunk_start + CHUNK_BYTES as u64);
            let chunk = self.chunk(index)?;
            // Both lie within one chunk, so they fit usize.
            let (from, to) = ((at - chunk_start) as usize, (end - chunk_start) as usize);
            out.extend_from_slice(chunk.get(from..to).ok_or(SealError::Tampered)?);
            at = end;
        }
        Ok(out)
    }

    fn chunk(&mut self, index: u64) -> Result<&[u8], SealError> {
        if self.held.as_ref().is_none_or(|(held, _)| *held != index) {
            let plain = self.load(index)?;
            self.held = Some((index, plain));
        }
        Ok(self.held.as_ref().map(|(_, plain)| plain.as_slice()).unwrap_or_default())
    }

    fn load(&mut self, index: u64) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let last = index == self.last_index;
        let plain_bytes = if last { (self.length - index * CHUNK_BYTES as u64) as usize } else { CHUNK_BYTES };
        let mut buffer = self.held.take().map(|(_, buffer)| buffer).unwrap_or_default();
        buffer.zeroize();
        buffer.resize(plain_bytes + TAG_BYTES, 0);
        self.reader.seek(SeekFrom::Start(HEADER_BYTES as u64 + index * SEALED_CHUNK_BYTES))?;
        self.reader.read_exact(&mut buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::Tampered,
            _ => SealError::Io(error),
        })?;
        self.key
            .open_in_place(chunk_nonce(index), chunk_aad(&self.id, index, last), &mut buffer)
            .map_err(|_| SealError::Tampered)?;
        buffer.truncate(plain_bytes);
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests;
