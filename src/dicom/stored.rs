//! Frames as they are stored, without decoding: what a DICOMweb server sends for `transfer-syntax=*`.

use super::dataset::Endian;
use super::read::Header;
use super::{fragments, parse};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use std::ops::Range;

/// Why a frame cannot be taken out as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// The object has no pixel data.
    #[error("the object has no pixel data")]
    NoPixels,
    /// Frames cannot be told apart.
    #[error("frames cannot be told apart in the pixel data")]
    NoFrames,
}

/// The frames of one object. Holds ranges only; the bytes stay in the header's source.
#[derive(Debug, Clone)]
pub struct StoredFrames {
    header: Header,
    frames: Vec<Vec<Range<usize>>>,
    encapsulated: bool,
    /// Bytes of a word that must be turned round for little endian; 1 = none.
    word: usize,
}

impl StoredFrames {
    /// Finds the frames of a whole object (read with [`Header::from_bytes`]).
    pub fn of(header: Header) -> Result<Self, StoredError> {
        let pixel = header.pixel.clone().ok_or(StoredError::NoPixels)?;
        let view = header.view();
        let declared = usize::try_from(view.int(tags::NUMBER_OF_FRAMES).unwrap_or(1)).unwrap_or(1).clamp(1, 1 << 20);
        let source: &[u8] = &header.source;
        let item = source.get(pixel.start..).is_some_and(|d| d.starts_with(&[0xFE, 0xFF, 0x00, 0xE0]));
        if pixel.length.is_none() && item {
            let (ranges, _cut) = parse::fragments(source, pixel.start, header.coding.endian);
            let (table, ranges) = ranges.split_first().ok_or(StoredError::NoFrames)?;
            let table = source.get(table.clone()).unwrap_or_default().as_chunks::<4>().0;
            let basic: Vec<u64> = table.iter().map(|b| u64::from(u32::from_le_bytes(*b))).collect();
            let table = view.bytes(tags::EXTENDED_OFFSET_TABLE).unwrap_or_default().as_chunks::<8>().0;
            let extended: Vec<u64> = table.iter().map(|b| u64::from_le_bytes(*b)).collect();
            let frames = fragments::group(source, ranges, declared, &extended, &basic);
            if frames.is_empty() {
                return Err(StoredError::NoFrames);
            }
            return Ok(Self { header, frames, encapsulated: true, word: 1 });
        }
        const NATIVE: [&str; 4] =
            ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"];
        if !NATIVE.contains(&header.transfer_syntax()) {
            return Err(StoredError::NoFrames);
        }
        let end = pixel.length.map_or(source.len(), |l| pixel.start.saturating_add(l as usize)).min(source.len());
        let value = pixel.start.min(end)..end;
        let number = |tag: Tag, default: i64| view.int(tag).unwrap_or(default).clamp(0, i64::from(u32::MAX)) as u128;
        let allocated = number(tags::BITS_ALLOCATED, 0);
        let bits = number(tags::ROWS, 0) * number(tags::COLUMNS, 0) * number(tags::SAMPLES_PER_PIXEL, 1) * allocated;
        let photometric = view.string(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
        // Unless every pixel's colour is stored in spite of the name: exactly that, or padded to an even length.
        let colours = bits.saturating_mul(declared as u128) / 8;
        let full = [colours, colours + (colours & 1)].contains(&(value.len() as u128));
        let bits = if photometric.ends_with("_422") && !full { bits / 3 * 2 } else { bits };
        // Frames of single bits need not begin at a byte (PS3.5 8.1.1): then only one frame can be taken out.
        if bits == 0 || (!bits.is_multiple_of(8) && declared > 1) {
            return Err(StoredError::NoFrames);
        }
        let size = usize::try_from(bits.div_ceil(8)).map_err(|_| StoredError::NoFrames)?;
        let held = value.len().div_ceil(size).min(declared);
        let frames = (0..held).map(|n| {
            let start = value.start + n * size;
            std::iter::once(start..(start + size).min(value.end)).collect()
        });
        let word = match (header.coding.endian, pixel.vr, allocated) {
            (Endian::Little, ..) => 1,
            (_, _, 16) | (_, VR::OW, 8) => 2,
            (_, _, 32) => 4,
            (_, _, 64) => 8,
            _ => 1,
        };
        Ok(Self { frames: frames.collect(), header, encapsulated: false, word })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.frames.len()
    }

    /// Compressed, each frame on its own.
    pub fn encapsulated(&self) -> bool {
        self.encapsulated
    }

    /// The bytes of a frame, counted from 0: the fragments joined, or little-endian samples.
    pub fn bytes(&self, index: usize) -> Option<Vec<u8>> {
        let parts = self.frames.get(index)?;
        let source: &[u8] = &self.header.source;
        let joined: Vec<u8> = parts.iter().flat_map(|r| source.get(r.clone()).unwrap_or_default()).copied().collect();
        if self.word == 1 {
            return Some(joined);
        }
        Some(joined.chunks(self.word).flat_map(|w| w.iter().rev().copied()).collect())
    }
}
