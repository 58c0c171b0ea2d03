//! Splits a series into display sets: what one viewport scrolls through. By attributes, never by
//! description text. Every frame with pixels lands in exactly one set.

use super::{FrameIndex, FrameInfo, Instance, Laterality, Series, SeriesUid, SopInstanceUid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A display set's name: its series and its number among the series' sets. Stable for the same
/// set of instances; not stable while instances still arrive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DisplaySetId {
    /// The series it was split from.
    pub series: SeriesUid,
    /// Place among that series' display sets, from 0.
    pub index: u32,
}

/// One frame of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FrameRef {
    /// The instance.
    pub instance: SopInstanceUid,
    /// The frame in it.
    pub frame: FrameIndex,
}

/// What is irregular about the geometry, in mm, for the reader to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum GeometryWarning {
    /// Slice distances differ: smallest and largest, mm.
    VariableSpacing {
        /// Smallest distance between neighbours, mm.
        smallest_mm: f64,
        /// Largest distance between neighbours, mm.
        largest_mm: f64,
    },
    /// Several frames lie at one position.
    DuplicatePositions {
        /// How many frames share another's position.
        count: usize,
    },
    /// Origins run obliquely to the normal (gantry tilt), degrees.
    Tilt {
        /// Angle between the line of origins and the normal, degrees.
        degrees: f64,
    },
    /// Frames without a place in the patient; sorted by instance number.
    NoGeometry,
}

/// What one viewport shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisplaySet {
    /// Its name.
    pub id: DisplaySetId,
    /// Modality of the series.
    pub modality: String,
    /// Series description plus what sets this split apart (b-value, echo), for people.
    pub label: String,
    /// Rows and columns, the same for all frames.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Frames in scroll order (along the normal, else by instance number).
    pub frames: Vec<FrameRef>,
    /// Per frame: place, spacing, windows; same length as `frames`.
    pub info: Vec<FrameInfo>,
    /// Distance between neighbouring slices (median), mm.
    pub slice_spacing_mm: Option<f64>,
    /// b-value shared by the frames.
    pub b_value: Option<f64>,
    /// Side shown, where all frames agree.
    pub laterality: Option<Laterality>,
    /// View label (mammography), where all frames agree.
    pub view: Option<String>,
    /// Patient Orientation (right edge, bottom edge), where all frames agree.
    pub patient_orientation: Option<[String; 2]>,
    /// Frame of Reference UID.
    pub frame_of_reference: Option<String>,
    /// What is irregular.
    pub warnings: Vec<GeometryWarning>,
}

impl DisplaySet {
    /// Index of the frame nearest to a patient position, by distance along the normal.
    pub fn nearest_frame(&self, patient_mm: glam::DVec3) -> Option<usize> {
        let normal = self.info.iter().find_map(|i| i.plane.as_ref())?.normal();
        let wanted = patient_mm.dot(normal);
        let distance = |i: &FrameInfo| i.plane.as_ref().map(|p| (p.position_mm.dot(normal) - wanted).abs());
        (0..self.info.len())
            .filter_map(|k| distance(&self.info[k]).map(|d| (k, d)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(k, _)| k)
    }

    /// Row and column spacing of a frame in mm, from its plane or else the projection spacing.
    pub fn spacing_mm(&self, frame: usize) -> Option<[f64; 2]> {
        let info = self.info.get(frame)?;
        info.plane.as_ref().map(|p| p.spacing_mm).or(info.spacing_mm)
    }
}

/// What frames must share to be scrolled together. Floats are rounded so that they compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SplitKey {
    rows: u32,
    columns: u32,
    color: bool,
    localizer: bool,
    derived_map: String,
    orientation: Option<[i32; 6]>,
    b_value: Option<i64>,
    echo_time: Option<i64>,
    /// Each mammogram and each cine run stands alone.
    alone: Option<usize>,
}

/// Splits a series. Instances without pixels are left out (they are the ledger's and other views' business).
pub fn display_sets(series: &Series) -> Vec<DisplaySet> {
    let mut groups: BTreeMap<SplitKey, Vec<(usize, u32)>> = BTreeMap::new();
    let mut first_seen: BTreeMap<SplitKey, usize> = BTreeMap::new();
    for (place, instance) in series.instances.iter().enumerate() {
        if instance.not_an_image.is_some() {
            continue;
        }
        for frame in 0..instance.frames {
            let key = split_key(series, place, instance, frame);
            first_seen.entry(key.clone()).or_insert(place);
            groups.entry(key).or_default().push((place, frame));
        }
    }
    let mut ordered: Vec<_> = groups.into_iter().collect();
    // Order of sets: as the first member was numbered by the modality, then by key for stability.
    ordered.sort_by_key(|(key, _)| {
        let place = first_seen.get(key).copied().unwrap_or(usize::MAX);
        (series.instances.get(place).and_then(|i| i.number).unwrap_or(i32::MAX), key.clone())
    });
    let many = ordered.len() > 1;
    ordered
        .into_iter()
        .enumerate()
        .map(|(index, (key, members))| build(series, index as u32, &key, members, many))
        .collect()
}

