//! One compressed frame → samples: a table from transfer syntax to back end. A back end gets exactly one frame,
//! whose own headers agree with the object's.

mod charls;
mod jpegxl;
pub(super) mod openjpeg;
#[cfg(feature = "openjph")]
mod openjph;
mod truncated;
pub(super) mod turbojpeg;

use super::codestream::{self, Codestream, Kind};
use super::samples::Samples;
use super::{colour, jpeg2000, rle};
use crate::imaging::Trouble;
use crate::study::Why;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Samples of more than 8 bits, in the machine's own byte order.
type Words = Vec<u16>;

/// A frame that cannot be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    #[error("transfer syntax {0} cannot be decoded")]
    Unsupported(String),
    #[error("{}", Why::FrameDamaged.with(.0))]
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
    pub(super) photometric: &'a str,
}

/// Samples of a decompressed frame, interleaved by pixel.
#[derive(Debug, PartialEq)]
pub(super) struct Decompressed {
    /// Fewer than the frame has, if only the beginning of a damaged frame is sound.
    pub(super) samples: Samples,
    /// Bits a sample takes: 8 or 16; with RLE also 1 or 32. What RLE gives in bytes is little endian.
    pub(super) allocated: u16,
    /// The codestream's own headers; RLE has none.
    pub(super) codestream: Option<Codestream>,
    /// Colour space of the samples; none for one sample a pixel.
    pub(super) photometric: Option<&'static str>,
    pub(super) warnings: Vec<Trouble>,
}

pub(super) const RLE_LOSSLESS: &str = "1.2.840.10008.1.2.5";
const JPEG_FAMILY: &str = "1.2.840.10008.1.2.4.";

/// The kind of codestream that a transfer syntax announces; `None` if nothing here decodes it.
fn announced(syntax: &str) -> Option<Kind> {
    Some(match syntax.strip_prefix(JPEG_FAMILY)? {
        // Baseline, extended, lossless (14, SV1), and the retired progressive and arithmetic lossy ones.
        "50" | "51" | "52" | "53" | "54" | "55" | "56" | "57" | "70" => Kind::Jpeg,
        "80" | "81" => Kind::JpegLs,
        // Parts 1 and 2 (what of Part 2 is Part 1 decodes), and HTJ2K.
        "90" | "91" | "92" | "93" | "201" | "202" | "203" => Kind::Jpeg2000,
        "110" | "111" | "112" => Kind::JpegXl,
        _ => return None,
    })
}

/// Whether frames in this syntax can be decompressed at all.
pub(super) fn supported(syntax: &str) -> bool {
    syntax == RLE_LOSSLESS || announced(syntax).is_some()
}

/// Decompresses one frame.
pub(super) fn decompress(frame: &[u8], declared: &Declared<'_>) -> Result<Decompressed, CodecError> {
    if declared.syntax == RLE_LOSSLESS {
        return run_length(frame, declared);
    }
    let announced = announced(declared.syntax).ok_or_else(|| CodecError::Unsupported(declared.syntax.to_owned()))?;
    let mut warnings = Vec::new();
    let (found, samples, warning) =
        if codestream::is_jpeg_xl(frame) { jpeg_xl(frame, declared)? } else { bare(frame, declared)? };
    if found.kind != announced {
        warnings.push(Trouble::Coding { declared: announced.to_string(), found: found.kind.to_string() });
    }
    let codec = found.kind.to_string();
    warnings.extend(warning.map(|message| {
        let harmless = openjpeg::harmless(&message);
        if harmless { Trouble::CodestreamOdd { codec, message } } else { Trouble::Codestream { codec, message } }
    }));
    let photometric = (found.components == 3).then(|| colour_space(&found, declared.photometric));
    let allocated = samples.bits();
    Ok(Decompressed { samples, allocated, codestream: Some(found), photometric, warnings })
}

type Decoded = Result<(Codestream, Samples, Option<String>), CodecError>;

