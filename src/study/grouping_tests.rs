//! Each rule of the split with the case it is for and the case that it must leave whole.

use super::*;
use std::collections::BTreeMap;

const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
const SAGITTAL: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];

/// A slice at `z`; its number is also its UID.
pub(super) fn slice(number: i32, z: f64) -> Instance {
    placed(number, [0.0, 0.0, z], AXIAL)
}

fn placed(number: i32, position: [f64; 3], orientation: [f64; 6]) -> Instance {
    Instance {
        uid: SopInstanceUid::new(&format!("1.2.{number}")).expect("uid"),
        sop_class: String::new(),
        transfer_syntax: None,
        number: Some(number),
        rows: 4,
        columns: 4,
        frames: 1,
        image_type: vec!["ORIGINAL".into(), "PRIMARY".into(), "AXIAL".into()],
        photometric: "MONOCHROME2".into(),
        frame_of_reference: Some("1.9".into()),
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![FrameInfo {
            plane: ImagePlane::new(position, orientation, [1.0, 1.0]),
            ..FrameInfo::default()
        }],
        not_an_image: None,
        traits: InstanceTraits::default(),
    }
}

pub(super) fn series(modality: &str, instances: Vec<Instance>) -> Series {
    Series {
        uid: SeriesUid::new("1.5").expect("uid"),
        modality: modality.into(),
        number: Some(1),
        description: String::new(),
        body_part: String::new(),
        instances,
    }
}

/// `times` slices at each of `places` places 5 mm apart, told apart by `mark(place, time, frame info)`.
fn repeated(modality: &str, places: i32, times: i32, mark: impl Fn(i32, i32, &mut Instance)) -> Series {
    let mut instances = Vec::new();
    for time in 0..times {
        for place in 0..places {
            let mut one = slice(time * places + place + 1, f64::from(place) * 5.0);
            mark(place, time, &mut one);
            instances.push(one);
        }
    }
    series(modality, instances)
}

fn traits(instance: &mut Instance) -> &mut FrameTraits {
    &mut instance.frame_info[0].traits
}

fn sizes(sets: &[DisplaySet]) -> Vec<usize> {
    sets.iter().map(|s| s.frames.len()).collect()
}

#[test]
fn contrast_phases_over_the_same_places_are_sets() {
    let s = repeated("CT", 10, 3, |_, time, i| i.acquisition_number = Some(time + 1));
    let sets = display_sets(&s);
    assert_eq!(sizes(&sets), [10, 10, 10]);
    assert_eq!(sets[1].detail.phase[0].axis, PhaseAxis::Acquisition);
    assert_eq!((sets[1].detail.phase[0].index, sets[1].detail.phase[0].count), (1, 3));
    assert_eq!(sets[0].detail.stack.volume, Volume::Regular);
    assert!(sets[2].label.ends_with("3/3"), "{}", sets[2].label);
}

#[test]
fn a_phase_with_more_coverage_stays_whole() {
    // Arterial: upper half. Venous: everything. The lower half must not be given to the arterial phase.
    let mut s = repeated("CT", 10, 1, |_, _, i| i.acquisition_number = Some(1));
    for place in 0..20 {
        let mut one = slice(100 + place, f64::from(place) * 5.0);
        one.acquisition_number = Some(2);
        s.instances.push(one);
    }
    assert_eq!(sizes(&display_sets(&s)), [10, 20]);
}

#[test]
fn acquisitions_along_the_table_are_one_set() {
    // Thin CT over several acquisitions, the border slice taken twice; sequential CT with one slice each.
    let mut s = series("CT", vec![]);
    for n in 0..40 {
        let mut one = slice(n + 1, f64::from(n - n / 20));
        one.acquisition_number = Some(1 + n / 20);
        s.instances.push(one);
    }
    let sets = display_sets(&s);
    assert_eq!(sizes(&sets), [40]);
    assert_eq!(sets[0].warnings, [GeometryWarning::DuplicatePositions { count: 1 }]);
    let each_its_own = repeated("CT", 30, 1, |place, _, i| i.acquisition_number = Some(place));
    assert_eq!(sizes(&display_sets(&each_its_own)), [30]);
    // Shuttle: two table positions in turn, three times each.
    let shuttle = repeated("CT", 8, 3, |place, time, i| i.acquisition_number = Some(time * 2 + place / 4));
    assert_eq!(sizes(&display_sets(&shuttle)), [8, 8, 8]);
}

