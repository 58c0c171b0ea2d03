//! What the screens show in these tests: a morning's worklist, a study with pictures.

use crate::support::app::{NOW, assignment};
use dokuei::engine::message::{Event, Link, OutboxEntry, Session, Start, StudyProgress};
use dokuei::imaging::{Frame, Modality, Photometric, Pixels};
use dokuei::study::{
    ExamKind, FrameIndex, FrameInfo, FrameRef, ImagePlane, Instance, Ledger, Patient, PersonName, Series, SeriesUid,
    Sex, SopInstanceUid, Study, StudyUid, Voi,
};
use dokuei::worklist::{
    Assignment, AssignmentState, Due, DueRule, Facility, Kind, Lease, PriorReport, Priority, Role, StudyToRead,
};
use jiff::{SignedDuration, civil::date};
use std::sync::Arc;

pub fn session() -> Session {
    Session { user: "reader1".into(), name: "田中 一郎".into(), roles: vec!["reader".into()] }
}

pub fn ready() -> Event {
    Event::Started(Start::Ready { center: "みちのく読影センター".into(), last_user: "reader1".into() })
}

pub fn link(online: bool) -> Event {
    Event::Link(Link {
        online, center: "みちのく読影センター".into(), clock_skew_s: 0, bytes_per_s: 3_000_000
    })
}

struct Case {
    id: &'static str,
    name: &'static str,
    sex: Sex,
    born: i16,
    kind: ExamKind,
    exam: &'static str,
    parts: &'static [&'static str],
    question: &'static str,
    facility: &'static str,
    minutes: i64,
    priority: Priority,
    service: Kind,
    role: Role,
    state: AssignmentState,
    instances: u64,
}

#[rustfmt::skip]
const CASES: [Case; 9] = [
    Case { id: "a-2", name: "Suzuki^Hanako=鈴木^花子=すずき^はなこ", sex: Sex::Female, born: 1975, kind: ExamKind::MMG, exam: "MMG 検診 二方向", parts: &["乳房"], question: "二次読影。前年比較をお願いします。", facility: "青葉健診プラザ", minutes: -12, priority: Priority::Routine, service: Kind::Opinion, role: Role::Second, state: AssignmentState::Assigned, instances: 8 },
    Case { id: "a-3", name: "Sato^Kenji=佐藤^健二=さとう^けんじ", sex: Sex::Male, born: 1951, kind: ExamKind::CT, exam: "CT 頭部単純", parts: &["頭部"], question: "転倒後の意識障害。出血の有無。", facility: "北上中央病院", minutes: 18, priority: Priority::Stat, service: Kind::Diagnosis, role: Role::Primary, state: AssignmentState::Accepted, instances: 96 },
    Case { id: "a-4", name: "Takahashi^Misaki=髙橋^美咲=たかはし^みさき", sex: Sex::Female, born: 1988, kind: ExamKind::MRI, exam: "MRI 脳", parts: &["脳"], question: "頭痛の精査。占拠性病変の有無をご確認ください。", facility: "医療法人社団 長い名前の施設でも切れて見えない総合クリニック", minutes: 160, priority: Priority::NextClinicDay, service: Kind::Opinion, role: Role::Primary, state: AssignmentState::Assigned, instances: 214 },
    Case { id: "a-5", name: "Ito^Haruto=伊藤^陽翔=いとう^はると", sex: Sex::Male, born: 1966, kind: ExamKind::DWIBS, exam: "DWIBS 全身", parts: &["全身"], question: "前立腺癌治療後、転移検索。", facility: "東北クリニック", minutes: 420, priority: Priority::NextClinicDay, service: Kind::Opinion, role: Role::Primary, state: AssignmentState::InProgress, instances: 780 },
    Case { id: "a-6", name: "Watanabe^Yui=渡辺^結衣=わたなべ^ゆい", sex: Sex::Female, born: 1979, kind: ExamKind::RF, exam: "胃X線 検診", parts: &["胃"], question: "胃がん検診。", facility: "青葉健診プラザ", minutes: 1500, priority: Priority::Routine, service: Kind::Opinion, role: Role::Primary, state: AssignmentState::Assigned, instances: 12 },
    Case { id: "a-7", name: "Nakamura^Sota=中村^蒼太=なかむら^そうた", sex: Sex::Male, born: 1959, kind: ExamKind::CR, exam: "CR 胸部 正面", parts: &["胸部"], question: "健診。", facility: "青葉健診プラザ", minutes: 2900, priority: Priority::Routine, service: Kind::Opinion, role: Role::Arbiter, state: AssignmentState::Assigned, instances: 1 },
    Case { id: "a-8", name: "Kobayashi^Rin=小林^凛=こばやし^りん", sex: Sex::Female, born: 1947, kind: ExamKind::CT, exam: "CT 腹部骨盤 造影", parts: &["腹部", "骨盤"], question: "大腸癌術後、再発の評価。CEA 上昇。", facility: "北上中央病院", minutes: 3200, priority: Priority::NextClinicDay, service: Kind::Diagnosis, role: Role::Primary, state: AssignmentState::Assigned, instances: 844 },
    Case { id: "a-9", name: "Smith^John", sex: Sex::Male, born: 1990, kind: ExamKind::MRI, exam: "MRI 膝関節", parts: &["右膝"], question: "半月板損傷の疑い。", facility: "北上中央病院", minutes: 4400, priority: Priority::Routine, service: Kind::Opinion, role: Role::Primary, state: AssignmentState::Submitted, instances: 160 },
    Case { id: "a-10", name: "Kato^Aoi=加藤^葵=かとう^あおい", sex: Sex::Female, born: 2001, kind: ExamKind::US, exam: "US 腹部", parts: &["腹部"], question: "右上腹部痛。", facility: "東北クリニック", minutes: 4600, priority: Priority::Routine, service: Kind::Opinion, role: Role::Primary, state: AssignmentState::Returned, instances: 40 },
];

