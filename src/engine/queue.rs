//! Events on their way up. Never blocks a worker: what a newer event makes needless is replaced in place, and
//! frames nobody wants any more are dropped, so the queue is bounded by what was asked for.

use super::lock;
use super::message::Event;
use crate::study::FrameRef;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

/// The queue and the callback that wakes the UI.
pub(super) struct EventQueue {
    events: Mutex<VecDeque<Event>>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// Whether `newer` says all that `older` said.
fn replaces(newer: &Event, older: &Event) -> bool {
    match (newer, older) {
        (Event::Link(_), Event::Link(_))
        | (Event::Outbox(_), Event::Outbox(_))
        | (Event::Flags(_), Event::Flags(_))
        | (Event::Worklist { .. }, Event::Worklist { .. })
        | (Event::WorklistFailed(_), Event::WorklistFailed(_)) => true,
        (Event::Study(a), Event::Study(b)) => a.uid == b.uid,
        (Event::StudyProgress(a), Event::StudyProgress(b)) => a.study == b.study,
        (Event::Assignment(a), Event::Assignment(b)) => a.id == b.id,
        _ => false,
    }
}

impl EventQueue {
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { events: Mutex::new(VecDeque::new()), wake }
    }

    /// Adds an event; a state that several threads may tell goes through [`Self::tell`]. A replaced one leaves its
    /// place: the newer fact comes at the end, after what led to it; only a study's structure takes that place, before
    /// what builds on it.
    pub(super) fn push(&self, event: Event) {
        drop(self.put(event));
        (self.wake)();
    }

    /// Gives what was replaced, to be dropped outside of every lock: it may be the last to hold a large study.
    fn put(&self, event: Event) -> Option<Event> {
        let mut events = lock(&self.events);
        let older = events.iter().rposition(|older| replaces(&event, older));
        match older.and_then(|at| events.get_mut(at)) {
            // What names the instances must not come after what says that all of them are here.
            Some(place) if matches!(event, Event::Study(_)) => Some(std::mem::replace(place, event)),
            _ => {
                let replaced = older.and_then(|at| events.remove(at));
                events.push_back(event);
                replaced
            }
        }
    }

    /// Tells the state of a moment: `say` looks at the source, and what it says is in the queue before anybody else
    /// can look. An older state never follows a newer one, as it would where two threads look first and tell then.
    pub(super) fn tell<T>(&self, source: &Mutex<T>, say: impl FnOnce(&mut T) -> Option<Event>) {
        let mut state = lock(source);
        let Some(event) = say(&mut state) else { return };
        let replaced = self.put(event);
        drop(state);
        drop(replaced);
        (self.wake)();
    }

    /// Drops frames that are not wanted any more.
    pub(super) fn keep_frames(&self, wanted: impl Fn(&FrameRef) -> bool) {
        lock(&self.events).retain(|event| match event {
            Event::Frame(frame, _) | Event::FrameFailed(frame, _) => wanted(frame),
            _ => true,
        });
    }

    /// Frames whose event has not been taken yet.
    pub(super) fn frames_waiting(&self) -> HashSet<FrameRef> {
        let frame = |event: &Event| match event {
            Event::Frame(frame, _) | Event::FrameFailed(frame, _) => Some(frame.clone()),
            _ => None,
        };
        lock(&self.events).iter().filter_map(frame).collect()
    }

    pub(super) fn drain(&self, max: usize) -> Vec<Event> {
        let mut events = lock(&self.events);
        let count = max.min(events.len());
        events.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::library::tests::{head, series};
    use super::super::message::{Failure, Link, StudyProgress};
    use super::*;
    use crate::study::Study;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn newer_facts_replace_older_ones_and_wake() {
        let woken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&woken);
        let queue = EventQueue::new(Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        queue.push(Event::Link(Link::default()));
        queue.push(Event::Notice(Failure::Local("a".into())));
        queue.push(Event::Link(Link { online: true, ..Link::default() }));
        queue.push(Event::Notice(Failure::Local("b".into())));
        assert_eq!(woken.load(Ordering::SeqCst), 4);
        let events = queue.drain(10);
        assert!(matches!(&events[..], [Event::Notice(_), Event::Link(l), Event::Notice(_)] if l.online));
        assert!(queue.drain(10).is_empty());
    }

    #[test]
    fn a_structure_stays_before_what_builds_on_it() {
        let queue = EventQueue::new(Arc::new(|| ()));
        let study = |count| {
            let series = (0..count).map(|n| series(&format!("1.{n}"), &[])).collect();
            Event::Study(Arc::new(Study { series, ..head("1") }))
        };
        let progress = |finished| {
            Event::StudyProgress(StudyProgress {
                study: head("1").uid,
                ledger: Arc::default(),
                finished,
                failure: None,
            })
        };
        queue.push(study(1));
        queue.push(progress(false));
        queue.push(Event::Notice(Failure::Local("a".into())));
        queue.push(study(2));
        queue.push(progress(true));
        let events = queue.drain(10);
        let [Event::Study(structure), Event::Notice(_), Event::StudyProgress(last)] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(structure.series.len() == 2 && last.finished);
    }
}
