//! What classic MR images have in common (PS3.3 C.8.3.1), and the two MR studies.

use std::path::Path;

use glam::Vec3;
use jiff::civil::Date;

use super::anatomy::{Anatomy, Lesion, Plan};
use super::canvas::Canvas;
use super::case::{Case, SeriesPlan};
use super::cases;
use super::ct::tissue_name;
use super::head::{self, INFARCT, VALUES};
use super::noise::NoiseBank;
use super::tissue::Tissue;
use super::truth::{RegionTruth, StudyTruth, ValueTruth};
use super::work::{Work, each};
use super::{Error, Scale};
use crate::dicom::write::{Dataset, tags, uids};

/// An MR series to write.
struct Sequence {
    plan: SeriesPlan,
    kind: Kind,
    sagittal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    T1,
    T2,
    Flair,
    /// Both b values in one series.
    Diffusion,
    Adc,
}

/// Plane and pixels of one MR image.
struct Plane {
    origin: Vec3,
    row: Vec3,
    column: Vec3,
    size: usize,
    spacing_mm: f32,
    thickness_mm: f32,
    step_mm: f32,
}

const NOISE: f32 = 9.0;

fn attributes(set: &mut Dataset, case: &Case, plane: &Plane, kind: Kind, b: Option<f64>, window: [f64; 2]) {
    let (te, tr, ti, train, sequence, variant, options) = match kind {
        Kind::T1 => (12.0, 520.0, None, 1, "SE", "NONE", ""),
        Kind::T2 => (96.0, 4200.0, None, 15, "SE", "SK", ""),
        Kind::Flair => (110.0, 9000.0, Some(2500.0), 19, "SE\\IR", "SK\\MP", ""),
        Kind::Diffusion | Kind::Adc => (78.0, 6200.0, None, 80, "EP\\SE", "SK", "FS"),
    };
    let spacing = f64::from(plane.spacing_mm);
    let f = |v: Vec3| v.to_array().map(f64::from);
    let normal = plane.row.cross(plane.column);
    let (row, column) = (f(plane.row), f(plane.column));
    set.text(
        tags::IMAGE_TYPE,
        if kind == Kind::Adc { "DERIVED\\PRIMARY\\DIFFUSION MAP\\ADC" } else { "ORIGINAL\\PRIMARY\\OTHER" },
    )
    .text(tags::SCANNING_SEQUENCE, sequence)
    .text(tags::SEQUENCE_VARIANT, variant)
    .text(tags::SCAN_OPTIONS, options)
    .text(tags::MR_ACQUISITION_TYPE, "2D")
    .decimal(tags::REPETITION_TIME, &[tr])
    .decimal(tags::ECHO_TIME, &[te])
    .integer(tags::ECHO_TRAIN_LENGTH, &[train])
    .decimal(tags::MAGNETIC_FIELD_STRENGTH, &[1.5])
    .decimal(tags::FLIP_ANGLE, &[90.0])
    .text(tags::PATIENT_POSITION, "HFS")
    .text(tags::FRAME_OF_REFERENCE_UID, &case.frame_uid())
    .text(tags::POSITION_REFERENCE_INDICATOR, "")
    .integer(tags::ACQUISITION_NUMBER, &[1])
    .decimal(tags::IMAGE_POSITION_PATIENT, &f(plane.origin))
    .decimal(tags::IMAGE_ORIENTATION_PATIENT, &[row, column].concat())
    .decimal(tags::SLICE_LOCATION, &[f64::from(plane.origin.dot(normal))])
    .decimal(tags::SLICE_THICKNESS, &[f64::from(plane.thickness_mm)])
    .decimal(tags::SPACING_BETWEEN_SLICES, &[f64::from(plane.step_mm)])
    .decimal(tags::PIXEL_SPACING, &[spacing, spacing])
    .unsigned(tags::SAMPLES_PER_PIXEL, &[1])
    .text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2")
    .unsigned(tags::ROWS, &[plane.size as u16])
    .unsigned(tags::COLUMNS, &[plane.size as u16])
    .unsigned(tags::BITS_ALLOCATED, &[16])
    .unsigned(tags::BITS_STORED, &[12])
    .unsigned(tags::HIGH_BIT, &[11])
    .unsigned(tags::PIXEL_REPRESENTATION, &[0])
    .decimal(tags::WINDOW_CENTER, &[window[0]])
    .decimal(tags::WINDOW_WIDTH, &[window[1]]);
    if let Some(ti) = ti {
        set.decimal(tags::INVERSION_TIME, &[ti]);
    }
    if let Some(b) = b {
        set.float(tags::DIFFUSION_B_VALUE, &[b]);
    }
    if kind == Kind::Adc {
        set.decimal(tags::RESCALE_INTERCEPT, &[0.0])
            .decimal(tags::RESCALE_SLOPE, &[1.0])
            .text(tags::RESCALE_TYPE, "US")
            .text(tags::DERIVATION_DESCRIPTION, "ADC in 10-6 mm2/s from b 0 and b 1000, mono-exponential");
    }
}

