//! Tables of the domain reference: orientations, and a layout for each kind of exam.

use super::*;
use crate::study::{FrameIndex, FrameInfo, FrameRef, ImagePlane, Laterality, SeriesUid, SopInstanceUid};

fn set(series: &str, modality: &str, frames: u32) -> DisplaySet {
    let frame = |n: u32| FrameRef {
        instance: SopInstanceUid::new(&format!("{series}.{}", n + 1)).expect("uid"),
        frame: FrameIndex(0),
    };
    DisplaySet {
        id: DisplaySetId { series: SeriesUid::new(series).expect("uid"), index: 0 },
        modality: modality.into(),
        label: series.into(),
        rows: 8,
        columns: 8,
        frames: (0..frames).map(frame).collect(),
        info: vec![FrameInfo::default(); frames as usize],
        slice_spacing_mm: None,
        b_value: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_of_reference: None,
        warnings: vec![],
        detail: crate::study::SetDetail::default(),
    }
}

fn axial(mut set: DisplaySet, z0: f64) -> DisplaySet {
    for (n, info) in set.info.iter_mut().enumerate() {
        info.plane = ImagePlane::new([0.0, 0.0, z0 + n as f64], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0]);
    }
    set
}

fn mammogram(series: &str, side: Laterality, view: &str, orientation: Option<[&str; 2]>) -> DisplaySet {
    DisplaySet {
        laterality: Some(side),
        view: Some(view.into()),
        patient_orientation: orientation.map(|o| o.map(str::to_owned)),
        label: format!("{side:?}{view}"),
        ..set(series, "MG", 1)
    }
}

fn steps(kind: ExamKind, current: Vec<DisplaySet>, priors: Vec<DisplaySet>, chest: bool) -> Vec<Step> {
    let (now, before) = (StudyUid::new("1.1").expect("uid"), StudyUid::new("1.0").expect("uid"));
    let [current, priors] = [current, priors].map(|v| v.into_iter().map(Arc::new).collect::<Vec<_>>());
    hang(&Case {
        kind,
        current: current.iter().map(|set| Item { study: &now, set }).collect(),
        bodies: Vec::new(),
        priors: priors.iter().map(|set| Item { study: &before, set }).collect(),
        chest,
    })
}

fn series_of(step: &Step) -> Vec<String> {
    step.views.iter().map(|v| v.set.as_ref().map_or("-".into(), |s| s.series.to_string())).collect()
}

#[test]
fn orientation_vectors() {
    use Laterality::{L, R};
    for (side, view, stored, flips) in [
        (R, "CC", ["A", "R"], (true, true)),
        (R, "CC", ["P", "L"], (false, false)),
        (L, "CC", ["A", "R"], (false, false)),
        (L, "CC", ["P", "L"], (true, true)),
        (L, "MLO", ["P", "F"], (true, false)),
        (L, "MLO", ["A", "FR"], (false, false)),
        (R, "MLO", ["P", "FL"], (false, false)),
        (R, "MLO", ["A", "FL"], (true, false)),
        (R, "MLO", ["P", "H"], (false, true)),
        (L, "ML", ["P", "F"], (true, false)),
    ] {
        let laid = orientation::lay(&mammogram("1", side, view, Some(stored)), side, view);
        assert_eq!((laid.view.flip_horizontal, laid.view.flip_vertical), flips, "{side:?}{view} {stored:?}");
        assert_eq!((laid.view.quarter_turns, laid.assumed), (0, false));
        assert_eq!(laid.view.justify, if side == R { 1 } else { -1 });
    }
    // Stored on its side: one quarter turn clockwise brings right to bottom.
    let turned = orientation::lay(&mammogram("1", L, "MLO", Some(["F", "P"])), L, "MLO");
    assert_eq!((turned.view.quarter_turns, turned.assumed), (1, false));
    // Nothing or nonsense stated: as stored, and marked.
    for stored in [None, Some(["X", "Y"]), Some(["", ""]), Some(["H", "F"])] {
        let laid = orientation::lay(&mammogram("1", R, "CC", stored), R, "CC");
        assert!(laid.assumed && !laid.view.flip_horizontal, "{stored:?}");
    }
}

