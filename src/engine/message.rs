//! What travels between `app` and `engine`: wishes down, facts up.
//!
//! A [`Command`] is done once, in order. A [`Demand`] is everything wanted now; the newest replaces the one
//! before. An [`Event`] is a fact. The app never waits for an answer.

mod archive;
mod handing;
mod object;
mod reports;
mod unshown;
mod waiting;

pub use archive::{ArchiveCa, ArchiveCommand, ArchiveCredentials, ArchiveEvent, ArchiveNeed, ArchiveWant, KeptArchive};
pub use handing::{HandingCommand, HandingEvent};
pub use object::{DocumentSaved, Dress, ObjectCommand, ObjectEvent, SaveDocument, Unread};
pub use reports::{Prepared, PreviewPicture, ReportOnFile};
pub use unshown::{Unshown, UnshownKind};
pub use waiting::{FlagEntry, OutboxEntry};

use crate::imaging::Frame;
use crate::report::manifest::Acknowledged;
use crate::report::{Draft, Receipt, Template};
use crate::study::{DisplaySetId, FrameRef, Ledger, Study, StudyUid, Voi};
use crate::study::{Hidden, hidden_debug};
use crate::worklist::{Assignment, DeclineReason, ReturnReason, StudyToRead};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Fewest characters of a passphrase that the reader may choose for the secret store.
pub const SHORTEST_PASSPHRASE: usize = 12;

/// A secret typed by the reader. Wiped when dropped, hidden in Debug output.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A step in an assignment's life that the reader asks for.
#[derive(Clone, PartialEq)]
pub enum Transition {
    /// Accept.
    Accept,
    /// Start or go on; obtains the lease.
    Start,
    /// Put aside.
    Suspend,
    /// Give back.
    Release,
    /// Say no.
    Decline(DeclineReason, String),
    /// Cannot be read.
    Return(ReturnReason, String),
}

hidden_debug!(Transition);

/// Done once, in order.
#[derive(Debug, Clone)]
pub enum Command {
    /// Reads an enrolment file and keeps the center's address and CA.
    Enrol(PathBuf),
    /// Opens the passphrase-protected secrets store: the explicit choice where the system has no keyring.
    UnlockSecrets {
        /// Passphrase.
        passphrase: Secret,
        /// Make a new store (first run) instead of opening one.
        create: bool,
    },
    /// Signs the reader in.
    SignIn {
        /// User id.
        user: String,
        /// Password.
        password: Secret,
        /// One-time code.
        otp: Secret,
    },
    /// Ends the session; drafts and outbox stay.
    SignOut,
    /// Proves that the locked session's reader is back.
    Unlock(Secret),
    /// Asks for the worklist now.
    RefreshWorklist,
    /// A step of an assignment.
    Transition {
        /// Assignment id.
        assignment: String,
        /// The step.
        transition: Transition,
    },
    /// Keeps the flag "wrong patient suspected" and sends it back to the center as soon as it can be reached.
    SuspectPatient {
        /// Assignment id.
        assignment: String,
        /// The reader's words; not empty.
        text: Hidden,
    },
    /// Loads the newest draft (local or center, whichever is newer).
    LoadDraft {
        /// Assignment id.
        assignment: String,
    },
    /// Keeps a draft locally at once, then mirrors it to the center.
    SaveDraft(Draft),
    /// After a conflict: the reader chose this one.
    ResolveDraft {
        /// Assignment id.
        assignment: String,
        /// True: the version on this terminal; false: the center's.
        keep_local: bool,
        /// The other one, to be kept for reference; none where nothing of it can be missed.
        left: Option<Box<Draft>>,
    },
    /// Freezes a draft into the exact bytes to sign and the pages to preview.
    Prepare {
        /// The draft as the gate saw it.
        draft: Draft,
        /// Template it was written with.
        template: Arc<Template>,
        /// The assignment it answers.
        assignment: Arc<Assignment>,
        /// Open points that the reader chose to pass, with reasons; part of the signed bytes.
        acknowledged: Vec<Acknowledged>,
        /// Instances shown (SOP Instance UIDs), for the digest in the signed bytes.
        shown: Vec<String>,
        /// Language of the document: `ja` or `en`.
        language: String,
    },
    /// Signs what was prepared and puts it into the outbox.
    Sign {
        /// [`Prepared::id`].
        prepared: u64,
        /// Password, again for each signature.
        password: Secret,
    },
    /// Drops a prepared report.
    DiscardPrepared(u64),
    /// Tries the outbox now.
    SendOutbox,
    /// Takes back the lease of a refused entry's assignment where the center allows it, and tries the entry again.
    RetryOutbox {
        /// [`OutboxEntry::id`].
        id: i64,
    },
    /// What a person does with refused reports.
    Handing(HandingCommand),
    /// Loads reports of a study or assignment (for reading and addenda).
    LoadReports {
        /// Assignment id.
        assignment: String,
    },
    /// Opens local files and folders without a center.
    OpenLocal(Vec<PathBuf>),
    /// Something with an object without a picture.
    Object(ObjectCommand),
    /// Keeps a small setting (language, folded panels …) as JSON text.
    SaveSetting {
        /// Name.
        name: String,
        /// Value.
        value: String,
    },
    /// Keeps the reading state for the next start (sealed).
    SaveReadingState(String),
    /// The reader viewed a study (audit).
    Viewed {
        /// Study.
        study: StudyUid,
    },
    /// Credentials of archives beside the center's own.
    Archive(ArchiveCommand),
    /// Stops all threads.
    Shutdown,
}

