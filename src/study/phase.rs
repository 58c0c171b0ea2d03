//! Frames that repeat the same places: which attribute tells them apart (time, echo, direction …), and whether each
//! phase becomes a set of its own or one set scrolls through all.
//!
//! The choice: as many slices as phases or more, and few phases: a set per phase, each a volume. Else, and always for
//! the heart in MR and for frames of one run: one set, ordered by place and within a place by phase, so that scrolling
//! runs through time before it goes to the next slice. An attribute that differs without repeating places (table
//! positions, trigger times of an arrhythmia, one acquisition number per slice) never splits.

use super::split::{Item, Part, SplitBy, divide};
use super::{FrameTraits, Series};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The attribute that tells repeated places apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PhaseAxis {
    /// Echo Number.
    Echo,
    /// Echo time of a decay curve.
    EchoTime,
    /// Inversion Time.
    InversionTime,
    /// Direction of diffusion weighting.
    Direction,
    /// Temporal Position Identifier or Index.
    TemporalPosition,
    /// Nominal Percentage of Cardiac Phase.
    CardiacPhase,
    /// Values of Image Type.
    ImageType,
    /// Contrast/Bolus Agent or phase.
    Contrast,
    /// Convolution kernel, or the kind of sequence.
    Technique,
    /// Slice Thickness.
    Thickness,
    /// Another dimension of the object.
    Dimension,
    /// Trigger time, by rank at each place.
    TriggerTime,
    /// Time offset, by rank at each place.
    TimeOffset,
    /// Acquisition Number.
    Acquisition,
    /// Acquisition time, by rank at each place.
    AcquisitionTime,
    /// Order of the frames in their object.
    FrameOrder,
    /// Nothing but the instance numbers: the whole stack comes several times.
    Repeat,
}

/// Which phase a set is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseOf {
    /// The attribute.
    pub axis: PhaseAxis,
    /// Place among the phases, from 0.
    pub index: u32,
    /// Number of phases.
    pub count: u32,
    /// The attribute's value, where it has one.
    pub value: Option<String>,
}

/// Phases that one set scrolls through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// The attribute.
    pub axis: PhaseAxis,
    /// Number of phases.
    pub count: u32,
}

/// Phases within a part.
#[derive(Clone, Default)]
pub(super) struct Inner {
    pub(super) axes: Vec<Phases>,
    /// For each item its phase on each axis.
    pub(super) keys: Vec<Vec<u32>>,
}

/// Places of a part's items along its normal.
pub(super) struct Places {
    /// For each item the number of its place, ascending along the normal.
    pub(super) of: Vec<u32>,
    /// For each item mm along the normal.
    pub(super) along_mm: Vec<f64>,
    pub(super) count: usize,
}

/// Positions nearer than this are one place, mm (less where the slices lie closer still).
const SAME_PLACE_MM: f64 = 0.05;

impl Places {
    /// `None` where a frame has no place, or directions differ.
    pub(super) fn of(items: &[Item<'_>]) -> Option<Self> {
        let first = items.first()?.info.plane;
        let mut along_mm = Vec::with_capacity(items.len());
        for item in items {
            let along = match (first, item.info.plane) {
                (Some(first), Some(plane)) if plane.normal().dot(first.normal()) > 0.999 => {
                    plane.position_mm.dot(first.normal())
                }
                (None, None) => f64::from(item.info.traits.along_mm?),
                _ => return None,
            };
            along_mm.push(along);
        }
        let mut order: Vec<usize> = (0..items.len()).collect();
        let at = |n: &usize| along_mm.get(*n).copied().unwrap_or(0.0);
        order.sort_by(|a, b| at(a).total_cmp(&at(b)));
        let mut steps: Vec<f64> = order.windows(2).map(|w| at(&w[1]) - at(&w[0])).filter(|s| *s > 1e-4).collect();
        steps.sort_by(f64::total_cmp);
        let same = steps.get(steps.len() / 2).map_or(SAME_PLACE_MM, |median| SAME_PLACE_MM.min(0.25 * median));
        let mut of = vec![0u32; items.len()];
        let (mut place, mut start) = (0u32, order.first().map_or(0.0, at));
        for n in &order {
            if at(n) - start > same {
                place += 1;
                start = at(n);
            }
            if let Some(slot) = of.get_mut(*n) {
                *slot = place;
            }
        }
        Some(Self { of, along_mm, count: place as usize + 1 })
    }

    fn subset(&self, items: &[usize]) -> Vec<u32> {
        items.iter().filter_map(|n| self.of.get(*n).copied()).collect()
    }
}

/// Splits a part into sets per phase, or notes the phases within it.
pub(super) fn resolve<'a>(series: &Series, part: Part<'a>) -> Vec<Part<'a>> {
    let Some(places) = Places::of(&part.items) else { return vec![part] };
    let used: Vec<PhaseAxis> = part.phase.iter().map(|p| p.axis).collect();
    let Some(found) = find_axis(&part.items, &places, &used) else { return vec![part] };
    if separate(found.axis, &series.modality, places.count, found.count) {
        let Found { axis, classes, count, values } = found;
        let parts = divide(part, &classes, SplitBy::Phase);
        return parts
            .into_iter()
            .zip(0..)
            .flat_map(|(mut part, index)| {
                let value = values.get(index as usize).cloned().flatten();
                part.phase.push(PhaseOf { axis, index, count: count as u32, value });
                resolve(series, part)
            })
            .collect();
    }
    let mut inner = Inner { axes: Vec::new(), keys: vec![Vec::new(); part.items.len()] };
    let all: Vec<usize> = (0..part.items.len()).collect();
    nest(&part.items, &all, &used, Some(found), &mut inner);
    vec![Part { inner: Some(inner), ..part }]
}

