//! What objects lay over one frame: outlines, texts, and areas of pixels. Pixel positions are (column, row) of the frame,
//! whole numbers at pixel centres.

use crate::study::hidden_debug;
use crate::study::{FrameInfo, FrameRef, ImagePlane};
use glam::{DAffine2, DMat2, DVec2, DVec3};
use std::collections::BTreeSet;
use std::f64::consts::TAU;

/// A frame that something is laid over.
#[derive(Debug, Clone, Copy)]
pub struct Under<'a> {
    /// The frame.
    pub frame: &'a FrameRef,
    /// What is known of it.
    pub info: &'a FrameInfo,
    /// Frame of Reference UID.
    pub reference: Option<&'a str>,
    /// Columns and rows.
    pub size: [u32; 2],
    /// Distance to the neighbouring slices, mm.
    pub slice_mm: Option<f64>,
}

/// All that is laid over a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Laid {
    /// Outlines and lines.
    pub outlines: Vec<Outline>,
    /// Texts.
    pub texts: Vec<LaidText>,
    /// Areas, back to front.
    pub areas: Vec<Area>,
}

/// A line through points; a single point is a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Pixel positions.
    pub points: Vec<[f64; 2]>,
    /// The last point joins the first.
    pub closed: bool,
    /// Recommended colour.
    pub rgb: Option<[u8; 3]>,
    /// What it is; empty if the object does not say.
    pub name: String,
    /// Segment or ROI Number that it can be taken away by.
    pub part: Option<i64>,
}

/// A text at a place.
#[derive(Clone, PartialEq)]
pub struct LaidText {
    /// Its top left corner.
    pub at: [f64; 2],
    /// Lines parted by line feeds.
    pub text: String,
    /// Recommended colour.
    pub rgb: Option<[u8; 3]>,
}

hidden_debug!(LaidText { at });

/// Pixels of one row that belong to an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Row of the area's own grid, from 0.
    pub row: u16,
    /// First column.
    pub start: u16,
    /// Number of columns.
    pub length: u16,
    /// How much they belong to it, of 255.
    pub share: u8,
}

/// An area of pixels on a grid of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its pixels.
    pub spans: Vec<Span>,
    /// Columns and rows of its grid.
    pub size: [u32; 2],
    /// From pixel positions of its grid to those of the frame.
    pub frame_from_own: DAffine2,
    /// Recommended colour.
    pub rgb: [u8; 3],
    /// What it is.
    pub name: String,
    /// Segment or ROI Number that it can be taken away by.
    pub part: Option<i64>,
}

/// A pixel with at least so much of a share lies within an area's border.
const WITHIN: u8 = 128;

impl Area {
    /// Its border along the edges of its pixels, each straight stretch once: pixel positions of its own grid. Empty if
    /// there are more stretches than `most`.
    pub fn border(&self, most: usize) -> Vec<[[f64; 2]; 2]> {
        let spans = || self.spans.iter().filter(|s| s.share >= WITHIN && s.length > 0);
        let end = |s: &Span| usize::from(s.start) + usize::from(s.length);
        let (Some(left), Some(top)) = (spans().map(|s| s.start).min(), spans().map(|s| s.row).min()) else {
            return Vec::new();
        };
        let right = spans().map(end).max().unwrap_or_default();
        let bottom = spans().map(|s| usize::from(s.row) + 1).max().unwrap_or_default();
        let (left, top) = (usize::from(left), usize::from(top));
        // A pixel of nothing around it.
        let (width, height) = (right - left + 2, bottom - top + 2);
        let mut within = vec![false; width * height];
        for span in spans() {
            let from = (usize::from(span.row) - top + 1) * width + usize::from(span.start) - left + 1;
            if let Some(row) = within.get_mut(from..from + usize::from(span.length)) {
                row.fill(true);
            }
        }
        let at = |row: usize, column: usize| within.get(row * width + column).copied().unwrap_or(false);
        // Edge `n` lies between pixels n and n + 1 of the widened grid.
        let x = |column: usize| column as f64 + left as f64 - 0.5;
        let y = |row: usize| row as f64 + top as f64 - 0.5;
        let mut out = Vec::new();
        for edge in 0..height - 1 {
            stretches(
                width,
                |n| at(edge, n) != at(edge + 1, n),
                |a, b| {
                    out.push([[x(a) - 1.0, y(edge)], [x(b) - 1.0, y(edge)]]);
                },
            );
        }
        for edge in 0..width - 1 {
            stretches(
                height,
                |n| at(n, edge) != at(n, edge + 1),
                |a, b| {
                    out.push([[x(edge), y(a) - 1.0], [x(edge), y(b) - 1.0]]);
                },
            );
        }
        if out.len() > most { Vec::new() } else { out }
    }
}

