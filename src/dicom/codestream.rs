//! What a compressed frame says of itself: size, precision, sign, colour transform. Read before any codec
//! sees the bytes, so that a contradiction is an error of ours and not a wrong picture of theirs.

/// The headers of a JPEG, JPEG-LS or JPEG 2000 codestream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Codestream {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) components: u16,
    /// Bits a sample.
    pub(super) precision: u8,
    /// Samples are signed (JPEG 2000 only).
    pub(super) signed: bool,
    /// Start-of-frame marker of JPEG (C0 …), F7 for JPEG-LS, 0 for JPEG 2000.
    pub(super) start_of_frame: u8,
    /// Colour transform of the Adobe segment, if there is one.
    pub(super) adobe: Option<u8>,
    /// A JFIF segment is present.
    pub(super) jfif: bool,
    /// The first scan holds fewer components than the frame (JPEG-LS: planes one after another).
    pub(super) planar: bool,
    /// Components are sub-sampled against each other.
    pub(super) subsampled: bool,
    /// JPEG 2000: a multiple component transform is applied (and undone by the decoder).
    pub(super) component_transform: bool,
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
                found.precision = precision;
                found.rows = u32::from(u16::from_be_bytes([r1, r2]));
                found.columns = u32::from(u16::from_be_bytes([c1, c2]));
                found.components = u16::from(components);
                let sampling: Vec<u8> = body.get(6..)?.chunks_exact(3).filter_map(|c| c.get(1).copied()).collect();
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

/// JPEG 2000: the SIZ and COD segments, also inside a JP2 file.
pub(super) fn jpeg2000(data: &[u8]) -> Option<Codestream> {
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
    let sampling = siz.get(38..)?.chunks_exact(3).take(usize::from(components));
    let subsampled = sampling.clone().any(|c| c.get(1..) != Some(&[1, 1]));
    let uneven = sampling.clone().any(|c| c.first() != Some(&first));
    if components == 0 || uneven {
        return None;
    }
    let mut at = start + 4 + usize::from(u16::from_be_bytes(*siz.first_chunk()?));
    let mut component_transform = false;
    while let Some(&[0xFF, marker, l1, l2]) = data.get(at..).and_then(|d| d.first_chunk::<4>()) {
        if marker == 0x52 {
            component_transform = *data.get(at + 8)? == 1;
        }
        if marker == 0x90 {
            break;
        }
        at = at.checked_add(2 + usize::from(u16::from_be_bytes([l1, l2])))?;
    }
    Some(Codestream {
        rows: y_end.checked_sub(y_start)?,
        columns: x_end.checked_sub(x_start)?,
        components,
        precision: (first & 0x7F) + 1,
        signed: first & 0x80 != 0,
        subsampled,
        component_transform,
        ..Codestream::default()
    })
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

    #[test]
    fn jpeg2000_sizes() {
        let mut bytes = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
        for v in [10u32, 20, 2, 4, 10, 20, 0, 0] {
            bytes.extend(v.to_be_bytes());
        }
        bytes.extend([0, 1, 0x8C, 1, 1]);
        bytes.extend([0xFF, 0x52, 0, 12, 0, 0, 0, 1, 1, 5, 4, 4, 0, 0, 0xFF, 0x90]);
        let found = jpeg2000(&bytes).expect("headers");
        assert_eq!((found.rows, found.columns, found.precision, found.signed), (16, 8, 13, true));
        assert!(found.component_transform);
    }
}
