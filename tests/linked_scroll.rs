//! The estimated link between a CT and its prior, against the generated studies' known lesions.

use dokuei::app::{Action, App, LinkMark};
use dokuei::dicom::open_tree;
use dokuei::engine::message::{Event, Start};
use dokuei::phantom::{DEFAULT_BASE_DATE, Scale, StudyTruth, write_some};
use dokuei::study::{ImagePlane, Study};
use dokuei::viewport::{Action as View, ViewId};
use std::sync::Arc;

const CURRENT: ViewId = ViewId(0);
const PRIOR: ViewId = ViewId(1);

/// The lesion that both studies show: its height, mm.
fn nodule(truth: &StudyTruth) -> f64 {
    let found = truth.lesions.iter().find(|l| l.kind == "lung_nodule").expect("the CT has a nodule");
    found.centre_mm.expect("a place in the patient")[2]
}

fn z(app: &App, view: ViewId) -> f64 {
    let set = app.view_set(view).expect("a display set");
    set.info[app.view(view).expect("a viewport").position].plane.expect("a plane").position_mm.z
}

/// The current study beside its prior, whose table stood `table_mm` higher; scrolled to the current nodule.
fn beside(studies: &[Study], current: &StudyTruth, table_mm: f64) -> App {
    let now = "2026-11-22T00:00:00Z".parse().expect("a time");
    let mut app = App::new(now);
    app.apply(now, Event::Started(Start::NotEnrolled));
    let mut uids = vec![];
    for study in studies {
        let mut study = study.clone();
        let prior = study.uid.to_string() != current.study_uid;
        for info in study.series.iter_mut().flat_map(|s| &mut s.instances).flat_map(|i| &mut i.frame_info) {
            if let (true, Some(plane)) = (prior, &mut info.plane) {
                let [x, y, z] = plane.position_mm.to_array();
                *plane = ImagePlane::new([x, y, z + table_mm], plane.orientation(), plane.spacing_mm).expect("a plane");
            }
        }
        // The one to read comes first.
        uids.insert(if prior { uids.len() } else { 0 }, study.uid.clone());
        app.apply(now, Event::Study(Arc::new(study)));
    }
    app.apply(now, Event::LocalOpened { studies: uids, not_shown: vec![] });
    let set = app.view_set(CURRENT).expect("the current study hangs").clone();
    let height = |n: &usize| set.info[*n].plane.map_or(f64::MAX, |p| (p.position_mm.z - nodule(current)).abs());
    let place = (0..set.frames.len()).min_by(|a, b| height(a).total_cmp(&height(b))).expect("slices");
    app.update(now, Action::Viewport(CURRENT, View::ScrollTo(place)));
    app
}

#[test]
fn the_prior_follows_to_the_known_lesion() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = |key: &str| key.starts_with("ct-");
    let truth = write_some(folder.path(), DEFAULT_BASE_DATE, Scale::Small, &wanted, &|_| {}).expect("written");
    let [current, prior] =
        ["ct-current", "ct-prior"].map(|key| truth.studies.iter().find(|s| s.key == key).expect("generated"));
    let studies = open_tree(&[folder.path().to_owned()], false).studies;
    // The table as generated, a little off, and where it may be on another scanner.
    for table_mm in [0.0, 12.0, 137.0, -900.0] {
        let app = beside(&studies, current, table_mm);
        assert_eq!(app.link_mark(PRIOR), Some(LinkMark::Estimated));
        let spacing = |view| app.view_set(view).and_then(|s| s.slice_spacing_mm).expect("even slices");
        // No nearer than slices allow; and coordinates that look alike are believed up to 5 % of the stack.
        let slices = f64::midpoint(spacing(CURRENT), spacing(PRIOR));
        let bound = slices + if table_mm.abs() < 32.0 { table_mm.abs() } else { 0.0 };
        let (at, lesion) = (z(&app, PRIOR), nodule(prior) + table_mm);
        assert!((at - lesion).abs() <= bound, "table {table_mm} mm: at {at} mm, nodule at {lesion} mm, {bound} mm");
    }
}
