//! Rules by which frames of one series are never scrolled together. Each has its reason; all others keep a series
//! whole. What repeats at one place (time, echo, direction) is the business of `phase`.

use super::{Directionality, FrameInfo, ImageKind, Instance, MammogramKind, Series};
use glam::DVec3;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Why a series was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SplitBy {
    /// A mammogram or a run of frames without place stands alone: it is hung or played by itself.
    Alone,
    /// Rows and columns differ: one picture cannot follow another at the same scale.
    Size,
    /// Colour and grey need different display chains.
    Colour,
    /// A localizer shows where others lie; it is no part of the stack.
    Localizer,
    /// Calculated maps, in and opposed phase, water and fat, projections.
    Kind,
    /// Magnitude, phase, real, imaginary.
    Component,
    /// Radiographs of different view or side are hung side by side.
    View,
    /// Positions in different frames of reference cannot be compared.
    FrameOfReference,
    /// Frames without a place cannot be sorted among those with one.
    Place,
    /// Slices of different direction.
    Orientation,
    /// Different pixel spacing: the same matrix shows another field of view.
    PixelSpacing,
    /// Stack ID (0020,9056): one stack is one geometry by definition.
    Stack,
    /// Two fields side by side at the same height (both hands, both hips).
    Field,
    /// Diffusion weighting.
    BValue,
    /// Trace images beside directional ones of the same b-value.
    Isotropic,
    /// Echo time: another contrast.
    EchoTime,
    /// Times, echoes, directions … that repeat the same places.
    Phase,
}

/// A frame under consideration.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// Index of the instance in the series.
    pub(super) place: usize,
    pub(super) frame: u32,
    pub(super) instance: &'a Instance,
    pub(super) info: &'a FrameInfo,
}

/// Frames that the rules so far keep together.
#[derive(Clone)]
pub(super) struct Part<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) split_by: BTreeSet<SplitBy>,
    pub(super) phase: Vec<super::phase::PhaseOf>,
    /// Phases within the part, outermost first, and each item's place in them.
    pub(super) inner: Option<super::phase::Inner>,
}

impl<'a> Part<'a> {
    fn whole(items: Vec<Item<'a>>) -> Self {
        Self { items, split_by: BTreeSet::new(), phase: Vec::new(), inner: None }
    }
}

/// Most classes that a measured value may split into; beyond, it is no property that a set could have.
const MOST_CLASSES: usize = 64;
/// From here on, frames of which each has its own orientation or frame of reference are one run, not many stacks.
const RUN: usize = 4;

type Rule = for<'a, 'b> fn(&Series, &'b [Item<'a>]) -> Vec<u32>;

/// The rules in order; each refines what the ones before left together.
const RULES: &[(SplitBy, Rule)] = &[
    (SplitBy::Alone, alone),
    (SplitBy::Size, |_, items| by(items, |i| (i.instance.rows, i.instance.columns))),
    (SplitBy::Colour, |_, items| by(items, |i| !i.instance.photometric.starts_with("MONOCHROME"))),
    (SplitBy::Localizer, |_, items| by(items, |i| i.info.traits.kind == Some(ImageKind::Localizer))),
    (SplitBy::Kind, |_, items| by(items, |i| i.info.traits.kind)),
    (SplitBy::Component, |_, items| by(items, |i| i.info.traits.component)),
    (SplitBy::View, view),
    (SplitBy::FrameOfReference, frame_of_reference),
    (SplitBy::Place, |_, items| by(items, |i| i.info.plane.is_none())),
    (SplitBy::Orientation, orientation),
    (SplitBy::PixelSpacing, pixel_spacing),
    (SplitBy::Stack, |_, items| by(items, |i| i.info.traits.stack.as_deref())),
    (SplitBy::Field, field),
    (SplitBy::BValue, b_value),
    (SplitBy::Isotropic, isotropic),
    (SplitBy::EchoTime, echo_time),
];

/// Splits the picture frames of a series by the rules.
pub(super) fn split<'a>(series: &Series, items: Vec<Item<'a>>) -> Vec<Part<'a>> {
    let mut parts = vec![Part::whole(items)];
    for (reason, rule) in RULES {
        let mut next = Vec::with_capacity(parts.len());
        for part in parts {
            let classes = rule(series, &part.items);
            next.extend(divide(part, &classes, *reason));
        }
        parts = next;
    }
    parts
}