/// Writes the phases of the items named by `members` (and, within them, of finer axes) into `inner`.
fn nest(items: &[Item<'_>], members: &[usize], used: &[PhaseAxis], found: Option<Found>, inner: &mut Inner) {
    let own: Vec<Item<'_>> = members.iter().filter_map(|n| items.get(*n).copied()).collect();
    let Some(found) = found.or_else(|| find_axis(&own, &Places::of(&own)?, used)) else { return };
    let depth = used.len();
    match inner.axes.iter_mut().find(|a| a.axis == found.axis) {
        Some(known) => known.count = known.count.max(found.count as u32),
        None => inner.axes.push(Phases { axis: found.axis, count: found.count as u32 }),
    }
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (n, class) in members.iter().zip(&found.classes) {
        groups.entry(*class).or_default().push(*n);
        if let Some(key) = inner.keys.get_mut(*n) {
            key.push(*class);
        }
    }
    let mut used = used.to_vec();
    used.push(found.axis);
    if depth < 3 {
        for members in groups.values() {
            nest(items, members, &used, None, inner);
        }
    }
}

/// A set per phase, or one set for all.
fn separate(axis: PhaseAxis, modality: &str, places: usize, phases: usize) -> bool {
    use PhaseAxis::{
        CardiacPhase, Contrast, Dimension, Direction, FrameOrder, ImageType, Repeat, Technique, Thickness, TriggerTime,
    };
    match axis {
        FrameOrder => false,
        CardiacPhase | TriggerTime if matches!(modality, "MR" | "US" | "XA" | "NM") => false,
        Direction | Repeat => places >= phases && phases <= 6,
        ImageType | Contrast | Technique | Thickness | Dimension => phases <= 20,
        _ => places >= phases && phases <= 20,
    }
}

struct Found {
    axis: PhaseAxis,
    classes: Vec<u32>,
    count: usize,
    values: Vec<Option<String>>,
}

/// A value that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
    Vector([i64; 3]),
    Pairs(Vec<(u32, u32)>),
}

impl Key {
    fn text(&self, scale: f64) -> String {
        match self {
            Self::Number(n) => format!("{}", *n as f64 / scale),
            Self::Text(text) => text.clone(),
            Self::Vector(v) => {
                let [x, y, z] = v.map(|c| c as f64 / 100.0);
                format!("({x:.2}, {y:.2}, {z:.2})")
            }
            Self::Pairs(pairs) => pairs.iter().map(|(_, v)| v.to_string()).collect::<Vec<_>>().join("."),
        }
    }
}

/// Axes by which frames are told apart, the ones that say most first.
const AXES: &[PhaseAxis] = &[
    PhaseAxis::Echo,
    PhaseAxis::EchoTime,
    PhaseAxis::InversionTime,
    PhaseAxis::Direction,
    PhaseAxis::TemporalPosition,
    PhaseAxis::CardiacPhase,
    PhaseAxis::Contrast,
    PhaseAxis::Technique,
    PhaseAxis::Thickness,
    PhaseAxis::ImageType,
    PhaseAxis::TriggerTime,
    PhaseAxis::TimeOffset,
    PhaseAxis::Dimension,
    PhaseAxis::Acquisition,
    PhaseAxis::AcquisitionTime,
];

