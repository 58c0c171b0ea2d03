//! Values that single precision would round, for those who compute with them: double float pixel data, and integers
//! beyond 32 bits signed. Pictures are drawn from [`Object::frame`], which rounds these and says so.

use super::codec::{self, Declared};
use super::decode::{DecodeError, Object};
use super::image::{DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED, Store, frame_bits, frames_held, is_encapsulated};
use super::{inflate, samples};
use crate::study::FrameIndex;
use std::borrow::Cow;

/// The stored values of a frame, row by row, where [`Object::frame`] rounds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Exact {
    /// Double float pixel data (7FE0,0009).
    Doubles(Vec<f64>),
    /// Integers beyond 32 bits signed.
    Integers(Vec<i64>),
}

impl Object {
    /// The exact stored values, if the frame of [`Object::frame`] is rounded; `None` if it is exact already, or if
    /// the frame is not whole.
    pub fn exact_values(&self, index: FrameIndex) -> Result<Option<Exact>, DecodeError> {
        let (image, store) = self.image()?;
        let held = frames_held(image, store);
        let at = index.0 as usize;
        if at >= held {
            return Err(DecodeError::NoSuchFrame { number: index.number(), held });
        }
        let layout = image.layout;
        if layout.allocated < 32 || image.samples != 1 || image.photometric == "PALETTE COLOR" {
            return Ok(None);
        }
        let (bytes, float) = match store {
            Store::Native { range, float } => (Cow::Borrowed(self.native_bytes(image, range, at)), *float),
            Store::Encapsulated { frames } => {
                let syntax = self.header().transfer_syntax();
                let parts = self.gather(frames.get(at).map(Vec::as_slice).unwrap_or_default());
                let bytes = if syntax == DEFLATED_FRAMES {
                    let mut plain = vec![0; frame_bits(image).div_ceil(8)];
                    let (sound, _damaged) = inflate::frame(&parts, &mut plain);
                    plain.truncate(sound);
                    Cow::Owned(plain)
                } else if syntax == ENCAPSULATED_UNCOMPRESSED || !is_encapsulated(syntax) {
                    parts
                } else {
                    let declared = Declared {
                        syntax,
                        rows: image.rows,
                        columns: image.columns,
                        samples: image.samples,
                        allocated: layout.allocated,
                        photometric: &image.photometric,
                    };
                    let out = codec::decompress(&parts, &declared)?;
                    if out.allocated != layout.allocated {
                        return Ok(None);
                    }
                    Cow::Owned(out.samples.bytes().to_vec())
                };
                (bytes, false)
            }
        };
        let count = image.rows as usize * image.columns as usize;
        if bytes.len() < count * usize::from(layout.allocated / 8) || (float && layout.allocated == 32) {
            return Ok(None);
        }
        if float {
            let doubles = bytes.as_chunks::<8>().0.iter().take(count).map(|b| f64::from_bits(layout.endian.u64(*b)));
            return Ok(Some(Exact::Doubles(doubles.collect())));
        }
        let values = samples::values(&bytes, count, layout);
        let wide = values.iter().any(|v| i32::try_from(*v).is_err());
        Ok(wide.then_some(Exact::Integers(values)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_object::{As, Build, EXPLICIT};
    use super::*;

    fn object(build: Build, syntax: &str) -> Object {
        Object::from_bytes(build.file(syntax)).expect("opens")
    }

    fn grey(bits: u16) -> Build {
        Build::grey(As::Explicit, [1, 2], [bits, bits], false, 1)
    }

    #[test]
    fn doubles_and_wide_integers_are_kept() {
        let doubles = [0.1f64, -1e300];
        let bytes: Vec<u8> = doubles.iter().flat_map(|v| v.to_le_bytes()).collect();
        let exact = object(grey(64).bytes(0x7FE0_0009, b"OD", &bytes), EXPLICIT).exact_values(FrameIndex(0));
        assert_eq!(exact, Ok(Some(Exact::Doubles(doubles.to_vec()))));
        let words: Vec<u8> = [u32::MAX, 16_777_217].iter().flat_map(|v| v.to_le_bytes()).collect();
        let wide = Ok(Some(Exact::Integers(vec![4_294_967_295, 16_777_217])));
        let native = object(grey(32).bytes(0x7FE0_0010, b"OW", &words), EXPLICIT);
        assert_eq!(native.exact_values(FrameIndex(0)), wide);
        let deflated = miniz(&words);
        let frames = object(grey(32).fragments(&[], &[&deflated]), DEFLATED_FRAMES);
        assert_eq!(frames.exact_values(FrameIndex(0)), wide);
        assert!(matches!(native.exact_values(FrameIndex(1)), Err(DecodeError::NoSuchFrame { .. })));
    }

    fn miniz(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut out, bytes).expect("deflates");
        out.finish().expect("deflates")
    }

    #[test]
    fn what_is_exact_already_is_not_given_twice() {
        let small: Vec<u8> = [7u32, 9].iter().flat_map(|v| v.to_le_bytes()).collect();
        for build in [
            grey(32).bytes(0x7FE0_0010, b"OW", &small),
            grey(32).bytes(0x7FE0_0008, b"OF", &small),
            grey(16).bytes(0x7FE0_0010, b"OW", &small),
            // Half a frame.
            grey(64).bytes(0x7FE0_0009, b"OD", &small),
        ] {
            assert_eq!(object(build, EXPLICIT).exact_values(FrameIndex(0)), Ok(None));
        }
    }
}
