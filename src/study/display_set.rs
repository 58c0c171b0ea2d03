//! Splits a series into display sets: what one viewport scrolls through. By attributes, never by
//! description text. Every frame is in exactly one set, or listed as not placed with the reason.

use super::geometry::{GeometryWarning, StackMeasures, measure};
use super::phase::{PhaseOf, Phases, Places, resolve};
use super::split::{Item, Part, SplitBy, split, unknown};
use super::traits::{Component, ImageKind, Mammogram, SideStatement};
use super::{FrameIndex, FrameInfo, Laterality, Series, SeriesUid, SopInstanceUid, Why};
use serde::{Deserialize, Serialize};

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
    /// Frames in scroll order (along the normal, within a place by phase; else by instance number).
    pub frames: Vec<FrameRef>,
    /// Per frame: place, spacing, windows; same length as `frames`.
    pub info: Vec<FrameInfo>,
    /// Distance between neighbouring slices (median), mm.
    pub slice_spacing_mm: Option<f64>,
    /// b-value shared by the frames (the most frequent one where effective values scatter).
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
    /// Why it is a set of its own, its phases, and what was measured of its stack.
    #[serde(default)]
    pub detail: SetDetail,
}

/// Why a set is as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetDetail {
    /// The rules that split it from others of its series.
    pub split_by: Vec<SplitBy>,
    /// Which phases of the series it is, outermost first; empty if it was not split by phase.
    pub phase: Vec<PhaseOf>,
    /// Phases that it scrolls through at each place, outermost first.
    pub phases: Vec<Phases>,
    /// What was measured.
    pub stack: StackMeasures,
    /// Kind of picture, where all frames agree.
    pub kind: Option<ImageKind>,
    /// Part of the complex signal, where not the magnitude.
    pub component: Component,
    /// Echo time shared by the frames, ms.
    pub echo_time_ms: Option<f64>,
    /// Statements of the side that contradict each other.
    pub side_conflict: Vec<SideStatement>,
    /// What a mammogram says of its view.
    pub mammogram: Option<Mammogram>,
    /// The display sets that it joins, from head to feet; empty unless it is a whole body made of stations.
    pub stations: Vec<DisplaySetId>,
}

/// A frame, or an instance without frames, that is in no display set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotPlaced {
    /// The instance.
    pub instance: SopInstanceUid,
    /// Why, for people.
    pub reason: String,
}

/// A series as display sets, and what is in none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grouping {
    /// Sets in the order of their first instance numbers.
    pub sets: Vec<DisplaySet>,
    /// Instances in no set.
    pub not_placed: Vec<NotPlaced>,
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

/// Display sets of a series; see [`group`].
pub fn display_sets(series: &Series) -> Vec<DisplaySet> {
    group(series).sets
}

/// Places every frame of a series in exactly one display set, or lists its instance with the reason.
pub fn group(series: &Series) -> Grouping {
    let mut items = Vec::new();
    let mut not_placed = Vec::new();
    for (place, instance) in series.instances.iter().enumerate() {
        let reason = match &instance.not_an_image {
            Some(reason) => Some(reason.clone()),
            None if instance.frames == 0 => Some(Why::NoFrame.sentence().to_owned()),
            None => None,
        };
        if let Some(reason) = reason {
            not_placed.push(NotPlaced { instance: instance.uid.clone(), reason });
            continue;
        }
        items.extend((0..instance.frames).map(|frame| {
            let info = instance.frame(frame).unwrap_or(unknown());
            Item { place, frame, instance, info }
        }));
    }
    if items.is_empty() {
        return Grouping { sets: Vec::new(), not_placed };
    }
    let mut parts: Vec<Part<'_>> = split(series, items).into_iter().flat_map(|part| resolve(series, part)).collect();
    // As the modality numbered the first members; the sort keeps the rules' order (b-value, echo, phase) among equals.
    let first = |part: &Part<'_>| part.items.iter().map(|i| i.instance.number.unwrap_or(i32::MAX)).min();
    parts.sort_by_key(first);
    let many = parts.len() > 1;
    let sets = parts.into_iter().zip(0..).map(|(part, index)| build(series, index, part, many)).collect();
    Grouping { sets, not_placed }
}

/// The value that all items share.
fn same<'a, T: PartialEq>(items: &[Item<'a>], value: impl Fn(&Item<'a>) -> Option<T>) -> Option<T> {
    let first = value(items.first()?)?;
    items.iter().all(|i| value(i).as_ref() == Some(&first)).then_some(first)
}

