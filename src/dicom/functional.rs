//! What holds for one frame: functional groups of multi-frame objects, else the object itself
//! (PS3.3 C.7.6.16).

use super::dataset::{Value, View};
use super::diffusion::diffusion;
use super::frame_traits;
use super::luts::{choices, named_windows};
use super::read::Header;
use crate::study::{FrameIndex, FrameInfo, ImagePlane, Voi};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// The item of the Per-Frame Functional Groups Sequence for a frame (from 0).
pub(crate) fn per_frame<'a>(view: &View<'a>, frame: usize) -> Option<View<'a>> {
    let Value::Items(items) = &view.set.get(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)?.value else { return None };
    items.get(frame).map(|set| View::new(view.source, set, view.endian, view.charset))
}

/// A functional group's first item for a frame (from 0): per-frame, else shared.
pub(crate) fn group<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> Option<View<'a>> {
    per_frame(view, frame)
        .and_then(|item| item.item(sequence))
        .or_else(|| view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).and_then(|item| item.item(sequence)))
}

/// All items of a functional group's sequence for a frame: per-frame, else shared, else the object's own.
pub(crate) fn group_items<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> Vec<View<'a>> {
    let per_frame = self::per_frame(view, frame);
    let shared = view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let holder = [per_frame, shared].into_iter().flatten().find(|h| h.item(sequence).is_some()).unwrap_or(*view);
    holder.items(sequence).collect()
}

/// The group if there is one, else the object's root.
pub(crate) fn group_or_root<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> View<'a> {
    group(view, frame, sequence).unwrap_or(*view)
}

/// The place of a frame in space.
fn plane(view: &View<'_>, frame: usize, spacing: Option<[f64; 2]>) -> Option<ImagePlane> {
    let detector = || view.item(tags::DETECTOR_INFORMATION_SEQUENCE);
    let position = group_or_root(view, frame, tags::PLANE_POSITION_SEQUENCE)
        .array(tags::IMAGE_POSITION_PATIENT)
        .or_else(|| detector()?.array(tags::IMAGE_POSITION_PATIENT));
    let orientation = group_or_root(view, frame, tags::PLANE_ORIENTATION_SEQUENCE)
        .array(tags::IMAGE_ORIENTATION_PATIENT)
        .or_else(|| detector()?.array(tags::IMAGE_ORIENTATION_PATIENT));
    match (position, orientation, spacing) {
        (Some(p), Some(o), Some(s)) => ImagePlane::new(p, o, s),
        _ => None,
    }
}

/// Spacing [row, column] of a frame's pixels in mm: in the patient, else of the projection.
pub(crate) fn frame_spacing_mm(view: &View<'_>, frame: usize) -> Option<[f64; 2]> {
    spacing_mm(view, frame).or_else(|| projection_spacing_mm(view, frame))
}

/// Everything known of a frame without its pixels.
pub(crate) fn frame_info(view: &View<'_>, frame: usize) -> FrameInfo {
    let spacing = spacing_mm(view, frame);
    let plane = plane(view, frame, spacing);
    let echo = group(view, frame, tags::MR_ECHO_SEQUENCE)
        .and_then(|g| g.float(tags::EFFECTIVE_ECHO_TIME))
        .or_else(|| view.float(tags::ECHO_TIME));
    let mut traits = frame_traits::frame_traits(view, frame);
    let weighting = diffusion(view, frame);
    traits.b_source = weighting.source;
    traits.directionality = weighting.directionality;
    traits.gradient = weighting.gradient;
    FrameInfo {
        // The position of a mosaic is that of a picture nobody took.
        plane: plane.filter(|_| traits.mosaic_tiles.is_none()),
        spacing_mm: spacing.or_else(|| projection_spacing_mm(view, frame)),
        b_value: weighting.b_value,
        echo_time_ms: echo,
        voi: named_windows(view, frame).into_iter().map(|(voi, _)| voi).collect(),
        cine_rate_hz: cine_rate_hz(view),
        traits,
    }
}

/// One entry per frame where functional groups or offsets are given, else one for all. A hostile frame count cannot
/// make this long: only frames with an item or offset of their own get an entry.
pub(crate) fn frame_infos(view: &View<'_>, frames: u32) -> Vec<FrameInfo> {
    let count = view.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).count();
    if count > 0 {
        return (0..count.min(frames as usize)).map(|i| frame_info(view, i)).collect();
    }
    let one = frame_info(view, 0);
    let offsets = slice_offsets_mm(view, frames);
    match one.plane {
        Some(plane) if offsets.len() == frames as usize && frames > 1 => offsets
            .into_iter()
            .map(|offset| {
                let position_mm = plane.position_mm + plane.normal() * offset;
                FrameInfo { plane: Some(ImagePlane { position_mm, ..plane }), ..one.clone() }
            })
            .collect(),
        _ => vec![one],
    }
}

