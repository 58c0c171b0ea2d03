//! How an object's pixel data are to be read: its attributes, checked before anything is allocated, and
//! where each frame's bytes lie.

use super::codec;
use super::dataset::Endian;
use super::decode::{DecodeError, MAX_FRAME_SAMPLES, MAX_NATIVE_FRAME_SAMPLES};
use super::read::Header;
use super::samples::Layout;
use super::{fragments, parse, sop_class};
use crate::study::Why;
use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use std::ops::Range;

pub(super) const ENCAPSULATED_UNCOMPRESSED: &str = "1.2.840.10008.1.2.1.98";
pub(super) const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";

/// The attributes that say how to read pixel data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Image {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) samples: u16,
    pub(super) layout: Layout,
    pub(super) planar: bool,
    pub(super) photometric: String,
    pub(super) declared_frames: u32,
    /// Sub-sampled colour is declared, but every pixel's colour is stored.
    pub(super) full_colour: bool,
}

impl Image {
    /// Writers name 4:2:2 and store every pixel's colour: the length of uncompressed data tells.
    pub(super) fn settle_colour(&mut self, store: &Store) {
        let Store::Native { range, .. } = store else { return };
        let full = self.full_bytes();
        // Exactly, or padded to an even length: more is more frames than declared, not more colour.
        if subsampled(self) && [full, full + (full & 1)].contains(&(range.len() as u64)) {
            self.photometric = if self.photometric == "YBR_FULL_422" { "YBR_FULL" } else { "YBR_PARTIAL" }.into();
            self.full_colour = true;
        }
    }

