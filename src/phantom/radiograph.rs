//! Chest radiograph: rays summed through the trunk, then processed as a CR reader does.

use std::path::Path;
use std::sync::Mutex;

use glam::Vec3;
use jiff::civil::Date;

use super::anatomy::{Anatomy, Lesion, Plan};
use super::canvas::Canvas;
use super::case::SeriesPlan;
use super::cases;
use super::noise::NoiseBank;
use super::tissue::Tissue;
use super::truth::{ImagePlace, RegionTruth, StudyTruth};
use super::work::{Work, each};
use super::{Error, Scale};
use crate::dicom::write::{tags, uids};

const NOISE: f32 = 5.0;

/// Writes the study of one image.
pub fn write(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::CR;
    let (size, fine, detail) = match scale {
        Scale::Full => (512usize, 4usize, 1.0),
        Scale::Small => (96, 2, 0.08),
    };
    let field = 400.0f32;
    let mm = field / size as f32;
    let lines = size;
    let top = 660.0f32;
    let nodule = Vec3::new(78.0, -10.0, 520.0);
    let lesion = Lesion { tissue: Tissue::LungNodule, centre_mm: nodule, radii_mm: Vec3::splat(8.0), ragged_mm: 1.0 };
    let body = Anatomy::new(Plan { seed: 41, detail, lesions: vec![lesion], couch: false });
    let sums = Mutex::new(vec![0.0f32; lines * size]);
    // Attenuation per mm at 120 kV, bone more than its HU by the photo effect.
    let palette = |t: Tissue| {
        let hu = t.hounsfield().plain;
        let extra = if hu > 150.0 { 0.5 * (hu - 150.0) / 1000.0 } else { 0.0 };
        [0.017 * ((hu + 1000.0) / 1000.0 + extra)]
    };
    each(work, lines, &|line| {
        let mut canvas = Canvas::new([size; 2], mm, 10.0, top - line as f32 * mm, palette(Tissue::Air));
        body.paint(&mut canvas, &palette);
        let mut sum = vec![0.0f32; size];
        for row in canvas.data.chunks(size) {
            for (to, from) in sum.iter_mut().zip(row) {
                *to += from[0] * mm;
            }
        }
        sums.lock().map_err(|_| Error::Threads)?[line * size..(line + 1) * size].copy_from_slice(&sum);
        Ok(())
    })?;
    let coarse = processed(sums.into_inner().map_err(|_| Error::Threads)?, size);
    let out_size = size * fine;
    let bank = NoiseBank::new(606, 256, 3, 0.6);
    let noise = bank.slice(1, out_size, out_size);
    let mut pixels = Vec::with_capacity(out_size * out_size);
    for row in 0..out_size {
        for column in 0..out_size {
            let v = bicubic(
                &coarse,
                size,
                (column as f32 + 0.5) / fine as f32 - 0.5,
                (row as f32 + 0.5) / fine as f32 - 0.5,
            );
            // MONOCHROME1: much radiation is a large value and shown dark.
            pixels.push((1023.0 - v + NOISE * noise[row * out_size + column]).round().clamp(0.0, 1023.0) as u16);
        }
    }
    let spacing = f64::from(mm) / fine as f64;
    let plan = SeriesPlan {
        number: 1,
        description: "CHEST PA".to_owned(),
        body_part: "CHEST",
        b_value: None,
        noise_sd: Some(f64::from(NOISE)),
    };
    let mut set = case.dataset(base, &plan, 1, uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE);
    set.text(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY")
        .text(tags::PATIENT_ORIENTATION, "L\\F")
        .text(tags::VIEW_POSITION, "PA")
        .decimal(tags::KVP, &[120.0])
        .integer(tags::EXPOSURE, &[4])
        .text(tags::PLATE_TYPE, "")
        .decimal(tags::IMAGER_PIXEL_SPACING, &[spacing, spacing])
        .text(tags::LOSSY_IMAGE_COMPRESSION, "00")
        .unsigned(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME1")
        .unsigned(tags::ROWS, &[out_size as u16])
        .unsigned(tags::COLUMNS, &[out_size as u16])
        .unsigned(tags::BITS_ALLOCATED, &[16])
        .unsigned(tags::BITS_STORED, &[10])
        .unsigned(tags::HIGH_BIT, &[9])
        .unsigned(tags::PIXEL_REPRESENTATION, &[0])
        .decimal(tags::WINDOW_CENTER, &[512.0])
        .decimal(tags::WINDOW_WIDTH, &[1024.0])
        .pixels_u16(&pixels);
    set.write(&dir.join(case.file(1, 1)))?;
    let mut study = case.truth(base, None, false);
    study.series.push(case.series_truth(&plan, 1, 1));
    let first = -(size as f32 - 1.0) / 2.0 * mm;
    let at = |p: f32| f64::from((p + 0.5) * fine as f32 - 0.5);
    study.lesions.push(RegionTruth {
        kind: "lung_nodule".to_owned(),
        name: "左上肺野の結節影".to_owned(),
        centre_mm: None,
        size_mm: [16.0, 16.0],
        core_radius_mm: 4.8,
        images: vec![ImagePlace {
            sop_instance_uid: case.instance_uid(1, 1),
            column: at((nodule.x - first) / mm),
            row: at((top - nodule.z) / mm),
        }],
        values: Vec::new(),
        prior_size_mm: None,
    });
    Ok(study)
}

/// Dynamic range compression and edge enhancement; the result is whiter where rays were stopped, 0 to 1023.
fn processed(log: Vec<f32>, size: usize) -> Vec<f32> {
    let wide = blurred(&log, size, size / 9);
    let narrow = blurred(&log, size, (size / 170).max(1));
    log.iter()
        .zip(wide.iter().zip(&narrow))
        .map(|(v, (w, n))| {
            let compressed = v - 0.42 * w + 0.9 * (v - n);
            (compressed * 330.0 - 55.0).clamp(0.0, 1015.0)
        })
        .collect()
}

/// Box blur, three times.
fn blurred(data: &[f32], size: usize, reach: usize) -> Vec<f32> {
    let mut now = data.to_vec();
    for _ in 0..3 {
        for vertical in [false, true] {
            let mut next = vec![0.0; now.len()];
            for line in 0..size {
                let at = |i: usize| if vertical { now[i * size + line] } else { now[line * size + i] };
                for i in 0..size {
                    let (low, high) = (i.saturating_sub(reach), (i + reach).min(size - 1));
                    let mean = (low..=high).map(at).sum::<f32>() / (high - low + 1) as f32;
                    next[if vertical { i * size + line } else { line * size + i }] = mean;
                }
            }
            now = next;
        }
    }
    now
}

fn bicubic(data: &[f32], size: usize, x: f32, y: f32) -> f32 {
    let weights = |t: f32| {
        let (t2, t3) = (t * t, t * t * t);
        [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
    };
    let (wx, wy) = (weights(x - x.floor()), weights(y - y.floor()));
    let clamp = |v: i32| v.clamp(0, size as i32 - 1) as usize;
    let mut sum = 0.0;
    for (j, wy) in wy.into_iter().enumerate() {
        let row = clamp(y.floor() as i32 + j as i32 - 1) * size;
        for (i, wx) in wx.into_iter().enumerate() {
            sum += wx * wy * data[row + clamp(x.floor() as i32 + i as i32 - 1)];
        }
    }
    sum
}
