//! What an object says about showing itself, beside its values: choices of the VOI transform, graphics in planes of
//! bits, shutters, and values in the real world.

use super::Lut;
use std::sync::Arc;

/// Everything about one frame's display that is not its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Display {
    /// Names of the entries of [`super::Frame::voi`], in their order; empty where the object gives none.
    pub voi_names: Vec<String>,
    /// VOI LUTs, named by number in [`crate::study::VoiFunction::Lut`].
    pub voi_luts: Vec<Arc<Lut>>,
    /// A presentation state's LUT in place of the picture's polarity.
    pub presentation: Option<super::Presentation>,
    /// Overlay planes of this frame.
    pub overlays: Vec<Overlay>,
    /// What of the picture is covered.
    pub shutter: Option<Shutter>,
    /// Values beside the modality value, with their units.
    pub real_world: Vec<RealWorldMap>,
}

impl Display {
    /// The name of a choice; empty if it has none.
    pub fn voi_name(&self, choice: usize) -> &str {
        self.voi_names.get(choice).map_or("", String::as_str)
    }
}

/// Meaning of an overlay's bits: Overlay Type (60xx,0040).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlayKind {
    /// Drawing or text.
    Graphics,
    /// A region of interest: its bits are the region.
    Roi,
}

/// An overlay plane (PS3.3 C.9.2), as it lies on one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// Its repeating group, `0x6000` to `0x601E`.
    pub group: u16,
    /// Rows of the plane.
    pub rows: u32,
    /// Columns of the plane.
    pub columns: u32,
    /// Row and column of the image's pixel that the plane's first bit lies on, from 1; may be outside.
    pub origin: [i32; 2],
    /// Drawing or region.
    pub kind: OverlayKind,
    /// Overlay Label (60xx,1500) or Overlay Description (60xx,0022).
    pub label: String,
    /// Row by row without gaps, lowest bit first.
    pub bits: Arc<[u8]>,
}

impl Overlay {
    /// Whether the plane marks the image's pixel (row and column from 0).
    pub fn marks(&self, row: u32, column: u32) -> bool {
        let place = |at: u32, origin: i32, size: u32| {
            u32::try_from(i64::from(at) + 1 - i64::from(origin)).ok().filter(|v| *v < size)
        };
        let (Some(row), Some(column)) =
            (place(row, self.origin[0], self.rows), place(column, self.origin[1], self.columns))
        else {
            return false;
        };
        let bit = row as usize * self.columns as usize + column as usize;
        self.bits.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }
}

/// A display shutter (PS3.3 C.7.6.11, C.7.6.15): shown is only what all of its shapes leave open. Rows and columns
/// count from 1, and the edge itself is open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shutter {
    /// Left, right, upper and lower edge.
    pub rectangle: Option<[i32; 4]>,
    /// Row and column of the centre, and radius, in pixels.
    pub circle: Option<[i32; 3]>,
    /// Vertices, row and column; the last joins the first.
    pub polygon: Vec<[i32; 2]>,
    /// A plane whose bits are covered.
    pub bitmap: Option<Overlay>,
    /// Level of what is covered, of 65535 (Shutter Presentation Value).
    pub value: u16,
}

impl Shutter {
    /// Level of what is covered, 0 to 1.
    pub fn level(&self) -> f64 {
        f64::from(self.value) / 65535.0
    }

    /// Whether a pixel (row and column from 0) is covered.
    pub fn covers(&self, row: u32, column: u32) -> bool {
        // Wide enough that no product of stated numbers overflows.
        let (y, x) = (i128::from(row) + 1, i128::from(column) + 1);
        if let Some([left, right, upper, lower]) = self.rectangle.map(|r| r.map(i128::from))
            && (x < left || x > right || y < upper || y > lower)
        {
            return true;
        }
        if let Some([row, column, radius]) = self.circle.map(|c| c.map(i128::from))
            && (y - row).pow(2) + (x - column).pow(2) > radius.pow(2)
        {
            return true;
        }
        if self.polygon.len() >= 3 && !self.in_polygon(y, x) {
            return true;
        }
        self.bitmap.as_ref().is_some_and(|plane| plane.marks(row, column))
    }

    /// Even-odd rule; a point on an edge is inside.
    fn in_polygon(&self, y: i128, x: i128) -> bool {
        let mut inside = false;
        let last = self.polygon.last().copied().unwrap_or_default();
        for ([y1, x1], [y2, x2]) in std::iter::once(&last).chain(&self.polygon).zip(&self.polygon) {
            let [y1, x1, y2, x2] = [*y1, *x1, *y2, *x2].map(i128::from);
            // Which side of the edge: 0 is on its line.
            let side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
            let within = (y1.min(y2)..=y1.max(y2)).contains(&y) && (x1.min(x2)..=x1.max(x2)).contains(&x);
            if side == 0 && within {
                return true;
            }
            if (y1 > y) != (y2 > y) && (side > 0) == (y2 > y1) {
                inside = !inside;
            }
        }
        inside
    }
}

/// How stored values become real-world values.
#[derive(Debug, Clone, PartialEq)]
pub enum RealWorldTransform {
    /// Slope (0040,9225) and intercept (0040,9224).
    Linear {
        /// Units per stored unit.
        slope: f64,
        /// Value at 0.
        intercept: f64,
    },
    /// One value for each stored value from the first mapped on (0040,9212).
    Table(Arc<[f64]>),
}

