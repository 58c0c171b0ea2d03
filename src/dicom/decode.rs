//! An opened object and its frames: `Object::frame` → `imaging::Frame`, by index, without touching the others.

use super::codec::{self, CodecError, Declared};
use super::dataset::{Endian, View};
use super::icc::Conversion;
use super::image::{
    DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED, Image, Store, frame_bits, frames_held, image, is_encapsulated, store,
    subsampled,
};
use super::read::{Header, ReadError};
use super::reconcile::reconcile;
use super::samples::{self, Layout, Samples};
use super::{colour, functional, graphics, inflate, luts, meaning, real_world};
use crate::imaging::{Display, Frame, FrameError, Modality, Padding, Photometric, Pixels, Trouble};
use crate::study::{FrameIndex, Why};
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Most samples of one compressed frame; beyond it nothing is allocated (a codec takes up to 8 bytes a sample).
pub const MAX_FRAME_SAMPLES: u64 = 1 << 26;
/// Most samples of one uncompressed frame.
pub const MAX_NATIVE_FRAME_SAMPLES: u64 = 1 << 28;

/// Why a frame cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The object holds no picture.
    #[error("{0}")]
    NotAnImage(String),
    /// The object has fewer frames, or the frame's data are missing.
    #[error("frame {number} is not in the object, which holds {held}")]
    NoSuchFrame {
        /// Wanted, counted from 1.
        number: u32,
        /// Frames held.
        held: usize,
    },
    /// Attributes contradict each other.
    #[error("{}", Why::Contradiction.with(.0))]
    Contradiction(String),
    /// This program has no decoder for it.
    #[error("{}", Why::Undecodable.with(.0))]
    Unsupported(String),
    /// The pixel data are damaged.
    #[error("{0}")]
    Damaged(String),
    /// Beyond the memory budget.
    #[error("{}: {rows} x {columns} x {samples} samples a frame", Why::TooLarge.sentence())]
    TooLarge {
        /// Rows declared.
        rows: u32,
        /// Columns declared.
        columns: u32,
        /// Samples per pixel declared.
        samples: u16,
    },
    /// Size and content differ.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl From<CodecError> for DecodeError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Unsupported(what) => Self::Unsupported(what),
            CodecError::Damaged(_) => Self::Damaged(error.to_string()),
            CodecError::Contradiction { .. } => Self::Contradiction(error.to_string()),
        }
    }
}

/// An object whose bytes are in memory. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Object {
    header: Header,
    image: Result<(Image, Store), DecodeError>,
    /// Made with the first colour frame.
    colour: Arc<OnceLock<Result<Option<Conversion>, String>>>,
}

