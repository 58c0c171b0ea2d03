//! Doing one unit: asking the disk or an archive, and taking in what comes.

use super::described::{Described, project_items};
use super::ingest::Expected;
use super::plan::Unit;
use crate::center::CenterError;
use crate::center::dicomweb::{ArchiveAccess, ArchiveClient};
use crate::engine::archives::{NoAccess, need_of};
use crate::engine::inner::{Inner, failure_of_center, failure_of_store};
use crate::engine::library::Place;
use crate::engine::lock;
use crate::engine::message::{ArchiveNeed, Event, Failure};
use crate::engine::pool::AT_ONCE;
use crate::store::StoreError;
use crate::study::{SeriesUid, SopInstanceUid, StudyUid};
use crate::worklist::{ArchiveAuth, AuditAction, AuditOutcome, StudyToRead};
use std::sync::Arc;

/// Why a unit ended early.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The archive or the way there.
    Center(CenterError),
    /// An archive of its own credentials waits for the reader.
    Reader(ArchiveNeed, Failure),
    /// This disk.
    Store(StoreError),
    /// Something that a person must set right.
    Local(Failure),
    /// What came is not what was asked for.
    Unfit(String),
}

impl From<CenterError> for Trouble {
    fn from(error: CenterError) -> Self {
        Self::Center(error)
    }
}
impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Local(failure)
    }
}

impl Trouble {
    /// Worth trying again by itself.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Center(error) => error.worth_retrying() || matches!(error, CenterError::SessionEnded),
            Self::Store(error) => matches!(error, StoreError::Full(_) | StoreError::Io(_) | StoreError::Database(_)),
            // The session is not there yet, say.
            Self::Local(failure) => {
                matches!(failure, Failure::Offline(_) | Failure::NoSecretStore(_) | Failure::Full(_))
            }
            Self::Reader(..) | Self::Unfit(_) => false,
        }
    }

    pub(super) fn failure(&self) -> Failure {
        match self {
            Self::Center(error) => failure_of_center(error),
            Self::Store(error) => failure_of_store(error),
            Self::Reader(_, failure) | Self::Local(failure) => failure.clone(),
            Self::Unfit(reason) => Failure::Corrupt(reason.clone()),
        }
    }
}

impl Inner {
    pub(super) async fn do_unit(self: &Arc<Self>, unit: &Unit) -> Result<(), Trouble> {
        let outcome = match unit {
            Unit::Load(study) => self.load(study).await,
            Unit::List(study) => self.list(study).await,
            Unit::Metadata(study, series) => self.metadata(study, series).await,
            Unit::Stream(study, series) => self.stream(study, series).await,
            Unit::Instance(study, series, instance) => self.instance(study, series, instance).await,
        };
        let Err(trouble) = outcome else { return Ok(()) };
        let wanted = self.wanted(unit.study())?;
        if wanted.archive.auth != ArchiveAuth::Named {
            return Err(trouble);
        }
        // What an archive with credentials of its own refuses is for the reader to mend, and told as such.
        let trouble = match trouble {
            Trouble::Center(error) => match need_of(&error) {
                Some(need) => Trouble::Reader(need, failure_of_center(&error)),
                None => Trouble::Center(error),
            },
            other => other,
        };
        if let Trouble::Reader(need, _) = &trouble {
            self.want_archive(&wanted.archive, unit.study(), *need).await;
        }
        Err(trouble)
    }

    fn wanted(&self, study: &StudyUid) -> Result<StudyToRead, Trouble> {
        let state = lock(&self.transfer.state);
        let job = state.jobs.get(study).ok_or_else(|| Failure::Local("the study is no longer wanted".to_owned()))?;
        Ok(job.wanted.clone())
    }