/// Choices of the VOI transform of a frame with their explanations, the default first, without reading pixel data.
pub fn voi_choices(header: &Header, frame: FrameIndex) -> Vec<(Voi, String)> {
    let view = header.view();
    let signed = view.int(tags::PIXEL_REPRESENTATION) == Some(1);
    let found = choices(&view, frame.0 as usize, signed, &mut Vec::new());
    found.voi.into_iter().zip(found.names).collect()
}

/// Offsets of the frames along the normal: Grid Frame Offset Vector of a dose (PS3.3 C.8.8.3.2), or Slice Vector and
/// spacing of reconstructed nuclear medicine slices (C.8.4.8).
fn slice_offsets_mm(view: &View<'_>, frames: u32) -> Vec<f64> {
    let offsets = view.floats(tags::GRID_FRAME_OFFSET_VECTOR);
    if let Some(first) = offsets.first().copied()
        && offsets.iter().all(|o| o.is_finite())
    {
        // The first is 0, or the z coordinate of the first frame where the others are absolute as well.
        return offsets.into_iter().map(|o| o - first).collect();
    }
    let reconstructed = view.strings(tags::IMAGE_TYPE).iter().any(|v| v == "RECON TOMO");
    let step = view.float(tags::SPACING_BETWEEN_SLICES).filter(|s| *s != 0.0);
    let slices = view.ints(tags::SLICE_VECTOR);
    match step {
        Some(step) if reconstructed && slices.len() == frames as usize => {
            slices.into_iter().map(|n| (n - 1) as f64 * step).collect()
        }
        _ => Vec::new(),
    }
}

/// Pixel Spacing [row, column], positive and finite.
fn spacing_mm(view: &View<'_>, frame: usize) -> Option<[f64; 2]> {
    let found = group_or_root(view, frame, tags::PIXEL_MEASURES_SEQUENCE).array(tags::PIXEL_SPACING);
    found.filter(|s| s.iter().all(|v| *v > 0.0))
}

/// Imager Pixel Spacing over the magnification (PS3.3 C.8.7.10): the size in the patient, as near as a
/// projection can tell; else Nominal Scanned Pixel Spacing.
fn projection_spacing_mm(view: &View<'_>, frame: usize) -> Option<[f64; 2]> {
    let positive = |s: &[f64; 2]| s.iter().all(|v| *v > 0.0);
    let detector = group_or_root(view, frame, tags::FRAME_PIXEL_DATA_PROPERTIES_SEQUENCE);
    if let Some(spacing) = detector.array::<2>(tags::IMAGER_PIXEL_SPACING).filter(positive) {
        let factor = view.float(tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR).filter(|f| *f >= 1.0).unwrap_or(1.0);
        return Some(spacing.map(|s| s / factor));
    }
    if let Some(spacing) = view.array::<2>(tags::NOMINAL_SCANNED_PIXEL_SPACING).filter(positive) {
        return Some(spacing);
    }
    ultrasound_spacing_mm(view)
}

/// Sequence of Ultrasound Regions with one tissue region in cm (PS3.3 C.8.5.5).
fn ultrasound_spacing_mm(view: &View<'_>) -> Option<[f64; 2]> {
    let mut found = None;
    for region in view.items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS) {
        let centimetres = region.int(tags::PHYSICAL_UNITS_X_DIRECTION) == Some(3)
            && region.int(tags::PHYSICAL_UNITS_Y_DIRECTION) == Some(3);
        let (Some(x), Some(y)) = (region.float(tags::PHYSICAL_DELTA_X), region.float(tags::PHYSICAL_DELTA_Y)) else {
            continue;
        };
        let spacing = [y.abs() * 10.0, x.abs() * 10.0];
        if !centimetres || spacing.iter().any(|s| *s <= 0.0) {
            continue;
        }
        // Two regions with different scales: no single spacing would be true for the whole picture.
        if found.is_some_and(|f| f != spacing) {
            return None;
        }
        found = Some(spacing);
    }
    found
}

/// Recommended Display Frame Rate (0008,2144), else Cine Rate (0018,0040), else from Frame Time (0018,1063).
fn cine_rate_hz(view: &View<'_>) -> Option<f64> {
    let positive = |v: &f64| v.is_finite() && *v > 0.0;
    view.float(tags::RECOMMENDED_DISPLAY_FRAME_RATE)
        .filter(positive)
        .or_else(|| view.float(tags::CINE_RATE).filter(positive))
        .or_else(|| view.float(tags::FRAME_TIME).filter(positive).map(|ms| 1000.0 / ms))
}
