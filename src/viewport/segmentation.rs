//! Segmentations and RT structure sets, and where they lie on a frame: by reference, else by geometry in the same frame
//! of reference.

use super::Oddity;
use super::laid::{Area, Laid, Outline, Span, Under, between, half_slice_mm, off_plane};
use crate::study::{FrameRef, ImagePlane, SopInstanceUid};
use glam::{DAffine2, DVec3};
use serde::Serialize;

/// A segmentation (PS3.3 A.51, C.8.20).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Segmentation {
    /// Content Label, else Series Description.
    pub label: String,
    /// Segmentation Type: `BINARY`, `FRACTIONAL`, `LABELMAP`.
    pub kind: String,
    /// Columns and rows of its frames.
    pub size: [u32; 2],
    /// Its segments.
    pub segments: Vec<Segment>,
    /// Frame of Reference UID.
    pub reference: Option<String>,
    /// Thickness of its slices, mm.
    pub thickness_mm: Option<f64>,
    /// What was odd or left out.
    pub warnings: Vec<Oddity>,
    /// One entry for each segment on each of its frames.
    #[serde(skip)]
    pub pieces: Vec<Piece>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// Segment Number.
    pub number: u16,
    /// Segment Label.
    pub label: String,
    /// Recommended colour, or one of ours.
    pub rgb: [u8; 3],
    /// Pixels of it over all frames; of fractional ones those above 0.
    pub pixels: u64,
}

/// A segment on one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Place in [`Segmentation::segments`].
    pub segment: usize,
    /// Where the frame lies.
    pub plane: Option<ImagePlane>,
    /// The frames it was drawn on.
    pub sources: Vec<FrameRef>,
    /// Its pixels.
    pub spans: Vec<Span>,
}

impl Segmentation {
    /// What lies on a frame.
    pub fn laid_over(&self, under: &Under<'_>) -> Laid {
        let named = |piece: &&Piece| piece.sources.contains(under.frame);
        let mut pieces: Vec<(&Piece, DAffine2)> =
            self.pieces.iter().filter(named).filter_map(|p| Some((p, self.map(p, under)?))).collect();
        if pieces.is_empty() && self.reference.is_some() && self.reference.as_deref() == under.reference {
            pieces = self.pieces.iter().filter_map(|p| Some((p, self.by_place(p, under)?))).collect();
        }
        let area = |(piece, frame_from_own): (&Piece, DAffine2)| {
            let segment = self.segments.get(piece.segment)?;
            let (rgb, name, part) = (segment.rgb, segment.label.clone(), Some(i64::from(segment.number)));
            Some(Area { spans: piece.spans.clone(), size: self.size, frame_from_own, rgb, name, part })
        };
        Laid { areas: pieces.into_iter().filter_map(area).collect(), ..Laid::default() }
    }

    /// How a piece that names this frame lies on it: by the planes; without planes only where the grids are the same.
    fn map(&self, piece: &Piece, under: &Under<'_>) -> Option<DAffine2> {
        match (&piece.plane, &under.info.plane) {
            (Some(own), Some(frame)) if level(own, frame) => Some(between(own, frame)),
            _ => (self.size == under.size).then_some(DAffine2::IDENTITY),
        }
    }

    fn by_place(&self, piece: &Piece, under: &Under<'_>) -> Option<DAffine2> {
        let (own, frame) = (piece.plane.as_ref()?, under.info.plane.as_ref()?);
        let half = self.thickness_mm.map_or_else(|| half_slice_mm(under), |t| t / 2.0 + 1e-3);
        (level(own, frame) && off_plane(frame, own.position_mm) <= half).then(|| between(own, frame))
    }
}

/// Whether two planes are parallel, however they are turned or mirrored.
fn level(a: &ImagePlane, b: &ImagePlane) -> bool {
    a.normal().dot(b.normal()).abs() > 0.999_9
}

/// An RT structure set (PS3.3 A.19, C.8.8.5 and C.8.8.6).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StructureSet {
    /// Structure Set Label.
    pub label: String,
    /// Its structures.
    pub structures: Vec<Structure>,
    /// What was odd or left out.
    pub warnings: Vec<Oddity>,
}

/// A structure (ROI).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Structure {
    /// ROI Number.
    pub number: i64,
    /// ROI Name.
    pub name: String,
    /// ROI Display Color, or one of ours.
    pub rgb: [u8; 3],
    /// Referenced Frame of Reference UID.
    pub reference: Option<String>,
    /// Its contours.
    pub contours: Vec<Contour>,
}

