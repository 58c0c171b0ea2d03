//! The way from modality values to the screen (PS3.4 N.2), in the standard's order: VOI transform, presentation
//! transform; then what lies over the picture: shutters, overlays. The CPU reference of `shaders/voi.wgsl`.

use super::{Display, Frame, Lut, MASK_OVERLAY, MASK_SHUTTER, Photometric, Pixels, normalise};
use crate::study::{Voi, VoiFunction};
use std::sync::Arc;

/// Presentation LUT (PS3.3 C.11.4, C.11.6) of a presentation state; it takes the place of the polarity that
/// Photometric Interpretation gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Presentation {
    /// IDENTITY.
    Identity,
    /// INVERSE.
    Inverse,
    /// A table of P-values over the whole range of levels.
    Lut(Arc<Lut>),
}

/// How a frame is shown: all that follows the modality transform.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Window, or the input range of the LUT.
    pub voi: Voi,
    /// The VOI LUT, where one is in force.
    pub lut: Option<Arc<Lut>>,
    /// A presentation state's LUT; `None` = IDENTITY, or INVERSE for MONOCHROME1, as the image says.
    pub presentation: Option<Presentation>,
    /// Inverted by the reader, after everything else.
    pub invert: bool,
    /// Overlay planes are drawn.
    pub overlays: bool,
    /// Shutters are closed.
    pub shutters: bool,
}

impl Look {
    /// This frame under one of its own choices or under a window, with its overlays and shutters.
    pub fn of(frame: &Frame, voi: Voi, invert: bool) -> Self {
        let lut = match voi.function {
            VoiFunction::Lut(number) => frame.display.voi_luts.get(usize::from(number)).map(Arc::clone),
            _ => None,
        };
        Self { voi, lut, presentation: frame.display.presentation.clone(), invert, overlays: true, shutters: true }
    }

    /// Level 0 to 1 of a modality value after the VOI transform.
    pub fn voi_level(&self, value: f64) -> f64 {
        let Some(lut) = &self.lut else { return normalise(&self.voi, value) };
        let entries = lut.entries.len() as f64;
        // Under the LUT's own range the factor is 1, and whole values find their entry exactly.
        lut.level((value - self.voi.center) * (entries / self.voi.width) + entries / 2.0)
    }

    /// Level as shown: presentation LUT or the image's polarity, then the reader's inversion.
    pub fn shown(&self, photometric: Photometric, level: f64) -> f64 {
        let level = match &self.presentation {
            // The whole range of levels is the table's whole input (PS3.3 C.11.6).
            Some(Presentation::Lut(lut)) => lut.level(level * lut.entries.len().saturating_sub(1) as f64),
            _ => level,
        };
        if self.inverted(photometric) { 1.0 - level } else { level }
    }

    /// Whether dark and bright are swapped, by the polarity or by the reader, but not by both.
    pub fn inverted(&self, photometric: Photometric) -> bool {
        let inverse = match &self.presentation {
            _ if photometric == Photometric::Color => false,
            None => photometric == Photometric::Monochrome1,
            Some(Presentation::Identity | Presentation::Lut(_)) => false,
            Some(Presentation::Inverse) => true,
        };
        inverse != self.invert
    }

    /// Level 0 to 1 of a grey pixel as shown, without overlays and shutters. Padding is always black: it must not
    /// glare, whatever the inversion. `None` for colour or outside.
    pub fn luminance(&self, frame: &Frame, index: usize) -> Option<f64> {
        let stored = frame.pixels.stored(index)?;
        if stored.is_nan() || frame.padding.is_some_and(|p| p.contains(stored)) {
            return Some(0.0);
        }
        Some(self.shown(frame.photometric, self.voi_level(frame.modality.apply(stored))))
    }

    /// What covers a pixel with this mask, as a level: an overlay's mark is white, and over any shutter.
    pub(super) fn cover(&self, display: &Display, mask: u8) -> Option<f64> {
        if self.overlays && mask & MASK_OVERLAY != 0 {
            return Some(1.0);
        }
        let shutter = display.shutter.as_ref().filter(|_| self.shutters && mask & MASK_SHUTTER != 0)?;
        Some(shutter.level())
    }
}

/// The whole frame as 8-bit RGB at native size, with its overlays and shutters.
pub fn render_rgb(frame: &Frame, voi: &Voi, invert: bool) -> Vec<u8> {
    render_look(frame, &Look::of(frame, *voi, invert))
}

