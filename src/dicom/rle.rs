//! RLE Lossless (PS3.5 annex G): PackBits segments, one for each byte of each sample, most significant first.

/// A frame whose segments do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RleError {
    #[error("RLE header says {found} segments, {expected} expected")]
    Segments { found: u32, expected: usize },
    #[error("RLE segment {0} lies outside the frame's data")]
    Outside(usize),
}

/// Decodes to samples interleaved by pixel, little endian; and how many pixels every segment reached. What lies
/// behind them is not whole.
pub(super) fn decode(data: &[u8], pixels: usize, samples: usize, bytes: usize) -> Result<(Vec<u8>, usize), RleError> {
    let expected = samples * bytes;
    let word = |n: usize| data.get(n * 4..).and_then(|d| d.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b));
    let found = word(0).unwrap_or(0);
    if found as usize != expected || expected > 15 {
        return Err(RleError::Segments { found, expected });
    }
    let mut out = vec![0u8; pixels * expected];
    let mut sound = pixels;
    for segment in 0..expected {
        let start = word(segment + 1).unwrap_or(u32::MAX) as usize;
        let end = if segment + 1 < expected { word(segment + 2).unwrap_or(u32::MAX) as usize } else { data.len() };
        if start < 64 || start > data.len() || end < start {
            return Err(RleError::Outside(segment + 1));
        }
        let packed = data.get(start..end.min(data.len())).unwrap_or_default();
        // Segment order: sample, then most significant byte first; ours is little endian.
        let (sample, significance) = (segment / bytes, segment % bytes);
        let offset = sample * bytes + (bytes - 1 - significance);
        sound = sound.min(unpack(packed, pixels, &mut out, offset, expected));
    }
    Ok((out, sound))
}

/// Writes up to `pixels` bytes at `offset`, `offset + stride`, …; gives how many.
fn unpack(mut packed: &[u8], pixels: usize, out: &mut [u8], offset: usize, stride: usize) -> usize {
    let mut done = 0;
    while done < pixels {
        let Some((&control, rest)) = packed.split_first() else { break };
        packed = rest;
        let at = offset + done * stride;
        match control {
            0..=127 => {
                let count = (usize::from(control) + 1).min(pixels - done).min(packed.len());
                let slots = out.get_mut(at..).unwrap_or_default().iter_mut().step_by(stride);
                for (slot, byte) in slots.zip(packed.get(..count).unwrap_or_default()) {
                    *slot = *byte;
                }
                done += count;
                packed = packed.get(usize::from(control) + 1..).unwrap_or_default();
            }
            128 => {}
            129..=255 => {
                let Some((&byte, rest)) = packed.split_first() else { break };
                packed = rest;
                let count = (257 - usize::from(control)).min(pixels - done);
                for slot in out.get_mut(at..).unwrap_or_default().iter_mut().step_by(stride).take(count) {
                    *slot = byte;
                }
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
        assert_eq!(out, [0x10, 1, 0x20, 1, 0x30, 1, 0x40, 2]);
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
        assert_eq!((out.as_slice(), sound), (&[9, 0, 0, 0][..], 1));
    }
}
