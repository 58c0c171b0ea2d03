//! JPEG 2000 and HTJ2K codestreams (ISO/IEC 15444-1 annex A) before OpenJPEG sees them: their headers, and what decoding
//! them would take. OpenJPEG takes memory and time as the headers demand, whatever the data hold.

use super::codestream::{Codestream, Kind};
use std::borrow::Cow;

const COD: u8 = 0x52;
const COC: u8 = 0x53;
const COM: u8 = 0x64;
const SOT: u8 = 0x90;
const SOD: u8 = 0x93;
/// Marker segments that OpenJPEG knows. In a main header it looks for the next known one byte pair by byte pair after one
/// that it does not know.
const KNOWN: [u8; 20] = [
    0x50, 0x51, COD, COC, 0x55, 0x57, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x61, 0x63, COM, 0x74, 0x75, 0x77, 0x78,
];

/// Most packets of a picture; each costs about a microsecond, there or not. Real pictures have some thousands.
const MOST_PACKETS: u64 = 1 << 20;
/// Most precincts of a tile; each costs a KiB or so before anything is decoded.
const MOST_PRECINCTS: u64 = 1 << 16;

/// JPEG 2000: the SIZ and COD segments, also inside a JP2 file; and the bare codestream.
pub(super) fn header(data: &[u8]) -> Option<(Codestream, &[u8])> {
    let start = if data.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]) {
        0
    } else {
        data.windows(4).take(64 * 1024).position(|w| w == [0xFF, 0x4F, 0xFF, 0x51])?
    };
    let siz = data.get(start + 4..)?;
    let u32_at = |at: usize| siz.get(at..).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_be_bytes(*b));
    let (x_end, y_end, x_start, y_start) = (u32_at(4)?, u32_at(8)?, u32_at(12)?, u32_at(16)?);
    let components = u16::from_be_bytes(*siz.get(36..)?.first_chunk()?);
    let first = *siz.get(38)?;
    let (tile_width, tile_height, tiles_left, tiles_top) = (u32_at(20)?, u32_at(24)?, u32_at(28)?, u32_at(32)?);
    if tile_width == 0 || tile_height == 0 {
        return None;
    }
    // OpenJPEG reckons in 32 bits signed, and stops the program in some places where they do not do.
    if x_end.max(y_end).max(tiles_left).max(tiles_top) > i32::MAX as u32 {
        return None;
    }
    let across = u64::from(x_end.checked_sub(tiles_left)?.div_ceil(tile_width));
    let tiles = across * u64::from(y_end.checked_sub(tiles_top)?.div_ceil(tile_height));
    let sampling = siz.get(38..)?.chunks_exact(3).take(usize::from(components));
    let subsampled = sampling.clone().any(|c| c.get(1..) != Some(&[1, 1]));
    let uneven = sampling.clone().any(|c| c.first() != Some(&first));
    if components == 0 || uneven {
        return None;
    }
    let mut at = start + 4 + usize::from(u16::from_be_bytes(*siz.first_chunk()?));
    let (mut component_transform, mut high_throughput, mut levels) = (false, false, 0);
    while let Some(&[0xFF, marker, l1, l2]) = data.get(at..).and_then(|d| d.first_chunk::<4>()) {
        if marker == 0x52 {
            component_transform = *data.get(at + 8)? == 1;
            levels = *data.get(at + 9)?;
            high_throughput = data.get(at + 12).is_some_and(|style| style & 0x40 != 0);
        }
        if marker == 0x90 {
            break;
        }
        at = at.checked_add(2 + usize::from(u16::from_be_bytes([l1, l2])))?;
    }
    let found = Codestream {
        kind: Kind::Jpeg2000,
        tiles,
        tile: [tile_width.min(x_end), tile_height.min(y_end)],
        rows: y_end.checked_sub(y_start)?,
        columns: x_end.checked_sub(x_start)?,
        components,
        precision: (first & 0x7F) + 1,
        signed: first & 0x80 != 0,
        subsampled,
        high_throughput,
        levels,
        at_origin: [x_start, y_start, tiles_left, tiles_top] == [0; 4],
        component_transform,
        ..Codestream::default()
    };
    Some((found, data.get(start..)?))
}

/// What coding styles demand, the worst of all of them together.
#[derive(Debug, Clone, Copy)]
struct Demand {
    layers: u64,
    levels: u8,
    /// Smallest precinct of any resolution, exponents of width and height.
    precinct: [u8; 2],
}

