//! What stored values mean: modality transform, unit, padding, windows, pixel shape (PS3.3 C.7.6.3, C.11).

use super::dataset::View;
use super::functional::{group, group_or_root, windows};
use crate::imaging::{Modality, Padding};
use crate::study::Voi;
use dicom_dictionary_std::tags;

/// Modality LUT of the object, or rescale of frame or object.
pub(super) fn modality(view: &View<'_>, frame: usize, signed: bool, warnings: &mut Vec<String>) -> Modality {
    if let Some(item) = view.item(tags::MODALITY_LUT_SEQUENCE) {
        match lut(&item, signed) {
            Some((first, data)) => return Modality::Lut { first, data: data.into() },
            None => warnings.push("the modality LUT is empty or damaged and not applied".into()),
        }
    }
    let place = group_or_root(view, frame, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    let slope = place.float(tags::RESCALE_SLOPE);
    let intercept = place.float(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
    match slope {
        Some(0.0) => {
            warnings.push("a rescale slope of 0 is not applied".into());
            Modality::IDENTITY
        }
        slope => Modality::Rescale { slope: slope.unwrap_or(1.0), intercept },
    }
}

/// First mapped value and entries of a LUT item (PS3.3 C.11.1.1).
fn lut(item: &View<'_>, signed: bool) -> Option<(i32, Vec<u16>)> {
    let descriptor = item.ints(tags::LUT_DESCRIPTOR);
    let [entries, first, bits] = *descriptor.first_chunk()?;
    let entries = match entries as u16 {
        0 => 65536,
        n => usize::from(n),
    };
    let first = if signed { i32::from(first as u16 as i16) } else { i32::from(first as u16) };
    let bytes = item.bytes(tags::LUT_DATA)?;
    let data: Vec<u16> = if bits <= 8 && bytes.len() < entries * 2 {
        bytes.iter().take(entries).map(|b| u16::from(*b)).collect()
    } else {
        bytes.as_chunks::<2>().0.iter().take(entries).map(|b| item.endian.u16(*b)).collect()
    };
    (!data.is_empty()).then_some((first, data))
}

/// Unit of the modality values: Rescale Type, PET Units, or HU for CT with rescale.
pub(super) fn unit(view: &View<'_>, frame: usize) -> String {
    let place = group_or_root(view, frame, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    if let Some(rescale_type) = place.string(tags::RESCALE_TYPE) {
        return if rescale_type == "US" { String::new() } else { rescale_type };
    }
    if let Some(units) = view.string(tags::UNITS) {
        return units;
    }
    let ct = view.string(tags::MODALITY).as_deref() == Some("CT");
    let localizer = view.strings(tags::IMAGE_TYPE).iter().any(|t| t == "LOCALIZER");
    if ct && !localizer && place.has(tags::RESCALE_SLOPE) { "HU".into() } else { String::new() }
}

/// Pixel Padding Value with its range limit, in stored units of the frame's sign.
pub(super) fn padding(view: &View<'_>, frame: usize, signed: bool, stored: u16) -> Option<Padding> {
    let place =
        group(view, frame, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE).filter(|g| g.has(tags::PIXEL_PADDING_VALUE));
    let place = place.unwrap_or(*view);
    let read = |tag| {
        let raw = place.int(tag)?;
        // The VR is US or SS by Pixel Representation; implicit files and careless writers mix them up.
        Some(match (signed, stored) {
            (true, 1..=16) => f64::from(raw as u16 as i16),
            (false, 1..=16) => f64::from(raw as u16),
            _ => raw as f64,
        })
    };
    let value = read(tags::PIXEL_PADDING_VALUE)?;
    let limit = read(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    Some(Padding { low: value.min(limit), high: value.max(limit) })
}

/// The frame's windows; where only a VOI LUT is given, the window over that LUT's input, with a warning.
pub(super) fn voi(view: &View<'_>, frame: usize, signed: bool, warnings: &mut Vec<String>) -> Vec<Voi> {
    let mut found = windows(view, frame);
    let place = group_or_root(view, frame, tags::FRAME_VOILUT_SEQUENCE);
    if let Some(item) = place.item(tags::VOILUT_SEQUENCE).or_else(|| view.item(tags::VOILUT_SEQUENCE)) {
        match (found.is_empty(), lut(&item, signed)) {
            (_, None) => warnings.push("the VOI LUT is empty or damaged and not applied".into()),
            (true, Some((first, data))) => {
                let width = data.len() as f64;
                found.push(Voi::linear(f64::from(first) + width / 2.0, width.max(2.0)));
                warnings.push("the VOI LUT is replaced by a window over the same range".into());
            }
            (false, Some(_)) => warnings.push("the VOI LUT is not applied; the stored window is used".into()),
        }
    }
    if found.is_empty() && place.has(tags::WINDOW_CENTER) {
        warnings.push("the stored window is not valid and not used".into());
    }
    found
}

/// Width over height of a pixel: spacing, else Pixel Aspect Ratio (vertical : horizontal).
pub(super) fn pixel_aspect(view: &View<'_>, spacing_mm: Option<[f64; 2]>) -> f64 {
    let ratio = spacing_mm.or_else(|| view.array::<2>(tags::PIXEL_ASPECT_RATIO));
    match ratio {
        Some([vertical, horizontal]) if vertical > 0.0 && horizontal > 0.0 => {
            let aspect = horizontal / vertical;
            if (0.02..=50.0).contains(&aspect) { aspect } else { 1.0 }
        }
        _ => 1.0,
    }
}