#[test]
fn stacks_shifted_by_half_a_slice_are_phases_but_interleaved_passes_are_one() {
    let make = |thickness: f32| {
        let mut s = series("CT", vec![]);
        for n in 0..20 {
            let mut one = slice(n + 1, f64::from(n % 10) * 5.0 + if n < 10 { 0.0 } else { 2.5 });
            one.acquisition_number = Some(1 + n / 10);
            traits(&mut one).thickness_mm = Some(thickness);
            s.instances.push(one);
        }
        sizes(&display_sets(&s))
    };
    assert_eq!(make(5.0), [10, 10]);
    assert_eq!(make(2.5), [20]);
}

#[test]
fn trigger_times_split_only_where_places_repeat() {
    // One picture per slice, each at another time after the beat: one stack.
    let arrhythmic = repeated("MR", 12, 1, |place, _, i| traits(i).trigger_ms = Some(600.0 + 13.0 * place as f32));
    let sets = display_sets(&arrhythmic);
    assert_eq!(sizes(&sets), [12]);
    assert!(sets[0].detail.phases.is_empty());
    // Cine of the heart: one set, time within place, although the times differ from slice to slice.
    let cine = repeated("MR", 6, 4, |place, time, i| traits(i).trigger_ms = Some((time * 40 + place) as f32));
    let sets = display_sets(&cine);
    assert_eq!(sizes(&sets), [24]);
    assert_eq!(sets[0].detail.phases, [Phases { axis: PhaseAxis::TriggerTime, count: 4 }]);
    assert_eq!(sets[0].detail.stack.places, 6);
    assert_eq!(sets[0].warnings, []);
    assert_eq!(sets[0].detail.stack.volume, Volume::Regular);
    let times: Vec<f32> = sets[0].info[..5].iter().filter_map(|i| i.traits.trigger_ms).collect();
    assert_eq!(times, [0.0, 40.0, 80.0, 120.0, 1.0]);
}

#[test]
fn many_times_over_few_slices_scroll_through_time_first() {
    let s = repeated("MR", 4, 30, |_, time, i| traits(i).temporal_index = Some(time + 1));
    let sets = display_sets(&s);
    assert_eq!(sizes(&sets), [120]);
    assert_eq!(sets[0].detail.phases, [Phases { axis: PhaseAxis::TemporalPosition, count: 30 }]);
    let few = repeated("MR", 40, 5, |_, time, i| traits(i).temporal_index = Some(time + 1));
    assert_eq!(sizes(&display_sets(&few)), [40; 5]);
}

#[test]
fn diffusion_by_b_then_by_direction() {
    let directions = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let s = repeated("MR", 10, 4, |_, time, i| {
        i.frame_info[0].b_value = Some(if time == 0 { 0.0 } else { 995.0 + 5.0 * f64::from(time) });
        // Respiratory triggering: every picture has its own trigger time, which says nothing of the direction.
        traits(i).trigger_ms = Some((time * 100) as f32);
        traits(i).gradient = usize::try_from(time - 1).ok().map(|n| directions[n]);
    });
    let sets = display_sets(&s);
    assert_eq!(sizes(&sets), [10; 4], "effective values of 1000, 1005, 1010 are one weighting");
    assert_eq!(sets[0].b_value, Some(0.0));
    assert!(sets[1..].iter().all(|s| s.detail.phase[0].axis == PhaseAxis::Direction));
    assert_eq!(sets[1].detail.split_by, [SplitBy::BValue, SplitBy::Phase]);
    // Low b-values are told apart to the unit.
    let low = repeated("MR", 4, 5, |_, time, i| i.frame_info[0].b_value = Some(f64::from(time) * 10.0));
    assert_eq!(sizes(&display_sets(&low)), [4; 5]);
    // The trace image beside its directions.
    let trace = repeated("MR", 4, 2, |_, time, i| {
        i.frame_info[0].b_value = Some(800.0);
        traits(i).directionality =
            Some(if time == 0 { Directionality::Directional } else { Directionality::Isotropic });
    });
    assert_eq!(display_sets(&trace)[1].detail.split_by, [SplitBy::Isotropic]);
}