impl Demand {
    /// Takes in a COD or COC segment, from its marker on; `wide`: component numbers take two bytes.
    fn add(&mut self, segment: &[u8], wide: bool) -> Option<()> {
        let (style, from) = if segment.get(1) == Some(&COD) {
            let layers = segment.get(6..8)?.first_chunk::<2>()?;
            self.layers = self.layers.max(u64::from(u16::from_be_bytes(*layers)));
            (*segment.get(4)?, 9)
        } else {
            let from = if wide { 7 } else { 6 };
            (*segment.get(from - 1)?, from)
        };
        let levels = *segment.get(from)?;
        self.levels = self.levels.max(levels);
        if style & 1 == 1 {
            for size in segment.get(from + 5..)?.iter().take(usize::from(levels) + 1) {
                self.precinct = [self.precinct[0].min(size & 15), self.precinct[1].min(size >> 4)];
            }
        }
        Some(())
    }

    /// Whether a picture that demands this is decoded at all.
    fn bearable(&self, found: &Codestream, tile: [u32; 2]) -> bool {
        let levels = u32::from(self.levels.min(32));
        let along = |size: u32, level: u32, exponent: u8| {
            let shrunk = u64::from(size).div_ceil(1 << level);
            shrunk.div_ceil(1 << exponent).max(1)
        };
        let precincts: u64 = (0..=levels)
            .map(|level| along(tile[0], level, self.precinct[0]) * along(tile[1], level, self.precinct[1]))
            .fold(0, u64::saturating_add)
            .saturating_mul(u64::from(found.components));
        let packets = precincts.saturating_mul(self.layers).saturating_mul(found.tiles);
        precincts <= MOST_PRECINCTS && packets <= MOST_PACKETS
    }
}

/// A codestream that OpenJPEG may have.
#[derive(Debug, PartialEq)]
pub(super) struct Prepared<'a> {
    /// Borrowed where nothing had to be changed.
    pub(super) stream: Cow<'a, [u8]>,
    /// The data end within a tile-part.
    pub(super) cut: bool,
}

