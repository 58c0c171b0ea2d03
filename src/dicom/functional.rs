//! What holds for one frame: functional groups of multi-frame objects, else the object itself
//! (PS3.3 C.7.6.16), and diffusion b-values in standard and private places.

use super::dataset::View;
use super::luts::named_windows;
use crate::study::{FrameInfo, ImagePlane};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// A functional group's first item for a frame (from 0): per-frame, else shared.
pub(crate) fn group<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> Option<View<'a>> {
    view.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
        .nth(frame)
        .and_then(|item| item.item(sequence))
        .or_else(|| view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).and_then(|item| item.item(sequence)))
}

/// All items of a functional group's sequence for a frame: per-frame, else shared, else the object's own.
pub(crate) fn group_items<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> Vec<View<'a>> {
    let per_frame = view.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).nth(frame);
    let shared = view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let holder = [per_frame, shared].into_iter().flatten().find(|h| h.item(sequence).is_some()).unwrap_or(*view);
    holder.items(sequence).collect()
}

/// The group if there is one, else the object's root.
pub(crate) fn group_or_root<'a>(view: &View<'a>, frame: usize, sequence: Tag) -> View<'a> {
    group(view, frame, sequence).unwrap_or(*view)
}

/// Everything known of a frame without its pixels.
pub(crate) fn frame_info(view: &View<'_>, frame: usize) -> FrameInfo {
    let spacing = spacing_mm(view, frame);
    let position = group_or_root(view, frame, tags::PLANE_POSITION_SEQUENCE).array(tags::IMAGE_POSITION_PATIENT);
    let orientation =
        group_or_root(view, frame, tags::PLANE_ORIENTATION_SEQUENCE).array(tags::IMAGE_ORIENTATION_PATIENT);
    let plane = match (position, orientation, spacing) {
        (Some(p), Some(o), Some(s)) => ImagePlane::new(p, o, s),
        _ => None,
    };
    let echo = group(view, frame, tags::MR_ECHO_SEQUENCE)
        .and_then(|g| g.float(tags::EFFECTIVE_ECHO_TIME))
        .or_else(|| view.float(tags::ECHO_TIME));
    FrameInfo {
        plane,
        spacing_mm: spacing.or_else(|| projection_spacing_mm(view)),
        b_value: b_value(view, frame),
        echo_time_ms: echo,
        voi: named_windows(view, frame).into_iter().map(|(voi, _)| voi).collect(),
        cine_rate_hz: cine_rate_hz(view),
    }
}

/// Pixel Spacing [row, column], positive and finite.
fn spacing_mm(view: &View<'_>, frame: usize) -> Option<[f64; 2]> {
    let found = group_or_root(view, frame, tags::PIXEL_MEASURES_SEQUENCE).array(tags::PIXEL_SPACING);
    found.filter(|s| s.iter().all(|v| *v > 0.0))
}

/// Imager Pixel Spacing over the magnification (PS3.3 C.8.7.10): the size in the patient, as near as a
/// projection can tell; else Nominal Scanned Pixel Spacing.
fn projection_spacing_mm(view: &View<'_>) -> Option<[f64; 2]> {
    let positive = |s: &[f64; 2]| s.iter().all(|v| *v > 0.0);
    if let Some(spacing) = view.array::<2>(tags::IMAGER_PIXEL_SPACING).filter(positive) {
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

/// Diffusion b-value, s/mm²: MR Diffusion Sequence, (0018,9087), then the vendors' private elements,
/// each only under its creator's name.
fn b_value(view: &View<'_>, frame: usize) -> Option<f64> {
    let sound = |b: &f64| b.is_finite() && *b >= 0.0 && *b < 100_000.0;
    let per_frame = view.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).nth(frame);
    if let Some(diffusion) = group(view, frame, tags::MR_DIFFUSION_SEQUENCE) {
        let directionality = diffusion.string(tags::DIFFUSION_DIRECTIONALITY);
        let value = diffusion.float(tags::DIFFUSION_B_VALUE);
        return value.or_else(|| (directionality.as_deref() == Some("NONE")).then_some(0.0)).filter(sound);
    }
    view.float(tags::DIFFUSION_B_VALUE)
        .or_else(|| private_b_value(view))
        .or_else(|| per_frame.and_then(|item| private_b_value(&item)))
        .filter(sound)
}

fn private_b_value(view: &View<'_>) -> Option<f64> {
    // Siemens: MR HEADER, element xx0C.
    if let Some(b) = private(view, 0x0019, "SIEMENS MR HEADER", 0x0C).and_then(|t| view.float(t)) {
        return Some(b);
    }
    // Philips: Imaging DD 001, element xx03.
    if let Some(b) = private(view, 0x2001, "Philips Imaging DD 001", 0x03).and_then(|t| view.float(t)) {
        return Some(b);
    }
    // GE: PARM, element xx39, first value; large offsets (1e9 and more) are flags of the scanner.
    let tag = private(view, 0x0043, "GEMS_PARM_01", 0x39)?;
    let raw = view.floats(tag).first().copied().filter(|b| b.is_finite())?;
    Some(if raw >= 1e9 { raw % 100_000.0 } else { raw })
}

/// The element of a private block (PS3.5 7.8.1): the creator's reservation decides the block number.
fn private(view: &View<'_>, group: u16, creator: &str, element: u8) -> Option<Tag> {
    (0x10..=0xFFu16).find_map(|block| {
        let name = Tag(group, block);
        if !view.has(name) {
            return None;
        }
        let tag = Tag(group, (block << 8) | u16::from(element));
        (view.text(name).trim() == creator && view.has(tag)).then_some(tag)
    })
}

/// Recommended Display Frame Rate (0008,2144), else Cine Rate (0018,0040), else from Frame Time (0018,1063).
fn cine_rate_hz(view: &View<'_>) -> Option<f64> {
    let positive = |v: &f64| v.is_finite() && *v > 0.0;
    view.float(tags::RECOMMENDED_DISPLAY_FRAME_RATE)
        .filter(positive)
        .or_else(|| view.float(tags::CINE_RATE).filter(positive))
        .or_else(|| view.float(tags::FRAME_TIME).filter(positive).map(|ms| 1000.0 / ms))
}