#[test]
fn views_are_guessed_only_from_whole_words_and_marked() {
    let named = |label: &str| {
        let set = DisplaySet { label: label.into(), ..set("1", "MG", 1) };
        mammogram_view(&set)
    };
    assert_eq!(named("R MLO"), Some((Laterality::R, "MLO".into(), true)));
    assert_eq!(named("LCC"), Some((Laterality::L, "CC".into(), true)));
    assert_eq!(named("left breast CC view"), Some((Laterality::L, "CC".into(), true)));
    assert_eq!(named("ACCURATE LRIGHTMLOX"), None);
    assert_eq!(named(""), None);
    let guessed = DisplaySet { label: "R-CC".into(), ..set("1.1", "MG", 1) };
    let step = steps(ExamKind::MMG, vec![guessed], vec![], false).remove(0);
    assert!(step.views[0].assumed);
    assert_eq!(step.views[1].missing.as_deref(), Some("LCC"), "a missing view is told");
}

#[test]
fn mammograms_beyond_the_four_are_not_lost() {
    use Laterality::{L, R};
    let current = vec![
        mammogram("1.1", R, "MLO", Some(["P", "F"])),
        mammogram("1.2", L, "MLO", Some(["A", "F"])),
        mammogram("1.3", L, "ML", Some(["A", "F"])),
        mammogram("1.4", L, "MLO", Some(["A", "F"])),
        set("1.5", "SC", 1),
    ];
    let steps = steps(ExamKind::MMG, current, vec![], false);
    let last = steps.last().expect("a step");
    assert_eq!(
        (last.name, series_of(last)),
        (StepName::FurtherViews, vec!["1.3".into(), "1.4".into(), "1.5".into(), "-".into()])
    );
    assert_eq!(steps.iter().filter(|s| matches!(s.name, StepName::FullResolution(_))).count(), 2);
}

#[test]
fn ct_with_and_without_prior() {
    let scout = set("1.1", "CT", 1);
    let main = axial(set("1.2", "CT", 60), 0.0);
    let prior = axial(set("2.2", "CT", 30), 5.0);
    let with = steps(ExamKind::CT, vec![scout.clone(), main.clone()], vec![set("2.1", "CT", 1), prior], true);
    assert_eq!(
        (with[0].name, with[0].layout, series_of(&with[0])),
        (StepName::WithPrior, Layout::new(1, 2), vec!["1.2".into(), "2.2".into()])
    );
    assert_eq!(with[1].layout, Layout::new(2, 2));
    assert_eq!(with[1].views[2].data.voi, Some(Voi::linear(-600.0, 1500.0)));
    let alone = steps(ExamKind::CT, vec![scout.clone(), main.clone()], vec![], false);
    assert_eq!((alone[0].layout, series_of(&alone[0])), (Layout::new(1, 1), vec!["1.2".into()]));
    let four: Vec<_> = (1..=5).map(|n| axial(set(&format!("1.{n}"), "CT", 60), 0.0)).collect();
    let many = steps(ExamKind::CT, four, vec![], false);
    assert_eq!(many.iter().map(|s| s.layout).collect::<Vec<_>>(), vec![Layout::new(2, 2); 2]);
    assert_eq!(steps(ExamKind::CT, vec![], vec![], false).len(), 1, "an empty study has an empty step");
}

#[test]
fn like_phases_stand_beside_each_other() {
    let enhanced = |mut set: DisplaySet| {
        for info in &mut set.info {
            info.traits.contrast = Some("IOHEXOL".into());
        }
        set
    };
    let stack = |uid: &str, frames| axial(set(uid, "CT", frames), 0.0);
    let now = vec![stack("1.1", 60), enhanced(stack("1.2", 50))];
    // The prior has an enhanced stack only: the current one begins beside it, though the plain one is larger.
    let pair = steps(ExamKind::CT, now.clone(), vec![enhanced(stack("2.2", 40))], false);
    assert_eq!(series_of(&pair[0]), vec!["1.2".to_owned(), "2.2".to_owned()]);
    assert!(pair[1..].iter().any(|s| series_of(s).contains(&"1.1".to_owned())), "the plain one follows");
    // Both are there: the larger pair.
    let priors = vec![enhanced(stack("2.2", 40)), stack("2.1", 40)];
    let pair = steps(ExamKind::CT, now.clone(), priors, false);
    assert_eq!(series_of(&pair[0]), vec!["1.1".to_owned(), "2.1".to_owned()]);
    // No like: still a comparison.
    let pair = steps(ExamKind::CT, now[..1].to_vec(), vec![enhanced(stack("2.2", 40))], false);
    assert_eq!(series_of(&pair[0]), vec!["1.1".to_owned(), "2.2".to_owned()]);
}

