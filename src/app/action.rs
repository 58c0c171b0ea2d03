//! What the reader (or a test) can ask for. Mouse, key, menu and test produce the same action.

use super::keymap::{Chord, Intent};
use super::settings::{Language, OverlayLevel};
use super::state::Place;
use super::worklist::{Filter, SortKey};
use crate::engine::message::{ArchiveCredentials, Secret};
use crate::report::{Edit, FindingId};
use crate::study::hidden_debug;
use crate::study::{DisplaySetId, FrameRef, SeriesUid, SopInstanceUid, StudyUid};
use crate::viewport::{self, AnnotationId, Layout, Tool, ViewId};
use crate::worklist::{DeclineReason, ReturnReason};
use std::path::PathBuf;

/// An intent. Each area owns its own enum.
#[derive(Debug, Clone)]
pub enum Action {
    /// Time passed; drives autosave, idle lock, cine and lease warnings. Send at least once a second.
    Tick,
    /// The reader touched mouse or keyboard: the idle clock starts anew.
    Input,
    /// An input method began (true) or ended (false) composing text; no key fires meanwhile.
    Composing(bool),
    /// A text field has (true) or lost (false) the caret; plain keys then belong to it. Losing it saves the draft.
    TextFocus(bool),
    /// A key was pressed; does what the keymap says in the present context, if anything.
    Key(Chord),
    /// A named intent, from a key, the palette or a button.
    Intent(Intent),
    /// Enrolment, sign-in, lock.
    Access(AccessAction),
    /// What the program found out about machine and build.
    Platform(PlatformFact),
    /// Worklist.
    Worklist(WorklistAction),
    /// The transfer of a study.
    Study(StudyAction),
    /// Layout of the reading window.
    Layout(LayoutAction),
    /// An intent for a viewport from pointer or key.
    Viewport(ViewId, viewport::Action),
    /// What a viewport shows.
    View(ViewId, ViewAction),
    /// Objects without a picture.
    Object(ObjectAction),
    /// Editing the report.
    Report(ReportAction),
    /// From the open points to the signature.
    Sign(SignAction),
    /// What waits to be sent.
    Outbox(OutboxAction),
    /// Notices.
    Notice(NoticeAction),
    /// Settings.
    Settings(SettingsAction),
    /// Credentials of archives beside the center's own.
    Archive(ArchiveAction),
    /// Shows another place of the program.
    Go(Place),
    /// Opens local files without a center.
    OpenLocal(Vec<PathBuf>),
    /// The window closes: saves and stops the engine.
    Quit,
}

/// Enrolment, sign-in, lock.
#[derive(Debug, Clone)]
pub enum AccessAction {
    /// An enrolment file was dropped or chosen.
    Enrol(PathBuf),
    /// The passphrase store, where the system has none.
    Passphrase {
        /// Passphrase.
        passphrase: Secret,
        /// Make a new store.
        create: bool,
    },
    /// Sign in.
    SignIn {
        /// User id.
        user: String,
        /// Password.
        password: Secret,
        /// One-time code.
        otp: Secret,
    },
    /// Sign out; drafts are saved first.
    SignOut,
    /// Lock now.
    Lock,
    /// Unlock with the password.
    Unlock(Secret),
}

/// Facts of machine and build, told once at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlatformFact {
    /// The graphics adapter's name and whether it is a software rasteriser.
    Adapter {
        /// Name as the driver says it.
        name: String,
        /// True for llvmpipe, lavapipe, WARP and the like.
        software: bool,
    },
    /// The distributor certified this build (domain reference §10.2); without it the notice stays.
    CertifiedBuild,
    /// The system's language, used until the reader chose one.
    SystemLanguage(Language),
}

/// Worklist. Debug output hides what was typed.
#[derive(Clone, PartialEq)]
pub enum WorklistAction {
    /// Ask the center now.
    Refresh,
    /// Show only these.
    Filter(Filter),
    /// Search text; empty shows all.
    Search(String),
    /// Sort by this column; again turns the direction round.
    Sort(SortKey),
    /// Select an assignment by id.
    Select(String),
    /// Move the selection by rows (negative: up).
    Move(i32),
    /// Fold or unfold the preview beside the list.
    TogglePreview,
    /// Accept.
    Accept(String),
    /// Open for reading (start or go on).
    Open(String),
    /// Put the open assignment aside.
    Suspend(String),
    /// Give it back.
    Release(String),
    /// Say no.
    Decline(String, DeclineReason, String),
    /// Open the "cannot read" dialog.
    AskReturn(String),
    /// Choose the reason in that dialog.
    ReturnReason(ReturnReason),
    /// The words in that dialog.
    ReturnText(String),
    /// Send it back with reason and words.
    ConfirmReturn,
    /// Close the dialog.
    CancelReturn,
}

/// The transfer of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudyAction {
    /// Stop moving bytes; keeps what is here.
    Pause(StudyUid),
    /// Go on.
    Resume(StudyUid),
    /// Show another of the local studies (`dokuei open`); the screen is cleared first.
    ShowLocal(StudyUid),
}

