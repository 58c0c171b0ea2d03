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

/// A whole data set of at most `limit` bytes.
pub(super) fn whole(deflated: &[u8], limit: usize) -> Inflated {
    let mut size = deflated.len().saturating_mul(4).max(64 * 1024).min(limit);
    loop {
        // Zeroed pages cost nothing until they are written.
        let mut out = vec![0; size];
        match Decompressor::new().deflate_decompress(deflated, &mut out) {
            Ok(length) => {
                out.truncate(length);
                out.shrink_to_fit();
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

/// A frame of `size` bytes; the flag tells that the data are damaged. What lies behind the frame is padding.
pub(super) fn frame(deflated: &[u8], size: usize) -> (Vec<u8>, bool) {
    let mut out = vec![0; size];
    match Decompressor::new().deflate_decompress(deflated, &mut out) {
        Ok(length) => {
            out.truncate(length);
            (out, false)
        }
        Err(_) => match beginning(deflated, size) {
            Inflated::Whole(out) | Inflated::More(out) => (out, false),
            Inflated::Damaged(out, _) => (out, true),
        },
    }
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
                assert!(matches!(whole(&packed, limit), Inflated::Whole(out) if out == plain), "{size} {limit}");
            }
            if size > 0 {
                assert!(matches!(whole(&packed, size - 1), Inflated::More(_)), "{size}");
                assert!(matches!(beginning(&packed, size - 1), Inflated::More(out) if out == plain[..size - 1]));
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = deflate(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(whole(&bomb, 1 << 20), Inflated::More(_)));
        assert!(matches!(beginning(&bomb, 1 << 20), Inflated::More(out) if out.len() == 1 << 20));
        assert_eq!(frame(&bomb, 1000), (vec![0; 1000], false));
    }

    #[test]
    fn damaged_data_give_their_sound_beginning() {
        let plain: Vec<u8> = (0..100_000u64).map(|i| ((i * 2_654_435_761) >> 13) as u8 & 0x3F).collect();
        let packed = deflate(&plain);
        let cut = &packed[..packed.len() / 2];
        let Inflated::Damaged(out, _) = whole(cut, 1 << 20) else { panic!("not told") };
        assert!(out.len() > 1000 && plain.starts_with(&out), "{}", out.len());
        let (out, damaged) = frame(cut, plain.len());
        assert!(damaged && out.len() > 1000 && plain.starts_with(&out));
        // Padding behind a frame is no damage.
        assert_eq!(frame(&[packed, vec![0]].concat(), plain.len()), (plain, false));
    }
}
