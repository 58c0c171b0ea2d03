//! JPEG XL by jxl-oxide (Rust): lossless, lossy and recompressed JPEG, integers up to 16 bits.

use super::{CodecError, Declared, Words, check};
use crate::dicom::codestream::{Codestream, Kind};
use crate::dicom::samples::Samples;
use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JpegReconstructionStatus, JxlImage, JxlThreadPool};
use std::io::Write;

/// Memory that a frame's decoder may take, bytes: its planes of floats several times, never above 1.5 GiB.
fn budget(declared: &Declared<'_>) -> usize {
    let samples = declared.rows as usize * declared.columns as usize * usize::from(declared.samples);
    samples.saturating_mul(32).saturating_add(64 << 20).min(3 << 29)
}

/// What a frame holds.
pub(super) enum Content {
    /// Interleaved samples, colour as RGB; and a warning.
    Samples(Codestream, Samples, Option<String>),
    /// The JPEG that was recompressed, byte for byte.
    Jpeg(Vec<u8>),
}

/// Takes a JPEG as it is written, up to a limit.
struct Limited {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Limited {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            return Err(std::io::Error::other("the recompressed JPEG is too large"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Jxl-oxide 0.12 writes the second byte of a comment's marker twice (FF FE FE); the JPEG had it once.
fn without_doubled_marks(mut jpeg: Vec<u8>) -> Vec<u8> {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = jpeg.get(at..).and_then(|d| d.first_chunk::<4>()) {
        if marker == 0xDA {
            break;
        }
        if marker == 0xFE && high == 0xFE {
            jpeg.remove(at + 2);
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    jpeg
}

/// Decodes the first frame of a JPEG XL stream, bare or in its container.
pub(super) fn decode(frame: &[u8], declared: &Declared<'_>) -> Result<Content, CodecError> {
    let damaged = |e: Box<dyn std::error::Error + Send + Sync>| CodecError::Damaged(e.to_string());
    let mut image = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(budget(declared)))
        .read(frame)
        .map_err(damaged)?;
    let metadata = &image.image_header().metadata;
    let BitDepth::IntegerSample { bits_per_sample } = metadata.bit_depth else {
        return Err(CodecError::Damaged("JPEG XL with floating-point samples cannot be decoded".into()));
    };
    let format = image.pixel_format();
    if format.has_black() {
        return Err(CodecError::Damaged("JPEG XL with a black channel cannot be decoded".into()));
    }
    let found = Codestream {
        kind: Kind::JpegXl,
        rows: image.height(),
        columns: image.width(),
        components: if format.is_grayscale() { 1 } else { 3 },
        precision: u8::try_from(bits_per_sample).unwrap_or(u8::MAX),
        component_transform: true,
        ..Codestream::default()
    };
    check(&found, declared)?;
    let count = found.rows as usize * found.columns as usize * usize::from(found.components);
    if matches!(image.jpeg_reconstruction_status(), JpegReconstructionStatus::Available) {
        // Decoding that JPEG gives the very pixels that it gave before.
        let mut jpeg = Limited { bytes: Vec::new(), most: count.saturating_mul(4).saturating_add(1 << 20) };
        if image.reconstruct_jpeg(&mut jpeg).is_ok() {
            return Ok(Content::Jpeg(without_doubled_marks(jpeg.bytes)));
        }
    }
    let (render, warning) = if image.num_loaded_keyframes() > 0 {
        (image.render_frame(0).map_err(damaged)?, None)
    } else {
        let partial = image.render_loading_frame().map_err(damaged)?;
        (partial, Some("the data end early; parts of the picture are coarse or missing".to_owned()))
    };
    let mut stream = render.stream_no_alpha();
    if (stream.width(), stream.height(), stream.channels()) != (found.columns, found.rows, u32::from(found.components))
    {
        return Err(CodecError::Damaged("the frame does not fill the picture".into()));
    }
    let mut values = vec![0f32; count];
    if stream.write_to_buffer(&mut values) != count {
        return Err(CodecError::Damaged("the frame does not fill the picture".into()));
    }
    // Whole numbers up to 16 bits go through f32 and back unchanged: 24 significant bits.
    let most = ((1u32 << found.precision) - 1) as f32;
    let scaled = values.into_iter().map(|v| (v * most).round().clamp(0.0, most));
    let samples = if found.precision <= 8 {
        Samples::Bytes(scaled.map(|v| v as u8).collect())
    } else {
        let words: Words = scaled.map(|v| v as u16).collect();
        Samples::Words(words)
    };
    Ok(Content::Samples(found, samples, warning))
}

#[cfg(test)]
mod tests {
    use super::without_doubled_marks;

    #[test]
    fn a_comment_has_one_marker() {
        let jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0xFE, 0xFE, 0xFF, 0xFE, 0, 3, 7, 0xFF, 0xDA, 0xFF, 0xFE, 0xFE];
        assert_eq!(without_doubled_marks(jpeg.to_vec()), jpeg);
        let mut doubled = jpeg.to_vec();
        doubled.insert(10, 0xFE);
        assert_eq!(without_doubled_marks(doubled), jpeg);
        for end in 0..jpeg.len() {
            assert_eq!(without_doubled_marks(jpeg[..end].to_vec()), jpeg[..end]);
        }
    }
}
