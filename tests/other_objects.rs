//! Objects without a picture in the tray and beside the pictures, by their words in both languages.

use crate::support::app::NOW;
use dokuei::app::{Action, App, Language, NoticeCode, ObjectAction, SettingsAction};
use dokuei::engine::message::{
    Command, DocumentSaved, Event, Failure, ObjectCommand, ObjectEvent, StudyProgress, Unread,
};
use dokuei::study::document::{Document, Item, Value};
use dokuei::study::{
    Code, FrameInfo, FrameRef, Instance, InstanceTraits, Ledger, ObjectRef, Patient, Series, SeriesUid, SopInstanceUid,
    Study, StudyUid,
};
use dokuei::ui::object_panel::{ObjectLocal, object_panel_ui, objects_ui};
use dokuei::ui::text::Words;
use dokuei::viewport::state_object::PresentationState;
use dokuei::viewport::{Encapsulated, ObjectContent};
use egui_kittest::{Harness, kittest::Queryable};
use std::sync::Arc;

fn instance(uid: &str, number: i32, class: &str) -> Instance {
    let picture = class.is_empty();
    Instance {
        uid: SopInstanceUid::new(uid).expect("uid"),
        sop_class: class.into(),
        transfer_syntax: None,
        number: Some(number),
        rows: if picture { 16 } else { 0 },
        columns: if picture { 16 } else { 0 },
        frames: u32::from(picture),
        image_type: vec![],
        photometric: String::new(),
        frame_of_reference: None,
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![FrameInfo::default()],
        not_an_image: (!picture).then(|| "names images".to_owned()),
        traits: InstanceTraits::default(),
    }
}

fn series(uid: &str, number: i32, modality: &str, instances: Vec<Instance>) -> Series {
    Series {
        uid: SeriesUid::new(uid).expect("uid"),
        modality: modality.into(),
        number: Some(number),
        description: format!("{modality} series"),
        body_part: String::new(),
        instances,
    }
}

struct State {
    app: App,
    local: ObjectLocal,
    commands: Vec<Command>,
}

/// A local study of three pictures and a key object selection.
fn opened(language: Language) -> App {
    let mut app = App::new(NOW);
    app.update(NOW, Action::Settings(SettingsAction::Language(language)));
    let study = Study {
        uid: StudyUid::new("1.2").expect("uid"),
        patient: Patient::default(),
        other_patients: vec![],
        strange_series: vec![],
        text_notes: Vec::new(),
        date: None,
        time: None,
        accession: String::new(),
        description: String::new(),
        institution: String::new(),
        series: vec![
            series("1.2.1", 3, "CT", (1..=3).map(|n| instance(&format!("1.2.1.{n}"), n, "")).collect()),
            series("1.2.2", 9, "KO", vec![instance("1.2.2.1", 1, "1.2.840.10008.5.1.4.1.1.88.59")]),
        ],
    };
    let uid = study.uid.clone();
    app.apply(NOW, Event::Study(Arc::new(study)));
    app.apply(NOW, Event::LocalOpened { studies: vec![uid], not_shown: vec![] });
    app
}

fn harness(language: Language) -> Harness<'static, State> {
    let state = State { app: opened(language), local: ObjectLocal::default(), commands: vec![] };
    Harness::builder()
        .with_size([420.0, 600.0])
        .with_context_setup(|ctx| {
            dokuei::ui::fonts::install(ctx);
            dokuei::ui::theme::install(ctx);
        })
        .build_ui_state(
            move |ui, state: &mut State| {
                let (mut out, words) = (Vec::new(), Words(language));
                let app = &state.app;
                for (_, study) in app.open_studies() {
                    objects_ui(ui, words, app, &study.objects, &mut out);
                }
                if let Some(open) = app.reading.as_ref().and_then(|r| r.object.as_ref()) {
                    object_panel_ui(ui, words, open, &mut state.local, &mut out);
                }
                for action in out {
                    state.commands.extend(state.app.update(NOW, action));
                }
            },
            state,
        )
}