/// Runs of numbers below `count` for which `holds`: first, and the one after the last.
fn stretches(count: usize, holds: impl Fn(usize) -> bool, mut found: impl FnMut(usize, usize)) {
    let mut open = None;
    for n in 0..=count {
        match (open, n < count && holds(n)) {
            (None, true) => open = Some(n),
            (Some(first), false) => {
                found(first, n);
                open = None;
            }
            _ => {}
        }
    }
}

impl Laid {
    /// Takes parts away by their numbers.
    pub fn hide(&mut self, hidden: &BTreeSet<i64>) {
        let shown = |part: Option<i64>| part.is_none_or(|number| !hidden.contains(&number));
        self.areas.retain(|area| shown(area.part));
        self.outlines.retain(|outline| shown(outline.part));
    }
}

/// Points of a circle or ellipse as it is drawn.
const ROUND: usize = 72;

/// Lines of a graphic (PS3.3 C.10.5.2, C.18.6, C.18.9) whose points are pixel positions already; empty for shapes that
/// are not known.
pub(super) fn lines(shape: &str, points: &[DVec2], filled: bool) -> Vec<(Vec<[f64; 2]>, bool)> {
    let plain = || points.iter().map(|p| p.to_array()).collect::<Vec<_>>();
    match (shape, points) {
        ("POINT", [at, ..]) => vec![(vec![at.to_array()], false)],
        ("MULTIPOINT", _) => points.iter().map(|p| (vec![p.to_array()], false)).collect(),
        ("POLYLINE" | "INTERPOLATED", [first, .., last]) => vec![(plain(), filled || first == last)],
        ("POLYGON", [_, _, ..]) => vec![(plain(), true)],
        ("CIRCLE", [center, edge, ..]) => {
            let radius = center.distance(*edge);
            vec![(round(*center, DVec2::X * radius, DVec2::Y * radius), true)]
        }
        ("ELLIPSE", [a, b, c, d, ..]) => {
            let center = (*a + *b) / 2.0;
            vec![(round(center, (*b - *a) / 2.0, (*d - *c) / 2.0), true)]
        }
        _ => Vec::new(),
    }
}

fn round(center: DVec2, a: DVec2, b: DVec2) -> Vec<[f64; 2]> {
    let at = |n: usize| {
        let (sin, cos) = (TAU * n as f64 / ROUND as f64).sin_cos();
        (center + a * cos + b * sin).to_array()
    };
    (0..ROUND).map(at).collect()
}

/// From pixel positions on `own` to those of `frame`: exact in millimetres, by the planes.
pub(super) fn between(own: &ImagePlane, frame: &ImagePlane) -> DAffine2 {
    let at = |column, row| DVec2::from(frame.pixel_from_patient(own.patient_from_pixel(column, row)));
    let (zero, right, down) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0));
    DAffine2::from_mat2_translation(DMat2::from_cols(right - zero, down - zero), zero)
}

/// Distance of a point from a plane, mm.
pub(super) fn off_plane(plane: &ImagePlane, point: DVec3) -> f64 {
    (point - plane.position_mm).dot(plane.normal()).abs()
}

/// Half a slice: how far off the plane something may lie and still belong to the frame.
pub(super) fn half_slice_mm(under: &Under<'_>) -> f64 {
    under.slice_mm.filter(|s| s.is_finite() && *s > 0.0).map_or(0.5, |s| s / 2.0) + 1e-3
}

/// sRGB of a CIELab colour as DICOM stores it (PS3.3 C.10.7.1.1): D50 white, 16 bits a component.
pub fn rgb_of_lab(lab: [u16; 3]) -> [u8; 3] {
    let [l, a, b] = lab.map(f64::from);
    let (l, a, b) = (l * 100.0 / 65535.0, a * 255.0 / 65535.0 - 128.0, b * 255.0 / 65535.0 - 128.0);
    let y = (l + 16.0) / 116.0;
    let cube = |t: f64| if t > 6.0 / 29.0 { t * t * t } else { 3.0 * (6.0f64 / 29.0).powi(2) * (t - 4.0 / 29.0) };
    let [x, y, z] = [0.9642 * cube(y + a / 500.0), cube(y), 0.8249 * cube(y - b / 200.0)];
    // XYZ at D50 to linear sRGB (Bradford adaptation to D65 included).
    let linear = [
        3.133_856_1 * x - 1.616_866_7 * y - 0.490_614_6 * z,
        -0.978_768_4 * x + 1.916_141_5 * y + 0.033_454 * z,
        0.071_945_3 * x - 0.228_991_4 * y + 1.405_242_7 * z,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (v * 255.0).round() as u8
    })
}