    /// What this disk holds is shown at once, online or not.
    async fn load(self: &Arc<Self>, study: &StudyUid) -> Result<(), Trouble> {
        let announced = Some(self.wanted(study)?.instances).filter(|n| *n > 0);
        let disk = self.disk()?;
        let (uid, now) = (study.clone(), self.now());
        let kept = disk
            .call(move |store| {
                let kept = store.study(&uid)?;
                if kept.is_some() {
                    store.touch_study(&uid, now)?;
                }
                Ok(kept)
            })
            .await?;
        let Some(kept) = kept else { return Ok(()) };
        let complete = {
            let mut library = lock(&self.library);
            library.put_kept(&kept.study, announced);
            for row in &kept.instances {
                if let Some(home) = library.home(&row.instance).filter(|h| h.study == *study).cloned() {
                    library.received(&home, &row.instance, Place::Sealed(row.file.name.clone()), row.file.bytes);
                }
            }
            library.get(study).is_some_and(|e| {
                let named = e.ledger.expected();
                announced == Some(named as u64) && named == e.ledger.received()
            })
        };
        if complete && let Some(job) = lock(&self.transfer.state).jobs.get_mut(study) {
            job.complete_on_disk();
        }
        self.tell_gave_way();
        self.tell_study(study);
        self.progress_changed(study);
        for row in kept.instances {
            self.instance_available(&row.instance);
        }
        Ok(())
    }

    async fn archive(self: &Arc<Self>, study: &StudyUid) -> Result<ArchiveClient, Trouble> {
        let wanted = self.wanted(study)?;
        let key = (wanted.archive.root.clone(), wanted.archive.credentials.clone());
        if let Some(known) = lock(&self.transfer.state).archives.get(&key) {
            return Ok(known.clone());
        }
        let access = match wanted.archive.auth {
            ArchiveAuth::CenterToken => {
                if lock(&self.token_user).is_none() {
                    return Err(Failure::Offline("nobody is signed in".to_owned()).into());
                }
                ArchiveAccess::Center(self.center()?.client)
            }
            ArchiveAuth::Named => self.named_access(&wanted.archive).await.map_err(|e| match e {
                NoAccess::Reader(need, failure) => Trouble::Reader(need, failure),
                NoAccess::Failed(failure) => Trouble::Local(failure),
            })?,
        };
        let client = ArchiveClient::new(&wanted.archive.root, access, self.config.timing.patience)?;
        lock(&self.transfer.state).archives.insert(key, client.clone());
        Ok(client)
    }

    async fn list(self: &Arc<Self>, study: &StudyUid) -> Result<(), Trouble> {
        let announced = self.wanted(study)?.instances;
        let archive = self.archive(study).await?;
        let listed = self.note_archive(archive.series_of(study).await)?;
        if listed.is_empty() && announced > 0 {
            return Err(Failure::Rejected("the archive does not hold this study".to_owned()).into());
        }
        let mut state = lock(&self.transfer.state);
        let library = lock(&self.library);
        let Some(job) = state.jobs.get_mut(study) else { return Ok(()) };
        for series in listed {
            let known =
                library.get(study).and_then(|e| e.study.series(&series.series)).map_or(0, |s| s.instances.len() as u64);
            job.listed(series.series, series.number, series.instances, known);
        }
        Ok(())
    }

    async fn metadata(self: &Arc<Self>, study: &StudyUid, series: &SeriesUid) -> Result<(), Trouble> {
        let announced = Some(self.wanted(study)?.instances).filter(|n| *n > 0);
        let archive = self.archive(study).await?;
        let mut stream = self.note_archive(archive.metadata(study, series).await)?;
        let mut described = Described::default();
        while let Some(items) = self.note_archive(stream.next().await)? {
            self.count_bytes(items.iter().map(|i| i.len() as u64).sum());
            let projected = self.pool.run(AT_ONCE, move || project_items(&items)).await;
            let projected = projected.ok_or_else(|| Failure::Offline("the program is stopping".to_owned()))?;
            described.add(study, series, projected);
        }
        if described.nameless > 0 {
            self.events.push(Event::Notice(Failure::Corrupt(format!(
                "{} instances of a series cannot be identified by their metadata",
                described.nameless
            ))));
        }
        let wanted = {
            let mut state = lock(&self.transfer.state);
            let Some(job) = state.jobs.get_mut(study) else { return Ok(()) };
            let listed = job.listed_instances(series);
            if let Some(failure) = described.shortfall(listed) {
                job.remember(failure);
            }
            job.wanted.clone()
        };
        let understood = !described.parts.is_empty();
        described.apply(&mut lock(&self.library), &wanted, series, announced);
        self.tell_gave_way();
        // Shown before it is kept: the reader waits for the picture, not for the disk.
        self.tell_study(study);
        self.progress_changed(study);
        if understood {
            self.keep_series(study, series).await?;
        }
        Ok(())
    }

