//! Screening mammography: four views, current and prior.

use std::path::Path;

use glam::Vec2;
use jiff::civil::Date;

use super::case::{Case, SeriesPlan};
use super::cases;
use super::mammo_image::{Finding, View, WHITE, value};
use super::noise::NoiseBank;
use super::truth::{ImagePlace, RegionTruth, StudyTruth};
use super::work::{Work, each};
use super::{Error, Scale};
use crate::dicom::write::{Dataset, tags, uids};

const VIEWS: [(View, &str); 4] = [
    (View { left: false, oblique: false }, "R CC"),
    (View { left: true, oblique: false }, "L CC"),
    (View { left: false, oblique: true }, "R MLO"),
    (View { left: true, oblique: true }, "L MLO"),
];

/// Pixels of the picture and their size.
struct Grid {
    columns: usize,
    rows: usize,
    spacing_mm: f32,
}

fn grid(scale: Scale) -> Grid {
    match scale {
        Scale::Full => Grid { columns: 2400, rows: 3000, spacing_mm: 0.07 },
        Scale::Small => Grid { columns: 300, rows: 375, spacing_mm: 0.56 },
    }
}

const MASS_RADIUS_MM: f32 = 6.0;
const CLUSTER_RADIUS_MM: f32 = 4.5;

/// What the current study shows in a view; the prior shows none of it.
fn findings(view: View) -> Vec<Finding> {
    match (view.left, view.oblique) {
        (true, false) => vec![Finding::Mass(Vec2::new(58.0, 72.0), MASS_RADIUS_MM)],
        (true, true) => vec![Finding::Mass(Vec2::new(60.0, 92.0), MASS_RADIUS_MM)],
        (false, false) => vec![Finding::Cluster(Vec2::new(62.0, 122.0), CLUSTER_RADIUS_MM)],
        (false, true) => vec![Finding::Cluster(Vec2::new(66.0, 146.0), CLUSTER_RADIUS_MM)],
    }
}

/// Writes the current study.
pub fn write_current(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    write(dir, base, scale, work, &cases::MMG, None)
}

/// Writes the prior study.
pub fn write_prior(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    write(dir, base, scale, work, &cases::MMG_PRIOR, Some(&cases::MMG))
}

fn write(
    dir: &Path,
    base: Date,
    scale: Scale,
    work: &Work,
    case: &Case,
    prior_of: Option<&Case>,
) -> Result<StudyTruth, Error> {
    let grid = grid(scale);
    let bank = NoiseBank::new(191, 256, 4, 0.55);
    let prior = prior_of.is_some();
    let plan = |index: usize| SeriesPlan {
        number: index as i32 + 1,
        description: VIEWS[index].1.to_owned(),
        body_part: "BREAST",
        b_value: None,
        noise_sd: Some(f64::from(NOISE)),
    };
    each(work, VIEWS.len(), &|index| {
        let (view, _) = VIEWS[index];
        let shown = if prior { Vec::new() } else { findings(view) };
        let stored = picture(&grid, view, prior, &shown, &bank, index);
        let plan = plan(index);
        let mut set = case.dataset(base, &plan, 1, uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION);
        attributes(&mut set, &grid, view);
        set.pixels_u16(&stored);
        set.write(&dir.join(case.file(plan.number, 1)))?;
        Ok(())
    })?;
    let mut study = case.truth(base, prior_of, false);
    let (mut mass, mut cluster) = (Vec::new(), Vec::new());
    for (index, (view, _)) in VIEWS.iter().enumerate() {
        study.series.push(case.series_truth(&plan(index), 1, 1));
        for finding in findings(*view) {
            let (list, at) = match finding {
                Finding::Mass(at, _) => (&mut mass, at),
                Finding::Cluster(at, _) => (&mut cluster, at),
            };
            let from_wall = f64::from(at.x / grid.spacing_mm);
            list.push(ImagePlace {
                sop_instance_uid: case.instance_uid(index as i32 + 1, 1),
                column: if view.left { from_wall } else { grid.columns as f64 - 1.0 - from_wall },
                row: f64::from(at.y / grid.spacing_mm),
            });
        }
    }
    if !prior {
        for (kind, name, images, radius) in [
            ("breast_mass", "左乳房上外側のスピキュラを伴う高濃度腫瘤", mass, MASS_RADIUS_MM),
            ("calcification_cluster", "右乳房の集簇性微小石灰化", cluster, CLUSTER_RADIUS_MM),
        ] {
            study.lesions.push(RegionTruth {
                kind: kind.to_owned(),
                name: name.to_owned(),
                centre_mm: None,
                size_mm: [f64::from(radius) * 2.0; 2],
                core_radius_mm: f64::from(radius) * 0.6,
                images,
                values: Vec::new(),
                prior_size_mm: Some(0.0),
            });
        }
    }
    Ok(study)
}

const NOISE: f32 = 110.0;