/// How soon something is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// On screen.
    Visible,
    /// Next to what is on screen.
    Next,
    /// Rest of the open study.
    Current,
    /// Earlier studies of the patient.
    Prior,
    /// Studies of the next assignments.
    Ahead,
}

/// A study wanted on this disk.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyWanted {
    /// Where it lies and how big it is.
    pub study: StudyToRead,
    /// How soon.
    pub class: Class,
    /// Stopped by the reader: keeps its place, moves no bytes.
    pub paused: bool,
}

/// A thumbnail wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct ThumbnailWanted {
    /// What it stands for.
    pub display_set: DisplaySetId,
    /// The frame to show.
    pub frame: FrameRef,
    /// Window; `None` = the frame's own.
    pub voi: Option<Voi>,
}

/// Everything wanted now, most urgent first.
///
/// A frame's [`Event::Frame`] comes when it appears in a Demand and can be had, and once more only after it was
/// left out of a Demand between: the app keeps the frames that its Demand names. Studies left out are forgotten
/// in memory (not on disk); naming them again sends [`Event::Study`] again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Demand {
    /// Studies to have on disk.
    pub studies: Vec<StudyWanted>,
    /// Decoded frames to have in memory.
    pub frames: Vec<FrameRef>,
    /// Those of `frames` that the app does not hold. Demands overtake each other, so only the app knows: a
    /// frame that it dropped and wants again would otherwise look as if it had been given already.
    pub missing: Vec<FrameRef>,
    /// Thumbnails not yet there.
    pub thumbnails: Vec<ThumbnailWanted>,
}

/// Why something did not work, by what the reader can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The center or archive cannot be reached.
    Offline(String),
    /// Wrong password or one-time code, or no right.
    Denied(String),
    /// Somebody else changed it meanwhile, or the lease is gone.
    Conflict(String),
    /// Bytes that are not what they should be.
    Corrupt(String),
    /// No space on disk.
    Full(String),
    /// The center refused, with its words.
    Rejected(String),
    /// No secrets store; the reader must choose.
    NoSecretStore(String),
    /// Anything else of this terminal.
    Local(String),
}

impl Failure {
    /// The detail text, for the log of the reader (no patient data).
    pub fn detail(&self) -> &str {
        match self {
            Self::Offline(d)
            | Self::Denied(d)
            | Self::Conflict(d)
            | Self::Corrupt(d)
            | Self::Full(d)
            | Self::Rejected(d)
            | Self::NoSecretStore(d)
            | Self::Local(d) => d,
        }
    }
}

/// State of the link to the center.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Link {
    /// Reached at the last attempt.
    pub online: bool,
    /// Center's name.
    pub center: String,
    /// Center's clock minus this terminal's, seconds.
    pub clock_skew_s: i64,
    /// Bytes per second received lately.
    pub bytes_per_s: u64,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// User id.
    pub user: String,
    /// Name.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
}

/// How far a study has arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyProgress {
    /// Study.
    pub study: StudyUid,
    /// Ledger at this moment.
    pub ledger: Arc<Ledger>,
    /// Nothing more will come by itself.
    pub finished: bool,
    /// The last trouble, if the transfer is waiting or stopped.
    pub failure: Option<Failure>,
}

/// What the engine needs before anybody can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// No enrolment yet: drop the file.
    NotEnrolled,
    /// The system has no secrets store: choose the passphrase store, or fix the system.
    NeedsPassphrase {
        /// Why the system's store cannot be used.
        reason: String,
        /// A passphrase store exists already (unlock) or not (create).
        exists: bool,
    },
    /// Ready for sign-in.
    Ready {
        /// Center's name.
        center: String,
        /// Last user id.
        last_user: String,
    },
}

