//! Double-contrast pictures of the stomach: a coated wall, gas, and barium that pools where gravity takes it.

use std::path::Path;

use glam::{Vec2, Vec3};
use jiff::civil::Date;

use super::case::SeriesPlan;
use super::cases;
use super::field::{capsule, ellipsoid, fractal, noise, smin, smoothstep};
use super::noise::NoiseBank;
use super::truth::StudyTruth;
use super::work::{Work, each};
use super::{Error, Scale};
use crate::dicom::write::{Dataset, tags, uids};

/// One exposure.
struct Position {
    /// Words for it (Image Comments).
    name: &'static str,
    /// Rotation of the body about its long axis, radians; positive turns the left side to the film.
    turn: f32,
    /// Direction of gravity in the body.
    gravity: Vec3,
    /// Barium fills what lies farther than this along gravity, mm.
    level: f32,
}

const POSITIONS: [Position; 8] = [
    Position { name: "背臥位正面", turn: 0.0, gravity: Vec3::new(0.0, 1.0, 0.1), level: 30.0 },
    Position { name: "背臥位第1斜位", turn: -0.55, gravity: Vec3::new(-0.5, 0.85, 0.1), level: 22.0 },
    Position { name: "背臥位第2斜位", turn: 0.55, gravity: Vec3::new(0.5, 0.85, 0.1), level: 52.0 },
    Position { name: "腹臥位正面", turn: 0.0, gravity: Vec3::new(0.0, -0.95, 0.3), level: 38.0 },
    Position { name: "腹臥位第1斜位", turn: -0.5, gravity: Vec3::new(0.45, -0.85, 0.1), level: 34.0 },
    Position { name: "右側臥位", turn: 1.25, gravity: Vec3::new(-1.0, 0.0, 0.0), level: 28.0 },
    Position { name: "背臥位第2斜位 振り分け", turn: 0.8, gravity: Vec3::new(0.35, 0.7, 0.6), level: 62.0 },
    Position { name: "立位第1斜位", turn: -0.5, gravity: Vec3::new(0.0, 0.0, -1.0), level: 76.0 },
];

/// Axis of the stomach with radii, mm about the first lumbar vertebra.
const AXIS: &[(Vec3, f32)] = &[
    (Vec3::new(56.0, 34.0, 92.0), 31.0),
    (Vec3::new(62.0, 22.0, 62.0), 36.0),
    (Vec3::new(60.0, 2.0, 18.0), 31.0),
    (Vec3::new(54.0, -14.0, -26.0), 29.0),
    (Vec3::new(38.0, -28.0, -66.0), 27.0),
    (Vec3::new(8.0, -36.0, -88.0), 24.0),
    (Vec3::new(-22.0, -28.0, -80.0), 19.0),
    (Vec3::new(-44.0, -14.0, -66.0), 11.0),
];

/// Distance to the mucosa; `wave` is the phase of the peristalsis, if it runs.
fn mucosa(p: Vec3, wave: Option<f32>) -> f32 {
    let mut d = f32::MAX;
    let mut along = 0.0;
    for (i, pair) in AXIS.windows(2).enumerate() {
        let ab = pair[1].0 - pair[0].0;
        let t = ((p - pair[0].0).dot(ab) / ab.length_squared()).clamp(0.0, 1.0);
        let s = i as f32 + t;
        let mut radius = pair[0].1 + (pair[1].1 - pair[0].1) * t;
        if let Some(phase) = wave {
            // Constrictions run from the body to the pylorus and deepen on the way.
            let ring = ((s - phase).rem_euclid(2.6) - 1.3).abs();
            radius *= 1.0 - 0.42 * smoothstep(2.5, 6.0, s) * (1.0 - smoothstep(0.0, 0.55, ring));
        }
        let here = (p - pair[0].0 - ab * t).length() - radius;
        if here < d {
            along = s;
        }
        d = smin(d, here, 10.0);
    }
    let pylorus = capsule(p, Vec3::new(-44.0, -14.0, -66.0), Vec3::new(-58.0, -4.0, -56.0), 4.0, 3.6);
    let bulb = ellipsoid(p - Vec3::new(-70.0, 4.0, -46.0), Vec3::new(14.0, 13.0, 17.0));
    let second = capsule(p, Vec3::new(-76.0, 12.0, -40.0), Vec3::new(-82.0, 28.0, -120.0), 10.0, 11.0);
    d = smin(smin(d, pylorus, 3.0), smin(bulb, second + 0.55 * (p.z * 0.9).sin(), 4.0), 3.0);
    // Folds along the greater curvature of body and fundus.
    let angle = (p.y + 10.0).atan2(p.x - 50.0);
    let fold = (angle * 9.0 + 1.6 * noise(p / 22.0, 811)).sin();
    let reach = 1.0 - smoothstep(3.0, 4.6, along);
    d + reach * 1.5 * fold.max(-0.2) + 0.8 * noise(p / 9.0, 821)
}