/// Magnitude of a complex signal with noise in both parts.
fn magnitude(signal: f32, a: f32, b: f32, sd: f32) -> f32 {
    (signal + a * sd).hypot(b * sd)
}

/// Brain MR: T1, T2, FLAIR, diffusion with ADC, and a sagittal T1.
pub fn write_brain(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::BRAIN;
    let (size, slices) = match scale {
        Scale::Full => (256usize, 26usize),
        Scale::Small => (64, 8),
    };
    let field = 236.0f32;
    let step = if scale == Scale::Full { 6.0 } else { 19.0 };
    let list = [
        (1, "SAG T1", Kind::T1, true),
        (2, "AX T1", Kind::T1, false),
        (3, "AX T2", Kind::T2, false),
        (4, "AX FLAIR", Kind::Flair, false),
        (5, "AX DWI b0 b1000", Kind::Diffusion, false),
        (6, "AX ADC", Kind::Adc, false),
    ];
    let sequences: Vec<Sequence> = list
        .into_iter()
        .map(|(number, description, kind, sagittal)| Sequence {
            plan: SeriesPlan {
                number,
                description: description.to_owned(),
                body_part: "BRAIN",
                b_value: None,
                noise_sd: Some(f64::from(NOISE)),
            },
            kind,
            sagittal,
        })
        .collect();
    let bank = NoiseBank::new(911, size.min(256), 6, 0.6);
    each(work, slices * 2, &|part| {
        let (index, sagittal) = (part / 2, part % 2 == 1);
        let at = (index as f32 - (slices as f32 - 1.0) / 2.0) * step;
        let spacing = field / size as f32;
        let half = (size as f32 - 1.0) / 2.0 * spacing;
        let plane = if sagittal {
            Plane {
                origin: Vec3::new(at * 0.86, 4.0 - half, 4.0 + half),
                row: Vec3::Y,
                column: -Vec3::Z,
                size,
                spacing_mm: spacing,
                thickness_mm: step * 0.86 - 0.2,
                step_mm: step * 0.86,
            }
        } else {
            Plane {
                origin: Vec3::new(-half, 4.0 - half, 8.0 + at),
                row: Vec3::X,
                column: Vec3::Y,
                size,
                spacing_mm: spacing,
                thickness_mm: step - 1.0,
                step_mm: step,
            }
        };
        let signals = sample_head(&plane);
        for s in sequences.iter().filter(|s| s.sagittal == sagittal) {
            let seed = (s.plan.number as usize * 1000 + index) as u64 * 4;
            let noise: Vec<Vec<f32>> = (0..4).map(|k| bank.slice(seed + k, size, size)).collect();
            let image = |channel: usize, n: usize| -> Vec<u16> {
                signals
                    .iter()
                    .enumerate()
                    .map(|(i, v)| {
                        magnitude(v[channel], noise[n][i], noise[n + 1][i], NOISE).round().clamp(0.0, 4095.0) as u16
                    })
                    .collect()
            };
            let put = |instance: usize, pixels: &[u16], b: Option<f64>, window: [f64; 2]| -> Result<(), Error> {
                let mut set = case.dataset(base, &s.plan, instance, uids::MR_IMAGE_STORAGE);
                attributes(&mut set, case, &plane, s.kind, b, window);
                set.pixels_u16(pixels);
                Ok(set.write(&dir.join(case.file(s.plan.number, instance)))?)
            };
            match s.kind {
                Kind::T1 => put(index + 1, &image(0, 0), None, [400.0, 800.0])?,
                Kind::T2 => put(index + 1, &image(1, 0), None, [420.0, 840.0])?,
                Kind::Flair => put(index + 1, &image(2, 0), None, [360.0, 720.0])?,
                Kind::Diffusion => {
                    put(index + 1, &image(3, 0), Some(0.0), [450.0, 900.0])?;
                    put(slices + index + 1, &image(4, 2), Some(1000.0), [210.0, 420.0])?;
                }
                Kind::Adc => {
                    let (b0, b1) = (image(3, 0), image(4, 2));
                    let adc: Vec<u16> = b0
                        .iter()
                        .zip(&b1)
                        .map(|(a, b)| {
                            if *a > 60 && *b > 0 {
                                ((f32::from(*a) / f32::from(*b)).ln() * 1000.0).round().clamp(0.0, 4095.0) as u16
                            } else {
                                0
                            }
                        })
                        .collect();
                    put(index + 1, &adc, None, [1200.0, 2400.0])?;
                }
            }
        }
        Ok(())
    })?;
    let mut study = case.truth(base, None, true);
    for s in &sequences {
        let count = if s.kind == Kind::Diffusion { slices * 2 } else { slices };
        study.series.push(case.series_truth(&s.plan, count, count));
    }
    let infarct = VALUES[head::HeadTissue::Infarct as usize];
    let value = |number: i32, mean: f32, unit: &str| ValueTruth {
        series_uid: case.series_uid(number),
        mean: f64::from(mean),
        unit: unit.to_owned(),
    };
    study.lesions.push(RegionTruth {
        kind: "acute_infarct".to_owned(),
        name: "左放線冠の急性期梗塞".to_owned(),
        centre_mm: Some(INFARCT.0.to_array().map(f64::from)),
        size_mm: [f64::from(INFARCT.1.max_element()) * 2.0, f64::from(INFARCT.1.min_element()) * 2.0],
        core_radius_mm: 7.0,
        images: Vec::new(),
        values: vec![
            value(2, infarct[0], "1"),
            value(3, infarct[1], "1"),
            value(4, infarct[2], "1"),
            value(6, infarct[4] * 1000.0, "1e-6 mm2/s"),
        ],
        prior_size_mm: None,
    });
    Ok(study)
}