/// Facts.
#[derive(Debug, Clone)]
pub enum Event {
    /// State before sign-in.
    Started(Start),
    /// Settings kept before (name, JSON text).
    Settings(Vec<(String, String)>),
    /// Reading state kept before a crash or exit.
    ReadingState(String),
    /// Link to the center.
    Link(Link),
    /// Signed in.
    SignedIn(Session),
    /// Could not sign in.
    SignInFailed(Failure),
    /// The session ended (sign-out, or the center ended it: then with the failure).
    SignedOut(Option<Failure>),
    /// Unlock succeeded or not.
    Unlocked(bool),
    /// The whole worklist of this reader.
    Worklist {
        /// Assignments.
        assignments: Vec<Arc<Assignment>>,
        /// When the center said so.
        at: Timestamp,
    },
    /// One assignment changed.
    Assignment(Arc<Assignment>),
    /// The worklist could not be had; the previous stays.
    WorklistFailed(Failure),
    /// A transition was refused.
    TransitionFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// Structure of a study, again whenever it grows.
    Study(Arc<Study>),
    /// How far it has arrived.
    StudyProgress(StudyProgress),
    /// A decoded frame.
    Frame(FrameRef, Arc<Frame>),
    /// A frame that cannot be had, and why.
    FrameFailed(FrameRef, Unshown),
    /// A thumbnail, RGB, at most 96 × 96.
    Thumbnail {
        /// What it stands for.
        display_set: DisplaySetId,
        /// Width and height.
        size: [u32; 2],
        /// RGB bytes.
        rgb: Arc<[u8]>,
    },
    /// A draft was loaded; `None`: there is none yet.
    Draft {
        /// Assignment id.
        assignment: String,
        /// The draft.
        draft: Option<Draft>,
    },
    /// A draft is safe.
    DraftSaved {
        /// Assignment id.
        assignment: String,
        /// Its revision.
        revision: u64,
        /// The center has it too.
        at_center: bool,
        /// When.
        at: Timestamp,
    },
    /// The center holds another draft; answered by [`Command::ResolveDraft`].
    DraftConflict {
        /// Assignment id.
        assignment: String,
        /// The center's version.
        center: Draft,
        /// Revision here that nothing is lost of (0: no draft): while it is untouched, the center's takes its place.
        replaces: Option<u64>,
    },
    /// Versions of a draft that the reader decided against, oldest first.
    DraftsLeft {
        /// Assignment id.
        assignment: String,
        /// The versions.
        drafts: Vec<Draft>,
    },
    /// A draft could not be kept.
    DraftFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// Ready for preview and signature.
    Prepared(Prepared),
    /// Could not be prepared or signed.
    SignFailed(Failure),
    /// Signed and durably in the outbox.
    Signed {
        /// Assignment id.
        assignment: String,
        /// SHA-256 (hex) of the signed bytes.
        sha256: String,
    },
    /// The center's receipt, verified.
    Receipt(Receipt),
    /// All flags "wrong patient suspected" of this reader that are kept here and that the center does not have yet.
    Flags(Vec<FlagEntry>),
    /// Such a flag could not be kept: it is not set.
    FlagFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// What became of a wish about refused reports.
    Handing(HandingEvent),
    /// What waits of this reader's, and what was handed over.
    Outbox(Vec<OutboxEntry>),
    /// Reports of an assignment.
    Reports {
        /// Assignment id.
        assignment: String,
        /// Newest last.
        reports: Vec<ReportOnFile>,
    },
    /// Local files opened: their studies were sent as [`Event::Study`] before.
    LocalOpened {
        /// Studies found.
        studies: Vec<StudyUid>,
        /// Files that cannot be shown and why.
        not_shown: Vec<crate::study::NotShown>,
    },
    /// What became of it.
    Object(ObjectEvent),
    /// Credentials of archives beside the center's own.
    Archive(ArchiveEvent),
    /// Something the reader should know, once.
    Notice(Failure),
}

/// What `ui` and the headless reading day need of an engine. Nothing here waits.
pub trait EngineLink {
    /// Hands a command over; they are done in order.
    fn send(&mut self, command: Command);
    /// Says what is wanted now; replaces what was wanted before.
    fn demand(&mut self, demand: Demand);
    /// At most `max` events that have come meanwhile, oldest first.
    fn drain(&mut self, max: usize) -> Vec<Event>;
    /// Ends it, as the program ends; `false` where something that was asked for before was not done.
    #[must_use]
    fn stop(self: Box<Self>) -> bool;
}
