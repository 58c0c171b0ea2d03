//! Mask subtraction of a presentation state (PS3.3 C.11.13, C.7.6.10): from each frame of a run the mean of mask frames,
//! or the frame a fixed number of frames before, is taken away.

use crate::imaging::{Frame, Modality, Pixels};
use crate::study::{FrameIndex, FrameRef};
use serde::Serialize;

/// Most mask frames that are averaged: their memory is held while the state lies over a picture.
pub const MOST_MASK_FRAMES: usize = 16;

/// Which frames are the mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskFrames {
    /// `AVG_SUB`: Mask Frame Numbers (0028,6110), from 1.
    Average(Vec<u32>),
    /// `TID`: TID Offset (0028,6120), taken from the frame's own number.
    Before(i32),
}

/// An item of Mask Subtraction Sequence (0028,6100).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mask {
    /// Which frames.
    pub frames: MaskFrames,
    /// Mask Sub-pixel Shift (0028,6114): rows and columns that the mask is moved by, down and right.
    pub shift: [f64; 2],
    /// Applicable Frame Range (0028,6102), first and last; empty: all.
    pub ranges: Vec<[u32; 2]>,
}

impl Mask {
    /// The mask's frames for a frame, of the same instance; empty where nothing is subtracted.
    pub fn frames_for(&self, at: &FrameRef) -> Vec<FrameRef> {
        let number = at.frame.number();
        let inside =
            |number: u32| self.ranges.is_empty() || self.ranges.iter().any(|[a, b]| (*a..=*b).contains(&number));
        if !inside(number) {
            return Vec::new();
        }
        let of =
            |number: u32| Some(FrameRef { instance: at.instance.clone(), frame: FrameIndex(number.checked_sub(1)?) });
        match &self.frames {
            MaskFrames::Average(numbers) => numbers.iter().filter_map(|n| of(*n)).collect(),
            // A frame without a mask within its range is shown as it is (C.7.6.10.1).
            MaskFrames::Before(offset) => {
                let mask = number.checked_add_signed(offset.saturating_neg()).filter(|n| inside(*n));
                mask.and_then(of).into_iter().collect()
            }
        }
    }

    /// Modality values of the frame less the mean of the masks'; `None` if sizes differ, or for colour. Padding of any of
    /// them counts as no difference.
    pub fn subtract(&self, frame: &Frame, masks: &[&Frame], modality: &Modality) -> Option<Pixels> {
        let size = [frame.rows, frame.columns];
        if masks.is_empty() || masks.iter().any(|m| [m.rows, m.columns] != size) {
            return None;
        }
        let mut mean = vec![0f32; frame.pixels.len()];
        for mask in masks {
            for (sum, value) in mean.iter_mut().zip(values(mask, modality)?) {
                *sum += value;
            }
        }
        let count = masks.len() as f32;
        for sum in &mut mean {
            *sum /= count;
        }
        if self.shift != [0.0; 2] {
            mean = moved(&mean, size, self.shift);
        }
        let mut out = values(frame, modality)?;
        for (value, mask) in out.iter_mut().zip(&mean) {
            let difference = *value - mask;
            *value = if difference.is_finite() { difference } else { 0.0 };
        }
        Some(Pixels::F32(out))
    }
}

/// Modality values; NaN for padding. `None` for colour.
fn values(frame: &Frame, modality: &Modality) -> Option<Vec<f32>> {
    let padding = frame.padding;
    let value = move |stored: f64| {
        if padding.is_some_and(|p| p.contains(stored)) { f32::NAN } else { modality.apply(stored) as f32 }
    };
    Some(match &*frame.pixels {
        Pixels::U8(v) => v.iter().map(|v| value(f64::from(*v))).collect(),
        Pixels::U16(v) => v.iter().map(|v| value(f64::from(*v))).collect(),
        Pixels::I16(v) => v.iter().map(|v| value(f64::from(*v))).collect(),
        Pixels::I32(v) => v.iter().map(|v| value(f64::from(*v))).collect(),
        Pixels::F32(v) => v.iter().map(|v| value(f64::from(*v))).collect(),
        Pixels::Rgb8(_) => return None,
    })
}