/// The part by classes, in class order; untouched if there is one class.
pub(super) fn divide<'a>(part: Part<'a>, classes: &[u32], reason: SplitBy) -> Vec<Part<'a>> {
    let first = classes.first().copied();
    if classes.iter().all(|c| Some(*c) == first) {
        return vec![part];
    }
    let mut groups: BTreeMap<u32, Vec<Item<'a>>> = BTreeMap::new();
    for (item, class) in part.items.iter().zip(classes) {
        groups.entry(*class).or_default().push(*item);
    }
    let mut split_by = part.split_by;
    split_by.insert(reason);
    groups
        .into_values()
        .map(|items| Part { items, split_by: split_by.clone(), phase: part.phase.clone(), inner: None })
        .collect()
}

/// What an instance says of a frame it has no entry for: nothing.
pub(super) fn unknown() -> &'static FrameInfo {
    static UNKNOWN: LazyLock<FrameInfo> = LazyLock::new(FrameInfo::default);
    &UNKNOWN
}

/// Classes by an exact key, numbered in key order.
pub(super) fn by<'a, K: Ord>(items: &[Item<'a>], key: impl Fn(&Item<'a>) -> K) -> Vec<u32> {
    let keys: Vec<K> = items.iter().map(key).collect();
    let order: BTreeSet<&K> = keys.iter().collect();
    let order: BTreeMap<&K, u32> = order.into_iter().zip(0..).collect();
    keys.iter().map(|k| order.get(k).copied().unwrap_or(0)).collect()
}