/// `a-1` (CT with prior, report and messages) and nine others.
pub fn morning() -> Vec<Arc<Assignment>> {
    let mut all = vec![Arc::new(main_case())];
    all.extend(CASES.iter().enumerate().map(|(n, case)| Arc::new(other(n, case))));
    all
}

pub fn main_case() -> Assignment {
    let mut a = assignment("a-1");
    a.request.clinical_information = "健診で右肺の結節を指摘され紹介。喫煙指数 600。咳嗽なし。".into();
    a.request.history = "高血圧、2019 年 虫垂切除。".into();
    a.request.physician = "高橋 医師".into();
    a.request.request_id = "R-20261120-0031".into();
    a.request.accession = "A0012345".into();
    a.request.images_sent = Some(12);
    a.request.comparison_wanted = true;
    a.messages = vec!["造影は副作用のため動脈相のみです。".into()];
    let study = &mut a.studies[0];
    study.study_uid = uid("1.2.3");
    (study.series, study.instances) = (2, 12);
    a.prior_studies = vec![StudyToRead {
        study_uid: uid("1.2.4"),
        date: Some(date(2025, 10, 2)),
        description: "胸部 単純".into(),
        ..a.studies[0].clone()
    }];
    a.prior_reports = vec![PriorReport {
        study_uid: Some(uid("1.2.4")),
        date: Some(date(2025, 10, 2)),
        title: "CT 胸部 単純".into(),
        text: "右上葉 S3 に 9×7 mm の結節。6 か月後の経過観察を推奨します。".into(),
        report_id: None,
    }];
    a
}

pub fn uid(text: &str) -> StudyUid {
    StudyUid::new(text).expect("uid")
}

fn other(n: usize, case: &Case) -> Assignment {
    let mut a = assignment(case.id);
    a.patient = Patient {
        id: format!("00{:05}", 20_000 + n * 137),
        issuer: Some(case.facility.into()),
        name: PersonName::parse(case.name),
        birth_date: Some(date(case.born, 5, 12)),
        sex: Some(case.sex),
    };
    a.exam_kind = case.kind;
    a.request.exam = case.exam.into();
    a.request.body_parts = case.parts.iter().map(|p| (*p).to_owned()).collect();
    a.request.question = case.question.into();
    a.request.clinical_information = String::new();
    a.facility = Facility { name: case.facility.into(), code: "0410000002".into() };
    a.due = Due { at: NOW + SignedDuration::from_mins(case.minutes), rule: DueRule::BusinessDays { days: 2 } };
    (a.priority, a.kind, a.role, a.state) = (case.priority, case.service, case.role, case.state);
    a.studies[0].study_uid = uid(&format!("1.2.9.{n}"));
    (a.studies[0].instances, a.studies[0].bytes) = (case.instances, case.instances << 19);
    a
}

pub fn started() -> Assignment {
    let expires_at = NOW + SignedDuration::from_hours(1);
    let lease = Some(Lease { id: "l-1".into(), owner: "reader1".into(), expires_at });
    Assignment { state: AssignmentState::InProgress, lease, ..main_case() }
}

const SLICES: usize = 6;
const SIZE: u32 = 256;

