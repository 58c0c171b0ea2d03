//! Archives beside the center's own: what is kept for them, which wait for the reader, and the dialog.

use super::action::ArchiveAction;
use super::notice::NoticeCode;
use super::state::App;
use crate::engine::message::{ArchiveCommand, ArchiveEvent, ArchiveNeed, ArchiveWant, Command, Failure, KeptArchive};
use crate::study::StudyUid;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is known of other archives.
#[derive(Debug, Clone, Default)]
pub struct ArchivesState {
    /// What is kept on this terminal, by name.
    pub kept: Vec<KeptArchive>,
    /// Archives whose pictures wait for the reader, by name.
    pub wants: BTreeMap<String, ArchiveWant>,
    /// The dialog for one of them.
    pub dialog: Option<ArchiveDialog>,
}

/// The dialog for an archive's credentials. What is typed in it is `ui`'s until it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveDialog {
    /// Name of the archive.
    pub archive: String,
    /// Where it is, for people; empty before its first use.
    pub host: String,
    /// The user kept so far.
    pub user: String,
    /// A certificate authority of its own is kept.
    pub own_ca: bool,
    /// What is needed; `None` where the reader came by himself.
    pub need: Option<ArchiveNeed>,
    /// DICOMweb root and study to try the credentials on.
    pub trial: Option<(String, StudyUid)>,
    /// They are being tried.
    pub busy: bool,
    /// Why the last ones were not kept.
    pub failure: Option<Failure>,
}

pub(super) fn act(app: &mut App, action: ArchiveAction, out: &mut Vec<Command>) {
    let archives = &mut app.archives;
    match action {
        ArchiveAction::List => out.push(Command::Archive(ArchiveCommand::List)),
        ArchiveAction::Open(archive) => {
            let kept = archives.kept.iter().find(|k| k.archive == archive);
            let want = archives.wants.get(&archive);
            let origin = kept.and_then(|k| k.origin.clone());
            let host = || origin.as_deref().map(|o| o.split_once("://").map_or(o, |(_, host)| host).to_owned());
            let user = want.map(|w| w.user.clone()).filter(|user| !user.is_empty());
            archives.dialog = Some(ArchiveDialog {
                host: want.map(|w| w.host.clone()).or_else(host).unwrap_or_default(),
                user: user.or_else(|| kept.map(|k| k.user.clone())).unwrap_or_default(),
                own_ca: kept.is_some_and(|k| k.ca_sha256.is_some()),
                need: want.map(|w| w.need),
                trial: want.map(|w| (w.root.clone(), w.study.clone())),
                busy: false,
                failure: None,
                archive,
            });
            // What is kept may not have been told yet.
            out.push(Command::Archive(ArchiveCommand::List));
        }
        ArchiveAction::Close => archives.dialog = None,
        ArchiveAction::Keep(given) => {
            if let Some(dialog) = archives.dialog.as_mut().filter(|d| d.archive == given.archive) {
                if dialog.busy {
                    return;
                }
                (dialog.busy, dialog.failure) = (true, None);
            }
            out.push(Command::Archive(ArchiveCommand::Keep(given)));
        }
        ArchiveAction::Remove(archive) => out.push(Command::Archive(ArchiveCommand::Remove(archive))),
    }
}

pub(super) fn apply(app: &mut App, now: Timestamp, event: ArchiveEvent) {
    let archives = &mut app.archives;
    match event {
        ArchiveEvent::Kept(kept) => {
            if let Some(dialog) = &mut archives.dialog {
                dialog.own_ca = kept.iter().any(|k| k.archive == dialog.archive && k.ca_sha256.is_some());
            }
            archives.kept = kept;
        }
        ArchiveEvent::Wanted(want) => {
            if let Some(dialog) = archives.dialog.as_mut().filter(|d| d.archive == want.archive && !d.busy) {
                dialog.need = Some(want.need);
                dialog.trial = Some((want.root.clone(), want.study.clone()));
                dialog.host.clone_from(&want.host);
            }
            let (archive, host, need) = (want.archive.clone(), want.host.clone(), want.need);
            archives.wants.insert(want.archive.clone(), want);
            app.notices.add(now, NoticeCode::ArchiveWants { archive, host, need });
        }
        ArchiveEvent::Saved { archive, tried } => {
            archives.wants.remove(&archive);
            if archives.dialog.as_ref().is_some_and(|d| d.archive == archive) {
                archives.dialog = None;
            }
            app.notices.clear(|n| about(n, &archive));
            app.notices.add(now, NoticeCode::ArchiveSaved { archive, tried });
        }
        ArchiveEvent::Removed { archive } => app.notices.clear(|n| about(n, &archive)),
        ArchiveEvent::Failed { archive, need, failure } => {
            match archives.dialog.as_mut().filter(|d| d.archive == archive && d.busy) {
                Some(dialog) => {
                    dialog.busy = false;
                    dialog.need = need.or(dialog.need);
                    dialog.failure = Some(failure);
                }
                None => app.notices.add(now, NoticeCode::ArchiveFailed { archive, failure }),
            }
        }
    }
}

fn about(code: &NoticeCode, of: &str) -> bool {
    match code {
        NoticeCode::ArchiveWants { archive, .. }
        | NoticeCode::ArchiveSaved { archive, .. }
        | NoticeCode::ArchiveFailed { archive, .. } => archive == of,
        _ => false,
    }
}
