//! The state of the workstation. Fields are public for reading; only `update` and `apply` change them.

use super::archives::ArchivesState;
use super::notice::Notices;
use super::outboxing::OutboxDialog;
use super::pictures::{Pictures, StudyState};
use super::reading::{Reading, ReadingRecord, ViewState};
use super::reporting::ReportState;
use super::settings::Settings;
use super::worklist::WorklistState;
use crate::engine::message::{Demand, Failure, Link, OutboxEntry, Session, Start};
use crate::study::{DisplaySet, FrameRef, NotShown, Patient, StudyUid};
use crate::viewport::{Annotation, ViewId};
use crate::worklist::Assignment;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the signed-in reader is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// The worklist.
    #[default]
    Worklist,
    /// The reading window.
    Reading,
    /// What waits to be sent.
    Outbox,
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    /// The engine has not answered yet.
    Starting,
    /// Drop the enrolment file.
    Enrol,
    /// The passphrase store must be opened or made.
    Passphrase,
    /// Sign in.
    SignIn,
    /// Locked: nothing of any patient may be drawn.
    Locked,
    /// A place of the signed-in reader.
    At(Place),
}

/// Getting in.
#[derive(Debug, Clone, Default)]
pub struct AccessState {
    /// What the engine needs; `None` until it said so.
    pub start: Option<Start>,
    /// An answer is awaited.
    pub busy: bool,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
    /// Who is signed in.
    pub session: Option<Session>,
    /// Local files are open without a center.
    pub local: bool,
    /// Local studies opened, in order.
    pub local_studies: Vec<StudyUid>,
    /// Local files that cannot be shown, and why.
    pub local_not_shown: Vec<NotShown>,
}

/// Idle lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockState {
    /// Pictures and names are blanked.
    pub locked: bool,
    /// The password is being checked.
    pub checking: bool,
    /// The last password was wrong.
    pub wrong: bool,
}

/// What the keyboard is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputState {
    /// An input method is composing.
    pub composing: bool,
    /// A text field has the caret.
    pub text_focus: bool,
}

/// Whether this build may be used for diagnosis (domain reference §10.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuildClass {
    /// Not certified: not for diagnosis.
    #[default]
    Research,
    /// Certified by the distributor.
    Certified,
}

/// Machine and build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// Certified or not.
    pub build: BuildClass,
    /// The graphics adapter, once known.
    pub adapter: Option<String>,
    /// It draws by the processor.
    pub software_adapter: bool,
}

/// The whole state.
#[derive(Debug, Clone)]
pub struct App {
    /// The time last told; remaining times are computed from it.
    pub now: Timestamp,
    /// The last input of the reader.
    pub last_input: Timestamp,
    /// Getting in.
    pub access: AccessState,
    /// Idle lock.
    pub lock: LockState,
    /// Keyboard.
    pub input: InputState,
    /// Machine and build.
    pub platform: Platform,
    /// Link to the center.
    pub link: Link,
    /// Where the reader is.
    pub place: Place,
    /// The worklist.
    pub worklist: WorklistState,
    /// Studies and frames.
    pub pictures: Pictures,
    /// The open study.
    pub reading: Option<Reading>,
    /// The report of the open assignment; `None` without an assignment.
    pub report: Option<ReportState>,
    /// What waits to be sent.
    pub outbox: Vec<OutboxEntry>,
    /// Refused entries that the reader closed: not sent any more, their signed bytes are kept.
    pub handed: Vec<OutboxEntry>,
    /// The dialog about a refused entry.
    pub outbox_dialog: Option<OutboxDialog>,
    /// What the reader must be told.
    pub notices: Notices,
    /// Settings.
    pub settings: Settings,
    /// Archives beside the center's own.
    pub archives: ArchivesState,
    /// Reading state kept before a crash, until its assignment is on the worklist.
    pub(super) to_restore: Option<ReadingRecord>,
    /// User id whose place `to_restore` is, where a session ended by itself.
    pub(super) restore_for: Option<String>,
    /// What is wanted now; worked out after every change.
    pub(super) wanted: Demand,
    /// The frames of it, for a quick look-up.
    pub(super) wanted_frames: BTreeSet<FrameRef>,
}

