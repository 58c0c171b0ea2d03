//! An app in the middle of a reading, without engine or window.

use dokuei::app::{Action, App, ReportAction, WorklistAction};
use dokuei::engine::message::{Event, Prepared, Session, Start};
use dokuei::report::manifest::{self, BuildInput, Signer, Software};
use dokuei::report::{Edit, Value};
use dokuei::study::{ExamKind, Patient, PersonName, Sex, StudyUid};
use dokuei::vault::digest::sha256_hex;
use dokuei::worklist::{
    Archive, ArchiveAuth, Assignment, AssignmentState, Due, DueRule, Facility, Kind, Lease, Priority, Request, Role,
    StudyToRead,
};
use jiff::{Timestamp, civil::date};
use std::sync::Arc;

/// The time of these tests: 2026-11-22 01:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_795_309_200, 0);

/// Side, site, kind, size in mm.
pub(crate) const FINDINGS: [(&str, &str, &str, f64); 2] =
    [("R", "右上葉 S3", "充実性結節", 12.4), ("L", "左下葉 S9", "すりガラス結節", 6.1)];

pub(crate) fn assignment(id: &str) -> Assignment {
    let study = |uid: &str| StudyToRead {
        study_uid: StudyUid::new(uid).expect("uid"),
        archive: Archive {
            root: "https://127.0.0.1/dicomweb".into(),
            auth: ArchiveAuth::CenterToken,
            credentials: None,
        },
        modalities: vec!["CT".into()],
        date: Some(date(2026, 11, 20)),
        description: "胸腹部 造影".into(),
        series: 2,
        instances: 612,
        bytes: 320 << 20,
    };
    Assignment {
        id: id.into(),
        etag: "1".into(),
        role: Role::Primary,
        state: AssignmentState::Assigned,
        kind: Kind::Opinion,
        priority: Priority::Urgent,
        exam_kind: ExamKind::CT,
        received_at: NOW,
        updated_at: NOW,
        due: Due { at: NOW + jiff::SignedDuration::from_mins(42), rule: DueRule::ContractHours { hours: 4 } },
        facility: Facility { name: "東北クリニック".into(), code: "0410000001".into() },
        reading_facility: Facility { name: "読影センター".into(), code: "C1".into() },
        patient: Patient {
            id: "0012345".into(),
            issuer: Some("東北".into()),
            name: PersonName::parse("Yamada^Tarou=山田^太郎=やまだ^たろう"),
            birth_date: Some(date(1968, 3, 4)),
            sex: Some(Sex::Male),
        },
        request: Request {
            exam: "CT 胸腹部造影".into(),
            question: "肺結節の経過。増大の有無をご確認ください。".into(),
            clinical_information: "健診で右肺の結節を指摘。".into(),
            body_parts: vec!["胸部".into(), "腹部".into()],
            ..Request::default()
        },
        studies: vec![study("1.2.3")],
        prior_studies: vec![],
        prior_reports: vec![],
        template_ids: vec!["clin.ct".into()],
        messages: vec![],
        reason: None,
        lease: None,
        preferred_reader: None,
        report_id: None,
    }
}

/// Signed in, with the given assignments in the list.
pub(crate) fn signed_in(assignments: Vec<Assignment>) -> App {
    let mut app = App::new(NOW);
    let ready = Start::Ready { center: "読影センター".into(), last_user: "reader1".into() };
    app.apply(NOW, Event::Started(ready));
    let session = Session { user: "reader1".into(), name: "田中 一郎".into(), roles: vec!["reader".into()] };
    app.apply(NOW, Event::SignedIn(session));
    app.apply(NOW, Event::Worklist { assignments: assignments.into_iter().map(Arc::new).collect(), at: NOW });
    app
}

/// In the middle of reading the assignment `a-1`, with an empty draft.
pub(crate) fn reading() -> App {
    begin(signed_in(vec![assignment("a-1")]))
}

/// Opens `a-1`; the center grants it, and there is no draft yet.
pub(crate) fn begin(mut app: App) -> App {
    app.update(NOW, Action::Worklist(WorklistAction::Open("a-1".into())));
    let started = Assignment {
        state: AssignmentState::InProgress,
        lease: Some(Lease {
            id: "l-1".into(),
            owner: "reader1".into(),
            expires_at: NOW + jiff::SignedDuration::from_hours(1),
        }),
        ..assignment("a-1")
    };
    app.apply(NOW, Event::Assignment(Arc::new(started)));
    app.apply(NOW, Event::Draft { assignment: "a-1".into(), draft: None });
    app
}

/// Adds a finding and fills it.
pub(crate) fn add_finding(app: &mut App, (side, site, kind, size): (&str, &str, &str, f64)) {
    app.update(NOW, Action::Report(ReportAction::NewFinding));
    let draft = app.report.as_ref().and_then(|r| r.draft()).expect("draft");
    let id = draft.findings.last().expect("finding").id;
    let text = |t: &str| Some(Value::Text(t.into()));
    for (field, value) in
        [("side", text(side)), ("site", text(site)), ("kind", text(kind)), ("size", Some(Value::Number(size)))]
    {
        app.update(NOW, Action::Report(ReportAction::Edit(Edit::SetFindingField(id, field.into(), value))));
    }
}

/// Brings the app to the preview as the engine would: fills what is required, passes the open points.
pub(crate) fn prepare(app: &mut App) -> Prepared {
    use dokuei::app::{SignAction, SignFlow};
    app.update(NOW, Action::Sign(SignAction::Cancel));
    for (field, content) in [
        ("technique", "造影 CT、5 mm スライス"),
        ("comparison", "なし"),
        ("findings", "右肺上葉 S3 に 12 mm 大の結節を認める。\n縦隔・肺門リンパ節腫大を認めない。胸水なし。"),
        ("impression", "右肺上葉結節。\n3 か月後の CT での経過観察を勧めます。"),
        ("critical", "none"),
        ("contrast", "ce"),
    ] {
        let edit = Edit::SetField(field.into(), Some(Value::Text(content.into())));
        app.update(NOW, Action::Report(ReportAction::Edit(edit)));
    }
    app.update(NOW, Action::Sign(SignAction::Begin));
    let count = match app.report.as_ref().map(|r| &r.sign) {
        Some(SignFlow::Points { points, .. }) => points.len(),
        _ => 0,
    };
    for n in 0..count {
        app.update(NOW, Action::Sign(SignAction::Reason(n, "依頼元に確認済み".into())));
    }
    app.update(NOW, Action::Sign(SignAction::Proceed));
    let report = app.report.as_ref().expect("report");
    let package = manifest::build(&BuildInput {
        draft: report.draft().expect("draft"),
        template: &report.template,
        assignment: app.open_assignment().expect("assignment"),
        acknowledged: &[],
        shown: &["1.2.3.4".into()],
        pictures: &[],
        signer: Signer { user: "reader1".into(), name: "田中 一郎".into() },
        claimed_time: NOW,
        language: "ja",
        software: Software { name: "Dokuei".into(), version: "0".into(), build_class: "RESEARCH".into() },
    })
    .expect("package");
    let prepared = Prepared {
        id: 7,
        assignment: "a-1".into(),
        revision: report.draft().expect("draft").revision,
        sha256: sha256_hex(&package.report_json),
        html: String::from_utf8_lossy(&package.attachments[0].bytes).into_owned().into(),
        report_json: package.report_json.into(),
        pictures: Vec::new(),
    };
    app.apply(NOW, Event::Prepared(prepared.clone()));
    prepared
}
