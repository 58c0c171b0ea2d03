//! Grayscale and colour presentation states (PS3.3 A.33, C.10, C.11) → [`PresentationState`].

use super::object_ref;
use crate::dicom::dataset::View;
use crate::dicom::graphics;
use crate::dicom::luts::{choices, lut, signed_output};
use crate::imaging::{Modality, Presentation, Table, Trouble};
use crate::study::{ObjectRef, VoiFunction};
use crate::viewport::mask::{MOST_MASK_FRAMES, Mask, MaskFrames};
use crate::viewport::state_object::{Drawing, PresentationState, StateArea, StateGraphic, StateText, StateVoi};
use crate::viewport::{Oddity, rgb_of_lab};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most graphics and texts that are read, most points of one, most references.
const MOST: usize = 20_000;
const MOST_POINTS: usize = 100_000;
const MOST_IMAGES: usize = 200_000;

/// Reads a presentation state; what cannot be applied is told among its warnings.
pub(super) fn presentation_state(view: &View<'_>) -> PresentationState {
    let mut warnings = Vec::new();
    let series = view.items(tags::REFERENCED_SERIES_SEQUENCE);
    let images: Vec<ObjectRef> = series.flat_map(|s| references(&s).collect::<Vec<_>>()).take(MOST_IMAGES).collect();
    if images.is_empty() {
        warnings.push(Oddity::NoPictures);
    }
    let turns = view.int(tags::IMAGE_ROTATION).unwrap_or(0);
    if turns % 90 != 0 {
        warnings.push(Oddity::Rotation { degrees: turns });
    }
    let (modality, modality_bits) = modality(view, &mut warnings).unzip();
    let signed = modality.as_ref().is_none_or(|m| signed_output(m, true, 16));
    let presentation = presentation(view, &mut warnings);
    let shutter = shutter(view, &mut warnings);
    let mask = mask(view, &mut warnings);
    let made = [view.name(tags::CONTENT_CREATOR_NAME).display()];
    let when = [tags::PRESENTATION_CREATION_DATE, tags::PRESENTATION_CREATION_TIME].map(|t| view.string(t));
    let when = super::sr::date_and_time(when[0].as_deref().unwrap_or_default(), when[1].as_deref().unwrap_or_default());
    let bitmap = view.int(tags::SHUTTER_OVERLAY_GROUP);
    let overlays = told(&mut warnings, |found| graphics::overlays(view, 0, [0, 0], None, found));
    PresentationState {
        label: view.string(tags::CONTENT_LABEL).unwrap_or_default(),
        description: view.text(tags::CONTENT_DESCRIPTION).trim().to_owned(),
        made: made.into_iter().chain([when]).filter(|s| !s.is_empty()).collect::<Vec<_>>().join("  "),
        images,
        quarter_turns: (turns.rem_euclid(360) / 90) as u8,
        flip: view.string(tags::IMAGE_HORIZONTAL_FLIP).as_deref() == Some("Y"),
        vois: vois(view, signed, &mut warnings),
        areas: areas(view),
        drawings: drawings(view, &mut warnings),
        mask,
        modality,
        modality_bits: modality_bits.unwrap_or(0),
        presentation,
        shutter,
        // A plane without an activation layer is not shown (C.11.7); the shutter's plane is no drawing.
        overlays: overlays
            .into_iter()
            .filter(|o| bitmap != Some(i64::from(o.group)))
            .filter(|o| view.string(Tag(o.group, 0x1001)).is_some())
            .collect(),
        warnings,
    }
}

/// What a reader shared with pictures finds odd, among the state's own oddities.
fn told<T>(warnings: &mut Vec<Oddity>, read: impl FnOnce(&mut Vec<Trouble>) -> T) -> T {
    let mut found = Vec::new();
    let out = read(&mut found);
    warnings.extend(found.into_iter().map(Oddity::Picture));
    out
}

fn references<'a>(view: &View<'a>) -> impl Iterator<Item = ObjectRef> + use<'a> {
    view.items(tags::REFERENCED_IMAGE_SEQUENCE).filter_map(|item| object_ref(&item))
}

/// The modality transform, and the bits of its output where it is a table.
fn modality(view: &View<'_>, warnings: &mut Vec<Oddity>) -> Option<(Modality, u8)> {
    if let Some(item) = view.item(tags::MODALITY_LUT_SEQUENCE) {
        let table = told(warnings, |found| lut(&item, true, Table::Modality, found))?;
        return Some((Modality::Lut { first: table.first, data: table.entries }, table.bits));
    }
    let slope = view.float(tags::RESCALE_SLOPE).filter(|s| *s != 0.0)?;
    Some((Modality::Rescale { slope, intercept: view.float(tags::RESCALE_INTERCEPT)? }, 0))
}

