//! JPEG-LS by CharLS: 2 to 16 bits, lossless and near-lossless, every interleave mode.
//!
//! CharLS is C++ behind a C interface whose functions catch every exception themselves and give an error code.
#![allow(unsafe_code)]

use super::Words;
use crate::dicom::samples::Samples;
use charls_sys as ls;
use std::borrow::Cow;
use std::ffi::CStr;
use std::ptr::NonNull;

/// What the frame's own header says, already checked against the object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) columns: u32,
    pub(super) rows: u32,
    pub(super) components: u16,
    /// 2 to 16.
    pub(super) precision: u8,
    /// Planes one after another: a damaged frame then has no sound part that could be told.
    pub(super) planar: bool,
}

struct Decoder(NonNull<ls::charls_jpegls_decoder>);

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the decoder came from create and is destroyed once.
        unsafe { ls::charls_jpegls_decoder_destroy(self.0.as_ptr()) }
    }
}

fn ok(code: i32) -> Result<(), String> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: gives a NUL-ended text in static memory for any number.
    Err(unsafe { CStr::from_ptr(ls::charls_get_error_message(code)) }.to_string_lossy().into_owned())
}

/// Decodes a frame: samples interleaved, or plane after plane as the frame is. A damaged frame gives the lines
/// before the damage, and the reason.
pub(super) fn decode(frame: &[u8], wanted: Wanted) -> Result<(Samples, Option<String>), String> {
    // CharLS 2.4 runs for minutes on data that end without a marker; with one it says that they are damaged.
    let ended = frame.iter().rev().take(4).zip(frame.iter().rev().skip(1)).any(|(b, a)| (*a, *b) == (0xFF, 0xD9));
    let frame = if ended { Cow::Borrowed(frame) } else { Cow::Owned([frame, &[0xFF, 0xD9]].concat()) };
    let count = wanted.columns as usize * wanted.rows as usize * usize::from(wanted.components);
    let line = wanted.columns as usize * usize::from(wanted.components);
    if wanted.precision <= 8 {
        let mut out = vec![0u8; count];
        let Err(reason) = into(&frame, wanted, &mut out) else { return Ok((Samples::Bytes(out), None)) };
        let mut again = vec![0xA5u8; count];
        return match into(&frame, wanted, &mut again) {
            Err(_) if !wanted.planar => Ok((Samples::Bytes(same(out, &again, line)), Some(reason))),
            _ => Err(reason),
        };
    }
    let mut out: Words = vec![0u16; count];
    let Err(reason) = into(&frame, wanted, &mut out) else { return Ok((Samples::Words(out), None)) };
    let mut again: Words = vec![0xA5A5; count];
    match into(&frame, wanted, &mut again) {
        Err(_) if !wanted.planar => Ok((Samples::Words(same(out, &again, line)), Some(reason))),
        _ => Err(reason),
    }
}

/// The lines that two decodings into differently filled memory agree on were written by the decoder.
fn same<T: PartialEq>(mut out: Vec<T>, again: &[T], line: usize) -> Vec<T> {
    let line = line.max(1);
    let lines = out.chunks(line).zip(again.chunks(line)).take_while(|(a, b)| a == b).count();
    out.truncate(lines * line);
    out
}

fn into<T: bytemuck::Pod>(frame: &[u8], wanted: Wanted, out: &mut [T]) -> Result<(), String> {
    // SAFETY: no arguments; null tells that memory is short.
    let decoder = Decoder(NonNull::new(unsafe { ls::charls_jpegls_decoder_create() }).ok_or("CharLS could not start")?);
    let handle = decoder.0.as_ptr();
    // SAFETY: a live decoder; `frame` outlives it (it is dropped at the end of this function).
    ok(unsafe { ls::charls_jpegls_decoder_set_source_buffer(handle, frame.as_ptr().cast(), frame.len()) })?;
    // SAFETY: a live decoder with a source.
    ok(unsafe { ls::charls_jpegls_decoder_read_header(handle) })?;
    let mut info = ls::charls_frame_info { width: 0, height: 0, bits_per_sample: 0, component_count: 0 };
    // SAFETY: a live decoder whose header is read; `info` is writable.
    ok(unsafe { ls::charls_jpegls_decoder_get_frame_info(handle, &raw mut info) })?;
    let seen = (info.width, info.height, info.bits_per_sample, info.component_count);
    if seen != (wanted.columns, wanted.rows, i32::from(wanted.precision), i32::from(wanted.components)) {
        return Err("its headers are not clear".into());
    }
    let size = size_of_val(out);
    let mut needed = 0;
    // SAFETY: a live decoder whose header is read; `needed` is writable.
    ok(unsafe { ls::charls_jpegls_decoder_get_destination_size(handle, 0, &raw mut needed) })?;
    if needed != size {
        return Err("its headers are not clear".into());
    }
    // SAFETY: a live decoder whose header is read; `out` has `size` writable bytes, aligned for its samples, and
    // CharLS refuses a size that is too small.
    ok(unsafe { ls::charls_jpegls_decoder_decode_to_buffer(handle, out.as_mut_ptr().cast(), size, 0) })
}
