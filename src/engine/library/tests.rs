//! What the library takes, refuses and lists.

use super::*;
use crate::study::{Instance, Patient};

pub(in crate::engine) fn head(uid: &str) -> Study {
    Study {
        uid: StudyUid::new(uid).expect("uid"),
        patient: Patient::default(),
        date: None,
        time: None,
        accession: String::new(),
        description: String::new(),
        institution: String::new(),
        other_patients: Vec::new(),
        strange_series: Vec::new(),
        text_notes: Vec::new(),
        series: vec![],
    }
}

pub(in crate::engine) fn series(uid: &str, instances: &[&str]) -> Series {
    let instance = |(n, uid): (usize, &&str)| Instance {
        uid: SopInstanceUid::new(uid).expect("uid"),
        sop_class: String::new(),
        transfer_syntax: None,
        number: Some(n as i32),
        rows: 1,
        columns: 1,
        frames: 1,
        image_type: vec![],
        photometric: "MONOCHROME2".into(),
        frame_of_reference: None,
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![],
        not_an_image: None,
        traits: crate::study::InstanceTraits::default(),
    };
    Series {
        uid: SeriesUid::new(uid).expect("uid"),
        modality: "CT".into(),
        number: Some(1),
        description: String::new(),
        body_part: String::new(),
        instances: instances.iter().enumerate().map(instance).collect(),
    }
}

#[test]
fn what_is_given_up_has_a_reason_and_may_come_back() {
    let mut library = Library::default();
    let study = head("1");
    library.put_head(&study, Some(2));
    let s = series("1.1", &["1.1.1", "1.1.2"]);
    library.put_series(&study.uid, s.clone());
    let uid = |n: usize| s.instances[n].uid.clone();
    let home = library.home(&uid(0)).expect("known").clone();
    library.received(&home, &uid(0), Place::Sealed("f".into()), 10);
    library.unfetched(&home, &uid(1), "404");
    let entry = library.get(&study.uid).expect("there");
    assert!(entry.missing(&s.uid).next().is_none());
    assert_eq!(entry.ledger.not_shown(true).len(), 1);
    library.received(&home, &uid(1), Place::Sealed("g".into()), 10);
    assert!(library.get(&study.uid).expect("there").ledger.not_shown(true).is_empty());
    assert_eq!(library.lost(&uid(1)).expect("known"), home);
    assert_eq!(library.get(&study.uid).expect("there").ledger.received(), 1);
}

#[test]
fn another_patient_is_caught_whatever_comes_first_and_stays_caught() {
    let named = |id: &str| Study { patient: Patient { id: id.into(), ..Patient::default() }, ..head("1") };
    for order in [["", "A", "B", "A"], ["A", "B", "A", ""], ["B", "A", "A", "A"], ["A", "A", "", "B"]] {
        let mut library = Library::default();
        for (n, id) in order.iter().enumerate() {
            let one = named(id);
            library.put_head(&one, None);
            library.put_series_of(&one.uid, &one.patient, series(&format!("1.{n}"), &[&format!("1.{n}.1")]));
        }
        let first = order.iter().find(|id| !id.is_empty()).expect("one");
        let entry = library.get(&head("1").uid).expect("there");
        assert_eq!((&entry.study.patient.id, entry.study.other_patients.len()), (&(*first).to_owned(), 1));
        let strange = order.iter().filter(|id| !id.is_empty() && id != &first).count();
        assert_eq!(entry.ledger.not_shown(false).len(), strange, "{order:?}");
        // Kept and loaded again, before whatever else comes: still a mismatch, still with its reason.
        let mut later = Library::default();
        later.put_head(&entry.study, None);
        for s in &entry.study.series {
            later.put_series(&entry.study.uid, s.clone());
        }
        later.put_head(&named("A"), None);
        let entry = later.get(&head("1").uid).expect("there");
        assert_eq!((entry.study.other_patients.len(), entry.ledger.not_shown(false).len()), (1, strange));
    }
}

