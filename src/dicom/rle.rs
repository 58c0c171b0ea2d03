//! RLE Lossless (PS3.5 annex G): PackBits segments, one for each byte of each sample, most significant first.

use super::samples::Samples;

/// A frame whose segments do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RleError {
    #[error("RLE header says {found} segments, {expected} expected")]
    Segments { found: u32, expected: usize },
    #[error("RLE segment {0} lies outside the frame's data")]
    Outside(usize),
}

/// Decodes to samples interleaved by pixel, in bytes little endian, or in words where one sample of two bytes makes a
/// pixel; and how many pixels every segment reached. What lies behind them is not whole.
pub(super) fn decode(data: &[u8], pixels: usize, samples: usize, bytes: usize) -> Result<(Samples, usize), RleError> {
    let expected = samples * bytes;
    let word = |n: usize| data.get(n * 4..).and_then(|d| d.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b));
    let found = word(0).unwrap_or(0);
    if found as usize != expected || expected > 15 {
        return Err(RleError::Segments { found, expected });
    }
    // Each segment to a plane of its own: whole runs are copied, and the planes are woven together at the end.
    let mut planes = vec![0u8; pixels * expected];
    let mut sound = pixels;
    for (segment, plane) in (0..expected).zip(planes.chunks_exact_mut(pixels.max(1))) {
        let start = word(segment + 1).unwrap_or(u32::MAX) as usize;
        let end = if segment + 1 < expected { word(segment + 2).unwrap_or(u32::MAX) as usize } else { data.len() };
        if start < 64 || start > data.len() || end < start {
            return Err(RleError::Outside(segment + 1));
        }
        let packed = data.get(start..end.min(data.len())).unwrap_or_default();
        sound = sound.min(unpack(packed, plane));
    }
    // Segment order: sample, then most significant byte first.
    let plane = |n: usize| planes.get(n * pixels..(n + 1) * pixels).unwrap_or_default();
    let woven = match (samples, bytes) {
        (1, 1) => Samples::Bytes(planes),
        (1, 2) => Samples::Words(plane(0).iter().zip(plane(1)).map(|(h, l)| u16::from_be_bytes([*h, *l])).collect()),
        _ => {
            let mut out = vec![0u8; pixels * expected];
            for segment in 0..expected {
                let (sample, significance) = (segment / bytes, segment % bytes);
                let at = sample * bytes + (bytes - 1 - significance);
                for (pixel, byte) in out.chunks_exact_mut(expected).zip(plane(segment)) {
                    if let Some(to) = pixel.get_mut(at) {
                        *to = *byte;
                    }
                }
            }
            Samples::Bytes(out)
        }
    };
    Ok((woven, sound))
}

/// Fills a plane from its beginning; gives how far.
fn unpack(mut packed: &[u8], plane: &mut [u8]) -> usize {
    let mut done = 0;
    while done < plane.len() {
        let Some((&control, rest)) = packed.split_first() else { break };
        packed = rest;
        let room = plane.get_mut(done..).unwrap_or_default();
        match control {
            0..=127 => {
                let count = (usize::from(control) + 1).min(room.len()).min(packed.len());
                if let (Some(to), Some(from)) = (room.get_mut(..count), packed.get(..count)) {
                    to.copy_from_slice(from);
                }
                done += count;
                packed = packed.get(usize::from(control) + 1..).unwrap_or_default();
            }
            128 => {}
            129..=255 => {
                let Some((&byte, rest)) = packed.split_first() else { break };
                packed = rest;
                let count = (257 - usize::from(control)).min(room.len());
                room.iter_mut().take(count).for_each(|to| *to = byte);
                done += count;
            }
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0u8; 64];
        out[..4].copy_from_slice(&(segments.len() as u32).to_le_bytes());
        for (n, segment) in segments.iter().enumerate() {
            let at = out.len() as u32;
            out[4 + 4 * n..8 + 4 * n].copy_from_slice(&at.to_le_bytes());
            out.extend_from_slice(segment);
        }
        out
    }

    #[test]
    fn sixteen_bits_runs_and_literals() {
        // High bytes: 3 × 01, then 02; low bytes: literal 10 20 30 40.
        let data = frame(&[&[254, 1, 0, 2], &[3, 0x10, 0x20, 0x30, 0x40]]);
        let (out, sound) = decode(&data, 4, 1, 2).expect("sound");
        assert_eq!(out, Samples::Words(vec![0x110, 0x120, 0x130, 0x240]));
        assert_eq!(sound, 4);
    }

    #[test]
    fn hostile_headers_and_early_ends() {
        assert!(decode(&[], 4, 1, 1).is_err());
        assert!(decode(&frame(&[&[0, 1]]), 4, 1, 2).is_err());
        let mut lying = frame(&[&[0, 1]]);
        lying[4] = 0xFF;
        lying[5] = 0xFF;
        assert_eq!(decode(&lying, 1, 1, 1), Err(RleError::Outside(1)));
        let (out, sound) = decode(&frame(&[&[5, 9]]), 4, 1, 1).expect("partial");
        assert_eq!((out, sound), (Samples::Bytes(vec![9, 0, 0, 0]), 1));
        assert_eq!(decode(&frame(&[&[0, 1]]), 0, 1, 1), Ok((Samples::Bytes(vec![]), 0)));
    }

    #[test]
    fn colours_and_wide_samples_are_interleaved() {
        let planes: [&[u8]; 3] = [&[1, 1, 2], &[1, 3, 4], &[255, 5]];
        let (out, sound) = decode(&frame(&planes), 2, 3, 1).expect("sound");
        assert_eq!((out, sound), (Samples::Bytes(vec![1, 3, 5, 2, 4, 5]), 2));
        let bytes: [&[u8]; 4] = [&[0, 1], &[0, 2], &[0, 3], &[0, 4]];
        let (out, _) = decode(&frame(&bytes), 1, 1, 4).expect("sound");
        assert_eq!(out, Samples::Bytes(0x0102_0304u32.to_le_bytes().to_vec()));
    }
}
