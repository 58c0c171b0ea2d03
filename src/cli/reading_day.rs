//! A whole reading day without a window: every assigned study is opened and looked through, one report of
//! each exam kind is written, signed and submitted. The same app and engine as the window's.

use super::driver::{Driver, InVain};
use crate::app::{Action, App, LayoutAction, ReportAction, SignAction, SignFlow, ViewAction, WorklistAction};
use crate::engine::message::{EngineLink, Event, Secret};
use crate::report::{Edit, FieldKind, Receipt, Value};
use crate::study::{DisplaySet, ExamKind, NotShown, StudyUid};
use crate::viewport::{self, Layout, Shape, ViewId};
use crate::worklist::{Assignment, Kind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Longest wait for a study, a frame, a signature.
const STUDY: Duration = Duration::from_mins(15);
const FRAME: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_mins(2);
const VIEW: ViewId = ViewId(0);

/// One study in `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct StudyRow {
    /// Study Instance UID.
    pub study_uid: StudyUid,
    /// Exam kind of the assignment.
    pub exam_kind: ExamKind,
    /// Modalities found, joined by `\`.
    pub modality: String,
    /// Number of series.
    pub series: usize,
    /// Instances named by the center.
    pub expected: usize,
    /// Instances whose bytes arrived.
    pub received: usize,
    /// Instances that were on screen.
    pub shown: usize,
    /// Instances that were not, and why.
    pub not_shown: Vec<NotShown>,
    /// From opening to the first picture.
    pub first_image_ms: Option<u64>,
    /// From opening until everything had arrived.
    pub all_ms: u64,
    /// Pictures written, one per display set.
    pub pictures: Vec<String>,
}

impl StudyRow {
    /// Every instance that the center named arrived, and was shown or is listed with the reason.
    pub fn accounts_for_all(&self) -> bool {
        self.received == self.expected && self.shown + self.not_shown.len() >= self.expected
    }
}

/// A report that came through.
#[derive(Debug, Clone)]
pub struct ReportDone {
    /// Assignment.
    pub assignment: String,
    /// Exam kind.
    pub exam_kind: ExamKind,
    /// Modality of the first study.
    pub modality: String,
    /// Legal kind.
    pub kind: Kind,
    /// Receipt of the center.
    pub receipt: Receipt,
}

/// Why the day ended early.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// Something did not come.
    #[error(transparent)]
    InVain(#[from] InVain),
    /// Refused, with the reason.
    #[error("{what}: {why}")]
    Refused {
        /// What was refused.
        what: String,
        /// Why.
        why: String,
    },
    /// A picture could not be written.
    #[error("cannot write a picture: {0}")]
    Picture(String),
}

/// Draws one frame of a display set; gives RGB and its size.
pub type Draw<'a> =
    dyn FnMut(&Arc<crate::imaging::Frame>, crate::study::Voi) -> Result<(Vec<u8>, [u32; 2]), String> + 'a;

/// What was waited for, counted from the opening of an assignment.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    begin: Instant,
    first_ms: Option<u64>,
    all_ms: u64,
}

/// A picture is on screen.
fn shows_picture(app: &App) -> bool {
    let views = app.reading.iter().flat_map(|r| r.record.shown_views());
    views.into_iter().any(|(_, v)| v.frame.as_ref().is_some_and(|f| app.pictures.frame(f).is_some()))
}

/// No picture is on its way to the screen: nothing is hung, or what is hung cannot be decoded.
fn awaits_no_picture(app: &App) -> bool {
    let mut views = app.reading.iter().flat_map(|r| r.record.shown_views());
    views.all(|(_, v)| v.frame.as_ref().is_none_or(|f| app.pictures.failed.contains_key(f)))
}

