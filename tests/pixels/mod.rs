//! The GPU pipeline against the CPU reference, by number, on a software adapter.
//!
//! Tolerance: 1:1 is equal but where the exact level lies within a thousandth of a step from the rounding edge
//! (there ±1); resampled pictures are within ±1. The device is shared: each start of a driver takes its time.

mod device;
mod one_to_one;
mod resampled;
mod tables;

use dokuei::imaging::{Frame, Look, Modality, Padding, Photometric, Pixels, Resampling};
use dokuei::render::{Budgets, Gpu, Offscreen, Picture, Scene};
use dokuei::study::{Voi, VoiFunction};
use dokuei::viewport::{Geometry, ViewPresentation};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// The one device of these tests. Vulkan only: GL would print to the terminal where it finds no display.
pub fn offscreen() -> MutexGuard<'static, Offscreen> {
    static DEVICE: OnceLock<Mutex<Offscreen>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| Mutex::new(Offscreen::new(vulkan(), Budgets::default())));
    device.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A Vulkan device of our own.
pub fn vulkan() -> Gpu {
    Gpu::headless(wgpu::Backends::VULKAN).unwrap_or_else(|error| {
        panic!("no Vulkan adapter ({error}): these tests need one; Debian/Ubuntu: apt install libvulkan1 mesa-vulkan-drivers")
    })
}

/// A frame of these pixels with everything else plain.
pub fn frame(columns: u32, rows: u32, pixels: Pixels) -> Frame {
    let photometric = if matches!(pixels, Pixels::Rgb8(_)) { Photometric::Color } else { Photometric::Monochrome2 };
    Frame {
        rows,
        columns,
        pixels: std::sync::Arc::new(pixels),
        bits_stored: 16,
        photometric,
        modality: Modality::IDENTITY,
        unit: String::new(),
        padding: None,
        voi: vec![],
        display: dokuei::imaging::Display::default(),
        pixel_aspect: 1.0,
        warnings: vec![],
    }
    .checked()
    .expect("pixels fit the size")
}

/// Numbers that look random and are the same at every run (PCG).
pub fn noise(seed: u64) -> impl FnMut() -> u32 {
    let mut state = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let shifted = (((state >> 18) ^ state) >> 27) as u32;
        shifted.rotate_right((state >> 59) as u32)
    }
}

/// One frame of every form of pixels, each with values at its ends, padding at 7 where the form has any.
pub fn one_of_each(columns: u32, rows: u32) -> Vec<(&'static str, Frame)> {
    let count = (columns * rows) as usize;
    let mut next = noise(u64::from(columns) << 32 | u64::from(rows));
    let mut fill = |low: f64, high: f64| -> Vec<f64> {
        let mut values: Vec<f64> =
            (0..count).map(|_| low + (high - low) * f64::from(next()) / f64::from(u32::MAX)).collect();
        values[0] = low;
        values[count - 1] = high;
        for k in (5..count).step_by(11) {
            values[k] = 7.0;
        }
        values
    };
    let u8s = frame(columns, rows, Pixels::U8(fill(0.0, 255.0).iter().map(|v| *v as u8).collect()));
    let u16s = frame(columns, rows, Pixels::U16(fill(0.0, 65535.0).iter().map(|v| *v as u16).collect()));
    let i16s = frame(columns, rows, Pixels::I16(fill(-32768.0, 32767.0).iter().map(|v| *v as i16).collect()));
    let i32s = frame(columns, rows, Pixels::I32(fill(-1e6, 1e6).iter().map(|v| *v as i32).collect()));
    let f32s = frame(columns, rows, Pixels::F32(fill(-3.5, 12.25).iter().map(|v| *v as f32).collect()));
    let rgb: Vec<u8> =
        fill(0.0, 255.0).iter().flat_map(|v| [*v as u8, 255 - *v as u8, (*v as u8).wrapping_mul(3)]).collect();
    let rescaled = Frame { modality: Modality::Rescale { slope: 0.4321, intercept: -1024.0 }, ..i16s.clone() };
    let table: Vec<u16> = (0..300u32).map(|v| (v * v % 4096) as u16).collect();
    let lut = Frame { modality: Modality::Lut { first: -20, data: table.into() }, ..i16s.clone() };
    vec![
        ("U8", u8s),
        ("U16", u16s),
        ("I16", i16s),
        ("I16 rescaled", rescaled),
        ("I16 with LUT", lut),
        ("I32", i32s),
        ("F32", f32s),
        ("RGB", frame(columns, rows, Pixels::Rgb8(rgb))),
    ]
}

/// Windows that cut through the values of a frame.
pub fn windows(frame: &Frame) -> Vec<Voi> {
    let mut values: Vec<f64> = (0..frame.columns * frame.rows)
        .filter_map(|i| frame.modality_value(i % frame.columns, i / frame.columns))
        .collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(255.0));
    let (center, width) = (f64::midpoint(low, high), (high - low).max(2.0));
    let mut out = Vec::new();
    for function in [VoiFunction::Linear, VoiFunction::LinearExact, VoiFunction::Sigmoid] {
        for (center, width) in [(center, width), (center + 0.3 * width, width * 0.2), (center - 0.25 * width, 1.0)] {
            out.push(Voi { center, width, function });
        }
    }
    out
}

/// Padding at 7, as [`one_of_each`] has it.
pub const PADDING: Padding = Padding { low: 7.0, high: 7.0 };

/// A scene of this frame in a viewport of `size`.
pub fn scene(frame: &Arc<Frame>, size: [u32; 2], view: ViewPresentation, voi: Voi, invert: bool) -> Scene {
    let geometry = Geometry::new(size.map(f64::from), frame.columns, frame.rows, frame.pixel_aspect, view);
    Scene {
        origin_px: [0, 0],
        size_px: size,
        picture: Some(Picture {
            frame: Arc::clone(frame),
            pixel_from_screen: geometry.pixel_from_screen_affine(),
            look: Look::of(frame, voi, invert),
            resampling: Resampling::default(),
        }),
    }
}

/// The largest difference of two pictures, and how many bytes differ.
pub fn difference(a: &[u8], b: &[u8]) -> (u8, usize) {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
    (largest, a.iter().zip(b).filter(|(a, b)| a != b).count())
}
