//! The VOI transform and the way to the screen (PS3.3 C.11.2, PS3.4 N.2): the CPU reference that the
//! shader `shaders/voi.wgsl` is compared with.

use super::{Frame, Photometric, Pixels};
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
        VoiFunction::LinearExact => {
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

/// Luminance 0 to 1 of a grey pixel as shown: VOI, then MONOCHROME1 and the reader's inversion.
/// Padding is always black (it must not glare, whatever the inversion). `None` for colour or outside.
pub fn presentation_luminance(frame: &Frame, voi: &Voi, invert: bool, index: usize) -> Option<f64> {
    let stored = frame.pixels.stored(index)?;
    if frame.padding.is_some_and(|p| p.contains(stored)) {
        return Some(0.0);
    }
    let level = normalise(voi, frame.modality.apply(stored));
    let inverted = (frame.photometric == Photometric::Monochrome1) != invert;
    Some(if inverted { 1.0 - level } else { level })
}

/// The whole frame as 8-bit RGB at native size; grey by [`presentation_luminance`], rounded to nearest.
pub fn render_rgb(frame: &Frame, voi: &Voi, invert: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.pixels.len() * 3);
    if let Pixels::Rgb8(rgb) = &frame.pixels {
        out.extend(rgb.iter().map(|v| if invert { 255 - v } else { *v }));
        return out;
    }
    for index in 0..frame.pixels.len() {
        let level = presentation_luminance(frame, voi, invert, index).unwrap_or(0.0);
        let grey = (level * 255.0).round() as u8;
        out.extend_from_slice(&[grey, grey, grey]);
    }
    out
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
    use super::super::frame::tests::grey;
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

    #[test]
    fn padding_stays_black_also_inverted() {
        let f = grey(1, 2, vec![-2000, 1024]);
        let voi = Voi::linear(0.0, 2.0);
        assert_eq!(presentation_luminance(&f, &voi, true, 0), Some(0.0));
        assert_eq!(render_rgb(&f, &Voi::linear(-1000.0, 2.0), true)[3..], [0, 0, 0]);
        assert_eq!(render_rgb(&f, &Voi::linear(-1000.0, 2.0), false)[3..], [255, 255, 255]);
    }
}
