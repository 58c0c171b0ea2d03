//! JPEG by libjpeg-turbo: lossy with 8 and 12 bits, lossless with 2 to 16.
//!
//! The C library is called through its TurboJPEG interface, whose functions catch libjpeg's `longjmp` inside
//! themselves and come back with −1; no jump crosses a Rust frame. Every call below names what it relies on.
#![allow(unsafe_code)]

use super::Words;
use crate::dicom::samples::Samples;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use turbojpeg_sys as tj;

/// What the frame's own header says, already checked against the object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) columns: u32,
    pub(super) rows: u32,
    /// 1 or 3.
    pub(super) components: u16,
    /// 8 or 12 (lossy), 2 to 16 (lossless).
    pub(super) precision: u8,
}

/// Most scans of a progressive frame: each costs time for the whole picture, and files use about ten.
const MOST_SCANS: c_int = 64;
/// Memory that the library may take for a frame's coefficients, MiB.
const MOST_MEMORY: c_int = 1024;

/// A decompressor, destroyed when it goes out of scope.
struct Decompressor(NonNull<c_void>);

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is destroyed once.
        unsafe { tj::tj3Destroy(self.0.as_ptr()) }
    }
}

impl Decompressor {
    fn new(limits: &[(tj::TJPARAM, c_int)]) -> Option<Self> {
        // SAFETY: no arguments beyond a constant; null tells that memory is short.
        let handle = unsafe { tj::tj3Init(tj::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let new = Self(NonNull::new(handle)?);
        for (name, value) in limits {
            // SAFETY: a live handle; unknown names or values give −1.
            if unsafe { tj::tj3Set(new.0.as_ptr(), *name as c_int, *value) } != 0 {
                return None;
            }
        }
        Some(new)
    }

    fn get(&self, name: tj::TJPARAM) -> c_int {
        // SAFETY: a live handle.
        unsafe { tj::tj3Get(self.0.as_ptr(), name as c_int) }
    }

    /// The last call's outcome: `Ok(None)`, a warning, or an error.
    fn outcome(&self, status: c_int) -> Result<Option<String>, String> {
        if status == 0 {
            return Ok(None);
        }
        // SAFETY: a live handle; the text is NUL-ended, lies in the handle and is copied at once.
        let text =
            unsafe { CStr::from_ptr(tj::tj3GetErrorStr(self.0.as_ptr())) }.to_string_lossy().trim_end().to_owned();
        // SAFETY: a live handle.
        let code = unsafe { tj::tj3GetErrorCode(self.0.as_ptr()) };
        if code == tj::TJERR_TJERR_WARNING as c_int { Ok(Some(text)) } else { Err(text) }
    }
}

/// Decodes a frame to interleaved samples, with the library's warning if it found the data damaged but went on.
/// Colour of lossy frames comes as RGB by the hints in the frame; of lossless ones it comes as it is stored.
pub(super) fn decode(frame: &[u8], wanted: Wanted) -> Result<(Samples, Option<String>), String> {
    let pixels = wanted.columns as usize * wanted.rows as usize;
    let most = c_int::try_from(pixels).map_err(|_| "too large".to_owned())?;
    let decompressor = Decompressor::new(&[
        (tj::TJPARAM_TJPARAM_MAXPIXELS, most),
        (tj::TJPARAM_TJPARAM_SCANLIMIT, MOST_SCANS),
        (tj::TJPARAM_TJPARAM_MAXMEMORY, MOST_MEMORY),
    ])
    .ok_or("libjpeg-turbo could not start")?;
    let handle = decompressor.0.as_ptr();
    // C's size_t, whatever the bindings take it for.
    let length: tj::size_t = frame.len().try_into().map_err(|_| "too large".to_owned())?;
    // SAFETY: a live handle and a readable slice that outlives the call.
    let status = unsafe { tj::tj3DecompressHeader(handle, frame.as_ptr(), length) };
    decompressor.outcome(status)?;
    // The library must see what we saw, for its view decides how much it writes.
    let seen = (
        decompressor.get(tj::TJPARAM_TJPARAM_JPEGWIDTH),
        decompressor.get(tj::TJPARAM_TJPARAM_JPEGHEIGHT),
        decompressor.get(tj::TJPARAM_TJPARAM_PRECISION),
    );
    let ours = (
        c_int::try_from(wanted.columns).unwrap_or(-1),
        c_int::try_from(wanted.rows).unwrap_or(-1),
        c_int::from(wanted.precision),
    );
    if seen != ours || ours.0 <= 0 || ours.1 <= 0 {
        return Err("its headers are not clear".into());
    }
    let format = if wanted.components == 1 { tj::TJPF_TJPF_GRAY } else { tj::TJPF_TJPF_RGB };
    let count = pixels * usize::from(wanted.components);
    if wanted.precision <= 8 {
        let mut out = vec![0u8; count];
        // SAFETY: a live handle, the same readable slice as above, and room for rows × columns × components samples:
        // the library reads the same header again, so it writes at most height × width × samples of `format`,
        // which is `count`.
        let status = unsafe { tj::tj3Decompress8(handle, frame.as_ptr(), length, out.as_mut_ptr(), 0, format) };
        let warning = decompressor.outcome(status)?;
        return Ok((Samples::Bytes(out), warning));
    }
    let mut out: Words = vec![0u16; count];
    let status = if wanted.precision <= 12 {
        // SAFETY: as above; i16 and u16 have one layout, and 12-bit samples are not negative.
        unsafe { tj::tj3Decompress12(handle, frame.as_ptr(), length, out.as_mut_ptr().cast(), 0, format) }
    } else {
        // SAFETY: as above.
        unsafe { tj::tj3Decompress16(handle, frame.as_ptr(), length, out.as_mut_ptr(), 0, format) }
    };
    let warning = decompressor.outcome(status)?;
    Ok((Samples::Words(out), warning))
}

/// How a test frame is to be compressed: quality of lossy frames, or predictor of lossless ones.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(in crate::dicom) enum How {
    Quality(i32),
    Predictor(i32),
}

/// Compresses for tests: `samples` are interleaved, `components` 1 or 3.
#[cfg(test)]
pub(in crate::dicom) fn encode(samples: &[u16], columns: u32, components: u16, precision: u8, how: How) -> Vec<u8> {
    let rows = samples.len() / columns as usize / usize::from(components);
    let (columns, rows) = (columns as c_int, rows as c_int);
    let format = if components == 1 { tj::TJPF_TJPF_GRAY } else { tj::TJPF_TJPF_RGB };
    let bytes: Vec<u8> = samples.iter().map(|s| *s as u8).collect();
    let (mut at, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: TurboJPEG allocates the output itself; the input has rows × columns × components samples; handle and
    // output are freed once.
    unsafe {
        let handle = tj::tj3Init(tj::TJINIT_TJINIT_COMPRESS as c_int);
        let set = |name: tj::TJPARAM, value: c_int| assert_eq!(tj::tj3Set(handle, name as c_int, value), 0);
        set(tj::TJPARAM_TJPARAM_PRECISION, c_int::from(precision));
        match how {
            How::Quality(quality) => {
                set(tj::TJPARAM_TJPARAM_QUALITY, quality);
                set(tj::TJPARAM_TJPARAM_SUBSAMP, if components == 1 { 3 } else { 0 });
            }
            How::Predictor(predictor) => {
                set(tj::TJPARAM_TJPARAM_LOSSLESS, 1);
                set(tj::TJPARAM_TJPARAM_LOSSLESSPSV, predictor);
            }
        }
        let status = match precision {
            0..=8 => tj::tj3Compress8(handle, bytes.as_ptr(), columns, 0, rows, format, &raw mut at, &raw mut length),
            9..=12 => tj::tj3Compress12(
                handle,
                samples.as_ptr().cast(),
                columns,
                0,
                rows,
                format,
                &raw mut at,
                &raw mut length,
            ),
            _ => tj::tj3Compress16(handle, samples.as_ptr(), columns, 0, rows, format, &raw mut at, &raw mut length),
        };
        assert_eq!(status, 0, "{:?}", CStr::from_ptr(tj::tj3GetErrorStr(handle)));
        let out = std::slice::from_raw_parts(at, length as usize).to_vec();
        tj::tj3Free(at.cast());
        tj::tj3Destroy(handle);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, bits: u8) -> Vec<u16> {
        let mut state = 0x9E37_79B9u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        (0..count).map(|_| (next() & ((1 << bits) - 1)) as u16).collect()
    }

    #[test]
    fn lossless_is_exact_in_every_precision_and_predictor() {
        for precision in 2..=16u8 {
            let samples = noise(17 * 13, precision);
            let predictor = 1 + i32::from(precision) % 7;
            let stream = encode(&samples, 17, 1, precision, How::Predictor(predictor));
            let wanted = Wanted { columns: 17, rows: 13, components: 1, precision };
            let (out, warning) = decode(&stream, wanted).expect("decodes");
            let out: Vec<u16> = match out {
                Samples::Bytes(bytes) => bytes.into_iter().map(u16::from).collect(),
                Samples::Words(words) => words,
            };
            assert_eq!((out, warning), (samples, None), "{precision} bits, predictor {predictor}");
        }
    }

    #[test]
    fn twelve_lossy_bits() {
        let samples: Vec<u16> = (0..32 * 32u16).map(|i| 1000 + (i % 32) * 60 + i / 32).collect();
        let stream = encode(&samples, 32, 1, 12, How::Quality(100));
        let (out, _) =
            decode(&stream, Wanted { columns: 32, rows: 32, components: 1, precision: 12 }).expect("decodes");
        let Samples::Words(out) = out else { panic!("12 bits take two bytes") };
        assert!(out.iter().zip(&samples).all(|(a, b)| a.abs_diff(*b) <= 2));
    }

    #[test]
    fn headers_that_differ_from_what_was_checked_are_refused() {
        let stream = encode(&noise(64, 8), 8, 1, 8, How::Predictor(1));
        for wanted in [
            Wanted { columns: 8, rows: 4, components: 1, precision: 8 },
            Wanted { columns: 4, rows: 8, components: 1, precision: 8 },
            Wanted { columns: 8, rows: 8, components: 1, precision: 12 },
            Wanted { columns: 0, rows: 8, components: 1, precision: 8 },
        ] {
            assert!(decode(&stream, wanted).is_err(), "{wanted:?}");
        }
        assert!(decode(&[], Wanted { columns: 8, rows: 8, components: 1, precision: 8 }).is_err());
    }
}