#[test]
fn echoes_and_decay_curves() {
    let dual = repeated("MR", 6, 2, |_, time, i| i.frame_info[0].echo_time_ms = Some([14.0, 98.0][time as usize]));
    let sets = display_sets(&dual);
    assert_eq!(sizes(&sets), [6, 6]);
    assert_eq!((sets[0].detail.echo_time_ms, sets[1].label.as_str()), (Some(14.0), "TE98"));
    // A few slices with many echoes: scrolled at the place.
    let curve = repeated("MR", 3, 12, |_, time, i| i.frame_info[0].echo_time_ms = Some(f64::from(time + 1) * 9.0));
    let sets = display_sets(&curve);
    assert_eq!(sizes(&sets), [36]);
    assert_eq!(sets[0].detail.phases, [Phases { axis: PhaseAxis::EchoTime, count: 12 }]);
    // Rounding noise of one echo time is no second echo; CT has none.
    let noisy = repeated("MR", 6, 1, |place, _, i| i.frame_info[0].echo_time_ms = Some(98.0 + 0.1 * f64::from(place)));
    assert_eq!(sizes(&display_sets(&noisy)), [6]);
}

#[test]
fn kinds_of_pictures_and_parts_of_the_signal() {
    let kinds = [None, Some(ImageKind::InPhase), Some(ImageKind::OppositePhase), Some(ImageKind::Localizer)];
    let s = repeated("MR", 4, 4, |_, time, i| traits(i).kind = kinds[time as usize]);
    let sets = display_sets(&s);
    assert_eq!(sizes(&sets), [4; 4]);
    assert!(sets.iter().any(|s| s.label == "OPP_PHASE"));
    let parts = repeated("MR", 4, 2, |_, time, i| {
        traits(i).component = if time == 0 { Component::Magnitude } else { Component::Phase };
    });
    assert_eq!(display_sets(&parts)[1].detail.split_by, [SplitBy::Component]);
    // Values of Image Type that no rule knows split only what repeats places.
    let add = repeated("CT", 10, 1, |place, _, i| {
        if place % 2 == 0 {
            i.image_type.push("ADD".into());
        }
    });
    assert_eq!(sizes(&display_sets(&add)), [10]);
    let twice = repeated("CT", 10, 2, |_, time, i| i.image_type.push(["A", "B"][time as usize].into()));
    assert_eq!(display_sets(&twice)[0].detail.phase[0].axis, PhaseAxis::ImageType);
}

#[test]
fn directions_sizes_references_and_fields() {
    let mut three = vec![slice(1, 0.0), slice(2, 5.0)];
    three.push(placed(3, [0.0; 3], SAGITTAL));
    three.push(placed(4, [5.0, 0.0, 0.0], SAGITTAL));
    // Noise below half a degree does not split.
    three.push(placed(5, [0.0, 0.0, 10.0], [0.99999, 0.002, 0.0, -0.002, 0.99999, 0.0]));
    assert_eq!(sizes(&display_sets(&series("MR", three))), [3, 2]);
    let mut mixed = vec![slice(1, 0.0), slice(2, 5.0), slice(3, 10.0), slice(4, 15.0)];
    mixed[1].rows = 8;
    mixed[2].frame_of_reference = Some("1.10".into());
    mixed[3].photometric = "RGB".into();
    assert_eq!(sizes(&display_sets(&series("CT", mixed))), [1; 4]);
    // Both hands at the same heights.
    let hands = repeated("MR", 6, 2, |place, hand, i| {
        let position = [f64::from(hand) * 150.0, 0.0, f64::from(place) * 5.0];
        i.frame_info[0].plane = ImagePlane::new(position, AXIAL, [1.0, 1.0]);
    });
    let sets = display_sets(&hands);
    assert_eq!(sizes(&sets), [6, 6]);
    assert_eq!(sets[0].detail.split_by, [SplitBy::Field]);
}