/// Opens an assignment and waits until its first picture is on screen, as the hanging puts it there, and all its
/// studies have arrived.
pub fn open<E: EngineLink>(driver: &mut Driver<E>, id: &str) -> Result<Times, DayError> {
    let begin = Instant::now();
    let elapsed = || begin.elapsed().as_millis() as u64;
    driver.act(Action::Worklist(WorklistAction::Open(id.to_owned())));
    let (mut first, mut all) = (shows_picture(&driver.app).then(elapsed), None);
    let mut done = |app: &App| {
        if shows_picture(app) {
            first.get_or_insert_with(elapsed);
        }
        let open = app.open_assignment().filter(|a| a.id == id);
        let arrived = |uid| app.pictures.study(uid).is_some_and(|s| s.finished);
        let here = open.is_some_and(|a| a.studies.iter().all(|s| arrived(&s.study_uid)))
            && app.report.as_ref().is_some_and(|r| !r.loading);
        if here {
            all.get_or_insert_with(elapsed);
        }
        // The start of reading is the center's to confirm; the draft and the pictures may be here before.
        here && !app.worklist.pending.contains(id) && (first.is_some() || awaits_no_picture(app))
    };
    driver.until("a study to arrive", STUDY, &mut |_| {}, &mut done)?;
    if let Some(why) = app_refusal(&driver.app, id) {
        return Err(DayError::Refused { what: format!("assignment {id}"), why });
    }
    // One viewport, through which every display set goes.
    driver.act(Action::Layout(LayoutAction::Grid(Layout::new(1, 1))));
    Ok(Times { begin, first_ms: first, all_ms: all.unwrap_or_else(elapsed) })
}

fn app_refusal(app: &App, id: &str) -> Option<String> {
    app.worklist.get(id).filter(|a| !a.state.open()).map(|a| format!("state {:?}", a.state))
}

/// Looks at every frame of every display set of a study, writing one picture per set.
pub fn look_through<E: EngineLink>(
    driver: &mut Driver<E>,
    assignment: &Assignment,
    uid: &StudyUid,
    mut times: Times,
    out: &std::path::Path,
    draw: &mut Draw<'_>,
) -> Result<StudyRow, DayError> {
    let sets: Vec<Arc<DisplaySet>> = driver.app.pictures.study(uid).map(|s| s.sets.clone()).unwrap_or_default();
    let mut trouble: BTreeMap<String, String> = BTreeMap::new();
    let mut pictures = Vec::new();
    for set in &sets {
        driver.act(Action::View(VIEW, ViewAction::Show(set.id.clone())));
        for (place, frame) in set.frames.iter().enumerate() {
            driver.act(Action::Viewport(VIEW, viewport::Action::ScrollTo(place)));
            let mut there = |app: &App| app.pictures.frame(frame).is_some() || app.pictures.failed.contains_key(frame);
            driver.until(
                &format!("frame {} of {}", frame.frame.number(), frame.instance),
                FRAME,
                &mut |_| {},
                &mut there,
            )?;
            if let Some(why) = driver.app.pictures.failed.get(frame) {
                trouble.insert(frame.instance.to_string(), why.detail.clone());
            } else {
                // The first that was hung could not be decoded, this one can.
                times.first_ms.get_or_insert_with(|| times.begin.elapsed().as_millis() as u64);
            }
        }
        pictures.extend(picture(driver, set, out, draw)?);
    }
    Ok(row(driver, assignment, uid, times, &trouble, pictures))
}

/// Writes the middle frame of a display set in its own window.
fn picture<E: EngineLink>(
    driver: &mut Driver<E>,
    set: &DisplaySet,
    out: &std::path::Path,
    draw: &mut Draw<'_>,
) -> Result<Option<String>, DayError> {
    let place = set.frames.len() / 2;
    let Some(frame) = set.frames.get(place) else { return Ok(None) };
    driver.act(Action::Viewport(VIEW, viewport::Action::ScrollTo(place)));
    let mut there = |app: &App| app.pictures.frame(frame).is_some() || app.pictures.failed.contains_key(frame);
    driver.until(&format!("frame {} of {}", frame.frame.number(), frame.instance), FRAME, &mut |_| {}, &mut there)?;
    let Some(pixels) = driver.app.pictures.frame(frame).cloned() else { return Ok(None) };
    let voi = pixels.voi.first().copied().unwrap_or_else(|| crate::imaging::auto_window(&pixels));
    let (rgb, [width, height]) = draw(&pixels, voi).map_err(DayError::Picture)?;
    let png = crate::imaging::encode_png(&rgb, width, height).map_err(|e| DayError::Picture(e.to_string()))?;
    // UIDs hold only digits and dots: safe as file names.
    let name = format!("{}-{}.png", set.id.series, set.id.index);
    std::fs::write(out.join(&name), png).map_err(|e| DayError::Picture(e.to_string()))?;
    Ok(Some(name))
}

