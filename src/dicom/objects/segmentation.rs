//! Segmentations (PS3.3 C.8.20) → [`Segmentation`], and RT structure sets (C.8.8.5, C.8.8.6) → [`StructureSet`].

use super::{ObjectError, object_ref};
use crate::dicom::dataset::View;
use crate::dicom::decode::Object;
use crate::dicom::functional::{frame_info, group, per_frame};
use crate::imaging::{Frame, Pixels};
use crate::study::{FrameIndex, FrameRef};
use crate::viewport::segmentation::{Contour, Piece, Segment, Segmentation, Structure, StructureSet};
use crate::viewport::{Oddity, Span, rgb_by_number, rgb_of_lab};
use dicom_dictionary_std::tags;
use glam::DVec3;
use std::collections::BTreeMap;

/// Most runs of pixels that are kept (8 bytes each), most source frames of one frame, most frames.
const MOST_SPANS: usize = 30_000_000;
const MOST_SOURCES: usize = 10_000;
const MOST_FRAMES: usize = 100_000;
/// Most contours and points of a structure set.
const MOST_CONTOURS: usize = 500_000;
const MOST_POINTS: usize = 20_000_000;

/// Reads a segmentation with its pixels.
pub(super) fn segmentation(object: &Object) -> Result<Segmentation, ObjectError> {
    let header = object.header();
    let view = header.view();
    let text = |tag| view.string(tag).unwrap_or_default();
    let size = [tags::COLUMNS, tags::ROWS].map(|t| view.int(t).and_then(|v| u32::try_from(v).ok()).unwrap_or(0));
    let mut out = Segmentation {
        label: view.string(tags::CONTENT_LABEL).unwrap_or_else(|| text(tags::SERIES_DESCRIPTION)),
        kind: text(tags::SEGMENTATION_TYPE),
        size,
        reference: view.string(tags::FRAME_OF_REFERENCE_UID),
        thickness_mm: group(&view, 0, tags::PIXEL_MEASURES_SEQUENCE)
            .and_then(|g| g.float(tags::SLICE_THICKNESS))
            .filter(|t| *t > 0.0),
        ..Segmentation::default()
    };
    let mut places: BTreeMap<u16, usize> = BTreeMap::new();
    for item in view.items(tags::SEGMENT_SEQUENCE).take(usize::from(u16::MAX)) {
        let Some(number) = item.int(tags::SEGMENT_NUMBER).and_then(|n| u16::try_from(n).ok()) else { continue };
        let lab = item.ints(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE);
        let rgb = match lab.first_chunk::<3>() {
            Some(lab) => rgb_of_lab(lab.map(|v| v as u16)),
            None => rgb_by_number(out.segments.len()),
        };
        // Segment 0 of a label map is the background: nothing is drawn for it.
        if number == 0 && out.kind == "LABELMAP" {
            continue;
        }
        places.entry(number).or_insert(out.segments.len());
        out.segments.push(Segment { number, label: item.text(tags::SEGMENT_LABEL).trim().to_owned(), rgb, pixels: 0 });
    }
    let declared = object.frame_count().map_err(|e| ObjectError::Listed(e.to_string()))?;
    if declared > MOST_FRAMES {
        out.warnings.push(Oddity::FramesLeftOut { declared, read: MOST_FRAMES });
    }
    let most =
        f64::from(view.int(tags::MAXIMUM_FRACTIONAL_VALUE).and_then(|v| u8::try_from(v).ok()).unwrap_or(255).max(1));
    let mut spans = 0;
    for index in 0..declared.min(MOST_FRAMES) {
        let frame = match object.frame(FrameIndex(index as u32)) {
            Ok(frame) => frame,
            Err(error) => {
                out.warnings.push(Oddity::SegmentFrame { number: index + 1, reason: error.to_string() });
                continue;
            }
        };
        for trouble in frame.warnings.iter().filter(|w| w.spoils()) {
            out.warnings.push(Oddity::SegmentFrame { number: index + 1, reason: trouble.to_string() });
        }
        let info = frame_info(&view, index);
        let sources = sources(&view, index);
        let found = if out.kind == "LABELMAP" {
            by_label(&frame, &places)
        } else {
            let number = group(&view, index, tags::SEGMENT_IDENTIFICATION_SEQUENCE)
                .and_then(|g| g.int(tags::REFERENCED_SEGMENT_NUMBER))
                .and_then(|n| u16::try_from(n).ok());
            let Some(segment) = number.and_then(|n| places.get(&n)).copied() else {
                out.warnings.push(Oddity::NoSegment { number: index + 1 });
                continue;
            };
            let whole = if out.kind == "FRACTIONAL" { most } else { 1.0 };
            vec![(segment, runs(&frame, |v| ((v / whole).clamp(0.0, 1.0) * 255.0).round() as u8))]
        };
        for (segment, piece) in found {
            spans += piece.len();
            if spans > MOST_SPANS {
                return Err(ObjectError::Listed("the segmentation has too many pieces to be drawn".to_owned()));
            }
            if let Some(known) = out.segments.get_mut(segment) {
                known.pixels += piece.iter().map(|s| u64::from(s.length)).sum::<u64>();
            }
            out.pieces.push(Piece { segment, plane: info.plane, sources: sources.clone(), spans: piece });
        }
    }
    out.warnings.truncate(100);
    Ok(out)
}

