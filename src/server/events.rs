//! Server-sent events: what changed, from the database's own list, so that a client that was away misses nothing.

use super::auth::Signed;
use super::error::{ApiError, ApiResult, Error};
use super::state::Center;
use crate::center::contract::{
    AssignmentChanged, EVENT_ASSIGNMENT, EVENT_PING, EVENT_RESYNC, Ping, ProblemType, Resync, headers as names,
};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use rusqlite::{Transaction, params};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

/// How often the database is looked at for changes that other processes made (`assign`, `import`).
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BATCH: i64 = 200;

/// Newest event id ever given, even where the event itself is gone; 0 where there was none.
pub fn newest(t: &Transaction<'_>) -> Result<u64, Error> {
    let id: i64 =
        t.query_row("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)", [], |r| r.get(0))?;
    Ok(id.unsigned_abs())
}

/// Tells the event streams to look.
pub async fn wake(center: &Center) -> ApiResult<()> {
    let id = center.db().read(newest).await.map_err(ApiError::from)?;
    center.newest_event().send_if_modified(|seen| std::mem::replace(seen, id.max(*seen)) < id);
    Ok(())
}

/// Looks for changes of other processes until the task is ended.
pub async fn watch_database(center: Center) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = wake(&center).await {
            tracing::error!(%error, "events cannot be read");
        }
    }
}

/// Query of the stream.
#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    since: Option<u64>,
}

struct Following {
    center: Center,
    reader: String,
    session: String,
    since: u64,
    wakes: tokio::sync::watch::Receiver<u64>,
    ready: VecDeque<Event>,
}

/// `GET /v1/events`.
pub async fn events(
    State(center): State<Center>,
    signed: Signed,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let resumed = headers.get(names::LAST_EVENT_ID).and_then(|v| v.to_str().ok()).map(|v| {
        v.trim().parse::<u64>().map_err(|_| ApiError::new(ProblemType::BadRequest, "Last-Event-ID is a number"))
    });
    let known = center.db().read(|t| Ok::<_, Error>((newest(t)?, super::prune::events_gone(t)?))).await;
    let (newest, gone) = known.map_err(ApiError::from)?;
    let since = match (query.since, resumed) {
        (Some(since), _) => since,
        (None, Some(resumed)) => resumed?,
        (None, None) => newest,
    };
    let mut ready = VecDeque::new();
    let since = if since > newest || since < gone {
        // Not from this database (it was restored from a backup), or what came next is too old to be kept: the client
        // reads everything anew.
        ready.push_back(event(EVENT_RESYNC, &Resync { last_event_id: newest })?);
        newest
    } else {
        since
    };
    let wakes = center.newest_event().subscribe();
    let following = Following { center, reader: signed.user.id, session: signed.session, since, wakes, ready };
    let mut response = Sse::new(stream_of(following)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Reverse proxies must not collect the stream.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn event<T: serde::Serialize>(name: &str, data: &T) -> ApiResult<Event> {
    Ok(Event::default().event(name).data(serde_json::to_string(data)?))
}

fn stream_of(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(following, |mut f| async move {
        let event = next(&mut f).await?;
        Some((Ok(event), f))
    })
}

/// The next event; `None` ends the stream (session over, center failing): the client comes back and learns why.
async fn next(f: &mut Following) -> Option<Event> {
    loop {
        if let Some(event) = f.ready.pop_front() {
            return Some(event);
        }
        f.wakes.mark_unchanged();
        let (reader, session, since) = (f.reader.clone(), f.session.clone(), f.since);
        let now = super::state::stamp(f.center.now());
        let changes = f
            .center
            .db()
            .read(move |t| {
                let alive: bool = t.query_row(
                    "SELECT EXISTS (SELECT 1 FROM session WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?2)",
                    [&session, &now],
                    |r| r.get(0),
                )?;
                if alive { changes(t, &reader, since) } else { Ok(None) }
            })
            .await;
        let changes = match changes {
            Ok(Some(changes)) => changes,
            Ok(None) => return None,
            Err(error) => {
                tracing::error!(%error, "events cannot be read");
                return None;
            }
        };
        for (id, change) in changes {
            f.since = id;
            match event(EVENT_ASSIGNMENT, &change) {
                Ok(event) => f.ready.push_back(event.id(id.to_string())),
                Err(_) => return None,
            }
        }
        if f.ready.is_empty() {
            tokio::select! {
                changed = f.wakes.changed() => changed.ok()?,
                () = tokio::time::sleep(f.center.config().ping_every) => {
                    return event(EVENT_PING, &Ping { server_time: f.center.now() }).ok();
                }
            }
        }
    }
}

type Changes = Vec<(u64, AssignmentChanged)>;

fn changes(t: &Transaction<'_>, reader: &str, since: u64) -> Result<Option<Changes>, Error> {
    let mut statement =
        t.prepare_cached("SELECT id, data FROM event WHERE reader = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?;
    let since = i64::try_from(since).unwrap_or(i64::MAX);
    let rows =
        statement.query_map(params![reader, since, BATCH], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)))?;
    let list = rows
        .map(|row| {
            let (id, data) = row?;
            Ok((id.unsigned_abs(), serde_json::from_str(&data)?))
        })
        .collect::<Result<_, Error>>()?;
    Ok(Some(list))
}