fn selection() -> ObjectContent {
    let image = |uid: &str| ObjectRef {
        class: String::new(),
        instance: SopInstanceUid::new(uid).expect("uid"),
        frames: vec![],
        segments: vec![],
        presentation: None,
    };
    let item = |number: &str, value| Item {
        depth: 0,
        number: number.into(),
        relation: "CONTAINS".into(),
        name: None,
        observed: String::new(),
        value,
    };
    ObjectContent::Document(Box::new(Document {
        title: Code { value: "113000".into(), scheme: "DCM".into(), meaning: "Of Interest".into() },
        items: vec![
            item("1.1", Value::Text("重要画像".into())),
            item("1.2", Value::Image(image("1.2.1.3"))),
            item("1.3", Value::Image(image("9.9"))),
        ],
        ..Document::default()
    }))
}

#[test]
fn a_key_object_selection_leads_to_its_pictures() {
    let cases = [
        (Language::Ja, "キー画像選択 #9 KO series", "シリーズ3 画像3", "開いている検査にない画像"),
        (Language::En, "Key objects #9 KO series", "Series 3, image 3", "image not in the open studies"),
    ];
    for (language, row, picture, elsewhere) in cases {
        let mut h = harness(language);
        h.run();
        h.get_by_label(row).click();
        h.run();
        let key = SopInstanceUid::new("1.2.2.1").expect("uid");
        assert!(matches!(h.state().commands.as_slice(), [Command::Object(ObjectCommand::Read(uid))] if *uid == key));
        h.state_mut()
            .app
            .apply(NOW, Event::Object(ObjectEvent::Read { instance: key, content: Ok(Arc::new(selection())) }));
        h.run();
        assert!(h.query_all_by_label(elsewhere).next().is_some());
        assert!(h.query_by_label("重要画像").is_some());
        // Once in the jump list, once in the text.
        h.get_all_by_label(picture).next().expect("a way to the picture").click();
        h.run();
        let app = &h.state().app;
        let shown = app.active_view().and_then(|id| app.view(id)).and_then(|v| v.frame.clone());
        assert_eq!(shown.map(|f| f.instance.to_string()).as_deref(), Some("1.2.1.3"));
    }
}

#[test]
fn a_presentation_state_is_laid_over_its_pictures_and_taken_away() {
    for (language, row, lay) in [
        (Language::Ja, "キー画像選択 #9 KO series", "画像に重ねる"),
        (Language::En, "Key objects #9 KO series", "Lay over the pictures"),
    ] {
        let mut h = harness(language);
        h.run();
        h.get_by_label(row).click();
        h.run();
        let image = |uid: &str| ObjectRef {
            class: String::new(),
            instance: SopInstanceUid::new(uid).expect("uid"),
            frames: vec![],
            segments: vec![],
            presentation: None,
        };
        let state = PresentationState {
            images: (1..=3).map(|n| image(&format!("1.2.1.{n}"))).collect(),
            flip: true,
            ..PresentationState::default()
        };
        let content = ObjectContent::PresentationState(Box::new(state));
        let instance = SopInstanceUid::new("1.2.2.1").expect("uid");
        h.state_mut().app.apply(NOW, Event::Object(ObjectEvent::Read { instance, content: Ok(Arc::new(content)) }));
        h.run();
        let mirrored = |h: &Harness<'_, State>| {
            let app = &h.state().app;
            let view = app.active_view().and_then(|id| app.view(id)).expect("view");
            (app.laid().is_some(), view.view.flip_horizontal)
        };
        assert_eq!(mirrored(&h), (false, false));
        h.get_by_label(lay).click();
        h.run();
        assert_eq!(mirrored(&h), (true, true));
        h.get_by_label(lay).click();
        h.run();
        assert_eq!(mirrored(&h), (false, false));
    }
}

