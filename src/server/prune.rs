//! What no client can need any more goes: kept answers to repeated requests, ended sessions, old events. Reports, their
//! receipts, audit records and certificates are never touched.

use super::error::Error;
use super::state::{Center, stamp};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::time::Duration;

/// A POST repeated within this time gets its earlier answer.
pub const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A session that ended, by sign-out or by its time, is known for so long.
pub const SESSIONS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A client that was away for less misses no event; one that was away for longer reads its worklist anew.
pub const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often a running center looks. The age itself is by the center's clock.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// Name of the newest event that is gone, among the settings.
const PRUNED: &str = "events_pruned";

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Kept answers.
    pub answers: usize,
    /// Sessions, each with its tokens.
    pub sessions: usize,
    /// Events.
    pub events: usize,
}

/// Removes what is too old now. Blocks.
pub fn prune(center: &Center) -> Result<Pruned, Error> {
    let now = center.now();
    center
        .db()
        .write_now(|t| Ok(Pruned { answers: answers(t, now)?, sessions: sessions(t, now)?, events: events(t, now)? }))
}

fn before(now: Timestamp, age: SignedDuration) -> String {
    stamp(now.saturating_sub(age).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn answers(t: &Transaction<'_>, now: Timestamp) -> Result<usize, Error> {
    Ok(t.execute("DELETE FROM idempotency WHERE at < ?1", [before(now, ANSWERS_KEPT)])?)
}

fn sessions(t: &Transaction<'_>, now: Timestamp) -> Result<usize, Error> {
    let before = before(now, SESSIONS_KEPT);
    let old = "SELECT id FROM session WHERE expires_at < ?1 OR ended_at < ?1";
    for table in ["access_token", "refresh_token"] {
        t.execute(&format!("DELETE FROM {table} WHERE session_id IN ({old})"), [&before])?;
    }
    Ok(t.execute("DELETE FROM session WHERE expires_at < ?1 OR ended_at < ?1", [&before])?)
}

fn events(t: &Transaction<'_>, now: Timestamp) -> Result<usize, Error> {
    let newest = super::events::newest(t)?;
    t.execute(
        "INSERT OR REPLACE INTO event_mark (at, newest) VALUES (?1, ?2)",
        params![stamp(now), newest.cast_signed()],
    )?;
    let before = before(now, EVENTS_KEPT);
    // Everything up to an old enough mark is at least as old.
    let last: Option<i64> = t.query_row("SELECT MAX(newest) FROM event_mark WHERE at < ?1", [&before], |r| r.get(0))?;
    let Some(last) = last else { return Ok(0) };
    t.execute("DELETE FROM event_mark WHERE at < ?1", [&before])?;
    let gone = t.execute("DELETE FROM event WHERE id <= ?1", [last])?;
    if gone > 0 {
        t.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", params![PRUNED, last.to_string()])?;
    }
    Ok(gone)
}

/// The newest event that is gone; whoever saw less must read everything anew.
pub(super) fn events_gone(t: &Transaction<'_>) -> Result<u64, Error> {
    let value: Option<String> =
        t.query_row("SELECT value FROM setting WHERE name = ?1", [PRUNED], |r| r.get(0)).optional()?;
    value.map_or(Ok(0), |v| v.parse().map_err(|_| Error::Refused("the database holds a bad event number".into())))
}

/// Prunes from time to time until the task is ended.
pub(super) async fn keep_pruning(center: Center) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let center = center.clone();
        match super::db::blocking(move || prune(&center)).await {
            Ok(pruned) if pruned == Pruned::default() => {}
            Ok(pruned) => tracing::info!(?pruned, "old entries went"),
            Err(error) => tracing::error!(%error, "old entries could not be removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Config;
    use super::*;
    use crate::worklist::clock::ManualClock;
    use std::sync::Arc;

    fn add(center: &Center, n: u32) {
        let now = stamp(center.now());
        center
            .db()
            .write_now(|t| {
                let data = "{}".to_owned();
                t.execute("INSERT INTO event (reader, assignment_id, data) VALUES ('dr', 'a', ?1)", [&data])?;
                t.execute(
                    "INSERT INTO idempotency VALUES ('dr', ?1, 'POST /x', '', 200, '[]', X'', ?2)",
                    params![format!("key {n}"), now],
                )?;
                t.execute("INSERT OR IGNORE INTO user VALUES ('dr', 'dr', '[]', '', NULL, NULL, 0, ?1)", params![now])?;
                let session = format!("session {n}");
                t.execute("INSERT INTO session VALUES (?1, 'dr', ?2, ?2, NULL)", params![session, now])?;
                t.execute("INSERT INTO access_token VALUES (?1, ?1, 1, ?2, 0)", params![session, now])?;
                t.execute("INSERT INTO refresh_token VALUES (?1, ?1, 1, 0)", params![session])?;
                Ok::<_, Error>(())
            })
            .expect("added");
    }

    fn events(center: &Center) -> (u64, u64) {
        center.db().read_now(|t| Ok::<_, Error>((super::super::events::newest(t)?, events_gone(t)?))).expect("read")
    }

    #[test]
    fn each_thing_goes_at_its_own_age_and_numbers_go_on() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().expect("time")));
        let center = Center::open(Config::new(folder.path(), clock.clone())).expect("center");
        let days = |n: i64| clock.advance(SignedDuration::from_hours(24 * n));
        add(&center, 1);
        assert_eq!(prune(&center).expect("pruned"), Pruned::default(), "nothing is old yet");
        days(20);
        add(&center, 2);
        days(10);
        assert_eq!(prune(&center).expect("pruned"), Pruned::default(), "thirty days are kept whole");
        days(1);
        // The first event's age is known from the first look; the second one's only from the look ten days later.
        assert_eq!(prune(&center).expect("pruned"), Pruned { answers: 0, sessions: 1, events: 1 });
        assert_eq!(events(&center), (2, 1));
        days(31);
        assert_eq!(prune(&center).expect("pruned"), Pruned { answers: 0, sessions: 1, events: 1 });
        assert_eq!(events(&center), (2, 2), "the newest number stays known when all events are gone");
        days(29);
        assert_eq!(prune(&center).expect("pruned").answers, 1, "after ninety days");
        days(20);
        assert_eq!(prune(&center).expect("pruned").answers, 1);
        add(&center, 3);
        assert_eq!(events(&center), (3, 2));
    }
}