fn build(series: &Series, index: u32, part: Part<'_>, many: bool) -> DisplaySet {
    let places = Places::of(&part.items);
    let order = scroll_order(&part, places.as_ref());
    let items: Vec<Item<'_>> = order.iter().filter_map(|n| part.items.get(*n).copied()).collect();
    let phases = part.inner.as_ref().map_or_else(Vec::new, |inner| inner.axes.clone());
    let per_place = phases.iter().map(|p| p.count as usize).product();
    let infos: Vec<FrameInfo> = items.iter().map(|i| i.info.clone()).collect();
    let place_of: Option<Vec<u32>> = places.map(|p| order.iter().filter_map(|n| p.of.get(*n).copied()).collect());
    let tomographic = matches!(series.modality.as_str(), "CT" | "MR" | "PT" | "NM");
    let (slice_spacing_mm, mut warnings, stack) = measure(&infos, place_of.as_deref(), per_place, tomographic);
    let frame_of_reference = same(&items, |i| i.instance.frame_of_reference.clone());
    if frame_of_reference.is_none() && items.len() > 1 {
        let distinct: std::collections::BTreeSet<_> =
            items.iter().map(|i| i.instance.frame_of_reference.as_deref()).collect();
        if distinct.len() > 1 {
            warnings.push(GeometryWarning::SeveralReferences { count: distinct.len() });
        }
    }
    let laterality = same(&items, |i| i.instance.laterality);
    let view = same(&items, |i| i.instance.view.clone());
    let first = items.first().map(|i| i.instance);
    let detail = SetDetail {
        split_by: part.split_by.iter().copied().collect(),
        phase: part.phase.clone(),
        phases,
        stack,
        kind: same(&items, |i| i.info.traits.kind),
        component: items.first().map(|i| i.info.traits.component).unwrap_or_default(),
        echo_time_ms: same(&items, |i| i.info.echo_time_ms),
        side_conflict: items
            .iter()
            .map(|i| &i.instance.traits.side_conflict)
            .find(|c| !c.is_empty())
            .cloned()
            .unwrap_or_default(),
        mammogram: first.and_then(|i| i.traits.mammogram.as_deref().cloned()),
        stations: Vec::new(),
    };
    let b_value = common_b_value(&items);
    DisplaySet {
        id: DisplaySetId { series: series.uid.clone(), index },
        modality: series.modality.clone(),
        label: label(series, &detail, b_value, laterality, view.as_deref(), many, index),
        rows: first.map_or(0, |i| i.rows),
        columns: first.map_or(0, |i| i.columns),
        frames: items
            .iter()
            .map(|i| FrameRef { instance: i.instance.uid.clone(), frame: FrameIndex(i.frame) })
            .collect(),
        info: infos,
        slice_spacing_mm,
        b_value,
        laterality,
        patient_orientation: same(&items, |i| i.instance.patient_orientation.clone()),
        frame_of_reference,
        view,
        warnings,
        detail,
    }
}

/// By place along the normal, within a place by phase; without places by instance number. The direction is the one in
/// which the modality numbered the slices.
fn scroll_order(part: &Part<'_>, places: Option<&Places>) -> Vec<usize> {
    let number = |n: usize| part.items.get(n).map(|i| (i.instance.number.unwrap_or(i32::MAX), i.place, i.frame));
    let phase = |n: usize| part.inner.as_ref().and_then(|inner| inner.keys.get(n));
    let mut order: Vec<usize> = (0..part.items.len()).collect();
    let Some(places) = places else {
        order.sort_by(|a, b| phase(*a).cmp(&phase(*b)).then(number(*a).cmp(&number(*b))));
        return order;
    };
    let place = |n: usize| places.of.get(n).copied().unwrap_or(0);
    let lowest = |wanted: u32| order.iter().copied().filter(|n| place(*n) == wanted).filter_map(number).min();
    let last = places.count.saturating_sub(1) as u32;
    let down = places.count > 1 && lowest(0) > lowest(last);
    order.sort_by(|a, b| {
        let by_place = place(*a).cmp(&place(*b));
        let by_place = if down { by_place.reverse() } else { by_place };
        by_place.then(phase(*a).cmp(&phase(*b))).then(number(*a).cmp(&number(*b)))
    });
    order
}

/// The most frequent b-value (of equals the smallest).
fn common_b_value(items: &[Item<'_>]) -> Option<f64> {
    let mut counts = std::collections::BTreeMap::<i64, usize>::new();
    for b in items.iter().filter_map(|i| i.info.b_value) {
        *counts.entry(b.round() as i64).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, n)| *n == most).map(|(b, _)| b as f64)
}

fn label(
    series: &Series,
    detail: &SetDetail,
    b_value: Option<f64>,
    side: Option<Laterality>,
    view: Option<&str>,
    many: bool,
    index: u32,
) -> String {
    if series.modality == "MG"
        && let (Some(side), Some(view)) = (side, view)
    {
        return format!("{side:?}{view}");
    }
    let mut words: Vec<String> = vec![series.description.trim().to_owned()];
    words.retain(|w| !w.is_empty());
    let plain = words.len();
    words.extend(detail.kind.map(|k| k.label().to_owned()));
    match detail.component {
        Component::Magnitude => {}
        Component::Phase => words.push("PHASE".into()),
        Component::Real => words.push("REAL".into()),
        Component::Imaginary => words.push("IMAG".into()),
    }
    if let Some(b) = b_value
        && !matches!(detail.kind, Some(kind) if kind != ImageKind::Trace)
    {
        words.push(format!("b{b}"));
    }
    if detail.split_by.contains(&SplitBy::EchoTime)
        && let Some(echo) = detail.echo_time_ms
    {
        words.push(format!("TE{}", (echo * 10.0).round() / 10.0));
    }
    words.extend(detail.phase.iter().map(|p| format!("{}/{}", p.index + 1, p.count)));
    if many && words.len() == plain {
        words.push(format!("#{}", index + 1));
    }
    if words.is_empty() { series.modality.clone() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::super::{ImagePlane, Instance};
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
            traits: super::super::InstanceTraits::default(),
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
            vec![instance(1, 0.0, None), instance(2, 1.0, None), instance(3, 1.0, None), instance(4, 3.5, None)],
        );
        let set = display_sets(&s).remove(0);
        assert!(set.warnings.contains(&GeometryWarning::DuplicatePositions { count: 1 }));
        assert!(set.warnings.contains(&GeometryWarning::VariableSpacing { smallest_mm: 1.0, largest_mm: 2.5 }));
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
