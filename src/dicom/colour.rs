//! Colour: planes, palettes and YBR → interleaved 8-bit RGB (PS3.3 C.7.6.3.1.2, C.7.9).

use super::codestream::Codestream;
use super::dataset::View;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// R, G, B entries by palette index, scaled to 8 bits.
pub(super) struct Palette {
    first: i64,
    channels: [Vec<u8>; 3],
}

impl Palette {
    /// The object's palette, plain or segmented; `Err` says what is missing.
    pub(super) fn read(view: &View<'_>, signed: bool) -> Result<Self, &'static str> {
        let mut first = 0;
        let read = |descriptor: Tag, data: Tag, segmented: Tag, first: &mut i64| -> Result<Vec<u8>, &'static str> {
            let numbers = view.ints(descriptor);
            let [entries, start, depth] = numbers.as_slice() else { return Err("the palette's descriptor is missing") };
            let entries = match *entries & 0xFFFF {
                0 => 65536,
                n => n as usize,
            };
            *first = if signed { i64::from(*start as u16 as i16) } else { i64::from(*start as u16) };
            let bits = if *depth == 8 { 8 } else { 16 };
            let values = if let Some(bytes) = view.bytes(data) {
                plain(view, bytes, entries, bits)
            } else if let Some(bytes) = view.bytes(segmented) {
                expand(&words(view, bytes), entries).ok_or("the segmented palette is damaged")?
            } else {
                return Err("the palette's data are missing");
            };
            if values.is_empty() {
                return Err("the palette is empty");
            }
            // Writers put 8-bit entries into 16-bit tables either way round; the largest value tells.
            let high = bits == 16 && values.iter().any(|v| *v > 255);
            Ok(values.into_iter().map(|v| if high { (v >> 8) as u8 } else { v as u8 }).collect())
        };
        let red = read(
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            &mut first,
        )?;
        let green = read(
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            &mut first,
        )?;
        let blue = read(
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            &mut first,
        )?;
        Ok(Self { first, channels: [red, green, blue] })
    }

    /// Colours of stored values; those outside the table take its nearest end.
    pub(super) fn apply(&self, values: impl Iterator<Item = i64>) -> Vec<u8> {
        let mut out = Vec::with_capacity(values.size_hint().0 * 3);
        for value in values {
            let index = usize::try_from(value - self.first).unwrap_or(0);
            for channel in &self.channels {
                out.push(channel.get(index).or(channel.last()).copied().unwrap_or(0));
            }
        }
        out
    }
}

fn words(view: &View<'_>, bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|b| view.endian.u16(*b)).collect()
}

fn plain(view: &View<'_>, bytes: &[u8], entries: usize, bits: u32) -> Vec<u16> {
    // 8-bit tables come one entry a byte, or one entry a word.
    if bits == 8 && bytes.len() < entries * 2 {
        return bytes.iter().take(entries).map(|b| u16::from(*b)).collect();
    }
    words(view, bytes).into_iter().take(entries).collect()
}

/// Segmented data (PS3.3 C.7.9.2): discrete, linear and indirect segments. `None` if they contradict themselves.
fn expand(words: &[u16], entries: usize) -> Option<Vec<u16>> {
    let mut out: Vec<u16> = Vec::with_capacity(entries);
    expand_into(words, 0, usize::MAX, entries, &mut out, false)?;
    (out.len() >= entries).then_some(out)
}

fn expand_into(
    words: &[u16],
    mut at: usize,
    segments: usize,
    entries: usize,
    out: &mut Vec<u16>,
    nested: bool,
) -> Option<()> {
    let mut done = 0;
    while done < segments && at < words.len() && out.len() < entries {
        done += 1;
        let [opcode, count] = *words.get(at..)?.first_chunk()?;
        let count_used = usize::from(count);
        match opcode {
            0 => {
                out.extend(words.get(at + 2..at + 2 + count_used)?);
                at += 2 + count_used;
            }
            1 => {
                let from = f64::from(*out.last()?);
                let to = f64::from(*words.get(at + 2)?);
                for n in 1..=count_used {
                    out.push((from + (to - from) * n as f64 / count_used as f64).round() as u16);
                }
                at += 3;
            }
            2 if !nested => {
                let [low, high] = *words.get(at + 2..)?.first_chunk()?;
                let offset = usize::from(low) | usize::from(high) << 16;
                // The offset counts bytes in the standard's text for 16-bit tables; writers count words.
                expand_into(words, offset, count_used, entries, out, true)?;
                at += 4;
            }
            _ => return None,
        }
    }
    Some(())
}