/// Moved down and right by parts of a pixel, in between in proportion; what comes in from outside is the nearest edge.
fn moved(values: &[f32], [rows, columns]: [u32; 2], [down, right]: [f64; 2]) -> Vec<f32> {
    let (rows, columns) = (i64::from(rows), i64::from(columns));
    let at = |row: i64, column: i64| {
        let index = row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1);
        values.get(index as usize).copied().unwrap_or(f32::NAN)
    };
    // Nobody moves a mask further than its own size; what is no number moves nothing.
    let whole = |shift: f64, most: i64| {
        let shift = if shift.is_finite() { shift.clamp(-(most as f64), most as f64) } else { 0.0 };
        (shift.floor() as i64, (shift - shift.floor()) as f32)
    };
    let ((row_step, row_part), (column_step, column_part)) = (whole(down, rows), whole(right, columns));
    let mix = |a: f32, b: f32, part: f32| if part == 0.0 { a } else { a + (b - a) * part };
    let mut out = Vec::with_capacity(values.len());
    for row in 0..rows {
        let from = row - row_step;
        for column in 0..columns {
            let beside = column - column_step;
            let line = |row: i64| mix(at(row, beside), at(row, beside - 1), column_part);
            out.push(mix(line(from), line(from - 1), row_part));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Padding;
    use crate::study::SopInstanceUid;

    fn frame(values: Vec<u16>, padding: Option<Padding>) -> Frame {
        Frame { bits_stored: 12, padding, ..Frame::plain(2, 3, Pixels::U16(values)) }
    }

    fn at(number: u32) -> FrameRef {
        FrameRef { instance: SopInstanceUid::new("1.2").expect("uid"), frame: FrameIndex(number - 1) }
    }

    #[test]
    fn which_frames_are_the_mask() {
        let mask = |frames, ranges| Mask { frames, shift: [0.0; 2], ranges };
        let numbers = |m: &Mask, n| m.frames_for(&at(n)).iter().map(|f| f.frame.number()).collect::<Vec<_>>();
        let average = mask(MaskFrames::Average(vec![1, 2, 0]), vec![]);
        assert_eq!((numbers(&average, 1), numbers(&average, 9)), (vec![1, 2], vec![1, 2]));
        let average = mask(MaskFrames::Average(vec![1]), vec![[3, 5], [8, 9]]);
        assert_eq!([2, 3, 5, 6, 9].map(|n| numbers(&average, n).len()), [0, 1, 1, 0, 1]);
        let before = mask(MaskFrames::Before(2), vec![[2, 6]]);
        assert_eq!([3, 4, 6, 7].map(|n| numbers(&before, n)), [vec![], vec![2], vec![4], vec![]]);
        let after = mask(MaskFrames::Before(-1), vec![]);
        assert_eq!(numbers(&after, 3), [4]);
        assert_eq!(numbers(&mask(MaskFrames::Before(i32::MIN), vec![]), 1).len(), 1, "far, and not there to be had");
    }

    #[test]
    fn the_mean_of_the_masks_is_taken_away_in_modality_values() {
        let mask = Mask { frames: MaskFrames::Average(vec![1, 2]), shift: [0.0; 2], ranges: vec![] };
        let twice = Modality::Rescale { slope: 2.0, intercept: 50.0 };
        let [a, b] = [frame(vec![10; 6], None), frame(vec![20; 6], None)];
        let padding = Some(Padding { low: 0.0, high: 0.0 });
        let picture = frame(vec![15, 16, 0, 5, 4095, 17], padding);
        let found = mask.subtract(&picture, &[&a, &b], &twice).expect("grey");
        assert_eq!(found, Pixels::F32(vec![0.0, 2.0, 0.0, -20.0, 8160.0, 4.0]));
        let mut small = frame(vec![1; 3], None);
        small.rows = 1;
        assert_eq!(mask.subtract(&picture, &[&small], &twice), None);
        assert_eq!(mask.subtract(&picture, &[], &twice), None);
    }

    #[test]
    fn the_mask_moves_by_parts_of_a_pixel() {
        let shifted = |shift| Mask { frames: MaskFrames::Average(vec![1]), shift, ranges: vec![] };
        let (picture, mask) = (frame(vec![100; 6], None), frame(vec![0, 10, 20, 40, 50, 60], None));
        let of = |shift: [f64; 2]| match shifted(shift).subtract(&picture, &[&mask], &Modality::IDENTITY) {
            Some(Pixels::F32(v)) => v.into_iter().map(|v| 100.0 - v).collect::<Vec<f32>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(of([0.0, 1.0]), [0.0, 0.0, 10.0, 40.0, 40.0, 50.0]);
        assert_eq!(of([1.0, 0.0]), [0.0, 10.0, 20.0, 0.0, 10.0, 20.0]);
        assert_eq!(of([0.0, 0.25]), [0.0, 7.5, 17.5, 40.0, 47.5, 57.5]);
        assert_eq!(of([-0.5, 0.0]), [20.0, 30.0, 40.0, 40.0, 50.0, 60.0]);
        assert_eq!(of([f64::NAN, f64::INFINITY]), of([0.0, 0.0]));
    }
}