fn picture(grid: &Grid, view: View, prior: bool, shown: &[Finding], bank: &NoiseBank, index: usize) -> Vec<u16> {
    let height = grid.rows as f32 * grid.spacing_mm;
    let seed = if view.left { 301 } else { 302 } + if view.oblique { 40 } else { 0 };
    let motion = if prior { Vec2::new(1.8, -2.4) } else { Vec2::ZERO };
    let noise = bank.slice((index + usize::from(prior) * 8) as u64, grid.columns, grid.rows);
    let mut out = Vec::with_capacity(grid.columns * grid.rows);
    for row in 0..grid.rows {
        for column in 0..grid.columns {
            let from_wall = if view.left { column } else { grid.columns - 1 - column };
            let p = Vec2::new(from_wall as f32, row as f32) * grid.spacing_mm;
            let v = value(view, p, height, seed, motion, shown);
            let n = if v > 0.0 { noise[row * grid.columns + column] * NOISE * (v / 7000.0).min(1.0) } else { 0.0 };
            out.push((v + n).round().clamp(0.0, WHITE) as u16);
        }
    }
    out
}

/// Mammography modules (PS3.3 A.27, C.8.11).
fn attributes(set: &mut Dataset, grid: &Grid, view: View) {
    let side = if view.left { "L" } else { "R" };
    // The pixels lie so that breasts hang back to back: lateral (CC) or axilla (MLO) up, chest wall towards the midline.
    let orientation = match (view.left, view.oblique) {
        (false, false) => "P\\L",
        (true, false) => "A\\R",
        (false, true) => "P\\FL",
        (true, true) => "A\\FR",
    };
    let (code, meaning, position, angle) = if view.oblique {
        ("399368009", "medio-lateral oblique", "MLO", if view.left { -50.0 } else { 50.0 })
    } else {
        ("399162004", "cranio-caudal", "CC", 0.0)
    };
    let spacing = f64::from(grid.spacing_mm);
    let spacing = (spacing * 1e4).round() / 1e4;
    let mut view_item = set.code_item(code, "SCT", meaning);
    view_item.sequence(tags::VIEW_MODIFIER_CODE_SEQUENCE, Vec::new());
    set.text(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\")
        .text(tags::PRESENTATION_INTENT_TYPE, "FOR PRESENTATION")
        .text(tags::IMAGE_LATERALITY, side)
        .text(tags::PATIENT_ORIENTATION, orientation)
        .sequence(tags::VIEW_CODE_SEQUENCE, vec![view_item])
        .text(tags::VIEW_POSITION, position)
        .code(tags::ANATOMIC_REGION_SEQUENCE, "76752008", "SCT", "Breast")
        .text(tags::ORGAN_EXPOSED, "BREAST")
        .text(tags::POSITIONER_TYPE, "MAMMOGRAPHIC")
        .decimal(tags::POSITIONER_PRIMARY_ANGLE, &[angle])
        .text(tags::BREAST_IMPLANT_PRESENT, "NO")
        .text(tags::PARTIAL_VIEW, "NO")
        .decimal(tags::IMAGER_PIXEL_SPACING, &[spacing, spacing])
        .decimal(tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR, &[1.0])
        .decimal(tags::DETECTOR_ELEMENT_SPACING, &[spacing, spacing])
        .text(tags::DETECTOR_TYPE, "DIRECT")
        .text(tags::DETECTOR_CONFIGURATION, "AREA")
        .text(tags::DETECTOR_ID, "PHANTOM-1")
        .text(tags::FIELD_OF_VIEW_SHAPE, "RECTANGLE")
        .text(tags::DETECTOR_CONDITIONS_NOMINAL_FLAG, "YES")
        .decimal(tags::KVP, &[28.0])
        .integer(tags::EXPOSURE_TIME, &[780])
        .integer(tags::X_RAY_TUBE_CURRENT, &[100])
        .integer(tags::EXPOSURE, &[78])
        .text(tags::ANODE_TARGET_MATERIAL, "TUNGSTEN")
        .text(tags::FILTER_MATERIAL, "RHODIUM")
        .decimal(tags::BODY_PART_THICKNESS, &[46.0])
        .decimal(tags::COMPRESSION_FORCE, &[98.0])
        .decimal(tags::ORGAN_DOSE, &[0.014])
        .sequence(tags::ACQUISITION_CONTEXT_SEQUENCE, Vec::new())
        .text(tags::BURNED_IN_ANNOTATION, "NO")
        .text(tags::LOSSY_IMAGE_COMPRESSION, "00")
        .unsigned(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2")
        .unsigned(tags::ROWS, &[grid.rows as u16])
        .unsigned(tags::COLUMNS, &[grid.columns as u16])
        .unsigned(tags::BITS_ALLOCATED, &[16])
        .unsigned(tags::BITS_STORED, &[14])
        .unsigned(tags::HIGH_BIT, &[13])
        .unsigned(tags::PIXEL_REPRESENTATION, &[0])
        .text(tags::PIXEL_INTENSITY_RELATIONSHIP, "LOG")
        .signed(tags::PIXEL_INTENSITY_RELATIONSHIP_SIGN, &[-1])
        .decimal(tags::RESCALE_INTERCEPT, &[0.0])
        .decimal(tags::RESCALE_SLOPE, &[1.0])
        .text(tags::RESCALE_TYPE, "US")
        .text(tags::PRESENTATION_LUT_SHAPE, "IDENTITY")
        .decimal(tags::WINDOW_CENTER, &[6900.0, 7600.0])
        .decimal(tags::WINDOW_WIDTH, &[9600.0, 7600.0])
        .text(tags::WINDOW_CENTER_WIDTH_EXPLANATION, "NORMAL\\HARDER")
        .text(tags::VOILUT_FUNCTION, "SIGMOID");
}