fn split_key(series: &Series, place: usize, instance: &Instance, frame: u32) -> SplitKey {
    let info = instance.frame(frame);
    let plane = info.and_then(|i| i.plane.as_ref());
    let milli = |v: f64| (v * 1000.0).round() as i32;
    let type_value = |n: usize| instance.image_type.get(n).map(|s| s.trim().to_ascii_uppercase());
    let localizer = type_value(2).as_deref() == Some("LOCALIZER");
    // Calculated maps (ADC, FA, TRACEW …) are marked in values 3 and 4 of Image Type of MR.
    let derived_map = if series.modality == "MR" {
        (2..instance.image_type.len())
            .filter_map(type_value)
            .find(|v| {
                ["ADC", "FA", "TRACEW", "EXP", "IN_PHASE", "OUT_PHASE", "OPP_PHASE", "WATER", "FAT"]
                    .contains(&v.as_str())
            })
            .unwrap_or_default()
    } else {
        String::new()
    };
    let alone = series.modality == "MG" || (instance.frames > 1 && plane.is_none());
    SplitKey {
        rows: instance.rows,
        columns: instance.columns,
        color: !instance.photometric.starts_with("MONOCHROME"),
        localizer,
        derived_map,
        orientation: plane.map(|p| p.orientation().map(|v| milli((v * 100.0).round() / 100.0))),
        b_value: info.and_then(|i| i.b_value).map(|b| b.round() as i64),
        echo_time: if series.modality == "MR" {
            info.and_then(|i| i.echo_time_ms).map(|t| (t * 10.0).round() as i64)
        } else {
            None
        },
        alone: alone.then_some(place),
    }
}

fn build(series: &Series, index: u32, key: &SplitKey, mut members: Vec<(usize, u32)>, many: bool) -> DisplaySet {
    let instance = |m: &(usize, u32)| &series.instances[m.0];
    let info = |m: &(usize, u32)| instance(m).frame(m.1).cloned().unwrap_or_default();
    let normal = members.iter().find_map(|m| info(m).plane).map(|p| p.normal());
    let located = normal.is_some() && members.iter().all(|m| info(m).plane.is_some());
    let along = |m: &(usize, u32)| match (normal, info(m).plane) {
        (Some(n), Some(p)) if located => p.position_mm.dot(n),
        _ => 0.0,
    };
    let mut keyed: Vec<(f64, i32, (usize, u32))> =
        members.drain(..).map(|m| (along(&m), instance(&m).number.unwrap_or(i32::MAX), m)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    // Scroll from head to feet for axial-like stacks, as the modality numbers them where it does so:
    // if instance numbers run against the normal, turn the stack round.
    if located && keyed.len() > 1 && keyed.first().map(|k| k.1) > keyed.last().map(|k| k.1) {
        keyed.reverse();
    }
    let members: Vec<(usize, u32)> = keyed.iter().map(|k| k.2).collect();
    let infos: Vec<FrameInfo> = members.iter().map(info).collect();
    let (slice_spacing_mm, warnings) = measure(&infos, located, series);
    let same = |f: &dyn Fn(&Instance) -> Option<String>| {
        let first = members.first().and_then(|m| f(instance(m)));
        members.iter().all(|m| f(instance(m)) == first).then_some(first).flatten()
    };
    let laterality = members.first().and_then(|m| instance(m).laterality);
    let laterality = laterality.filter(|l| members.iter().all(|m| instance(m).laterality == Some(*l)));
    let orientation = members.first().and_then(|m| instance(m).patient_orientation.clone());
    let view = same(&|i| i.view.clone());
    DisplaySet {
        id: DisplaySetId { series: series.uid.clone(), index },
        modality: series.modality.clone(),
        label: label(series, key, laterality, view.as_deref(), many, index),
        rows: key.rows,
        columns: key.columns,
        frames: members
            .iter()
            .map(|m| FrameRef { instance: instance(m).uid.clone(), frame: FrameIndex(m.1) })
            .collect(),
        info: infos,
        slice_spacing_mm,
        b_value: key.b_value.map(|b| b as f64),
        laterality,
        patient_orientation: orientation
            .filter(|o| members.iter().all(|m| instance(m).patient_orientation.as_ref() == Some(o))),
        frame_of_reference: same(&|i| i.frame_of_reference.clone()),
        view,
        warnings,
    }
}

fn label(
    series: &Series,
    key: &SplitKey,
    side: Option<Laterality>,
    view: Option<&str>,
    many: bool,
    index: u32,
) -> String {
    let mut text = series.description.trim().to_owned();
    if series.modality == "MG"
        && let (Some(side), Some(view)) = (side, view)
    {
        return format!("{side:?}{view}");
    }
    let mut add = |part: String| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&part);
    };
    if !key.derived_map.is_empty() {
        add(key.derived_map.clone());
    } else if let Some(b) = key.b_value {
        add(format!("b{b}"));
    } else if many {
        add(format!("#{}", index + 1));
    }
    if text.is_empty() {
        text.clone_from(&series.modality);
    }
    text
}

