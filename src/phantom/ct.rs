//! Chest-abdomen CT: plain, portal venous, and a coarser prior.

use std::path::Path;

use glam::Vec3;
use jiff::civil::Date;

use super::anatomy::{Anatomy, EVEN_LIVER, Lesion, Plan};
use super::canvas::Canvas;
use super::case::{Case, SeriesPlan};
use super::cases;
use super::noise::NoiseBank;
use super::tissue::Tissue;
use super::truth::{RegionTruth, StudyTruth, TissueTruth, ValueTruth};
use super::work::{Work, each};
use super::{Error, Scale};
use crate::dicom::write::{Dataset, tags, uids};

/// Geometry and noise of one scan.
struct Scan {
    size: usize,
    spacing_mm: f32,
    slice_mm: f32,
    slices: usize,
    /// Height of the first slice; slices go from head to feet.
    top_mm: f32,
    noise_hu: f32,
    centre_y: f32,
}

const FIELD_MM: f32 = 400.0;
const TOP_MM: f32 = 634.0;

fn scan(scale: Scale, slice_mm: f32, slices: usize, noise_hu: f32) -> Scan {
    let (size, thin) = match scale {
        Scale::Full => (512, 1),
        Scale::Small => (128, 8),
    };
    Scan {
        size,
        spacing_mm: FIELD_MM / size as f32,
        slice_mm: slice_mm * thin as f32,
        slices: slices.div_ceil(thin),
        top_mm: TOP_MM,
        noise_hu,
        centre_y: 14.0,
    }
}

fn lesions(prior: bool) -> Vec<Lesion> {
    let nodule = if prior { Vec3::splat(3.4) } else { Vec3::new(6.8, 6.2, 6.4) };
    let lesion = |tissue, centre_mm, radii_mm, ragged_mm| Lesion { tissue, centre_mm, radii_mm, ragged_mm };
    let mut all = vec![
        lesion(Tissue::LungNodule, Vec3::new(-86.0, -24.0, 506.0), nodule, 1.0),
        lesion(Tissue::RenalCyst, Vec3::new(80.0, 52.0, 250.0), Vec3::new(14.0, 13.0, 14.0), 0.2),
    ];
    if !prior {
        all.push(lesion(Tissue::LiverMetastasis, Vec3::new(-70.0, 20.0, 352.0), Vec3::new(13.0, 12.0, 12.5), 1.2));
        all.push(lesion(Tissue::LiverMetastasis, Vec3::new(-20.0, -44.0, 336.0), Vec3::new(7.5, 7.0, 7.5), 0.8));
    }
    all
}

fn anatomy(scale: Scale, prior: bool) -> Anatomy {
    let detail = match scale {
        Scale::Full => 1.0,
        Scale::Small => 0.12,
    };
    Anatomy::new(Plan { seed: 20, detail, lesions: lesions(prior), couch: true })
}

/// Writes the current study: plain and portal venous series.
pub fn write_current(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::CT;
    let body = anatomy(scale, false);
    let scan = scan(scale, 2.0, 320, 11.0);
    let palette = |t: Tissue| [t.hounsfield().plain, t.hounsfield().portal];
    let plans = [
        (series(2, "CHEST-ABD PLAIN 2.0mm", scan.noise_hu), false),
        (series(3, "CHEST-ABD CE PORTAL 2.0mm", scan.noise_hu), true),
    ];
    write(dir, base, case, &body, &scan, &plans, palette, work)?;
    Ok(truth(base, case, None, &body, &scan, &plans))
}

/// Writes the prior study: one portal venous series of thicker slices.
pub fn write_prior(dir: &Path, base: Date, scale: Scale, work: &Work) -> Result<StudyTruth, Error> {
    let case = &cases::CT_PRIOR;
    let body = anatomy(scale, true);
    let scan = scan(scale, 5.0, 128, 9.0);
    let palette = |t: Tissue| [t.hounsfield().portal];
    let plans = [(series(2, "CHEST-ABD CE PORTAL 5.0mm", scan.noise_hu), true)];
    write(dir, base, case, &body, &scan, &plans, palette, work)?;
    Ok(truth(base, case, Some(&cases::CT), &body, &scan, &plans))
}

fn series(number: i32, description: &str, noise: f32) -> SeriesPlan {
    SeriesPlan {
        number,
        description: description.to_owned(),
        body_part: "CHESTABDOMEN",
        b_value: None,
        noise_sd: Some(f64::from(noise)),
    }
}

