//! What `truth.json` states of the generated studies, looked for in their pixels by the way that every study takes:
//! files, study model, frames, modality values. (CT's values: beside its generator.)

use dokuei::dicom::{LocalTree, Object, open_tree};

use dokuei::imaging::Frame;
use dokuei::phantom::{DEFAULT_BASE_DATE, ImagePlace, RegionTruth, Scale, StudyTruth, write_some};
use dokuei::study::{FrameIndex, Instance, Laterality};
use glam::DVec3;

/// A study on disk, and what is known of it.
struct Written {
    truth: StudyTruth,
    tree: LocalTree,
    _folder: tempfile::TempDir,
}

fn write(key: &str, scale: Scale) -> Written {
    let folder = tempfile::tempdir().expect("folder");
    let mut truth = write_some(folder.path(), DEFAULT_BASE_DATE, scale, &|k| k == key, &|_| {}).expect("written");
    let mut tree = open_tree(&[folder.path().to_owned()], true);
    assert_eq!(tree.studies.len(), 1);
    // The truth itself is no DICOM.
    tree.not_shown.retain(|n| !n.what.ends_with("truth.json"));
    assert!(tree.not_shown.is_empty(), "{:?}", tree.not_shown);
    Written { truth: truth.studies.remove(0), tree, _folder: folder }
}

impl Written {
    fn instances(&self, series_uid: &str) -> &[Instance] {
        let series = self.tree.studies[0].series.iter().find(|s| s.uid.as_str() == series_uid);
        &series.expect("a series of the truth").instances
    }

    fn frame(&self, instance: &Instance, index: u32) -> Frame {
        let file = &self.tree.files[instance.uid.as_str()].file;
        Object::read(file.path()).expect("reads").frame(FrameIndex(index)).expect("decodes")
    }

    /// Modality values of a series' pixels within `radius_mm` of a place in the patient; of one b-value where given.
    fn sphere(&self, series_uid: &str, b: Option<f64>, region: &RegionTruth) -> Vec<f64> {
        let centre = DVec3::from_array(region.centre_mm.expect("a place in the patient"));
        let mut inside = Vec::new();
        for instance in self.instances(series_uid) {
            let info = &instance.frame_info[0];
            let plane = info.plane.expect("a plane");
            let near = (plane.normal().dot(centre - plane.patient_from_pixel(0.0, 0.0))).abs() < region.core_radius_mm;
            if !near || (b.is_some() && info.b_value != b) {
                continue;
            }
            let frame = self.frame(instance, 0);
            for row in 0..frame.rows {
                for column in 0..frame.columns {
                    let at = plane.patient_from_pixel(f64::from(column), f64::from(row));
                    if at.distance(centre) < region.core_radius_mm {
                        inside.push(frame.modality_value(column, row).expect("a pixel"));
                    }
                }
            }
        }
        assert!(inside.len() >= 8, "{}: {} pixels", region.kind, inside.len());
        inside
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Within the noise (which is correlated: a region counts for about a quarter of its pixels) and the tissue's own texture.
fn stated(what: &str, values: &[f64], expected: f64, noise: f64) {
    let tolerance = 3.0 * noise / (values.len() as f64 / 4.0).sqrt() + 0.04 * expected;
    let found = mean(values);
    assert!((found - expected).abs() < tolerance, "{what}: {found}, stated {expected} ± {tolerance}");
}

/// Mono-exponential, 1e-6 mm²/s.
fn adc(b0: &[f64], high: &[f64], b: f64) -> f64 {
    (mean(b0) / mean(high)).ln() / b * 1e6
}

fn noise_of(study: &StudyTruth, series_uid: &str) -> f64 {
    study.series.iter().find(|s| s.series_uid == series_uid).and_then(|s| s.noise_sd).expect("stated")
}

#[test]
fn the_infarct_has_its_signals_and_its_adc() {
    let brain = write("mr-brain", Scale::Full);
    let infarct = &brain.truth.lesions[0];
    assert_eq!((infarct.kind.as_str(), infarct.values.len()), ("acute_infarct", 4));
    for value in &infarct.values {
        let values = brain.sphere(&value.series_uid, None, infarct);
        // A pixel of the map is the logarithm of two noisy ones.
        let noise = if value.unit == "1" { noise_of(&brain.truth, &value.series_uid) } else { 0.06 * value.mean };
        stated(&format!("{} {}", value.series_uid, value.unit), &values, value.mean, noise);
    }
    // And by hand from the two b-values of the diffusion series.
    let diffusion = brain.truth.series.iter().find(|s| s.description.contains("DWI")).expect("diffusion");
    let of = |b| brain.sphere(&diffusion.series_uid, Some(b), infarct);
    let (found, expected) = (adc(&of(0.0), &of(1000.0), 1000.0), infarct.values[3].mean);
    assert!((found / expected - 1.0).abs() < 0.06, "{found}, stated {expected}");
}

#[test]
fn the_bone_lesions_have_their_signals_and_their_adc() {
    let body = write("dwibs", Scale::Full);
    assert_eq!(body.truth.lesions.len(), 2);
    for lesion in &body.truth.lesions {
        let [b0, high, diffusion] = &lesion.values[..] else { panic!("{:?}", lesion.values) };
        let of = |value: &dokuei::phantom::ValueTruth, b| body.sphere(&value.series_uid, Some(b), lesion);
        let (low, bright) = (of(b0, 0.0), of(high, 800.0));
        stated("b = 0", &low, b0.mean, noise_of(&body.truth, &b0.series_uid));
        stated("b = 800", &bright, high.mean, noise_of(&body.truth, &high.series_uid));
        let found = adc(&low, &bright, 800.0);
        assert_eq!(diffusion.unit, "1e-6 mm2/s");
        assert!((found / diffusion.mean - 1.0).abs() < 0.08, "{}: {found}, stated {}", lesion.name, diffusion.mean);
    }
}

/// Values within `radius` of a place in an image, and those of a ring around it from two to three radii; pixels.
fn disc_and_ring(frame: &Frame, place: &ImagePlace, radius: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut disc, mut ring) = (Vec::new(), Vec::new());
    for row in 0..frame.rows {
        for column in 0..frame.columns {
            let away = (f64::from(column) - place.column).hypot(f64::from(row) - place.row) / radius;
            let value = frame.modality_value(column, row).expect("a pixel");
            if away < 1.0 {
                disc.push(value);
            } else if (2.0..3.0).contains(&away) {
                ring.push(value);
            }
        }
    }
    (disc, ring)
}

fn highest(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * (1.0 - share)) as usize]
}