fn presentation(view: &View<'_>, warnings: &mut Vec<Oddity>) -> Option<Presentation> {
    if let Some(item) = view.item(tags::PRESENTATION_LUT_SEQUENCE) {
        return told(warnings, |found| lut(&item, false, Table::Presentation, found))
            .map(|l| Presentation::Lut(Arc::new(l)));
    }
    match view.string(tags::PRESENTATION_LUT_SHAPE).as_deref() {
        Some("IDENTITY") => Some(Presentation::Identity),
        Some("INVERSE") => Some(Presentation::Inverse),
        Some(other) => {
            warnings.push(Oddity::PresentationShape(other.to_owned()));
            None
        }
        None => None,
    }
}

/// The mask subtraction (C.11.13), if all of it can be done.
fn mask(view: &View<'_>, warnings: &mut Vec<Oddity>) -> Option<Mask> {
    let items: Vec<View<'_>> = view.items(tags::MASK_SUBTRACTION_SEQUENCE).take(2).collect();
    let item = items.first()?;
    let mut not_done = |what: String| {
        warnings.push(Oddity::Mask { what });
        None
    };
    if items.len() > 1 {
        return not_done("several items".to_owned());
    }
    let averaged = item.int(tags::CONTRAST_FRAME_AVERAGING).unwrap_or(1);
    if averaged > 1 {
        return not_done(format!("Contrast Frame Averaging {averaged}"));
    }
    let operation = item.string(tags::MASK_OPERATION).unwrap_or_default();
    let frames = match operation.as_str() {
        "NONE" => return None,
        "AVG_SUB" => {
            let numbers = item.ints(tags::MASK_FRAME_NUMBERS);
            let sound: Vec<u32> = numbers.iter().filter_map(|n| u32::try_from(*n).ok()).filter(|n| *n > 0).collect();
            if sound.is_empty() || sound.len() != numbers.len() || sound.len() > MOST_MASK_FRAMES {
                return not_done(format!("AVG_SUB, {} mask frames", numbers.len()));
            }
            MaskFrames::Average(sound)
        }
        // The offset is 1 where it is empty (C.7.6.10.1).
        "TID" => MaskFrames::Before(item.int(tags::TID_OFFSET).and_then(|n| i32::try_from(n).ok()).unwrap_or(1)),
        other => return not_done(other.to_owned()),
    };
    let number = |n: i64| u32::try_from(n).ok();
    let ranges = item.ints(tags::APPLICABLE_FRAME_RANGE);
    let ranges = ranges.as_chunks::<2>().0.iter().filter_map(|[a, b]| Some([number(*a)?, number(*b)?])).collect();
    let shift = item.array::<2>(tags::MASK_SUB_PIXEL_SHIFT).unwrap_or_default();
    Some(Mask { frames, shift, ranges })
}

/// The shutter's shapes, and its plane of bits if one of them is BITMAP.
fn shutter(view: &View<'_>, warnings: &mut Vec<Oddity>) -> Option<crate::imaging::Shutter> {
    let shapes = told(warnings, |found| graphics::shutter(view, 0, found));
    let group = view.int(tags::SHUTTER_OVERLAY_GROUP).and_then(|g| u16::try_from(g).ok());
    let planes = graphics::overlays(view, 0, [0, 0], None, &mut Vec::new());
    let bitmap = group.and_then(|group| planes.into_iter().find(|o| o.group == group));
    if bitmap.is_none() {
        return shapes;
    }
    let value = view.int(tags::SHUTTER_PRESENTATION_VALUE).and_then(|v| u16::try_from(v).ok()).unwrap_or(0);
    Some(crate::imaging::Shutter { bitmap, value, ..shapes.unwrap_or_default() })
}

fn vois(view: &View<'_>, signed: bool, warnings: &mut Vec<Oddity>) -> Vec<StateVoi> {
    let mut out: Vec<StateVoi> = Vec::new();
    for item in view.items(tags::SOFTCOPY_VOILUT_SEQUENCE).take(MOST) {
        let images: Vec<ObjectRef> = references(&item).take(MOST_IMAGES).collect();
        let found = told(warnings, |found| choices(&item, 0, signed, found));
        for (voi, name) in found.voi.into_iter().zip(found.names) {
            let lut = match voi.function {
                VoiFunction::Lut(number) => found.luts.get(usize::from(number)).map(Arc::clone),
                _ => None,
            };
            out.push(StateVoi { images: images.clone(), voi, name, lut });
        }
    }
    out
}

