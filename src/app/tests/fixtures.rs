//! A small center's worth of data, and a bench that feeds the app.

use crate::app::{Action, App, ReportAction, SignAction, WorklistAction};
use crate::engine::message::{Command, Event, Prepared, Secret, Session, Start, StudyProgress};
use crate::imaging::{Frame, Modality, Pixels};
use crate::report::{Edit, Value};
use crate::study::{
    ExamKind, FrameInfo, FrameRef, ImagePlane, Instance, Laterality, Ledger, Patient, PersonName, Series, SeriesUid,
    SopInstanceUid, Study, StudyUid, Voi,
};
use crate::worklist::{
    Archive, ArchiveAuth, Assignment, AssignmentState, Due, DueRule, Facility, Kind, Lease, Priority, Request, Role,
    StudyToRead,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use std::sync::Arc;

/// 2026-11-22 09:00 in Japan.
pub(super) fn t0() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().expect("time")
}

pub(super) fn study_uid(text: &str) -> StudyUid {
    StudyUid::new(text).expect("uid")
}

pub(super) fn secret(text: &str) -> Secret {
    Secret(text.to_owned().into())
}

pub(super) fn yamada() -> Patient {
    Patient {
        id: "0012345".into(),
        issuer: Some("F1".into()),
        name: PersonName::parse("Yamada^Tarou=山田^太郎=やまだ^たろう"),
        birth_date: Some(date(1968, 3, 4)),
        sex: None,
    }
}

pub(super) fn suzuki() -> Patient {
    Patient {
        id: "0099".into(),
        issuer: Some("F1".into()),
        name: PersonName::parse("ｽｽﾞｷ^ﾊﾅｺ=鈴木^花子"),
        birth_date: Some(date(1975, 1, 2)),
        sex: None,
    }
}

pub(super) fn instance(uid: &str, number: i32, size: u32) -> Instance {
    Instance {
        uid: SopInstanceUid::new(uid).expect("uid"),
        sop_class: String::new(),
        transfer_syntax: None,
        number: Some(number),
        rows: size,
        columns: size,
        frames: 1,
        image_type: vec![],
        photometric: "MONOCHROME2".into(),
        frame_of_reference: None,
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![FrameInfo::default()],
        not_an_image: None,
        traits: crate::study::InstanceTraits::default(),
    }
}

pub(super) fn series(uid: &str, modality: &str, description: &str, instances: Vec<Instance>) -> Series {
    Series {
        uid: SeriesUid::new(uid).expect("uid"),
        modality: modality.into(),
        number: Some(1),
        description: description.into(),
        body_part: String::new(),
        instances,
    }
}

/// An axial stack: `count` slices from `z0` on, `step` mm apart, 1 mm pixels.
pub(super) fn stack(uid: &str, modality: &str, count: i32, z0: f64, step: f64, reference: &str) -> Series {
    let slice = |n: i32| {
        let z = z0 + f64::from(n) * step;
        Instance {
            frame_of_reference: Some(reference.into()),
            frame_info: vec![FrameInfo {
                plane: ImagePlane::new([0.0, 0.0, z], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0]),
                voi: vec![Voi::linear(40.0, 400.0)],
                ..FrameInfo::default()
            }],
            ..instance(&format!("{uid}.{}", n + 1), n + 1, 4)
        }
    };
    series(uid, modality, "axial", (0..count).map(slice).collect())
}

pub(super) fn mammogram(uid: &str, side: Laterality, view: &str, orientation: Option<[&str; 2]>) -> Series {
    let one = Instance {
        laterality: Some(side),
        view: Some(view.into()),
        patient_orientation: orientation.map(|o| o.map(str::to_owned)),
        ..instance(&format!("{uid}.1"), 1, 8)
    };
    series(uid, "MG", "", vec![one])
}

pub(super) fn study(uid: &str, patient: Patient, series: Vec<Series>) -> Arc<Study> {
    Arc::new(Study {
        uid: study_uid(uid),
        patient,
        date: Some(date(2026, 11, 20)),
        time: None,
        accession: String::new(),
        description: String::new(),
        institution: String::new(),
        other_patients: Vec::new(),
        strange_series: Vec::new(),
        text_notes: Vec::new(),
        series,
    })
}