#[test]
fn mass_and_calcifications_lie_where_and_on_the_side_that_is_stated() {
    let breasts = write("mmg-current", Scale::Full);
    let all: Vec<&Instance> = breasts.tree.studies[0].series.iter().flat_map(|s| &s.instances).collect();
    let sides: Vec<_> = all.iter().map(|i| (i.laterality, i.view.clone().unwrap_or_default())).collect();
    for side in [Laterality::L, Laterality::R] {
        for view in ["CC", "MLO"] {
            assert!(sides.contains(&(Some(side), view.to_owned())), "{side:?} {view}: {sides:?}");
        }
    }
    for instance in &all {
        // Air at the edge away from the chest wall, breast at the other: back to back.
        let frame = breasts.frame(instance, 0);
        let edge = |column: u32| {
            let rows = frame.rows / 3..frame.rows * 2 / 3;
            mean(&rows.map(|row| frame.modality_value(column, row).expect("a pixel")).collect::<Vec<_>>())
        };
        let (first, last) = (edge(4), edge(frame.columns - 5));
        let (wall, air) = if instance.laterality == Some(Laterality::L) { (first, last) } else { (last, first) };
        assert!(air < 100.0 && wall > 1000.0, "{:?}: {wall} at the wall, {air} away from it", instance.laterality);
    }
    for lesion in &breasts.truth.lesions {
        assert_eq!(lesion.images.len(), 2, "{}: in both views", lesion.kind);
        for place in &lesion.images {
            let instance = all.iter().find(|i| i.uid.as_str() == place.sop_instance_uid).expect("an image");
            let side = if lesion.kind == "breast_mass" { Laterality::L } else { Laterality::R };
            assert_eq!(instance.laterality, Some(side), "{}", lesion.kind);
            let spacing = instance.frame_info[0].spacing_mm.expect("imager spacing")[0];
            let frame = breasts.frame(instance, 0);
            let (disc, ring) = disc_and_ring(&frame, place, lesion.size_mm[0] / 2.0 / spacing);
            if lesion.kind == "breast_mass" {
                assert!(mean(&disc) > mean(&ring) + 500.0, "{} in {}", mean(&disc), mean(&ring));
            } else {
                // Specks: few pixels, nine times the noise above all that is around.
                let (specks, around) = (highest(&disc, 0.005), highest(&ring, 0.005));
                assert!(specks > around + 1000.0, "{specks} among {around}");
                assert!((mean(&disc) - mean(&ring)).abs() < 1500.0, "no mass");
            }
        }
    }
}

#[test]
fn the_nodule_of_the_plain_film_is_denser_than_its_surroundings() {
    let chest = write("cr-chest", Scale::Small);
    let nodule = &chest.truth.lesions[0];
    let instance = &chest.instances(&chest.truth.series[0].series_uid)[0];
    let spacing = instance.frame_info[0].spacing_mm.expect("imager spacing")[0];
    let frame = chest.frame(instance, 0);
    let (disc, ring) = disc_and_ring(&frame, &nodule.images[0], nodule.core_radius_mm / spacing);
    // MONOCHROME1: what stops more rays has the lower value.
    assert_eq!(instance.photometric, "MONOCHROME1");
    assert!(mean(&disc) < mean(&ring) - 15.0, "{} in {}", mean(&disc), mean(&ring));
}

#[test]
fn the_cine_run_moves_and_the_positions_differ() {
    let stomach = write("rf-stomach", Scale::Small);
    let mut single = Vec::new();
    let mut runs = 0;
    for series in &stomach.truth.series {
        let instances = stomach.instances(&series.series_uid);
        let frames: u32 = instances.iter().map(|i| i.frames).sum();
        assert_eq!((instances.len(), frames as usize), (series.instances, series.frames), "{}", series.description);
        for instance in instances {
            let pictures: Vec<Frame> = (0..instance.frames).map(|n| stomach.frame(instance, n)).collect();
            if instance.frames > 1 {
                runs += 1;
                assert!(instance.frame_info[0].cine_rate_hz.is_some_and(|hz| hz > 0.0));
                assert!(pictures.windows(2).all(|two| apart(&two[0], &two[1]) > 0.5), "a run that stands still");
            } else {
                single.extend(pictures);
            }
        }
    }
    assert!(runs == 1 && single.len() >= 4, "{runs} runs, {} films", single.len());
    for (n, a) in single.iter().enumerate() {
        assert!(single[n + 1..].iter().all(|b| a.rows != b.rows || apart(a, b) > 5.0), "film {n} is there twice");
    }
}

/// Mean difference of two pictures of one size.
fn apart(a: &Frame, b: &Frame) -> f64 {
    let count = a.pixels.len().min(b.pixels.len());
    let differences = (0..count).map(|i| (a.pixels.stored(i).unwrap_or(0.0) - b.pixels.stored(i).unwrap_or(0.0)).abs());
    differences.sum::<f64>() / count as f64
}
