//! The image plane in patient space (PS3.3 C.7.6.2): LPS axes, millimetres.

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// Where a frame lies in the patient (PS3.3 C.7.6.2.1.1). +x = patient's left, +y = back, +z = head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImagePlane {
    /// Image Position (Patient) (0020,0032): centre of the first pixel, mm.
    pub position_mm: DVec3,
    /// Direction of increasing column index (first three cosines of (0020,0037)).
    pub row_direction: DVec3,
    /// Direction of increasing row index (last three cosines).
    pub column_direction: DVec3,
    /// Pixel Spacing (0028,0030): [between rows, between columns], mm.
    pub spacing_mm: [f64; 2],
}

/// No coordinate lies further out: beyond this, distances would be no numbers any more.
const FARTHEST_MM: f64 = 1e9;
/// From below the wavelength of light to a kilometre.
const SPACING_MM: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

impl ImagePlane {
    /// Builds a plane if the numbers can be one: a position and a spacing that something on earth can have, unit and
    /// perpendicular directions within 1e-2 (the field rounds). `None` otherwise.
    pub fn new(position: [f64; 3], orientation: [f64; 6], spacing_mm: [f64; 2]) -> Option<Self> {
        let row = DVec3::new(orientation[0], orientation[1], orientation[2]);
        let column = DVec3::new(orientation[3], orientation[4], orientation[5]);
        let position_mm = DVec3::from_array(position);
        let sound = position.iter().all(|v| v.abs() <= FARTHEST_MM)
            && (row.length() - 1.0).abs() < 1e-2
            && (column.length() - 1.0).abs() < 1e-2
            && row.dot(column).abs() < 1e-2
            && spacing_mm.iter().all(|s| SPACING_MM.contains(s));
        sound.then(|| Self {
            position_mm,
            row_direction: row.normalize(),
            column_direction: column.normalize(),
            spacing_mm,
        })
    }

    /// Normal of the plane: row × column.
    pub fn normal(&self) -> DVec3 {
        self.row_direction.cross(self.column_direction).normalize_or_zero()
    }

    /// Patient position (mm) of a pixel given as (column, row), whole numbers at pixel centres.
    pub fn patient_from_pixel(&self, column: f64, row: f64) -> DVec3 {
        self.position_mm
            + self.row_direction * (column * self.spacing_mm[1])
            + self.column_direction * (row * self.spacing_mm[0])
    }

    /// (column, row) of the patient point's foot on this plane.
    pub fn pixel_from_patient(&self, patient_mm: DVec3) -> (f64, f64) {
        let d = patient_mm - self.position_mm;
        (d.dot(self.row_direction) / self.spacing_mm[1], d.dot(self.column_direction) / self.spacing_mm[0])
    }

    /// Position along the plane's own normal, mm.
    pub fn distance_along_normal(&self) -> f64 {
        self.position_mm.dot(self.normal())
    }

    /// The six cosines of (0020,0037).
    pub fn orientation(&self) -> [f64; 6] {
        let (r, c) = (self.row_direction, self.column_direction);
        [r.x, r.y, r.z, c.x, c.y, c.z]
    }

    /// Parallel within about 0.5°.
    pub fn parallel_to(&self, other: &Self) -> bool {
        self.row_direction.dot(other.row_direction) > 0.999_96
            && self.column_direction.dot(other.column_direction) > 0.999_96
    }
}

/// Orientation letters toward a direction, strongest first, e.g. `LA`; components under 0.2 are left out
/// (PS3.3 C.7.6.1.1.1 letters: R L A P F H).
pub fn orientation_letters(direction: DVec3) -> String {
    let mut parts = [
        (direction.x.abs(), if direction.x > 0.0 { 'L' } else { 'R' }),
        (direction.y.abs(), if direction.y > 0.0 { 'P' } else { 'A' }),
        (direction.z.abs(), if direction.z > 0.0 { 'H' } else { 'F' }),
    ];
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    parts.iter().filter(|(size, _)| *size > 0.2).map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axial() -> ImagePlane {
        ImagePlane::new([-100.0, -90.0, 40.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.5, 0.8]).expect("sound plane")
    }

    #[test]
    fn pixel_and_patient_agree_both_ways() {
        let plane = axial();
        let p = plane.patient_from_pixel(10.0, 20.0);
        assert_eq!(p, DVec3::new(-92.0, -80.0, 40.0));
        assert_eq!(plane.pixel_from_patient(p), (10.0, 20.0));
        assert_eq!(plane.normal(), DVec3::Z);
    }

    #[test]
    fn nonsense_is_no_plane() {
        assert!(ImagePlane::new([0.0; 3], [0.0; 6], [1.0, 1.0]).is_none());
        assert!(ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0]).is_none());
        for (x, spacing) in [(f64::NAN, 1.0), (1e300, 1.0), (-1e10, 1.0), (0.0, f64::NAN), (0.0, 1e300), (0.0, 1e-300)]
        {
            assert!(ImagePlane::new([x, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, spacing]).is_none());
        }
    }

    #[test]
    fn letters() {
        assert_eq!(orientation_letters(DVec3::X), "L");
        assert_eq!(orientation_letters(DVec3::new(0.0, -0.8, 0.6)), "AH");
    }
}