/// A Real World Value Mapping (PS3.3 C.7.6.16.2.11): what a stored value is, in a stated unit.
#[derive(Debug, Clone, PartialEq)]
pub struct RealWorldMap {
    /// First stored value mapped.
    pub first: f64,
    /// Last stored value mapped.
    pub last: f64,
    /// The mapping.
    pub transform: RealWorldTransform,
    /// Code of the unit (UCUM where the object keeps to the standard).
    pub unit: String,
    /// The unit's meaning in words.
    pub unit_meaning: String,
    /// LUT Label (0040,9210).
    pub label: String,
    /// What is measured: Quantity Definition, else LUT Explanation.
    pub quantity: String,
}

impl RealWorldMap {
    /// The value; `None` for stored values that are not mapped.
    pub fn value(&self, stored: f64) -> Option<f64> {
        if !(self.first..=self.last).contains(&stored) {
            return None;
        }
        match &self.transform {
            RealWorldTransform::Linear { slope, intercept } => Some(stored * slope + intercept),
            RealWorldTransform::Table(values) => values.get((stored - self.first) as usize).copied(),
        }
    }
}

/// Bit of a mask: an overlay marks the pixel.
pub const MASK_OVERLAY: u8 = 1;
/// Bit of a mask: a shutter covers the pixel.
pub const MASK_SHUTTER: u8 = 2;

impl super::Frame {
    /// One byte a pixel, row by row: what overlays mark and shutters cover. `None` where there is neither.
    pub fn mask(&self) -> Option<Vec<u8>> {
        let display = &self.display;
        if display.overlays.is_empty() && display.shutter.is_none() {
            return None;
        }
        let mut mask = vec![0u8; self.rows as usize * self.columns as usize];
        for (row, line) in (0u32..).zip(mask.chunks_exact_mut(self.columns.max(1) as usize)) {
            for (column, pixel) in (0u32..).zip(line) {
                if display.overlays.iter().any(|plane| plane.marks(row, column)) {
                    *pixel |= MASK_OVERLAY;
                }
                if display.shutter.as_ref().is_some_and(|shutter| shutter.covers(row, column)) {
                    *pixel |= MASK_SHUTTER;
                }
            }
        }
        Some(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::grey;
    use super::*;

    fn plane(origin: [i32; 2], bits: &[u8]) -> Overlay {
        Overlay {
            group: 0x6000,
            rows: 2,
            columns: 3,
            origin,
            kind: OverlayKind::Graphics,
            label: String::new(),
            bits: bits.into(),
        }
    }

    #[test]
    fn planes_lie_at_their_origin_and_may_reach_out() {
        // Bits 0, 4 and 5: (0, 0), (1, 1), (1, 2).
        let at = |p: &Overlay| -> Vec<(u32, u32)> {
            (0..4).flat_map(|r| (0..4).map(move |c| (r, c))).filter(|(r, c)| p.marks(*r, *c)).collect()
        };
        assert_eq!(at(&plane([1, 1], &[0b11_0001])), [(0, 0), (1, 1), (1, 2)]);
        assert_eq!(at(&plane([3, 2], &[0b11_0001])), [(2, 1), (3, 2), (3, 3)]);
        assert_eq!(at(&plane([0, 0], &[0b11_0001])), [(0, 0), (0, 1)]);
        assert_eq!(at(&plane([1, 1], &[])), []);
        assert_eq!(at(&plane([i32::MIN, i32::MAX], &[0xFF])), []);
    }

    #[test]
    fn shutters_leave_open_what_all_shapes_leave_open() {
        let open = |s: &Shutter| -> Vec<(u32, u32)> {
            (0..5).flat_map(|r| (0..5).map(move |c| (r, c))).filter(|(r, c)| !s.covers(*r, *c)).collect()
        };
        let rectangle = Shutter { rectangle: Some([2, 3, 4, 5]), ..Shutter::default() };
        assert_eq!(open(&rectangle), [(3, 1), (3, 2), (4, 1), (4, 2)]);
        let circle = Shutter { circle: Some([3, 3, 1]), ..Shutter::default() };
        assert_eq!(open(&circle), [(1, 2), (2, 1), (2, 2), (2, 3), (3, 2)]);
        let both = Shutter { rectangle: Some([1, 5, 3, 3]), ..circle.clone() };
        assert_eq!(open(&both), [(2, 1), (2, 2), (2, 3)]);
        // A triangle, its edges open, in either sense of turning.
        let mut triangle = Shutter { polygon: vec![[1, 1], [1, 3], [3, 1]], ..Shutter::default() };
        let expected = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)];
        assert_eq!(open(&triangle), expected);
        triangle.polygon.reverse();
        assert_eq!(open(&triangle), expected);
        let bitmap = Shutter { bitmap: Some(plane([1, 1], &[0b1])), ..both };
        assert_eq!(open(&bitmap).len(), 3);
    }

    #[test]
    fn a_mask_tells_both() {
        let mut f = grey(2, 3, vec![0; 6]);
        assert_eq!(f.mask(), None);
        f.display.overlays = vec![plane([1, 1], &[0b11_0001])];
        f.display.shutter = Some(Shutter { rectangle: Some([1, 2, 1, 2]), ..Shutter::default() });
        assert_eq!(f.mask(), Some(vec![1, 0, 2, 0, 1, 3]));
    }

    #[test]
    fn real_world_values_inside_their_range_only() {
        let mut map = RealWorldMap {
            first: 0.0,
            last: 2.0,
            transform: RealWorldTransform::Linear { slope: 0.5, intercept: 1.0 },
            unit: "mm2/s".into(),
            unit_meaning: String::new(),
            label: String::new(),
            quantity: String::new(),
        };
        assert_eq!([-1.0, 0.0, 2.0, 3.0].map(|v| map.value(v)), [None, Some(1.0), Some(2.0), None]);
        map.transform = RealWorldTransform::Table(vec![7.0, 8.0].into());
        assert_eq!([0.0, 1.0, 2.0].map(|v| map.value(v)), [Some(7.0), Some(8.0), None]);
    }
}