#[test]
fn dwibs_by_station() {
    let mut current = Vec::new();
    for station in 0..2 {
        let z = f64::from(station) * 300.0;
        let name = |n: i32| format!("1.{station}.{n}");
        for (n, b) in [(1, Some(0.0)), (2, Some(800.0)), (3, None), (4, None)] {
            let label = match n {
                3 => "DWIBS ADC",
                4 => "T2 SSFSE",
                _ => "DWIBS",
            };
            let one = DisplaySet { b_value: b, label: label.into(), ..set(&name(n), "MR", 40) };
            current.push(axial(one, z));
        }
    }
    // Whole bodies come before their stations, in one window each.
    let study = StudyUid::new("1.1").expect("uid");
    let bodies: Vec<_> = [2usize, 1, 0]
        .map(|n| {
            let mut body =
                DisplaySet { id: DisplaySetId { index: 1 << 24, ..current[n].id.clone() }, ..current[n].clone() };
            body.detail.stations = vec![current[n].id.clone(), current[n + 4].id.clone()];
            body.info[20].voi = vec![Voi::linear(300.0, 600.0)];
            Arc::new(body)
        })
        .into();
    let sets: Vec<_> = current.iter().cloned().map(Arc::new).collect();
    let whole = hang(&Case {
        kind: ExamKind::DWIBS,
        current: sets.iter().map(|set| Item { study: &study, set }).collect(),
        bodies: bodies.iter().map(|set| Item { study: &study, set }).collect(),
        priors: vec![],
        chest: false,
    });
    assert_eq!(
        whole.iter().map(|s| s.name).collect::<Vec<_>>(),
        [StepName::WholeBody, StepName::Station(1), StepName::Station(2)]
    );
    let shown: Vec<_> =
        whole[0].views.iter().map(|v| v.set.as_ref().map(|s| (s.series.to_string(), s.is_body()))).collect();
    assert_eq!(shown[..3], ["1.0.2", "1.0.3", "1.0.1"].map(|uid| Some((uid.to_owned(), true))));
    assert!(whole[0].views[0].data.invert && whole[0].views[1].data.voi == Some(Voi::linear(300.0, 600.0)));
    // Stations may come in any order.
    current.rotate_left(3);
    let steps = steps(ExamKind::DWIBS, current, vec![], false);
    assert_eq!(steps.len(), 2);
    for step in &steps {
        let first = step.views[0].set.as_ref().expect("high b").series.to_string();
        let station = first.trim_end_matches(".2").to_owned();
        assert_eq!(
            series_of(step),
            vec![format!("{station}.2"), format!("{station}.3"), format!("{station}.4"), format!("{station}.1")]
        );
        assert!(step.views[0].data.invert && !step.views[1].data.invert);
    }
}

#[test]
fn fluoroscopy_as_a_filmstrip_then_runs() {
    let mut run = set("1.9", "RF", 20);
    let instance = run.frames[0].instance.clone();
    for (n, frame) in run.frames.iter_mut().enumerate() {
        *frame = FrameRef { instance: instance.clone(), frame: FrameIndex(n as u32) };
    }
    let steps = steps(ExamKind::RF, vec![set("1.1", "RF", 10), run], vec![], false);
    let names: Vec<_> = steps.iter().map(|s| s.name).collect();
    assert_eq!(names, [StepName::Filmstrip(1), StepName::Filmstrip(2), StepName::CineRun(1)]);
    assert_eq!(steps[0].layout, Layout::new(2, 4));
    assert_eq!(steps[0].views.iter().map(|v| v.position).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    assert_eq!(steps[1].views.iter().filter(|v| v.set.is_some()).count(), 2);
}

#[test]
fn radiographs_alone_or_with_prior() {
    let view = |uid: &str, view: &str| DisplaySet { view: Some(view.into()), ..set(uid, "CR", 1) };
    let alone = steps(ExamKind::CR, vec![view("1.1", "PA")], vec![view("2.1", "LL")], true);
    assert_eq!((alone[0].layout, alone.len()), (Layout::new(1, 1), 1), "a lateral is no prior of a frontal");
    let with = steps(ExamKind::CR, vec![view("1.1", "PA")], vec![view("2.1", "LL"), view("2.2", "PA")], true);
    assert_eq!(series_of(&with[0]), vec!["1.1".to_owned(), "2.2".to_owned()]);
}