#[expect(clippy::too_many_arguments, reason = "one call site per study; a struct would only rename them")]
fn write<const C: usize>(
    dir: &Path,
    base: Date,
    case: &Case,
    body: &Anatomy,
    scan: &Scan,
    plans: &[(SeriesPlan, bool); C],
    palette: impl Fn(Tissue) -> [f32; C] + Sync,
    work: &Work,
) -> Result<(), Error> {
    let bank = NoiseBank::new(77, scan.size.min(256), 6, 0.75 * scan.size as f32 / 512.0);
    each(work, scan.slices, &|slice| {
        let z = scan.top_mm - slice as f32 * scan.slice_mm;
        let mut canvas = Canvas::new([scan.size; 2], scan.spacing_mm, scan.centre_y, z, palette(Tissue::Air));
        body.paint(&mut canvas, &palette);
        canvas.blur(0.12);
        for (c, (plan, contrast)) in plans.iter().enumerate() {
            let noise = bank.slice((slice * 16 + plan.number as usize) as u64, scan.size, scan.size);
            let stored: Vec<u16> = canvas
                .data
                .iter()
                .zip(&noise)
                .map(|(hu, n)| (hu[c] + n * scan.noise_hu + 1024.0).round().clamp(0.0, 4095.0) as u16)
                .collect();
            let mut set = case.dataset(base, plan, slice + 1, uids::CT_IMAGE_STORAGE);
            attributes(&mut set, case, scan, slice, *contrast);
            set.pixels_u16(&stored);
            set.write(&dir.join(case.file(plan.number, slice + 1)))?;
        }
        Ok(())
    })
}

