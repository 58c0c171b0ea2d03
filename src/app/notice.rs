//! What the reader must be told, as codes: the words (what happened, what it means, what to do) are `ui`'s.

use crate::engine::message::{ArchiveNeed, Failure};
use jiff::Timestamp;

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Unusual; look at it.
    Caution,
    /// Harm is possible: work is not safe or pictures may be another patient's.
    Harm,
}

/// Why a picture that something names cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureMissing {
    /// It is in none of the open studies, or not yet named there.
    NotOpen,
    /// The object is no picture, or is not shown: the reason.
    NoPicture(String),
    /// It has fewer frames.
    NoSuchFrame {
        /// Named, from 1.
        frame: u32,
        /// How many there are.
        frames: u32,
    },
    /// No display set has it.
    NotPlaced,
}

/// What a notice is about. Each has three texts in `ui::text`: what happened, what it means, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeCode {
    /// This build is not certified: not for diagnosis.
    UncertifiedBuild,
    /// Pictures are drawn by the processor: slow; the adapter's name.
    SoftwareAdapter(String),
    /// This terminal's clock differs from the center's by so many seconds (center minus terminal).
    ClockSkew(i64),
    /// Enrolment failed.
    EnrolmentFailed(Failure),
    /// The session ended by itself.
    SessionEnded(Failure),
    /// The worklist could not be had.
    WorklistFailed(Failure),
    /// An assignment's step was refused.
    TransitionFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// The open assignment is no longer this reader's: reassigned, cancelled or returned.
    AssignmentGone {
        /// Assignment id.
        assignment: String,
    },
    /// A draft could not be kept.
    DraftFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// The center holds another newer draft.
    DraftConflict {
        /// Assignment id.
        assignment: String,
    },
    /// The assignment is not being read (not started, or no longer): it cannot be signed now.
    NotInProgress {
        /// Assignment id.
        assignment: String,
    },
    /// This terminal's clock is so far off that signing is stopped (center minus terminal, seconds).
    ClockBlocksSigning(i64),
    /// Preparing or signing failed.
    SignFailed(Failure),
    /// The patient of the pictures is not the patient of the request.
    IdentityMismatch {
        /// Assignment id.
        assignment: String,
        /// The series that disagree, by number and description.
        series: Vec<String>,
    },
    /// The center named another number of images than the facility sent, or than it announced.
    CountMismatch {
        /// Assignment id.
        assignment: String,
        /// As announced.
        announced: u64,
        /// As named by the archive.
        named: u64,
    },
    /// A signed report stays in the outbox until a person acts.
    OutboxWedged {
        /// Assignment id.
        assignment: String,
        /// The center's reason.
        reason: String,
    },
    /// The flag "wrong patient suspected" could not be kept: it is not set.
    PatientFlagFailed {
        /// Assignment id.
        assignment: String,
        /// Why.
        failure: Failure,
    },
    /// The center refused the flag "wrong patient suspected": it stays here, and a person must tell the center.
    PatientFlagRefused {
        /// Assignment id.
        assignment: String,
        /// The center's reason.
        reason: String,
    },
    /// A signed report is safe with the center.
    ReportReceived {
        /// Assignment id.
        assignment: String,
        /// Report id there.
        report_id: String,
    },
    /// Files of the reader's own were closed: the center names a study with the same UID.
    LocalGaveWay,
    /// Local files that cannot be shown: how many.
    LocalNotShown(usize),
    /// The kept reading state could not be read; the program starts with the worklist.
    ReadingStateUnreadable,
    /// A kept setting could not be read; its default is used.
    SettingUnreadable(String),
    /// The template named by the assignment or draft is not in this build.
    TemplateMissing(String),
    /// An annotation or key image asks for an open draft that may be edited.
    NothingToEdit,
    /// Values and key images are of the picture itself, and a presentation state shows it as another.
    UnderPresentationState,
    /// An addendum follows what the center has: the signed version still waits in the outbox.
    AddendumWaits,
    /// Pictures wait for the reader at an archive of its own credentials.
    ArchiveWants {
        /// Its name.
        archive: String,
        /// Where it is.
        host: String,
        /// What it waits for.
        need: ArchiveNeed,
    },
    /// Credentials of an archive are kept; they were tried on it or not.
    ArchiveSaved {
        /// Its name.
        archive: String,
        /// Tried and taken.
        tried: bool,
    },
    /// Credentials of an archive were not kept or not removed.
    ArchiveFailed {
        /// Its name.
        archive: String,
        /// Why.
        failure: Failure,
    },
    /// A picture that was asked for cannot be shown.
    PictureNotShown {
        /// Number of its series, if it is in an open study.
        series: Option<i32>,
        /// Instance Number.
        number: Option<i32>,
        /// Why.
        why: PictureMissing,
    },
    /// Anything else from the engine.
    Other(Failure),
}