/// Every codestream but JPEG XL.
fn bare(frame: &[u8], declared: &Declared<'_>) -> Decoded {
    let (found, frame) = codestream::jpeg(frame)
        .map(|found| (found, frame))
        .or_else(|| jpeg2000::header(frame))
        .ok_or_else(|| CodecError::Damaged("no sound codestream header".into()))?;
    check(&found, declared)?;
    let (samples, warning) = match found.kind {
        Kind::Jpeg => jpeg(frame, &found, declared)?,
        Kind::JpegLs => jpeg_ls(frame, &found)?,
        Kind::Jpeg2000 | Kind::JpegXl => jpeg_2000(frame, &found)?,
    };
    Ok((found, samples, warning))
}

fn jpeg_xl(frame: &[u8], declared: &Declared<'_>) -> Decoded {
    // Jxl-oxide is Rust, so what it does not foresee unwinds; it must not end the program.
    let content = catch_unwind(AssertUnwindSafe(|| jpegxl::decode(frame, declared)))
        .unwrap_or_else(|_| Err(CodecError::Damaged("the decoder gave up".into())))?;
    match content {
        jpegxl::Content::Samples(found, samples, warning) => Ok((found, samples, warning)),
        jpegxl::Content::Jpeg(jpeg) => {
            let (found, samples, warning) = bare(&jpeg, declared)?;
            Ok((Codestream { kind: Kind::JpegXl, ..found }, samples, warning))
        }
    }
}

fn run_length(frame: &[u8], declared: &Declared<'_>) -> Result<Decompressed, CodecError> {
    let pixels = declared.rows as usize * declared.columns as usize;
    let bytes = usize::from(declared.allocated.div_ceil(8));
    // Single bits stay packed, eight pixels a byte.
    let pixels = if declared.allocated == 1 { pixels.div_ceil(8) } else { pixels };
    let (mut out, sound) = rle::decode(frame, pixels, usize::from(declared.samples), bytes)
        .map_err(|e| CodecError::Damaged(e.to_string()))?;
    // A pixel is sound when all its segments reach it.
    out.truncate(match &out {
        Samples::Words(_) => sound,
        Samples::Bytes(_) => sound * usize::from(declared.samples) * bytes,
    });
    let photometric = (declared.samples == 3).then(|| full_space(declared.photometric));
    Ok(Decompressed {
        samples: out,
        allocated: declared.allocated,
        codestream: None,
        photometric,
        warnings: Vec::new(),
    })
}

/// Most tiles of a JPEG 2000 picture: each costs several KiB before anything is decoded.
const MOST_TILES: u64 = 1 << 14;

/// The frame's headers against the object's: size and components decide how much memory is taken.
fn check(found: &Codestream, declared: &Declared<'_>) -> Result<(), CodecError> {
    let same = found.rows == declared.rows && found.columns == declared.columns && found.components == declared.samples;
    if !same {
        return Err(CodecError::Contradiction {
            found: format!("{} x {} with {} samples", found.rows, found.columns, found.components),
            declared: format!("{} x {} with {}", declared.rows, declared.columns, declared.samples),
        });
    }
    let damaged = |text: String| Err(CodecError::Damaged(text));
    if found.kind == Kind::Jpeg2000 && found.subsampled {
        return damaged("JPEG 2000 with sub-sampled components cannot be decoded".into());
    }
    if found.tiles > MOST_TILES {
        return damaged(format!("{} tiles are too many", found.tiles));
    }
    let lowest = if matches!(found.kind, Kind::Jpeg | Kind::JpegLs) { 2 } else { 1 };
    if !(lowest..=16).contains(&found.precision) {
        return damaged(format!("{} bits a sample cannot be decoded", found.precision));
    }
    if found.kind == Kind::Jpeg {
        match found.start_of_frame {
            0xC0..=0xC2 | 0xC9 | 0xCA if !matches!(found.precision, 8 | 12) => {
                return damaged(format!("lossy JPEG has 8 or 12 bits, not {}", found.precision));
            }
            0xC0..=0xC3 | 0xC9 | 0xCA => {}
            0xCB => return damaged("lossless JPEG with arithmetic coding cannot be decoded".into()),
            _ => return damaged("hierarchical JPEG cannot be decoded".into()),
        }
    }
    Ok(())
}

