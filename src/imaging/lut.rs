//! Tables: of the VOI transform and of the presentation (PS3.3 C.11.2.1.1, C.11.4.1).

use std::sync::Arc;

/// A table from whole input values to levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Lut {
    /// Input value that gives the first entry; smaller ones give it too.
    pub first: i32,
    /// Entries; larger input gives the last. Never empty where [`Lut::new`] made it.
    pub entries: Arc<[u16]>,
    /// Bits of an entry, 8 to 16: `2^bits − 1` is the brightest level.
    pub bits: u8,
}

impl Lut {
    /// A table; `None` without entries. Entries that need more bits than stated make the table wider.
    pub fn new(first: i32, entries: Vec<u16>, bits: u8) -> Option<Self> {
        let largest = *entries.iter().max()?;
        let needed = (u16::BITS - largest.leading_zeros()) as u8;
        Some(Self { first, entries: entries.into(), bits: bits.clamp(8, 16).max(needed) })
    }

    /// The entry of the brightest level, `2^bits − 1`.
    pub fn full(&self) -> f64 {
        f64::from((1u32 << self.bits.clamp(1, 16)) - 1)
    }

    /// Centre and width of a window over the table's whole input: under it each value finds its own entry.
    pub fn range(&self) -> (f64, f64) {
        let width = self.entries.len() as f64;
        (f64::from(self.first) + width / 2.0, width)
    }

    /// Level 0 to 1 at a place in the table: 0 is the first entry, whole numbers are entries, and between two
    /// entries (mixed pixels, fractional rescale) the level is in proportion. The ends are held.
    pub fn level(&self, place: f64) -> f64 {
        let last = self.entries.len().saturating_sub(1);
        if place.is_nan() {
            return 0.0;
        }
        let held = place.clamp(0.0, last as f64);
        let low = held.floor();
        let entry = |at: usize| self.entries.get(at.min(last)).copied().map_or(0.0, f64::from);
        let (a, b) = (entry(low as usize), entry(low as usize + 1));
        (a + (b - a) * (held - low)) / self.full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_hold_at_the_ends_and_mix_between() {
        let lut = Lut::new(-2, vec![0, 100, 255], 8).expect("entries");
        assert_eq!((lut.range(), lut.full()), ((-0.5, 3.0), 255.0));
        assert_eq!([-9.0, 0.0, 1.0, 2.0, 9.0].map(|p| lut.level(p) * 255.0), [0.0, 0.0, 100.0, 255.0, 255.0]);
        assert_eq!(lut.level(0.5) * 255.0, 50.0);
        assert_eq!(lut.level(f64::NAN), 0.0);
    }

    #[test]
    fn a_table_that_says_too_few_bits_is_wider() {
        assert_eq!(Lut::new(0, vec![0, 4095], 8).map(|l| l.bits), Some(12));
        assert_eq!(Lut::new(0, vec![0, 1], 16).map(|l| l.bits), Some(16));
        assert!(Lut::new(0, vec![], 16).is_none());
    }
}
