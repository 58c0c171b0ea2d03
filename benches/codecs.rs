//! Decoders against the same C library called bare and against dicom-pixeldata's own codecs, on files that
//! `scripts/bench-codecs` makes; it also adds imagecodecs, dcmtk, gdcm and Cornerstone.
//!
//! `codecs FOLDER [ROUNDS]` prints a JSON object a line for each file: `file`, `frames`, and the processor time of this
//! thread in milliseconds a frame, one number a round: `ours`, `bare` (the library alone; a copy of the bytes for
//! uncompressed frames), `dicom_pixeldata`; the competitors take turns within a round. `one` and `two` are ours with one
//! and with two threads at once; `borrow_ns` is what an uncompressed frame costs where it is only looked at.
//!
//! `codecs --write FILE OUT` decodes a file whole and writes its samples: the whole process is measured from outside.

#![allow(unsafe_code, reason = "the C libraries are called bare, and the thread's own clock is read")]
#![allow(clippy::print_stdout, reason = "it prints its findings")]

mod bare;

use dicom_pixeldata::PixelDecoder;
use dokuei::dicom::Object;
use dokuei::imaging::Pixels;
use dokuei::study::FrameIndex;
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// A competitor: does its work for a frame, or says that it cannot.
type Decode<'a> = Box<dyn Fn(usize) -> Option<usize> + 'a>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--write", file, out] => write(Path::new(file), Path::new(out)),
        [folder] => folder_of(Path::new(folder), 9),
        [folder, rounds] => folder_of(Path::new(folder), rounds.parse().unwrap_or(9)),
        _ => Err("no folder of files given: see scripts/bench-codecs".into()),
    };
    if let Err(reason) = outcome {
        println!("codecs: {reason}");
    }
}

fn folder_of(folder: &Path, rounds: usize) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "dcm"));
    files.sort();
    for file in files {
        let line = measure(&file, rounds).map_err(|reason| format!("{}: {reason}", file.display()))?;
        println!("{line}");
    }
    Ok(())
}

fn write(file: &Path, out: &Path) -> Result<(), String> {
    let object = Object::read(file).map_err(|e| e.to_string())?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(out).map_err(|e| e.to_string())?);
    for n in 0..object.frame_count().map_err(|e| e.to_string())? {
        let frame = object.frame(FrameIndex(n as u32)).map_err(|e| e.to_string())?;
        let bytes: &[u8] = match &*frame.pixels {
            Pixels::U8(v) | Pixels::Rgb8(v) => v,
            Pixels::U16(v) => bytemuck::cast_slice(v),
            Pixels::I16(v) => bytemuck::cast_slice(v),
            Pixels::I32(v) => bytemuck::cast_slice(v),
            Pixels::F32(v) => bytemuck::cast_slice(v),
        };
        out.write_all(bytes).map_err(|e| e.to_string())?;
    }
    out.flush().map_err(|e| e.to_string())
}

fn measure(file: &Path, rounds: usize) -> Result<Value, String> {
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    let ours = Object::from_bytes(bytes.clone()).map_err(|e| e.to_string())?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let frames = ours.frame_count().map_err(|e| e.to_string())?;
    if ours.header().transfer_syntax() == DEFLATED {
        return data_set(&name, &bytes, rounds);
    }
    let other = dicom_object::open_file(file).map_err(|e| e.to_string())?;
    let streams: Vec<Vec<u8>> = match other.element_by_name("PixelData").map_err(|e| e.to_string())?.value() {
        dicom_core::value::Value::PixelSequence(sequence) => sequence.fragments().to_vec(),
        _ => Vec::new(),
    };
    let syntax = other.meta().transfer_syntax().trim_end_matches('\0').to_owned();
    let decode = |n: usize| ours.frame(FrameIndex(n as u32)).ok().map(|f| f.pixels.len());
    let competitors: [Decode<'_>; 3] = [
        Box::new(decode),
        Box::new(|n| match syntax.as_str() {
            EXPLICIT => ours.borrowed_frame(FrameIndex(n as u32)).map(|b| black_box(b.to_vec()).len()),
            _ => bare::decode(&syntax, streams.get(n)?),
        }),
        Box::new(|n| other.decode_pixel_data_frame(n as u32).ok().map(|d| d.data().len())),
    ];
    // Few frames are taken of large files; their mean is one measurement.
    let taken: Vec<usize> = (0..frames).step_by(frames.div_ceil(8)).collect();
    let [ours_times, bare_times, theirs] = take_turns(&competitors, &taken, rounds);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(with_threads(1, &taken, &decode));
        two.push(with_threads(2, &taken, &decode));
    }
    let mut line = json!({"file": name, "frames": frames, "ours": ours_times, "bare": bare_times,
        "dicom_pixeldata": theirs, "one": one, "two": two});
    if syntax == EXPLICIT {
        const LOOKS: usize = 10_000;
        let start = clock();
        for n in 0..LOOKS {
            black_box(ours.borrowed_frame(FrameIndex((n % frames) as u32)));
        }
        line["borrow_ns"] = json!((clock() - start) * 1e6 / LOOKS as f64);
    }
    Ok(line)
}

