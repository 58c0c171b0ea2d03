//! What a stack's geometry is like, measured in mm: spacing, gaps, tilt, overlaps, and whether it is a volume.

use super::{FrameInfo, ImagePlane};
use serde::{Deserialize, Serialize};

/// What is irregular about the geometry, in mm, for the reader to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum GeometryWarning {
    /// Slice distances differ: smallest and largest, mm.
    VariableSpacing {
        /// Smallest distance between neighbours, mm.
        smallest_mm: f64,
        /// Largest distance between neighbours, mm.
        largest_mm: f64,
    },
    /// Slices are missing between others: the distance is a multiple of the usual one.
    MissingSlices {
        /// How many slices would fill the gaps.
        count: usize,
        /// Number of gaps.
        gaps: usize,
        /// Largest gap, mm.
        largest_mm: f64,
    },
    /// Several frames lie at one position.
    DuplicatePositions {
        /// How many frames share another's position.
        count: usize,
    },
    /// Origins run obliquely to the normal (gantry tilt), degrees.
    Tilt {
        /// Angle between the line of origins and the normal, degrees.
        degrees: f64,
    },
    /// Origins do not lie on a line: slices are shifted in their planes.
    Shifted {
        /// Largest distance of an origin from the line, mm.
        largest_mm: f64,
    },
    /// Each frame has its own direction: a run of projections or radial slices, in the order they were numbered.
    MixedOrientations {
        /// Number of directions.
        count: usize,
    },
    /// Frames of several frames of reference, whose positions cannot be compared.
    SeveralReferences {
        /// Number of frames of reference.
        count: usize,
    },
    /// Some places lack some of the phases.
    IncompletePhases {
        /// Frames that would make it whole.
        missing: usize,
    },
    /// Many slices tiled into one picture: the stated position is none of theirs.
    Mosaic {
        /// Number of tiles.
        tiles: u16,
    },
    /// Frames without a place in the patient; sorted by instance number.
    NoGeometry,
}

/// A place where slices are missing or farther apart than usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Index of the frame before the gap, in the set's order.
    pub after_frame: usize,
    /// Distance to the next slice, mm.
    pub distance_mm: f64,
    /// Slices that would fill it; 0 where the distance is no multiple of the usual one.
    pub missing: usize,
}

/// Whether a set's slices make a volume that may be resliced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Volume {
    /// Fewer than three places, or none known.
    #[default]
    None,
    /// Parallel slices, one per place and phase, at equal distances, one above the other.
    Regular,
    /// Parallel slices, but not a regular grid; each reason is among the set's warnings.
    Irregular,
}

/// What was measured of a stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StackMeasures {
    /// Number of different places.
    pub places: usize,
    /// Positions of the first and the last slice along the normal, mm.
    pub extent_mm: Option<[f64; 2]>,
    /// Slice thickness, where all frames agree, mm.
    pub thickness_mm: Option<f64>,
    /// Thickness less spacing, mm: > 0 slices overlap, < 0 there is an unmeasured gap between them.
    pub overlap_mm: Option<f64>,
    /// Places where slices are missing or too far apart, in the set's order; at most [`MOST_GAPS`].
    pub gaps: Vec<Gap>,
    /// Whether it is a volume.
    pub volume: Volume,
}

/// More slices than this are not missing between two: where positions lie further apart, they are wrong or of two stacks.
const MOST_ABSENT: f64 = 10_000.0;

/// Gaps listed one by one.
pub const MOST_GAPS: usize = 100;

/// Median spacing, warnings and measures of frames in scroll order. `places` numbers each frame's place, if all have
/// one; `phases` is the number of frames that belong to each place.
pub(super) fn measure(
    infos: &[FrameInfo],
    places: Option<&[u32]>,
    phases: usize,
    tomographic: bool,
) -> (Option<f64>, Vec<GeometryWarning>, StackMeasures) {
    let mut warnings = Vec::new();
    let mut out = StackMeasures { thickness_mm: thickness(infos), ..StackMeasures::default() };
    if let Some(tiles) = infos.iter().find_map(|i| i.traits.mosaic_tiles) {
        warnings.push(GeometryWarning::Mosaic { tiles });
        return (None, warnings, out);
    }
    let planes: Vec<ImagePlane> = infos.iter().filter_map(|i| i.plane).collect();
    let directions = directions(&planes);
    if directions > 1 {
        warnings.push(GeometryWarning::MixedOrientations { count: directions });
        return (None, warnings, out);
    }
    let Some(places) = places else {
        if tomographic && infos.len() > 1 {
            warnings.push(GeometryWarning::NoGeometry);
        }
        return (None, warnings, out);
    };
    // One frame per place.
    let mut stops: Vec<(usize, f64)> = Vec::new();
    let normal = planes.first().map(ImagePlane::normal);
    let along = |n: usize| match (normal, infos.get(n)) {
        (Some(normal), Some(FrameInfo { plane: Some(plane), .. })) => plane.position_mm.dot(normal),
        (None, Some(info)) => info.traits.along_mm.map_or(0.0, f64::from),
        _ => 0.0,
    };
    for (n, place) in places.iter().enumerate() {
        if n == 0 || places.get(n - 1) != Some(place) {
            stops.push((n, along(n)));
        }
    }
    out.places = stops.len();
    out.extent_mm = stops.first().zip(stops.last()).map(|(a, b)| [a.1, b.1]);
    let extra = infos.len().saturating_sub(stops.len());
    if phases > 1 {
        let missing = (stops.len() * phases).saturating_sub(infos.len());
        if missing > 0 {
            warnings.push(GeometryWarning::IncompletePhases { missing });
        }
    } else if extra > 0 {
        warnings.push(GeometryWarning::DuplicatePositions { count: extra });
    }
    let steps: Vec<(usize, f64)> = stops.windows(2).map(|w| (w[1].0 - 1, (w[1].1 - w[0].1).abs())).collect();
    let mut sorted: Vec<f64> = steps.iter().map(|s| s.1).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&smallest_mm), Some(&largest_mm), Some(&median)) =
        (sorted.first(), sorted.last(), sorted.get(sorted.len() / 2))
    else {
        return (None, warnings, out);
    };
    out.overlap_mm = out.thickness_mm.map(|t| t - median);
    spacing(&steps, median, [smallest_mm, largest_mm], &mut warnings, &mut out);
    if planes.len() == infos.len() {
        line(&stops, &planes, &mut warnings);
    }
    if stops.len() >= 3 {
        out.volume = if warnings.is_empty() { Volume::Regular } else { Volume::Irregular };
    }
    (Some(median), warnings, out)
}

