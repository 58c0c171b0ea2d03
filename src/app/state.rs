//! The state of the workstation. Fields are public for reading; only `update` and `apply` change them.

use super::notice::Notices;
use super::pictures::Pictures;
use super::reading::{Reading, ViewState};
use super::settings::Settings;
use super::worklist::WorklistState;
use crate::engine::message::{Failure, Link, OutboxEntry, Session, Start};
use crate::study::DisplaySet;
use crate::viewport::ViewId;
use crate::worklist::Assignment;
use jiff::Timestamp;
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
    /// What waits to be sent.
    pub outbox: Vec<OutboxEntry>,
    /// What the reader must be told.
    pub notices: Notices,
    /// Settings.
    pub settings: Settings,
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
            outbox: Vec::new(),
            notices: Notices::default(),
            settings: Settings::default(),
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
        let id = self.reading.as_ref()?.record.assignment.as_deref()?;
        self.worklist.get(id)
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