#[test]
fn a_document_is_saved_where_the_reader_says_and_the_end_is_told() {
    for (language, row) in [(Language::Ja, "キー画像選択 #9 KO series"), (Language::En, "Key objects #9 KO series")]
    {
        let words = Words(language);
        let mut h = harness(language);
        h.run();
        h.get_by_label(row).click();
        h.run();
        let document = Encapsulated { title: "紹介状".into(), mime: "application/pdf".into(), bytes: 12_345 };
        let instance = SopInstanceUid::new("1.2.2.1").expect("uid");
        let content = Ok(Arc::new(ObjectContent::Encapsulated(document)));
        h.state_mut().app.apply(NOW, Event::Object(ObjectEvent::Read { instance: instance.clone(), content }));
        h.run();
        let save = words.t("object.save");
        h.get_by_label(save).click();
        h.run();
        assert!(
            h.state().commands.iter().all(|c| !matches!(c, Command::Object(ObjectCommand::Save(_)))),
            "no folder was named"
        );
        h.get_by_label(words.t("object.save_folder")).focus();
        h.run();
        h.get_by_label(words.t("object.save_folder")).type_text("/media/reader");
        h.run();
        h.get_by_label(save).click();
        h.run();
        h.get_by_label(words.t("object.saving"));
        let wishes = h.state().commands.iter().filter_map(|c| match c {
            Command::Object(ObjectCommand::Save(wish)) => Some((wish.instance.clone(), wish.folder.clone())),
            _ => None,
        });
        assert_eq!(wishes.collect::<Vec<_>>(), [(instance.clone(), "/media/reader".into())]);
        let answer = |saved| Event::Object(ObjectEvent::Saved(DocumentSaved { instance: instance.clone(), saved }));
        h.state_mut().app.apply(NOW, answer(Err(Failure::Full("no space left".into()))));
        h.run();
        h.get_by_label_contains("no space left");
        h.get_by_label(words.t("failure.full_do"));
        for (failure, what, todo) in [
            (Failure::Conflict("a is there already".into()), "failure.exists", "failure.exists_do"),
            (Failure::Local("no such folder".into()), "failure.not_written", "failure.not_written_do"),
        ] {
            h.state_mut().app.apply(NOW, answer(Err(failure)));
            h.run();
            h.get_by_label_contains(words.t(what));
            h.get_by_label(words.t(todo));
        }
        h.state_mut().app.apply(NOW, answer(Ok("/media/reader/document-1.2.2.1/document.pdf".into())));
        h.run();
        h.get_by_label(words.t("object.saved"));
        h.get_by_label("/media/reader/document-1.2.2.1/document.pdf");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let mut h = harness(Language::En);
    h.run();
    h.get_by_label("Key objects #9 KO series").click();
    h.run();
    let key = SopInstanceUid::new("1.2.2.1").expect("uid");
    h.state_mut().app.apply(
        NOW,
        Event::Object(ObjectEvent::Read {
            instance: key,
            content: Err(Unread::Unreadable("broken DICOM object".into())),
        }),
    );
    h.run();
    assert!(h.query_by_label("Listed only").is_some());
    assert!(h.query_by_label("broken DICOM object").is_some());
    h.get_by_label("Close").click();
    h.run();
    assert!(h.state().app.reading.as_ref().is_some_and(|r| r.object.is_none()));
}

/// The study's ledger after these of its objects have arrived.
fn progress(received: &[&str], finished: bool) -> Event {
    let mut ledger = Ledger::default();
    let series = SeriesUid::new("1.2.2").expect("uid");
    for uid in received {
        ledger.receive(&series, &SopInstanceUid::new(uid).expect("uid"), 1);
    }
    let study = StudyUid::new("1.2").expect("uid");
    Event::StudyProgress(StudyProgress { study, ledger: Arc::new(ledger), finished, failure: None })
}

#[test]
fn an_object_asked_for_before_it_has_arrived_opens_when_it_arrives() {
    let cases = [
        (Language::Ja, "キー画像選択 #9 KO series", "まだ受信していません", "受信できませんでした", "重要画像"),
        (Language::En, "Key objects #9 KO series", "Not received yet", "Could not be received", "重要画像"),
    ];
    for (language, row, not_here, unfetched, text) in cases {
        let mut h = harness(language);
        h.run();
        h.get_by_label(row).click();
        h.run();
        let key = SopInstanceUid::new("1.2.2.1").expect("uid");
        let answer = |content| Event::Object(ObjectEvent::Read { instance: key.clone(), content });
        let asks = |commands: &[Command]| {
            commands.iter().any(|c| matches!(c, Command::Object(ObjectCommand::Read(uid)) if *uid == key))
        };
        let app = &mut h.state_mut().app;
        assert!(!asks(&app.apply(NOW, answer(Err(Unread::NotHere)))));
        assert!(!asks(&app.apply(NOW, progress(&["1.2.2.7"], false))), "another one came");
        h.run();
        assert!(h.query_by_label(not_here).is_some());
        // All else has come, and this one was given up: why is asked for once.
        let app = &mut h.state_mut().app;
        assert!(asks(&app.apply(NOW, progress(&["1.2.2.7"], true))));
        app.apply(NOW, answer(Err(Unread::Unfetched("404".into()))));
        assert!(!asks(&app.apply(NOW, progress(&["1.2.2.7"], true))), "not asked for again and again");
        h.run();
        assert!(h.query_by_label(unfetched).is_some() && h.query_by_label("404").is_some());
        let app = &mut h.state_mut().app;
        assert!(asks(&app.apply(NOW, progress(&["1.2.2.1"], true))));
        app.apply(NOW, answer(Ok(Arc::new(selection()))));
        assert!(!asks(&app.apply(NOW, progress(&["1.2.2.1"], true))));
        h.run();
        assert!(h.query_by_label(text).is_some() && h.query_by_label(not_here).is_none());
    }
}

#[test]
fn an_object_that_arrives_while_its_absence_is_told_is_asked_for_once_more() {
    let mut app = opened(Language::En);
    let key = SopInstanceUid::new("1.2.2.1").expect("uid");
    app.update(NOW, Action::Object(ObjectAction::Open(key.clone())));
    app.apply(NOW, progress(&["1.2.2.1"], false));
    let late = || Event::Object(ObjectEvent::Read { instance: key.clone(), content: Err(Unread::NotHere) });
    assert!(matches!(app.apply(NOW, late()).as_slice(), [Command::Object(ObjectCommand::Read(uid))] if *uid == key));
    assert!(app.apply(NOW, late()).is_empty(), "once");
}

#[test]
fn a_picture_that_cannot_be_shown_says_what_is_missing_and_why() {
    let frame = |uid: &str, number| FrameRef {
        instance: SopInstanceUid::new(uid).expect("uid"),
        frame: dokuei::study::FrameIndex::from_number(number).expect("number"),
    };
    let cases = [
        (
            Language::Ja,
            [
                (frame("9.9", 1), "参照された画像は、開いている検査にありません"),
                (frame("1.2.1.2", 7), "参照された画像を表示できません（シリーズ3 画像2, フレーム7／全1フレーム）"),
                (frame("1.2.2.1", 1), "参照された画像を表示できません（シリーズ9 画像1: names images）"),
            ],
        ),
        (
            Language::En,
            [
                (frame("9.9", 1), "The image named is not in the open studies"),
                (frame("1.2.1.2", 7), "The image named cannot be shown (Series 3, image 2, frame 7 of 1)"),
                (frame("1.2.2.1", 1), "The image named cannot be shown (Series 9, image 1: names images)"),
            ],
        ),
    ];
    for (language, missing) in cases {
        let mut app = opened(language);
        let told = |app: &App| -> Vec<String> {
            let pictures = app.notices.iter().filter(|n| matches!(n.code, NoticeCode::PictureNotShown { .. }));
            pictures.map(|n| dokuei::ui::notices::parts(Words(language), app, &n.code).what).collect()
        };
        for (frame, expected) in missing {
            app.update(NOW, Action::Object(ObjectAction::Show(frame)));
            assert_eq!(told(&app), [expected], "one at a time");
        }
        app.update(NOW, Action::Object(ObjectAction::Show(frame("1.2.1.2", 1))));
        assert!(told(&app).is_empty(), "shown");
    }
}
