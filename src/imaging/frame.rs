//! One decoded frame: stored values at native depth, and all that is needed to read them rightly.

use super::{Display, RealWorldMap, Trouble};
use crate::study::Voi;
use std::sync::Arc;

/// Stored values, row by row. Never windowed, never narrowed.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// Unsigned, up to 8 bits.
    U8(Vec<u8>),
    /// Unsigned, up to 16 bits.
    U16(Vec<u16>),
    /// Signed, up to 16 bits.
    I16(Vec<i16>),
    /// Signed or unsigned beyond 16 bits, where they fit 32 bits signed.
    I32(Vec<i32>),
    /// Float pixel data, or integers that fit no other variant exactly enough to be told.
    F32(Vec<f32>),
    /// Interleaved red, green, blue.
    Rgb8(Vec<u8>),
}

impl Pixels {
    /// Number of pixels (not samples).
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::Rgb8(v) => v.len() / 3,
        }
    }
    /// True if there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::U8(v) | Self::Rgb8(v) => v.len(),
            Self::U16(v) => v.len() * 2,
            Self::I16(v) => v.len() * 2,
            Self::I32(v) => v.len() * 4,
            Self::F32(v) => v.len() * 4,
        }
    }
    /// Stored value of a grey pixel; `None` outside or for colour.
    pub fn stored(&self, index: usize) -> Option<f64> {
        match self {
            Self::U8(v) => v.get(index).map(|x| f64::from(*x)),
            Self::U16(v) => v.get(index).map(|x| f64::from(*x)),
            Self::I16(v) => v.get(index).map(|x| f64::from(*x)),
            Self::I32(v) => v.get(index).map(|x| f64::from(*x)),
            Self::F32(v) => v.get(index).map(|x| f64::from(*x)),
            Self::Rgb8(_) => None,
        }
    }
}

/// How stored values become modality values (PS3.3 C.11.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Modality {
    /// Rescale Slope and Intercept; 1 and 0 where absent.
    Rescale {
        /// (0028,1053)
        slope: f64,
        /// (0028,1052)
        intercept: f64,
    },
    /// Modality LUT Sequence: values from `first` on; ends are held (PS3.3 C.11.1.1.1).
    Lut {
        /// Stored value mapped to the first entry.
        first: i32,
        /// Entries.
        data: Arc<[u16]>,
    },
}

impl Modality {
    /// Nothing to do: stored values are modality values.
    pub const IDENTITY: Self = Self::Rescale { slope: 1.0, intercept: 0.0 };

    /// Modality value of a stored value.
    pub fn apply(&self, stored: f64) -> f64 {
        match self {
            Self::Rescale { slope, intercept } => stored * slope + intercept,
            Self::Lut { first, data } => {
                let last = data.len().saturating_sub(1) as f64;
                let index = (stored - f64::from(*first)).clamp(0.0, last) as usize;
                data.get(index).map_or(stored, |v| f64::from(*v))
            }
        }
    }
}

/// Grey meaning or colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photometric {
    /// Lowest value is white.
    Monochrome1,
    /// Lowest value is black.
    Monochrome2,
    /// RGB after decoding.
    Color,
}

/// Stored values that are not image (PS3.3 C.7.5.1.1.2): stay background under any window and inversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Padding {
    /// Lowest padding value, stored units, inclusive.
    pub low: f64,
    /// Highest padding value, stored units, inclusive.
    pub high: f64,
}

impl Padding {
    /// Whether a stored value is padding.
    pub fn contains(&self, stored: f64) -> bool {
        stored >= self.low && stored <= self.high
    }
}

/// A frame whose parts contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Pixel count and size differ.
    #[error("frame holds {pixels} pixels, {rows} x {columns} expected")]
    Size {
        /// Pixels held.
        pixels: usize,
        /// Rows stated.
        rows: u32,
        /// Columns stated.
        columns: u32,
    },
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Stored values; shared, so that the same frame shown in another way takes no second copy.
    pub pixels: Arc<Pixels>,
    /// Bits Stored (0028,0101).
    pub bits_stored: u16,
    /// Grey meaning or colour.
    pub photometric: Photometric,
    /// Stored → modality values.
    pub modality: Modality,
    /// Unit of the modality values, e.g. `HU`; empty if the object does not say.
    pub unit: String,
    /// Values that are not image.
    pub padding: Option<Padding>,
    /// VOI choices that come with the frame, the default first: its VOI LUTs, then its windows. Their names and
    /// the LUTs' entries are in [`Display`].
    pub voi: Vec<Voi>,
    /// What else the object says of showing the frame.
    pub display: Display,
    /// Width over height of one pixel (Pixel Aspect Ratio or spacing); 1 where unknown.
    pub pixel_aspect: f64,
    /// Trouble met while decoding, for the reader.
    pub warnings: Vec<Trouble>,
}

