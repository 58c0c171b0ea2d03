//! The engine from outside: secrets, local files, thumbnails, priorities, audit, addenda.

use crate::support::dicom::{element, slice, write_study};
use crate::support::reading_center::{SharedClock, TestCenter};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::dicom::write::{Charset, Dataset, tags};
use dokuei::engine::message::{
    Class, Command, Demand, Dress, Event, Failure, ObjectCommand, ObjectEvent, SaveDocument, Start, StudyWanted,
    ThumbnailWanted, Transition, Unread,
};
use dokuei::imaging::{Frame, Pixels, Trouble};
use dokuei::report::Predecessor;
use dokuei::study::document::Value;
use dokuei::study::{FrameIndex, FrameRef, ObjectRef, SopInstanceUid, StudyUid, display_sets};
use dokuei::viewport::ObjectContent;
use dokuei::viewport::mask::{Mask, MaskFrames};
use dokuei::viewport::state_object::PresentationState;
use dokuei::worklist::{AssignmentState, DeclineReason};
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_passphrase_store_is_made_once_and_opened_afterwards() {
    let terminal = Terminal { passphrase: true, ..Terminal::at(SharedClock::start()) };
    let ask = |session: &mut Session, exists: bool| {
        session.wait("the question", |e| match e {
            Event::Started(Start::NeedsPassphrase { exists: e, .. }) => (*e == exists).then_some(()),
            Event::Started(other) => panic!("{other:?}"),
            _ => None,
        });
    };
    let mut session = terminal.start();
    ask(&mut session, false);
    session.send(Command::UnlockSecrets { passphrase: secret("short"), create: true });
    ask(&mut session, false);
    session.send(Command::UnlockSecrets { passphrase: secret("a long passphrase"), create: true });
    session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
    session.send(Command::SaveSetting { name: "language".into(), value: "\"en\"".into() });
    session.stop();
    let mut session = terminal.start();
    ask(&mut session, true);
    session.send(Command::UnlockSecrets { passphrase: secret("another passphrase"), create: false });
    let failure = session.wait("a refusal", |e| match e {
        Event::Notice(failure) => Some(failure.clone()),
        _ => None,
    });
    assert!(matches!(failure, Failure::Denied(_)), "{failure:?}");
    session.send(Command::UnlockSecrets { passphrase: secret("a long passphrase"), create: false });
    let settings = session.wait("settings", |e| match e {
        Event::Settings(settings) => Some(settings.clone()),
        _ => None,
    });
    assert_eq!(settings, [("language".to_owned(), "\"en\"".to_owned())]);
}

#[test]
fn local_files_open_without_a_center() {
    let terminal = Terminal::at(SharedClock::start());
    let mut session = terminal.start();
    let folder = write_study(terminal.profile.path(), "1.2.392.40", 2, 3, 24);
    std::fs::write(folder.join("notes.txt"), "no DICOM").expect("written");
    session.send(Command::OpenLocal(vec![folder]));
    let (studies, not_shown) = session.wait("the folder", |e| match e {
        Event::LocalOpened { studies, not_shown } => Some((studies.clone(), not_shown.clone())),
        _ => None,
    });
    assert_eq!((studies.len(), not_shown.len()), (1, 1));
    let study = Arc::clone(&session.studies[&studies[0]]);
    assert_eq!(study.instance_count(), 6);
    let frame = FrameRef { instance: study.series[0].instances[0].uid.clone(), frame: FrameIndex(0) };
    session.engine().demand(Demand { frames: vec![frame.clone()], missing: vec![frame.clone()], ..Demand::default() });
    session.wait("its picture", |e| matches!(e, Event::Frame(f, _) if *f == frame).then_some(()));
}

