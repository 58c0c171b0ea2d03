//! JPEG 2000 and HTJ2K by OpenJPEG: bare codestreams, up to 16 bits, on the calling thread only.
//!
//! OpenJPEG reports errors by its return values; it jumps across no Rust frame. Its messages come through a
//! callback that only copies text.
#![allow(unsafe_code)]

use super::Words;
use crate::dicom::samples::Samples;
use openjpeg_sys as opj;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

/// What the frame's own header says, already checked against the object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) columns: u32,
    pub(super) rows: u32,
    pub(super) components: u16,
    /// 1 to 16.
    pub(super) precision: u8,
}

/// The codestream while it is read; the stream's callbacks get a pointer to it.
struct Source<'a> {
    data: &'a [u8],
    at: usize,
}

/// First words of the library on what went wrong.
#[derive(Default)]
struct Messages {
    error: Option<String>,
    warning: Option<String>,
}

const END: usize = usize::MAX;

/// # Safety
/// `user` points to a live `Source` that nobody else uses during the call, `buffer` to `wanted` writable bytes.
unsafe extern "C" fn read(buffer: *mut c_void, wanted: usize, user: *mut c_void) -> usize {
    // SAFETY: by the contract above.
    let source = unsafe { &mut *user.cast::<Source<'_>>() };
    let rest = source.data.get(source.at..).unwrap_or_default();
    let count = rest.len().min(wanted);
    if count == 0 {
        return END;
    }
    // SAFETY: `count` bytes are readable in `rest` and writable in `buffer`; they are different memory.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast::<u8>(), count) };
    source.at += count;
    count
}

/// # Safety
/// As `read`.
unsafe extern "C" fn skip(count: i64, user: *mut c_void) -> i64 {
    // SAFETY: by the contract above.
    let source = unsafe { &mut *user.cast::<Source<'_>>() };
    let Ok(count) = usize::try_from(count) else { return -1 };
    let moved = count.min(source.data.len().saturating_sub(source.at));
    source.at += moved;
    if moved == 0 && count > 0 { -1 } else { moved as i64 }
}

/// # Safety
/// As `read`.
unsafe extern "C" fn seek(position: i64, user: *mut c_void) -> i32 {
    // SAFETY: by the contract above.
    let source = unsafe { &mut *user.cast::<Source<'_>>() };
    match usize::try_from(position) {
        Ok(position) if position <= source.data.len() => {
            source.at = position;
            1
        }
        _ => 0,
    }
}

/// # Safety
/// `text` is NUL-ended, `user` a live slot that nobody else uses during the call.
unsafe extern "C" fn keep(text: *const c_char, user: *mut c_void) {
    // SAFETY: by the contract above.
    let slot = unsafe { &mut *user.cast::<Option<String>>() };
    // The first that matters.
    if slot.as_deref().is_none_or(harmless) && !text.is_null() {
        // SAFETY: by the contract above; copied at once.
        *slot = Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().trim_end().to_owned());
    }
}

/// Whether a warning is about counting only: some writers count tile-parts from 1. No pixel depends on it, since the
/// library corrects the count before it decodes.
pub(super) fn harmless(message: &str) -> bool {
    message.contains("TPsot==TNsot")
}

/// What OpenJPEG allocated, freed in any case.
struct Owned {
    codec: NonNull<opj::opj_codec_t>,
    stream: NonNull<opj::opj_stream_t>,
    image: *mut opj::opj_image_t,
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: each came from its create function (the image from opj_read_header, or it is null) and is
        // destroyed once.
        unsafe {
            if !self.image.is_null() {
                opj::opj_image_destroy(self.image);
            }
            opj::opj_stream_destroy(self.stream.as_ptr());
            opj::opj_destroy_codec(self.codec.as_ptr());
        }
    }
}

/// Decodes a bare codestream to interleaved samples; signed ones come as two's complement of 8 or 16 bits.
/// The text is the library's warning: data that end early give a coarser picture.
pub(super) fn decode(codestream: &[u8], wanted: Wanted) -> Result<(Samples, Option<String>), String> {
    let mut messages = Messages::default();
    let result = planes(codestream, wanted, &mut messages);
    match result {
        Ok(samples) => Ok((samples, messages.error.or(messages.warning))),
        Err(reason) => Err(messages.error.unwrap_or_else(|| reason.to_owned())),
    }
}

fn planes(codestream: &[u8], wanted: Wanted, messages: &mut Messages) -> Result<Samples, &'static str> {
    let mut source = Source { data: codestream, at: 0 };
    // SAFETY: constants only; null tells that memory is short. Both are freed by `Owned`, or here if one is missing.
    let (codec, stream) = unsafe {
        let codec = opj::opj_create_decompress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K);
        let stream = opj::opj_stream_default_create(opj::OPJ_STREAM_READ as opj::OPJ_BOOL);
        match (NonNull::new(codec), NonNull::new(stream)) {
            (Some(codec), Some(stream)) => (codec, stream),
            _ => return Err("OpenJPEG could not start"),
        }
    };
    let mut owned = Owned { codec, stream, image: std::ptr::null_mut() };
    let (codec, stream) = (codec.as_ptr(), stream.as_ptr());
    // SAFETY: live codec and stream. `source` and `messages` outlive `owned`, which is dropped before them, and are
    // not touched by us while the library runs. The parameters are plain data that the library fills first.
    let ready = unsafe {
        opj::opj_stream_set_read_function(stream, Some(read));
        opj::opj_stream_set_skip_function(stream, Some(skip));
        opj::opj_stream_set_seek_function(stream, Some(seek));
        opj::opj_stream_set_user_data(stream, (&raw mut source).cast(), None);
        opj::opj_stream_set_user_data_length(stream, codestream.len() as u64);
        opj::opj_set_error_handler(codec, Some(keep), (&raw mut messages.error).cast());
        opj::opj_set_warning_handler(codec, Some(keep), (&raw mut messages.warning).cast());
        let mut parameters: opj::opj_dparameters_t = std::mem::zeroed();
        opj::opj_set_default_decoder_parameters(&raw mut parameters);
        opj::opj_setup_decoder(codec, &raw mut parameters) != 0
            && opj::opj_decoder_set_strict_mode(codec, 0) != 0
            && opj::opj_read_header(stream, codec, &raw mut owned.image) != 0
    };
    if !ready || owned.image.is_null() {
        return Err("its header cannot be read");
    }
    // Nothing is decoded before the library sees what we saw: its view decides how much it allocates.
    check(&owned, wanted)?;
    // SAFETY: live codec, stream and image of one session, header read.
    if unsafe { opj::opj_decode(codec, stream, owned.image) } == 0 {
        return Err("it cannot be decoded");
    }
    let components = check(&owned, wanted)?;
    let pixels = wanted.columns as usize * wanted.rows as usize;
    let mut slices = Vec::with_capacity(components.len());
    for component in components {
        if component.data.is_null() {
            return Err("a component is missing");
        }
        // SAFETY: the library allocated w × h samples for each decoded component, which `check` found to be
        // `pixels`; they live until the image is destroyed, after the last use of the slices.
        slices.push(unsafe { std::slice::from_raw_parts(component.data, pixels) });
    }
    Ok(interleave(&slices, wanted.precision))
}