    /// Keeps a study's head and one series as the library knows them at the moment of writing: units of one study
    /// that end together cannot put an older head over a newer one.
    pub(super) async fn keep_series(self: &Arc<Self>, study: &StudyUid, series: &SeriesUid) -> Result<(), Trouble> {
        let disk = self.disk()?;
        let (inner, now, uid, of) = (Arc::clone(self), self.now(), study.clone(), series.clone());
        disk.call(move |store| {
            let Some((head, series)) = lock(&inner.library).to_keep(&uid, &of) else { return Ok(()) };
            store.put_study_with(&head, &series, now)
        })
        .await?;
        Ok(())
    }

    async fn stream(self: &Arc<Self>, study: &StudyUid, series: &SeriesUid) -> Result<(), Trouble> {
        let archive = self.archive(study).await?;
        let mut stream = self.note_archive(archive.series(study, series).await)?;
        while let Some(bytes) = self.note_archive(stream.next().await)? {
            self.count_bytes(bytes.len() as u64);
            let expected = Expected { study: study.clone(), series: series.clone(), instance: None };
            match self.take_in(expected, bytes).await {
                Ok(()) => {}
                // One bad part does not end the stream: the instance is asked for by name afterwards.
                Err(Trouble::Unfit(reason)) => tracing::warn!(%reason, "a part of a series stream was left out"),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn instance(
        self: &Arc<Self>,
        study: &StudyUid,
        series: &SeriesUid,
        instance: &SopInstanceUid,
    ) -> Result<(), Trouble> {
        let archive = self.archive(study).await?;
        let bytes = self.note_archive(archive.instance(study, series, instance).await)?;
        self.count_bytes(bytes.len() as u64);
        let expected = Expected { study: study.clone(), series: series.clone(), instance: Some(instance.clone()) };
        self.take_in(expected, bytes).await
    }

    /// Archives of the center's own origin say something about the link; others do not.
    fn note_archive<T>(&self, result: Result<T, CenterError>) -> Result<T, CenterError> {
        match &result {
            Err(CenterError::SessionEnded) => self.note(result),
            _ => result,
        }
    }

    /// After a study has settled: the audit record, and room for others.
    pub(super) async fn after_study(&self, study: &StudyUid) {
        let outcome = match lock(&self.library).get(study) {
            Some(entry) if entry.ledger.received() > 0 => {
                if entry.failure.is_none() {
                    AuditOutcome::Success
                } else {
                    AuditOutcome::MinorFailure
                }
            }
            _ => return,
        };
        self.record(self.audit(AuditAction::StudyReceived, outcome, Some(study.to_string()))).await;
        self.make_room().await;
    }

    /// Removes studies that nobody needs until the disk budget holds.
    pub(in crate::engine) async fn make_room(&self) {
        let mut needed = self.transfer.needed();
        needed.extend(lock(&self.library).studies());
        for assignment in lock(&self.assignments).values().filter(|a| a.state.open()) {
            let all = assignment.studies.iter().chain(&assignment.prior_studies);
            needed.extend(all.map(|s| s.study_uid.clone()));
        }
        let (Ok(disk), budget) = (self.disk(), self.config.budgets.disk) else { return };
        match disk.call(move |store| store.make_room(budget, &needed)).await {
            Ok(evicted) if evicted.studies > 0 => {
                tracing::info!(studies = evicted.studies, bytes = evicted.bytes, "made room on the disk");
            }
            Ok(_) => {}
            Err(error) => self.events.push(Event::Notice(failure_of_store(&error))),
        }
    }
}
