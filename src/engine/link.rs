//! The link to the center: worklist, event stream, transitions, leases.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, Transition};
use crate::center::contract::ProblemType;
use crate::center::{CenterError, CenterEvent, Step};
use crate::store::Store;
use crate::worklist::{Assignment, AssignmentState, AuditAction, AuditOutcome};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

impl Inner {
    /// Notes the center's clock.
    pub(super) fn note_clock(&self, server_time: Timestamp) {
        let skew = server_time.as_second() - self.now().as_second();
        self.set_link(|l| l.clock_skew_s = skew);
    }

    /// Reads the whole worklist; gives the place where the event stream begins.
    pub(super) async fn refresh_worklist(&self) -> Result<u64, CenterError> {
        let center = self.center_for(&self.user()).map_err(|_| CenterError::SessionEnded)?;
        let whole = self.note(center.client.worklist().await)?;
        self.note_clock(whole.server_time);
        let assignments: Vec<_> = whole.assignments.into_iter().map(Arc::new).collect();
        let at = whole.server_time;
        self.take_worklist(assignments, at);
        let known = Arc::clone(&self.assignments);
        // As they are when they are written, as in `change_assignment`.
        let keep = move |store: &mut Store| {
            let all: Vec<_> = lock(&known).values().cloned().collect();
            store.put_worklist(&all, at)
        };
        if let Ok(disk) = self.disk()
            && let Err(error) = disk.call(keep).await
        {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
        Ok(whole.last_event_id)
    }

    /// Shows the worklist that is kept here.
    pub(super) async fn show_kept_worklist(&self) {
        let Ok(disk) = self.disk() else { return };
        match disk.call(|store| store.worklist()).await {
            Ok(Some((assignments, at))) => {
                self.take_worklist(assignments.into_iter().map(Arc::new).collect(), at);
            }
            Ok(None) => {}
            Err(error) => self.events.push(Event::WorklistFailed(failure_of_store(&error))),
        }
    }

    fn take_worklist(&self, mut assignments: Vec<Arc<Assignment>>, at: Timestamp) {
        self.change_assignments(|all| {
            for listed in &mut assignments {
                // A list that left the center before a step was taken must not take the step back.
                if let Some(newer) = all.get(&listed.id).filter(|known| known.updated_at > listed.updated_at) {
                    *listed = Arc::clone(newer);
                }
            }
            *all = assignments.iter().map(|a| (a.id.clone(), Arc::clone(a))).collect();
            Some(Event::Worklist { assignments, at })
        });
    }

    /// Takes one assignment as the center sent it.
    pub(super) async fn assignment_changed(&self, assignment: Assignment) {
        let id = assignment.id.clone();
        self.change_assignment(id, |_| Some(assignment)).await;
    }

    /// Makes of an assignment as it is known at this moment (if it is) what it is from now on; nothing where `change`
    /// gives nothing.
    async fn change_assignment(&self, id: String, change: impl FnOnce(Option<&Assignment>) -> Option<Assignment>) {
        self.change_assignments(|all| {
            let now = Arc::new(change(all.get(&id).map(AsRef::as_ref))?);
            all.insert(id.clone(), Arc::clone(&now));
            Some(Event::Assignment(now))
        });
        let known = Arc::clone(&self.assignments);
        // As it is when it is written: a later change may overtake this one on the way to the disk.
        let keep = move |store: &mut Store| {
            let now = lock(&known).get(&id).cloned();
            now.map_or(Ok(()), |now| store.put_assignment(&now))
        };
        if let Ok(disk) = self.disk()
            && let Err(error) = disk.call(keep).await
        {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
    }

    /// Reads one assignment anew.
    pub(super) async fn reread_assignment(&self, id: &str) -> Result<(), CenterError> {
        let center = self.center().map_err(|_| CenterError::SessionEnded)?;
        match self.note(center.client.assignment(id).await) {
            Ok(assignment) => {
                self.assignment_changed(assignment).await;
                Ok(())
            }
            // Taken away from this reader: the whole list tells.
            Err(error) if error.problem_type() == Some(ProblemType::NotFound) => {
                self.refresh_worklist().await.map(|_| ())
            }
            Err(error) => Err(error),
        }
    }

    /// A step that the reader asked for.
    pub(super) async fn transition(&self, user: &str, assignment: String, transition: Transition) {
        let step = match transition {
            Transition::Accept => Step::Accept,
            Transition::Start => Step::Start,
            Transition::Suspend => Step::Suspend,
            Transition::Release => Step::Release,
            Transition::Decline(reason, text) => Step::Decline(reason, text),
            Transition::Return(reason, text) => Step::Return(reason, text),
        };
        let result = match self.center_for(user) {
            Ok(center) => self.note(center.client.step(&assignment, &step).await),
            Err(failure) => {
                self.events.push(Event::TransitionFailed { assignment, failure });
                return;
            }
        };
        match result {
            Ok(after) => self.assignment_changed(after).await,
            Err(error) => {
                // A lost race carries the assignment as it is now.
                if let CenterError::Refused(problem) = &error
                    && let Some(current) = problem.current()
                    && let Ok(now) = serde_json::from_value::<Assignment>(current.clone())
                {
                    self.assignment_changed(now).await;
                }
                self.events.push(Event::TransitionFailed { assignment, failure: failure_of_center(&error) });
            }
        }
    }

    /// Renews every lease of this reader that ends soon.
    async fn keep_leases(&self) {
        let Ok(center) = self.center_for(&self.user()) else { return };
        let soon = self.now().saturating_add(SignedDuration::from_mins(10)).unwrap_or(Timestamp::MAX);
        let due: Vec<_> = lock(&self.assignments)
            .values()
            .filter(|a| a.state == AssignmentState::InProgress)
            .filter_map(|a| Some((a.id.clone(), a.lease.clone()?)))
            .filter(|(_, lease)| lease.expires_at < soon)
            .collect();
        for (id, lease) in due {
            match self.note(center.client.renew_lease(&id, &lease.id).await) {
                Ok(renewed) => {
                    let renew = |a: &Assignment| Assignment { lease: Some(renewed), ..a.clone() };
                    self.change_assignment(id, |known| known.map(renew)).await;
                }
                Err(error)
                    if error.worth_retrying()
                        || matches!(error, CenterError::SessionEnded | CenterError::OtherReader) =>
                {
                    return;
                }
                Err(error) => {
                    self.events
                        .push(Event::TransitionFailed { assignment: id.clone(), failure: failure_of_center(&error) });
                    if let Err(error) = self.reread_assignment(&id).await {
                        tracing::warn!(%error, "an assignment whose lease is lost could not be read");
                    }
                }
            }
        }
    }

    /// One life of the event stream: worklist, then changes, until it ends.
    async fn follow(self: &Arc<Self>) -> Result<(), CenterError> {
        let mut since = self.refresh_worklist().await?;
        self.record(self.audit(AuditAction::WorklistQuery, AuditOutcome::Success, None)).await;
        self.back_online();
        let center = self.center_for(&self.user()).map_err(|_| CenterError::SessionEnded)?;
        let mut stream = self.note(center.client.events(since).await)?;
        loop {
            let event = tokio::select! {
                event = stream.next() => event?,
                () = self.link_wake.notified() => {
                    since = self.refresh_worklist().await?;
                    continue;
                }
            };
            match event {
                None => return Err(CenterError::Offline("the event stream ended".to_owned())),
                Some(CenterEvent::Ping(ping)) => {
                    self.set_link(|l| l.online = true);
                    self.note_clock(ping.server_time);
                }
                Some(CenterEvent::Assignment { id, change }) => {
                    tracing::debug!(since, id, "an assignment changed");
                    let known = lock(&self.assignments).get(&change.assignment_id).map(|a| a.etag.clone());
                    if known.as_ref() != Some(&change.etag) {
                        self.reread_assignment(&change.assignment_id).await?;
                    }
                }
                Some(CenterEvent::Resync(_)) => {
                    self.refresh_worklist().await?;
                }
            }
        }
    }

    /// What waited for the center goes on at once.
    pub(super) fn back_online(self: &Arc<Self>) {
        self.transfer.kick();
        self.outbox_wake.notify_one();
        self.drafts.wake();
        self.check_drafts_again();
        self.audit_wake.notify_one();
    }
}

/// Follows the center while somebody is signed in.
pub(super) async fn follow_loop(inner: Arc<Inner>) {
    let mut attempt = 0;
    loop {
        if inner.signed_in().is_none() || lock(&inner.token_user).is_none() {
            tokio::select! {
                () = inner.link_wake.notified() => continue,
                () = inner.stopped() => return,
            }
        }
        let mut turnover = inner.turnover.subscribe();
        let ended = tokio::select! {
            ended = inner.follow() => ended,
            // Nobody follows the worklist of the reader before.
            _ = turnover.changed() => continue,
            () = inner.stopped() => return,
        };
        let Err(error) = inner.note(ended) else { continue };
        if inner.signed_in().is_none() {
            continue;
        }
        // The stream ends now and then (a proxy, a restart); only a worklist that cannot be read is trouble.
        attempt = if matches!(&error, CenterError::Offline(text) if text == "the event stream ended") {
            1
        } else {
            attempt + 1
        };
        inner.events.push(Event::WorklistFailed(failure_of_center(&error)));
        let timing = inner.config.timing;
        tokio::select! {
            () = tokio::time::sleep(timing.patience.pause(attempt).min(timing.longest_pause)) => {}
            () = inner.link_wake.notified() => {}
            () = inner.stopped() => return,
        }
    }
}

/// Renews leases, at intervals.
pub(super) async fn lease_loop(inner: Arc<Inner>) {
    let mut ticks = tokio::time::interval(inner.config.timing.tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            if lock(&inner.token_user).is_some() && inner.signed_in().is_some() {
                inner.keep_leases().await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = inner.stopped() => {}
    }
}

/// Progress and rates, at their intervals. Nothing here waits for anybody.
pub(super) async fn tick_loop(inner: Arc<Inner>) {
    let timing = inner.config.timing;
    let mut progress = tokio::time::interval(timing.progress);
    let mut rate = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = progress.tick() => inner.flush_progress(),
            _ = rate.tick() => {
                let bytes = inner.received_bytes.swap(0, std::sync::atomic::Ordering::Relaxed);
                inner.set_link(|l| l.bytes_per_s = bytes);
            }
            () = inner.stopped() => return,
        }
    }
}

/// The failure of a command that needs a session.
pub(super) fn not_signed_in() -> Failure {
    Failure::Denied("nobody is signed in".to_owned())
}