pub(super) fn to_read(study: &Study) -> StudyToRead {
    StudyToRead {
        study_uid: study.uid.clone(),
        archive: Archive {
            root: "https://127.0.0.1/dicomweb".into(),
            auth: ArchiveAuth::CenterToken,
            credentials: None,
        },
        modalities: study.series.first().map(|s| s.modality.clone()).into_iter().collect(),
        date: study.date,
        description: study.description.clone(),
        series: study.series.len() as u64,
        instances: study.instance_count() as u64,
        bytes: 0,
    }
}

pub(super) fn assignment(id: &str, kind: ExamKind, due_min: i64, now: &Study, priors: &[&Arc<Study>]) -> Assignment {
    Assignment {
        id: id.into(),
        etag: "1".into(),
        role: Role::Primary,
        state: AssignmentState::Accepted,
        kind: Kind::Opinion,
        priority: Priority::Routine,
        exam_kind: kind,
        received_at: t0(),
        updated_at: t0(),
        due: Due { at: t0() + SignedDuration::from_mins(due_min), rule: DueRule::ContractHours { hours: 24 } },
        facility: Facility { name: "東北クリニック".into(), code: "F1".into() },
        reading_facility: Facility::default(),
        patient: now.patient.clone(),
        request: Request { question: "肺結節の経過".into(), exam: "CT".into(), ..Request::default() },
        studies: vec![to_read(now)],
        prior_studies: priors.iter().map(|s| to_read(s)).collect(),
        prior_reports: vec![],
        template_ids: vec![if kind == ExamKind::MMG { "mmg.screen" } else { "clin.ct" }.into()],
        messages: vec![],
        reason: None,
        lease: None,
        preferred_reader: None,
        report_id: None,
    }
}

pub(super) fn pixels(size: u32) -> Arc<Frame> {
    let values = (0..size * size).map(|v| 1000 + (v % 16) as i16).collect();
    Arc::new(Frame {
        modality: Modality::Rescale { slope: 1.0, intercept: -1000.0 },
        unit: "HU".into(),
        voi: vec![Voi::linear(40.0, 400.0)],
        ..Frame::plain(size, size, Pixels::I16(values))
    })
}