/// A contour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contour {
    /// The last point joins the first.
    pub closed: bool,
    /// The images that it was drawn on.
    pub images: Vec<SopInstanceUid>,
    /// Points of the patient, mm.
    pub points_mm: Vec<DVec3>,
}

impl StructureSet {
    /// What lies on a frame.
    pub fn laid_over(&self, under: &Under<'_>) -> Laid {
        let mut out = Laid::default();
        let Some(plane) = &under.info.plane else { return out };
        let half = half_slice_mm(under);
        for structure in &self.structures {
            let same_place = structure.reference.is_some() && structure.reference.as_deref() == under.reference;
            for contour in &structure.contours {
                let named = contour.images.contains(&under.frame.instance);
                let here = || same_place && contour.points_mm.iter().all(|p| off_plane(plane, *p) <= half);
                if named || here() {
                    let pixel = |p: &DVec3| <[f64; 2]>::from(plane.pixel_from_patient(*p));
                    out.outlines.push(Outline {
                        points: contour.points_mm.iter().map(pixel).collect(),
                        closed: contour.closed,
                        rgb: Some(structure.rgb),
                        name: structure.name.clone(),
                        part: Some(structure.number),
                    });
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{FrameIndex, FrameInfo};

    fn plane(z: f64, spacing: f64) -> ImagePlane {
        ImagePlane::new([0.0, 0.0, z], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [spacing, spacing]).expect("plane")
    }

    fn frame(uid: &str) -> FrameRef {
        FrameRef { instance: SopInstanceUid::new(uid).expect("uid"), frame: FrameIndex(0) }
    }

    #[test]
    fn segments_lie_where_they_were_drawn_and_where_they_are() {
        let span = Span { row: 1, start: 2, length: 3, share: 255 };
        let piece = |z: f64, uid: &str| Piece {
            segment: 0,
            plane: Some(plane(z, 1.0)),
            sources: vec![frame(uid)],
            spans: vec![span],
        };
        let segmentation = Segmentation {
            size: [8, 8],
            segments: vec![Segment { number: 1, label: "Liver".into(), rgb: [1, 2, 3], pixels: 6 }],
            reference: Some("1.9".into()),
            thickness_mm: Some(2.0),
            pieces: vec![piece(0.0, "1.1"), piece(2.0, "1.2")],
            ..Segmentation::default()
        };
        let look = |uid: &str, z: f64, reference: Option<&str>| {
            let info = FrameInfo { plane: Some(plane(z, 0.5)), ..FrameInfo::default() };
            let at = frame(uid);
            let under = Under { frame: &at, info: &info, reference, size: [16, 16], slice_mm: Some(1.0) };
            segmentation.laid_over(&under).areas
        };
        let named = look("1.2", 2.0, None);
        assert_eq!(named.len(), 1, "by reference, whatever the frame of reference");
        assert_eq!(named[0].frame_from_own.transform_point2(glam::DVec2::ONE), glam::DVec2::splat(2.0));
        assert_eq!(look("7.7", 2.9, Some("1.9")).len(), 1, "another series at the same place");
        assert_eq!(look("7.7", 3.1, Some("1.9")).len(), 0, "beyond the slice");
        assert_eq!(look("7.7", 2.0, Some("1.8")).len(), 0, "another frame of reference");
    }

    #[test]
    fn contours_lie_on_their_slice() {
        let set = StructureSet {
            structures: vec![Structure {
                number: 1,
                name: "Heart".into(),
                rgb: [255, 0, 0],
                reference: Some("1.9".into()),
                contours: vec![Contour {
                    closed: true,
                    images: vec![],
                    points_mm: vec![DVec3::new(0.0, 0.0, 5.0), DVec3::new(4.0, 0.0, 5.0), DVec3::new(4.0, 2.0, 5.0)],
                }],
            }],
            ..StructureSet::default()
        };
        let look = |z: f64, reference| {
            let info = FrameInfo { plane: Some(plane(z, 0.5)), ..FrameInfo::default() };
            let at = frame("1.1");
            set.laid_over(&Under { frame: &at, info: &info, reference, size: [16, 16], slice_mm: Some(3.0) }).outlines
        };
        assert_eq!(look(6.0, Some("1.9"))[0].points, [[0.0, 0.0], [8.0, 0.0], [8.0, 4.0]]);
        assert!(look(7.0, Some("1.9")).is_empty());
        assert!(look(5.0, None).is_empty());
    }
}