#[test]
fn a_file_that_names_another_patient_than_its_metadata_is_not_shown() {
    let mut library = Library::default();
    let study = Study { patient: Patient { id: "A".into(), ..Patient::default() }, ..head("1") };
    library.put_head(&study, None);
    let s = series("1.1", &["1.1.1"]);
    library.put_series_of(&study.uid, &study.patient, s.clone());
    let uid = s.instances[0].uid.clone();
    let home = library.home(&uid).expect("known").clone();
    library.unfetched(&home, &uid, "404");
    assert!(!library.put_series_if_strange(&study.uid, &study.patient, &s));
    assert!(library.put_series_if_strange(&study.uid, &Patient { id: "B".into(), ..Patient::default() }, &s));
    library.received(&home, &uid, Place::Sealed("f".into()), 1);
    let entry = library.get(&study.uid).expect("there");
    assert_eq!(entry.ledger.not_shown(true)[0].reason, STRANGER);
    let (kept, series) = library.to_keep(&study.uid, &s.uid).expect("there");
    assert_eq!((kept.patient.id.as_str(), kept.other_patients.len()), ("A", 1));
    assert!(series[0].instances[0].not_an_image.is_some());
}

fn named(id: &str) -> Patient {
    Patient { id: id.into(), ..Patient::default() }
}

#[test]
fn the_requests_patient_counts_whatever_arrives_first() {
    let study = head("1").uid;
    let request = BTreeMap::from([(study.clone(), (named("A"), false))]);
    for (order, request_late) in [
        (["B", "A", "C"], false),
        (["A", "B", "C"], false),
        (["C", "B", "A"], false),
        (["B", "C", "A"], true),
        (["B", "A", "C"], true),
    ] {
        let mut library = Library::default();
        if !request_late {
            library.requests.clone_from(&request);
        }
        for id in order {
            let one = Study { patient: named(id), ..head("1") };
            library.put_head(&one, None);
            library.put_series_of(
                &study,
                &one.patient,
                series(&format!("1.{}", id.as_bytes()[0] - 60), &[&format!("9.{}", id.as_bytes()[0])]),
            );
        }
        if request_late {
            library.requests.clone_from(&request);
            let entry = library.entries.get_mut(&study).expect("there");
            let changed = entry.people.set_request(request.get(&study).cloned());
            entry.people_changed(changed);
        }
        let entry = library.get(&study).expect("there");
        assert_eq!(entry.study.patient.id, "A", "{order:?}");
        let mut others: Vec<_> = entry.study.other_patients.iter().map(|p| p.id.as_str()).collect();
        others.sort_unstable();
        assert_eq!(others, ["B", "C"], "{order:?}");
        let shown: Vec<_> = entry
            .study
            .series
            .iter()
            .flat_map(|s| &s.instances)
            .filter(|i| i.not_an_image.is_none())
            .map(|i| i.uid.as_str())
            .collect();
        assert_eq!(shown, ["9.65"], "{order:?}");
        assert_eq!(entry.ledger.not_shown(false).len(), 2, "{order:?}");
        let strange: Vec<_> = entry.study.strange_series.iter().map(SeriesUid::as_str).collect();
        assert_eq!(strange, ["1.6", "1.7"], "{order:?}");
        // As kept and loaded again: the same.
        let mut later = Library { requests: request.clone(), ..Library::default() };
        later.put_kept(&entry.study, None);
        assert_eq!(later.get(&study).expect("there").study, entry.study, "{order:?}");
    }
}

#[test]
fn what_was_kept_under_the_wrong_patient_is_judged_by_the_request() {
    let study = head("1").uid;
    let mut before = Library::default();
    for (id, n) in [("B", "1"), ("A", "2")] {
        let one = Study { patient: named(id), ..head("1") };
        before.put_head(&one, None);
        before.put_series_of(&study, &one.patient, series(&format!("1.{n}"), &[&format!("1.{n}.1")]));
    }
    let kept = before.get(&study).expect("there").study.clone();
    assert_eq!(kept.patient.id, "B");
    let mut library = Library::default();
    library.requests.insert(study.clone(), (named("A"), false));
    library.put_kept(&kept, None);
    let entry = library.get(&study).expect("there");
    assert_eq!(entry.study.patient.id, "A");
    let refused: Vec<_> = entry.study.series.iter().map(|s| s.instances[0].not_an_image.is_some()).collect();
    assert_eq!(refused, [true, false]);
    let (_, series) = library.to_keep(&study, &entry.study.series[1].uid).expect("there");
    assert_eq!(series.len(), 2, "what was judged anew is kept with the rest");
}

