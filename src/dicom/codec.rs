//! One compressed frame → samples, through dicom-rs's registry of codecs, with its faults kept away:
//! a codec gets exactly one frame, whose own headers agree with the object's, and no say in colour.

use super::codestream::{self, Codestream};
use super::{colour, rle};
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A frame that cannot be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    #[error("transfer syntax {0} cannot be decoded")]
    Unsupported(String),
    #[error("the compressed frame is damaged: {0}")]
    Damaged(String),
    #[error("the compressed frame is {found}, the object says {declared}")]
    Contradiction { found: String, declared: String },
}

/// What the object says of the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) syntax: &'a str,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) samples: u16,
    pub(super) allocated: u16,
    pub(super) stored: u16,
}

/// Samples of a decompressed frame: interleaved by pixel, little endian.
#[derive(Debug, PartialEq)]
pub(super) struct Decompressed {
    pub(super) bytes: Vec<u8>,
    /// Bits a sample takes in `bytes`: 8 or 16 (32 for RLE).
    pub(super) allocated: u16,
    /// The codestream's own headers, where it has some.
    pub(super) codestream: Option<Codestream>,
    pub(super) warning: Option<&'static str>,
}

pub(super) const RLE_LOSSLESS: &str = "1.2.840.10008.1.2.5";

/// Whether frames in this syntax can be decompressed at all.
pub(super) fn supported(syntax: &str) -> bool {
    syntax == RLE_LOSSLESS
        || TransferSyntaxRegistry
            .get(syntax)
            .is_some_and(|ts| matches!(ts.codec(), Codec::EncapsulatedPixelData(Some(_), _)))
}

/// Decompresses one frame.
pub(super) fn decompress(frame: &[u8], declared: &Declared<'_>) -> Result<Decompressed, CodecError> {
    let pixels = declared.rows as usize * declared.columns as usize;
    if declared.syntax == RLE_LOSSLESS {
        let bytes = usize::from(declared.allocated.div_ceil(8));
        // Single bits stay packed, eight pixels a byte.
        let pixels = if declared.allocated == 1 { pixels.div_ceil(8) } else { pixels };
        let (bytes, cut) = rle::decode(frame, pixels, usize::from(declared.samples), bytes)
            .map_err(|e| CodecError::Damaged(e.to_string()))?;
        let warning = cut.then_some("the compressed frame ends early: the rest is shown as 0");
        return Ok(Decompressed { bytes, allocated: declared.allocated, codestream: None, warning });
    }
    let headers = codestream::jpeg(frame).or_else(|| codestream::jpeg2000(frame));
    let Some(headers) = headers else {
        return Err(CodecError::Damaged("no sound codestream header".into()));
    };
    check(&headers, declared)?;
    let allocated: u16 = if headers.precision > 8 { 16 } else { 8 };
    let jpeg = !matches!(headers.start_of_frame, 0 | 0xF7);
    let prepared = if jpeg && headers.components == 3 { without_colour_hints(frame) } else { Cow::Borrowed(frame) };
    let expected = pixels * usize::from(declared.samples) * usize::from(allocated / 8);
    // dicom-rs refuses frames of 16 MiB that were compressed more than 64-fold, as an empty mammogram is. Our
    // own limit is checked already, so the frame is lengthened with zeros behind its end.
    let mut prepared = prepared;
    if prepared.len() <= expected / 64 {
        prepared.to_mut().resize(expected / 64 + 64, 0);
    }
    if headers.start_of_frame == 0xF7 {
        // CharLS 2.4 runs for minutes on data that end without a marker; with one it says that they are damaged.
        prepared.to_mut().extend([0xFF, 0xD9]);
    }
    let one = OneFrame { declared: *declared, allocated, frame: &prepared };
    let mut bytes = run(&one, declared.syntax)?;
    if bytes.len() != expected {
        return Err(CodecError::Damaged(format!("{} bytes decoded, {expected} expected", bytes.len())));
    }
    if headers.start_of_frame == 0xF7 && headers.planar {
        bytes = colour::interleave(&bytes, pixels, usize::from(declared.samples), usize::from(allocated / 8));
    }
    Ok(Decompressed { bytes, allocated, codestream: Some(headers), warning: None })
}

fn check(found: &Codestream, declared: &Declared<'_>) -> Result<(), CodecError> {
    let same = found.rows == declared.rows && found.columns == declared.columns && found.components == declared.samples;
    if !same {
        return Err(CodecError::Contradiction {
            found: format!("{} x {} with {} samples", found.rows, found.columns, found.components),
            declared: format!("{} x {} with {}", declared.rows, declared.columns, declared.samples),
        });
    }
    if found.start_of_frame == 0 && found.subsampled {
        return Err(CodecError::Damaged("JPEG 2000 with sub-sampled components cannot be decoded".into()));
    }
    if found.precision > 16 {
        return Err(CodecError::Damaged(format!("{} bits a sample cannot be decoded", found.precision)));
    }
    let lossy_twelve = found.precision > 8 && matches!(found.start_of_frame, 0xC0..=0xC2 | 0xC9 | 0xCA);
    if lossy_twelve {
        return Err(CodecError::Unsupported(format!("{} (lossy JPEG with 12 bits)", declared.syntax)));
    }
    Ok(())
}

