//! Decoders against the same C library called bare and against dicom-pixeldata's own codecs, on files that
//! `scripts/bench-codecs` makes; it also adds imagecodecs.
//!
//! `codecs FOLDER [ROUNDS]` prints a line for each file: name, frames, then milliseconds a frame (median of the
//! rounds, whose competitors take turns) by us, by the bare library and by dicom-pixeldata; `-` where it cannot.

#![allow(unsafe_code, reason = "the C library is called bare")]
#![allow(clippy::print_stdout, reason = "it prints its findings")]

use dicom_pixeldata::PixelDecoder;
use dokuei::dicom::Object;
use dokuei::study::FrameIndex;
use std::path::{Path, PathBuf};
use std::time::Instant;
use turbojpeg_sys as tj;

/// A competitor: decodes a frame, or says that it cannot.
type Decode<'a> = Box<dyn Fn(usize) -> Option<usize> + 'a>;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        println!("codecs: no folder of files given: see scripts/bench-codecs");
        return;
    };
    let rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(9);
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
        Err(error) => {
            println!("codecs: {}: {error}", folder.display());
            return;
        }
    };
    files.retain(|f| f.extension().is_some_and(|e| e == "dcm"));
    files.sort();
    for file in files {
        match measure(&file, rounds) {
            Ok(line) => println!("{line}"),
            Err(reason) => println!("{}: {reason}", file.display()),
        }
    }
}

fn measure(file: &Path, rounds: usize) -> Result<String, String> {
    let ours = Object::read(file).map_err(|e| e.to_string())?;
    let other = dicom_object::open_file(file).map_err(|e| e.to_string())?;
    let frames = ours.frame_count().map_err(|e| e.to_string())?;
    let streams: Vec<Vec<u8>> = match other.element_by_name("PixelData").map_err(|e| e.to_string())?.value() {
        dicom_core::value::Value::PixelSequence(sequence) => sequence.fragments().to_vec(),
        _ => Vec::new(),
    };
    let syntax = other.meta().transfer_syntax().to_owned();
    let competitors: [Decode<'_>; 3] = [
        Box::new(|n| ours.frame(FrameIndex(n as u32)).ok().map(|f| f.pixels.len())),
        Box::new(|n| bare(&syntax, streams.get(n)?)),
        Box::new(|n| other.decode_pixel_data_frame(n as u32).ok().map(|d| d.data().len())),
    ];
    // Few frames are taken of large files; their mean is one measurement.
    let taken: Vec<usize> = (0..frames).step_by(frames.div_ceil(8)).collect();
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=rounds {
        for (decode, times) in competitors.iter().zip(&mut times) {
            let start = Instant::now();
            let done = taken.iter().all(|n| decode(*n).is_some());
            let spent = start.elapsed().as_secs_f64() * 1000.0 / taken.len() as f64;
            // The first round warms up.
            if done && round > 0 {
                times.push(spent);
            }
        }
    }
    let [ours, bare, theirs] = times.map(median);
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let show = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.3}"));
    Ok(format!("{name} {frames} {} {} {}", show(ours), show(bare), show(theirs)))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The C library alone, into memory of its own size, as its user would call it.
fn bare(syntax: &str, stream: &[u8]) -> Option<usize> {
    match syntax.strip_prefix("1.2.840.10008.1.2.4.")?.trim_end_matches('\0') {
        "50" | "51" | "57" | "70" => jpeg(stream),
        "80" | "81" => charls::CharLS::default().decode(stream).ok().map(|out| out.len()),
        _ => None,
    }
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