/// Real numbers in steps of `1 / scale`.
fn scale(axis: PhaseAxis) -> f64 {
    match axis {
        PhaseAxis::EchoTime | PhaseAxis::Thickness | PhaseAxis::TriggerTime => 100.0,
        PhaseAxis::TimeOffset => 10.0,
        _ => 1.0,
    }
}

fn value(axis: PhaseAxis, item: &Item<'_>) -> Option<Key> {
    let traits: &FrameTraits = &item.info.traits;
    let real = |v: Option<f32>| v.map(|v| Key::Number((f64::from(v) * scale(axis)).round() as i64));
    match axis {
        PhaseAxis::Echo => traits.echo_number.map(|n| Key::Number(n.into())),
        PhaseAxis::EchoTime => real(item.info.echo_time_ms.map(|t| t as f32)),
        PhaseAxis::InversionTime => real(traits.inversion_ms),
        PhaseAxis::Direction => traits.gradient.map(|g| Key::Vector(g.map(|c| (f64::from(c) * 100.0).round() as i64))),
        PhaseAxis::TemporalPosition => traits.temporal_index.map(|n| Key::Number(n.into())),
        PhaseAxis::CardiacPhase => real(traits.cardiac_percent),
        PhaseAxis::ImageType => {
            let rest = item.instance.image_type.get(2..).unwrap_or_default();
            (!rest.is_empty()).then(|| Key::Text(rest.join("\\")))
        }
        PhaseAxis::Contrast => traits.contrast.as_deref().map(|t| Key::Text(t.to_owned())),
        PhaseAxis::Technique => traits.technique.as_deref().map(|t| Key::Text(t.to_owned())),
        PhaseAxis::Thickness => real(traits.thickness_mm),
        PhaseAxis::Dimension => (!traits.dimensions.is_empty()).then(|| Key::Pairs(traits.dimensions.clone())),
        PhaseAxis::TriggerTime => real(traits.trigger_ms),
        PhaseAxis::TimeOffset => real(traits.time_offset_ms),
        PhaseAxis::Acquisition => {
            traits.acquisition.or(item.instance.acquisition_number).map(|n| Key::Number(n.into()))
        }
        PhaseAxis::AcquisitionTime => traits.acquired_ms.map(Key::Number),
        PhaseAxis::FrameOrder | PhaseAxis::Repeat => None,
    }
}

fn ranked(axis: PhaseAxis) -> bool {
    matches!(axis, PhaseAxis::TriggerTime | PhaseAxis::TimeOffset | PhaseAxis::AcquisitionTime)
}