#[test]
fn rotating_projections_are_one_run() {
    let turn = |n: i32| {
        let a = f64::from(n) * 0.3;
        placed(n + 1, [0.0; 3], [a.cos(), a.sin(), 0.0, 0.0, 0.0, -1.0])
    };
    let sets = display_sets(&series("MR", (0..12).map(turn).collect()));
    assert_eq!(sizes(&sets), [12]);
    assert!(matches!(sets[0].warnings[..], [GeometryWarning::MixedOrientations { count: 2.. }]));
    assert_eq!(sets[0].detail.stack.volume, Volume::None);
    let order: Vec<&str> = sets[0].frames.iter().map(|f| f.instance.as_str()).collect();
    assert_eq!(order[..3], ["1.2.1", "1.2.2", "1.2.3"]);
}

#[test]
fn frames_of_one_object_at_one_place_are_a_run() {
    let mut heart = slice(1, 0.0);
    heart.frames = 16;
    let sets = display_sets(&series("MR", vec![heart]));
    assert_eq!(sizes(&sets), [16]);
    assert_eq!(sets[0].detail.phases, [Phases { axis: PhaseAxis::FrameOrder, count: 16 }]);
    assert_eq!(sets[0].warnings, []);
}

#[test]
fn a_stack_that_comes_twice_without_a_word() {
    let sets = display_sets(&repeated("MR", 10, 2, |_, _, _| {}));
    assert_eq!(sizes(&sets), [10, 10]);
    assert_eq!(sets[0].detail.phase[0].axis, PhaseAxis::Repeat);
}

#[test]
fn geometry_in_mm() {
    let at = |positions: &[f64]| {
        let slices = positions.iter().zip(1..).map(|(z, n)| slice(n, *z)).collect();
        display_sets(&series("CT", slices)).remove(0)
    };
    let regular = at(&[0.0, 2.0, 4.0, 6.0]);
    assert_eq!((regular.detail.stack.volume, regular.detail.stack.places), (Volume::Regular, 4));
    assert_eq!(regular.detail.stack.extent_mm, Some([0.0, 6.0]));
    let missing = at(&[0.0, 2.0, 4.0, 10.0, 12.0, 16.0, 18.0]);
    assert_eq!(missing.warnings, [GeometryWarning::MissingSlices { count: 3, gaps: 2, largest_mm: 6.0 }]);
    assert_eq!(
        missing.detail.stack.gaps,
        [Gap { after_frame: 2, distance_mm: 6.0, missing: 2 }, Gap { after_frame: 4, distance_mm: 4.0, missing: 1 }]
    );
    assert_eq!(missing.detail.stack.volume, Volume::Irregular);
    let variable = at(&[0.0, 1.0, 2.0, 3.0, 7.2, 11.4]);
    assert!(matches!(variable.warnings[..], [GeometryWarning::VariableSpacing { .. }]));
    // Positions beyond all sense, told as what they are.
    let far = at(&[0.0, 2.0, 4.0, 6.0, 1e8]);
    assert!(matches!(far.warnings[..], [GeometryWarning::VariableSpacing { .. }]), "{:?}", far.warnings);
    assert!(far.detail.stack.gaps.iter().all(|g| g.missing == 0));
    assert_eq!(at(&[0.0, 2.0]).detail.stack.volume, Volume::None);
    // Tilt: origins move sideways as they go up. Shift: one of them does so alone.
    let tilted: Vec<Instance> = (0..5)
        .map(|n| placed(n + 1, [0.0, f64::from(n) * 5.0 * 18.5f64.to_radians().tan(), f64::from(n) * 5.0], AXIAL))
        .collect();
    let tilted = display_sets(&series("CT", tilted)).remove(0);
    assert!(matches!(tilted.warnings[..], [GeometryWarning::Tilt { degrees }] if (degrees - 18.5).abs() < 1e-6));
    let mut shifted: Vec<Instance> = (0..5).map(|n| slice(n + 1, f64::from(n) * 5.0)).collect();
    shifted[2].frame_info[0].plane = ImagePlane::new([3.0, 0.0, 10.0], AXIAL, [1.0, 1.0]);
    let shifted = display_sets(&series("CT", shifted)).remove(0);
    assert_eq!(shifted.warnings, [GeometryWarning::Shifted { largest_mm: 3.0 }]);
    // Thickness against spacing.
    let thick = display_sets(&repeated("CT", 4, 1, |_, _, i| traits(i).thickness_mm = Some(7.5))).remove(0);
    assert_eq!(thick.detail.stack.overlap_mm, Some(2.5));
}

