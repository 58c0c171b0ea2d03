//! Samples: bytes of native coding → whole numbers → [`Pixels`] at native depth.

use super::dataset::Endian;
use crate::imaging::{Pixels, Trouble};

/// Samples as a decoder gives them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Samples {
    /// 8 bits each (or what RLE says), little endian.
    Bytes(Vec<u8>),
    /// 16 bits each, in the machine's byte order.
    Words(Vec<u16>),
}

impl Samples {
    /// Bits that a sample takes: 8 or 16.
    pub(super) fn bits(&self) -> u16 {
        match self {
            Self::Bytes(_) => 8,
            Self::Words(_) => 16,
        }
    }

    /// Their bytes, in the order of [`Samples::endian`].
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Words(words) => bytemuck::cast_slice(words),
        }
    }

    /// The same to be written.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Words(words) => bytemuck::cast_slice_mut(words),
        }
    }

    /// Byte order of `bytes`.
    pub(super) fn endian(&self) -> Endian {
        match self {
            Self::Words(_) if cfg!(target_endian = "big") => Endian::Big,
            _ => Endian::Little,
        }
    }

    /// Keeps the first `count` samples (bytes of RLE).
    pub(super) fn truncate(&mut self, count: usize) {
        match self {
            Self::Bytes(bytes) => bytes.truncate(count),
            Self::Words(words) => words.truncate(count),
        }
    }
}

/// A decoder's grey samples at native depth, moved where they are already right.
pub(super) fn decoded(samples: Samples, count: usize, layout: Layout) -> (Pixels, Option<Trouble>) {
    match samples {
        Samples::Words(mut words) if layout.allocated == 16 => {
            words.truncate(count);
            let (up, down) = layout.shifts();
            let pixels = if layout.signed {
                Pixels::I16(words.into_iter().map(|w| (w << up) as i16 >> down).collect())
            } else if (up, down) == (0, 0) {
                Pixels::U16(words)
            } else {
                Pixels::U16(words.into_iter().map(|w| (w << up) >> down).collect())
            };
            (pixels, None)
        }
        Samples::Bytes(mut bytes) if !layout.signed && (layout.allocated, layout.stored) == (8, 8) => {
            bytes.truncate(count);
            (Pixels::U8(bytes), None)
        }
        other => grey(other.bytes(), 0, count, layout),
    }
}

/// How samples lie in the bytes (PS3.5 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) allocated: u16,
    pub(super) stored: u16,
    pub(super) high_bit: u16,
    pub(super) signed: bool,
    pub(super) endian: Endian,
}

impl Layout {
    /// By how much a word of 16 bits is shifted up and then down, so that its stored bits alone are left.
    fn shifts(self) -> (u16, u16) {
        (15 - self.high_bit.min(15), 16 - self.stored.clamp(1, 16))
    }

    /// The value in the stored bits, sign-extended; bits outside them are not image.
    fn value(self, raw: u64) -> i64 {
        let stored = u32::from(self.stored).clamp(1, 64);
        let shift = u32::from(self.high_bit + 1).saturating_sub(stored).min(63);
        let top = 64 - stored;
        if self.signed { ((raw >> shift) << top) as i64 >> top } else { (((raw >> shift) << top) >> top) as i64 }
    }
}

/// Grey samples at native depth. `bytes` hold at least the samples wanted, or what there is of them: the
/// count may be short.
pub(super) fn grey(bytes: &[u8], first_bit: usize, count: usize, layout: Layout) -> (Pixels, Option<Trouble>) {
    let plain = layout.high_bit + 1 == layout.stored;
    match (layout.allocated, layout.signed) {
        (1, _) => (Pixels::U8(bits(bytes, first_bit, count)), None),
        (8, false) if plain && layout.stored == 8 => (Pixels::U8(bytes.get(..count).unwrap_or(bytes).to_vec()), None),
        (8, false) => (Pixels::U8(bytes.iter().take(count).map(|b| layout.value(u64::from(*b)) as u8).collect()), None),
        (8, true) => {
            (Pixels::I16(bytes.iter().take(count).map(|b| layout.value(u64::from(*b)) as i16).collect()), None)
        }
        (16, signed) => {
            let words = bytes.as_chunks::<2>().0;
            let words = words.get(..count).unwrap_or(words);
            let pixels = match layout.endian {
                Endian::Little => sixteen(words, u16::from_le_bytes, signed, layout),
                Endian::Big => sixteen(words, u16::from_be_bytes, signed, layout),
            };
            (pixels, None)
        }
        _ => wide(values(bytes, count, layout)),
    }
}

/// The stored bits of words; a loop of its own for each byte order and sign, without a branch in it.
fn sixteen(words: &[[u8; 2]], word: impl Fn([u8; 2]) -> u16, signed: bool, layout: Layout) -> Pixels {
    let (up, down) = layout.shifts();
    if signed {
        Pixels::I16(words.iter().map(|b| (word(*b) << up) as i16 >> down).collect())
    } else {
        Pixels::U16(words.iter().map(|b| (word(*b) << up) >> down).collect())
    }
}

/// More than 16 bits: 32-bit integers where all values fit, else the nearest floats, with a note.
fn wide(values: Vec<i64>) -> (Pixels, Option<Trouble>) {
    if values.iter().all(|v| i32::try_from(*v).is_ok()) {
        return (Pixels::I32(values.into_iter().map(|v| v as i32).collect()), None);
    }
    let exact = values.iter().all(|v| (*v as f32) as i64 == *v);
    let note = (!exact).then_some(Trouble::RoundedIntegers);
    (Pixels::F32(values.into_iter().map(|v| v as f32).collect()), note)
}