impl NoticeCode {
    /// How serious it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::UncertifiedBuild
            | Self::ReportReceived { .. }
            | Self::ArchiveSaved { .. }
            | Self::LocalNotShown(_)
            | Self::NothingToEdit
            | Self::UnderPresentationState
            | Self::AddendumWaits
            | Self::SettingUnreadable(_)
            | Self::ReadingStateUnreadable => Severity::Info,
            Self::DraftFailed { .. }
            | Self::IdentityMismatch { .. }
            | Self::OutboxWedged { .. }
            | Self::PatientFlagFailed { .. }
            | Self::PatientFlagRefused { .. }
            | Self::SignFailed(_)
            | Self::DraftConflict { .. } => Severity::Harm,
            _ => Severity::Caution,
        }
    }

    /// The assignment that it is about, if it is about one.
    pub fn assignment(&self) -> Option<&str> {
        match self {
            Self::TransitionFailed { assignment, .. }
            | Self::AssignmentGone { assignment }
            | Self::DraftFailed { assignment, .. }
            | Self::DraftConflict { assignment }
            | Self::NotInProgress { assignment }
            | Self::IdentityMismatch { assignment, .. }
            | Self::CountMismatch { assignment, .. }
            | Self::OutboxWedged { assignment, .. }
            | Self::ReportReceived { assignment, .. } => Some(assignment),
            _ => None,
        }
    }

    /// Two notices of the same kind about the same thing: the newer replaces the older.
    fn same_matter(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SoftwareAdapter(_), Self::SoftwareAdapter(_))
            | (Self::ClockSkew(_), Self::ClockSkew(_))
            | (Self::WorklistFailed(_), Self::WorklistFailed(_))
            | (Self::EnrolmentFailed(_), Self::EnrolmentFailed(_))
            | (Self::SessionEnded(_), Self::SessionEnded(_))
            | (Self::PictureNotShown { .. }, Self::PictureNotShown { .. })
            | (Self::SignFailed(_), Self::SignFailed(_)) => true,
            (Self::ArchiveWants { archive: a, .. }, Self::ArchiveWants { archive: b, .. })
            | (Self::ArchiveSaved { archive: a, .. }, Self::ArchiveSaved { archive: b, .. })
            | (Self::ArchiveFailed { archive: a, .. }, Self::ArchiveFailed { archive: b, .. })
            | (Self::DraftFailed { assignment: a, .. }, Self::DraftFailed { assignment: b, .. })
            | (Self::TransitionFailed { assignment: a, .. }, Self::TransitionFailed { assignment: b, .. })
            | (Self::CountMismatch { assignment: a, .. }, Self::CountMismatch { assignment: b, .. })
            | (Self::PatientFlagFailed { assignment: a, .. }, Self::PatientFlagFailed { assignment: b, .. })
            | (Self::PatientFlagRefused { assignment: a, .. }, Self::PatientFlagRefused { assignment: b, .. })
            | (Self::IdentityMismatch { assignment: a, .. }, Self::IdentityMismatch { assignment: b, .. })
            | (Self::OutboxWedged { assignment: a, .. }, Self::OutboxWedged { assignment: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it in [`NoticeAction`](super::NoticeAction).
    pub id: u64,
    /// When it came.
    pub at: Timestamp,
    /// What it is about.
    pub code: NoticeCode,
}

/// The notices that stand, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    list: Vec<Notice>,
    next: u64,
}

impl Notices {
    /// At most so many stand at once; the oldest of the least serious goes first.
    const MOST: usize = 50;

    /// Adds a notice; one about the same matter is replaced.
    pub fn add(&mut self, at: Timestamp, code: NoticeCode) {
        self.list.retain(|n| !n.code.same_matter(&code));
        self.next += 1;
        self.list.push(Notice { id: self.next, at, code });
        if self.list.len() > Self::MOST {
            let least = self.list.iter().enumerate().min_by_key(|(i, n)| (n.code.severity(), *i)).map(|(i, _)| i);
            if let Some(i) = least {
                self.list.remove(i);
            }
        }
    }

    /// Takes away what is no longer true.
    pub fn clear(&mut self, gone: impl Fn(&NoticeCode) -> bool) {
        self.list.retain(|n| !gone(&n.code));
    }

    /// Takes one away.
    pub fn dismiss(&mut self, id: u64) {
        self.list.retain(|n| n.id != id);
    }

    /// The notices, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.list.iter()
    }

    /// One of them.
    pub fn get(&self, id: u64) -> Option<&Notice> {
        self.list.iter().find(|n| n.id == id)
    }

    /// Whether one with this quality stands.
    pub fn any(&self, which: impl Fn(&NoticeCode) -> bool) -> bool {
        self.list.iter().any(|n| which(&n.code))
    }
}