/// Opening a deflated data set: what is inside is read from its bytes.
fn data_set(name: &str, bytes: &[u8], rounds: usize) -> Result<Value, String> {
    let start = bare::data_set_start(bytes).ok_or("no meta group")?;
    let size = Object::from_bytes(bytes.to_vec()).map_err(|e| e.to_string())?.bytes();
    let competitors: [Decode<'_>; 3] = [
        Box::new(|_| Object::from_bytes(bytes.to_vec()).ok().map(|o| o.bytes())),
        // Both begin with bytes of their own.
        Box::new(|_| bare::inflate(&black_box(bytes.to_vec())[start..], size)),
        Box::new(|_| dicom_object::from_reader(bytes).ok().map(|_| 1)),
    ];
    let [ours, bare, theirs] = take_turns(&competitors, &[0], rounds);
    Ok(json!({"file": name, "frames": 1, "ours": ours, "bare": bare, "dicom_pixeldata": theirs}))
}

/// Milliseconds a frame of each competitor, one number a round; none from one that cannot.
fn take_turns(competitors: &[Decode<'_>; 3], taken: &[usize], rounds: usize) -> [Vec<f64>; 3] {
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=rounds {
        for (decode, times) in competitors.iter().zip(&mut times) {
            // Caches and allocator as it leaves them itself, not as the one before did.
            black_box(taken.first().map(|n| decode(*n)));
            let start = clock();
            let done = taken.iter().all(|n| decode(*n).map(black_box).is_some());
            let spent = (clock() - start) / taken.len() as f64;
            // The first round warms up.
            if done && round > 0 {
                times.push(spent);
            }
        }
    }
    times
}

/// Processor time of all threads together, milliseconds a frame.
fn with_threads(threads: usize, taken: &[usize], decode: &(dyn Fn(usize) -> Option<usize> + Sync)) -> f64 {
    let spent: f64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    // Each decodes all of them: the work of both is the same, and lasts as long.
                    let start = clock();
                    for n in taken {
                        black_box(decode(*n));
                    }
                    clock() - start
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap_or(f64::NAN)).sum()
    });
    spent / (taken.len() * threads) as f64
}

/// Processor time of this thread, milliseconds.
#[cfg(target_os = "linux")]
fn clock() -> f64 {
    #[repr(C)]
    struct Time {
        seconds: std::ffi::c_long,
        nanoseconds: std::ffi::c_long,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: std::ffi::c_int, time: *mut Time) -> std::ffi::c_int;
    }
    const THREAD_CPU: std::ffi::c_int = 3;
    let mut time = Time { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is writable and laid out as the C library has it on 64-bit Linux.
    let status = unsafe { clock_gettime(THREAD_CPU, &raw mut time) };
    assert_eq!(status, 0, "the thread has a clock");
    time.seconds as f64 * 1e3 + time.nanoseconds as f64 / 1e6
}

/// Time since the first call, milliseconds.
#[cfg(not(target_os = "linux"))]
fn clock() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
}