#[test]
fn what_is_no_picture_is_listed() {
    let mut report = slice(1, 0.0);
    report.not_an_image = Some("a structured report".into());
    let mut empty = slice(2, 0.0);
    empty.frames = 0;
    let found = group(&series("CT", vec![report, empty, slice(3, 0.0)]));
    assert_eq!(sizes(&found.sets), [1]);
    let reasons: Vec<&str> = found.not_placed.iter().map(|n| n.reason.as_str()).collect();
    assert_eq!(reasons, ["a structured report", "no frame"]);
}

mod property {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_instance()(
            bits in prop::collection::vec(0u8..4, 16),
            frames in 0u32..4,
            z in prop_oneof![(0i32..6).prop_map(f64::from), -1e4f64..1e4, Just(f64::MAX), Just(0.0)],
            b in prop::option::of(prop_oneof![Just(0.0), Just(800.0), 0.0f64..5000.0, Just(f64::MAX)]),
            time in prop::option::of(prop_oneof![Just(f32::MAX), 0f32..10.0]),
        ) -> Instance {
            let mut one = slice(i32::from(bits[0]), z);
            one.frames = frames;
            one.rows = 4 + u32::from(bits[1] / 3);
            one.frame_of_reference = (bits[2] > 0).then(|| "1.9".into());
            one.acquisition_number = (bits[3] > 1).then_some(i32::from(bits[3]));
            if bits[4] == 0 {
                one.not_an_image = Some("none".into());
            }
            let mut info = one.frame_info.remove(0);
            if bits[5] == 0 {
                info.plane = ImagePlane::new([0.0, z, 0.0], SAGITTAL, [1.0, 1.0]);
            }
            if bits[6] == 0 {
                info.plane = None;
            }
            info.b_value = b;
            info.echo_time_ms = (bits[7] > 1).then_some(f64::from(bits[7]));
            info.traits.trigger_ms = time;
            info.traits.temporal_index = (bits[8] > 1).then_some(i32::from(bits[8]));
            info.traits.echo_number = (bits[9] > 1).then_some(i32::from(bits[9]));
            info.traits.gradient = (bits[10] > 1).then_some([f32::from(bits[10]), 0.0, time.unwrap_or(0.0)]);
            info.traits.stack = (bits[11] > 2).then(|| "1".into());
            info.traits.thickness_mm = time;
            info.traits.along_mm = (bits[13] > 1).then_some(f32::from(bits[13]));
            info.traits.dimensions = if bits[14] > 1 { vec![(1, u32::from(bits[14]))] } else { vec![] };
            one.frame_info = vec![info; usize::from(bits[12])];
            one
        }
    }

    proptest! {
        /// Every frame is in exactly one display set, or its instance is listed with a reason; and sets are sound.
        #[test]
        fn every_frame_once(
            mut instances in prop::collection::vec(any_instance(), 0..40),
            modality in prop::sample::select(vec!["CT", "MR", "MG", "US", "CR", "PT"]),
        ) {
            for (n, instance) in instances.iter_mut().enumerate() {
                instance.uid = SopInstanceUid::new(&format!("1.3.{n}")).expect("uid");
            }
            let s = series(modality, instances);
            let found = group(&s);
            let mut met: BTreeMap<(String, u32), usize> = BTreeMap::new();
            for set in &found.sets {
                prop_assert_eq!(set.frames.len(), set.info.len());
                prop_assert!(!set.frames.is_empty());
                for frame in &set.frames {
                    *met.entry((frame.instance.to_string(), frame.frame.0)).or_default() += 1;
                }
            }
            for instance in &s.instances {
                let listed = found.not_placed.iter().filter(|n| n.instance == instance.uid).count();
                let out = instance.not_an_image.is_some() || instance.frames == 0;
                prop_assert_eq!(listed, usize::from(out));
                for frame in 0..instance.frames {
                    let times = met.remove(&(instance.uid.to_string(), frame)).unwrap_or(0);
                    prop_assert_eq!(times, usize::from(!out));
                }
            }
            prop_assert!(met.is_empty());
            prop_assert!(found.not_placed.iter().all(|n| !n.reason.is_empty()));
            // The same instances give the same sets.
            prop_assert_eq!(display_sets(&s), found.sets);
        }
    }
}
