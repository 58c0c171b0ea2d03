//! What a compressed frame says of itself: size, precision, sign, colour transform. Read before any codec
//! sees the bytes, so that a contradiction is an error of ours and not a wrong picture of theirs.

/// Which family of coding a frame is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Jpeg,
    JpegLs,
    Jpeg2000,
    JpegXl,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::JpegLs => "JPEG-LS",
            Self::Jpeg2000 => "JPEG 2000",
            Self::JpegXl => "JPEG XL",
        })
    }
}

/// The headers of a compressed frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Codestream {
    pub(super) kind: Kind,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) components: u16,
    /// Bits a sample.
    pub(super) precision: u8,
    /// Samples are signed (JPEG 2000 only).
    pub(super) signed: bool,
    /// Start-of-frame marker of JPEG (C0 …), F7 for JPEG-LS, 0 else.
    pub(super) start_of_frame: u8,
    /// JPEG: the components are named R, G, B.
    pub(super) named_rgb: bool,
    /// JPEG: lines of one row of blocks.
    pub(super) block_rows: u8,
    /// JPEG 2000: tiles.
    pub(super) tiles: u64,
    /// JPEG 2000: columns and rows of a tile.
    pub(super) tile: [u32; 2],
    /// Colour transform of the Adobe segment, if there is one.
    pub(super) adobe: Option<u8>,
    /// A JFIF segment is present.
    pub(super) jfif: bool,
    /// The first scan holds fewer components than the frame (JPEG-LS: planes one after another).
    pub(super) planar: bool,
    /// Components are sub-sampled against each other.
    pub(super) subsampled: bool,
    /// JPEG 2000: the code blocks are coded by Part 15 (HTJ2K).
    pub(super) high_throughput: bool,
    /// JPEG 2000: wavelet decompositions.
    pub(super) levels: u8,
    /// JPEG 2000: picture and tiles begin where the reference grid does.
    pub(super) at_origin: bool,
    /// JPEG 2000: a multiple component transform is applied (and undone by the decoder).
    pub(super) component_transform: bool,
}

impl Codestream {
    /// A lossy JPEG frame, whose colour the decoder converts.
    pub(super) fn lossy_jpeg(&self) -> bool {
        matches!(self.start_of_frame, 0xC0..=0xC2 | 0xC9 | 0xCA)
    }
}

/// Whether a frame begins as JPEG XL, bare or in its container.
pub(super) fn is_jpeg_xl(data: &[u8]) -> bool {
    data.starts_with(&[0xFF, 0x0A]) || data.starts_with(b"\0\0\0\x0CJXL ")
}

/// The JPEG with one statement of its colour transform (0: as it is, 1: YCbCr) in place of those it has.
pub(super) fn with_transform(frame: &[u8], transform: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len() + 16);
    out.extend([0xFF, 0xD8, 0xFF, 0xEE, 0, 14]);
    out.extend(b"Adobe\0\x64\0\0\0\0");
    out.push(transform);
    let mut rest = frame.get(2..).unwrap_or_default();
    // Segments before the frame header; from there on nothing speaks of colour.
    while let Some(&[0xFF, marker, l1, l2]) = rest.first_chunk::<4>() {
        if marker == 0xFF {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        if marker == 0xDA || matches!(marker, 0x01 | 0xD0..=0xD9) {
            break;
        }
        let length = 2 + usize::from(u16::from_be_bytes([l1, l2]));
        let Some((segment, after)) = rest.split_at_checked(length) else { break };
        let body = segment.get(4..).unwrap_or_default();
        let speaks = (marker == 0xE0 && body.starts_with(b"JFIF\0")) || (marker == 0xEE && body.starts_with(b"Adobe"));
        if !speaks {
            out.extend(segment);
        }
        rest = after;
    }
    out.extend(rest);
    out
}

/// JPEG and JPEG-LS: markers up to the first scan.
pub(super) fn jpeg(data: &[u8]) -> Option<Codestream> {
    let mut rest = data.strip_prefix(&[0xFF, 0xD8])?;
    let mut found = Codestream::default();
    loop {
        let marker = match rest {
            [0xFF, 0xFF, ..] => {
                rest = rest.get(1..)?;
                continue;
            }
            [0xFF, marker, ..] => *marker,
            _ => return None,
        };
        rest = rest.get(2..)?;
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            continue;
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let body = rest.get(2..length)?;
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                let [precision, r1, r2, c1, c2, components] = *body.first_chunk()?;
                found.start_of_frame = marker;
                found.kind = if marker == 0xF7 { Kind::JpegLs } else { Kind::Jpeg };
                found.precision = precision;
                found.rows = u32::from(u16::from_be_bytes([r1, r2]));
                found.columns = u32::from(u16::from_be_bytes([c1, c2]));
                found.components = u16::from(components);
                let sampling: Vec<u8> = body.get(6..)?.chunks_exact(3).filter_map(|c| c.get(1).copied()).collect();
                let vertical = sampling.iter().map(|s| s & 0x0F).max().unwrap_or(1);
                found.block_rows = vertical.clamp(1, 4) * 8;
                let names = body.get(6..)?.chunks_exact(3).filter_map(|c| c.first());
                found.named_rgb = names.eq(b"RGB");
                found.subsampled = sampling.windows(2).any(|w| w.first() != w.last());
            }
            0xE0 if body.starts_with(b"JFIF\0") => found.jfif = true,
            0xEE if body.starts_with(b"Adobe") => found.adobe = body.get(11).copied(),
            0xDA => {
                let in_scan = u16::from(*body.first()?);
                found.planar = in_scan < found.components;
                return (found.components > 0).then_some(found);
            }
            _ => {}
        }
        rest = rest.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jpeg_markers() {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xEE, 0, 14];
        bytes.extend(b"Adobe\0\x64\0\0\0\0\x01");
        bytes.extend([0xFF, 0xC0, 0, 17, 8, 0, 4, 0, 6, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
        bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0x3F, 0]);
        let found = jpeg(&bytes).expect("headers");
        assert_eq!((found.rows, found.columns, found.components, found.precision), (4, 6, 3, 8));
        assert_eq!(found.adobe, Some(1));
        assert!(found.subsampled && found.planar && !found.jfif);
        for cut in 0..bytes.len() - 7 {
            assert_eq!(jpeg(&bytes[..cut]), None, "{cut}");
        }
    }
}
