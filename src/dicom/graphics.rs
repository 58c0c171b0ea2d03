//! What lies over the picture: overlay planes (PS3.3 C.9.2) and display shutters (C.7.6.11).

use super::dataset::{Endian, View};
use super::functional::group;
use crate::imaging::{Overlay, OverlayKind, Shutter, Trouble};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

/// The bits of an uncompressed frame's words, for overlays in bits that the pixels leave unused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) endian: Endian,
    pub(super) allocated: u16,
    /// Lowest and highest bit of the pixel.
    pub(super) pixel: [u16; 2],
}

/// Overlay planes of a frame (from 0). `words` is `None` for compressed and float pixels and for colour.
pub(super) fn overlays(
    view: &View<'_>,
    frame: usize,
    size: [u32; 2],
    words: Option<Words<'_>>,
    warnings: &mut Vec<Trouble>,
) -> Vec<Overlay> {
    // Sixteen repeating groups: 6000, 6002 … 601E.
    (0x6000..=0x601Eu16)
        .step_by(2)
        .filter_map(|group| match plane(view, group, frame, size, words)? {
            Ok(plane) => Some(plane),
            Err(reason) => {
                warnings.push(Trouble::Overlay { group, reason });
                None
            }
        })
        .collect()
}

/// `None` if there is no such plane on this frame.
fn plane(
    view: &View<'_>,
    group: u16,
    frame: usize,
    size: [u32; 2],
    words: Option<Words<'_>>,
) -> Option<Result<Overlay, &'static str>> {
    let tag = |element| Tag(group, element);
    let [rows, columns] = [0x0010, 0x0011]
        .map(|e| view.int(tag(e)).and_then(|v| u32::try_from(v).ok()).filter(|v| (1..=65535).contains(v)));
    let (rows, columns) = rows.zip(columns)?;
    // One plane holds for all frames; several begin at Image Frame Origin (C.9.2.1.4).
    let frames = view.int(tag(0x0015)).and_then(|v| usize::try_from(v).ok()).filter(|n| *n > 0);
    let at = match frames {
        Some(frames) if view.has(tag(0x0051)) || frames > 1 => {
            let origin = view.int(tag(0x0051)).and_then(|v| usize::try_from(v).ok()).unwrap_or(1).max(1);
            frame.checked_sub(origin - 1).filter(|at| *at < frames)?
        }
        _ => 0,
    };
    let [row, column] = view.ints(tag(0x0050)).first_chunk().copied().unwrap_or([1, 1]);
    let origin = [row, column].map(|v| i32::from(v as u16 as i16));
    let kind = if view.string(tag(0x0040)).as_deref() == Some("R") { OverlayKind::Roi } else { OverlayKind::Graphics };
    let label = view.string(tag(0x1500)).or_else(|| view.string(tag(0x0022))).unwrap_or_default();
    let count = rows as usize * columns as usize;
    let bits = match view.bytes(tag(0x3000)).filter(|b| !b.is_empty()) {
        Some(bytes) => {
            let swap = view.endian == Endian::Big && view.set.get(tag(0x3000)).is_some_and(|e| e.vr == VR::OW);
            packed(bytes, at * count, count, swap)
        }
        None => {
            let position = view.int(tag(0x0102)).and_then(|v| u16::try_from(v).ok()).unwrap_or(0);
            let Some(words) = words else {
                return Some(Err("its bits are not in the object, or in compressed pixels"));
            };
            if position >= words.allocated || (words.pixel[0]..=words.pixel[1]).contains(&position) {
                return Some(Err("it has no data, and its bit belongs to the pixels"));
            }
            if [rows, columns] != size {
                return Some(Err("it lies in the pixels' unused bits but is of another size"));
            }
            embedded(words, position, count)
        }
    };
    if bits.is_empty() {
        return Some(Err("its data are missing"));
    }
    Some(Ok(Overlay { group, rows, columns, origin, kind, label, bits: bits.into() }))
}