#[test]
fn text_that_was_repaired_is_noted_with_its_study() {
    let terminal = Terminal::at(SharedClock::start());
    let folder = tempfile::tempdir().expect("folder");
    for number in 1..=2 {
        let mut bytes = slice("1.2.392.55", 1, number, 16);
        let declared = bytes.windows(10).position(|w| w == b"ISO_IR 192").expect("declared");
        // The second says ISO 8859-1 of what is UTF-8.
        bytes[declared..declared + 10].copy_from_slice(if number == 1 { b"ISO_IR 192" } else { b"ISO_IR 100" });
        std::fs::write(folder.path().join(format!("{number}.dcm")), bytes).expect("written");
    }
    let mut session = terminal.start();
    session.send(Command::OpenLocal(vec![folder.path().to_owned()]));
    let studies = session.wait("the study", |e| match e {
        Event::LocalOpened { studies, not_shown } => Some((studies.clone(), not_shown.len())),
        _ => None,
    });
    assert_eq!((studies.0.len(), studies.1), (1, 0));
    let study = &session.studies[&studies.0[0]];
    assert_eq!(study.patient.name.display(), "山田\u{3000}太郎");
    assert_eq!(study.text_notes, ["UTF-8 text without the right declaration, read as UTF-8"]);
}

/// A key object selection of a study that [`write_study`] made.
fn key_objects(study: &str) -> Dataset {
    let mut set = Dataset::new(Charset::Utf8);
    set.text(tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.88.59");
    set.text(tags::SOP_INSTANCE_UID, &format!("{study}.7.1")).text(tags::STUDY_INSTANCE_UID, study);
    set.text(tags::SERIES_INSTANCE_UID, &format!("{study}.7")).text(tags::MODALITY, "KO");
    set.text(tags::PATIENT_NAME, "Yamada^Tarou=山田^太郎=やまだ^たろう").text(tags::PATIENT_ID, &format!("P-{study}"));
    set.text(tags::PATIENT_BIRTH_DATE, "19600102").text(tags::PATIENT_SEX, "M");
    set.text(tags::VALUE_TYPE, "CONTAINER").code(tags::CONCEPT_NAME_CODE_SEQUENCE, "113000", "DCM", "Of Interest");
    let mut text = Dataset::item(Charset::Utf8);
    text.text(tags::RELATIONSHIP_TYPE, "CONTAINS").text(tags::VALUE_TYPE, "TEXT").text(tags::TEXT_VALUE, "重要画像");
    set.sequence(tags::CONTENT_SEQUENCE, vec![text]);
    set
}

#[test]
fn an_object_is_not_here_until_its_bytes_are() {
    let center = TestCenter::start(None);
    let folder = write_study(center.folder(), "1.2.392.60", 1, 2, 16);
    key_objects("1.2.392.60").write(&folder.join("keys.dcm")).expect("written");
    center.import(&folder);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let instance = SopInstanceUid::new("1.2.392.60.7.1").expect("uid");
    let ask = |session: &mut Session| {
        session.send(Command::Object(ObjectCommand::Read(instance.clone())));
        session.wait("the object", |e| match e {
            Event::Object(ObjectEvent::Read { instance: i, content }) if *i == instance => Some(content.clone()),
            _ => None,
        })
    };
    assert!(matches!(ask(&mut session), Err(Unread::NotHere)));
    session.want(&assignment, vec![]);
    session.complete(&assignment.studies[0].study_uid);
    let content = ask(&mut session).expect("here now");
    let ObjectContent::Document(document) = &*content else { panic!("a document") };
    assert_eq!(document.items[0].value, Value::Text("重要画像".into()));
}

#[test]
fn a_picture_is_dressed_as_its_presentation_state_says() {
    let at = FrameRef { instance: SopInstanceUid::new("1.2.3").expect("uid"), frame: FrameIndex(1) };
    let image = ObjectRef {
        class: String::new(),
        instance: at.instance.clone(),
        frames: vec![],
        segments: vec![],
        presentation: None,
    };
    let mask = Mask { frames: MaskFrames::Average(vec![1]), shift: [0.0; 2], ranges: vec![] };
    let state = PresentationState { images: vec![image], mask: Some(mask), ..PresentationState::default() };
    let content = Arc::new(ObjectContent::PresentationState(Box::new(state)));
    let frame = |values: [u16; 4]| Arc::new(crate::pixels::frame(2, 2, Pixels::U16(values.to_vec())));
    let wish = |masks| Dress { content: Arc::clone(&content), at: at.clone(), frame: frame([10, 20, 30, 40]), masks };
    let terminal = Terminal::at(SharedClock::start());
    let mut session = terminal.start();
    let mut dressed = |masks: Vec<Arc<Frame>>| {
        session.send(Command::Object(ObjectCommand::Dress(wish(masks))));
        session.wait("the picture", |e| match e {
            Event::Object(ObjectEvent::Dressed { wish, frame }) if wish.at == at => Some(Arc::clone(frame)),
            _ => None,
        })
    };
    assert_eq!(*dressed(vec![frame([1, 2, 3, 40])]).pixels, Pixels::F32(vec![9.0, 18.0, 27.0, 0.0]));
    let without = dressed(vec![]);
    assert_eq!(*without.pixels, Pixels::U16(vec![10, 20, 30, 40]));
    assert!(without.warnings.contains(&Trouble::Unmasked), "and it says so: {:?}", without.warnings);
}

/// An encapsulated PDF of odd length of a study that [`write_study`] made.
fn pdf(study: &str, document: &[u8]) -> Vec<u8> {
    let mut set = Dataset::new(Charset::Utf8);
    set.text(tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.104.1");
    set.text(tags::SOP_INSTANCE_UID, &format!("{study}.8.1")).text(tags::STUDY_INSTANCE_UID, study);
    set.text(tags::SERIES_INSTANCE_UID, &format!("{study}.8")).text(tags::MODALITY, "DOC");
    set.text(tags::PATIENT_NAME, "Yamada^Tarou=山田^太郎=やまだ^たろう").text(tags::PATIENT_ID, &format!("P-{study}"));
    set.text(tags::PATIENT_BIRTH_DATE, "19600102").text(tags::PATIENT_SEX, "M");
    let mut out = set.to_bytes().expect("made");
    element(&mut out, 0x42, 0x10, "ST", "紹介状".as_bytes());
    element(&mut out, 0x42, 0x11, "OB", document);
    element(&mut out, 0x42, 0x12, "LO", b"application/pdf");
    element(&mut out, 0x42, 0x15, "UL", &(document.len() as u32).to_le_bytes());
    out
}

#[test]
fn the_document_within_an_object_is_saved_byte_for_byte_and_recorded() {
    let center = TestCenter::start(None);
    let folder = write_study(center.folder(), "1.2.392.61", 1, 2, 16);
    let document = b"%PDF-1.7 odd";
    let document = &document[..11];
    std::fs::write(folder.join("letter.dcm"), pdf("1.2.392.61", document)).expect("written");
    center.import(&folder);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    session.want(&assignment, vec![]);
    session.complete(&assignment.studies[0].study_uid);
    let instance = SopInstanceUid::new("1.2.392.61.8.1").expect("uid");
    let out = tempfile::tempdir().expect("folder");
    let save = |session: &mut Session, instance: &SopInstanceUid, folder: &Path| {
        let wish = SaveDocument { instance: instance.clone(), folder: folder.to_owned() };
        session.send(Command::Object(ObjectCommand::Save(wish)));
        session.wait("the file", |e| match e {
            Event::Object(ObjectEvent::Saved(answer)) if answer.instance == *instance => Some(answer.saved.clone()),
            _ => None,
        })
    };
    let file = save(&mut session, &instance, out.path()).expect("saved");
    assert_eq!(file, out.path().join("document-1.2.392.61.8.1").join("document.pdf"));
    assert_eq!(std::fs::read(&file).expect("there"), document);
    // What is there stays; what cannot be is told; and nothing half-written is left.
    assert!(matches!(save(&mut session, &instance, out.path()), Err(Failure::Conflict(_))));
    assert!(matches!(save(&mut session, &instance, Path::new("here")), Err(Failure::Local(_))));
    assert!(save(&mut session, &instance, &out.path().join("nowhere")).is_err());
    let picture = session.studies[&assignment.studies[0].study_uid].series[0].instances[0].uid.clone();
    assert!(matches!(save(&mut session, &picture, out.path()), Err(Failure::Corrupt(_))));
    assert_eq!(std::fs::read_dir(out.path()).expect("readable").count(), 1);
    let recorded = |_: &Session| center.audit_bodies().iter().any(|body| body.contains("document_exported"));
    session.until("the record of it at the center", recorded);
}

#[test]
fn files_of_the_readers_own_never_stand_in_for_the_centers_pictures() {
    let center = TestCenter::start(None);
    center.import(&write_study(center.folder(), "1.2.392.50", 1, 2, 16));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let uid = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    session.complete(&uid);
    let instance = session.studies[&uid].series[0].instances[0].uid.clone();
    let frame = FrameRef { instance, frame: FrameIndex(0) };
    // The same UIDs, other pixels; dropped while the center's study is open.
    let own = write_study(terminal.profile.path(), "1.2.392.50", 1, 2, 24);
    session.send(Command::OpenLocal(vec![own.clone()]));
    let opened = |e: &Event| match e {
        Event::LocalOpened { studies, not_shown } => Some((studies.clone(), not_shown.clone())),
        _ => None,
    };
    let (studies, not_shown) = session.wait("the answer", opened);
    assert_eq!((studies.len(), not_shown.len()), (0, 2), "{not_shown:?}");
    assert!(not_shown.iter().all(|n| n.reason.contains("center")), "{not_shown:?}");
    session.want(&assignment, vec![frame.clone()]);
    let rows = |frame: FrameRef| {
        move |e: &Event| match e {
            Event::Frame(f, pixels) if *f == frame => Some(pixels.rows),
            _ => None,
        }
    };
    assert_eq!(session.wait("the center's picture", rows(frame.clone())), 16);
    session.stop();
    // The other way round: the files are open first, before the worklist is known.
    let other = Terminal::new(&center);
    let mut session = other.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
    session.send(Command::OpenLocal(vec![own]));
    let (studies, _) = session.wait("the folder", opened);
    assert_eq!(studies, [uid]);
    let wanted = Demand { frames: vec![frame.clone()], missing: vec![frame.clone()], ..Demand::default() };
    session.engine().demand(wanted);
    assert_eq!(session.wait("the file's picture", rows(frame.clone())), 24);
    session.send(Command::Enrol(center.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&center);
    let assignment = session.assignment();
    session.want(&assignment, vec![frame.clone()]);
    assert_eq!(session.wait("the center's picture", rows(frame)), 16);
}

#[test]
fn a_study_left_out_and_named_again_is_told_again_however_quickly() {
    let center = TestCenter::start(None);
    center.import(&write_study(center.folder(), "1.2.392.48", 1, 2, 16));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    for _ in 0..50 {
        session.want(&assignment, vec![]);
        session.wait("the study", |e| matches!(e, Event::Study(s) if s.uid == study).then_some(()));
        session.engine().demand(Demand::default());
    }
}

#[test]
fn thumbnails_come_and_are_kept() {
    let center = TestCenter::start(None);
    center.import(&write_study(center.folder(), "1.2.392.41", 2, 3, 200));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let wanted = StudyWanted { study: assignment.studies[0].clone(), class: Class::Visible, paused: false };
    session.want(&assignment, vec![]);
    session.complete(&wanted.study.study_uid);
    let study = Arc::clone(&session.studies[&wanted.study.study_uid]);
    let thumbnails: Vec<_> = study
        .series
        .iter()
        .flat_map(display_sets)
        .map(|set| ThumbnailWanted { frame: set.frames[1].clone(), display_set: set.id, voi: None })
        .collect();
    assert_eq!(thumbnails.len(), 2);
    for run in 0..2 {
        let demand =
            Demand { studies: vec![wanted.clone()], frames: vec![], missing: vec![], thumbnails: thumbnails.clone() };
        session.engine().demand(demand);
        let mut seen = 0;
        session.wait("thumbnails", |e| {
            if let Event::Thumbnail { size, rgb, .. } = e {
                assert_eq!((size, rgb.len()), (&[96, 96], 96 * 96 * 3));
                seen += 1;
            }
            (seen == 2).then_some(())
        });
        // The second time they come from the disk: nothing else of the study is asked for.
        session.stop();
        session = terminal.start();
        if run == 0 {
            session.engine().demand(Demand { studies: vec![wanted.clone()], ..Demand::default() });
            session.until("the study from the disk", |s| s.studies.contains_key(&wanted.study.study_uid));
        }
    }
}

#[test]
fn a_paused_study_moves_no_bytes_and_an_urgent_one_goes_first() {
    let center = TestCenter::start(None);
    for uid in ["1.2.392.42", "1.2.392.43"] {
        center.import(&write_study(center.folder(), uid, 2, 10, 64));
    }
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let mut studies: Vec<_> = session.assignments.values().map(|a| a.studies[0].clone()).collect();
    studies.sort_by_key(|s| s.study_uid.clone());
    let wanted = |class: [Class; 2], paused: [bool; 2]| {
        let one = |n: usize| StudyWanted { study: studies[n].clone(), class: class[n], paused: paused[n] };
        Demand { studies: vec![one(0), one(1)], ..Demand::default() }
    };
    session.engine().demand(wanted([Class::Ahead, Class::Visible], [true, false]));
    session.complete(&studies[1].study_uid.clone());
    assert!(session.ledgers.get(&studies[0].study_uid).is_none_or(|(l, ..)| l.received() == 0));
    session.engine().demand(wanted([Class::Ahead, Class::Visible], [false, false]));
    assert_eq!(session.complete(&studies[0].study_uid.clone()).received(), 20);
}

#[test]
fn every_act_is_in_the_centers_audit_and_refused_steps_say_why() {
    let center = TestCenter::start(None);
    center.import(&write_study(center.folder(), "1.2.392.44", 1, 2, 16));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    session.begin(&id);
    session.send(Command::Transition {
        assignment: id.clone(),
        transition: Transition::Decline(DeclineReason::Overload, String::new()),
    });
    let failure = session.wait("a refusal", |e| match e {
        Event::TransitionFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert!(matches!(&failure, Failure::Conflict(words) if !words.is_empty()), "{failure:?}");
    assert_eq!(session.assignments[&id].state, AssignmentState::InProgress);
    let study = session.assignments[&id].studies[0].study_uid.clone();
    session.send(Command::Viewed { study: study.clone() });
    crate::support::process::wait_until("the record at the center", || {
        center.audit_bodies().iter().any(|b| b.contains("study_opened") && b.contains(study.as_str()))
    });
    let bodies = center.audit_bodies();
    for action in ["application_start", "login", "worklist_query"] {
        assert!(bodies.iter().any(|b| b.contains(action)), "{action} is missing in {bodies:?}");
    }
}

#[test]
fn an_addendum_follows_its_report() {
    let center = TestCenter::start(None);
    center.import(&write_study(center.folder(), "1.2.392.45", 1, 2, 16));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
    session.sign(&prepared);
    let first = session.receipt();
    let mut addendum = Session::draft(&assignment, 2);
    addendum.addendum_to =
        Some(Predecessor { report_id: first.report_id.clone(), sha256: first.sha256.clone(), version: first.version });
    let prepared = session.prepare(&assignment, addendum);
    session.sign(&prepared);
    let second = session.receipt();
    assert_eq!((second.report_id, second.version), (first.report_id, 2));
    session.send(Command::LoadReports { assignment: id.clone() });
    let reports = session.wait("the reports", |e| match e {
        Event::Reports { reports, .. } => Some(reports.clone()),
        _ => None,
    });
    assert_eq!(reports.iter().map(|r| (r.version, r.valid)).collect::<Vec<_>>(), [(1, true), (2, true)]);
    session.stop();
    // Another terminal reads both from the center.
    let other = Terminal::new(&center);
    let mut session = other.signed_in(&center);
    session.send(Command::LoadReports { assignment: id.clone() });
    let remote = session.wait("the reports", |e| match e {
        Event::Reports { reports, .. } => Some(reports.clone()),
        Event::Notice(failure) => panic!("{failure:?}"),
        _ => None,
    });
    assert_eq!(
        remote.iter().map(|r| (r.version, r.valid, r.sha256.clone())).collect::<Vec<_>>(),
        reports.iter().map(|r| (r.version, true, r.sha256.clone())).collect::<Vec<_>>()
    );
    assert_eq!(center.reports(), [(id, 2)]);
}

#[test]
fn the_disk_budget_never_takes_an_open_assignments_study() {
    let center = TestCenter::start(None);
    for uid in ["1.2.392.46", "1.2.392.47"] {
        center.import(&write_study(center.folder(), uid, 1, 10, 64));
    }
    let mut terminal = Terminal::new(&center);
    terminal.budgets.disk = 1;
    let mut session = terminal.signed_in(&center);
    let assignments: Vec<_> = session.assignments.values().cloned().collect();
    for assignment in &assignments {
        session.want(assignment, vec![]);
        session.complete(&assignment.studies[0].study_uid.clone());
    }
    // Both are open, so both stay, whatever the budget says.
    let first: &StudyUid = &assignments[0].studies[0].study_uid;
    session.ledgers.remove(first);
    session.want(&assignments[0], vec![]);
    session.until("the study from the disk", |s| s.ledgers.get(first).is_some_and(|(l, ..)| l.received() == 10));
}