/// T1, T2, FLAIR, b = 0 and b = 1000 signals of a plane, averaged over the pixel and the slice.
fn sample_head(plane: &Plane) -> Vec<[f32; 5]> {
    let mut out = vec![[0.0f32; 5]; plane.size * plane.size];
    let normal = plane.row.cross(plane.column);
    let offsets = [(-0.25, -0.25, -0.25), (0.25, -0.25, 0.25), (-0.25, 0.25, 0.25), (0.25, 0.25, -0.25)];
    for (i, pixel) in out.iter_mut().enumerate() {
        let (x, y) = ((i % plane.size) as f32, (i / plane.size) as f32);
        for (dx, dy, dz) in offsets {
            let p = plane.origin
                + plane.row * ((x + dx) * plane.spacing_mm)
                + plane.column * ((y + dy) * plane.spacing_mm)
                + normal * (dz * plane.thickness_mm);
            let v = VALUES[head::tissue(p, true) as usize];
            let texture = 1.0 + 0.03 * super::field::noise(p / 5.0, 701);
            for c in 0..4 {
                pixel[c] += 0.25 * v[c] * texture;
            }
            pixel[4] += 0.25 * v[3] * texture * (-v[4]).exp();
        }
    }
    out
}

/// Height of the middle of the brain above the femoral heads.
const HEAD_Z: f32 = 815.0;
const STATIONS: usize = 5;
const B: f32 = 0.8;

fn bone_lesions() -> Vec<Lesion> {
    let lesion = |tissue, centre_mm, radii_mm, ragged_mm| Lesion { tissue, centre_mm, radii_mm, ragged_mm };
    vec![
        lesion(Tissue::BoneLesion, Vec3::new(4.0, 32.0, 207.0), Vec3::new(12.0, 10.0, 11.0), 0.8),
        lesion(Tissue::BoneLesion, Vec3::new(-74.0, 56.0, 104.0), Vec3::new(15.0, 11.0, 14.0), 0.8),
    ]
}