fn measure(infos: &[FrameInfo], located: bool, series: &Series) -> (Option<f64>, Vec<GeometryWarning>) {
    let mut warnings = Vec::new();
    let tomographic = matches!(series.modality.as_str(), "CT" | "MR" | "PT" | "NM");
    let planes: Vec<_> = infos.iter().filter_map(|i| i.plane).collect();
    if !located || planes.is_empty() {
        if tomographic && infos.len() > 1 {
            warnings.push(GeometryWarning::NoGeometry);
        }
        return (None, warnings);
    }
    let normal = planes[0].normal();
    let steps: Vec<f64> = planes.windows(2).map(|w| (w[1].position_mm - w[0].position_mm).dot(normal).abs()).collect();
    let duplicates = steps.iter().filter(|s| **s < 1e-3).count();
    if duplicates > 0 {
        warnings.push(GeometryWarning::DuplicatePositions { count: duplicates });
    }
    let mut sorted: Vec<f64> = steps.iter().copied().filter(|s| *s >= 1e-3).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&smallest_mm), Some(&largest_mm)) = (sorted.first(), sorted.last()) else {
        return (None, warnings);
    };
    let median = sorted[sorted.len() / 2];
    if largest_mm - smallest_mm > 0.01_f64.max(0.01 * median) {
        warnings.push(GeometryWarning::VariableSpacing { smallest_mm, largest_mm });
    }
    if let (Some(a), Some(b)) = (planes.first(), planes.last()) {
        let line = b.position_mm - a.position_mm;
        if line.length() > 1e-3 {
            let cosine = (line.normalize().dot(normal)).abs().min(1.0);
            let degrees = cosine.acos().to_degrees();
            if degrees > 0.5 {
                warnings.push(GeometryWarning::Tilt { degrees });
            }
        }
    }
    (Some(median), warnings)
}

#[cfg(test)]
mod tests {
    use super::super::ImagePlane;
    use super::*;

    fn instance(n: i32, z: f64, b: Option<f64>) -> Instance {
        Instance {
            uid: SopInstanceUid::new(&format!("1.2.{n}")).expect("uid"),
            sop_class: String::new(),
            transfer_syntax: None,
            number: Some(n),
            rows: 4,
            columns: 4,
            frames: 1,
            image_type: vec![],
            photometric: "MONOCHROME2".into(),
            frame_of_reference: Some("1.9".into()),
            acquisition_number: None,
            laterality: None,
            view: None,
            patient_orientation: None,
            frame_info: vec![FrameInfo {
                plane: ImagePlane::new([0.0, 0.0, z], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0]),
                b_value: b,
                ..FrameInfo::default()
            }],
            not_an_image: None,
        }
    }

    fn series(modality: &str, instances: Vec<Instance>) -> Series {
        Series {
            uid: SeriesUid::new("1.5").expect("uid"),
            modality: modality.into(),
            number: Some(1),
            description: "s".into(),
            body_part: String::new(),
            instances,
        }
    }

    #[test]
    fn b_values_split_and_positions_sort() {
        let s = series(
            "MR",
            vec![
                instance(1, 10.0, Some(0.0)),
                instance(2, 10.0, Some(800.0)),
                instance(3, 0.0, Some(0.0)),
                instance(4, 0.0, Some(800.0)),
            ],
        );
        let sets = display_sets(&s);
        assert_eq!(sets.len(), 2);
        assert_eq!(sets[1].b_value, Some(800.0));
        assert_eq!(sets[0].slice_spacing_mm, Some(10.0));
        // Numbered from head to feet: order follows the numbers, not +z.
        assert_eq!(sets[0].frames[0].instance.as_str(), "1.2.1");
        assert_eq!(sets.iter().map(|d| d.frames.len()).sum::<usize>(), 4);
    }

    #[test]
    fn irregular_spacing_and_duplicates_are_told() {
        let s = series(
            "CT",
            vec![instance(1, 0.0, None), instance(2, 1.0, None), instance(3, 1.0, None), instance(4, 4.0, None)],
        );
        let set = display_sets(&s).remove(0);
        assert!(set.warnings.contains(&GeometryWarning::DuplicatePositions { count: 1 }));
        assert!(set.warnings.contains(&GeometryWarning::VariableSpacing { smallest_mm: 1.0, largest_mm: 3.0 }));
        assert_eq!(set.nearest_frame(glam::DVec3::new(0.0, 0.0, 3.5)), Some(3));
    }

    #[test]
    fn mammograms_and_cine_stand_alone() {
        assert_eq!(display_sets(&series("MG", vec![instance(1, 0.0, None), instance(2, 0.0, None)])).len(), 2);
        let mut cine = instance(1, 0.0, None);
        cine.frames = 30;
        cine.frame_info = vec![FrameInfo::default()];
        let sets = display_sets(&series(
            "RF",
            vec![cine, {
                let mut i = instance(2, 0.0, None);
                i.frame_info = vec![FrameInfo::default()];
                i
            }],
        ));
        assert_eq!(sets.iter().map(|s| s.frames.len()).collect::<Vec<_>>(), vec![30, 1]);
    }
}