/// The image's components, if they are what was announced.
fn check<'a>(owned: &'a Owned, wanted: Wanted) -> Result<&'a [opj::opj_image_comp_t], &'static str> {
    // SAFETY: the image is not null (checked by the caller) and alive as long as `owned`.
    let image: &'a opj::opj_image_t = unsafe { &*owned.image };
    if image.numcomps != u32::from(wanted.components) || image.comps.is_null() {
        return Err("its headers are not clear");
    }
    // SAFETY: the library holds `numcomps` components behind `comps`, alive as long as the image.
    let components = unsafe { std::slice::from_raw_parts(image.comps, image.numcomps as usize) };
    let sound = components.iter().all(|c| {
        (c.w, c.h, c.prec, c.factor) == (wanted.columns, wanted.rows, u32::from(wanted.precision), 0)
            && (c.dx, c.dy) == (1, 1)
    });
    if sound { Ok(components) } else { Err("its headers are not clear") }
}

fn interleave(planes: &[&[i32]], precision: u8) -> Samples {
    if precision <= 8 {
        return Samples::Bytes(match planes {
            [one] => one.iter().map(|v| *v as u8).collect(),
            [r, g, b] => r.iter().zip(*g).zip(*b).flat_map(|((r, g), b)| [*r as u8, *g as u8, *b as u8]).collect(),
            _ => Vec::new(),
        });
    }
    let words: Words = match planes {
        [one] => one.iter().map(|v| *v as u16).collect(),
        [r, g, b] => r.iter().zip(*g).zip(*b).flat_map(|((r, g), b)| [*r as u16, *g as u16, *b as u16]).collect(),
        _ => Vec::new(),
    };
    Samples::Words(words)
}