/// `count` bits from bit `first` on, packed anew from bit 0. Short where the data are.
fn packed(bytes: &[u8], first: usize, count: usize, swap: bool) -> Vec<u8> {
    let byte = |at: usize| bytes.get(if swap { at ^ 1 } else { at }).copied();
    let available = (bytes.len() * 8).saturating_sub(first).min(count);
    let mut out = vec![0u8; available.div_ceil(8)];
    for (at, target) in out.iter_mut().enumerate() {
        let start = first + at * 8;
        let low = byte(start / 8).unwrap_or(0);
        let high = byte(start / 8 + 1).unwrap_or(0);
        let shift = start % 8;
        *target = (u16::from_le_bytes([low, high]) >> shift) as u8;
    }
    out
}

/// One bit of each of the frame's words.
fn embedded(words: Words<'_>, position: u16, count: usize) -> Vec<u8> {
    let width = usize::from(words.allocated / 8).max(1);
    let mut out = vec![0u8; count.div_ceil(8)];
    for (at, word) in words.bytes.chunks_exact(width).take(count).enumerate() {
        let byte = usize::from(position / 8);
        let byte = if words.endian == Endian::Big { width - 1 - byte } else { byte };
        let bit = word.get(byte).copied().unwrap_or(0) >> (position % 8) & 1;
        if let Some(target) = out.get_mut(at / 8) {
            *target |= bit << (at % 8);
        }
    }
    out
}

/// The frame's display shutter: of its functional group, else of the object. A shape whose numbers are missing is
/// left out with a warning: nothing is covered by a guess.
pub(super) fn shutter(view: &View<'_>, frame: usize, warnings: &mut Vec<Trouble>) -> Option<Shutter> {
    let place = group(view, frame, tags::FRAME_DISPLAY_SHUTTER_SEQUENCE).unwrap_or(*view);
    let shapes = place.strings(tags::SHUTTER_SHAPE);
    if shapes.is_empty() {
        return None;
    }
    let number = |tag: Tag| place.int(tag).and_then(|v| i32::try_from(v).ok());
    let mut out = Shutter {
        value: place.int(tags::SHUTTER_PRESENTATION_VALUE).and_then(|v| u16::try_from(v).ok()).unwrap_or(0),
        ..Shutter::default()
    };
    let mut bad = |shape: &str| warnings.push(Trouble::Shutter { shape: shape.to_owned() });
    for shape in &shapes {
        match shape.as_str() {
            "RECTANGULAR" => {
                let edges = [
                    tags::SHUTTER_LEFT_VERTICAL_EDGE,
                    tags::SHUTTER_RIGHT_VERTICAL_EDGE,
                    tags::SHUTTER_UPPER_HORIZONTAL_EDGE,
                    tags::SHUTTER_LOWER_HORIZONTAL_EDGE,
                ]
                .map(number);
                match edges {
                    [Some(left), Some(right), Some(upper), Some(lower)] if left <= right && upper <= lower => {
                        out.rectangle = Some([left, right, upper, lower]);
                    }
                    _ => bad(shape),
                }
            }
            "CIRCULAR" => {
                let center = place.ints(tags::CENTER_OF_CIRCULAR_SHUTTER);
                let center = center.first_chunk::<2>().map(|c| c.map(i32::try_from));
                match (center, number(tags::RADIUS_OF_CIRCULAR_SHUTTER)) {
                    (Some([Ok(row), Ok(column)]), Some(radius)) if radius > 0 => {
                        out.circle = Some([row, column, radius]);
                    }
                    _ => bad(shape),
                }
            }
            "POLYGONAL" => {
                let numbers = place.ints(tags::VERTICES_OF_THE_POLYGONAL_SHUTTER);
                let vertex = |v: &[i64; 2]| Some([i32::try_from(v[0]).ok()?, i32::try_from(v[1]).ok()?]);
                let vertices: Vec<[i32; 2]> = numbers.as_chunks::<2>().0.iter().filter_map(vertex).take(4096).collect();
                if vertices.len() >= 3 {
                    out.polygon = vertices;
                } else {
                    bad(shape);
                }
            }
            // Of presentation states only; its plane is read with them.
            "BITMAP" => {}
            other => bad(other),
        }
    }
    let any = out.rectangle.is_some() || out.circle.is_some() || !out.polygon.is_empty();
    any.then_some(out)
}