/// Whole-body diffusion with background suppression: five stations of T1, T2, b = 0 and b = 800.
pub fn write_dwibs(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::DWIBS;
    let (size, per_station, step, detail) = match scale {
        Scale::Full => (192usize, 36usize, 6.0f32, 0.2f32),
        Scale::Small => (64, 6, 36.0, 0.05),
    };
    let field = 480.0f32;
    let body = Anatomy::new(Plan { seed: 88, detail, lesions: bone_lesions(), couch: false });
    let palette = |t: Tissue| {
        let m = t.magnetic();
        [m.t1, m.t2, m.b0, m.b0 * (-B * m.adc).exp()]
    };
    let head_palette = |t: head::HeadTissue| {
        let v = VALUES[t as usize];
        [v[0], v[1], v[3] * 1.2, v[3] * 1.2 * (-B * v[4]).exp()]
    };
    let kinds = [
        (0, "AX T1", Kind::T1, None),
        (1, "AX T2", Kind::T2, None),
        (2, "DWIBS b0", Kind::Diffusion, Some(0.0)),
        (3, "DWIBS b800", Kind::Diffusion, Some(800.0)),
    ];
    let plan = |station: usize, k: usize| SeriesPlan {
        number: (station as i32 + 1) * 100 + k as i32 + 1,
        description: format!("{} ST{}", kinds[k].1, station + 1),
        body_part: "WHOLEBODY",
        b_value: kinds[k].3,
        noise_sd: Some(f64::from(NOISE)),
    };
    let bank = NoiseBank::new(555, size.min(256), 6, 0.6);
    let top = HEAD_Z + 88.0;
    each(work, STATIONS * per_station, &|part| {
        let (station, index) = (part / per_station, part % per_station);
        let z = top - part as f32 * step;
        let fine = field / (size * 2) as f32;
        let mut sum = vec![[0.0f32; 4]; size * size];
        let layers = [-0.25f32, 0.25];
        for layer in layers {
            let mut canvas = Canvas::new([size * 2; 2], fine, 0.0, z + layer * step, palette(Tissue::Air));
            if z < 690.0 {
                body.paint(&mut canvas, &palette);
            }
            let share = super::field::smoothstep(668.0, 674.0, z);
            if share > 0.0 {
                canvas.blend([-110.0, 110.0, -130.0, 130.0], |p| {
                    let q = p - Vec3::new(0.0, 4.0, HEAD_Z);
                    (share, head_palette(head::tissue(q, false)))
                });
            }
            for (i, v) in canvas.data.iter().enumerate() {
                let (x, y) = (i % (size * 2) / 2, i / (size * 2) / 2);
                for c in 0..4 {
                    sum[y * size + x][c] += v[c] * 0.125;
                }
            }
        }
        let spacing = field / size as f32;
        let half = (size as f32 - 1.0) / 2.0 * spacing;
        let plane = Plane {
            origin: Vec3::new(-half, -half, z),
            row: Vec3::X,
            column: Vec3::Y,
            size,
            spacing_mm: spacing,
            thickness_mm: step,
            step_mm: step,
        };
        for (k, (channel, _, kind, b)) in kinds.into_iter().enumerate() {
            let seed = (part * 8 + k * 2) as u64;
            let (na, nb) = (bank.slice(seed, size, size), bank.slice(seed + 1, size, size));
            let pixels: Vec<u16> = sum
                .iter()
                .enumerate()
                .map(|(i, v)| magnitude(v[channel], na[i], nb[i], NOISE).round().clamp(0.0, 4095.0) as u16)
                .collect();
            let plan = plan(station, k);
            let mut set = case.dataset(base, &plan, index + 1, uids::MR_IMAGE_STORAGE);
            let window = [[450.0, 900.0], [400.0, 800.0], [350.0, 700.0], [150.0, 300.0]][k];
            attributes(&mut set, case, &plane, kind, b, window);
            set.pixels_u16(&pixels);
            set.write(&dir.join(case.file(plan.number, index + 1)))?;
        }
        Ok(())
    })?;
    let mut study = case.truth(base, None, true);
    for station in 0..STATIONS {
        for k in 0..kinds.len() {
            study.series.push(case.series_truth(&plan(station, k), per_station, per_station));
        }
    }
    for (lesion, name) in body.lesions().iter().zip(["第3腰椎の骨病変", "右腸骨の骨病変"]) {
        let m = lesion.tissue.magnetic();
        let station = ((top - lesion.centre_mm.z) / (step * per_station as f32)) as usize;
        let value = |k: usize, mean: f32, unit: &str| ValueTruth {
            series_uid: case.series_uid(plan(station, k).number),
            mean: f64::from(mean),
            unit: unit.to_owned(),
        };
        study.lesions.push(RegionTruth {
            kind: tissue_name(lesion.tissue),
            name: name.to_owned(),
            centre_mm: Some(lesion.centre_mm.to_array().map(f64::from)),
            size_mm: [f64::from(lesion.radii_mm.max_element()) * 2.0, f64::from(lesion.radii_mm.min_element()) * 2.0],
            core_radius_mm: f64::from(lesion.radii_mm.min_element() * 0.5),
            images: Vec::new(),
            values: vec![
                value(2, m.b0, "1"),
                value(3, m.b0 * (-B * m.adc).exp(), "1"),
                value(3, m.adc * 1000.0, "1e-6 mm2/s"),
            ],
            prior_size_mm: None,
        });
    }
    Ok(study)
}
