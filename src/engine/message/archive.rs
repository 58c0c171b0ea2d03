//! Wishes and facts about archives beside the center's own: their credentials and whom they are known by.

use super::{Failure, Secret};
use crate::study::StudyUid;
use std::path::PathBuf;

/// Done once, in order among themselves.
#[derive(Clone)]
pub enum ArchiveCommand {
    /// Tells what is kept ([`ArchiveEvent::Kept`]).
    List,
    /// Keeps credentials. Where a study is named they are tried on it first, and refused ones are not kept.
    Keep(ArchiveCredentials),
    /// Forgets what is kept for an archive.
    Remove(String),
}

impl std::fmt::Debug for ArchiveCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::List => "List",
            Self::Keep(_) => "Keep(…)",
            Self::Remove(_) => "Remove(…)",
        })
    }
}

/// Credentials as the reader gives them.
#[derive(Clone)]
pub struct ArchiveCredentials {
    /// The name that assignments give for them, or the archive's origin (`https://host:port`).
    pub archive: String,
    /// User; empty: `password` is a bearer token.
    pub user: String,
    /// Password or token.
    pub password: Secret,
    /// By which certificate authority the archive is known.
    pub ca: ArchiveCa,
    /// DICOMweb root and study to try them on.
    pub trial: Option<(String, StudyUid)>,
}

impl std::fmt::Debug for ArchiveCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArchiveCredentials(…)")
    }
}

/// By which certificate authority an archive is known. It counts for this archive only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveCa {
    /// As kept before; the system's where nothing was.
    AsKept,
    /// The system's.
    System,
    /// Certificates in this text (PEM).
    Pem(String),
    /// Certificates in this file (PEM or DER).
    File(PathBuf),
}

/// What is kept for an archive, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptArchive {
    /// The name that assignments give for it, or its origin.
    pub archive: String,
    /// The one origin that the credentials go to; `None` until the first use.
    pub origin: Option<String>,
    /// User; empty: a bearer token is kept.
    pub user: String,
    /// SHA-256 (hex) of the first certificate of its own authority; `None`: the system's authorities.
    pub ca_sha256: Option<String>,
}

/// What an archive's pictures wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveNeed {
    /// Nothing is kept for it.
    Credentials,
    /// It refused what is kept (401 or 403).
    Others,
    /// Its certificate is not trusted: its authority's is needed.
    Ca,
    /// The name stands for another origin than before; what is kept is not sent there.
    Moved,
}

/// An archive that gives no pictures until the reader does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveWant {
    /// The name under which its credentials are to be kept.
    pub archive: String,
    /// DICOMweb root, as the assignment names it.
    pub root: String,
    /// Host and port.
    pub host: String,
    /// A study that waits.
    pub study: StudyUid,
    /// For what it waits.
    pub need: ArchiveNeed,
    /// The user kept so far.
    pub user: String,
}

/// Facts.
#[derive(Debug, Clone)]
pub enum ArchiveEvent {
    /// All that is kept, by name.
    Kept(Vec<KeptArchive>),
    /// Pictures wait for the reader.
    Wanted(ArchiveWant),
    /// Credentials are kept; what waited for them goes on.
    Saved {
        /// Archive.
        archive: String,
        /// They were tried and taken. False: there was nothing to try them on, or the archive was not reached.
        tried: bool,
    },
    /// Forgotten.
    Removed {
        /// Archive.
        archive: String,
    },
    /// Not kept, or not removed.
    Failed {
        /// Archive.
        archive: String,
        /// What is needed instead, where the archive said so.
        need: Option<ArchiveNeed>,
        /// Why.
        failure: Failure,
    },
}