fn areas(view: &View<'_>) -> Vec<StateArea> {
    let area = |item: View<'_>| {
        let first = *item.ints(tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER).first_chunk::<2>()?;
        let last = *item.ints(tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER).first_chunk::<2>()?;
        // Corners are those of the picture as it is turned: which one is left in the picture itself, sorting tells.
        let edges = [first[0].min(last[0]), first[1].min(last[1]), first[0].max(last[0]), first[1].max(last[1])];
        let sane = edges.iter().all(|e| e.abs() <= 1 << 20);
        let mode = item.string(tags::PRESENTATION_SIZE_MODE).unwrap_or_default();
        sane.then(|| StateArea { images: references(&item).take(MOST_IMAGES).collect(), edges, mode })
    };
    view.items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE).take(MOST).filter_map(area).collect()
}

fn drawings(view: &View<'_>, warnings: &mut Vec<Oddity>) -> Vec<Drawing> {
    let mut colors: BTreeMap<String, [u8; 3]> = BTreeMap::new();
    for layer in view.items(tags::GRAPHIC_LAYER_SEQUENCE).take(MOST) {
        let lab = layer.ints(tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_CIE_LAB_VALUE);
        let lab = lab.first_chunk::<3>().map(|c| c.map(|v| v as u16));
        if let (Some(name), Some(lab)) = (layer.string(tags::GRAPHIC_LAYER), lab) {
            colors.insert(name, rgb_of_lab(lab));
        }
    }
    let mut compound = 0;
    let mut left = MOST;
    let mut out = Vec::new();
    for item in view.items(tags::GRAPHIC_ANNOTATION_SEQUENCE).take(MOST) {
        compound += item.items(tags::COMPOUND_GRAPHIC_SEQUENCE).count();
        let layer = item.string(tags::GRAPHIC_LAYER).unwrap_or_default();
        let graphics: Vec<StateGraphic> =
            item.items(tags::GRAPHIC_OBJECT_SEQUENCE).take(left).filter_map(|g| graphic(&g)).collect();
        left -= graphics.len();
        let texts: Vec<StateText> =
            item.items(tags::TEXT_OBJECT_SEQUENCE).take(left).filter_map(|t| text(&t)).collect();
        left -= texts.len();
        let rgb = colors.get(&layer).copied();
        out.push(Drawing { images: references(&item).take(MOST_IMAGES).collect(), layer, rgb, graphics, texts });
    }
    if compound > 0 {
        warnings.push(Oddity::CompoundGraphics { count: compound });
    }
    if left == 0 {
        warnings.push(Oddity::GraphicsLeftOut { most: MOST });
    }
    out
}

fn of_display(item: &View<'_>, units: Tag) -> bool {
    item.string(units).as_deref() == Some("DISPLAY")
}

fn graphic(item: &View<'_>) -> Option<StateGraphic> {
    let data = item.floats(tags::GRAPHIC_DATA);
    let points: Vec<[f64; 2]> = data.as_chunks::<2>().0.iter().copied().take(MOST_POINTS).collect();
    let sound = !points.is_empty() && points.iter().flatten().all(|v| v.is_finite());
    sound.then(|| StateGraphic {
        shape: item.string(tags::GRAPHIC_TYPE).unwrap_or_default(),
        points,
        of_display: of_display(item, tags::GRAPHIC_ANNOTATION_UNITS),
        filled: item.string(tags::GRAPHIC_FILLED).as_deref() == Some("Y"),
    })
}

fn text(item: &View<'_>) -> Option<StateText> {
    let said = item.text(tags::UNFORMATTED_TEXT_VALUE).replace("\r\n", "\n").replace('\r', "\n");
    let anchor =
        item.array::<2>(tags::ANCHOR_POINT).map(|at| (at, of_display(item, tags::ANCHOR_POINT_ANNOTATION_UNITS)));
    let corner = item.array::<2>(tags::BOUNDING_BOX_TOP_LEFT_HAND_CORNER);
    let boxed = corner.map(|at| (at, of_display(item, tags::BOUNDING_BOX_ANNOTATION_UNITS)));
    let (at, of_display) = boxed.or(anchor)?;
    let joined = item.string(tags::ANCHOR_POINT_VISIBILITY).as_deref() == Some("Y");
    let anchor = anchor.filter(|_| joined && boxed.is_some());
    (!said.trim().is_empty()).then_some(StateText { text: said.trim_end().to_owned(), at, of_display, anchor })
}
