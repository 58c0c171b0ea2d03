//! A frame laid on a screen on the CPU: the reference that `shaders/frame.wgsl` is compared with, and the way
//! to render where there is no GPU.

use super::{Frame, Look, MASK_OVERLAY, MASK_SHUTTER, Photometric, Pixels};
use glam::{DAffine2, DVec2};

/// Image pixels per screen pixel and axis up to which the mean counts every one of them; beyond (thumbnails)
/// this many evenly spread ones stand for all.
pub const MAX_TAPS: f64 = 32.0;

/// Half way between two pixels the later one is nearest, whatever the rounding of the position.
const HALF: f64 = 0.5 + 1.0 / 1024.0;

/// How the pixels between, or under, the screen's are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// From this many screen pixels per image pixel on, the nearest pixel is shown instead of interpolating.
    pub nearest_from: f64,
}

impl Default for Resampling {
    /// Interpolation at any magnification.
    fn default() -> Self {
        Self { nearest_from: f64::INFINITY }
    }
}

/// Image pixels per screen pixel along columns and rows, of a map without shear (quarter turns, mirrors).
pub fn footprint(pixel_from_screen: &DAffine2) -> [f64; 2] {
    let m = pixel_from_screen.matrix2;
    [m.x_axis.x.abs() + m.y_axis.x.abs(), m.x_axis.y.abs() + m.y_axis.y.abs()]
}

/// Renders a frame onto a black screen of `size` (width, height) as 8-bit RGB.
///
/// `pixel_from_screen` maps screen positions (pixel `i` covers `i … i + 1`) to pixel positions (whole numbers at
/// centres). Each axis by itself: magnified = linear (or nearest); shrunk = mean over the footprint. Values are
/// mixed before the window; padding is never mixed in, and shows black by the share it covers. An overlay's mark
/// anywhere in the footprint is drawn; a shutter covers by the pixel nearest to the screen pixel's centre.
pub fn render_placed(
    frame: &Frame,
    look: &Look,
    pixel_from_screen: &DAffine2,
    size: [u32; 2],
    resampling: Resampling,
) -> Vec<u8> {
    let mut out = vec![0u8; size[0] as usize * size[1] as usize * 3];
    let footprint = footprint(pixel_from_screen);
    let nearest = footprint.map(|f| 1.0 / f >= resampling.nearest_from);
    let limits = [frame.columns, frame.rows];
    let mask = frame.mask();
    for (index, pixel) in out.chunks_exact_mut(3).enumerate() {
        let (x, y) = (index % size[0] as usize, index / size[0] as usize);
        let at = pixel_from_screen.transform_point2(DVec2::new(x as f64 + 0.5, y as f64 + 0.5)).to_array();
        let outside = (0..2).any(|k| {
            // A centre right on the far edge is outside, whatever the rounding.
            let reach = if footprint[k] > 1.0 { footprint[k] / 2.0 } else { 0.0 };
            at[k] < -0.5 - reach || at[k] >= f64::from(limits[k]) - HALF + reach
        });
        if outside {
            continue;
        }
        let [columns, rows] = [0, 1].map(|k| taps(at[k], footprint[k], nearest[k], limits[k]));
        let hold = |k: usize| (at[k] + HALF).floor().clamp(0.0, f64::from(limits[k] - 1)) as u32;
        if let Some(mask) = &mask {
            let mask = |column: u32, row: u32| {
                mask.get(row as usize * frame.columns as usize + column as usize).copied().unwrap_or(0)
            };
            let mut bits = mask(hold(0), hold(1)) & MASK_SHUTTER;
            for row in under(&rows, footprint[1], hold(1)) {
                for column in under(&columns, footprint[0], hold(0)) {
                    bits |= mask(column, row) & MASK_OVERLAY;
                }
            }
            if let Some(level) = look.cover(&frame.display, bits) {
                pixel.fill((level * 255.0).round() as u8);
                continue;
            }
        }
        let (mut sum, mut image) = ([0.0f64; 3], 0.0f64);
        for (row, row_weight) in &rows {
            for (column, column_weight) in &columns {
                if let Some(value) = value(frame, *column, *row) {
                    let weight = row_weight * column_weight;
                    for (s, v) in sum.iter_mut().zip(value) {
                        *s += v * weight;
                    }
                    image += weight;
                }
            }
        }
        if image <= 0.0 {
            continue;
        }
        let cover = if footprint.iter().any(|f| *f > 1.0) {
            let whole: f64 = footprint.iter().map(|f| f.max(1.0)).product();
            if image / whole > 0.9999 { 1.0 } else { image / whole }
        } else if value(frame, hold(0), hold(1)).is_some() {
            1.0
        } else {
            0.0
        };
        for (channel, s) in pixel.iter_mut().zip(sum) {
            let shown = match frame.photometric {
                Photometric::Color if look.invert => 1.0 - s / image / 255.0,
                Photometric::Color => s / image / 255.0,
                grey => look.shown(grey, look.voi_level(s / image)),
            };
            *channel = (shown * cover * 255.0).round() as u8;
        }
    }
    out
}