/// Attenuation along a ray through `at` (mm, x to the right of the picture, y up).
fn attenuation(at: Vec2, turn: f32, gravity: Vec3, level: f32, wave: Option<f32>) -> f32 {
    let (s, c) = turn.sin_cos();
    let place = |w: f32| Vec3::new(at.x * c - w * s, at.x * s + w * c, at.y);
    let down = gravity.normalize();
    let (mut coat, mut pool, mut gas) = (0.0f32, 0.0f32, 0.0f32);
    let mut w = -115.0f32;
    while w < 115.0 {
        let p = place(w);
        let d = mucosa(p, wave);
        if d > 8.0 {
            w += (d * 0.7).max(3.0);
            continue;
        }
        let deep = d < -6.0;
        let step = if deep { 3.2 } else { 1.6 };
        if !deep {
            // Little squares of the mucosa (areae) hold more or less barium.
            let held = 1.0 + 0.55 * noise(p / 2.6, 823) + 0.3 * noise(p / 7.0, 827);
            coat += (-(d / 1.5).powi(2)).exp() * step * held;
        }
        if d < 0.0 {
            let share = smoothstep(-1.0, 1.5, p.dot(down) - level);
            pool += share * step;
            gas += (1.0 - share) * step;
        }
        w += step;
    }
    0.10 * coat + 0.085 * pool - 0.0036 * gas
}

/// Spine, ribs, soft tissue and bowel gas behind.
fn background(at: Vec2, turn: f32) -> f32 {
    let (s, c) = turn.sin_cos();
    let mut value = 0.62 - (at.x / 210.0).powi(2) * 0.35 + 0.05 * fractal((at / 60.0).extend(1.0), 3, 0.5, 831);
    let column = at.x - 62.0 * s + 2.0 * (at.y / 40.0).sin();
    let local = (at.y + 300.0).rem_euclid(37.0) - 18.5;
    let body = 1.0 - smoothstep(21.0 - 2.0 * (1.0 - (local / 14.0).powi(2)), 24.0, column.abs());
    let disc = smoothstep(13.0, 15.5, local.abs());
    value += body * (0.24 - 0.13 * disc) + 0.09 * body * (1.0 - smoothstep(0.0, 1.8, (local.abs() - 13.5).abs()));
    value += 0.07 * (1.0 - smoothstep(17.0, 23.0, (column.abs() - 21.0).abs() + 17.0)) * (1.0 - disc);
    let pedicle = Vec2::new(column.abs() - 14.0 * c, (local + 5.0) * 0.75).length();
    value += 0.09 * (1.0 - smoothstep(0.8, 2.2, (pedicle - 4.0).abs()));
    let spinous = Vec2::new(column - 14.0 * s, (local - 6.0) * 0.5).length();
    value += 0.08 * (1.0 - smoothstep(2.5, 4.0, spinous));
    for rib in 0..4 {
        let start = 128.0 - 36.0 * rib as f32;
        let bow = start - 0.42 * column.abs() + 0.0010 * column * column;
        let d = (at.y - bow).abs();
        value += 0.055
            * (1.0 - smoothstep(4.5, 6.5, d))
            * smoothstep(24.0, 34.0, column.abs())
            * (1.0 - smoothstep(100.0, 150.0 - 20.0 * rib as f32, column.abs()));
    }
    let dome = at.y - 128.0 + ((at.x - 70.0) / 60.0).powi(2) * 22.0;
    value -= 0.30 * smoothstep(-3.0, 6.0, dome);
    let bowel = fractal((at / 34.0).extend(7.0), 2, 0.5, 839);
    value - 0.16 * smoothstep(0.28, 0.6, bowel) * (1.0 - smoothstep(-90.0, 60.0, at.y))
}

/// A picture of `size`² pixels over `field` mm, 12 bit.
fn picture(size: usize, field: f32, noise_field: &[f32], position: &Position, wave: Option<f32>) -> Vec<u16> {
    // The integral on every second pixel, the rest between.
    let half = size / 2 + 1;
    let mm = field / size as f32;
    let place = |column: f32, row: f32| {
        Vec2::new((column - size as f32 / 2.0) * mm + 6.0, (size as f32 / 2.0 - row) * mm - 6.0)
    };
    let mut coarse = Vec::with_capacity(half * half);
    for row in 0..half {
        for column in 0..half {
            let at = place(column as f32 * 2.0, row as f32 * 2.0);
            coarse.push(attenuation(at, position.turn, position.gravity, position.level, wave));
        }
    }
    let mut out = Vec::with_capacity(size * size);
    for row in 0..size {
        for column in 0..size {
            let (r, c) = (row / 2, column / 2);
            let (fr, fc) = ((row % 2) as f32 * 0.5, (column % 2) as f32 * 0.5);
            let at = |r: usize, c: usize| coarse[r.min(half - 1) * half + c.min(half - 1)];
            let barium = (at(r, c) * (1.0 - fc) + at(r, c + 1) * fc) * (1.0 - fr)
                + (at(r + 1, c) * (1.0 - fc) + at(r + 1, c + 1) * fc) * fr;
            let p = place(column as f32, row as f32);
            let total = (background(p, position.turn) + barium).max(0.02);
            let value = 4095.0 * (1.0 - (-0.82 * total).exp()) + NOISE * noise_field[row * size + column];
            // Round collimation of the image intensifier.
            let edge = 1.0 - smoothstep(0.0, 1.5, (p - Vec2::new(6.0, -6.0)).abs().max_element() - field * 0.488);
            out.push((value * edge).round().clamp(0.0, 4095.0) as u16);
        }
    }
    out
}