type Outcome = Result<(Samples, Option<String>), CodecError>;

fn jpeg(frame: &[u8], found: &Codestream, declared: &Declared<'_>) -> Outcome {
    let wanted = turbojpeg::Wanted {
        columns: found.columns,
        rows: found.rows,
        components: found.components,
        precision: found.precision,
    };
    let prepared = if found.components == 3 {
        let convert = found.lossy_jpeg() && colour::is_ycbcr(found, declared.photometric);
        Cow::Owned(codestream::with_transform(frame, u8::from(convert)))
    } else {
        Cow::Borrowed(frame)
    };
    let (samples, warning) = turbojpeg::decode(&prepared, wanted).map_err(CodecError::Damaged)?;
    let Some(warning) = warning else { return Ok((samples, None)) };
    let sound = truncated::sound_part(&prepared, samples, found, |bytes| {
        turbojpeg::decode(bytes, wanted).ok().map(|(samples, _)| samples)
    });
    Ok((sound, Some(warning)))
}

fn jpeg_ls(frame: &[u8], found: &Codestream) -> Outcome {
    let wanted = charls::Wanted {
        columns: found.columns,
        rows: found.rows,
        components: found.components,
        precision: found.precision,
        planar: found.planar,
    };
    let (samples, warning) = charls::decode(frame, wanted).map_err(CodecError::Damaged)?;
    if !found.planar {
        return Ok((samples, warning));
    }
    let pixels = found.rows as usize * found.columns as usize;
    let samples = match samples {
        Samples::Bytes(planes) => Samples::Bytes(colour::interleave(&planes, pixels, usize::from(found.components), 1)),
        Samples::Words(planes) => Samples::Words(colour::interleave_words(&planes, pixels)),
    };
    Ok((samples, warning))
}

fn jpeg_2000(stream: &[u8], found: &Codestream) -> Outcome {
    let wanted = openjpeg::Wanted {
        columns: found.columns,
        rows: found.rows,
        components: found.components,
        precision: found.precision,
    };
    let prepared = jpeg2000::prepare(stream, found).map_err(|reason| CodecError::Damaged(reason.to_owned()))?;
    #[cfg(feature = "openjph")]
    if let Some(samples) = openjph::decode(&prepared.stream, found) {
        return Ok((samples, None));
    }
    let (samples, warning) = openjpeg::decode(&prepared.stream, wanted).map_err(CodecError::Damaged)?;
    let cut = prepared.cut.then(|| "the data end within a tile-part".to_owned());
    Ok((samples, warning.or(cut)))
}

/// The colour space of what a back end gives, which is never what 4:2:2 says and may already be RGB.
fn colour_space(found: &Codestream, declared: &str) -> &'static str {
    match found.kind {
        Kind::Jpeg if found.lossy_jpeg() => "RGB",
        Kind::JpegXl => "RGB",
        // A component transform is undone by the decoder, whatever the object calls the result; without one, YBR_RCT
        // and YBR_ICT name a transform that did not happen.
        Kind::Jpeg2000 if found.component_transform => "RGB",
        _ => full_space(declared),
    }
}

fn full_space(declared: &str) -> &'static str {
    match declared {
        "YBR_FULL" | "YBR_FULL_422" => "YBR_FULL",
        "YBR_PARTIAL_422" | "YBR_PARTIAL_420" => "YBR_PARTIAL_422",
        _ => "RGB",
    }
}

#[cfg(test)]
mod tests;
