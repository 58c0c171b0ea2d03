//! Bytes moved to the device: how many per screen frame, and in which form.

use super::page::{Format, PagePadding};
use crate::imaging::{Frame, Modality, Padding, Pixels};
use std::borrow::Cow;

/// Limits of what the renderer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Device memory for pages, bytes. A page that is on screen stays even beyond it.
    pub pages: u64,
    /// Bytes moved to the device per screen frame.
    pub upload: u64,
}

impl Default for Budgets {
    /// 1 GiB of pages; 32 MiB a frame, a mammogram's worth: some milliseconds on a PCIe card.
    fn default() -> Self {
        Self { pages: 1 << 30, upload: 32 << 20 }
    }
}

/// What is left of the bytes of this screen frame.
#[derive(Debug, Clone, Copy)]
pub struct UploadBudget {
    per_frame: u64,
    left: u64,
}

impl UploadBudget {
    /// A full budget.
    pub fn new(per_frame: u64) -> Self {
        Self { per_frame, left: per_frame }
    }
    /// A new screen frame has begun.
    pub fn begin_frame(&mut self) {
        self.left = self.per_frame;
    }
    /// Takes as many of `rows` as fit, at least one while nothing was taken in this frame: however small the
    /// budget, every picture arrives.
    pub fn take_rows(&mut self, rows: u32, row_bytes: u64) -> u32 {
        let fits = u32::try_from(self.left / row_bytes.max(1)).unwrap_or(u32::MAX).min(rows);
        let taken = if fits == 0 && self.left == self.per_frame { rows.min(1) } else { fits };
        self.left = self.left.saturating_sub(u64::from(taken) * row_bytes);
        taken
    }
}

/// Texture format and padding of a frame's page.
pub(super) fn layout_of(frame: &Frame) -> (Format, Option<PagePadding>) {
    let padding = frame.padding.filter(|p| p.low <= p.high);
    match (&*frame.pixels, &frame.modality) {
        (Pixels::Rgb8(_), _) => (Format::Rgba8Uint, None),
        // The LUT's entries with −1 for padding.
        (_, Modality::Lut { .. }) if padding.is_some() => (Format::R32Sint, Some(PagePadding::Int([-1, -1]))),
        (_, Modality::Lut { .. }) => (Format::R16Uint, None),
        (Pixels::U8(_), _) => (Format::R8Uint, int_padding(padding)),
        (Pixels::U16(_), _) => (Format::R16Uint, int_padding(padding)),
        (Pixels::I16(_), _) => (Format::R16Sint, int_padding(padding)),
        // Differences to the pivot must fit 32 bits; what is larger goes as floats (exact to 24 bits).
        (Pixels::I32(v), _) if v.iter().all(|x| x.unsigned_abs() <= 1 << 30) => (Format::R32Sint, int_padding(padding)),
        (Pixels::I32(_) | Pixels::F32(_), _) => (Format::R32Float, Some(float_padding(padding))),
    }
}

fn int_padding(padding: Option<Padding>) -> Option<PagePadding> {
    padding.and_then(|p| {
        let (low, high) = (p.low.ceil(), p.high.floor());
        (low <= high).then_some(PagePadding::Int([low as i32, high as i32]))
    })
}

/// Float pages always have a padding value: what is no number goes there, and is black like padding.
const NO_NUMBER: f32 = f32::MIN;

fn float_padding(padding: Option<Padding>) -> PagePadding {
    match padding {
        Some(p) => PagePadding::Float([p.low.max(f64::from(f32::MIN)) as f32, p.high.min(f64::from(f32::MAX)) as f32]),
        None => PagePadding::Float([NO_NUMBER, NO_NUMBER]),
    }
}

/// Texel bytes of some rows, native byte order, as [`layout_of`] said.
pub(super) fn rows_of(
    frame: &Frame,
    format: Format,
    padding: Option<PagePadding>,
    rows: std::ops::Range<u32>,
) -> Cow<'_, [u8]> {
    let columns = frame.columns as usize;
    let range = rows.start as usize * columns..rows.end as usize * columns;
    if let Modality::Lut { .. } = frame.modality
        && !matches!(*frame.pixels, Pixels::Rgb8(_))
    {
        let values = range.map(|index| {
            let stored = frame.pixels.stored(index).unwrap_or(0.0);
            let is_padding = frame.padding.is_some_and(|p| p.contains(stored));
            if is_padding { -1 } else { frame.modality.apply(stored) as i32 }
        });
        return if format == Format::R32Sint {
            Cow::Owned(bytemuck::cast_slice(&values.collect::<Vec<i32>>()).to_vec())
        } else {
            Cow::Owned(bytemuck::cast_slice(&values.map(|v| v.max(0) as u16).collect::<Vec<u16>>()).to_vec())
        };
    }
    match &*frame.pixels {
        Pixels::U8(v) => Cow::Borrowed(v.get(range).unwrap_or(&[])),
        Pixels::U16(v) => Cow::Borrowed(bytemuck::cast_slice(v.get(range).unwrap_or(&[]))),
        Pixels::I16(v) => Cow::Borrowed(bytemuck::cast_slice(v.get(range).unwrap_or(&[]))),
        Pixels::I32(v) if format == Format::R32Sint => Cow::Borrowed(bytemuck::cast_slice(v.get(range).unwrap_or(&[]))),
        Pixels::I32(v) => {
            let values: Vec<f32> = v.get(range).unwrap_or(&[]).iter().map(|x| *x as f32).collect();
            Cow::Owned(bytemuck::cast_slice(&values).to_vec())
        }
        Pixels::F32(v) => {
            let gap = match padding {
                Some(PagePadding::Float(range)) => range[0],
                _ => NO_NUMBER,
            };
            // An infinity times a weight of 0 would be no number: hold it far out instead.
            let clean = |x: &f32| if x.is_nan() { gap } else { x.clamp(-1e30, 1e30) };
            let values: Vec<f32> = v.get(range).unwrap_or(&[]).iter().map(clean).collect();
            Cow::Owned(bytemuck::cast_slice(&values).to_vec())
        }
        Pixels::Rgb8(v) => {
            let rgb = v.get(range.start * 3..range.end * 3).unwrap_or(&[]);
            Cow::Owned(rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_budget_still_moves_on() {
        let mut budget = UploadBudget::new(100);
        assert_eq!(budget.take_rows(10, 30), 3);
        assert_eq!(budget.take_rows(10, 30), 0);
        budget.begin_frame();
        assert_eq!(budget.take_rows(10, 1000), 1);
        assert_eq!(budget.take_rows(10, 1000), 0);
        budget.begin_frame();
        assert_eq!(budget.take_rows(2, 10), 2);
        assert_eq!(budget.take_rows(99, 10), 8);
    }

    #[test]
    fn fractional_padding_covers_whole_values_only() {
        assert_eq!(int_padding(Some(Padding { low: -1.5, high: 2.5 })), Some(PagePadding::Int([-1, 2])));
        assert_eq!(int_padding(Some(Padding { low: 0.2, high: 0.8 })), None);
    }
}
