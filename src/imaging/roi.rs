//! Numbers that the reader measures, on stored values after the modality transform.

use super::Frame;

/// Mean and spread of the pixels whose centres lie inside a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoiStatistics {
    /// Pixels counted (padding is not).
    pub count: usize,
    /// Mean of the modality values.
    pub mean: f64,
    /// Sample standard deviation (n − 1); 0 for one pixel.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Area, mm², where the spacing is known.
    pub area_mm2: Option<f64>,
}

/// An ellipse in pixel coordinates, axes along the pixel axes; whole numbers are pixel centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EllipseRoi {
    /// Centre (column, row).
    pub center: [f64; 2],
    /// Half axes in pixels (along columns, along rows).
    pub half: [f64; 2],
}

impl EllipseRoi {
    /// Statistics over the pixels inside; `None` if there is none or the frame is colour.
    pub fn statistics(&self, frame: &Frame, spacing_mm: Option<[f64; 2]>) -> Option<RoiStatistics> {
        let [cx, cy] = self.center;
        let [hx, hy] = self.half.map(|h| h.abs().max(0.5));
        if ![cx, cy, hx, hy].iter().all(|v| v.is_finite()) {
            return None;
        }
        let clamp = |v: f64, size: u32| v.clamp(0.0, f64::from(size)) as u32;
        let (mut count, mut mean, mut m2) = (0usize, 0.0f64, 0.0f64);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for row in clamp((cy - hy).floor(), frame.rows)..clamp((cy + hy).ceil() + 1.0, frame.rows) {
            for column in clamp((cx - hx).floor(), frame.columns)..clamp((cx + hx).ceil() + 1.0, frame.columns) {
                let (dx, dy) = ((f64::from(column) - cx) / hx, (f64::from(row) - cy) / hy);
                if dx * dx + dy * dy > 1.0 {
                    continue;
                }
                let Some(value) = frame.modality_value(column, row) else {
                    continue;
                };
                // Welford: stable for large offsets such as 16-bit stored values.
                count += 1;
                let delta = value - mean;
                mean += delta / count as f64;
                m2 += delta * (value - mean);
                min = min.min(value);
                max = max.max(value);
            }
        }
        (count > 0).then(|| RoiStatistics {
            count,
            mean,
            sd: if count > 1 { (m2 / (count - 1) as f64).sqrt() } else { 0.0 },
            min,
            max,
            area_mm2: spacing_mm.map(|s| std::f64::consts::PI * hx * s[1] * hy * s[0]),
        })
    }
}

/// Distance in mm between two pixel positions (column, row), for [row, column] spacing in mm.
pub fn length_mm(a: [f64; 2], b: [f64; 2], spacing_mm: [f64; 2]) -> f64 {
    let dx = (b[0] - a[0]) * spacing_mm[1];
    let dy = (b[1] - a[1]) * spacing_mm[0];
    dx.hypot(dy)
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::grey;
    use super::*;

    #[test]
    fn statistics_of_a_known_ramp() {
        let f = grey(3, 3, vec![1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031, -2000]);
        let all = EllipseRoi { center: [1.0, 1.0], half: [5.0, 5.0] }.statistics(&f, Some([2.0, 1.0])).expect("pixels");
        assert_eq!((all.count, all.mean, all.min, all.max), (8, 3.5, 0.0, 7.0));
        assert!((all.sd - 6.0f64.sqrt()).abs() < 1e-12);
        let one = EllipseRoi { center: [0.0, 0.0], half: [0.4, 0.4] }.statistics(&f, None).expect("pixel");
        assert_eq!((one.count, one.mean, one.sd), (1, 0.0, 0.0));
        assert!(EllipseRoi { center: [50.0, 50.0], half: [2.0, 2.0] }.statistics(&f, None).is_none());
        assert!(EllipseRoi { center: [f64::NAN, 0.0], half: [2.0, 2.0] }.statistics(&f, None).is_none());
    }

    #[test]
    fn lengths_use_both_spacings() {
        assert_eq!(length_mm([0.0, 0.0], [3.0, 2.0], [2.0, 1.0]), 5.0);
    }
}