/// The app, a clock and what it asked for.
pub(super) struct Bench {
    pub app: App,
    pub now: Timestamp,
    pub out: Vec<Command>,
    pub studies: Vec<Arc<Study>>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { app: App::new(t0()), now: t0(), out: Vec::new(), studies: Vec::new() }
    }

    /// Signed in, with two assignments: a-1 (Yamada, CT with prior, due first), a-2 (Suzuki, CT).
    pub(super) fn signed_in() -> Self {
        let mut bench = Self::new();
        let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 20, 0.0, 5.0, "9.1")]);
        let prior = study("1.0", yamada(), vec![stack("1.0.1", "CT", 40, 100.0, 2.5, "9.2")]);
        let other = study("2.1", suzuki(), vec![stack("2.1.1", "CT", 10, 0.0, 5.0, "9.3")]);
        let list = vec![
            assignment("a-1", ExamKind::CT, 30, &current, &[&prior]),
            assignment("a-2", ExamKind::CT, 90, &other, &[]),
        ];
        bench.studies = vec![current, prior, other];
        bench.enter(list);
        bench
    }

    /// Signs in and gets this list.
    pub(super) fn enter(&mut self, list: Vec<Assignment>) {
        self.event(Event::Started(Start::Ready { center: "読影センター".into(), last_user: "tanaka".into() }));
        self.event(Event::SignedIn(Session { user: "tanaka".into(), name: "田中".into(), roles: vec![] }));
        self.event(Event::Worklist { assignments: list.into_iter().map(Arc::new).collect(), at: self.now });
    }

    pub(super) fn act(&mut self, action: Action) -> Vec<Command> {
        let commands = self.app.update(self.now, action);
        self.out.extend(commands.iter().cloned());
        commands
    }

    pub(super) fn event(&mut self, event: Event) -> Vec<Command> {
        let commands = self.app.apply(self.now, event);
        self.out.extend(commands.iter().cloned());
        commands
    }

    /// Time passes, with a tick at its end.
    pub(super) fn wait(&mut self, seconds: i64) -> Vec<Command> {
        self.now += SignedDuration::from_secs(seconds);
        self.act(Action::Tick)
    }

    /// Opens an assignment; the center grants the lease; structure and ledger of its studies arrive.
    pub(super) fn open(&mut self, id: &str) {
        self.act(Action::Worklist(WorklistAction::Open(id.into())));
        self.grant(id);
        self.event(Event::Draft { assignment: id.into(), draft: None });
        self.studies_arrive();
    }

    pub(super) fn grant(&mut self, id: &str) {
        let mut assignment = self.app.worklist.get(id).expect("on the list").as_ref().clone();
        assignment.state = AssignmentState::InProgress;
        let expires_at = self.now + SignedDuration::from_hours(1);
        assignment.lease = Some(Lease { id: "l".into(), owner: "tanaka".into(), expires_at });
        self.event(Event::Assignment(Arc::new(assignment)));
    }

    /// What the demand names of the bench's studies arrives whole.
    pub(super) fn studies_arrive(&mut self) {
        let wanted: Vec<StudyUid> = self.app.demand().studies.into_iter().map(|w| w.study.study_uid).collect();
        for study in self.studies.clone() {
            if !wanted.contains(&study.uid) {
                continue;
            }
            let mut ledger = Ledger { announced: Some(study.instance_count() as u64), ..Ledger::default() };
            for series in &study.series {
                for one in &series.instances {
                    ledger.receive(&series.uid, &one.uid, 100);
                }
            }
            self.event(Event::Study(study.clone()));
            let ledger = Arc::new(ledger);
            self.event(Event::StudyProgress(StudyProgress {
                study: study.uid.clone(),
                ledger,
                finished: true,
                failure: None,
            }));
        }
    }

    /// Every frame demanded arrives.
    pub(super) fn frames_arrive(&mut self) {
        for frame in self.app.demand().frames {
            if self.app.pictures.frame(&frame).is_none() {
                self.event(Event::Frame(frame, pixels(4)));
            }
        }
        self.paint();
    }

    /// The window draws.
    pub(super) fn paint(&mut self) -> Vec<Command> {
        let commands = self.app.painted(self.now);
        self.out.extend(commands.iter().cloned());
        commands
    }

    /// Scrolls every display set of the open studies through the active viewport.
    pub(super) fn look_at_everything(&mut self) {
        let frames: Vec<FrameRef> =
            self.app.open_studies().flat_map(|(_, s)| &s.sets).flat_map(|s| s.frames.clone()).collect();
        let view = self.app.active_view().expect("a viewport");
        for frame in frames {
            self.act(Action::View(view, crate::app::ViewAction::ShowFrame(frame)));
            self.frames_arrive();
        }
    }

    pub(super) fn type_into(&mut self, field: &str, text: &str) -> Vec<Command> {
        let edit = Edit::SetField(field.into(), Some(Value::Text(text.into())));
        self.act(Action::Report(ReportAction::Edit(edit)))
    }

    /// Fills what `clin.ct` requires.
    pub(super) fn fill(&mut self) {
        for (field, text) in [
            ("purpose", "肺結節の経過"),
            ("technique", "CT"),
            ("contrast", "none"),
            ("comparison", "2025-10-02"),
            ("findings", "右 S3 に結節。"),
            ("impression", "肺結節"),
            ("critical", "none"),
        ] {
            self.type_into(field, text);
        }
    }

    /// Everything seen, everything filled, the preview on screen.
    pub(super) fn reach_preview(&mut self) -> u64 {
        self.look_at_everything();
        self.fill();
        self.act(Action::Sign(SignAction::Begin));
        let sent = self.out.iter().rev().find_map(|c| match c {
            Command::Prepare { draft, .. } => Some((draft.assignment_id.clone(), draft.revision)),
            _ => None,
        });
        let (assignment, revision) = sent.unwrap_or_else(|| panic!("open: {:?}", crate::app::open_points(&self.app)));
        self.event(Event::Prepared(prepared(7, &assignment, revision)));
        7
    }

    /// The draft on screen.
    pub(super) fn draft(&self) -> &crate::report::Draft {
        self.app.report.as_ref().and_then(|r| r.draft()).expect("a draft")
    }
}

pub(super) fn prepared(id: u64, assignment: &str, revision: u64) -> Prepared {
    Prepared {
        id,
        assignment: assignment.into(),
        revision,
        report_json: Arc::from(&b"{}"[..]),
        html: Arc::from("<html></html>"),
        sha256: "ab".repeat(32),
        pictures: Vec::new(),
    }
}

/// Drafts that commands asked to save.
pub(super) fn saves(commands: &[Command]) -> usize {
    commands.iter().filter(|c| matches!(c, Command::SaveDraft(_))).count()
}