/// Compresses for tests, lossless: planes of one size, 1 or 3.
#[cfg(test)]
pub(in crate::dicom) fn encode(planes: &[Vec<i32>], columns: u32, precision: u8, signed: bool) -> Vec<u8> {
    struct Sink(Vec<u8>, usize);
    unsafe extern "C" fn write(from: *mut c_void, count: usize, user: *mut c_void) -> usize {
        // SAFETY: `user` is the sink below, used by nobody else; `from` holds `count` bytes.
        let (sink, bytes) =
            unsafe { (&mut *user.cast::<Sink>(), std::slice::from_raw_parts(from.cast::<u8>(), count)) };
        sink.0.resize(sink.0.len().max(sink.1 + count), 0);
        sink.0[sink.1..sink.1 + count].copy_from_slice(bytes);
        sink.1 += count;
        count
    }
    unsafe extern "C" fn forward(count: i64, user: *mut c_void) -> i64 {
        // SAFETY: as above.
        unsafe { (*user.cast::<Sink>()).1 += usize::try_from(count).expect("forward") };
        count
    }
    unsafe extern "C" fn place(at: i64, user: *mut c_void) -> i32 {
        // SAFETY: as above.
        unsafe { (*user.cast::<Sink>()).1 = usize::try_from(at).expect("in the file") };
        1
    }
    let rows = planes[0].len() as u32 / columns;
    let mut sink = Sink(Vec::new(), 0);
    // SAFETY: plain parameters filled by the library; the image has a plane of rows × columns samples for each
    // component; codec, stream and image are destroyed once, while the sink lives.
    unsafe {
        let mut parameters: opj::opj_cparameters_t = std::mem::zeroed();
        opj::opj_set_default_encoder_parameters(&raw mut parameters);
        parameters.tcp_numlayers = 1;
        parameters.cp_disto_alloc = 1;
        parameters.numresolution = 3;
        parameters.tcp_mct = (planes.len() == 3).into();
        let one = opj::opj_image_cmptparm_t {
            dx: 1,
            dy: 1,
            w: columns,
            h: rows,
            x0: 0,
            y0: 0,
            prec: u32::from(precision),
            bpp: u32::from(precision),
            sgnd: u32::from(signed),
        };
        let mut components = vec![one; planes.len()];
        let space = if planes.len() == 3 {
            opj::OPJ_COLOR_SPACE::OPJ_CLRSPC_SRGB
        } else {
            opj::OPJ_COLOR_SPACE::OPJ_CLRSPC_GRAY
        };
        let image = opj::opj_image_create(planes.len() as u32, components.as_mut_ptr(), space);
        (*image).x1 = columns;
        (*image).y1 = rows;
        for (n, plane) in planes.iter().enumerate() {
            std::ptr::copy_nonoverlapping(plane.as_ptr(), (*(*image).comps.add(n)).data, plane.len());
        }
        let codec = opj::opj_create_compress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K);
        let stream = opj::opj_stream_default_create(0);
        opj::opj_stream_set_write_function(stream, Some(write));
        opj::opj_stream_set_skip_function(stream, Some(forward));
        opj::opj_stream_set_seek_function(stream, Some(place));
        opj::opj_stream_set_user_data(stream, (&raw mut sink).cast(), None);
        let done = opj::opj_setup_encoder(codec, &raw mut parameters, image) != 0
            && opj::opj_start_compress(codec, image, stream) != 0
            && opj::opj_encode(codec, stream) != 0
            && opj::opj_end_compress(codec, stream) != 0;
        opj::opj_stream_destroy(stream);
        opj::opj_destroy_codec(codec);
        opj::opj_image_destroy(image);
        assert!(done, "OpenJPEG encodes");
    }
    sink.0
}
