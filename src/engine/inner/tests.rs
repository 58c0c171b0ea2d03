//! What several threads tell of one state comes in the order in which it was so.

use super::super::library::tests::{head, series};
use super::super::{SecretChoice, SystemClock};
use super::*;
use crate::study::StudyUid;
use std::thread;

const ROUNDS: usize = 400;

fn inner() -> Inner {
    let secrets = SecretChoice::Keyring { profile: "never opened".into() };
    let config = Config::new(std::path::PathBuf::new(), secrets, Arc::new(SystemClock), Arc::new(|| ()));
    let (pool, workers) = Pool::start(1).expect("threads");
    drop(workers);
    Inner::new(config, pool, Transfer::new().0)
}

/// Tells of one state from two threads at once, the queue emptied now and then by a third; gives all that came.
fn told(inner: &Inner, rounds: usize, tell: impl Fn(usize) + Sync) -> Vec<Event> {
    let mut came = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|which| {
                let tell = &tell;
                scope.spawn(move || (0..rounds).for_each(|round| tell(round * 2 + which)))
            })
            .collect();
        while threads.iter().any(|t| !t.is_finished()) {
            came.extend(inner.events.drain(usize::MAX));
            thread::yield_now();
        }
    });
    came.extend(inner.events.drain(usize::MAX));
    came
}

fn never_less(counts: &[usize], at_last: usize) {
    assert!(counts.is_sorted(), "an older state came after a newer one: {counts:?}");
    assert_eq!(counts.last(), Some(&at_last));
}

#[test]
fn the_structure_of_a_study_only_grows() {
    let (inner, uid) = (inner(), StudyUid::new("1").expect("uid"));
    lock(&inner.library).put_head(&head("1"), None);
    let came = told(&inner, ROUNDS, |n| {
        let one = series(&format!("1.{}", n + 1), &[&format!("1.{}.1", n + 1)]);
        lock(&inner.library).put_series(&uid, one);
        inner.tell_study(&uid);
    });
    let count = |event: &Event| if let Event::Study(study) = event { Some(study.series.len()) } else { None };
    never_less(&came.iter().filter_map(count).collect::<Vec<_>>(), 2 * ROUNDS);
}

#[test]
fn the_progress_of_a_study_only_grows() {
    let (inner, uid) = (inner(), StudyUid::new("1").expect("uid"));
    lock(&inner.library).put_head(&head("1"), None);
    let came = told(&inner, ROUNDS, |n| {
        let one = series("1.1", &[&format!("1.1.{}", n + 1)]);
        lock(&inner.library).put_series(&uid, one);
        inner.progress_changed(&uid);
        inner.flush_progress();
    });
    let count = |event: &Event| match event {
        Event::StudyProgress(progress) => Some(progress.ledger.expected()),
        _ => None,
    };
    never_less(&came.iter().filter_map(count).collect::<Vec<_>>(), 2 * ROUNDS);
}

#[test]
fn the_link_is_told_as_it_became() {
    let inner = inner();
    let came = told(&inner, 100 * ROUNDS, |_| inner.set_link(|link| link.bytes_per_s += 1));
    let count = |event: &Event| if let Event::Link(link) = event { Some(link.bytes_per_s as usize) } else { None };
    never_less(&came.iter().filter_map(count).collect::<Vec<_>>(), 200 * ROUNDS);
}