/// A bare codestream as OpenJPEG may have it: tile-parts end within the data (it takes as much memory as they declare),
/// and segments that it does not know are comments, so that it finds the markers that we found. An error tells why it is
/// not decoded.
pub(super) fn prepare<'a>(data: &'a [u8], found: &Codestream) -> Result<Prepared<'a>, &'static str> {
    const UNCLEAR: &str = "its headers are not clear";
    let mut out = Cow::Borrowed(data);
    let mut cut = false;
    let mut demand = Demand { layers: 1, levels: 0, precinct: [15, 15] };
    let mut at = 2;
    // The main header, then the header of each tile-part.
    let mut in_tile = false;
    let mut part_ends = data.len();
    while let Some(&[0xFF, marker, l1, l2]) = data.get(at..).and_then(|d| d.first_chunk::<4>()) {
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        match marker {
            SOT => {
                let place = at + 6..at + 10;
                let declared = data.get(place.clone()).and_then(|b| b.first_chunk::<4>()).ok_or(UNCLEAR)?;
                let declared = u32::from_be_bytes(*declared) as usize;
                let left = data.len() - at;
                if declared > left {
                    cut = true;
                    let length = u32::try_from(left).unwrap_or(u32::MAX).to_be_bytes();
                    out.to_mut().get_mut(place).ok_or(UNCLEAR)?.copy_from_slice(&length);
                }
                part_ends = if declared == 0 { data.len() } else { at + declared.min(left) };
                in_tile = true;
                at += 2 + length;
            }
            SOD if in_tile => {
                // Nothing but another tile-part may follow this one; the decoder refuses anything else.
                in_tile = false;
                if part_ends <= at {
                    break;
                }
                at = part_ends;
                if data.get(at..at + 2) != Some(&[0xFF, SOT]) {
                    break;
                }
            }
            _ => {
                if length < 2 {
                    return Err(UNCLEAR);
                }
                let end = at + 2 + length;
                if matches!(marker, COD | COC) {
                    let segment = data.get(at..end).ok_or(UNCLEAR)?;
                    demand.add(segment, found.components > 256).ok_or(UNCLEAR)?;
                } else if !KNOWN.contains(&marker) && !in_tile {
                    *out.to_mut().get_mut(at + 1).ok_or(UNCLEAR)? = COM;
                }
                at = end;
            }
        }
    }
    if !demand.bearable(found, found.tile) {
        return Err("its headers demand more work than any picture is worth");
    }
    Ok(Prepared { stream: out, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_header(style: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
        for v in [4096u32, 4096, 0, 0, 4096, 4096, 0, 0] {
            out.extend(v.to_be_bytes());
        }
        out.extend([0, 1, 15, 1, 1]);
        out.extend(style);
        out
    }

    fn part(length: u32, header: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0x90, 0, 10, 0, 0];
        out.extend(length.to_be_bytes());
        out.extend([0, 1]);
        out.extend(header);
        out.extend([0xFF, 0x93, 7, 7]);
        out
    }

    /// A COD segment: layers, levels, sizes of precincts.
    fn cod(layers: u16, levels: u8, precincts: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0x52, 0, 12 + precincts.len() as u8, u8::from(!precincts.is_empty()), 0];
        out.extend(layers.to_be_bytes());
        out.extend([0, levels, 4, 4, 0, 1]);
        out.extend(precincts);
        out
    }

    fn prepared(stream: &[u8]) -> Result<Prepared<'_>, &'static str> {
        prepare(stream, &header(stream).expect("headers").0)
    }

    #[test]
    fn a_tile_part_ends_with_the_data() {
        let stream = |last: u32| [main_header(&cod(1, 5, &[])), part(16, &[]), part(last, &[])].concat();
        for sound in [0, 16, 14] {
            let found = prepared(&stream(sound)).map(|p| (matches!(p.stream, Cow::Borrowed(_)), p.cut));
            assert_eq!(found, Ok((true, false)), "{sound}");
        }
        for long in [17, 0x9800_0000, u32::MAX] {
            let expected = Prepared { stream: stream(16).into(), cut: true };
            assert_eq!(prepared(&stream(long)), Ok(expected), "{long}");
        }
        let whole = stream(16);
        let found = header(&whole).expect("headers").0;
        for cut in 0..whole.len() {
            let _ = prepare(&whole[..cut], &found);
        }
    }

    #[test]
    fn unknown_segments_hide_nothing() {
        // Behind an unknown marker of four bytes of content OpenJPEG would look for markers within them.
        let hidden = [&cod(1, 5, &[])[..], &[0xFF, 0x30, 0, 6, 0xFF, 0x90, 0, 10]].concat();
        let stream = [main_header(&hidden), part(16, &[])].concat();
        let Prepared { stream: changed, cut } = prepared(&stream).expect("bearable");
        assert!(!cut);
        let at = stream.windows(2).position(|w| w == [0xFF, 0x30]).expect("the marker");
        assert_eq!(&changed[at..at + 4], [0xFF, 0x64, 0, 6]);
        assert_eq!((&changed[..at], &changed[at + 2..]), (&stream[..at], &stream[at + 2..]));
    }

    #[test]
    fn what_no_picture_is_worth_is_refused() {
        let with = |style: &[u8], tile: &[u8]| [main_header(style), part(0, tile)].concat();
        let plain = cod(12, 5, &[]);
        let usual = cod(12, 5, &[0x77, 0x88, 0x88, 0x88, 0x88, 0x88]);
        // Precincts of one pixel; more layers than packets may be; the same in one tile, or for one component.
        let fine = cod(1, 5, &[0; 6]);
        let layered = cod(65535, 32, &[]);
        let mut component = vec![0xFF, 0x53, 0, 15, 0, 1, 5, 4, 4, 0, 1];
        component.extend([0; 6]);
        for (stream, bearable) in [
            (with(&plain, &[]), true),
            (with(&usual, &[]), true),
            (with(&fine, &[]), false),
            (with(&layered, &[]), false),
            (with(&plain, &fine), false),
            (with(&plain, &component), false),
            (with(&[plain.clone(), component.clone()].concat(), &[]), false),
        ] {
            assert_eq!(prepared(&stream).is_ok(), bearable, "{stream:02X?}");
        }
    }

    #[test]
    fn sizes() {
        let mut bytes = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
        for v in [10u32, 20, 2, 4, 5, 10, 0, 0] {
            bytes.extend(v.to_be_bytes());
        }
        bytes.extend([0, 1, 0x8C, 1, 1]);
        bytes.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 1, 5, 4, 4, 0, 0, 0xFF, 0x90]);
        let (found, rest) = header(&bytes).expect("headers");
        assert_eq!((rest.len(), found.tiles), (bytes.len(), 4));
        assert_eq!((found.rows, found.columns, found.precision, found.signed), (16, 8, 13, true));
        assert!(found.component_transform && !found.high_throughput && !found.at_origin);
        assert_eq!(found.levels, 5);
        let mut far = bytes.clone();
        far[8] = 0x80;
        far[16] = 0x80;
        assert_eq!(header(&far), None, "beyond 32 bits signed");
        let style = bytes.len() - 4;
        bytes[style] = 0x40;
        assert!(header(&bytes).is_some_and(|(found, _)| found.high_throughput));
    }
}
