//! Which fragments make up which frame (PS3.5 A.4): by count, extended or basic offset table, or by the
//! beginnings of the codestreams themselves where no table helps.

use super::codestream::is_jpeg_xl;
use std::ops::Range;

type Fragment = Range<usize>;

/// Groups fragments (without the offset table) into at most `frames` frames.
///
/// `extended` are the values of (7FE0,0001), `basic` those of the Basic Offset Table.
pub(super) fn group(
    data: &[u8],
    fragments: &[Fragment],
    frames: usize,
    extended: &[u64],
    basic: &[u64],
) -> Vec<Vec<Fragment>> {
    if fragments.is_empty() {
        return Vec::new();
    }
    if frames == 1 {
        return vec![fragments.to_vec()];
    }
    if fragments.len() == frames {
        return fragments.iter().map(|f| vec![f.clone()]).collect();
    }
    for table in [extended, basic] {
        if let Some(groups) = by_offsets(fragments, frames, table) {
            return groups;
        }
    }
    let starts: Vec<usize> =
        (0..fragments.len()).filter(|i| fragments.get(*i).is_some_and(|f| begins_frame(data, f))).collect();
    if starts.len() == frames && starts.first() == Some(&0) {
        return cut_at(fragments, &starts);
    }
    // Fewer fragments than frames, and no table: those that are there stand for the first frames.
    // More: no way to tell them apart, so nothing is claimed.
    if fragments.len() < frames { fragments.iter().map(|f| vec![f.clone()]).collect() } else { Vec::new() }
}

fn cut_at(fragments: &[Fragment], starts: &[usize]) -> Vec<Vec<Fragment>> {
    let ends = starts.iter().skip(1).copied().chain([fragments.len()]);
    starts.iter().zip(ends).map(|(a, b)| fragments.get(*a..b).unwrap_or_default().to_vec()).collect()
}

/// Offsets count from the first fragment's item header; each must meet a fragment exactly.
fn by_offsets(fragments: &[Fragment], frames: usize, table: &[u64]) -> Option<Vec<Vec<Fragment>>> {
    if table.len() != frames {
        return None;
    }
    let base = fragments.first()?.start;
    let mut starts = Vec::with_capacity(frames);
    for offset in table {
        let wanted = base.checked_add(usize::try_from(*offset).ok()?)?;
        let at = fragments.binary_search_by_key(&wanted, |f| f.start).ok()?;
        if starts.last().is_some_and(|last| *last >= at) {
            return None;
        }
        starts.push(at);
    }
    (starts.first() == Some(&0)).then(|| cut_at(fragments, &starts))
}

/// JPEG and JPEG-LS begin with SOI, JPEG 2000 with SOC and SIZ or a JP2 box, JPEG XL with its signature, RLE with
/// the count of segments and the offset of the first.
fn begins_frame(data: &[u8], fragment: &Fragment) -> bool {
    let bytes = data.get(fragment.clone()).unwrap_or_default();
    let run_length = bytes
        .first_chunk::<8>()
        .is_some_and(|h| (1..=15).contains(&h[0]) && h[1..4] == [0; 3] && h[4..] == [64, 0, 0, 0] && bytes.len() > 64);
    run_length
        || is_jpeg_xl(bytes)
        || bytes.starts_with(&[0xFF, 0xD8, 0xFF])
        || bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
        || bytes.starts_with(&[0, 0, 0, 0x0C, 0x6A, 0x50])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_count_table_and_beginnings() {
        let mut data = vec![0u8; 64];
        for at in [8, 40] {
            data[at..at + 3].copy_from_slice(&[0xFF, 0xD8, 0xFF]);
        }
        let three = [8..16, 24..32, 40..48];
        assert_eq!(group(&data, &three, 1, &[], &[]), vec![three.to_vec()]);
        assert_eq!(group(&data, &three, 3, &[], &[]).len(), 3);
        let wanted = vec![vec![8..16, 24..32], vec![40..48]];
        assert_eq!(group(&data, &three, 2, &[], &[0, 32]), wanted);
        assert_eq!(group(&data, &three, 2, &[0, 32], &[]), wanted);
        // A lying table is not followed; the codestreams tell.
        assert_eq!(group(&data, &three, 2, &[], &[0, 4_000_000_000]), wanted);
        assert_eq!(group(&data, &three, 2, &[], &[]), wanted);
        // One fragment for five frames: the first frame is there, the others are not.
        assert_eq!(group(&data, &three[..1], 5, &[], &[]), vec![vec![8..16]]);
        assert!(group(&data, &[], 5, &[], &[]).is_empty());
    }
}