#[test]
fn a_series_belongs_to_one_study() {
    let mut library = Library::default();
    for uid in ["1", "2"] {
        library.put_head(&head(uid), None);
        library.put_series(&StudyUid::new(uid).expect("uid"), series("7.7", &[&format!("{uid}.9")]));
    }
    let second = library.get(&StudyUid::new("2").expect("uid")).expect("there");
    assert!(second.study.series.is_empty());
    assert_eq!(second.ledger.not_shown(false)[0].reason, SERIES_TWICE);
    library.forget(&StudyUid::new("1").expect("uid"));
    library.put_head(&head("3"), None);
    library.put_series(&StudyUid::new("3").expect("uid"), series("7.7", &["3.9"]));
    assert_eq!(library.get(&StudyUid::new("3").expect("uid")).expect("there").study.series.len(), 1);
}

#[test]
fn a_refused_instances_bytes_change_nothing() {
    let mut library = Library::default();
    for uid in ["1", "2"] {
        library.put_head(&head(uid), None);
        library.put_series(&StudyUid::new(uid).expect("uid"), series(&format!("{uid}.1"), &["9.9"]));
    }
    let (study, instance) = (StudyUid::new("2").expect("uid"), SopInstanceUid::new("9.9").expect("uid"));
    let home = Home { study: study.clone(), series: SeriesUid::new("2.1").expect("uid") };
    library.received(&home, &instance, Place::Sealed("other".into()), 1);
    assert!(library.place(&instance).is_none());
    assert_eq!(library.get(&study).expect("there").ledger.not_shown(false)[0].reason, TWICE);
}

#[test]
fn files_of_the_readers_own_give_way_whoever_comes_first() {
    let (own, of_center) = (StudyUid::new("1").expect("uid"), StudyUid::new("2").expect("uid"));
    let instance = SopInstanceUid::new("9.9").expect("uid");
    for local_first in [true, false] {
        let mut library = Library::default();
        let local = |library: &mut Library| {
            assert!(library.put_local_head(&head("1")));
            library.put_series(&own, series("1.1", &["9.9", "1.1.2"]));
            for uid in ["9.9", "1.1.2"] {
                let uid = SopInstanceUid::new(uid).expect("uid");
                let home = Home { study: own.clone(), series: SeriesUid::new("1.1").expect("uid") };
                if library.home(&uid) == Some(&home) {
                    library.received(&home, &uid, Place::Path("own.dcm".into()), 0);
                }
            }
        };
        if local_first {
            local(&mut library);
        }
        library.put_head(&head("2"), None);
        library.put_series(&of_center, series("2.1", &["9.9"]));
        let home = Home { study: of_center.clone(), series: SeriesUid::new("2.1").expect("uid") };
        library.received(&home, &instance, Place::Sealed("f".into()), 1);
        if !local_first {
            local(&mut library);
        }
        assert_eq!(library.place(&instance), Some((of_center.clone(), Place::Sealed("f".into()))));
        let told = library.get(&own).expect("there").ledger.not_shown(false);
        assert_eq!((told.len(), told[0].what.as_str()), (1, "9.9"), "local first: {local_first}");
        assert!(library.get(&of_center).expect("there").ledger.not_shown(false).is_empty());
        assert_eq!(library.take_gave_way().len(), usize::from(local_first));
    }
    // The same study: the center's replaces the files' whole, and is never replaced by them.
    let mut library = Library::default();
    library.put_local_head(&head("1"));
    library.put_series(&own, series("1.1", &["9.9"]));
    library.put_head(&head("1"), None);
    let entry = library.get(&own).expect("there");
    assert_eq!((entry.origin, entry.study.series.len()), (Origin::Center, 0));
    assert!(library.home(&instance).is_none() && !library.put_local_head(&head("1")));
}

