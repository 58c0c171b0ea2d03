//! Stations of a whole-body exam: display sets of one kind, often of several series, that follow each other from head
//! to feet. Known by geometry and technique, never by description.

use super::geometry::measure;
use super::{DisplaySet, DisplaySetId, FrameInfo, FrameTraits};
use glam::DVec3;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;

/// One station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// Its display set.
    pub set: DisplaySetId,
    /// Place from head, from 1.
    pub number: usize,
    /// Top and bottom along the head-foot axis (z), mm, slice thickness included.
    pub extent_mm: [f64; 2],
    /// Overlap with the next station, mm; negative: a gap. `None` for the last.
    pub overlap_with_next_mm: Option<f64>,
}

/// Stations that make one exam of the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WholeBody {
    /// For people: kind, b-value or echo time.
    pub label: String,
    /// b-value of all stations.
    pub b_value: Option<f64>,
    /// From head to feet.
    pub stations: Vec<Station>,
    /// Stations follow each other slice by slice (axial); else they lie one below the other in their planes (coronal).
    pub stacked: bool,
}

/// Display set numbers from here on are whole bodies: no series is split into that many.
const FIRST_BODY: u32 = 1 << 24;

/// Shortest exam taken for a whole body, mm: longer than one field of view of any scanner.
const BODY_MM: f64 = 600.0;
/// Widest gap between stations of one exam, mm.
const WIDEST_GAP_MM: f64 = 30.0;

impl DisplaySetId {
    /// It names a whole body made of stations ([`body_sets`]), not a part of one series.
    pub fn is_body(&self) -> bool {
        self.index >= FIRST_BODY
    }
}

/// A candidate with what was measured.
struct Candidate<'a> {
    set: &'a DisplaySet,
    normal: DVec3,
    row: DVec3,
    /// Bottom and top, z in mm.
    extent: [f64; 2],
    /// Middle of the field, across.
    middle: DVec3,
}