impl Frame {
    /// Whether pixels are missing or may not be those that were sent.
    pub fn spoiled(&self) -> bool {
        self.warnings.iter().any(Trouble::spoils)
    }

    /// Checks that size and pixel count agree; all frames pass through here.
    pub fn checked(self) -> Result<Self, FrameError> {
        let expected = u64::from(self.rows) * u64::from(self.columns);
        if self.pixels.len() as u64 == expected && expected > 0 {
            Ok(self)
        } else {
            Err(FrameError::Size { pixels: self.pixels.len(), rows: self.rows, columns: self.columns })
        }
    }

    /// Modality value at (column, row); `None` outside, for colour, and for padding.
    pub fn modality_value(&self, column: u32, row: u32) -> Option<f64> {
        if column >= self.columns || row >= self.rows {
            return None;
        }
        let stored = self.pixels.stored((row as usize) * (self.columns as usize) + column as usize)?;
        if self.padding.is_some_and(|p| p.contains(stored)) {
            return None;
        }
        Some(self.modality.apply(stored))
    }

    /// Real-world values at (column, row), each with its mapping; none outside, for colour, and for padding.
    pub fn real_world_values(&self, column: u32, row: u32) -> impl Iterator<Item = (&RealWorldMap, f64)> {
        let inside = column < self.columns && row < self.rows;
        let index = row as usize * self.columns as usize + column as usize;
        let stored = if inside { self.pixels.stored(index) } else { None };
        let stored = stored.filter(|s| !self.padding.is_some_and(|p| p.contains(*s)));
        self.display.real_world.iter().filter_map(move |map| Some((map, map.value(stored?)?)))
    }

    /// Memory held, bytes, near enough for budgets.
    pub fn bytes(&self) -> usize {
        let display = &self.display;
        let tables = display.voi_luts.iter().map(|l| l.entries.len() * 2).sum::<usize>();
        let planes = display.overlays.iter().map(|o| o.bits.len()).sum::<usize>();
        self.pixels.bytes() + tables + planes + std::mem::size_of::<Self>()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Frame {
        /// MONOCHROME2 of as many bits as the pixels have, of which the object says nothing else.
        pub(crate) fn plain(rows: u32, columns: u32, pixels: Pixels) -> Self {
            Self {
                rows,
                columns,
                bits_stored: if matches!(pixels, Pixels::U8(_) | Pixels::Rgb8(_)) { 8 } else { 16 },
                pixels: Arc::new(pixels),
                photometric: Photometric::Monochrome2,
                modality: Modality::IDENTITY,
                unit: String::new(),
                padding: None,
                voi: vec![],
                display: Display::default(),
                pixel_aspect: 1.0,
                warnings: vec![],
            }
        }
    }

    pub(crate) fn grey(rows: u32, columns: u32, values: Vec<i16>) -> Frame {
        Frame {
            modality: Modality::Rescale { slope: 1.0, intercept: -1024.0 },
            unit: "HU".into(),
            padding: Some(Padding { low: -2000.0, high: -2000.0 }),
            ..Frame::plain(rows, columns, Pixels::I16(values))
        }
    }

    #[test]
    fn values_padding_and_bounds() {
        let f = grey(1, 3, vec![1024, -2000, 1124]).checked().expect("sizes agree");
        assert_eq!(f.modality_value(0, 0), Some(0.0));
        assert_eq!(f.modality_value(1, 0), None);
        assert_eq!(f.modality_value(2, 0), Some(100.0));
        assert_eq!(f.modality_value(3, 0), None);
        assert!(grey(2, 3, vec![0]).checked().is_err());
    }

    #[test]
    fn modality_lut_holds_its_ends() {
        let lut = Modality::Lut { first: 10, data: vec![5u16, 6, 9].into() };
        assert_eq!((lut.apply(0.0), lut.apply(11.0), lut.apply(99.0)), (5.0, 6.0, 9.0));
    }
}