/// The whole frame as 8-bit RGB at native size; levels are rounded to nearest.
pub fn render_look(frame: &Frame, look: &Look) -> Vec<u8> {
    let byte = |level: f64| (level * 255.0).round() as u8;
    let mut out = Vec::with_capacity(frame.pixels.len() * 3);
    if let Pixels::Rgb8(rgb) = &*frame.pixels {
        out.extend(rgb.iter().map(|v| if look.invert { 255 - v } else { *v }));
    } else {
        for index in 0..frame.pixels.len() {
            let grey = byte(look.luminance(frame, index).unwrap_or(0.0));
            out.extend_from_slice(&[grey, grey, grey]);
        }
    }
    if let Some(mask) = frame.mask() {
        for (pixel, mask) in out.chunks_exact_mut(3).zip(mask) {
            if let Some(level) = look.cover(&frame.display, mask) {
                pixel.fill(byte(level));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::grey;
    use super::super::{Overlay, OverlayKind, Shutter};
    use super::*;

    fn look(frame: &Frame, voi: Voi) -> Look {
        Look::of(frame, voi, false)
    }

    fn with_lut(first: i32, entries: Vec<u16>, bits: u8) -> (Frame, Voi) {
        // Modality values −1, 0, 1, 2.
        let mut frame = grey(1, 4, vec![1023, 1024, 1025, 1026]);
        let lut = Lut::new(first, entries, bits).expect("entries");
        let (center, width) = lut.range();
        frame.display.voi_luts = vec![Arc::new(lut)];
        (frame, Voi { center, width, function: VoiFunction::Lut(0) })
    }

    #[test]
    fn a_lut_maps_whole_values_to_its_entries() {
        let (frame, voi) = with_lut(0, vec![40, 10, 255], 8);
        assert_eq!(render_rgb(&frame, &voi, false), [40, 40, 40, 40, 40, 40, 10, 10, 10, 255, 255, 255]);
        assert_eq!(render_rgb(&frame, &voi, true)[9..], [0, 0, 0]);
        // Twice as wide: each entry reaches over two values.
        let wide = Voi { width: voi.width * 2.0, ..voi };
        let wide = look(&frame, wide);
        assert_eq!(wide.voi_level(1.5) * 255.0, 132.5);
        assert_eq!(wide.voi_level(-1.5) * 255.0, 40.0);
        assert_eq!(wide.voi_level(4.5) * 255.0, 255.0);
        // A number that the frame does not have: the straight line, never a panic.
        let unknown = Voi { function: VoiFunction::Lut(7), ..voi };
        assert_eq!(look(&frame, unknown).voi_level(1.5), 0.5);
    }

    #[test]
    fn sixteen_bits_are_kept_until_the_end() {
        let (frame, voi) = with_lut(-1, vec![0, 256, 257, 65535], 16);
        let look = look(&frame, voi);
        let levels = [-1.0, 0.0, 1.0, 2.0].map(|v| look.voi_level(v) * 65535.0);
        assert!(levels.iter().zip([0.0, 256.0, 257.0, 65535.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{levels:?}");
        assert_eq!(look.luminance(&frame, 1), Some(256.0 / 65535.0));
    }

    #[test]
    fn padding_stays_black_also_inverted() {
        let f = grey(1, 2, vec![-2000, 1024]);
        assert_eq!(Look::of(&f, Voi::linear(0.0, 2.0), true).luminance(&f, 0), Some(0.0));
        assert_eq!(render_rgb(&f, &Voi::linear(-1000.0, 2.0), true)[3..], [0, 0, 0]);
        assert_eq!(render_rgb(&f, &Voi::linear(-1000.0, 2.0), false)[3..], [255, 255, 255]);
    }

    #[test]
    fn the_presentation_takes_the_place_of_the_polarity() {
        let mut f = grey(1, 1, vec![1024]);
        f.photometric = Photometric::Monochrome1;
        let mut look = look(&f, Voi { center: 0.0, width: 4.0, function: VoiFunction::LinearExact });
        look.voi.center = 1.0; // level 0.25
        assert_eq!(look.luminance(&f, 0), Some(0.75));
        look.invert = true;
        assert_eq!(look.luminance(&f, 0), Some(0.25));
        look.presentation = Some(Presentation::Identity);
        assert_eq!(look.luminance(&f, 0), Some(0.75));
        look.presentation = Some(Presentation::Inverse);
        assert_eq!(look.luminance(&f, 0), Some(0.25));
        look.invert = false;
        let table = Lut::new(0, vec![0, 51, 102, 153, 255], 8).expect("entries");
        look.presentation = Some(Presentation::Lut(Arc::new(table)));
        assert_eq!(look.luminance(&f, 0), Some(0.2));
    }

    #[test]
    fn overlays_lie_over_shutters_and_both_can_be_taken_away() {
        let mut f = grey(1, 3, vec![1024, 1024, 1024]);
        f.display.overlays = vec![Overlay {
            group: 0x6000,
            rows: 1,
            columns: 3,
            origin: [1, 1],
            kind: OverlayKind::Graphics,
            label: String::new(),
            bits: vec![0b101].into(),
        }];
        f.display.shutter = Some(Shutter { rectangle: Some([1, 1, 1, 1]), value: 0x4000, ..Shutter::default() });
        let voi = Voi { center: 0.0, width: 4.0, function: VoiFunction::LinearExact };
        let mut look = look(&f, voi);
        let greys = |look: &Look| -> Vec<u8> { render_look(&f, look).iter().step_by(3).copied().collect() };
        assert_eq!(greys(&look), [255, 64, 255]);
        look.overlays = false;
        assert_eq!(greys(&look), [128, 64, 64]);
        // The reader's inversion leaves what is covered as it is.
        look.invert = true;
        assert_eq!(greys(&look), [128, 64, 64]);
        look.shutters = false;
        assert_eq!(greys(&look), [128, 128, 128]);
    }
}
