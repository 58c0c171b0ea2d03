//! Drafts: kept here first, then mirrored to the center. A lost race shows both versions and merges nothing.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure};
use crate::center::contract::DraftEnvelope;
use crate::center::{CenterError, DraftSent};
use crate::report::Draft;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// User id and assignment id.
type Key = (String, String);

#[derive(Default)]
struct State {
    /// Whose draft of which assignment the center does not have yet.
    waiting: BTreeSet<Key>,
    /// The center's versions of lost races, until the reader has chosen.
    conflicts: BTreeMap<Key, DraftEnvelope>,
}

/// What is to be mirrored.
#[derive(Default)]
pub(super) struct Drafts {
    state: Mutex<State>,
    changed: Notify,
}

fn draft_of(envelope: &DraftEnvelope) -> Result<Draft, Failure> {
    let value = envelope.draft.clone().unwrap_or_default();
    serde_json::from_value(value).map_err(|_| Failure::Corrupt("the center's draft cannot be read".to_owned()))
}

impl Inner {
    pub(super) async fn save_draft(&self, draft: Draft) {
        let (assignment, revision, at) = (draft.assignment_id.clone(), draft.revision, self.now());
        let kept = match (self.disk(), self.writer()) {
            (Ok(disk), Ok(user)) => {
                let owner = user.clone();
                let kept = disk.call(move |store| store.put_draft(&owner, &draft, at)).await;
                kept.map(|()| user).map_err(|e| failure_of_store(&e))
            }
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
        };
        match kept {
            Ok(user) => {
                self.events.push(Event::DraftSaved { assignment: assignment.clone(), revision, at_center: false, at });
                self.mirror((user, assignment));
            }
            Err(failure) => self.events.push(Event::DraftFailed { assignment, failure }),
        }
    }

    /// What this reader, and nobody else, would miss after a crash.
    pub(super) async fn tell_reading_state(&self, user: String) {
        let Ok(disk) = self.disk() else { return };
        match disk.call(move |store| store.reading_state(&user)).await {
            Ok(Some(state)) => self.events.push(Event::ReadingState(state)),
            Ok(None) => {}
            Err(error) => self.events.push(Event::Notice(failure_of_store(&error))),
        }
    }

    fn mirror(&self, key: Key) {
        lock(&self.drafts.state).waiting.insert(key);
        self.drafts.changed.notify_one();
    }

    /// The session's reader's drafts that the center has not got yet (after a crash or offline time).
    pub(super) async fn mirror_all(&self) {
        let (Ok(disk), Some(session)) = (self.disk(), self.signed_in()) else { return };
        let user = session.user.clone();
        let unsent = disk
            .call(move |store| {
                let mut unsent = Vec::new();
                for draft in store.drafts(&user)? {
                    let kept = store.draft(&user, &draft.assignment_id)?;
                    if kept.is_some_and(|k| k.mirrored_revision != Some(draft.revision)) {
                        unsent.push(draft.assignment_id);
                    }
                }
                Ok(unsent)
            })
            .await;
        match unsent {
            Ok(unsent) => unsent.into_iter().for_each(|assignment| self.mirror((session.user.clone(), assignment))),
            Err(error) => self.events.push(Event::Notice(failure_of_store(&error))),
        }
    }

    pub(super) async fn load_draft(&self, assignment: String) {
        match self.newest_draft(&assignment).await {
            Ok(draft) => self.events.push(Event::Draft { assignment, draft }),
            Err(failure) => self.events.push(Event::DraftFailed { assignment, failure }),
        }
    }

    /// The draft to go on with: the one here, unless the center has a newer one and this one was mirrored whole.
    async fn newest_draft(&self, assignment: &str) -> Result<Option<Draft>, Failure> {
        let disk = self.disk()?;
        let user = self.writer()?;
        let (owner, id) = (user.clone(), assignment.to_owned());
        let kept = disk.call(move |store| store.draft(&owner, &id)).await.map_err(|e| failure_of_store(&e))?;
        let online = self.token_is_of(&user);
        let remote = match self.center() {
            Ok(center) if online => self.note(center.client.draft(assignment).await),
            _ => Err(CenterError::Offline("not signed in".to_owned())),
        };
        let envelope = match remote {
            Ok(Some(envelope)) => envelope,
            Ok(None) => return Ok(kept.map(|k| k.draft)),
            // Without the center the draft that is here is the newest that can be had.
            Err(error) if kept.is_some() || matches!(error, CenterError::Offline(_)) => {
                return Ok(kept.map(|k| k.draft));
            }
            Err(error) => return Err(failure_of_center(&error)),
        };
        if let Some(kept) = kept {
            if kept.center_etag.as_deref() == Some(&envelope.etag) {
                return Ok(Some(kept.draft));
            }
            let center = draft_of(&envelope)?;
            if kept.mirrored_revision != Some(kept.draft.revision) && center != kept.draft {
                self.conflict((user, assignment.to_owned()), envelope, center);
                return Ok(Some(kept.draft));
            }
        }
        self.take_center_draft(&user, &envelope).await.map(Some)
    }

