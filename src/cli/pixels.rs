//! `dokuei pixels`: what each stage of the grey-scale chain yields, as a NumPy array.

use super::args::{PixelsArgs, Stage};
use super::npy::{self, Numbers};
use super::pixels_state::Applied;
use super::render::{RenderError, parse_window, window_of};
use crate::dicom::{DecodeError, Exact, MetadataError, Object, ObjectError, ReadError};
use crate::imaging::{Frame, Look, Modality, Pixels, render_look};
use crate::study::{FrameIndex, Voi, VoiFunction};
use std::io::Write;

/// Why there are no pixels.
#[derive(Debug, thiserror::Error)]
pub enum PixelsError {
    /// The command line makes no sense for this file.
    #[error("{0}")]
    Usage(String),
    /// The file cannot be read.
    #[error("cannot read the file")]
    Read(#[from] ReadError),
    /// The frame cannot be decoded.
    #[error("cannot decode the frame")]
    Decode(#[from] DecodeError),
    /// The presentation state cannot be read.
    #[error("cannot read the presentation state")]
    State(#[from] ObjectError),
    /// The file does not say what it is.
    #[error("cannot tell the file's identity")]
    Identity(#[from] MetadataError),
    /// The window is none.
    #[error(transparent)]
    Window(#[from] RenderError),
    /// Nothing can be said.
    #[error("cannot write to standard output")]
    Say(#[from] std::io::Error),
    /// The array could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// File.
        path: std::path::PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// Writes the array and says on `out` what it is, with the frame's warnings.
pub fn run(args: &PixelsArgs, out: &mut dyn Write) -> Result<(), PixelsError> {
    let wished = args.window.as_deref().map(parse_window).transpose()?;
    let index = args.frame.checked_sub(1).map(FrameIndex);
    let index = index.ok_or_else(|| PixelsError::Usage("frames count from 1".to_owned()))?;
    let object = Object::read(&args.file)?;
    // Stored colour is what the file holds, before its ICC profile.
    let frame = if matches!(args.stage, Stage::Stored) { object.stored_frame(index)? } else { object.frame(index)? };
    let state = args.state.as_deref().map(|file| Applied::read(file, &object, index)).transpose()?;
    let frame = match &state {
        Some(state) => state.dress(&object, &frame)?,
        None => frame,
    };
    let voi = choose(&frame, wished, args.voi)?;
    let (overlays, shutters) = (args.overlays || state.is_some(), args.shutters || state.is_some());
    let look = Look { overlays, shutters, ..Look::of(&frame, voi, false) };
    let (shape, rounded) = match &state {
        Some(state) if args.stage == Stage::Presentation => state.turn(&frame, stage(&frame, &look, args.stage)),
        _ => stage(&frame, &look, args.stage),
    };
    let numbers = match object.exact_values(index)? {
        Some(values) => exact(&frame, values, args.stage).unwrap_or(rounded),
        None => rounded,
    };
    let write = |path: &std::path::Path| -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        npy::write(&mut file, &shape, &numbers)?;
        file.flush()
    };
    write(&args.out).map_err(|source| PixelsError::Write { path: args.out.clone(), source })?;
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    writeln!(out, "{} {}", sizes.join(" x "), numbers.dtype().trim_start_matches(['|', '<']))?;
    if matches!(args.stage, Stage::Voi | Stage::Presentation) && frame.pixels.stored(0).is_some() {
        writeln!(out, "voi: {}", describe(&frame, voi))?;
    }
    for (number, choice) in (1..).zip(&frame.voi) {
        writeln!(out, "choice {number}: {}", describe(&frame, *choice))?;
    }
    for warning in &frame.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    for oddity in state.iter().flat_map(Applied::oddities) {
        writeln!(out, "warning: {oddity}")?;
    }
    Ok(())
}

/// The window in force: wished, or the file's choice of this number, or the default.
fn choose(frame: &Frame, wished: Option<Voi>, number: Option<usize>) -> Result<Voi, PixelsError> {
    match number {
        None => Ok(window_of(frame, wished)),
        Some(number) => number.checked_sub(1).and_then(|at| frame.voi.get(at)).copied().ok_or_else(|| {
            let held = frame.voi.len();
            PixelsError::Usage(format!("--voi counts from 1 to {held} for this frame, not {number}"))
        }),
    }
}

fn describe(frame: &Frame, voi: Voi) -> String {
    let at = frame.voi.iter().position(|v| *v == voi);
    let name = at.map_or("", |at| frame.display.voi_name(at));
    let function = match voi.function {
        VoiFunction::Linear => "LINEAR",
        VoiFunction::LinearExact => "LINEAR_EXACT",
        VoiFunction::Sigmoid => "SIGMOID",
        VoiFunction::Lut(_) => "LUT",
    };
    format!("{function} center {} width {} {name}", voi.center, voi.width).trim_end().to_owned()
}

/// Shape and numbers of a stage. Colour is the same at every stage, in the stage's type: PS3.3 C.11 is for grey.
pub fn stage(frame: &Frame, look: &Look, stage: Stage) -> (Vec<usize>, Numbers) {
    let grey = vec![frame.rows as usize, frame.columns as usize];
    let colour = [grey.clone(), vec![3]].concat();
    let values = || (0..frame.pixels.len()).filter_map(|i| frame.pixels.stored(i));
    match (stage, &*frame.pixels) {
        (Stage::Presentation, pixels) => {
            let rgb = render_look(frame, look);
            if let Pixels::Rgb8(_) = pixels {
                return (colour, Numbers::U8(rgb));
            }
            (grey, Numbers::U8(rgb.into_iter().step_by(3).collect()))
        }
        (Stage::Stored, Pixels::Rgb8(v)) => (colour, Numbers::U8(v.clone())),
        (Stage::Modality | Stage::Voi, Pixels::Rgb8(v)) => {
            (colour, Numbers::F32(v.iter().map(|v| f32::from(*v)).collect()))
        }
        (Stage::Stored, Pixels::U8(v)) => (grey, Numbers::U8(v.clone())),
        (Stage::Stored, Pixels::U16(v)) => (grey, Numbers::U16(v.clone())),
        (Stage::Stored, Pixels::I16(v)) => match v.iter().map(|v| i8::try_from(*v)).collect() {
            Ok(narrow) if frame.bits_stored <= 8 => (grey, Numbers::I8(narrow)),
            _ => (grey, Numbers::I16(v.clone())),
        },
        (Stage::Stored, Pixels::I32(v)) => (grey, Numbers::I32(v.clone())),
        (Stage::Stored, Pixels::F32(v)) => (grey, Numbers::F32(v.clone())),
        (Stage::Modality, Pixels::F32(v)) if frame.modality == Modality::IDENTITY => (grey, Numbers::F32(v.clone())),
        (Stage::Modality, _) => (grey, Numbers::F64(values().map(|v| frame.modality.apply(v)).collect())),
        (Stage::Voi, _) => {
            let level = |v| (look.voi_level(frame.modality.apply(v)) * 255.0) as f32;
            (grey, Numbers::F32(values().map(level).collect()))
        }
    }
}

/// Stored and modality values that a picture would round.
fn exact(frame: &Frame, values: Exact, stage: Stage) -> Option<Numbers> {
    let modality = |values: &mut dyn Iterator<Item = f64>| values.map(|v| frame.modality.apply(v)).collect();
    Some(match (stage, values) {
        (Stage::Stored, Exact::Doubles(v)) => Numbers::F64(v),
        (Stage::Stored, Exact::Integers(v)) => match v.iter().map(|v| u32::try_from(*v)).collect() {
            Ok(v) => Numbers::U32(v),
            Err(_) => Numbers::I64(v),
        },
        (Stage::Modality, Exact::Doubles(v)) => Numbers::F64(modality(&mut v.into_iter())),
        (Stage::Modality, Exact::Integers(v)) => Numbers::F64(modality(&mut v.into_iter().map(|v| v as f64))),
        (Stage::Voi | Stage::Presentation, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Display, Lut, Padding, Photometric};
    use std::sync::Arc;

    fn frame() -> Frame {
        let lut = Lut::new(0, vec![0, 512, 1023], 10).expect("entries");
        let (center, width) = lut.range();
        Frame {
            bits_stored: 8,
            photometric: Photometric::Monochrome1,
            modality: Modality::Rescale { slope: 0.5, intercept: 0.5 },
            padding: Some(Padding { low: 3.0, high: 3.0 }),
            voi: vec![Voi { center, width, function: VoiFunction::Lut(0) }, Voi::linear(1.0, 3.0)],
            display: Display { voi_names: vec!["SOFT".into()], voi_luts: vec![Arc::new(lut)], ..Display::default() },
            ..Frame::plain(2, 2, Pixels::I16(vec![-1, 0, 2, 3]))
        }
    }

    #[test]
    fn exact_values_are_not_rounded() {
        let frame = frame();
        let wide = Exact::Integers(vec![0, 4_294_967_295]);
        assert_eq!(exact(&frame, wide.clone(), Stage::Stored), Some(Numbers::U32(vec![0, 4_294_967_295])));
        assert_eq!(exact(&frame, wide, Stage::Modality), Some(Numbers::F64(vec![0.5, 2_147_483_648.0])));
        let negative = Exact::Integers(vec![-1, 1 << 40]);
        assert_eq!(exact(&frame, negative, Stage::Stored), Some(Numbers::I64(vec![-1, 1 << 40])));
        let doubles = Exact::Doubles(vec![0.1]);
        assert_eq!(exact(&frame, doubles.clone(), Stage::Stored), Some(Numbers::F64(vec![0.1])));
        assert_eq!(exact(&frame, doubles.clone(), Stage::Modality), Some(Numbers::F64(vec![0.1 * 0.5 + 0.5])));
        assert_eq!(exact(&frame, doubles, Stage::Presentation), None);
    }

    #[test]
    fn every_stage_in_its_own_kind() {
        let frame = frame();
        let look = Look::of(&frame, frame.voi[0], false);
        let of = |s| stage(&frame, &look, s);
        assert_eq!(of(Stage::Stored), (vec![2, 2], Numbers::I8(vec![-1, 0, 2, 3])));
        assert_eq!(of(Stage::Modality), (vec![2, 2], Numbers::F64(vec![0.0, 0.5, 1.5, 2.0])));
        let expected = [0.0, 256.0, 767.5, 1023.0].map(|v: f64| (v / 1023.0 * 255.0) as f32);
        assert_eq!(of(Stage::Voi), (vec![2, 2], Numbers::F32(expected.to_vec())));
        // MONOCHROME1 is inverted; padding is black.
        assert_eq!(of(Stage::Presentation), (vec![2, 2], Numbers::U8(vec![255, 191, 64, 0])));
    }

    #[test]
    fn choices_are_counted_from_one() {
        let frame = frame();
        assert_eq!(choose(&frame, None, None).expect("default"), frame.voi[0]);
        assert_eq!(choose(&frame, None, Some(2)).expect("second"), frame.voi[1]);
        assert_eq!(choose(&frame, Some(Voi::linear(5.0, 6.0)), None).expect("wished"), Voi::linear(5.0, 6.0));
        assert!(choose(&frame, None, Some(3)).is_err() && choose(&frame, None, Some(0)).is_err());
        assert_eq!(describe(&frame, frame.voi[0]), "LUT center 1.5 width 3 SOFT");
    }

    #[test]
    fn colour_has_three_planes_at_the_end() {
        let frame = Frame {
            pixels: Arc::new(Pixels::Rgb8((0..12).collect())),
            photometric: Photometric::Color,
            padding: None,
            voi: vec![],
            display: Display::default(),
            ..frame()
        };
        let look = Look::of(&frame, Voi::linear(1.0, 2.0), false);
        assert_eq!(stage(&frame, &look, Stage::Stored), (vec![2, 2, 3], Numbers::U8((0..12).collect())));
        assert_eq!(stage(&frame, &look, Stage::Presentation), (vec![2, 2, 3], Numbers::U8((0..12).collect())));
        assert_eq!(stage(&frame, &look, Stage::Voi).1.len(), 12);
    }
}