/// Whole-body exams among a study's display sets.
pub fn whole_bodies<S: Borrow<DisplaySet>>(sets: &[S]) -> Vec<WholeBody> {
    let mut groups: Vec<Vec<Candidate<'_>>> = Vec::new();
    for one in sets.iter().filter_map(|set| candidate(set.borrow())) {
        match groups.iter_mut().find(|g| g.first().is_some_and(|first| same_kind(first, &one))) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.into_iter().flat_map(chains).collect()
}

/// The whole-body exams among a study's display sets whose stations are stacked, each as one set beside its stations.
pub fn body_sets<S: Borrow<DisplaySet>>(sets: &[S]) -> Vec<DisplaySet> {
    whole_bodies(sets).iter().filter_map(|body| merged(body, sets)).collect()
}

/// The stations as one set: every frame of each, from head to feet. `None` unless they are stacked. Where stations
/// overlap, the slices of both are kept, sorted along the stack.
fn merged<S: Borrow<DisplaySet>>(body: &WholeBody, sets: &[S]) -> Option<DisplaySet> {
    if !body.stacked {
        return None;
    }
    let members: Vec<&DisplaySet> =
        body.stations.iter().filter_map(|s| sets.iter().map(Borrow::borrow).find(|set| set.id == s.set)).collect();
    let first = *members.first()?;
    // Along the normal that points to the head: stations may be shifted against each other in oblique planes.
    let normal = first.info.first()?.plane?.normal();
    let up = if normal.z < 0.0 { -normal } else { normal };
    let mut frames: Vec<(f64, _, FrameInfo)> = members
        .iter()
        .flat_map(|set| set.frames.iter().cloned().zip(set.info.iter().cloned()))
        .filter_map(|(frame, info)| info.plane.map(|p| (p.position_mm.dot(up), frame, info)))
        .collect();
    frames.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut whole = DisplaySet {
        // Named after its first station: the same name whatever else of the study is known.
        id: DisplaySetId { series: first.id.series.clone(), index: FIRST_BODY + first.id.index },
        label: format!("WB {} ×{}", common_words(&members).unwrap_or_else(|| body.label.clone()), members.len()),
        frames: Vec::new(),
        info: Vec::new(),
        ..first.clone()
    };
    let mut places = Vec::with_capacity(frames.len());
    let (mut place, mut height) = (0u32, f64::NAN);
    for (z, frame, info) in frames {
        if (height - z).abs() > 0.05 {
            place += 1;
        }
        height = z;
        places.push(place);
        whole.frames.push(frame);
        whole.info.push(info);
    }
    (whole.slice_spacing_mm, whole.warnings, whole.detail.stack) = measure(&whole.info, Some(&places), 1, true);
    // What is to be told of a station is told of the body.
    for set in &members {
        for warning in &set.warnings {
            if !whole.warnings.contains(warning) {
                whole.warnings.push(warning.clone());
            }
        }
        for side in &set.detail.side_conflict {
            if !whole.detail.side_conflict.contains(side) {
                whole.detail.side_conflict.push(side.clone());
            }
        }
    }
    whole.detail.stations = members.iter().map(|set| set.id.clone()).collect();
    Some(whole)
}

/// The words with which all labels begin, e.g. "AX T2" of "AX T2 ST1" and "AX T2 ST2". `None` if there are none.
fn common_words(members: &[&DisplaySet]) -> Option<String> {
    let words = |set: &DisplaySet| set.label.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (first, others) = members.split_first()?;
    let mut common = words(first);
    for other in others {
        let alike = common.iter().zip(words(other)).take_while(|(a, b)| *a == b).count();
        common.truncate(alike);
    }
    (!common.is_empty()).then(|| common.join(" "))
}

fn candidate(set: &DisplaySet) -> Option<Candidate<'_>> {
    let plane = set.info.first()?.plane?;
    let usable = set.modality == "MR"
        && set.frame_of_reference.is_some()
        && set.detail.phases.is_empty()
        && set.info.len() > 1
        && set.detail.kind != Some(super::ImageKind::Localizer)
        && set.info.iter().all(|i| i.plane.is_some_and(|p| p.normal().dot(plane.normal()) > 0.999));
    if !usable {
        return None;
    }
    let half = plane.normal() * (set.slice_spacing_mm.unwrap_or(0.0) / 2.0);
    let (last_column, last_row) = (f64::from(set.columns), f64::from(set.rows));
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    let mut middle = DVec3::ZERO;
    for plane in set.info.iter().filter_map(|i| i.plane) {
        for (column, row) in [(0.0, 0.0), (last_column, 0.0), (0.0, last_row), (last_column, last_row)] {
            let corner = plane.patient_from_pixel(column - 0.5, row - 0.5);
            middle += corner;
            for z in [(corner + half).z, (corner - half).z] {
                low = low.min(z);
                high = high.max(z);
            }
        }
    }
    let middle = middle / (4.0 * set.info.len() as f64);
    Some(Candidate { set, normal: plane.normal(), row: plane.row_direction, extent: [low, high], middle })
}

fn same_kind(a: &Candidate<'_>, b: &Candidate<'_>) -> bool {
    let near = |x: Option<f64>, y: Option<f64>, share: f64| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= share * x.abs().max(y.abs()),
        (None, None) => true,
        _ => false,
    };
    let first = |c: &Candidate<'_>| c.set.info.first().map(|i| i.traits.clone()).unwrap_or_default();
    let (ta, tb): (FrameTraits, FrameTraits) = (first(a), first(b));
    let spacing = |c: &Candidate<'_>| c.set.spacing_mm(0).map(|s| (s[0] * s[1]).sqrt());
    let (x, y) = (a.set, b.set);
    a.normal.dot(b.normal) > 0.999
        && a.row.dot(b.row) > 0.999
        && x.frame_of_reference == y.frame_of_reference
        && (x.rows, x.columns) == (y.rows, y.columns)
        && near(spacing(a), spacing(b), 0.01)
        && near(x.slice_spacing_mm, y.slice_spacing_mm, 0.02)
        && near(x.b_value, y.b_value, 0.015)
        && (x.detail.kind, x.detail.component) == (y.detail.kind, y.detail.component)
        && x.detail.phase == y.detail.phase
        && near(x.detail.echo_time_ms, y.detail.echo_time_ms, 0.1)
        && near(ta.inversion_ms.map(f64::from), tb.inversion_ms.map(f64::from), 0.1)
        && ta.directionality == tb.directionality
        && ta.technique == tb.technique
        && ta.contrast == tb.contrast
}