fn row<E: EngineLink>(
    driver: &Driver<E>,
    assignment: &Assignment,
    uid: &StudyUid,
    times: Times,
    trouble: &BTreeMap<String, String>,
    pictures: Vec<String>,
) -> StudyRow {
    let state = driver.app.pictures.study(uid);
    let study = state.and_then(|s| s.study.clone());
    let ledger = state.map(|s| s.ledger.clone()).unwrap_or_default();
    let seen: BTreeSet<&str> =
        driver.app.reading.iter().flat_map(|r| &r.record.seen).map(|f| f.instance.as_str()).collect();
    let mut not_shown: BTreeMap<String, String> =
        ledger.not_shown(true).into_iter().map(|n| (n.what, n.reason)).collect();
    let mut shown = 0;
    let instances = study.iter().flat_map(|s| &s.series).flat_map(|s| &s.instances);
    for instance in instances {
        let name = instance.uid.to_string();
        let reason = trouble.get(&name).or(instance.not_an_image.as_ref());
        match reason {
            Some(reason) => {
                not_shown.entry(name).or_insert_with(|| reason.clone());
            }
            None if seen.contains(instance.uid.as_str()) => shown += 1,
            None => {
                not_shown.entry(name).or_insert_with(|| "in no display set".to_owned());
            }
        }
    }
    let modalities: BTreeSet<&str> =
        study.iter().flat_map(|s| &s.series).map(|s| s.modality.as_str()).filter(|m| !m.is_empty()).collect();
    StudyRow {
        study_uid: uid.clone(),
        exam_kind: assignment.exam_kind,
        modality: modalities.into_iter().collect::<Vec<_>>().join("\\"),
        series: study.as_ref().map_or(0, |s| s.series.len()),
        expected: ledger.expected(),
        received: ledger.received(),
        shown,
        not_shown: not_shown.into_iter().map(|(what, reason)| NotShown { what, reason }).collect(),
        first_image_ms: times.first_ms,
        all_ms: times.all_ms,
        pictures,
    }
}

/// Fills the report of the open assignment, signs it and waits for the receipt.
pub fn report<E: EngineLink>(driver: &mut Driver<E>, password: &str) -> Result<ReportDone, DayError> {
    fill(driver)?;
    submit(driver, password)
}

fn open_assignment<E: EngineLink>(driver: &Driver<E>) -> Result<Arc<Assignment>, DayError> {
    driver.app.open_assignment().cloned().ok_or_else(|| refused("the report", "no assignment is open"))
}

/// Signs the report of the open assignment as it is and waits for the receipt.
pub fn submit<E: EngineLink>(driver: &mut Driver<E>, password: &str) -> Result<ReportDone, DayError> {
    let assignment = open_assignment(driver)?;
    driver.act(Action::Sign(SignAction::Begin));
    if let Some(SignFlow::Points { points, .. }) = flow(&driver.app) {
        if let Some(point) = points.iter().find(|p| p.code.blocking()) {
            let why = format!("{:?} {} {}", point.code, point.subject, point.detail);
            return Err(refused(&format!("signing {}", assignment.id), &why));
        }
        for place in 0..points.len() {
            driver.act(Action::Sign(SignAction::Reason(place, "自動読影デモ: 確認済み".into())));
        }
        driver.act(Action::Sign(SignAction::Proceed));
    }
    let mut failed = None;
    let mut watch = |event: &Event| {
        if let Event::SignFailed(failure) = event {
            failed = Some(failure.detail().to_owned());
        }
    };
    let mut ready = |app: &App| !matches!(flow(app), Some(SignFlow::Preparing { .. } | SignFlow::Points { .. }));
    driver.until("the preview", STEP, &mut watch, &mut ready)?;
    if !matches!(flow(&driver.app), Some(SignFlow::Preview { .. })) {
        return Err(refused("the preview", failed.as_deref().unwrap_or("no preview came")));
    }
    driver.act(Action::Sign(SignAction::Sign(Secret(Zeroizing::new(password.to_owned())))));
    let id = assignment.id.clone();
    let mut receipt = None;
    let mut watch = |event: &Event| match event {
        Event::SignFailed(failure) => failed = Some(failure.detail().to_owned()),
        Event::Receipt(r) if r.assignment_id == id => receipt = Some(r.clone()),
        _ => {}
    };
    // `done` sees only the app, so it looks for the receipt or the failure there.
    let mut done = |app: &App| match flow(app) {
        Some(SignFlow::Signed { receipt, .. }) => receipt.is_some(),
        Some(SignFlow::Preview { failure, .. }) => failure.is_some(),
        _ => true,
    };
    driver.until("the receipt", STEP, &mut watch, &mut done)?;
    let receipt = receipt.ok_or_else(|| refused("the signature", failed.as_deref().unwrap_or("no receipt came")))?;
    Ok(ReportDone {
        assignment: assignment.id.clone(),
        exam_kind: assignment.exam_kind,
        modality: assignment.studies.first().map(|s| s.modalities.join("\\")).unwrap_or_default(),
        kind: assignment.kind,
        receipt,
    })
}

