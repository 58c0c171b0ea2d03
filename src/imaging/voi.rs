//! The VOI transform's windows (PS3.3 C.11.2): the CPU reference that `shaders/voi.wgsl` is compared with.

use super::Frame;
use crate::study::{Voi, VoiFunction};

/// Position of a modality value in the window, 0 (darkest) to 1 (brightest), before inversion.
///
/// LINEAR is PS3.3 C.11.2.1.2.1: with `c' = center − 0.5` and `w' = width − 1`, values up to
/// `c' − w'/2` are 0, above `c' + w'/2` are 1. LINEAR_EXACT is C.11.2.1.3.2, SIGMOID C.11.2.1.3.1.
pub fn normalise(voi: &Voi, value: f64) -> f64 {
    match voi.function {
        VoiFunction::Linear => {
            let half = (voi.width - 1.0) / 2.0;
            let center = voi.center - 0.5;
            if value <= center - half {
                0.0
            } else if value > center + half {
                1.0
            } else {
                ((value - center) / (voi.width - 1.0) + 0.5).clamp(0.0, 1.0)
            }
        }
        VoiFunction::LinearExact | VoiFunction::Lut(_) => {
            let half = voi.width / 2.0;
            if value <= voi.center - half {
                0.0
            } else if value > voi.center + half {
                1.0
            } else {
                (value - voi.center) / voi.width + 0.5
            }
        }
        VoiFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - voi.center) / voi.width).exp()),
    }
}

/// A window for a frame that brings none: from the 1st to the 99th percentile of what is not padding.
pub fn auto_window(frame: &Frame) -> Voi {
    let count = frame.pixels.len();
    // At most 64k samples: the window of a 30-megapixel mammogram needs no more.
    let step = (count / 65_536).max(1);
    let mut values: Vec<f64> = (0..count)
        .step_by(step)
        .filter_map(|i| frame.pixels.stored(i))
        .filter(|s| s.is_finite() && !frame.padding.is_some_and(|p| p.contains(*s)))
        .map(|s| frame.modality.apply(s))
        .collect();
    if values.is_empty() {
        return Voi { center: 127.5, width: 255.0, function: VoiFunction::LinearExact };
    }
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let (low, high) = (at(0.01), at(0.99));
    let width = (high - low).max(f64::from(f32::EPSILON));
    Voi { center: f64::midpoint(low, high), width, function: VoiFunction::LinearExact }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_follows_the_standard() {
        // PS3.3 C.11.2.1.2.1: c=2048 w=4096 maps 0..4095 onto the full range.
        let voi = Voi::linear(2048.0, 4096.0);
        assert_eq!(normalise(&voi, 0.0), 0.0);
        assert_eq!(normalise(&voi, 4095.0), 1.0);
        // c=0 w=100: x ≤ -50 → 0, x > 49 → 1 (the note's example).
        let voi = Voi::linear(0.0, 100.0);
        assert_eq!(normalise(&voi, -50.0), 0.0);
        assert_eq!(normalise(&voi, 49.0001), 1.0);
        assert!((normalise(&voi, -0.5) - 0.5).abs() < 1e-12);
        // w=1 is a threshold.
        let voi = Voi::linear(10.0, 1.0);
        assert_eq!((normalise(&voi, 9.5), normalise(&voi, 9.6)), (0.0, 1.0));
    }

    #[test]
    fn exact_and_sigmoid() {
        let exact = Voi { center: 0.0, width: 100.0, function: VoiFunction::LinearExact };
        assert_eq!((normalise(&exact, -50.0), normalise(&exact, 0.0), normalise(&exact, 50.0)), (0.0, 0.5, 1.0));
        let sigmoid = Voi { function: VoiFunction::Sigmoid, ..exact };
        assert_eq!(normalise(&sigmoid, 0.0), 0.5);
        assert!((normalise(&sigmoid, 25.0) - 1.0 / (1.0 + (-1.0f64).exp())).abs() < 1e-12);
    }
}
