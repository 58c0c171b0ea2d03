//! Drafts: kept here first, then mirrored to the center. What is here is told at once; the center's version follows
//! when it arrives. A lost race shows both versions and merges nothing.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lanes::Errand;
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
    /// The center's versions that are not ours, until the reader (or the app, for an untouched draft) has chosen.
    conflicts: BTreeMap<Key, Other>,
    /// Drafts that were told without the center's word, to be checked when it can be reached.
    unchecked: BTreeSet<Key>,
    /// ETag of the center's version that the reader decided against before anything was kept here.
    bases: BTreeMap<Key, String>,
    /// Held while one draft is sent or compared: a comparison in the middle of a sending would see a false race.
    turns: BTreeMap<Key, Arc<tokio::sync::Mutex<()>>>,
}

/// Another version at the center.
struct Other {
    envelope: DraftEnvelope,
    draft: Draft,
    /// Revision of the draft here that the center had, while that is still all there is here (0: none).
    replaces: Option<u64>,
}

/// What is to be mirrored.
#[derive(Default)]
pub(super) struct Drafts {
    state: Arc<Mutex<State>>,
    changed: Notify,
    /// The center was heard: a pause after a failure ends.
    woken: Notify,
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
                let (key, state) = ((user.clone(), assignment.clone()), Arc::clone(&self.drafts.state));
                let kept = disk.call(move |store| {
                    store.put_draft(&key.0, &draft, at)?;
                    let base = lock(&state).bases.get(&key).cloned();
                    if let Some(etag) = base {
                        store.mark_draft(&key.0, &key.1, Some(&etag), None)?;
                        lock(&state).bases.remove(&key);
                    }
                    // Written on meanwhile: what would have replaced an untouched draft is now the other of two.
                    let mut state = lock(&state);
                    let other =
                        state.conflicts.get_mut(&key).filter(|o| o.replaces.is_some_and(|r| r != draft.revision));
                    Ok(other.map(|other| {
                        other.replaces = None;
                        other.draft.clone()
                    }))
                });
                kept.await.map(|race| (user, race)).map_err(|e| failure_of_store(&e))
            }
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
        };
        match kept {
            Ok((user, race)) => {
                self.events.push(Event::DraftSaved { assignment: assignment.clone(), revision, at_center: false, at });
                if let Some(center) = race {
                    let assignment = assignment.clone();
                    self.events.push(Event::DraftConflict { assignment, center, replaces: None });
                }
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

    /// Tells the draft that is here, at once; then asks the center for its version.
    pub(super) async fn load_draft(self: &Arc<Self>, assignment: String) {
        let kept = match (self.disk(), self.writer()) {
            (Ok(disk), Ok(user)) => {
                let (owner, id) = (user.clone(), assignment.clone());
                let kept = disk.call(move |store| Ok((store.draft(&owner, &id)?, store.left_drafts(&owner, &id)?)));
                kept.await.map(|kept| (user, kept)).map_err(|e| failure_of_store(&e))
            }
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
        };
        match kept {
            Ok((user, (kept, left))) => {
                self.events.push(Event::Draft { assignment: assignment.clone(), draft: kept.map(|k| k.draft) });
                self.events.push(Event::DraftsLeft { assignment: assignment.clone(), drafts: left });
                self.errand(assignment, user, Errand::CheckDraft);
            }
            Err(failure) => self.events.push(Event::DraftFailed { assignment, failure }),
        }
    }

    /// The center can be reached: drafts that were told without its word are compared now.
    pub(super) fn check_drafts_again(self: &Arc<Self>) {
        let unchecked = std::mem::take(&mut lock(&self.drafts.state).unchecked);
        for (user, assignment) in unchecked {
            self.errand(assignment, user, Errand::CheckDraft);
        }
    }

    /// Looks whether the center has another version than this terminal; offline, it looks again later.
    pub(super) async fn check_draft(&self, key: Key) {
        let turn = self.turn(&key);
        let _one_at_a_time = turn.lock().await;
        let result = if self.token_is_of(&key.0) {
            self.compare_draft(&key).await
        } else {
            Err(Failure::Offline("not signed in".to_owned()))
        };
        match result {
            Ok(()) => {}
            Err(Failure::Offline(_) | Failure::Denied(_)) => {
                lock(&self.drafts.state).unchecked.insert(key);
            }
            Err(failure) => self.events.push(Event::Notice(failure)),
        }
    }

    fn turn(&self, key: &Key) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.drafts.state).turns.entry(key.clone()).or_default())
    }

    async fn compare_draft(&self, key: &Key) -> Result<(), Failure> {
        let center = self.center_for(&key.0)?;
        let answer = self.note(center.client.draft(&key.1).await);
        let Some(envelope) = answer.map_err(|e| failure_of_center(&e))? else { return Ok(()) };
        let draft = draft_of(&envelope)?;
        let (key, state, told) = (key.clone(), Arc::clone(&self.drafts.state), draft.clone());
        let assignment = key.1.clone();
        // Compared and noted on the store's thread, so that no save comes between.
        let disk = self.disk()?;
        let other = disk.call(move |store| {
            let kept = store.draft(&key.0, &key.1)?;
            let replaces = match &kept {
                None => Some(0),
                Some(kept) if kept.center_etag.as_deref() == Some(&envelope.etag) => return Ok(None),
                // What was signed is on its way as a report; its draft has done its work.
                Some(kept) if store.is_signed(&kept.draft)? => return Ok(None),
                Some(kept) if kept.draft == draft => {
                    store.mark_draft(&key.0, &key.1, Some(&envelope.etag), Some(draft.revision))?;
                    return Ok(None);
                }
                Some(kept) => (kept.mirrored_revision == Some(kept.draft.revision)).then_some(kept.draft.revision),
            };
            let mut state = lock(&state);
            state.waiting.remove(&key);
            state.conflicts.insert(key, Other { envelope, draft, replaces });
            Ok(Some(replaces))
        });
        if let Some(replaces) = other.await.map_err(|e| failure_of_store(&e))? {
            self.events.push(Event::DraftConflict { assignment, center: told, replaces });
        }
        Ok(())
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
        let other = Other { envelope, draft: center.clone(), replaces: None };
        let mut state = lock(&self.drafts.state);
        state.waiting.remove(&key);
        state.conflicts.insert(key, other);
        drop(state);
        self.events.push(Event::DraftConflict { assignment, center, replaces: None });
    }

    /// The reader chose between two versions (or the app did, where the one here was untouched).
    pub(super) async fn resolve_draft(
        self: &Arc<Self>,
        assignment: String,
        keep_local: bool,
        left: Option<Box<Draft>>,
    ) {
        let Ok(user) = self.writer() else { return };
        let key = (user.clone(), assignment.clone());
        let Some(other) = lock(&self.drafts.state).conflicts.remove(&key) else {
            // Decided already: what is here is what counts.
            return self.load_draft(assignment).await;
        };
        // Kept before anything takes its place.
        let result = match self.keep_left(&key, left).await {
            Err(failure) => Err(failure),
            Ok(()) if keep_local => self.keep_own(&key, &other.envelope.etag).await.map(|()| None),
            Ok(()) => self.take_center_draft(&user, &other.envelope).await.map(Some),
        };
        match result {
            Ok(None) => self.mirror(key),
            Ok(draft) => self.events.push(Event::Draft { assignment, draft }),
            Err(failure) => {
                lock(&self.drafts.state).conflicts.insert(key, other);
                self.events.push(Event::DraftFailed { assignment, failure });
            }
        }
    }

    /// Keeps the version that was not chosen, and tells what is kept so.
    async fn keep_left(&self, key: &Key, left: Option<Box<Draft>>) -> Result<(), Failure> {
        let Some(left) = left else { return Ok(()) };
        let (user, assignment) = key.clone();
        let disk = self.disk()?;
        let kept = disk.call(move |store| {
            store.keep_left_draft(&user, &left)?;
            store.left_drafts(&user, &assignment)
        });
        let drafts = kept.await.map_err(|e| failure_of_store(&e))?;
        self.events.push(Event::DraftsLeft { assignment: key.1.clone(), drafts });
        Ok(())
    }

    /// What is here, or is saved here next, follows the center's version `etag`.
    async fn keep_own(&self, key: &Key, etag: &str) -> Result<(), Failure> {
        let ((owner, id), etag, state) = (key.clone(), etag.to_owned(), Arc::clone(&self.drafts.state));
        let disk = self.disk()?;
        let kept = disk.call(move |store| {
            if store.draft(&owner, &id)?.is_some() {
                return store.mark_draft(&owner, &id, Some(&etag), None);
            }
            lock(&state).bases.insert((owner, id), etag);
            Ok(())
        });
        kept.await.map_err(|e| failure_of_store(&e))
    }

    /// Sends one assignment's draft as it is kept now.
    async fn mirror_one(&self, key: &Key) -> Result<(), Failure> {
        let turn = self.turn(key);
        let _one_at_a_time = turn.lock().await;
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
        let client = self.center_for(user)?.client;
        let body = serde_json::to_value(&kept.draft).map_err(|e| Failure::Local(e.to_string()))?;
        let sent = client.put_draft(assignment, body, kept.center_etag.as_deref()).await;
        let answer = match self.note(sent) {
            Err(CenterError::OtherReader) => return Ok(()),
            other => other.map_err(|e| failure_of_center(&e))?,
        };
        match answer {
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
        let sent = tokio::select! {
            sent = inner.while_reader_stays(inner.mirror_one(&key)) => sent,
            () = inner.stopped() => return,
        };
        match sent {
            Some(Ok(())) => attempt = 0,
            // It goes when its reader is back.
            None => drop(lock(&inner.drafts.state).waiting.insert(key)),
            Some(Err(Failure::Offline(_))) => {
                lock(&inner.drafts.state).waiting.insert(key);
                attempt += 1;
                let timing = inner.config.timing;
                let pause = timing.patience.pause(attempt).min(timing.longest_pause);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = inner.drafts.woken.notified() => {}
                    () = inner.stopped() => return,
                }
            }
            // It stays here; the reader is told, and the next save tries again.
            Some(Err(failure)) => inner.events.push(Event::DraftFailed { assignment: key.1, failure }),
        }
    }
}

impl Drafts {
    /// The session is there anew.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
        self.woken.notify_one();
    }
}
