//! Requests about one assignment go in order; those about different assignments side by side. A line that is dead
//! for one of them keeps nobody else waiting, and nothing here is waited for by who asked.

use super::inner::Inner;
use super::link::not_signed_in;
use super::lock;
use super::message::{Event, Failure, Transition};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, watch};

/// Errands of one assignment that may wait. The app asks for the next step when it knows how the last one ended.
const WAITING: usize = 32;
/// Lanes that may use the network at the same time to look something up.
const LOOK_UPS: usize = 4;

/// What is to be asked at the center about an assignment.
pub(super) enum Errand {
    /// A step that the reader asked for.
    Step(Transition),
    /// Whether the center has another draft than this terminal.
    CheckDraft,
    /// The reports that the center holds.
    Reports,
}

impl Errand {
    /// Asking the same once more would bring the same answer.
    fn repeats(&self, other: &Self) -> bool {
        matches!((self, other), (Self::CheckDraft, Self::CheckDraft) | (Self::Reports, Self::Reports))
    }
}

/// An errand and for whom (user id): it is never done in another reader's name.
struct Asked {
    user: String,
    errand: Errand,
}

/// What waits, by assignment. An entry, even an empty one, means that a task works on it.
pub(super) struct Lanes {
    waiting: Mutex<BTreeMap<String, VecDeque<Asked>>>,
    look_ups: Semaphore,
    /// Changes when the reader leaves: what is under way ends.
    left: watch::Sender<u64>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { waiting: Mutex::default(), look_ups: Semaphore::new(LOOK_UPS), left: watch::Sender::new(0) }
    }
}

/// What became of an errand that was handed in.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Nobody works on this assignment yet.
    Begins,
    Waits,
    Full,
}

impl Lanes {
    fn put(&self, assignment: &str, asked: Asked) -> Place {
        let mut lanes = lock(&self.waiting);
        let Some(lane) = lanes.get_mut(assignment) else {
            lanes.insert(assignment.to_owned(), VecDeque::from([asked]));
            return Place::Begins;
        };
        if lane.iter().any(|a| a.user == asked.user && a.errand.repeats(&asked.errand)) {
            return Place::Waits;
        }
        if lane.len() >= WAITING {
            return Place::Full;
        }
        lane.push_back(asked);
        Place::Waits
    }

    /// The next errand; the lane is closed where there is none.
    fn next(&self, assignment: &str) -> Option<Asked> {
        let mut lanes = lock(&self.waiting);
        let next = lanes.get_mut(assignment).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(assignment);
        }
        next
    }

    /// The reader leaves: what waits is forgotten, what is under way ends.
    pub(super) fn clear(&self) {
        lock(&self.waiting).values_mut().for_each(VecDeque::clear);
        self.left.send_modify(|n| *n += 1);
    }
}

impl Inner {
    /// Hands in an errand for `user`; never waits.
    pub(super) fn errand(self: &Arc<Self>, assignment: String, user: String, errand: Errand) {
        let step = matches!(errand, Errand::Step(_));
        match self.lanes.put(&assignment, Asked { user, errand }) {
            Place::Begins => {
                let inner = Arc::clone(self);
                tokio::spawn(async move { inner.work_lane(assignment).await });
            }
            Place::Full if step => {
                let failure = Failure::Offline("too much waits for the center".to_owned());
                self.events.push(Event::TransitionFailed { assignment, failure });
            }
            Place::Full | Place::Waits => {}
        }
    }

    async fn work_lane(self: Arc<Self>, assignment: String) {
        let mut left = self.lanes.left.subscribe();
        while let Some(asked) = self.lanes.next(&assignment) {
            left.mark_unchanged();
            tokio::select! {
                () = self.run_errand(&assignment, asked) => {}
                // The sender lives as long as the engine.
                _ = left.changed() => {}
                () = self.stopped() => return,
            }
        }
    }

    async fn run_errand(self: &Arc<Self>, assignment: &str, Asked { user, errand }: Asked) {
        let here = self.signed_in().is_some_and(|s| s.user == user);
        match errand {
            Errand::Step(transition) if here => self.transition(&user, assignment.to_owned(), transition).await,
            Errand::Step(_) => {
                let assignment = assignment.to_owned();
                self.events.push(Event::TransitionFailed { assignment, failure: not_signed_in() });
            }
            Errand::CheckDraft | Errand::Reports => {
                let Ok(_permit) = self.lanes.look_ups.acquire().await else { return };
                if matches!(errand, Errand::CheckDraft) {
                    self.check_draft((user, assignment.to_owned())).await;
                } else if here {
                    self.load_reports(assignment.to_owned()).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(user: &str, errand: Errand) -> Asked {
        Asked { user: user.to_owned(), errand }
    }

    #[test]
    fn a_lane_keeps_order_asks_nothing_twice_and_is_bounded() {
        let lanes = Lanes::default();
        assert_eq!(lanes.put("a", asked("u", Errand::Step(Transition::Accept))), Place::Begins);
        assert_eq!(lanes.put("b", asked("u", Errand::CheckDraft)), Place::Begins, "another assignment does not wait");
        for _ in 0..3 {
            assert_eq!(lanes.put("a", asked("u", Errand::CheckDraft)), Place::Waits);
        }
        assert_eq!(lanes.put("a", asked("u", Errand::Step(Transition::Start))), Place::Waits);
        let order: Vec<_> = std::iter::from_fn(|| lanes.next("a")).map(|a| a.errand).collect();
        assert!(matches!(
            &order[..],
            [Errand::Step(Transition::Accept), Errand::CheckDraft, Errand::Step(Transition::Start)]
        ));
        assert_eq!(lanes.put("a", asked("u", Errand::Reports)), Place::Begins, "the lane had closed");
        for _ in 1..WAITING {
            assert_eq!(lanes.put("a", asked("u", Errand::Step(Transition::Suspend))), Place::Waits);
        }
        assert_eq!(lanes.put("a", asked("u", Errand::Step(Transition::Suspend))), Place::Full);
    }

    #[test]
    fn who_leaves_takes_what_waits_along() {
        let lanes = Lanes::default();
        lanes.put("a", asked("u", Errand::Step(Transition::Accept)));
        let left = lanes.left.subscribe();
        lanes.clear();
        assert!(left.has_changed().expect("open"));
        assert!(lanes.next("a").is_none());
    }
}