/// Any sample as a whole number.
pub(super) fn values(bytes: &[u8], count: usize, layout: Layout) -> Vec<i64> {
    let e = layout.endian;
    match layout.allocated {
        1 => bits(bytes, 0, count).into_iter().map(i64::from).collect(),
        8 => bytes.iter().take(count).map(|b| layout.value(u64::from(*b))).collect(),
        16 => bytes.as_chunks::<2>().0.iter().take(count).map(|b| layout.value(u64::from(e.u16(*b)))).collect(),
        32 => bytes.as_chunks::<4>().0.iter().take(count).map(|b| layout.value(u64::from(e.u32(*b)))).collect(),
        64 => bytes.as_chunks::<8>().0.iter().take(count).map(|b| layout.value(e.u64(*b))).collect(),
        _ => Vec::new(),
    }
}

/// Single bits, least significant first, from bit `first` on (PS3.5 8.1.1).
fn bits(bytes: &[u8], first: usize, count: usize) -> Vec<u8> {
    (first..first.saturating_add(count)).map_while(|at| bytes.get(at / 8).map(|byte| (byte >> (at % 8)) & 1)).collect()
}

/// Lengthens short pixels to `count` with one value that occurs nowhere in the sound part, so that the missing
/// part can be told from image; gives that value.
pub(super) fn fill(pixels: &mut Pixels, count: usize, wanted: Option<f64>) -> Option<f64> {
    macro_rules! fill {
        ($v:expr, $t:ty) => {{
            let wanted = wanted.map(|w| w as $t).filter(|w| f64::from(*w) == wanted.unwrap_or(f64::NAN));
            let unused = [<$t>::MIN, <$t>::MAX].into_iter().find(|c| !$v.contains(c));
            let value = wanted.or(unused).unwrap_or(<$t>::MIN);
            let mark = wanted.or(unused).map(f64::from);
            $v.resize(count, value);
            mark
        }};
    }
    match pixels {
        Pixels::U8(v) => fill!(v, u8),
        Pixels::U16(v) => fill!(v, u16),
        Pixels::I16(v) => fill!(v, i16),
        Pixels::I32(v) => fill!(v, i32),
        Pixels::F32(v) => fill!(v, f32),
        Pixels::Rgb8(v) => {
            v.resize(count * 3, 0);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(allocated: u16, stored: u16, high_bit: u16, signed: bool) -> Layout {
        Layout { allocated, stored, high_bit, signed, endian: Endian::Little }
    }

    #[test]
    fn stored_bits_only_and_sign_extended() {
        let bytes = [0x34, 0xF2, 0xFF, 0x0F];
        assert_eq!(grey(&bytes, 0, 2, layout(16, 12, 11, false)).0, Pixels::U16(vec![0x234, 0xFFF]));
        assert_eq!(grey(&bytes, 0, 2, layout(16, 12, 11, true)).0, Pixels::I16(vec![0x234, -1]));
        assert_eq!(grey(&bytes, 0, 2, layout(16, 12, 15, false)).0, Pixels::U16(vec![0xF23, 0x0FF]));
        assert_eq!(grey(&bytes, 0, 2, layout(16, 16, 15, true)).0, Pixels::I16(vec![-3532, 4095]));
        assert_eq!(grey(&[0xFF, 0x7F], 0, 2, layout(8, 8, 7, true)).0, Pixels::I16(vec![-1, 127]));
        let big = Layout { endian: Endian::Big, ..layout(16, 16, 15, false) };
        assert_eq!(grey(&[1, 2], 0, 1, big).0, Pixels::U16(vec![0x0102]));
    }

    #[test]
    fn decoded_words_equal_the_same_bytes() {
        let words = vec![0x1234, 0xF234, 0x0FFF, 0x8000, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|w: &u16| w.to_le_bytes()).collect();
        for (stored, high_bit) in [(16, 15), (12, 11), (12, 15), (10, 12), (1, 0)] {
            for signed in [false, true] {
                let layout = layout(16, stored, high_bit, signed);
                let native = Layout { endian: Samples::Words(Vec::new()).endian(), ..layout };
                let moved = decoded(Samples::Words(words.clone()), 4, native);
                assert_eq!(moved, grey(&bytes, 0, 4, layout), "{layout:?}");
            }
        }
        assert_eq!(decoded(Samples::Bytes(vec![1, 2, 3]), 2, layout(8, 8, 7, false)).0, Pixels::U8(vec![1, 2]));
    }

    #[test]
    fn wide_and_single_bits() {
        assert_eq!(grey(&[0xFF; 4], 0, 1, layout(32, 25, 24, true)).0, Pixels::I32(vec![-1]));
        let (pixels, note) = grey(&[0xFF; 4], 0, 1, layout(32, 32, 31, false));
        assert_eq!(pixels, Pixels::F32(vec![4294967296.0]));
        assert!(note.is_some());
        assert_eq!(grey(&[0b1010_0000, 1], 5, 4, layout(1, 1, 0, false)).0, Pixels::U8(vec![1, 0, 1, 1]));
    }

    #[test]
    fn missing_samples_are_marked_by_an_unused_value() {
        let mut pixels = Pixels::U16(vec![0, 5]);
        assert_eq!(fill(&mut pixels, 4, None), Some(65535.0));
        assert_eq!(pixels, Pixels::U16(vec![0, 5, 65535, 65535]));
        let mut pixels = Pixels::I16(vec![0]);
        assert_eq!(fill(&mut pixels, 2, Some(-2000.0)), Some(-2000.0));
    }
}