/// Classes of measured values: a gap wider than `gap(value)` begins a new class; no value is class 0. Too many
/// classes are no classes.
fn measured<'a>(
    items: &[Item<'a>],
    value: impl Fn(&Item<'a>) -> Option<f64>,
    gap: impl Fn(f64) -> f64,
    most: usize,
) -> Vec<u32> {
    let mut sorted: Vec<f64> = items.iter().filter_map(&value).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let ends: Vec<f64> = sorted.windows(2).filter(|w| w[1] - w[0] > gap(w[0])).map(|w| w[0]).collect();
    if ends.len() >= most {
        return vec![0; items.len()];
    }
    items.iter().map(|i| value(i).map_or(0, |v| 1 + ends.partition_point(|end| *end < v) as u32)).collect()
}

fn alone(series: &Series, items: &[Item<'_>]) -> Vec<u32> {
    by(items, |i| {
        let run = i.instance.frames > 1 && i.info.plane.is_none() && i.info.traits.along_mm.is_none();
        // Slices of early tomosynthesis come as objects of one frame each.
        let slice = i.instance.frames == 1
            && i.info.plane.is_some()
            && i.instance.traits.mammogram.as_ref().is_some_and(|m| m.kind == MammogramKind::Tomosynthesis);
        ((series.modality == "MG" && !slice) || run).then_some(i.place)
    })
}

fn view(series: &Series, items: &[Item<'_>]) -> Vec<u32> {
    if !matches!(series.modality.as_str(), "CR" | "DX" | "RG" | "PX" | "IO") {
        return vec![0; items.len()];
    }
    by(items, |i| (i.instance.view.as_deref(), i.instance.laterality))
}

fn frame_of_reference(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    let distinct: BTreeSet<_> = items.iter().map(|i| i.instance.frame_of_reference.as_deref()).collect();
    // A writer that gives each picture its own says nothing with it; the set is reported as irregular.
    if distinct.len() >= RUN && distinct.len() == items.len() {
        return vec![0; items.len()];
    }
    by(items, |i| i.instance.frame_of_reference.as_deref())
}

/// Directions within about half a degree are one: scanners write them with rounding noise.
const SAME_DIRECTION: f64 = 0.99996;

fn orientation(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    let mut seen: Vec<(DVec3, DVec3)> = Vec::new();
    let mut classes = Vec::with_capacity(items.len());
    for item in items {
        let Some(plane) = &item.info.plane else {
            classes.push(0);
            continue;
        };
        let (row, column) = (plane.row_direction, plane.column_direction);
        let known = seen.iter().position(|(r, c)| r.dot(row) > SAME_DIRECTION && c.dot(column) > SAME_DIRECTION);
        let class = known.unwrap_or_else(|| {
            seen.push((row, column));
            seen.len() - 1
        });
        if seen.len() > MOST_CLASSES {
            return vec![0; items.len()];
        }
        classes.push(class as u32);
    }
    // Rotating projections and radial slices: each frame has its own direction, and they are scrolled as one run.
    let mut sizes = vec![0usize; seen.len()];
    for class in &classes {
        if let Some(size) = sizes.get_mut(*class as usize) {
            *size += 1;
        }
    }
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let same_size = sizes.iter().all(|s| *s == largest);
    if seen.len() >= RUN && (largest == 1 || (same_size && largest * 2 <= seen.len())) {
        return vec![0; items.len()];
    }
    classes
}

fn pixel_spacing(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    let spacing = |i: &Item<'_>| i.info.plane.map(|p| (p.spacing_mm[0] * p.spacing_mm[1]).sqrt());
    measured(items, spacing, |s| 0.005 * s, MOST_CLASSES)
}

/// Places along the normal that hold frames at two or more places within the plane.
fn field(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    /// Nearer than this within the plane, mm, frames show the same field.
    const FAR_MM: f64 = 20.0;
    let none = vec![0; items.len()];
    let Some(first) = items.first().and_then(|i| i.info.plane) else { return none };
    let normal = first.normal();
    let mut placed: Vec<(f64, DVec3, usize)> = items
        .iter()
        .enumerate()
        .filter_map(|(n, i)| i.info.plane.map(|p| (p.position_mm.dot(normal), p.position_mm, n)))
        .collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut classes = none.clone();
    let (mut heights, mut doubled, mut at) = (0usize, 0usize, 0usize);
    while let Some(start) = placed.get(at) {
        let end = at + placed[at..].iter().take_while(|p| p.0 - start.0 < 0.05).count().max(1);
        let mut fields: Vec<DVec3> = Vec::new();
        for (_, position, _) in &placed[at..end] {
            if !fields.iter().any(|f| f.distance(*position) < FAR_MM) {
                fields.push(*position);
            }
        }
        let sideways = |p: &DVec3| p.dot(first.row_direction) + 0.001 * p.dot(first.column_direction);
        fields.sort_by(|a, b| sideways(a).total_cmp(&sideways(b)));
        for (_, position, n) in &placed[at..end] {
            let nearest = (0..fields.len())
                .min_by(|a, b| fields[*a].distance(*position).total_cmp(&fields[*b].distance(*position)));
            classes[*n] = nearest.unwrap_or(0) as u32;
        }
        heights += 1;
        doubled += usize::from(fields.len() > 1);
        at = end;
    }
    if doubled > 0 && doubled * 2 >= heights { classes } else { none }
}

fn b_value(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    // Effective values scatter by a percent around the nominal one.
    measured(items, |i| i.info.b_value, |b| if b < 100.0 { 0.5 } else { 0.015 * b }, MOST_CLASSES)
}

fn isotropic(_: &Series, items: &[Item<'_>]) -> Vec<u32> {
    let weighted = items.iter().any(|i| i.info.b_value.is_some_and(|b| b > 0.0));
    if !weighted {
        return vec![0; items.len()];
    }
    by(items, |i| i.info.traits.directionality == Some(Directionality::Isotropic))
}

fn echo_time(series: &Series, items: &[Item<'_>]) -> Vec<u32> {
    if series.modality != "MR" {
        return vec![0; items.len()];
    }
    // More echo times than slices: a decay curve, scrolled at one place (see `phase`).
    let places: BTreeSet<i64> =
        items.iter().filter_map(|i| i.info.plane).map(|p| (p.distance_along_normal() * 10.0).round() as i64).collect();
    let classes = measured(items, |i| i.info.echo_time_ms, |t| 0.3f64.max(0.01 * t), MOST_CLASSES);
    let count = classes.iter().collect::<BTreeSet<_>>().len();
    if count > 4 && count > places.len() { vec![0; items.len()] } else { classes }
}