/// Gaps and variable spacing.
fn spacing(
    steps: &[(usize, f64)],
    median: f64,
    [smallest_mm, largest_mm]: [f64; 2],
    warnings: &mut Vec<GeometryWarning>,
    out: &mut StackMeasures,
) {
    let tolerance = 0.01_f64.max(0.01 * median);
    if largest_mm - smallest_mm <= tolerance {
        return;
    }
    let (mut missing, mut multiples) = (0usize, true);
    for (after_frame, distance_mm) in steps.iter().copied() {
        let ratio = distance_mm / median;
        let whole = ratio.round();
        if (distance_mm - whole * median).abs() > tolerance * whole.max(1.0) || whole > MOST_ABSENT {
            multiples = false;
        }
        let absent =
            if (ratio - whole).abs() <= 0.1 && (2.0..=MOST_ABSENT).contains(&whole) { whole as usize - 1 } else { 0 };
        if ratio > 1.1 && out.gaps.len() < MOST_GAPS {
            out.gaps.push(Gap { after_frame, distance_mm, missing: absent });
        }
        missing += absent;
    }
    // Slices are missing where all distances are multiples of the usual one; else the spacing itself varies.
    if multiples && missing > 0 {
        warnings.push(GeometryWarning::MissingSlices { count: missing, gaps: out.gaps.len(), largest_mm });
    } else {
        warnings.push(GeometryWarning::VariableSpacing { smallest_mm, largest_mm });
    }
}

/// Whether the origins lie on a line along the normal.
fn line(stops: &[(usize, f64)], planes: &[ImagePlane], warnings: &mut Vec<GeometryWarning>) {
    let at = |stop: Option<&(usize, f64)>| stop.and_then(|s| planes.get(s.0));
    let (Some(a), Some(b)) = (at(stops.first()), at(stops.last())) else { return };
    let way = b.position_mm - a.position_mm;
    if way.length() < 1e-3 {
        return;
    }
    let direction = way.normalize();
    let degrees = direction.dot(a.normal()).abs().min(1.0).acos().to_degrees();
    if degrees > 0.5 {
        warnings.push(GeometryWarning::Tilt { degrees });
    }
    let off = |p: &ImagePlane| {
        let from = p.position_mm - a.position_mm;
        (from - direction * from.dot(direction)).length()
    };
    let largest_mm = stops.iter().filter_map(|s| planes.get(s.0)).map(off).fold(0.0, f64::max);
    if largest_mm > 0.5_f64.max(0.5 * a.spacing_mm[0]) {
        warnings.push(GeometryWarning::Shifted { largest_mm });
    }
}

fn thickness(infos: &[FrameInfo]) -> Option<f64> {
    let first = infos.first()?.traits.thickness_mm?;
    let same = |i: &FrameInfo| i.traits.thickness_mm.is_some_and(|t| (t - first).abs() < 0.01);
    infos.iter().all(same).then_some((f64::from(first) * 1e4).round() / 1e4)
}

/// Number of different normals, counted up to 1000.
fn directions(planes: &[ImagePlane]) -> usize {
    let Some(first) = planes.first() else { return 0 };
    let normal = first.normal();
    if planes.iter().all(|p| p.normal().dot(normal) > 0.999) {
        return 1;
    }
    let mut seen = vec![normal];
    for plane in planes {
        let own = plane.normal();
        if seen.len() < 1000 && !seen.iter().any(|n| n.dot(own) > 0.999) {
            seen.push(own);
        }
    }
    seen.len()
}