const NOISE: f32 = 26.0;

/// Writes eight positions and a cine run of the peristalsis.
pub fn write(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::RF;
    let (size, cine_size, frames) = match scale {
        Scale::Full => (1024usize, 512usize, 32usize),
        Scale::Small => (128, 64, 6),
    };
    let field = 320.0f32;
    let plan = |number: i32, description: &str| SeriesPlan {
        number,
        description: description.to_owned(),
        body_part: "STOMACH",
        b_value: None,
        noise_sd: Some(f64::from(NOISE)),
    };
    let (still, run) = (plan(1, "UGI DOUBLE CONTRAST"), plan(2, "UGI CINE"));
    let bank = NoiseBank::new(404, size.min(256), 5, 0.7);
    let film = std::sync::Mutex::new(vec![Vec::new(); frames]);
    each(work, POSITIONS.len() + frames, &|part| {
        if let Some(position) = POSITIONS.get(part) {
            let pixels = picture(size, field, &bank.slice(part as u64, size, size), position, None);
            let mut set = case.dataset(base, &still, part + 1, uids::X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE);
            attributes(&mut set, size, field);
            set.text(tags::IMAGE_COMMENTS, position.name).pixels_u16(&pixels);
            set.write(&dir.join(case.file(1, part + 1)))?;
        } else {
            let frame = part - POSITIONS.len();
            let phase = 2.6 * frame as f32 / frames as f32;
            let noise = bank.slice(100 + frame as u64, cine_size, cine_size);
            let pixels = picture(cine_size, field, &noise, &POSITIONS[7], Some(phase));
            film.lock().map_err(|_| Error::Threads)?[frame] = pixels;
        }
        Ok(())
    })?;
    let pixels = film.into_inner().map_err(|_| Error::Threads)?.concat();
    let mut set = case.dataset(base, &run, 1, uids::X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE);
    attributes(&mut set, cine_size, field);
    set.text(tags::IMAGE_COMMENTS, "立位第1斜位 蠕動")
        .integer(tags::NUMBER_OF_FRAMES, &[frames as i32])
        .attribute(tags::FRAME_INCREMENT_POINTER, &[tags::FRAME_TIME])
        .decimal(tags::FRAME_TIME, &[133.0])
        .integer(tags::CINE_RATE, &[8])
        .pixels_u16(&pixels);
    set.write(&dir.join(case.file(2, 1)))?;
    let mut study = case.truth(base, None, false);
    study.series.push(case.series_truth(&still, POSITIONS.len(), POSITIONS.len()));
    study.series.push(case.series_truth(&run, 1, frames));
    Ok(study)
}

/// X-Ray Image and Acquisition modules (PS3.3 A.16, C.8.7).
fn attributes(set: &mut Dataset, size: usize, field: f32) {
    let spacing = f64::from(field) / size as f64;
    set.text(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\SINGLE PLANE")
        .text(tags::PATIENT_ORIENTATION, "")
        .text(tags::LOSSY_IMAGE_COMPRESSION, "00")
        .text(tags::RADIATION_SETTING, "GR")
        .decimal(tags::KVP, &[90.0])
        .integer(tags::X_RAY_TUBE_CURRENT, &[320])
        .integer(tags::EXPOSURE_TIME, &[28])
        .decimal(tags::IMAGER_PIXEL_SPACING, &[spacing, spacing])
        .text(tags::CONTRAST_BOLUS_AGENT, "Barium sulfate 200 w/v%")
        .text(tags::CONTRAST_BOLUS_ROUTE, "ORAL")
        .unsigned(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2")
        .unsigned(tags::ROWS, &[size as u16])
        .unsigned(tags::COLUMNS, &[size as u16])
        .unsigned(tags::BITS_ALLOCATED, &[16])
        .unsigned(tags::BITS_STORED, &[12])
        .unsigned(tags::HIGH_BIT, &[11])
        .unsigned(tags::PIXEL_REPRESENTATION, &[0])
        .text(tags::PIXEL_INTENSITY_RELATIONSHIP, "DISP")
        .decimal(tags::WINDOW_CENTER, &[2200.0])
        .decimal(tags::WINDOW_WIDTH, &[3400.0]);
}