impl Object {
    /// Opens an object's bytes. Objects without pixels open too; their frames say why there are none.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ReadError> {
        let header = Header::from_bytes(bytes)?;
        let image = image(&header).and_then(|mut image| {
            let store = store(&header, &image)?;
            image.settle_colour(&store);
            Ok((image, store))
        });
        Ok(Self { header, image, colour: Arc::default() })
    }

    /// The same object with the stored values of a palette picture in place of its colours: labels of a label map.
    pub(super) fn into_labels(mut self) -> Self {
        if let Ok((image, _)) = &mut self.image
            && image.photometric == "PALETTE COLOR"
        {
            "MONOCHROME2".clone_into(&mut image.photometric);
        }
        self
    }

    /// Reads a file whole.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let mut file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        if size > super::read::MAX_OBJECT_BYTES {
            return Err(ReadError::TooLarge { size, limit: super::read::MAX_OBJECT_BYTES });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        (&mut file).take(super::read::MAX_OBJECT_BYTES).read_to_end(&mut bytes)?;
        Self::from_bytes(bytes)
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Frames whose data are there, at least in part; the reason if there are none.
    pub fn frame_count(&self) -> Result<usize, DecodeError> {
        let (image, store) = self.image()?;
        Ok(frames_held(image, store))
    }

    /// Memory held, bytes, near enough for budgets.
    pub fn bytes(&self) -> usize {
        self.header.source.len()
    }

    /// The bytes of an uncompressed frame where they lie in the object, without any copy; short where the object is.
    /// `None` if the frame is compressed, is not there, or does not begin at a byte.
    pub fn borrowed_frame(&self, index: FrameIndex) -> Option<&[u8]> {
        let (image, store) = self.image.as_ref().ok()?;
        let Store::Native { range, .. } = store else { return None };
        let at = index.0 as usize;
        let there = at < frames_held(image, store) && frame_bits(image).is_multiple_of(8);
        there.then(|| self.native_bytes(image, range, at))
    }

    pub(super) fn image(&self) -> Result<&(Image, Store), DecodeError> {
        self.image.as_ref().map_err(Clone::clone)
    }

    /// Decodes one frame; colour comes as sRGB by the object's ICC profile. Partial trouble comes as the frame's
    /// warnings.
    pub fn frame(&self, index: FrameIndex) -> Result<Frame, DecodeError> {
        let mut frame = self.stored_frame(index)?;
        let Pixels::Rgb8(rgb) = Arc::make_mut(&mut frame.pixels) else { return Ok(frame) };
        let result = match self.colour.get_or_init(|| Conversion::of(&self.header.view())) {
            Ok(None) => return Ok(frame),
            Ok(Some(conversion)) => conversion.apply(rgb),
            Err(reason) => Err(reason.clone()),
        };
        match result {
            Ok(converted) => *rgb = converted,
            Err(reason) => frame.warnings.push(Trouble::ColourProfile { reason }),
        }
        Ok(frame)
    }

    /// As [`Object::frame`], with colour as it is stored: RGB without regard to the ICC profile.
    pub fn stored_frame(&self, index: FrameIndex) -> Result<Frame, DecodeError> {
        let (image, store) = self.image()?;
        let held = frames_held(image, store);
        let at = index.0 as usize;
        if at >= held {
            return Err(DecodeError::NoSuchFrame { number: index.number(), held });
        }
        let view = self.header.view();
        let mut warnings: Vec<Trouble> = image.full_colour.then_some(Trouble::FullColour).into_iter().collect();
        if image.declared_frames as usize > held {
            warnings.push(Trouble::Frames { declared: image.declared_frames, held });
        }
        let mut pixels = match store {
            Store::Native { range, float: true } => self.float_frame(image, range, at, &mut warnings),
            Store::Native { range, float: false } => self.native_frame(image, range, at, &view, &mut warnings)?,
            Store::Encapsulated { frames } => {
                let parts = frames.get(at).map(Vec::as_slice).unwrap_or_default();
                self.encapsulated_frame(image, &self.gather(parts), &view, &mut warnings)?
            }
        };
        let grey = !matches!(pixels, Pixels::Rgb8(_));
        let signed = image.layout.signed;
        let mut padding = if grey { meaning::padding(&view, at, signed, image.layout.stored) } else { None };
        let expected = image.rows as usize * image.columns as usize;
        if pixels.len() < expected {
            let missing = expected - pixels.len();
            warnings.push(Trouble::Cut { missing, expected });
            let mark = samples::fill(&mut pixels, expected, padding.map(|p| p.low));
            padding = padding.or(mark.map(|value| Padding { low: value, high: value }));
        }
        let photometric = match (grey, image.photometric.as_str()) {
            (false, _) => Photometric::Color,
            (true, "MONOCHROME1") => Photometric::Monochrome1,
            (true, _) => Photometric::Monochrome2,
        };
        let spacing = functional::frame_spacing_mm(&view, at);
        let modality = if grey { meaning::modality(&view, at, signed, &mut warnings) } else { Modality::IDENTITY };
        let choices = if grey {
            let negative = luts::signed_output(&modality, signed, image.layout.stored);
            luts::choices(&view, at, negative, &mut warnings)
        } else {
            luts::Choices::default()
        };
        let words = match store {
            Store::Native { range, float: false } if image.samples == 1 => Some(graphics::Words {
                bytes: self.native_bytes(image, range, at),
                endian: image.layout.endian,
                allocated: image.layout.allocated,
                pixel: [image.layout.high_bit + 1 - image.layout.stored, image.layout.high_bit],
            }),
            _ => None,
        };
        let display = Display {
            voi_names: choices.names,
            voi_luts: choices.luts,
            presentation: None,
            overlays: graphics::overlays(&view, at, [image.rows, image.columns], words, &mut warnings),
            shutter: graphics::shutter(&view, at, &mut warnings),
            real_world: if grey { real_world::maps(&view, at) } else { Vec::new() },
        };
        let frame = Frame {
            rows: image.rows,
            columns: image.columns,
            bits_stored: image.layout.stored,
            photometric,
            unit: if grey { meaning::unit(&view, at, &modality) } else { String::new() },
            modality,
            padding,
            voi: choices.voi,
            display,
            pixel_aspect: meaning::pixel_aspect(&view, spacing),
            pixels: Arc::new(pixels),
            warnings,
        };
        Ok(frame.checked()?)
    }

    pub(super) fn gather(&self, parts: &[Range<usize>]) -> Cow<'_, [u8]> {
        let source: &[u8] = &self.header.source;
        #[cfg(test)]
        touched::add(parts);
        match parts {
            [one] => Cow::Borrowed(source.get(one.clone()).unwrap_or_default()),
            many => Cow::Owned(many.iter().flat_map(|r| source.get(r.clone()).unwrap_or_default()).copied().collect()),
        }
    }

    fn float_frame(&self, image: &Image, range: &Range<usize>, at: usize, warnings: &mut Vec<Trouble>) -> Pixels {
        let count = image.rows as usize * image.columns as usize;
        let width = usize::from(image.layout.allocated) / 8;
        let start = range.start + at * count * width;
        let end = (start + count * width).min(range.end);
        let bytes = self.header.source.get(start..end).unwrap_or_default();
        let endian = image.layout.endian;
        Pixels::F32(if width == 8 {
            let mut exact = true;
            let values = bytes.as_chunks::<8>().0.iter().map(|b| {
                let value = f64::from_bits(endian.u64(*b));
                exact &= value.is_nan() || f64::from(value as f32) == value;
                value as f32
            });
            let values = values.collect();
            if !exact {
                warnings.push(Trouble::RoundedDoubles);
            }
            values
        } else {
            bytes.as_chunks::<4>().0.iter().map(|b| f32::from_bits(endian.u32(*b))).collect()
        })
    }

    /// Bytes that hold an uncompressed frame; short where the object is.
    pub(super) fn native_bytes(&self, image: &Image, range: &Range<usize>, at: usize) -> &[u8] {
        let first_bit = at * frame_bits(image);
        let first = range.start + first_bit / 8;
        let last = range.start + (first_bit + frame_bits(image)).div_ceil(8);
        self.header.source.get(first..last.min(range.end)).unwrap_or_default()
    }

    fn native_frame(
        &self,
        image: &Image,
        range: &Range<usize>,
        at: usize,
        view: &View<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<Pixels, DecodeError> {
        let first_bit = at * frame_bits(image);
        let bytes = self.native_bytes(image, range, at);
        let swapped;
        let big_words = image.layout.endian == Endian::Big
            && image.layout.allocated == 8
            && self.header.pixel.as_ref().is_some_and(|p| p.vr == dicom_core::VR::OW);
        // Bytes in big-endian words (PS3.5 A.3): each pair is the other way round.
        let bytes = if big_words {
            swapped = bytes.chunks(2).flat_map(|c| c.iter().rev()).copied().collect::<Vec<u8>>();
            &swapped
        } else {
            bytes
        };
        interpret(bytes, first_bit % 8, image, view, warnings)
    }

    fn encapsulated_frame(
        &self,
        image: &Image,
        bytes: &[u8],
        view: &View<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<Pixels, DecodeError> {
        let syntax = self.header.transfer_syntax();
        if syntax == DEFLATED_FRAMES {
            return deflated_frame(bytes, image, view, warnings);
        }
        if syntax == ENCAPSULATED_UNCOMPRESSED || !is_encapsulated(syntax) {
            return interpret(bytes, 0, image, view, warnings);
        }
        let declared = Declared {
            syntax,
            rows: image.rows,
            columns: image.columns,
            samples: image.samples,
            allocated: image.layout.allocated,
            photometric: &image.photometric,
        };
        let out = codec::decompress(bytes, &declared)?;
        warnings.extend(out.warnings);
        let mut image = image.clone();
        image.planar = false;
        image.layout.endian = out.samples.endian();
        image.layout.allocated = out.allocated;
        if let Some(stream) = &out.codestream {
            reconcile(&mut image, stream, &out.samples, warnings);
        }
        if let Some(space) = out.photometric {
            if image.photometric == "RGB" && space != "RGB" {
                warnings.push(Trouble::ColourSpace { found: space });
            }
            space.clone_into(&mut image.photometric);
        }
        if image.layout.high_bit + 1 > out.allocated {
            image.layout.high_bit = image.layout.stored.min(out.allocated) - 1;
        }
        if image.samples == 1 && image.photometric != "PALETTE COLOR" && out.allocated > 1 {
            let count = image.rows as usize * image.columns as usize;
            let (pixels, note) = samples::decoded(out.samples, count, image.layout);
            warnings.extend(note);
            return Ok(pixels);
        }
        match out.samples {
            // Decoded colour as it is shown: moved, not copied.
            Samples::Bytes(rgb)
                if image.photometric == "RGB" && (image.layout.allocated, image.layout.stored) == (8, 8) =>
            {
                Ok(Pixels::Rgb8(rgb))
            }
            other => interpret(other.bytes(), 0, &image, view, warnings),
        }
    }
}

/// A frame of the deflated image frame syntax. Words are inflated to where they stay.
fn deflated_frame(
    bytes: &[u8],
    image: &Image,
    view: &View<'_>,
    warnings: &mut Vec<Trouble>,
) -> Result<Pixels, DecodeError> {
    let size = frame_bits(image).div_ceil(8);
    let words = image.layout.allocated == 16 && image.samples == 1 && image.photometric != "PALETTE COLOR";
    let mut samples = if words { Samples::Words(vec![0; size / 2]) } else { Samples::Bytes(vec![0; size]) };
    let (sound, damaged) = inflate::frame(bytes, samples.bytes_mut());
    if damaged {
        warnings.push(Trouble::Inflate);
    }
    if let Samples::Words(words) = &mut samples {
        // Nothing to do where the machine's own order is that of the bytes.
        for word in words.iter_mut() {
            *word = u16::from_le(*word);
        }
        words.truncate(sound / 2);
        let count = image.rows as usize * image.columns as usize;
        let (pixels, note) = samples::decoded(samples, count, image.layout);
        warnings.extend(note);
        return Ok(pixels);
    }
    interpret(samples.bytes().get(..sound).unwrap_or_default(), 0, image, view, warnings)
}

/// Samples of one frame, interleaved or in planes → pixels.
fn interpret(
    bytes: &[u8],
    first_bit: usize,
    image: &Image,
    view: &View<'_>,
    warnings: &mut Vec<Trouble>,
) -> Result<Pixels, DecodeError> {
    let count = image.rows as usize * image.columns as usize;
    if image.samples == 1 {
        if image.photometric == "PALETTE COLOR" {
            let palette = colour::Palette::read(view, image.layout.signed)
                .map_err(|reason| DecodeError::Contradiction(reason.to_owned()))?;
            let values = samples::values(bytes, count, image.layout);
            return Ok(Pixels::Rgb8(palette.apply(values.into_iter())));
        }
        let (pixels, note) = samples::grey(bytes, first_bit, count, image.layout);
        warnings.extend(note);
        return Ok(pixels);
    }
    let width = usize::from(image.layout.allocated / 8);
    let mut bytes = Cow::Borrowed(bytes);
    if subsampled(image) {
        bytes = Cow::Owned(colour::upsample_422(&bytes));
    } else if image.planar {
        bytes = Cow::Owned(colour::interleave(&bytes, count, 3, width));
    }
    let mut rgb = if image.layout.allocated == 8 && image.layout.stored == 8 {
        bytes.get(..count * 3).unwrap_or(&bytes).to_vec()
    } else {
        // Colour is shown with 8 bits a channel; more are cut, less are stretched.
        let full = ((1u64 << image.layout.stored.min(63)) - 1) as f64;
        if image.layout.stored > 8 {
            warnings.push(Trouble::ColourBits { bits: image.layout.stored });
        }
        let unsigned = Layout { signed: false, ..image.layout };
        samples::values(&bytes, count * 3, unsigned)
            .into_iter()
            .map(|v| (v as f64 * 255.0 / full).round() as u8)
            .collect()
    };
    rgb.truncate(rgb.len() / 3 * 3);
    match image.photometric.as_str() {
        "RGB" | "YBR_RCT" | "YBR_ICT" => {}
        "YBR_FULL" | "YBR_FULL_422" => colour::ybr_full_to_rgb(&mut rgb),
        "YBR_PARTIAL" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420" => colour::ybr_partial_to_rgb(&mut rgb),
        other => return Err(DecodeError::Unsupported(format!("photometric interpretation {other:?}"))),
    }
    Ok(Pixels::Rgb8(rgb))
}

/// Compressed bytes that frames of this thread were made from: a test counts them.
#[cfg(test)]
pub(super) mod touched {
    use std::cell::Cell;
    use std::ops::Range;

    thread_local! {
        static TOUCHED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }

    pub(super) fn add(parts: &[Range<usize>]) {
        TOUCHED.with(|t| t.set((t.get().0 + parts.len(), t.get().1 + parts.iter().map(Range::len).sum::<usize>())));
    }

    pub(in crate::dicom) fn reset() {
        TOUCHED.with(|t| t.set((0, 0)));
    }

    /// Fragments and bytes since the last reset.
    pub(in crate::dicom) fn read() -> (usize, usize) {
        TOUCHED.with(Cell::get)
    }
}