    /// Bytes of all declared frames with three samples a pixel.
    fn full_bytes(&self) -> u64 {
        let samples = u64::from(self.rows) * u64::from(self.columns) * 3 * u64::from(self.declared_frames);
        samples.saturating_mul(u64::from(self.layout.allocated / 8))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Store {
    /// One run of bytes; `cut` if it is shorter than declared.
    Native { range: Range<usize>, float: bool },
    /// Fragments of each frame.
    Encapsulated { frames: Vec<Vec<Range<usize>>> },
}

pub(super) fn frames_held(image: &Image, store: &Store) -> usize {
    match store {
        Store::Native { range, .. } => {
            let bits = frame_bits(image).max(1);
            // A last frame that is only partly there counts: what is sound of it is shown.
            (range.len().saturating_mul(8)).div_ceil(bits).min(image.declared_frames as usize)
        }
        Store::Encapsulated { frames } => frames.len(),
    }
}

pub(super) fn frame_bits(image: &Image) -> usize {
    let samples = image.rows as usize * image.columns as usize * usize::from(image.samples);
    let bits = samples * usize::from(image.layout.allocated);
    // 4:2:2: two pixels share their colour, so two samples a pixel (PS3.3 C.7.6.3.1.2).
    if subsampled(image) { bits / 3 * 2 } else { bits }
}

pub(super) fn subsampled(image: &Image) -> bool {
    image.samples == 3 && matches!(image.photometric.as_str(), "YBR_FULL_422" | "YBR_PARTIAL_422")
}

pub(super) fn is_encapsulated(syntax: &str) -> bool {
    !matches!(
        syntax,
        "" | uids::IMPLICIT_VR_LITTLE_ENDIAN
            | uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | "1.2.840.10008.1.2.2"
            | "1.2.840.113619.5.2"
    )
}

/// Reads and checks the image's attributes; nothing is allocated before this passed.
pub(super) fn image(header: &Header) -> Result<Image, DecodeError> {
    let view = header.view();
    let number = |tag: Tag| view.int(tag).and_then(|v| u32::try_from(v).ok());
    let (rows, columns) = (number(tags::ROWS).unwrap_or(0), number(tags::COLUMNS).unwrap_or(0));
    let sop_class = header.sop_class();
    if let Some(reason) = sop_class::reason_without_picture(header, &sop_class, rows, columns) {
        return Err(DecodeError::NotAnImage(reason));
    }
    let Some(pixel) = &header.pixel else {
        let why = if header.is_cut() { Why::HeaderCut } else { Why::NoPixels };
        return Err(DecodeError::NotAnImage(why.sentence().into()));
    };
    let contradiction = |text: String| Err(DecodeError::Contradiction(text));
    let mut photometric = view.string(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    let mut samples = number(tags::SAMPLES_PER_PIXEL)
        .unwrap_or(if photometric.starts_with("YBR") || photometric == "RGB" { 3 } else { 1 });
    if samples == 0 {
        samples = 1;
    }
    let samples = u16::try_from(samples).unwrap_or(u16::MAX);
    if !matches!(samples, 1 | 3) {
        return contradiction(format!("{samples} samples a pixel"));
    }
    if samples == 1 && !photometric.starts_with("MONOCHROME") && photometric != "PALETTE COLOR" {
        photometric = "MONOCHROME2".into();
    }
    if samples == 3 && (photometric.starts_with("MONOCHROME") || photometric == "PALETTE COLOR") {
        return contradiction(format!("{photometric} with 3 samples a pixel"));
    }
    let float = pixel.tag.element() != 0x0010;
    let allocated = match (float, pixel.tag.element()) {
        (true, 0x0008) => 32,
        (true, _) => 64,
        _ => number(tags::BITS_ALLOCATED).unwrap_or(if pixel.vr == dicom_core::VR::OB { 8 } else { 16 }),
    };
    if !matches!(allocated, 1 | 8 | 16 | 32 | 64) {
        return Err(DecodeError::Unsupported(format!("{allocated} bits allocated")));
    }
    let stored = if float { allocated } else { number(tags::BITS_STORED).filter(|b| *b > 0).unwrap_or(allocated) };
    if stored > allocated {
        return contradiction(format!("{stored} bits stored in {allocated} allocated"));
    }
    let high_bit = number(tags::HIGH_BIT).unwrap_or(stored - 1);
    let high_bit = if high_bit < allocated && high_bit + 1 >= stored { high_bit } else { stored - 1 };
    let endian = match (header.coding.endian, pixel.swapped) {
        (endian, false) => endian,
        (Endian::Little, true) => Endian::Big,
        (Endian::Big, true) => Endian::Little,
    };
    if u64::from(rows) * u64::from(columns) * u64::from(samples) > MAX_NATIVE_FRAME_SAMPLES {
        return Err(DecodeError::TooLarge { rows, columns, samples });
    }
    Ok(Image {
        rows,
        columns,
        samples,
        layout: Layout {
            allocated: allocated as u16,
            stored: stored as u16,
            high_bit: high_bit as u16,
            signed: !float && view.int(tags::PIXEL_REPRESENTATION) == Some(1),
            endian,
        },
        planar: view.int(tags::PLANAR_CONFIGURATION) == Some(1),
        photometric,
        declared_frames: number(tags::NUMBER_OF_FRAMES).filter(|n| *n > 0).unwrap_or(1),
        full_colour: false,
    })
}

/// Whole frames that uncompressed pixel data of the file's length can hold; `None` if they are compressed or
/// their extent is not known from the header.
pub(super) fn native_frames(header: &Header, image: &Image) -> Option<u32> {
    let pixel = header.pixel.as_ref()?;
    if is_encapsulated(header.transfer_syntax())
        || !image.layout.allocated.is_multiple_of(8) && image.declared_frames > 1
    {
        return None;
    }
    if header.total > super::read::MAX_OBJECT_BYTES as usize {
        // Deflated and not opened to its end, or larger than we take: only opening it tells.
        return None;
    }
    let length = (pixel.length? as usize).min(header.total.saturating_sub(pixel.start));
    let mut image = image.clone();
    image.settle_colour(&Store::Native { range: 0..length, float: false });
    let whole = length.saturating_mul(8) / frame_bits(&image).max(1);
    Some(u32::try_from(whole).unwrap_or(u32::MAX))
}

/// Whether there is a decoder for the object's transfer syntax.
pub(super) fn decodable(header: &Header) -> Result<(), DecodeError> {
    let syntax = header.transfer_syntax();
    let ours = !is_encapsulated(syntax) || syntax == ENCAPSULATED_UNCOMPRESSED || syntax == DEFLATED_FRAMES;
    if ours || codec::supported(syntax) {
        return Ok(());
    }
    Err(DecodeError::Unsupported(format!("transfer syntax {syntax}")))
}

pub(super) fn store(header: &Header, image: &Image) -> Result<Store, DecodeError> {
    let Some(pixel) = &header.pixel else { return Err(DecodeError::NotAnImage(Why::NoPixels.sentence().into())) };
    let source: &[u8] = &header.source;
    let syntax = header.transfer_syntax();
    let item = source.get(pixel.start..).is_some_and(|d| d.starts_with(&[0xFE, 0xFF, 0x00, 0xE0]));
    let samples = u64::from(image.rows) * u64::from(image.columns) * u64::from(image.samples);
    let too_large = || DecodeError::TooLarge { rows: image.rows, columns: image.columns, samples: image.samples };
    if is_encapsulated(syntax) || (pixel.length.is_none() && item) {
        if samples > MAX_FRAME_SAMPLES {
            return Err(too_large());
        }
        decodable(header)?;
        let (ranges, _cut) = parse::fragments(source, pixel.start, header.coding.endian);
        let Some((table, ranges)) = ranges.split_first() else {
            return Err(DecodeError::Damaged("the compressed pixel data hold no frame".into()));
        };
        let basic: Vec<u64> = source
            .get(table.clone())
            .unwrap_or_default()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| u64::from(u32::from_le_bytes(*b)))
            .collect();
        let view = header.view();
        let extended: Vec<u64> = view
            .bytes(tags::EXTENDED_OFFSET_TABLE)
            .unwrap_or_default()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| u64::from_le_bytes(*b))
            .collect();
        let declared = image.declared_frames as usize;
        let frames = fragments::group(source, ranges, declared, &extended, &basic);
        if frames.is_empty() {
            return Err(DecodeError::Damaged("frames cannot be told apart in the compressed pixel data".into()));
        }
        return Ok(Store::Encapsulated { frames });
    }
    let end = match pixel.length {
        Some(length) => pixel.start.saturating_add(length as usize).min(source.len()),
        None => source.len(),
    };
    let range = pixel.start.min(end)..end;
    if range.is_empty() {
        return Err(DecodeError::Damaged("the pixel data are empty or cut off whole".into()));
    }
    // A large frame must be there for the most part before memory is taken for it.
    if samples > MAX_FRAME_SAMPLES && range.len() < frame_bits(image) / 16 {
        return Err(too_large());
    }
    Ok(Store::Native { range, float: pixel.tag.element() != 0x0010 })
}
