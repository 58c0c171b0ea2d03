//! Twin of `shaders/voi.wgsl`: the grey pipeline's numbers, folded so that 32-bit floats suffice.

use super::page::{Format, PagePadding};
use crate::imaging::{Frame, Look, Modality, Photometric, Presentation};
use crate::study::VoiFunction;

/// The prelude of every drawing shader.
pub const VOI_SHADER: &str = include_str!("../../shaders/voi.wgsl");

/// `VoiUniform` of `voi.wgsl`: same fields, order and offsets (checked in `tests/shaders.rs`).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct VoiUniform {
    /// Modality units per stored unit.
    pub slope: f32,
    /// Modality value of the pivot minus the window centre.
    pub residual: f32,
    /// Window width.
    pub width: f32,
    /// 0 LINEAR, 1 LINEAR_EXACT, 2 SIGMOID, 3 LUT.
    pub function: u32,
    /// Stored value nearest to the window centre (integer pages).
    pub pivot_int: i32,
    /// The same for float pages.
    pub pivot_float: f32,
    /// 1 if dark and bright are swapped.
    pub inverted: u32,
    /// 1 if the padding range counts.
    pub has_padding: u32,
    /// Padding of integer pages, inclusive.
    pub padding_int: [i32; 2],
    /// Padding of float pages, inclusive.
    pub padding_float: [f32; 2],
    /// Entries of the VOI LUT.
    pub lut_entries: u32,
    /// Its entries per modality unit; 1 under its own range.
    pub lut_scale: f32,
    /// Its entry of the brightest level.
    pub lut_full: f32,
    /// Entries of the presentation LUT; 0 for none.
    pub presentation_entries: u32,
    /// Its entry of the brightest level.
    pub presentation_full: f32,
    /// To a multiple of 16 bytes.
    pub unused_0: u32,
    /// As above.
    pub unused_1: u32,
    /// As above.
    pub unused_2: u32,
}

/// Pivots stay so far inside 32 bits that no difference to a stored value of a page can overflow.
const PIVOT_LIMIT: f64 = ((1u32 << 30) - 1) as f64;

impl VoiUniform {
    /// The numbers for a page of this frame under this look.
    pub fn new(frame: &Frame, format: Format, padding: Option<PagePadding>, look: &Look) -> Self {
        let voi = &look.voi;
        // A modality LUT was applied when the page was filled: its pages hold modality values.
        let (slope, intercept) = match frame.modality {
            Modality::Rescale { slope, intercept } => (slope, intercept),
            Modality::Lut { .. } => (1.0, 0.0),
        };
        let wanted = if slope == 0.0 { 0.0 } else { (voi.center - intercept) / slope };
        let (pivot_int, pivot_float) = if format.is_float() {
            (0, if wanted.is_finite() { wanted as f32 } else { 0.0 })
        } else {
            let held = if wanted.is_finite() { wanted.round().clamp(-PIVOT_LIMIT, PIVOT_LIMIT) } else { 0.0 };
            (held as i32, 0.0)
        };
        let pivot = if format.is_float() { f64::from(pivot_float) } else { f64::from(pivot_int) };
        let mut out = Self {
            slope: slope as f32,
            residual: (pivot * slope + intercept - voi.center) as f32,
            width: voi.width as f32,
            function: match voi.function {
                _ if look.lut.is_some() => 3,
                VoiFunction::Linear => 0,
                VoiFunction::Sigmoid => 2,
                VoiFunction::LinearExact | VoiFunction::Lut(_) => 1,
            },
            pivot_int,
            pivot_float,
            inverted: u32::from(look.inverted(frame.photometric)),
            has_padding: u32::from(padding.is_some()),
            ..Self::default()
        };
        if let Some(lut) = &look.lut {
            out.lut_entries = lut.entries.len() as u32;
            out.lut_scale = (lut.entries.len() as f64 / voi.width) as f32;
            out.lut_full = lut.full() as f32;
        }
        if let Some(Presentation::Lut(lut)) =
            look.presentation.as_ref().filter(|_| frame.photometric != Photometric::Color)
        {
            out.presentation_entries = lut.entries.len() as u32;
            out.presentation_full = lut.full() as f32;
        }
        match padding {
            Some(PagePadding::Int(range)) => out.padding_int = range,
            Some(PagePadding::Float(range)) => out.padding_float = range,
            None => {}
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Pixels;
    use crate::study::Voi;

    fn look(frame: &Frame, voi: Voi, invert: bool) -> Look {
        Look::of(frame, voi, invert)
    }

    fn frame(modality: Modality) -> Frame {
        Frame { photometric: Photometric::Monochrome1, modality, ..Frame::plain(1, 1, Pixels::U16(vec![0])) }
    }

    #[test]
    fn the_pivot_keeps_differences_small() {
        let f = frame(Modality::Rescale { slope: 2.0, intercept: -1024.0 });
        let u = VoiUniform::new(&f, Format::R16Uint, None, &look(&f, Voi::linear(41.0, 400.0), true));
        // (41 + 1024) / 2 = 532.5 → 533, whose modality value is 42.
        assert_eq!((u.pivot_int, u.residual, u.slope, u.inverted), (533, 1.0, 2.0, 0));
        let u = VoiUniform::new(&f, Format::R32Float, None, &look(&f, Voi::linear(41.0, 400.0), false));
        assert_eq!((u.pivot_float, u.residual, u.inverted), (532.5, 0.0, 1));
    }

    #[test]
    fn absurd_rescales_stay_finite() {
        for (slope, intercept) in [(0.0, 5.0), (1e-300, 1e300), (1.0, 1e12)] {
            let f = frame(Modality::Rescale { slope, intercept });
            let u = VoiUniform::new(&f, Format::R16Uint, None, &look(&f, Voi::linear(0.0, 1.0), false));
            assert!(f64::from(u.pivot_int).abs() <= PIVOT_LIMIT, "{slope} {intercept}");
        }
    }
}