/// Runs of candidates that follow each other downwards.
fn chains(mut group: Vec<Candidate<'_>>) -> Vec<WholeBody> {
    group.sort_by(|a, b| b.extent[1].total_cmp(&a.extent[1]));
    let mut runs: Vec<Vec<Candidate<'_>>> = Vec::new();
    for one in group {
        match runs.iter_mut().find(|run| run.last().is_some_and(|last| follows(last, &one))) {
            Some(run) => run.push(one),
            None => runs.push(vec![one]),
        }
    }
    // A station taken twice: which of the two belongs to the body, only the reader can say.
    let twice = |run: &[Candidate<'_>], place: usize| {
        let others = runs.iter().enumerate().filter(|(n, _)| *n != place).flat_map(|(_, other)| other);
        others.into_iter().any(|one| run.iter().any(|member| same_place(member, one)))
    };
    runs.iter().enumerate().filter(|(place, run)| !twice(run, *place)).filter_map(|(_, run)| body(run)).collect()
}

/// The two cover more than half of each other, and lie over each other.
fn same_place(a: &Candidate<'_>, b: &Candidate<'_>) -> bool {
    let height = |c: &Candidate<'_>| c.extent[1] - c.extent[0];
    let shared = a.extent[1].min(b.extent[1]) - a.extent[0].max(b.extent[0]);
    shared > 0.5 * height(a).max(height(b)) && across_mm(a, b) <= 0.25 * field_mm(a)
}

/// Distance of the middles across the body.
fn across_mm(a: &Candidate<'_>, b: &Candidate<'_>) -> f64 {
    DVec3 { z: 0.0, ..a.middle - b.middle }.length()
}

/// Width of the field.
fn field_mm(one: &Candidate<'_>) -> f64 {
    one.set.spacing_mm(0).map_or(0.0, |s| s[1] * f64::from(one.set.columns))
}

fn overlap_mm(upper: &Candidate<'_>, lower: &Candidate<'_>) -> f64 {
    lower.extent[1] - upper.extent[0]
}

fn follows(upper: &Candidate<'_>, lower: &Candidate<'_>) -> bool {
    let height = |c: &Candidate<'_>| c.extent[1] - c.extent[0];
    let overlap = overlap_mm(upper, lower);
    overlap <= 0.5 * height(upper).min(height(lower))
        && overlap >= -WIDEST_GAP_MM
        && across_mm(upper, lower) <= 0.25 * field_mm(upper)
}

