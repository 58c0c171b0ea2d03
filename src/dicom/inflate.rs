//! Raw DEFLATE into bounded memory: libdeflate for whole data, which is twice as fast; flate2 where only a beginning is
//! wanted, or where the data are damaged and what is sound of them counts.

use libdeflater::{DecompressionError, Decompressor};
use std::io::Read;

/// What came out.
pub(super) enum Inflated {
    /// All there was.
    Whole(Vec<u8>),
    /// The sound beginning of damaged data, with the reason.
    Damaged(Vec<u8>, std::io::Error),
    /// More than the limit: the beginning, where that was asked for.
    More(Vec<u8>),
}

/// No DEFLATE stream grows more than so many times.
const MOST_GROWTH: usize = 1032;

/// A whole data set of at most `limit` bytes, of which there are probably `likely`.
pub(super) fn whole(deflated: &[u8], limit: usize, likely: Option<usize>) -> Inflated {
    // A size that is right saves memory that is zeroed for nothing, or a second attempt.
    let size = likely.map(|size| size.min(deflated.len().saturating_mul(MOST_GROWTH)));
    let mut size = size.unwrap_or(deflated.len().saturating_mul(4)).max(64 * 1024).min(limit);
    loop {
        // Zeroed pages cost nothing until they are written.
        let mut out = vec![0; size];
        match Decompressor::new().deflate_decompress(deflated, &mut out) {
            Ok(length) => {
                out.truncate(length);
                if out.capacity() - length > length / 8 {
                    out.shrink_to_fit();
                }
                return Inflated::Whole(out);
            }
            Err(DecompressionError::InsufficientSpace) if size >= limit => return Inflated::More(Vec::new()),
            Err(DecompressionError::InsufficientSpace) => size = size.saturating_mul(4).min(limit),
            Err(DecompressionError::BadData) => return beginning(deflated, limit),
        }
    }
}

/// The first `limit` bytes.
pub(super) fn beginning(deflated: &[u8], limit: usize) -> Inflated {
    let mut out = Vec::new();
    let mut stream = flate2::read::DeflateDecoder::new(deflated).take(limit as u64 + 1);
    match stream.read_to_end(&mut out) {
        Ok(_) if out.len() > limit => {
            out.truncate(limit);
            Inflated::More(out)
        }
        Ok(_) => Inflated::Whole(out),
        Err(error) => {
            out.truncate(limit);
            Inflated::Damaged(out, error)
        }
    }
}

/// A frame into `out`, which has its size: how many bytes there are, and whether the data are damaged. What lies behind
/// the frame is padding.
pub(super) fn frame(deflated: &[u8], out: &mut [u8]) -> (usize, bool) {
    if let Ok(length) = Decompressor::new().deflate_decompress(deflated, out) {
        return (length, false);
    }
    let (found, damaged) = match beginning(deflated, out.len()) {
        Inflated::Whole(found) | Inflated::More(found) => (found, false),
        Inflated::Damaged(found, _) => (found, true),
    };
    out.fill(0);
    for (to, from) in out.iter_mut().zip(&found) {
        *to = *from;
    }
    (found.len(), damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).expect("deflates");
        out.finish().expect("deflates")
    }

    #[test]
    fn whole_data_of_any_size_up_to_the_limit() {
        for size in [0usize, 1, 70_000, 300_000] {
            let plain: Vec<u8> = (0..size).map(|i| (i.wrapping_mul(i) / 7) as u8).collect();
            let packed = deflate(&plain);
            for limit in [size, size + 1, 10 * size + 10] {
                for likely in [None, Some(0), Some(size), Some(usize::MAX)] {
                    let found = whole(&packed, limit, likely);
                    assert!(matches!(found, Inflated::Whole(out) if out == plain), "{size} {limit} {likely:?}");
                }
            }
            if size > 0 {
                assert!(matches!(whole(&packed, size - 1, None), Inflated::More(_)), "{size}");
                assert!(matches!(beginning(&packed, size - 1), Inflated::More(out) if out == plain[..size - 1]));
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = deflate(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(whole(&bomb, 1 << 20, Some(64 << 20)), Inflated::More(_)));
        assert!(matches!(beginning(&bomb, 1 << 20), Inflated::More(out) if out.len() == 1 << 20));
        let mut out = [1; 1000];
        assert_eq!((frame(&bomb, &mut out), out), ((1000, false), [0; 1000]));
    }

    #[test]
    fn damaged_data_give_their_sound_beginning() {
        let plain: Vec<u8> = (0..100_000u64).map(|i| ((i * 2_654_435_761) >> 13) as u8 & 0x3F).collect();
        let packed = deflate(&plain);
        let cut = &packed[..packed.len() / 2];
        let Inflated::Damaged(out, _) = whole(cut, 1 << 20, None) else { panic!("not told") };
        assert!(out.len() > 1000 && plain.starts_with(&out), "{}", out.len());
        let mut out = vec![1; plain.len()];
        let (sound, damaged) = frame(cut, &mut out);
        assert!(damaged && sound > 1000 && plain.starts_with(&out[..sound]));
        assert!(out[sound..].iter().all(|b| *b == 0), "nothing is left of a first attempt");
        // Padding behind a frame is no damage.
        assert_eq!(frame(&[packed, vec![0]].concat(), &mut out), (plain.len(), false));
        assert_eq!(out, plain);
    }
}
