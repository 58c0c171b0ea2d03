//! What stored values mean: modality transform, unit, padding, pixel shape (PS3.3 C.7.6.3, C.11).

use super::dataset::View;
use super::functional::{group, group_or_root};
use super::luts::lut;
use crate::imaging::{Modality, Padding, Table, Trouble};
use dicom_dictionary_std::tags;

/// Modality LUT of the object, or rescale of frame or object.
pub(super) fn modality(view: &View<'_>, frame: usize, signed: bool, warnings: &mut Vec<Trouble>) -> Modality {
    if let Some(item) = view.item(tags::MODALITY_LUT_SEQUENCE) {
        match lut(&item, signed, Table::Modality, warnings) {
            Some(lut) => return Modality::Lut { first: lut.first, data: lut.entries },
            None => warnings.push(Trouble::TableDamaged { table: Table::Modality }),
        }
    }
    let place = group_or_root(view, frame, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    let slope = place.float(tags::RESCALE_SLOPE);
    let intercept = place.float(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
    match slope {
        Some(0.0) => {
            warnings.push(Trouble::Slope);
            Modality::IDENTITY
        }
        slope => Modality::Rescale { slope: slope.unwrap_or(1.0), intercept },
    }
}

/// Unit of the modality values: Modality LUT Type, Rescale Type, PET Units, or HU for CT with rescale.
pub(super) fn unit(view: &View<'_>, frame: usize, modality: &Modality) -> String {
    if let Modality::Lut { .. } = modality {
        let kind = view.item(tags::MODALITY_LUT_SEQUENCE).and_then(|item| item.string(tags::MODALITY_LUT_TYPE));
        return kind.filter(|k| k != "US").unwrap_or_default();
    }
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