/// Layout of the reading window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutAction {
    /// Another grid; viewports that stay keep their pictures.
    Grid(Layout),
    /// A step of the hanging protocol, by number from 0.
    Step(usize),
    /// Next (true) or previous step.
    NextStep(bool),
    /// Show one viewport alone, or all again.
    ToggleMaximise(ViewId),
    /// Scroll viewports together by mm, or not.
    ToggleLink,
    /// Make a viewport the active one.
    Activate(ViewId),
    /// The left mouse button's tool.
    Tool(Tool),
    /// Fold or unfold the report panel.
    ToggleReport,
    /// Fold or unfold the tray of series.
    ToggleTray,
}

/// What a viewport shows, beyond the `viewport::Action`s of pointer and keys.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewAction {
    /// Show a display set.
    Show(DisplaySetId),
    /// Show the first display set of a series.
    ShowSeries(SeriesUid),
    /// Show the display set that has this frame, at this frame.
    ShowFrame(FrameRef),
    /// First (false) or last (true) frame.
    GoToEnd(bool),
    /// Turn cine on or off.
    ToggleCine,
    /// Cine speed, frames per second.
    CineRate(f64),
    /// Empty the viewport.
    Clear,
}

/// Objects without a picture: structured reports, key object selections and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectAction {
    /// Open one of the open studies beside the pictures.
    Open(SopInstanceUid),
    /// Close it.
    Close,
    /// Show a picture that it names.
    Show(FrameRef),
    /// Lay it over the pictures that it is for, or take it away again.
    Lay(bool),
    /// Draw its segment or structure of this number, or not.
    Part(i64, bool),
    /// Save the document within it into a folder, named by its whole path.
    Save(String),
}

/// Editing the report.
#[derive(Debug, Clone)]
pub enum ReportAction {
    /// A change of the draft.
    Edit(Edit),
    /// Undo.
    Undo,
    /// Redo.
    Redo,
    /// The finding that drawings and key images go to.
    OpenFinding(Option<FindingId>),
    /// Add a finding and open it.
    NewFinding,
    /// Show the pictures of a finding: slice and window.
    JumpTo(FindingId),
    /// Take what the active viewport shows as key image of the open finding (a new one if none is open).
    KeyImage,
    /// Fill the open finding with an annotation's measurement.
    UseMeasurement(AnnotationId),
    /// Write with another template (only while the draft is empty of findings).
    Template(String),
    /// Save now.
    Save,
    /// After a conflict: keep this terminal's version (true) or the center's.
    Resolve {
        /// Which one stays.
        keep_local: bool,
    },
    /// Begin an addendum to the newest signed version.
    StartAddendum,
    /// Load the signed reports of the open assignment.
    ShowSigned,
}

/// From the open points to the signature. Debug output hides what was typed.
#[derive(Clone)]
pub enum SignAction {
    /// Check the gate and show what is open, or go to the preview if nothing is.
    Begin,
    /// The reason for passing an open point, by its place in the list.
    Reason(usize, String),
    /// Go to what an open point is about, closing the dialog.
    GoToPoint(usize),
    /// All reasons given: prepare the exact preview.
    Proceed,
    /// Sign what is in the preview.
    Sign(Secret),
    /// Back to the report.
    Cancel,
    /// Close the "signed" panel and go on with the next assignment.
    Next,
}

/// What is asked about a refused report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxAsk {
    /// Its signed files, outside the sealed store.
    Export,
    /// Close the entry: the center knows.
    HandOver,
}

/// What waits to be sent. Debug output hides what was typed.
#[derive(Clone, PartialEq, Eq)]
pub enum OutboxAction {
    /// Send everything now, what was refused too.
    SendNow,
    /// Try one refused entry again, after taking its assignment's lease back where the center allows it.
    Retry(i64),
    /// Opens the dialog about a refused entry.
    Ask(i64, OutboxAsk),
    /// Does what the dialog asks, with the folder or the reason typed.
    Confirm(String),
    /// Closes the dialog.
    Close,
}

impl std::fmt::Debug for OutboxAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SendNow => f.write_str("SendNow"),
            Self::Retry(id) => f.debug_tuple("Retry").field(id).finish(),
            Self::Ask(id, ask) => f.debug_tuple("Ask").field(id).field(ask).finish(),
            Self::Confirm(_) => f.write_str("Confirm(…)"),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// Notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeAction {
    /// Seen; take it away.
    Dismiss(u64),
    /// Do what the notice offers.
    Act(u64),
}

/// Settings.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingsAction {
    /// Language of the interface and of new documents.
    Language(Language),
    /// Corner texts of viewports.
    Overlay(OverlayLevel),
    /// Minutes without input until the screen locks, 1 to 60.
    IdleLockMinutes(u8),
    /// Fetch the next assignments' studies ahead.
    CacheAhead(bool),
    /// Bind a chord to an intent, in its context; `None` takes the intent's key away.
    Bind(Intent, Option<Chord>),
    /// All keys as delivered.
    ResetKeys,
    /// Open or close the settings dialog.
    ToggleDialog,
}

/// Credentials of archives beside the center's own.
#[derive(Debug, Clone)]
pub enum ArchiveAction {
    /// Ask what is kept.
    List,
    /// Open the dialog for an archive, by name.
    Open(String),
    /// Close it.
    Close,
    /// Try and keep what was typed.
    Keep(ArchiveCredentials),
    /// Forget what is kept for an archive, by name.
    Remove(String),
}

hidden_debug!(WorklistAction, SignAction);