/// The first axis that tells the frames at repeated places apart.
fn find_axis(items: &[Item<'_>], places: &Places, used: &[PhaseAxis]) -> Option<Found> {
    let mut at_place = vec![0u32; places.count];
    for place in &places.of {
        if let Some(count) = at_place.get_mut(*place as usize) {
            *count += 1;
        }
    }
    let repeated = at_place.iter().filter(|n| **n > 1).count();
    let many = repeated >= 5 || repeated * 5 >= places.count;
    for axis in AXES.iter().copied().filter(|a| !used.contains(a)) {
        // Stacks shifted against each other by part of a slice repeat no place exactly, but everything.
        let shifted = matches!(axis, PhaseAxis::Acquisition | PhaseAxis::TemporalPosition | PhaseAxis::Contrast);
        if (repeated == 0 || !many) && !shifted {
            continue;
        }
        let values: Vec<Option<Key>> = items.iter().map(|i| value(axis, i)).collect();
        let distinct: BTreeSet<&Option<Key>> = values.iter().collect();
        if distinct.len() < 2 {
            continue;
        }
        let classes = if ranked(axis) || distinct.len() > 2000 {
            if repeated == 0 || values.iter().any(Option::is_none) {
                continue;
            }
            rank(&values, &places.of)
        } else {
            first_fit(items, &values, places, shifted, many)
        };
        let count = classes.iter().max().map_or(0, |m| *m as usize + 1);
        if count < 2 {
            continue;
        }
        let mut texts = vec![None; count];
        for (class, value) in classes.iter().zip(&values) {
            if let (Some(slot @ None), Some(value)) = (texts.get_mut(*class as usize), value) {
                *slot = Some(value.text(scale(axis)));
            }
        }
        return Some(Found { axis, classes, count, values: texts });
    }
    by_order(items, places, &at_place)
}

/// Without an attribute: frames of one object in their order; else whole stacks that come several times.
fn by_order(items: &[Item<'_>], places: &Places, at_place: &[u32]) -> Option<Found> {
    let times = at_place.first().copied()?;
    if times < 2 || at_place.iter().any(|n| *n != times) {
        return None;
    }
    let one_object = items.windows(2).all(|w| w[0].place == w[1].place);
    let order: Vec<(i32, usize, u32)> =
        items.iter().map(|i| (i.instance.number.unwrap_or(i32::MAX), i.place, i.frame)).collect();
    let axis = if one_object { PhaseAxis::FrameOrder } else { PhaseAxis::Repeat };
    let classes = rank(&order, &places.of);
    Some(Found { axis, classes, count: times as usize, values: vec![None; times as usize] })
}

/// Rank of each value among those at its place; equal values share a rank.
fn rank<K: Ord>(values: &[K], places: &[u32]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| (places[*a], &values[*a]).cmp(&(places[*b], &values[*b])));
    let mut classes = vec![0u32; values.len()];
    let mut rank = 0;
    for (n, at) in order.iter().enumerate() {
        if let Some(before) = n.checked_sub(1).map(|b| order[b]) {
            if places[before] != places[*at] {
                rank = 0;
            } else if values[before] != values[*at] {
                rank += 1;
            }
        }
        classes[*at] = rank;
    }
    classes
}

/// Takes the values in order; each goes to the first phase whose places it does not repeat. So acquisitions that
/// follow each other along the table share a phase, and acquisitions over the same places do not.
fn first_fit(items: &[Item<'_>], values: &[Option<Key>], places: &Places, shifted: bool, many: bool) -> Vec<u32> {
    let mut groups: BTreeMap<&Option<Key>, Vec<usize>> = BTreeMap::new();
    for (n, value) in values.iter().enumerate() {
        groups.entry(value).or_default().push(n);
    }
    let mut groups: Vec<(&Option<Key>, Vec<usize>)> = groups.into_iter().collect();
    // Numbers have an order of their own; directions and words come as the modality numbered them.
    let number = |n: &usize| items.get(*n).map(|i| (i.instance.number.unwrap_or(i32::MAX), i.place, i.frame));
    groups.sort_by_key(|(key, members)| match key {
        None | Some(Key::Number(_) | Key::Pairs(_)) => None,
        Some(Key::Text(_) | Key::Vector(_)) => members.iter().filter_map(number).min(),
    });
    let mut phases: Vec<(BTreeSet<u32>, Vec<usize>)> = Vec::new();
    let mut classes = vec![0u32; items.len()];
    for (_, members) in &groups {
        let own: BTreeSet<u32> = places.subset(members).into_iter().collect();
        let free = phases.iter().position(|(taken, others)| {
            let shared = own.iter().filter(|p| taken.contains(p)).count();
            let repeats = many && shared * 2 > own.len().min(taken.len());
            !(repeats || shifted && interleaves(items, places, members, others))
        });
        let phase = free.unwrap_or(phases.len());
        if phase == phases.len() {
            phases.push((BTreeSet::new(), Vec::new()));
        }
        if let Some((taken, others)) = phases.get_mut(phase) {
            taken.extend(own);
            others.extend(members);
        }
        for n in members {
            classes[*n] = phase as u32;
        }
    }
    classes
}

/// Two stacks, each whole by itself (its slices touch), lie between each other's slices. Passes that only together
/// fill the body (odd and even slices) do not.
fn interleaves(items: &[Item<'_>], places: &Places, a: &[usize], b: &[usize]) -> bool {
    const FEW: usize = 4;
    if a.len() < FEW || b.len() < FEW {
        return false;
    }
    let thickness = a.first().and_then(|n| items.get(*n)).and_then(|i| i.info.traits.thickness_mm).map(f64::from);
    let Some(thickness) = thickness.filter(|t| *t > 0.0) else { return false };
    let sorted = |members: &[usize]| {
        let mut mm: Vec<f64> = members.iter().filter_map(|n| places.along_mm.get(*n).copied()).collect();
        mm.sort_by(f64::total_cmp);
        mm
    };
    let whole = |mm: &[f64]| {
        let mut steps: Vec<f64> = mm.windows(2).map(|w| w[1] - w[0]).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).is_some_and(|median| *median <= 1.2 * thickness && *median > 0.6 * thickness)
    };
    let (a, b) = (sorted(a), sorted(b));
    if !whole(&a) || !whole(&b) {
        return false;
    }
    let near = |v: &f64| {
        let at = b.partition_point(|x| x < v);
        let distance = |n: Option<usize>| n.and_then(|n| b.get(n)).map_or(f64::MAX, |x| (x - v).abs());
        distance(Some(at)).min(distance(at.checked_sub(1))) < 0.6 * thickness
    };
    a.iter().filter(|v| near(v)).count() * 2 > a.len().min(b.len())
}