/// The frames that a frame was drawn on: Derivation Image, per frame; of a single-frame source its only one.
fn sources(view: &View<'_>, index: usize) -> Vec<FrameRef> {
    let place = per_frame(view, index).filter(|p| p.item(tags::DERIVATION_IMAGE_SEQUENCE).is_some());
    let Some(place) = place.or_else(|| view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)) else { return Vec::new() };
    let items = place.items(tags::DERIVATION_IMAGE_SEQUENCE).flat_map(|d| d.items(tags::SOURCE_IMAGE_SEQUENCE));
    items.take(MOST_SOURCES).filter_map(|item| object_ref(&item)).flat_map(|to| to.frame_refs()).collect()
}

fn value(frame: &Frame, at: usize) -> f64 {
    match &*frame.pixels {
        // A palette only colours what is stored; the labels are gone then.
        Pixels::Rgb8(_) => 0.0,
        pixels => pixels.stored(at).unwrap_or(0.0),
    }
}

/// Runs of equal share above 0, row by row.
fn runs(frame: &Frame, share: impl Fn(f64) -> u8) -> Vec<Span> {
    let mut out = Vec::new();
    let columns = frame.columns as usize;
    for row in 0..frame.rows as usize {
        let mut open: Option<Span> = None;
        for column in 0..columns {
            let share = share(value(frame, row * columns + column));
            match &mut open {
                Some(span) if span.share == share => span.length = span.length.saturating_add(1),
                _ => {
                    out.extend(open.take());
                    let (row, start) = (row as u16, column as u16);
                    open = (share > 0).then_some(Span { row, start, length: 1, share });
                }
            }
        }
        out.extend(open);
    }
    out
}

/// A label map's runs by segment.
fn by_label(frame: &Frame, places: &BTreeMap<u16, usize>) -> Vec<(usize, Vec<Span>)> {
    let mut out: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    let columns = frame.columns as usize;
    for row in 0..frame.rows as usize {
        let mut open: Option<(usize, Span)> = None;
        for column in 0..columns {
            let label = value(frame, row * columns + column);
            let segment = places.get(&(label as u16)).copied().filter(|_| label >= 0.0);
            match (&mut open, segment) {
                (Some((known, span)), Some(segment)) if *known == segment => {
                    span.length = span.length.saturating_add(1);
                }
                _ => {
                    if let Some((known, span)) = open.take() {
                        out.entry(known).or_default().push(span);
                    }
                    let span = Span { row: row as u16, start: column as u16, length: 1, share: 255 };
                    open = segment.map(|s| (s, span));
                }
            }
        }
        if let Some((known, span)) = open {
            out.entry(known).or_default().push(span);
        }
    }
    out.into_iter().collect()
}

/// Reads a structure set.
pub(super) fn structure_set(view: &View<'_>) -> StructureSet {
    let mut out =
        StructureSet { label: view.string(tags::STRUCTURE_SET_LABEL).unwrap_or_default(), ..StructureSet::default() };
    let mut places: BTreeMap<i64, usize> = BTreeMap::new();
    for item in view.items(tags::STRUCTURE_SET_ROI_SEQUENCE).take(10_000) {
        let Some(number) = item.int(tags::ROI_NUMBER) else { continue };
        places.entry(number).or_insert(out.structures.len());
        out.structures.push(Structure {
            number,
            name: item.text(tags::ROI_NAME).trim().to_owned(),
            rgb: rgb_by_number(out.structures.len()),
            reference: item.string(tags::REFERENCED_FRAME_OF_REFERENCE_UID),
            contours: Vec::new(),
        });
    }
    let (mut contours, mut points, mut odd) = (0, 0, 0usize);
    for roi in view.items(tags::ROI_CONTOUR_SEQUENCE).take(10_000) {
        let place = roi.int(tags::REFERENCED_ROI_NUMBER).and_then(|n| places.get(&n)).copied();
        let Some(structure) = place.and_then(|p| out.structures.get_mut(p)) else {
            odd += 1;
            continue;
        };
        if let Some(rgb) = roi.ints(tags::ROI_DISPLAY_COLOR).first_chunk::<3>() {
            structure.rgb = rgb.map(|v| v.clamp(0, 255) as u8);
        }
        for item in roi.items(tags::CONTOUR_SEQUENCE) {
            let data = item.floats(tags::CONTOUR_DATA);
            contours += 1;
            points += data.len() / 3;
            if contours > MOST_CONTOURS || points > MOST_POINTS {
                out.warnings.push(Oddity::ContoursLeftOut);
                return out;
            }
            let points_mm: Vec<DVec3> = data.as_chunks::<3>().0.iter().map(|p| DVec3::from_array(*p)).collect();
            if points_mm.is_empty() || points_mm.iter().any(|p| !p.is_finite()) || data.len() % 3 != 0 {
                odd += 1;
                continue;
            }
            let kind = item.string(tags::CONTOUR_GEOMETRIC_TYPE).unwrap_or_default();
            let images = item.items(tags::CONTOUR_IMAGE_SEQUENCE).take(64);
            structure.contours.push(Contour {
                closed: kind.starts_with("CLOSED"),
                images: images.filter_map(|i| object_ref(&i)).map(|to| to.instance).collect(),
                points_mm,
            });
        }
    }
    if odd > 0 {
        out.warnings.push(Oddity::Contours { count: odd });
    }
    out
}