fn run(one: &OneFrame<'_>, syntax: &str) -> Result<Vec<u8>, CodecError> {
    let unsupported = || CodecError::Unsupported(syntax.to_owned());
    let transfer_syntax = TransferSyntaxRegistry.get(syntax).ok_or_else(unsupported)?;
    let Codec::EncapsulatedPixelData(Some(reader), _) = transfer_syntax.codec() else { return Err(unsupported()) };
    let mut bytes = Vec::new();
    // The adapters slice with sizes that the codestream names; what `check` does not foresee must not end
    // the program.
    match catch_unwind(AssertUnwindSafe(|| reader.decode_frame(one, 0, &mut bytes))) {
        Ok(Ok(())) => Ok(bytes),
        Ok(Err(error)) => Err(CodecError::Damaged(chain(&error))),
        Err(_) => Err(CodecError::Damaged("the decoder gave up".into())),
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

/// Renames the three components so that the JPEG decoder leaves their values alone: it would guess the
/// colour transform from identifiers 1, 2, 3 whatever the object says. The conversion is ours.
fn without_colour_hints(frame: &[u8]) -> Cow<'_, [u8]> {
    let mut out = frame.to_vec();
    let mut names: Vec<(u8, u8)> = Vec::new();
    let mut at = 2;
    while let Some(&[0xFF, marker]) = out.get(at..).and_then(|d| d.first_chunk::<2>()) {
        if marker == 0xFF {
            at += 1;
            continue;
        }
        if matches!(marker, 0x01 | 0xD0..=0xD9) {
            at += 2;
            continue;
        }
        let Some(length) = out.get(at + 2..).and_then(|d| d.first_chunk::<2>()).map(|b| u16::from_be_bytes(*b)) else {
            break;
        };
        let end = at + 2 + usize::from(length);
        let Some(body) = out.get_mut(at + 4..end) else { break };
        let frame_header = matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF);
        if frame_header {
            for (component, name) in body.get_mut(6..).unwrap_or_default().chunks_exact_mut(3).zip(*b"RGB") {
                if let Some(id) = component.first_mut() {
                    names.push((*id, name));
                    *id = name;
                }
            }
        }
        at = end;
        if marker == 0xDA {
            let count = usize::from(body.first().copied().unwrap_or(0));
            for selector in body.get_mut(1..).unwrap_or_default().chunks_exact_mut(2).take(count) {
                if let Some(id) = selector.first_mut()
                    && let Some((_, name)) = names.iter().find(|(old, _)| old == id)
                {
                    *id = *name;
                }
            }
            // Entropy-coded data run to the next marker that is neither stuffing nor a restart.
            let rest = out.get(at..).unwrap_or_default();
            let next = rest.windows(2).position(|w| matches!(w, [0xFF, m] if !matches!(m, 0x00 | 0xD0..=0xD7)));
            at += next.unwrap_or(rest.len());
        }
    }
    Cow::Owned(out)
}

/// One frame in one fragment, as dicom-rs's adapters want to see it.
struct OneFrame<'a> {
    declared: Declared<'a>,
    allocated: u16,
    frame: &'a [u8],
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.declared.syntax
    }
    fn rows(&self) -> Option<u16> {
        u16::try_from(self.declared.rows).ok()
    }
    fn cols(&self) -> Option<u16> {
        u16::try_from(self.declared.columns).ok()
    }
    fn samples_per_pixel(&self) -> Option<u16> {
        Some(self.declared.samples)
    }
    fn bits_allocated(&self) -> Option<u16> {
        Some(self.allocated)
    }
    fn bits_stored(&self) -> Option<u16> {
        Some(self.declared.stored.min(self.allocated))
    }
    fn photometric_interpretation(&self) -> Option<&str> {
        Some(if self.declared.samples == 1 { "MONOCHROME2" } else { "RGB" })
    }
    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }
    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }
    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then_some(Cow::Borrowed(self.frame))
    }
    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        Some(Cow::Borrowed(&[0]))
    }
    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData { fragments: vec![self.frame.to_vec()].into(), offset_table: vec![0].into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";

    fn declared(rows: u32, columns: u32) -> Declared<'static> {
        Declared { syntax: JPEG_LS, rows, columns, samples: 1, allocated: 16, stored: 16 }
    }

    fn encoded(raw: &[u8], declared: Declared<'_>) -> Vec<u8> {
        let one = OneFrame { declared, allocated: 16, frame: raw };
        let syntax = TransferSyntaxRegistry.get(JPEG_LS).expect("registered");
        let Codec::EncapsulatedPixelData(_, Some(writer)) = syntax.codec() else { panic!("no encoder") };
        let mut out = Vec::new();
        writer.encode_frame(&one, 0, dicom_encoding::adapters::EncodeOptions::new(), &mut out).expect("encodes");
        out
    }

    #[test]
    fn jpeg_ls_is_exact_and_never_hangs_on_damage() {
        let raw: Vec<u8> = (0..32 * 32u32)
            .flat_map(|i| ((i.wrapping_mul(i).wrapping_mul(7919) % 65521) as u16).to_le_bytes())
            .collect();
        let stream = encoded(&raw, declared(32, 32));
        let out = decompress(&stream, &declared(32, 32)).expect("decodes");
        assert_eq!((out.bytes, out.allocated), (raw, 16));
        for end in (0..stream.len() - 4).step_by(7) {
            assert!(decompress(&stream[..end], &declared(32, 32)).is_err(), "cut at {end}");
        }
        // Noise in place of the scan, without a marker at the end: CharLS alone would run for minutes.
        let scan = stream.windows(2).position(|w| w == [0xFF, 0xDA]).expect("scan") + 10;
        for (seed, tail) in [(1u8, 40usize), (7, 200), (91, 900)] {
            let mut noisy = stream[..scan].to_vec();
            noisy.extend((0..tail).map(|i| (i as u8).wrapping_mul(seed) & 0x7F));
            noisy.extend([0; 64]);
            let _ = decompress(&noisy, &declared(32, 32));
        }
        let other = decompress(&stream, &declared(32, 31));
        assert!(matches!(other, Err(CodecError::Contradiction { .. })));
    }
}