/// Modality value of a grey pixel three times over, or red, green, blue; `None` for padding and no number.
fn value(frame: &Frame, column: u32, row: u32) -> Option<[f64; 3]> {
    if let Pixels::Rgb8(rgb) = &*frame.pixels {
        let at = (row as usize * frame.columns as usize + column as usize) * 3;
        let pixel = rgb.get(at..at + 3)?;
        return Some([f64::from(pixel[0]), f64::from(pixel[1]), f64::from(pixel[2])]);
    }
    frame.modality_value(column, row).filter(|v| !v.is_nan()).map(|v| [v; 3])
}

/// Share of an image pixel from which on its overlay mark counts: less is rounding.
const MARK_SHARE: f64 = 1.0 / 1024.0;

/// Indices along one axis whose overlay marks a screen pixel shows.
fn under(taps: &[(u32, f64)], footprint: f64, nearest: u32) -> Vec<u32> {
    if footprint <= 1.0 {
        return vec![nearest];
    }
    taps.iter().filter(|(_, weight)| *weight > MARK_SHARE).map(|(index, _)| *index).collect()
}

/// Indices and weights along one axis.
fn taps(position: f64, footprint: f64, nearest: bool, size: u32) -> Vec<(u32, f64)> {
    let hold = |v: f64| v.clamp(0.0, f64::from(size - 1)) as u32;
    if footprint <= 1.0 {
        if nearest {
            return vec![(hold((position + HALF).floor()), 1.0)];
        }
        let first = position.floor();
        let share = position - first;
        return vec![(hold(first), 1.0 - share), (hold(first + 1.0), share)];
    }
    let low = position + 0.5 - footprint / 2.0;
    let inside = |v: f64| v >= 0.0 && v < f64::from(size);
    if footprint > MAX_TAPS {
        let step = footprint / MAX_TAPS;
        let at = |i: u32| (low + step * (f64::from(i) + 0.5)).floor();
        return (0..MAX_TAPS as u32).map(at).filter(|v| inside(*v)).map(|v| (v as u32, step)).collect();
    }
    let high = low + footprint;
    let (first, last) = (low.floor().max(0.0) as u32, high.ceil().clamp(0.0, f64::from(size)) as u32);
    (first..last).map(|i| (i, (high.min(f64::from(i) + 1.0) - low.max(f64::from(i))).max(0.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::grey;
    use super::super::render_rgb;
    use super::*;
    use crate::study::Voi;

    fn scale(s: f64) -> DAffine2 {
        // Screen = (pixel + 0.5) · s.
        DAffine2::from_scale_angle_translation(DVec2::splat(1.0 / s), 0.0, DVec2::splat(-0.5))
    }

    fn window() -> Voi {
        Voi { function: crate::study::VoiFunction::LinearExact, ..Voi::linear(127.5, 255.0) }
    }

    #[test]
    fn one_to_one_is_the_native_rendering() {
        let f = grey(3, 4, (0..12).map(|i| 1024 + i * 20).collect());
        let placed = render_placed(&f, &Look::of(&f, window(), false), &scale(1.0), [4, 3], Resampling::default());
        assert_eq!(placed, render_rgb(&f, &window(), false));
    }

    #[test]
    fn halving_is_the_mean_and_padding_only_darkens() {
        let f = grey(2, 4, vec![1024, 1124, -2000, 1224, 1124, 1024, -2000, 1224]);
        let half = render_placed(&f, &Look::of(&f, window(), false), &scale(0.5), [2, 1], Resampling::default());
        // Mean of 0, 100, 100, 0; then two padding pixels and two of 200: 200 at half cover.
        assert_eq!([half[0], half[3]], [50, 100]);
        let f = grey(2, 2, vec![-2000; 4]);
        assert_eq!(
            render_placed(&f, &Look::of(&f, window(), true), &scale(0.5), [1, 1], Resampling::default()),
            [0, 0, 0]
        );
    }

    #[test]
    fn a_single_bright_pixel_never_vanishes() {
        // Shrunk by 3.7 at any phase, the sum of what is shown stays the same.
        let mut values = vec![1024i16; 37 * 37];
        values[18 * 37 + 18] = 1024 + 2550;
        let f = grey(37, 37, values);
        for phase in 0..7 {
            let mut map = scale(1.0 / 3.7);
            map.translation -= DVec2::splat(f64::from(phase) * 0.5);
            let out = render_placed(&f, &Look::of(&f, window(), false), &map, [12, 12], Resampling::default());
            let total: u32 = out.iter().step_by(3).map(|v| u32::from(*v)).sum();
            let expected = 2550.0 / (3.7 * 3.7);
            assert!((f64::from(total) - expected).abs() < 3.0, "{total} at phase {phase}");
        }
    }

    #[test]
    fn magnified_is_linear_or_nearest() {
        let f = grey(1, 2, vec![1024, 1224]);
        let map = scale(4.0);
        let linear = render_placed(&f, &Look::of(&f, window(), false), &map, [8, 1], Resampling::default());
        assert_eq!(linear.iter().step_by(3).copied().collect::<Vec<_>>(), [0, 0, 25, 75, 125, 175, 200, 200]);
        let nearest = render_placed(&f, &Look::of(&f, window(), false), &map, [8, 1], Resampling { nearest_from: 4.0 });
        assert_eq!(nearest.iter().step_by(3).copied().collect::<Vec<_>>(), [0, 0, 0, 0, 200, 200, 200, 200]);
    }

    #[test]
    fn a_thin_line_of_an_overlay_stays_when_shrunk() {
        let mut f = grey(40, 40, vec![1024; 1600]);
        // One column of 40, drawn at column 17.
        f.display.overlays = vec![super::super::Overlay {
            group: 0x6000,
            rows: 40,
            columns: 1,
            origin: [1, 18],
            kind: super::super::OverlayKind::Graphics,
            label: String::new(),
            bits: vec![0xFF; 5].into(),
        }];
        for s in [1.0, 0.4, 0.21, 3.0] {
            let size = (40.0 * s) as u32;
            let out = render_placed(&f, &Look::of(&f, window(), false), &scale(s), [size, size], Resampling::default());
            let row: Vec<u8> = out[..size as usize * 3].iter().step_by(3).copied().collect();
            let lit: Vec<usize> = (0..row.len()).filter(|x| row[*x] == 255).collect();
            assert!((1..=if s > 1.0 { 3 } else { 2 }).contains(&lit.len()), "{s}: {row:?}");
            assert!(row.iter().all(|v| matches!(v, 0 | 255)));
        }
    }
}