#[test]
fn an_instance_belongs_to_one_study() {
    let mut library = Library::default();
    for uid in ["1", "2"] {
        library.put_head(&head(uid), None);
        library.put_series(&StudyUid::new(uid).expect("uid"), series(&format!("{uid}.1"), &["9.9"]));
    }
    let second = library.get(&StudyUid::new("2").expect("uid")).expect("there");
    assert!(second.study.series[0].instances.is_empty());
    assert_eq!(second.ledger.not_shown(false).len(), 1);
}

#[test]
fn a_report_is_listed_and_a_picture_without_pixels_is_missing() {
    let mut library = Library::default();
    let study = head("1");
    library.put_head(&study, None);
    let mut s = series("1.1", &["1.1.1", "1.1.2", "1.1.3"]);
    for instance in &mut s.instances[1..] {
        instance.not_an_image = Some("no picture".into());
    }
    s.instances[2].sop_class = "1.2.840.10008.5.1.4.1.1.88.11".into();
    library.put_series(&study.uid, s.clone());
    for instance in &s.instances {
        let home = library.home(&instance.uid).expect("known").clone();
        library.received(&home, &instance.uid, Place::Sealed(String::new()), 1);
    }
    let ledger = &library.get(&study.uid).expect("there").ledger;
    assert_eq!((ledger.expected(), ledger.received(), ledger.shown(), ledger.listed()), (3, 3, 1, 1));
    let missing: Vec<_> = ledger.not_shown(true).into_iter().map(|n| n.what).collect();
    assert_eq!(missing, ["1.1.2"]);
}

#[test]
fn another_patients_report_is_marked_kept_and_unmarked_like_a_picture() {
    let study = head("1").uid;
    let report = |library: &mut Library, patient: &str| {
        library.put_head(&Study { patient: named(patient), ..head("1") }, None);
        let mut s = series("1.1", &["1.1.1"]);
        s.instances[0].sop_class = "1.2.840.10008.5.1.4.1.1.88.11".into();
        s.instances[0].not_an_image = Some("a report".into());
        let uid = s.instances[0].uid.clone();
        library.put_series_of(&study, &named(patient), s);
        uid
    };
    let requests = BTreeMap::from([(study.clone(), (named("A"), false))]);
    let mut library = Library { requests, ..Library::default() };
    library.put_head(&Study { patient: named("A"), ..head("1") }, None);
    library.put_series_of(&study, &named("A"), series("1.0", &["1.0.1"]));
    let uid = report(&mut library, "B");
    let reasons = |library: &Library| {
        let entry = library.get(&study).expect("there");
        let series = entry.study.series(&SeriesUid::new("1.1").expect("uid")).expect("there");
        let reason = series.instances[0].not_an_image.clone();
        let marked = entry.ledger.not_shown(false).iter().filter(|n| n.what == uid.as_str()).count();
        (reason.unwrap_or_default(), marked, library.is_strangers(&uid))
    };
    assert_eq!(reasons(&library), (format!("{STRANGER}: a report"), 1, true));
    // As the store keeps it, and reads it again.
    let (mut kept, series) = library.to_keep(&study, &SeriesUid::new("1.1").expect("uid")).expect("there");
    kept.series = series;
    kept.series.push(library.get(&study).expect("there").study.series[0].clone());
    let mut again = Library::default();
    again.requests.clone_from(&library.requests);
    again.put_kept(&kept, None);
    assert_eq!(reasons(&again), (format!("{STRANGER}: a report"), 1, true));
    // The request is put right: it was this patient's report all the time.
    let entry = library.entries.get_mut(&study).expect("there");
    let changed = entry.people.set_request(Some((named("B"), false)));
    entry.people_changed(changed);
    assert_eq!(reasons(&library), ("a report".to_owned(), 0, false));
}
