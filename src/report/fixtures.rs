//! Small values for this module's tests.

use super::{Draft, templates};
use crate::study::{ExamKind, Patient, PersonName, StudyUid};
use crate::worklist::{
    Archive, ArchiveAuth, Assignment, AssignmentState, Due, DueRule, Facility, Kind, Priority, Request, Role,
    StudyToRead,
};
use jiff::Timestamp;

pub(crate) fn assignment() -> Assignment {
    let study = |uid: &str| StudyToRead {
        study_uid: StudyUid::new(uid).expect("uid"),
        archive: Archive {
            root: "https://127.0.0.1/dicomweb".into(),
            auth: ArchiveAuth::CenterToken,
            credentials: None,
        },
        modalities: vec!["CT".into()],
        date: None,
        description: "胸腹部".into(),
        series: 1,
        instances: 3,
        bytes: 0,
    };
    Assignment {
        id: "a-1".into(),
        etag: "1".into(),
        role: Role::Primary,
        state: AssignmentState::InProgress,
        kind: Kind::Opinion,
        priority: Priority::Routine,
        exam_kind: ExamKind::CT,
        received_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        due: Due { at: Timestamp::UNIX_EPOCH, rule: DueRule::ContractHours { hours: 24 } },
        facility: Facility { name: "東北クリニック".into(), code: "0410000001".into() },
        reading_facility: Facility { name: "読影センター".into(), code: "C1".into() },
        patient: Patient {
            id: "0012345".into(),
            issuer: Some("F1".into()),
            name: PersonName::parse("Yamada^Tarou=山田^太郎=やまだ^たろう"),
            birth_date: None,
            sex: None,
        },
        request: Request { question: "肺結節の経過".into(), ..Request::default() },
        studies: vec![study("1.2")],
        prior_studies: vec![study("1.1")],
        prior_reports: vec![],
        template_ids: vec!["clin.ct".into()],
        messages: vec![],
        reason: None,
        lease: None,
        preferred_reader: None,
        report_id: None,
    }
}

/// A draft of the general template, prefilled from the request.
pub(super) fn draft() -> Draft {
    let assignment = assignment();
    let template = templates::find("clin.ct").expect("template");
    Draft::new(&assignment, &template, &Draft::prefill(&assignment, "", ""))
}