fn refused(what: &str, why: &str) -> DayError {
    DayError::Refused { what: what.to_owned(), why: why.to_owned() }
}

fn flow(app: &App) -> Option<&SignFlow> {
    app.report.as_ref().map(|r| &r.sign)
}

/// One finding with a measurement and key image, and words for whatever the template requires.
pub fn fill<E: EngineLink>(driver: &mut Driver<E>) -> Result<(), DayError> {
    let assignment = open_assignment(driver)?;
    driver.act(Action::Report(ReportAction::NewFinding));
    let size = driver.app.view_set(VIEW).map_or([0, 0], |s| [s.columns, s.rows]);
    let [x, y] = size.map(|v| f64::from(v) / 2.0);
    let shape = Shape::Length { a: [x - x / 16.0, y], b: [x + x / 16.0, y] };
    driver.act(Action::Viewport(VIEW, viewport::Action::AddShape(shape)));
    driver.act(Action::Report(ReportAction::KeyImage));
    let none = || refused("the report", "there is no draft");
    let report = driver.app.report.as_ref().ok_or_else(none)?;
    let (template, draft) = (report.template.clone(), report.draft().cloned().ok_or_else(none)?);
    let mut edits = Vec::new();
    if let Some(finding) = draft.findings.last() {
        for field in template.findings.fields.iter().filter(|f| f.required) {
            let value = answer(&field.id, &field.kind, &assignment);
            edits.push(Edit::SetFindingField(finding.id, field.id.clone(), Some(value)));
        }
    }
    for field in template.fields().filter(|f| f.required && draft.fields.get(&f.id).is_none_or(Value::is_blank)) {
        edits.push(Edit::SetField(field.id.clone(), Some(answer(&field.id, &field.kind, &assignment))));
    }
    for edit in edits {
        driver.act(Action::Report(ReportAction::Edit(edit)));
    }
    Ok(())
}

/// A sound answer: what a careful reader would say of a demonstration study.
fn answer(id: &str, kind: &FieldKind, assignment: &Assignment) -> Value {
    let prior = !assignment.prior_studies.is_empty();
    let text = match (id, kind) {
        ("findings", _) => "自動読影デモの所見です。計測した部位をキー画像に示します。",
        ("impression", _) => "自動読影デモのまとめです。",
        ("site", _) => "画像中央",
        ("kind", FieldKind::Text { .. }) => "計測対象",
        ("kind", _) => "mass",
        ("comparison", _) if prior => "過去検査と比較",
        ("comparison", _) => "なし",
        ("compare", _) if prior => "changed",
        ("compare", _) => "none",
        // A finding of category 3 on the right asks for that category there (domain reference §13).
        ("category" | "category_r", _) => "3",
        ("category_l", _) => "1",
        ("composition", _) => "SCATTERED",
        (_, FieldKind::Choice { choices } | FieldKind::Choices { choices }) => {
            choices.first().map_or("", |c| c.code.as_str())
        }
        (_, FieldKind::Number { .. }) => return Value::Number(1.0),
        (_, FieldKind::Text { .. }) => "自動読影デモ",
    };
    Value::Text(text.to_owned())
}