fn series(uid: &str, number: i32, description: &str) -> Series {
    let slice = |n: usize| Instance {
        uid: SopInstanceUid::new(&format!("{uid}.{}", n + 1)).expect("uid"),
        sop_class: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: None,
        number: Some(n as i32 + 1),
        rows: SIZE,
        columns: SIZE,
        frames: 1,
        image_type: vec![],
        photometric: "MONOCHROME2".into(),
        frame_of_reference: Some("1.9".into()),
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![FrameInfo {
            plane: ImagePlane::new([0.0, 0.0, n as f64 * 5.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [1.4, 1.4]),
            voi: vec![Voi::linear(40.0, 400.0)],
            ..FrameInfo::default()
        }],
        not_an_image: None,
        traits: dokuei::study::InstanceTraits::default(),
    };
    Series {
        uid: SeriesUid::new(uid).expect("uid"),
        modality: "CT".into(),
        number: Some(number),
        description: description.into(),
        body_part: String::new(),
        instances: (0..SLICES).map(slice).collect(),
    }
}

/// A study of two series of the main case's patient.
pub fn study(study_uid: &str, year: i16, description: &str) -> Arc<Study> {
    Arc::new(Study {
        uid: uid(study_uid),
        patient: main_case().patient,
        date: Some(date(year, if year == 2026 { 11 } else { 10 }, if year == 2026 { 20 } else { 2 })),
        time: None,
        accession: String::new(),
        description: description.into(),
        institution: "東北クリニック".into(),
        other_patients: Vec::new(),
        strange_series: Vec::new(),
        text_notes: Vec::new(),
        series: vec![
            series(&format!("{study_uid}.1"), 2, "軸位 5 mm 造影"),
            series(&format!("{study_uid}.2"), 3, "冠状 3 mm"),
        ],
    })
}

/// How far a study has come: all of it, or all but the second series' last slices, one of which failed.
pub fn progress(study: &Study, whole: bool) -> Event {
    let mut ledger = Ledger { announced: Some(study.instance_count() as u64), ..Ledger::default() };
    for (s, series) in study.series.iter().enumerate() {
        for (n, instance) in series.instances.iter().enumerate() {
            ledger.expect(&series.uid, &instance.uid);
            if whole || s == 0 || n < 2 {
                ledger.receive(&series.uid, &instance.uid, 1 << 19);
            } else if n == 2 {
                ledger.fail(&series.uid, &instance.uid, "画素データが途中で切れています");
            }
        }
    }
    Event::StudyProgress(StudyProgress {
        study: study.uid.clone(),
        ledger: Arc::new(ledger),
        finished: whole,
        failure: None,
    })
}

/// A body with lungs, spine and a nodule, in HU.
pub fn frames(study: &Study) -> Vec<Event> {
    let inside =
        |x: f64, y: f64, cx: f64, cy: f64, rx: f64, ry: f64| ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0;
    let value = |x: u32, y: u32, slice: usize| {
        let (x, y) = (f64::from(x) / f64::from(SIZE) - 0.5, f64::from(y) / f64::from(SIZE) - 0.5);
        let grain = ((x * 971.0).sin() * (y * 733.0 + slice as f64).cos() * 12.0) as i16;
        let hu = if !inside(x, y, 0.0, 0.0, 0.44, 0.33) {
            -1000
        } else if inside(x, y, -0.13, 0.08, 0.02, 0.02) {
            30
        } else if inside(x, y, -0.2, 0.0, 0.16, 0.22) || inside(x, y, 0.2, 0.0, 0.16, 0.22) {
            -860
        } else if inside(x, y, 0.0, 0.19, 0.06, 0.06) {
            420
        } else if inside(x, y, 0.02, -0.06, 0.1, 0.09) {
            170
        } else {
            45
        };
        hu + grain
    };
    let frame = |slice: usize| Frame {
        rows: SIZE,
        columns: SIZE,
        pixels: std::sync::Arc::new(Pixels::I16((0..SIZE * SIZE).map(|i| value(i % SIZE, i / SIZE, slice)).collect())),
        bits_stored: 16,
        photometric: Photometric::Monochrome2,
        modality: Modality::IDENTITY,
        unit: "HU".into(),
        padding: None,
        voi: vec![Voi::linear(40.0, 400.0)],
        display: dokuei::imaging::Display::default(),
        pixel_aspect: 1.0,
        warnings: vec![],
    };
    let mut out = Vec::new();
    for series in &study.series {
        for (n, instance) in series.instances.iter().enumerate() {
            let at = FrameRef { instance: instance.uid.clone(), frame: FrameIndex(0) };
            out.push(Event::Frame(at, Arc::new(frame(n))));
        }
    }
    out
}

/// Thumbnails of every display set of a study.
pub fn thumbnails(study: &Study) -> Vec<Event> {
    let rgb: Arc<[u8]> = (0..96 * 96usize)
        .flat_map(|i| {
            let (x, y) = ((i % 96) as f64 / 48.0 - 1.0, (i / 96) as f64 / 48.0 - 1.0);
            let grey = if x * x / 0.8 + y * y / 0.5 > 1.0 {
                0
            } else if (x.abs() - 0.4).powi(2) + y * y < 0.1 {
                25
            } else {
                130
            };
            [grey; 3]
        })
        .collect();
    study
        .series
        .iter()
        .flat_map(dokuei::study::display_sets)
        .map(|set| Event::Thumbnail { display_set: set.id, size: [96, 96], rgb: rgb.clone() })
        .collect()
}

pub fn outbox() -> Event {
    let entry = |id: i64, assignment: &str, wedged: Option<&str>| OutboxEntry {
        id,
        assignment: assignment.into(),
        sha256: "9f2c4e5ab01d77c3e8a1f0042b6d9c5577aa10e4cc0b3f6d2e91845f7b30d6a1".into(),
        signed_at: NOW - SignedDuration::from_mins(20 * id),
        attempts: 3,
        wedged: wedged.map(str::to_owned),
        handed: None,
        user: "reader1".into(),
    };
    Event::Outbox(vec![entry(1, "a-9", None), entry(2, "a-6", Some("証明書が失効しています"))])
}
