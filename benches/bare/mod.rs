//! The C libraries alone, as their user would call them, into memory of their own size.

use openjpeg_sys as opj;
use std::ffi::c_void;
use turbojpeg_sys as tj;

/// Decodes a frame of a transfer syntax; the samples it gave.
pub fn decode(syntax: &str, stream: &[u8]) -> Option<usize> {
    match syntax.strip_prefix("1.2.840.10008.1.2.")? {
        "4.50" | "4.51" | "4.57" | "4.70" => jpeg(stream),
        "4.80" | "4.81" => charls::CharLS::default().decode(stream).ok().map(|out| out.len()),
        "4.90" | "4.91" | "4.201" | "4.202" | "4.203" => jpeg_2000(stream),
        "8.1" => inflate(stream, 512 * 512 * 2),
        _ => None,
    }
}

/// Raw DEFLATE of a known size.
pub fn inflate(stream: &[u8], size: usize) -> Option<usize> {
    let mut out = vec![0; size];
    libdeflater::Decompressor::new().deflate_decompress(stream, &mut out).ok()
}

/// Where the data set of a Part 10 file begins, by its group length.
pub fn data_set_start(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(140..144)?.first_chunk::<4>().map(|b| u32::from_le_bytes(*b))?;
    Some(144 + length as usize)
}

fn jpeg(stream: &[u8]) -> Option<usize> {
    let length: tj::size_t = stream.len().try_into().ok()?;
    // SAFETY: the handle lives to the end of the block; the library says how large the picture is, and the output has
    // three samples of two bytes for each of its pixels.
    unsafe {
        let handle = tj::tj3Init(tj::TJINIT_TJINIT_DECOMPRESS as i32);
        let mut done = -1;
        let mut count = 0;
        if !handle.is_null() && tj::tj3DecompressHeader(handle, stream.as_ptr(), length) == 0 {
            let get = |name: tj::TJPARAM| tj::tj3Get(handle, name as i32);
            let pixels = get(tj::TJPARAM_TJPARAM_JPEGWIDTH) as usize * get(tj::TJPARAM_TJPARAM_JPEGHEIGHT) as usize;
            let grey = get(tj::TJPARAM_TJPARAM_COLORSPACE) == tj::TJCS_TJCS_GRAY as i32;
            let format = if grey { tj::TJPF_TJPF_GRAY } else { tj::TJPF_TJPF_RGB };
            count = pixels * if grey { 1 } else { 3 };
            done = match get(tj::TJPARAM_TJPARAM_PRECISION) {
                0..=8 => {
                    let mut out = vec![0u8; count];
                    tj::tj3Decompress8(handle, stream.as_ptr(), length, out.as_mut_ptr(), 0, format)
                }
                9..=12 => {
                    let mut out = vec![0u16; count];
                    tj::tj3Decompress12(handle, stream.as_ptr(), length, out.as_mut_ptr().cast(), 0, format)
                }
                _ => {
                    let mut out = vec![0u16; count];
                    tj::tj3Decompress16(handle, stream.as_ptr(), length, out.as_mut_ptr(), 0, format)
                }
            };
        }
        tj::tj3Destroy(handle);
        (done == 0).then_some(count)
    }
}

/// A codestream and how far it is read.
struct Source<'a>(&'a [u8], usize);

unsafe extern "C" fn read(buffer: *mut c_void, wanted: usize, user: *mut c_void) -> usize {
    // SAFETY: `user` is the source below, used by nobody else; `buffer` has room for `wanted` bytes.
    unsafe {
        let source = &mut *user.cast::<Source<'_>>();
        let rest = &source.0[source.1..];
        let count = rest.len().min(wanted);
        std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), count);
        source.1 += count;
        if count == 0 { usize::MAX } else { count }
    }
}

unsafe extern "C" fn skip(count: i64, user: *mut c_void) -> i64 {
    // SAFETY: as above.
    unsafe {
        let source = &mut *user.cast::<Source<'_>>();
        source.1 = (source.1 + count as usize).min(source.0.len());
    }
    count
}

/// OpenJPEG to its own planes of 32-bit samples, which is less than a user needs.
fn jpeg_2000(stream: &[u8]) -> Option<usize> {
    let mut source = Source(stream, 0);
    // SAFETY: codec, stream and image are destroyed once, while the source lives.
    unsafe {
        let codec = opj::opj_create_decompress(opj::OPJ_CODEC_FORMAT::OPJ_CODEC_J2K);
        let input = opj::opj_stream_default_create(1);
        let mut image = std::ptr::null_mut();
        let mut parameters: opj::opj_dparameters_t = std::mem::zeroed();
        opj::opj_set_default_decoder_parameters(&raw mut parameters);
        opj::opj_stream_set_read_function(input, Some(read));
        opj::opj_stream_set_skip_function(input, Some(skip));
        opj::opj_stream_set_user_data(input, (&raw mut source).cast(), None);
        opj::opj_stream_set_user_data_length(input, stream.len() as u64);
        let done = opj::opj_setup_decoder(codec, &raw mut parameters) != 0
            && opj::opj_read_header(input, codec, &raw mut image) != 0
            && opj::opj_decode(codec, input, image) != 0;
        let count = if done { ((*image).x1 - (*image).x0) as usize * ((*image).y1 - (*image).y0) as usize } else { 0 };
        opj::opj_stream_destroy(input);
        opj::opj_destroy_codec(codec);
        opj::opj_image_destroy(image);
        done.then_some(count)
    }
}