    /// The center's version becomes the one here.
    async fn take_center_draft(&self, user: &str, envelope: &DraftEnvelope) -> Result<Draft, Failure> {
        let draft = draft_of(envelope)?;
        let (user, keep, etag, at) = (user.to_owned(), draft.clone(), envelope.etag.clone(), self.now());
        let disk = self.disk()?;
        disk.call(move |store| {
            store.put_draft(&user, &keep, at)?;
            store.mark_draft(&user, &keep.assignment_id, Some(&etag), Some(keep.revision))
        })
        .await
        .map_err(|e| failure_of_store(&e))?;
        Ok(draft)
    }

    fn conflict(&self, key: Key, envelope: DraftEnvelope, center: Draft) {
        let assignment = key.1.clone();
        let mut state = lock(&self.drafts.state);
        state.waiting.remove(&key);
        state.conflicts.insert(key, envelope);
        drop(state);
        self.events.push(Event::DraftConflict { assignment, center });
    }

    /// The reader chose between two versions.
    pub(super) async fn resolve_draft(&self, assignment: String, keep_local: bool) {
        let Ok(user) = self.writer() else { return };
        let key = (user.clone(), assignment.clone());
        let Some(envelope) = lock(&self.drafts.state).conflicts.remove(&key) else { return };
        let result = if keep_local {
            let ((owner, id), etag) = (key.clone(), envelope.etag.clone());
            match self.disk() {
                Ok(disk) => disk
                    .call(move |store| store.mark_draft(&owner, &id, Some(&etag), None))
                    .await
                    .map(|()| None)
                    .map_err(|e| failure_of_store(&e)),
                Err(failure) => Err(failure),
            }
        } else {
            self.take_center_draft(&user, &envelope).await.map(Some)
        };
        match result {
            Ok(None) => self.mirror(key),
            Ok(draft) => self.events.push(Event::Draft { assignment, draft }),
            Err(failure) => {
                lock(&self.drafts.state).conflicts.insert(key, envelope);
                self.events.push(Event::DraftFailed { assignment, failure });
            }
        }
    }

    /// Sends one assignment's draft as it is kept now.
    async fn mirror_one(&self, key: &Key) -> Result<(), Failure> {
        let disk = self.disk()?;
        let (user, assignment) = key;
        let (owner, id) = key.clone();
        let kept = disk.call(move |store| {
            // What was signed is on its way as a report; its draft has done its work.
            let kept = store.draft(&owner, &id)?;
            let signed = kept.as_ref().map(|k| store.is_signed(&k.draft)).transpose()?;
            Ok(kept.filter(|_| signed != Some(true)))
        });
        let kept = kept.await.map_err(|e| failure_of_store(&e))?;
        let Some(kept) = kept.filter(|k| k.mirrored_revision != Some(k.draft.revision)) else { return Ok(()) };
        if !self.token_is_of(user) {
            // The session changed meanwhile: it goes when its reader is back.
            return Ok(());
        }
        let client = self.center()?.client;
        let body = serde_json::to_value(&kept.draft).map_err(|e| Failure::Local(e.to_string()))?;
        let sent = client.put_draft(assignment, body, kept.center_etag.as_deref()).await;
        match self.note(sent).map_err(|e| failure_of_center(&e))? {
            DraftSent::Kept(etag) => {
                let ((owner, id), revision) = (key.clone(), kept.draft.revision);
                disk.call(move |store| store.mark_draft(&owner, &id, Some(&etag), Some(revision)))
                    .await
                    .map_err(|e| failure_of_store(&e))?;
                let at = self.now();
                self.events.push(Event::DraftSaved { assignment: assignment.clone(), revision, at_center: true, at });
            }
            DraftSent::Conflict(envelope) => {
                let center = draft_of(&envelope)?;
                if center == kept.draft {
                    // Our own, whose answer was lost on the way.
                    let ((owner, id), revision) = (key.clone(), center.revision);
                    disk.call(move |store| store.mark_draft(&owner, &id, Some(&envelope.etag), Some(revision)))
                        .await
                        .map_err(|e| failure_of_store(&e))?;
                } else {
                    self.conflict(key.clone(), *envelope, center);
                }
            }
        }
        Ok(())
    }
}

/// Mirrors drafts until the engine stops.
pub(super) async fn mirror_loop(inner: Arc<Inner>) {
    let mut attempt = 0;
    loop {
        let next = {
            // Under a token only its own reader's drafts go.
            let user = lock(&inner.token_user).as_ref().map(|s| s.user.clone());
            let mut state = lock(&inner.drafts.state);
            let next = state.waiting.iter().find(|key| Some(&key.0) == user.as_ref()).cloned();
            next.inspect(|key| {
                state.waiting.remove(key);
            })
        };
        let Some(key) = next else {
            tokio::select! {
                () = inner.drafts.changed.notified() => continue,
                () = inner.stopped() => return,
            }
        };
        if lock(&inner.drafts.state).conflicts.contains_key(&key) {
            continue;
        }
        match inner.mirror_one(&key).await {
            Ok(()) => attempt = 0,
            Err(Failure::Offline(_)) => {
                lock(&inner.drafts.state).waiting.insert(key);
                attempt += 1;
                let timing = inner.config.timing;
                let pause = timing.patience.pause(attempt).min(timing.longest_pause);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = inner.stopped() => return,
                }
            }
            // It stays here; the reader is told, and the next save tries again.
            Err(failure) => inner.events.push(Event::DraftFailed { assignment: key.1, failure }),
        }
    }
}

impl Drafts {
    /// The session is there anew.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }
}
