//! `dokuei demo`: a reading center with generated studies in this process, and the workstation on it.
//!
//! The demo's profile and secrets are its own: secrets live in memory, the profile folder is new at each start.

use super::driver::{Alarm, Driver, InVain};
use super::reading_day::{self, DayError, Draw, ReportDone, StudyRow};
use crate::app::{AccessAction, Action};
use crate::engine::message::{Command, Demand, EngineLink, Event, Secret, Start};
use crate::engine::{self, Engine, SecretChoice};
use crate::phantom::{self, Scale};
use crate::server;
use crate::study::JsonFault;
use crate::vault::secrets::{MemoryStore, PassphraseWork, Zeroizing};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Lies in every folder that a demo may clear.
const MARKER: &str = ".dokuei-demo";
const SIGN_IN: Duration = Duration::from_mins(2);

/// What the demo is asked to do.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Folder for center, profile and (headless) results.
    pub dir: PathBuf,
    /// DICOM files and folders to add.
    pub import: Vec<PathBuf>,
    /// Small generated studies.
    pub small: bool,
}

/// The demo could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A folder or file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The folder holds something that no demo made.
    #[error("{0} is not empty and was not made by a demo: name another folder with --out DIR")]
    NotOurs(PathBuf),
    /// The generated studies.
    #[error("generated studies: {0}")]
    Phantom(#[from] phantom::Error),
    /// The center.
    #[error("reading center: {0}")]
    Center(#[from] server::Error),
    /// The engine gave something up.
    #[error("the workstation ended before everything was done")]
    Unfinished,
    /// The engine.
    #[error("workstation: {0}")]
    Engine(#[from] engine::EngineError),
    /// The reading day.
    #[error(transparent)]
    Day(#[from] DayError),
    /// Something did not come.
    #[error(transparent)]
    InVain(#[from] InVain),
    /// The one-time code.
    #[error("one-time code: {0}")]
    Totp(#[from] crate::vault::totp::TotpSecretError),
    /// Standard output.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
    /// The summary.
    #[error("cannot write the summary: {0}")]
    Json(#[from] JsonFault),
}

impl From<serde_json::Error> for DemoError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.into())
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> DemoError + '_ {
    move |source| DemoError::File { path: path.to_owned(), source }
}

/// A running demo center with one enrolled reader.
pub struct DemoCenter {
    handle: Option<server::Handle>,
    runtime: tokio::runtime::Runtime,
    /// How the reader signs in.
    pub reader: server::demo::Filled,
    /// Assignments of imported studies.
    pub imported: Vec<String>,
    /// The enrolment file.
    pub enrolment: PathBuf,
}

impl DemoCenter {
    /// Generates the studies where they are not there yet, starts the center and fills it.
    pub fn start(options: &DemoOptions, out: &mut dyn Write) -> Result<Self, DemoError> {
        crate::vault::tls::install_provider();
        claim(&options.dir)?;
        let studies = options.dir.join(if options.small { "studies-small" } else { "studies" });
        generate(&studies, options.small, out)?;
        let data = options.dir.join("center");
        // A center of its own for each demo: the day begins with nothing read.
        remove(&data)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("dokuei-demo-center")
            .enable_all()
            .build()?;
        let config = server::Config::new(&data, Arc::new(engine::SystemClock));
        let handle = runtime.block_on(server::start(config))?;
        writeln!(out, "Reading center at {}", handle.base_url()?)?;
        let reader = server::demo::fill(handle.center(), &studies, &mut |_| {})?;
        writeln!(out, "{} generated instances, {} assignments", reader.import.new, reader.assignments.len())?;
        let mut imported = Vec::new();
        if !options.import.is_empty() {
            let import = server::import::Options { reader: Some(server::demo::READER.to_owned()), archive: None };
            let report = server::import::import(handle.center(), &options.import, &import, &mut |_| {})?;
            writeln!(
                out,
                "Imported {} instances in {} studies; {} files not taken:",
                report.new,
                report.studies.len(),
                report.refused.len()
            )?;
            for refused in &report.refused {
                writeln!(out, "  {}: {}", refused.path.display(), refused.reason)?;
            }
            imported = report.assignments;
        }
        let enrolment = options.dir.join("reader1.dokuei-enrol");
        std::fs::write(&enrolment, serde_json::to_vec_pretty(&reader.enrolment.file)?).map_err(at(&enrolment))?;
        Ok(Self { handle: Some(handle), runtime, reader, imported, enrolment })
    }

    /// The one-time code at a time.
    pub fn code(&self, now: Timestamp) -> Result<String, DemoError> {
        Ok(self.reader.enrolment.totp.code_at(u64::try_from(now.as_second()).unwrap_or_default())?)
    }

    /// The center, for exporting what it holds.
    pub fn center(&self) -> Option<&server::Center> {
        self.handle.as_ref().map(server::Handle::center)
    }

    /// Stops the center.
    pub fn stop(mut self) -> Result<(), DemoError> {
        if let Some(handle) = self.handle.take() {
            self.runtime.block_on(handle.stop_within(Duration::from_secs(2)))?;
        }
        Ok(())
    }
}

/// The folder for results: made by a demo, or empty. Anything else might be a real center or profile, which a
/// demo must never clear.
fn claim(dir: &Path) -> Result<(), DemoError> {
    let marker = dir.join(MARKER);
    if marker.is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(dir).map_err(at(dir))?;
    if std::fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
        return Err(DemoError::NotOurs(dir.to_owned()));
    }
    std::fs::write(&marker, "This folder belongs to `dokuei demo`; each demo clears it.\n").map_err(at(&marker))
}

fn remove(folder: &Path) -> Result<(), DemoError> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(at(folder)(e)),
        _ => Ok(()),
    }
}

/// Writes the generated studies once; a folder that was left half written is made anew.
fn generate(studies: &Path, small: bool, out: &mut dyn Write) -> Result<(), DemoError> {
    if studies.join("truth.json").is_file() {
        return Ok(());
    }
    remove(studies)?;
    std::fs::create_dir_all(studies).map_err(at(studies))?;
    writeln!(out, "Generating studies in {} (once) ...", studies.display())?;
    let scale = if small { Scale::Small } else { Scale::Full };
    phantom::write(studies, phantom::DEFAULT_BASE_DATE, scale, &|_| {})?;
    Ok(())
}

/// Settings of the demo's workstation.
pub fn engine_config(dir: &Path, wake: Arc<dyn Fn() + Send + Sync>) -> Result<engine::Config, DemoError> {
    let profile = dir.join("profile");
    // Its keys lived in the memory of the last demo: what is left cannot be read by anybody.
    remove(&profile)?;
    let secrets = SecretChoice::Given(Arc::new(MemoryStore::default()));
    let mut config = engine::Config::new(profile, secrets, Arc::new(engine::SystemClock), wake);
    config.work = PassphraseWork::QUICK;
    Ok(config)
}

/// An engine with what it said while nobody was listening.
struct Primed {
    engine: Engine,
    said: VecDeque<Event>,
}

impl EngineLink for Primed {
    fn send(&mut self, command: Command) {
        self.engine.send(command);
    }
    fn demand(&mut self, demand: Demand) {
        self.engine.demand(demand);
    }
    fn drain(&mut self, max: usize) -> Vec<Event> {
        let mut events: Vec<Event> = self.said.drain(..self.said.len().min(max)).collect();
        events.extend(self.engine.drain(max - events.len()));
        events
    }
    fn stop(self: Box<Self>) -> bool {
        self.engine.shutdown()
    }
}

/// An engine whose reader is enrolled and signed in, for the window.
pub fn signed_in(
    center: &DemoCenter,
    dir: &Path,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> Result<Box<dyn EngineLink>, DemoError> {
    let engine = Engine::start(engine_config(dir, wake)?)?;
    let mut said = VecDeque::new();
    let now = || engine::Clock::now(&engine::SystemClock);
    let mut wait = |engine: &Engine, what: &str, done: &dyn Fn(&Event) -> bool| {
        let begin = std::time::Instant::now();
        while begin.elapsed() < SIGN_IN {
            for event in engine.drain(64) {
                if let Event::SignInFailed(failure) = &event {
                    return Err(refused(failure));
                }
                let there = done(&event);
                said.push_back(event);
                if there {
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(InVain { what: what.to_owned(), seconds: SIGN_IN.as_secs() }.into())
    };
    wait(&engine, "the start", &|e| matches!(e, Event::Started(_)))?;
    engine.send(Command::Enrol(center.enrolment.clone()));
    wait(&engine, "the enrolment", &|e| matches!(e, Event::Started(Start::Ready { .. })))?;
    engine.send(Command::SignIn {
        user: server::demo::READER.to_owned(),
        password: Secret(Zeroizing::new(center.reader.password.to_string())),
        otp: Secret(Zeroizing::new(center.code(now())?)),
    });
    wait(&engine, "the worklist", &|e| matches!(e, Event::Worklist { .. }))?;
    Ok(Box::new(Primed { engine, said }))
}

fn refused(failure: &crate::engine::message::Failure) -> DemoError {
    DayError::Refused { what: "sign-in".into(), why: failure.detail().to_owned() }.into()
}

/// One report in `summary.json`; files are relative to the result folder.
#[derive(Debug, Clone, Serialize)]
struct ReportRow {
    assignment: String,
    exam_kind: crate::study::ExamKind,
    modality: String,
    kind: crate::worklist::Kind,
    report: String,
    signature: String,
    signer: String,
    ca: String,
    sha256: String,
    receipt: String,
    verified: bool,
}

/// `summary.json`; its names are a contract (docs/command-line.md).
#[derive(Debug, Clone, Serialize)]
struct Summary {
    renderer: String,
    studies: Vec<StudyRow>,
    reports: Vec<ReportRow>,
}

/// The headless reading day. `true`: everything came through.
pub fn headless(options: &DemoOptions, draw: (&str, &mut Draw<'_>), out: &mut dyn Write) -> Result<bool, DemoError> {
    let center = DemoCenter::start(options, out)?;
    let alarm = Alarm::default();
    let engine = Engine::start(engine_config(&options.dir, alarm.callback())?)?;
    let clock = engine::SystemClock;
    let now = move || engine::Clock::now(&clock);
    let mut driver = Driver::new(engine, alarm, Box::new(now));
    sign_in(&mut driver, &center)?;
    let pictures = options.dir.join("pictures");
    remove(&pictures)?;
    std::fs::create_dir_all(&pictures).map_err(at(&pictures))?;
    let reports = options.dir.join("reports");
    remove(&reports)?;
    let mut summary = Summary { renderer: draw.0.to_owned(), studies: Vec::new(), reports: Vec::new() };
    let mut done = BTreeSet::new();
    for (id, own) in
        center.reader.assignments.iter().map(|a| (a, true)).chain(center.imported.iter().map(|a| (a, false)))
    {
        let times = reading_day::open(&mut driver, id)?;
        let Some(assignment) = driver.app.open_assignment().cloned() else { continue };
        for study in &assignment.studies {
            let row = reading_day::look_through(&mut driver, &assignment, &study.study_uid, times, &pictures, draw.1)?;
            writeln!(
                out,
                "{:5} {:4} series {:5} of {:5} instances shown, {:3} not; first picture {:>5} ms, all {:>6} ms",
                format!("{:?}", row.exam_kind),
                row.series,
                row.shown,
                row.expected,
                row.not_shown.len(),
                row.first_image_ms.map_or_else(|| "-".into(), |ms| ms.to_string()),
                row.all_ms
            )?;
            summary.studies.push(row);
        }
        // One report of each exam kind, generated and imported studies apart.
        let shown = summary.studies.last().is_some_and(|s| s.shown > 0);
        if shown && done.insert((assignment.exam_kind, own)) {
            let report = reading_day::report(&mut driver, &center.reader.password)?;
            summary.reports.push(keep(&center, &report, &options.dir, &reports)?);
            writeln!(out, "{:?} report signed, received as {}", assignment.exam_kind, report.receipt.report_id)?;
        }
    }
    if !driver.into_engine().shutdown() {
        return Err(DemoError::Unfinished);
    }
    center.stop()?;
    let path = options.dir.join("summary.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&summary)?).map_err(at(&path))?;
    writeln!(out, "Pictures, reports and summary.json are in {}", options.dir.display())?;
    let mut whole = true;
    for study in summary.studies.iter().filter(|s| !s.accounts_for_all()) {
        whole = false;
        writeln!(
            out,
            "FAILED: of study {} {} of {} instances were received, {} shown, {} listed as not shown",
            study.study_uid,
            study.received,
            study.expected,
            study.shown,
            study.not_shown.len()
        )?;
    }
    for report in summary.reports.iter().filter(|r| !r.verified) {
        whole = false;
        writeln!(out, "FAILED: the signature of the report {} does not verify", report.report)?;
    }
    Ok(whole)
}

fn sign_in(driver: &mut Driver<Engine>, center: &DemoCenter) -> Result<(), DemoError> {
    use crate::app::Screen;
    driver.until("the start", SIGN_IN, &mut |_| {}, &mut |app| app.screen() != Screen::Starting)?;
    driver.act(Action::Access(AccessAction::Enrol(center.enrolment.clone())));
    let mut ready = |app: &crate::app::App| app.screen() == Screen::SignIn;
    driver.until("the enrolment", SIGN_IN, &mut |_| {}, &mut ready)?;
    let code = center.code(driver.now())?;
    driver.act(Action::Access(AccessAction::SignIn {
        user: server::demo::READER.to_owned(),
        password: Secret(Zeroizing::new(center.reader.password.to_string())),
        otp: Secret(Zeroizing::new(code)),
    }));
    let wanted = center.reader.assignments.len() + center.imported.len();
    let mut listed = |app: &crate::app::App| {
        app.access.failure.is_some() || (app.access.session.is_some() && app.worklist.assignments.len() >= wanted)
    };
    driver.until("sign-in and worklist", SIGN_IN, &mut |_| {}, &mut listed)?;
    if let Some(failure) = &driver.app.access.failure {
        return Err(refused(failure));
    }
    Ok(())
}

/// Takes the signed files from the center and verifies them as a stranger would.
fn keep(center: &DemoCenter, done: &ReportDone, dir: &Path, reports: &Path) -> Result<ReportRow, DemoError> {
    let folder = reports.join(format!("{:?}-{}", done.exam_kind, done.receipt.report_id));
    if let Some(center) = center.center() {
        server::export::export(center, &done.receipt.report_id, &folder)?;
    }
    let args = super::verify::VerifyArgs { path: folder.clone(), signature: None, ca: None };
    let verified =
        super::verify::run(&args, engine::Clock::now(&engine::SystemClock), &mut std::io::sink()).unwrap_or(false);
    let name = |file: &str| {
        let path = folder.join(file);
        path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned()
    };
    Ok(ReportRow {
        assignment: done.assignment.clone(),
        exam_kind: done.exam_kind,
        modality: done.modality.clone(),
        kind: done.kind,
        report: name("report.json"),
        signature: name("signature.p7s"),
        signer: name("signer.pem"),
        ca: name("ca.pem"),
        sha256: done.receipt.sha256.clone(),
        receipt: name("receipt.json"),
        verified,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_clears_only_what_a_demo_made() {
        let dir = tempfile::tempdir().expect("folder");
        let real = dir.path().join("real");
        std::fs::create_dir_all(real.join("center")).expect("folder");
        assert!(matches!(claim(&real), Err(DemoError::NotOurs(_))));
        assert!(real.join("center").is_dir());
        let own = dir.path().join("own");
        claim(&own).expect("a new folder");
        std::fs::create_dir_all(own.join("center")).expect("folder");
        claim(&own).expect("its own folder again");
    }
}
