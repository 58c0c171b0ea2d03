//! How much of a JPEG frame that ends early is sound.
//!
//! The library fills what is missing and does not say where it began. So the frame is decoded again with other bytes
//! in place of the missing ones: up to the first line that changes, the picture does not depend on them.

use crate::dicom::codestream::Codestream;
use crate::dicom::samples::Samples;

/// The lines of `samples` that do not depend on what follows the end of `frame`; all of them if it ends with a
/// marker, where damage lies elsewhere. Progressive frames are sound, if coarse, as a whole.
pub(super) fn sound_part(
    frame: &[u8],
    mut samples: Samples,
    found: &Codestream,
    decode: impl Fn(&[u8]) -> Option<Samples>,
) -> Samples {
    let content = frame.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let frame = frame.get(..content).unwrap_or(frame);
    let progressive = matches!(found.start_of_frame, 0xC2 | 0xCA);
    if frame.ends_with(&[0xFF, 0xD9]) || progressive {
        return samples;
    }
    let line = found.columns as usize * usize::from(found.components);
    let mut lines = found.rows as usize;
    for tail in [[0x5A_u8, 0x3C].repeat(256), [0x25_u8, 0x43].repeat(256)] {
        let Some(other) = decode(&[frame, &tail, &[0xFF, 0xD9]].concat()) else { continue };
        lines = lines.min(match (&samples, &other) {
            (Samples::Bytes(a), Samples::Bytes(b)) => equal_lines(a, b, line),
            (Samples::Words(a), Samples::Words(b)) => equal_lines(a, b, line),
            _ => 0,
        });
    }
    if found.lossy_jpeg() {
        // Blocks come in rows, and colour of the row below reaches one line up.
        let block = usize::from(found.block_rows.max(8));
        lines = (lines / block * block).saturating_sub(usize::from(found.subsampled && lines > 0));
    }
    samples.truncate(lines * line);
    samples
}

fn equal_lines<T: PartialEq>(a: &[T], b: &[T], line: usize) -> usize {
    let line = line.max(1);
    a.chunks(line).zip(b.chunks(line)).take_while(|(a, b)| a == b).count()
}