fn body(run: &[Candidate<'_>]) -> Option<WholeBody> {
    let (first, last) = (run.first()?, run.last()?);
    if run.len() < 2 || first.extent[1] - last.extent[0] < BODY_MM {
        return None;
    }
    let stations = run
        .iter()
        .enumerate()
        .map(|(n, one)| Station {
            set: one.set.id.clone(),
            number: n + 1,
            extent_mm: [one.extent[1], one.extent[0]],
            overlap_with_next_mm: run.get(n + 1).map(|next| overlap_mm(one, next)),
        })
        .collect();
    let set = first.set;
    let label = match (set.detail.kind, set.b_value, set.detail.echo_time_ms) {
        (Some(kind), ..) => kind.label().to_owned(),
        (_, Some(b), _) => format!("b{b}"),
        (_, _, Some(echo)) => format!("TE{}", (echo * 10.0).round() / 10.0),
        _ => set.modality.clone(),
    };
    Some(WholeBody { label, b_value: set.b_value, stations, stacked: first.normal.z.abs() > 0.9 })
}

#[cfg(test)]
mod tests {
    use super::super::grouping_tests::{series, slice};
    use super::super::{ImagePlane, SeriesUid, display_sets};
    use super::*;

    /// Five stations of 40 slices, 6 mm apart; `step` mm from station to station.
    fn stations(step: f64, b: f64, coronal: bool) -> Vec<DisplaySet> {
        let mut out = Vec::new();
        // Not in order from head to feet: as a technician may repeat one.
        for station in [2, 0, 1, 4, 3] {
            let top = 900.0 - step * f64::from(station);
            let make = |n: i32| {
                let mut one = slice(n + 1, top - f64::from(n) * 6.0);
                (one.rows, one.columns) = (96, 96);
                let info = &mut one.frame_info[0];
                info.b_value = Some(b);
                info.plane = if coronal {
                    let position = [-240.0, f64::from(n) * 6.0, top];
                    ImagePlane::new(position, [1.0, 0.0, 0.0, 0.0, 0.0, -1.0], [2.5, 5.0])
                } else {
                    let position = [-240.0, -240.0, top - f64::from(n) * 6.0];
                    ImagePlane::new(position, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [5.0, 5.0])
                };
                one
            };
            let mut one = series("MR", (0..40).map(make).collect());
            one.uid = SeriesUid::new(&format!("1.7.{station}.{b}")).expect("uid");
            out.extend(display_sets(&one));
        }
        out
    }

    #[test]
    fn contiguous_stations_of_several_series_from_head_to_feet() {
        let mut sets = stations(240.0, 800.0, false);
        sets.extend(stations(240.0, 0.0, false));
        let found = whole_bodies(&sets);
        assert_eq!(found.len(), 2, "one for each b-value");
        let order: Vec<&str> = found[0].stations.iter().map(|s| s.set.series.as_str()).collect();
        assert_eq!(order, ["1.7.0.800", "1.7.1.800", "1.7.2.800", "1.7.3.800", "1.7.4.800"]);
        assert_eq!(found[0].stations[0].extent_mm, [903.0, 663.0]);
        assert_eq!(found[0].stations[0].overlap_with_next_mm, Some(0.0));
        assert_eq!(found[0].stations[4].overlap_with_next_mm, None);
        let whole = merged(&found[0], &sets).expect("stacked");
        assert_eq!((whole.frames.len(), whole.info.len()), (200, 200));
        let heights: Vec<f64> = whole.info.iter().filter_map(|i| i.plane).map(|p| p.position_mm.z).collect();
        assert!(heights.is_sorted_by(|a, b| a >= b));
        assert_eq!(whole.detail.stations.len(), 5);
        let labelled: Vec<DisplaySet> = sets
            .iter()
            .map(|s| DisplaySet { label: "AX T2 ST".to_owned() + s.id.series.as_str(), ..s.clone() })
            .collect();
        assert!(body_sets(&labelled).iter().all(|b| b.label == "WB AX T2 ×5"), "{:?}", body_sets(&labelled)[0].label);
        assert!(body_sets(&sets).iter().all(|w| sets.iter().all(|s| s.id != w.id)), "no station has a body's name");
        assert_eq!((whole.warnings.len(), whole.detail.stack.volume), (0, super::super::Volume::Regular));
    }

    #[test]
    fn overlaps_and_gaps_in_mm() {
        let found = whole_bodies(&stations(216.0, 800.0, false));
        assert_eq!(found[0].stations[1].overlap_with_next_mm, Some(24.0));
        let found = whole_bodies(&stations(252.0, 800.0, false));
        assert_eq!(found[0].stations[1].overlap_with_next_mm, Some(-12.0));
        assert!(whole_bodies(&stations(280.0, 800.0, false)).is_empty(), "40 mm apart is no whole body");
        assert!(whole_bodies(&stations(60.0, 800.0, false)).is_empty(), "phases of one region are none");
    }

    #[test]
    fn a_station_taken_twice_makes_no_body_of_either() {
        let mut sets = stations(240.0, 800.0, false);
        let mut again = sets[1].clone();
        again.id.series = SeriesUid::new("1.7.99").expect("uid");
        sets.push(again);
        assert!(whole_bodies(&sets).is_empty());
    }

    #[test]
    fn what_is_told_of_a_station_is_told_of_the_body() {
        let mut sets = stations(240.0, 800.0, false);
        let warning = super::super::GeometryWarning::SeveralReferences { count: 2 };
        sets[3].warnings.push(warning.clone());
        assert_eq!(body_sets(&sets)[0].warnings, [warning]);
    }

    #[test]
    fn coronal_stations_lie_below_each_other() {
        let sets = stations(220.0, 800.0, true);
        let found = whole_bodies(&sets);
        assert_eq!((found.len(), found[0].stations.len(), found[0].stacked), (1, 5, false));
        assert_eq!(found[0].stations[0].overlap_with_next_mm, Some(20.0));
        assert_eq!(merged(&found[0], &sets), None);
    }

    #[test]
    fn other_technique_or_reference_is_another_exam() {
        let mut sets = stations(240.0, 800.0, false);
        sets[1].frame_of_reference = Some("1.10".into());
        assert!(whole_bodies(&sets).iter().all(|b| b.stations.len() < 5));
        assert!(whole_bodies(&sets[..1]).is_empty());
    }
}