/// CT Image module and the geometry (PS3.3 C.8.2.1, C.7.6.2).
fn attributes(set: &mut Dataset, case: &Case, scan: &Scan, slice: usize, contrast: bool) {
    let z = f64::from(scan.top_mm - slice as f32 * scan.slice_mm);
    let spacing = f64::from(scan.spacing_mm);
    let first = -(scan.size as f64 - 1.0) / 2.0 * spacing;
    let size = scan.size as u16;
    set.text(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\AXIAL")
        .integer(tags::ACQUISITION_NUMBER, &[if contrast { 2 } else { 1 }])
        .text(tags::PATIENT_POSITION, "FFS")
        .text(tags::FRAME_OF_REFERENCE_UID, &case.frame_uid())
        .text(tags::POSITION_REFERENCE_INDICATOR, "")
        .decimal(tags::IMAGE_POSITION_PATIENT, &[first, f64::from(scan.centre_y) + first, z])
        .decimal(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
        .decimal(tags::SLICE_LOCATION, &[z])
        .decimal(tags::SLICE_THICKNESS, &[f64::from(scan.slice_mm)])
        .decimal(tags::PIXEL_SPACING, &[spacing, spacing])
        .decimal(tags::KVP, &[120.0])
        .integer(tags::X_RAY_TUBE_CURRENT, &[260])
        .integer(tags::EXPOSURE_TIME, &[500])
        .integer(tags::EXPOSURE, &[130])
        .text(tags::FILTER_TYPE, "BODY")
        .decimal(tags::RECONSTRUCTION_DIAMETER, &[f64::from(FIELD_MM)])
        .decimal(tags::DATA_COLLECTION_DIAMETER, &[500.0])
        .decimal(tags::GANTRY_DETECTOR_TILT, &[0.0])
        .text(tags::CONVOLUTION_KERNEL, "STANDARD")
        .text(tags::SCAN_OPTIONS, "HELICAL")
        .text(tags::PROTOCOL_NAME, "CHEST-ABDOMEN")
        .unsigned(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2")
        .unsigned(tags::ROWS, &[size])
        .unsigned(tags::COLUMNS, &[size])
        .unsigned(tags::BITS_ALLOCATED, &[16])
        .unsigned(tags::BITS_STORED, &[12])
        .unsigned(tags::HIGH_BIT, &[11])
        .unsigned(tags::PIXEL_REPRESENTATION, &[0])
        .decimal(tags::RESCALE_INTERCEPT, &[-1024.0])
        .decimal(tags::RESCALE_SLOPE, &[1.0])
        .text(tags::RESCALE_TYPE, "HU")
        .decimal(tags::WINDOW_CENTER, &[40.0, -600.0])
        .decimal(tags::WINDOW_WIDTH, &[400.0, 1500.0])
        .text(tags::WINDOW_CENTER_WIDTH_EXPLANATION, "ABDOMEN\\LUNG");
    if contrast {
        set.text(tags::CONTRAST_BOLUS_AGENT, "Iohexol 300 mgI/mL")
            .text(tags::CONTRAST_BOLUS_ROUTE, "IV")
            .decimal(tags::CONTRAST_BOLUS_VOLUME, &[100.0]);
    }
}

fn truth(
    base: Date,
    case: &Case,
    prior_of: Option<&Case>,
    body: &Anatomy,
    scan: &Scan,
    plans: &[(SeriesPlan, bool)],
) -> StudyTruth {
    let mut study = case.truth(base, prior_of, true);
    let value = |tissue: Tissue, contrast: bool| {
        let hu = tissue.hounsfield();
        f64::from(if contrast { hu.portal } else { hu.plain })
    };
    let values = |tissue: Tissue| -> Vec<ValueTruth> {
        plans
            .iter()
            .map(|(plan, contrast)| ValueTruth {
                series_uid: case.series_uid(plan.number),
                mean: value(tissue, *contrast),
                unit: "HU".to_owned(),
            })
            .collect()
    };
    for (plan, contrast) in plans {
        study.series.push(case.series_truth(plan, scan.slices, scan.slices));
        for tissue in STATED {
            study.tissues.push(TissueTruth {
                tissue: tissue_name(*tissue),
                series_uid: case.series_uid(plan.number),
                value: value(*tissue, *contrast),
            });
        }
    }
    let earlier = lesions(true);
    for lesion in body.lesions() {
        let before = earlier
            .iter()
            .find(|l| l.centre_mm == lesion.centre_mm)
            .map_or(0.0, |l| f64::from(l.radii_mm.max_element()) * 2.0);
        study.lesions.push(RegionTruth {
            kind: tissue_name(lesion.tissue),
            name: match lesion.tissue {
                Tissue::LungNodule => "右肺上葉の充実性結節",
                Tissue::RenalCyst => "左腎嚢胞",
                _ => "肝転移を疑う結節",
            }
            .to_owned(),
            centre_mm: Some(lesion.centre_mm.to_array().map(f64::from)),
            size_mm: [f64::from(lesion.radii_mm.max_element()) * 2.0, f64::from(lesion.radii_mm.min_element()) * 2.0],
            core_radius_mm: f64::from((lesion.radii_mm.min_element() - lesion.ragged_mm) * 0.6),
            images: Vec::new(),
            values: values(lesion.tissue),
            prior_size_mm: (prior_of.is_none()).then_some(before),
        });
    }
    study.even_places.push(RegionTruth {
        kind: "even_liver".to_owned(),
        name: "肝実質".to_owned(),
        centre_mm: Some(EVEN_LIVER.centre_mm.to_array().map(f64::from)),
        size_mm: [f64::from(EVEN_LIVER.radius_mm) * 2.0; 2],
        core_radius_mm: f64::from(EVEN_LIVER.radius_mm) - 2.0,
        images: Vec::new(),
        values: values(EVEN_LIVER.tissue),
        prior_size_mm: None,
    });
    study
}

/// Structures whose HU the truth states.
const STATED: &[Tissue] = {
    use Tissue as T;
    &[
        T::Air,
        T::Lung,
        T::Fat,
        T::VisceralFat,
        T::Muscle,
        T::Liver,
        T::Spleen,
        T::RenalCortex,
        T::RenalMedulla,
        T::Aorta,
        T::Vein,
        T::PortalVein,
        T::LeftHeart,
        T::RightHeart,
        T::Myocardium,
        T::CorticalBone,
        T::SpongyBone,
        T::Cartilage,
        T::Disc,
        T::StomachWall,
        T::StomachContent,
        T::Pancreas,
        T::Gallbladder,
        T::Bladder,
        T::Adrenal,
        T::Thyroid,
        T::Prostate,
        T::CouchShell,
        T::CouchFoam,
        T::LungNodule,
        T::LiverMetastasis,
        T::RenalCyst,
    ]
};

/// The tissue's name as in the truth file.
pub fn tissue_name(tissue: Tissue) -> String {
    serde_json::to_value(tissue).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Third value of Image Position (Patient) and the pixels, straight from the bytes of a file.
    fn read_back(path: &Path, size: usize) -> ([f32; 3], Vec<f32>) {
        let bytes = std::fs::read(path).expect("written");
        let tag = [0x20, 0x00, 0x32, 0x00, b'D', b'S'];
        let at = bytes.windows(6).position(|w| w == tag).expect("has a position");
        let length = usize::from(u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]));
        let text = std::str::from_utf8(&bytes[at + 8..at + 8 + length]).expect("text");
        let numbers: Vec<f32> = text.trim().split('\\').map(|v| v.parse().expect("number")).collect();
        let tail = &bytes[bytes.len() - size * size * 2..];
        let pixels = tail.chunks(2).map(|b| f32::from(u16::from_le_bytes([b[0], b[1]])) - 1024.0).collect();
        ([numbers[0], numbers[1], numbers[2]], pixels)
    }

    /// Mean and SD within a sphere, in patient space.
    fn sphere(
        slices: &[([f32; 3], Vec<f32>)],
        size: usize,
        spacing: f32,
        centre: Vec3,
        radius: f32,
    ) -> (f32, f32, usize) {
        let mut inside = Vec::new();
        for (position, pixels) in slices {
            for (i, v) in pixels.iter().enumerate() {
                let p = Vec3::from_array(*position) + Vec3::new((i % size) as f32, (i / size) as f32, 0.0) * spacing;
                if (p - centre).length() < radius {
                    inside.push(*v);
                }
            }
        }
        let mean = inside.iter().sum::<f32>() / inside.len().max(1) as f32;
        let sd = (inside.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / inside.len().max(1) as f32).sqrt();
        (mean, sd, inside.len())
    }

    #[test]
    fn stated_values_are_in_the_files() {
        let size = 256;
        let body = anatomy(Scale::Small, false);
        let study = truth(
            super::super::DEFAULT_BASE_DATE,
            &cases::CT,
            None,
            &body,
            &scan(Scale::Small, 2.0, 320, 11.0),
            &[(series(2, "A", 11.0), false), (series(3, "B", 11.0), true)],
        );
        assert!(study.tissues.len() >= 30);
        for region in study.lesions.iter().chain(&study.even_places) {
            let centre = Vec3::from_array(region.centre_mm.expect("a place").map(|v| v as f32));
            let folder = tempfile::tempdir().expect("folder");
            let scan = Scan {
                size,
                spacing_mm: FIELD_MM / size as f32,
                slice_mm: 2.0,
                slices: 3,
                top_mm: centre.z + 2.0,
                noise_hu: 11.0,
                centre_y: 14.0,
            };
            let palette = |t: Tissue| [t.hounsfield().plain, t.hounsfield().portal];
            let plans = [(series(2, "A", 11.0), false), (series(3, "B", 11.0), true)];
            let base = super::super::DEFAULT_BASE_DATE;
            write(folder.path(), base, &cases::CT, &body, &scan, &plans, palette, &Work::new("x", &|_| {}))
                .expect("written");
            for (value, number) in region.values.iter().zip([2, 3]) {
                let slices: Vec<_> =
                    (1..=3).map(|i| read_back(&folder.path().join(cases::CT.file(number, i)), size)).collect();
                let radius = region.core_radius_mm as f32;
                let (mean, sd, count) = sphere(&slices, size, scan.spacing_mm, centre, radius);
                assert!(count > 8, "{} has {count} pixels", region.kind);
                // Noise is correlated: a region counts for about a quarter of its pixels.
                let tolerance = 3.0 * 11.0 / (count as f32 / 4.0).sqrt() + 2.5;
                assert!(
                    (mean - value.mean as f32).abs() < tolerance,
                    "{}: {mean} HU, stated {}",
                    region.kind,
                    value.mean
                );
                if region.kind == "even_liver" {
                    assert!((sd - 11.0).abs() < 1.1, "SD {sd}");
                }
            }
        }
    }

    #[test]
    fn the_nodule_grew_and_the_metastases_are_new() {
        let now = lesions(false);
        let before = lesions(true);
        let size = |l: &[Lesion]| l.iter().find(|l| l.tissue == Tissue::LungNodule).map(|l| l.radii_mm.max_element());
        assert!(size(&now) > size(&before));
        assert!(before.iter().all(|l| l.tissue != Tissue::LiverMetastasis));
        assert_eq!(now.iter().filter(|l| l.tissue == Tissue::LiverMetastasis).count(), 2);
    }
}