/// Plane after plane → pixel after pixel, for samples of `bytes` bytes.
pub(super) fn interleave(planes: &[u8], pixels: usize, samples: usize, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(planes.len());
    for pixel in 0..pixels {
        for sample in 0..samples {
            let at = (sample * pixels + pixel) * bytes;
            match planes.get(at..at + bytes) {
                Some(value) => out.extend_from_slice(value),
                None => out.resize(out.len() + bytes, 0),
            }
        }
    }
    out
}

/// As [`interleave`], for three planes of words.
pub(super) fn interleave_words(planes: &[u16], pixels: usize) -> Vec<u16> {
    let plane = |n: usize| planes.get(n * pixels..(n + 1) * pixels).unwrap_or_default();
    plane(0).iter().zip(plane(1)).zip(plane(2)).flat_map(|((r, g), b)| [*r, *g, *b]).collect()
}

/// Whether a lossy JPEG with three components holds YCbCr: its own markers tell first, then its components' names,
/// then the object. Sub-sampled components are never RGB.
pub(super) fn is_ycbcr(frame: &Codestream, photometric: &str) -> bool {
    match frame.adobe {
        Some(transform) => transform != 0,
        None if frame.jfif || frame.subsampled => true,
        None => !frame.named_rgb && photometric != "RGB",
    }
}

/// YBR_FULL → RGB, in place (PS3.3 C.7.6.3.1.2).
pub(super) fn ybr_full_to_rgb(pixels: &mut [u8]) {
    for [y, cb, cr] in pixels.as_chunks_mut::<3>().0 {
        [*y, *cb, *cr] = rgb(f32::from(*y), f32::from(*cb) - 128.0, f32::from(*cr) - 128.0);
    }
}

/// YBR_PARTIAL: luminance 16 to 235, colour differences 16 to 240 (retired, in ultrasound archives).
pub(super) fn ybr_partial_to_rgb(pixels: &mut [u8]) {
    for [y, cb, cr] in pixels.as_chunks_mut::<3>().0 {
        let luminance = (f32::from(*y) - 16.0) * 255.0 / 219.0;
        let scale = 255.0 / 224.0;
        [*y, *cb, *cr] = rgb(luminance, (f32::from(*cb) - 128.0) * scale, (f32::from(*cr) - 128.0) * scale);
    }
}

fn rgb(y: f32, cb: f32, cr: f32) -> [u8; 3] {
    // ITU-R BT.601 inverse; `as u8` saturates.
    [y + 1.402 * cr, y - 0.344_136_3 * cb - 0.714_136_3 * cr, y + 1.772 * cb].map(|v| v.round() as u8)
}

/// Native YBR_FULL_422: `Y1 Y2 Cb Cr` for two pixels → three samples a pixel.
pub(super) fn upsample_422(packed: &[u8]) -> Vec<u8> {
    packed.as_chunks::<4>().0.iter().flat_map(|[y1, y2, cb, cr]| [*y1, *cb, *cr, *y2, *cb, *cr]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ybr_grey_and_primaries() {
        let mut grey = vec![0, 128, 128, 200, 128, 128, 76, 85, 255];
        ybr_full_to_rgb(&mut grey);
        assert_eq!(grey[..6], [0, 0, 0, 200, 200, 200]);
        assert_eq!(grey[6..], [254, 0, 0]);
        let mut partial = vec![16, 128, 128, 235, 128, 128];
        ybr_partial_to_rgb(&mut partial);
        assert_eq!(partial, [0, 0, 0, 255, 255, 255]);
        assert_eq!(upsample_422(&[1, 2, 3, 4]), [1, 3, 4, 2, 3, 4]);
    }

    #[test]
    fn planes_become_pixels() {
        assert_eq!(interleave(&[1, 2, 3, 4, 5, 6], 2, 3, 1), [1, 3, 5, 2, 4, 6]);
    }

    #[test]
    fn segments_expand() {
        // Discrete 0, then linear to 100 in 4 steps, then the first segment again.
        assert_eq!(expand(&[0, 1, 0, 1, 4, 100], 5), Some(vec![0, 25, 50, 75, 100]));
        assert_eq!(expand(&[0, 1, 7, 2, 1, 0, 0], 2), Some(vec![7, 7]));
        assert_eq!(expand(&[1, 4, 100], 4), None);
        assert_eq!(expand(&[2, 9, 0, 0], 4), None);
    }
}