impl App {
    /// A workstation that knows nothing yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            last_input: now,
            access: AccessState::default(),
            lock: LockState::default(),
            input: InputState::default(),
            platform: Platform::default(),
            link: Link::default(),
            place: Place::default(),
            worklist: WorklistState::default(),
            pictures: Pictures::default(),
            reading: None,
            report: None,
            outbox: Vec::new(),
            handed: Vec::new(),
            outbox_dialog: None,
            notices: Notices::default(),
            settings: Settings::default(),
            archives: ArchivesState::default(),
            to_restore: None,
            restore_for: None,
            wanted: Demand::default(),
            wanted_frames: BTreeSet::new(),
        }
    }

    /// What is to be drawn now.
    pub fn screen(&self) -> Screen {
        if self.access.local {
            return Screen::At(Place::Reading);
        }
        if self.access.session.is_some() {
            return if self.lock.locked { Screen::Locked } else { Screen::At(self.place) };
        }
        match &self.access.start {
            None => Screen::Starting,
            Some(Start::NotEnrolled) => Screen::Enrol,
            Some(Start::NeedsPassphrase { .. }) => Screen::Passphrase,
            Some(Start::Ready { .. }) => Screen::SignIn,
        }
    }

    /// The open assignment.
    pub fn open_assignment(&self) -> Option<&Arc<Assignment>> {
        self.reading.as_ref()?.assignment.as_ref()
    }

    /// The patient whose pictures are open, as the request names them; for local files as the study does.
    pub fn open_patient(&self) -> Option<&Patient> {
        let reading = self.reading.as_ref()?;
        match &reading.assignment {
            Some(assignment) => Some(&assignment.patient),
            None => self.open_studies().find_map(|(_, s)| s.study.as_ref().map(|study| &study.patient)),
        }
    }

    /// Studies to read, in order, as far as they are known.
    pub fn open_studies(&self) -> impl Iterator<Item = (&StudyUid, &StudyState)> {
        let uids = self.reading.iter().flat_map(|r| &r.record.studies);
        uids.filter_map(|uid| self.pictures.studies.get_key_value(uid))
    }

    /// Earlier studies, as far as they are known.
    pub fn open_priors(&self) -> impl Iterator<Item = (&StudyUid, &StudyState)> {
        let uids = self.reading.iter().flat_map(|r| &r.record.priors);
        uids.filter_map(|uid| self.pictures.studies.get_key_value(uid))
    }

    /// Annotations that lie on the pictures: the draft's, and those that belong to no draft.
    pub fn annotations(&self) -> impl Iterator<Item = &Annotation> {
        let draft = self.report.as_ref().and_then(ReportState::draft);
        let loose = self.reading.iter().flat_map(|r| &r.loose);
        draft.into_iter().flat_map(|d| &d.annotations).chain(loose)
    }

    /// Frames of a display set that have been on screen.
    pub fn seen_frames(&self, set: &DisplaySet) -> usize {
        self.reading.as_ref().and_then(|r| r.seen_in.get(&set.id)).copied().unwrap_or(0)
    }

    /// Share of an assignment's instances (studies to read) that is on this disk; `None` before any is named.
    pub fn cached_share(&self, assignment: &Assignment) -> Option<f32> {
        let (mut here, mut named) = (0usize, 0usize);
        for wanted in &assignment.studies {
            let state = self.pictures.study(&wanted.study_uid);
            let expected = state.map_or(0, |s| s.ledger.expected());
            named += expected.max(wanted.instances as usize);
            here += state.map_or(0, |s| s.ledger.received());
        }
        (named > 0).then(|| here as f32 / named as f32)
    }

    /// A dialog that covers the screen is open: only its own keys count.
    pub fn modal(&self) -> bool {
        self.settings.dialog_open
            || self.archives.dialog.is_some()
            || self.outbox_dialog.is_some()
            || self.worklist.return_dialog.is_some()
            || self.report.as_ref().is_some_and(|r| r.sign.modal() || r.conflict.is_some())
    }

    /// A viewport of the open reading.
    pub fn view(&self, id: ViewId) -> Option<&ViewState> {
        self.reading.as_ref()?.record.view(id)
    }

    /// The display set in a viewport.
    pub fn view_set(&self, id: ViewId) -> Option<&Arc<DisplaySet>> {
        self.pictures.set(self.view(id)?.set.as_ref()?)
    }

    /// The active viewport.
    pub fn active_view(&self) -> Option<ViewId> {
        self.reading.as_ref().map(|r| r.record.active_view())
    }
}