/// Colours for what recommends none, well apart from each other.
pub fn rgb_by_number(number: usize) -> [u8; 3] {
    const COLORS: [[u8; 3]; 8] = [
        [230, 90, 80],
        [90, 190, 110],
        [90, 150, 230],
        [225, 185, 70],
        [190, 110, 210],
        [80, 200, 200],
        [235, 140, 60],
        [220, 130, 170],
    ];
    COLORS.get(number % COLORS.len()).copied().unwrap_or([255; 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_lab() {
        assert_eq!(rgb_of_lab([65535, 32896, 32896]), [255, 255, 255]);
        assert_eq!(rgb_of_lab([0, 32896, 32896]), [0, 0, 0]);
        // L 54.3, a 80.8, b 69.9: pure red of sRGB under D50.
        let [l, a, b] = [54.29 / 100.0 * 65535.0, (80.81 + 128.0) / 255.0 * 65535.0, (69.89 + 128.0) / 255.0 * 65535.0];
        let [r, g, b] = rgb_of_lab([l as u16, a as u16, b as u16]);
        assert!(r >= 253 && g <= 6 && b <= 6, "{r} {g} {b}");
    }

    #[test]
    fn a_border_runs_along_the_pixels_edges() {
        let span = |row, start, length, share| Span { row, start, length, share };
        let area = |spans| Area {
            spans,
            size: [9, 9],
            frame_from_own: DAffine2::IDENTITY,
            rgb: [0; 3],
            name: String::new(),
            part: Some(1),
        };
        let mut border = area(vec![span(2, 3, 2, 255), span(3, 3, 2, 255)]).border(99);
        border.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        let [l, t, r, b] = [2.5, 1.5, 4.5, 3.5];
        assert_eq!(border, [[[l, t], [l, b]], [[l, t], [r, t]], [[l, b], [r, b]], [[r, t], [r, b]]]);
        // An L has six; what belongs less than half lies outside; too many are none.
        let l_shape = area(vec![span(0, 0, 1, 255), span(1, 0, 2, 255), span(0, 1, 1, 100)]);
        assert_eq!(l_shape.border(6).len(), 6);
        assert!(l_shape.border(5).is_empty() && area(vec![]).border(9).is_empty());
        let mut laid = Laid { areas: vec![l_shape], ..Laid::default() };
        laid.hide(&BTreeSet::from([2]));
        assert_eq!(laid.areas.len(), 1);
        laid.hide(&BTreeSet::from([1]));
        assert!(laid.areas.is_empty());
    }

    #[test]
    fn grids_meet_in_millimetres() {
        let plane = |x: f64, spacing| {
            ImagePlane::new([x, 0.0, 10.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [spacing, spacing]).expect("plane")
        };
        let map = between(&plane(-5.0, 2.0), &plane(-10.0, 0.5));
        assert_eq!(map.transform_point2(DVec2::new(0.0, 0.0)), DVec2::new(10.0, 0.0));
        assert_eq!(map.transform_point2(DVec2::new(1.0, 3.0)), DVec2::new(14.0, 12.0));
    }

    #[test]
    fn shapes_become_lines() {
        let p = |x, y| DVec2::new(x, y);
        let circle = lines("CIRCLE", &[p(10.0, 10.0), p(13.0, 14.0)], false);
        assert!(circle[0].1 && circle[0].0.iter().all(|q| (p(q[0], q[1]).distance(p(10.0, 10.0)) - 5.0).abs() < 1e-9));
        assert_eq!(lines("MULTIPOINT", &[p(1.0, 1.0), p(2.0, 2.0)], false).len(), 2);
        assert!(lines("CIRCLE", &[p(1.0, 1.0)], false).is_empty());
        assert!(lines("LATER", &[p(1.0, 1.0)], false).is_empty());
    }
}
