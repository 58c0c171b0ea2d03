//! Assignments in the database: read, listed, changed. A change raises the version, tells the event stream and keeps the leases in step.

use super::error::{ApiError, ApiResult, Error};
use super::state::{Center, stamp, unstamp};
use crate::center::contract::{AssignmentChanged, ProblemType, paths};
use crate::study::StudyUid;
use crate::worklist::{ArchiveAuth, Assignment, AssignmentState, Lease, StudyToRead};
use jiff::Timestamp;
use rusqlite::types::Value as SqlValue;
use rusqlite::{OptionalExtension as _, Transaction, params, params_from_iter};
use serde_json::Value;

/// An assignment with what the wire does not carry.
#[derive(Debug, Clone)]
pub struct Held {
    /// As the reader sees it.
    pub assignment: Assignment,
    /// Its reader.
    pub reader: String,
    /// Signing is stopped: another patient is suspected.
    pub signing_stopped: bool,
}

/// Word of a wire enum.
pub fn word<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    match serde_json::to_value(value)? {
        Value::String(text) => Ok(text),
        _ => Err(Error::Interrupted("not a word".into())),
    }
}

const COLUMNS: &str = "a.id, a.reader, a.state, a.version, a.updated_at, a.body, a.signing_stopped";

struct Row {
    id: String,
    reader: String,
    state: String,
    version: i64,
    updated_at: String,
    body: String,
    signing_stopped: bool,
}

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: r.get(0)?,
        reader: r.get(1)?,
        state: r.get(2)?,
        version: r.get(3)?,
        updated_at: r.get(4)?,
        body: r.get(5)?,
        signing_stopped: r.get(6)?,
    })
}

/// The columns win over the stored body; counts of the center's own studies and its address are of now.
fn present(t: &Transaction<'_>, center: &Center, row: Row) -> Result<Held, Error> {
    let mut assignment: Assignment = serde_json::from_str(&row.body)?;
    assignment.id = row.id;
    assignment.etag = row.version.to_string();
    assignment.state = serde_json::from_value(Value::String(row.state))?;
    assignment.updated_at = unstamp(&row.updated_at)?;
    assignment.lease = current_lease(t, &assignment.id, center.now())?;
    assignment.report_id =
        t.query_row("SELECT id FROM report WHERE assignment_id = ?1", [&assignment.id], |r| r.get(0)).optional()?;
    let own_root = format!("{}{}", center.base_url()?, paths::DICOMWEB);
    for study in assignment.studies.iter_mut().chain(&mut assignment.prior_studies) {
        if study.archive.auth == ArchiveAuth::CenterToken {
            study.archive.root.clone_from(&own_root);
            count(t, study)?;
        }
    }
    Ok(Held { assignment, reader: row.reader, signing_stopped: row.signing_stopped })
}

fn count(t: &Transaction<'_>, study: &mut StudyToRead) -> Result<(), Error> {
    let (series, instances, bytes): (i64, i64, i64) = t.query_row(
        "SELECT COUNT(DISTINCT s.uid), COUNT(i.uid), COALESCE(SUM(i.bytes), 0)
         FROM series s JOIN instance i ON i.series_uid = s.uid WHERE s.study_uid = ?1",
        [study.study_uid.as_str()],
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
    )?;
    study.series = series.unsigned_abs();
    study.instances = instances.unsigned_abs();
    study.bytes = bytes.unsigned_abs();
    Ok(())
}

fn current_lease(t: &Transaction<'_>, id: &str, now: Timestamp) -> Result<Option<Lease>, Error> {
    let row = t
        .query_row(
            "SELECT id, owner, expires_at FROM lease WHERE assignment_id = ?1 AND ended IS NULL AND expires_at > ?2
             ORDER BY expires_at DESC LIMIT 1",
            [id, &stamp(now)],
            |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, String>(2)?)),
        )
        .optional()?;
    row.map(|(id, owner, expires_at)| Ok(Lease { id, owner, expires_at: unstamp(&expires_at)? })).transpose()
}

/// One assignment of this reader; others do not exist for them.
pub fn get(t: &Transaction<'_>, center: &Center, id: &str, reader: &str) -> ApiResult<Held> {
    let sql = format!("SELECT {COLUMNS} FROM assignment a WHERE a.id = ?1 AND a.reader = ?2");
    let row = t.query_row(&sql, [id, reader], row).optional()?.ok_or(ProblemType::NotFound)?;
    Ok(present(t, center, row)?)
}

/// What a worklist is asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// States; empty: all.
    pub states: Vec<AssignmentState>,
    /// Modalities; empty: all.
    pub modalities: Vec<String>,
    /// Due before.
    pub due_before: Option<Timestamp>,
    /// Changed at or after.
    pub updated_since: Option<Timestamp>,
    /// After this place.
    pub after: Option<(String, String)>,
    /// Most on a page.
    pub limit: usize,
}

/// A place in the list: deadline and id.
pub type After = (String, String);

/// A page, earliest deadline first, and the place to go on from.
pub fn page(
    t: &Transaction<'_>,
    center: &Center,
    reader: &str,
    filter: &Filter,
) -> Result<(Vec<Assignment>, Option<After>), Error> {
    let mut sql = format!("SELECT {COLUMNS}, a.due_at FROM assignment a WHERE a.reader = ?");
    let mut values: Vec<SqlValue> = vec![reader.to_owned().into()];
    if !filter.states.is_empty() {
        sql.push_str(&format!(" AND a.state IN ({})", marks(filter.states.len())));
        for state in &filter.states {
            values.push(word(state)?.into());
        }
    }
    if !filter.modalities.is_empty() {
        let each = vec!["a.modalities LIKE ?"; filter.modalities.len()].join(" OR ");
        sql.push_str(&format!(" AND ({each})"));
        values.extend(filter.modalities.iter().map(|m| SqlValue::from(format!("% {m} %"))));
    }
    if let Some(time) = filter.due_before {
        sql.push_str(" AND a.due_at < ?");
        values.push(stamp(time).into());
    }
    if let Some(time) = filter.updated_since {
        sql.push_str(" AND a.updated_at >= ?");
        values.push(stamp(time).into());
    }
    if let Some((due, id)) = &filter.after {
        sql.push_str(" AND (a.due_at, a.id) > (?, ?)");
        values.push(due.clone().into());
        values.push(id.clone().into());
    }
    sql.push_str(&format!(" ORDER BY a.due_at, a.id LIMIT {}", filter.limit + 1));
    let mut statement = t.prepare(&sql)?;
    let rows = statement
        .query_map(params_from_iter(values), |r| Ok((row(r)?, r.get::<_, String>(7)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > filter.limit;
    let mut assignments = Vec::new();
    let mut last = None;
    for (row, due) in rows.into_iter().take(filter.limit) {
        last = Some((due, row.id.clone()));
        assignments.push(present(t, center, row)?.assignment);
    }
    Ok((assignments, if more { last } else { None }))
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Adds an assignment for a reader. Its id, studies and body are taken as they are.
pub fn insert(t: &Transaction<'_>, center: &Center, reader: &str, assignment: &Assignment) -> Result<(), Error> {
    let now = center.now();
    let modalities: Vec<&str> =
        assignment.studies.iter().flat_map(|s| s.modalities.iter().map(String::as_str)).collect();
    t.execute(
        "INSERT INTO assignment (id, reader, state, version, due_at, updated_at, modalities, body)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)",
        params![
            assignment.id,
            reader,
            word(&assignment.state)?,
            stamp(assignment.due.at),
            stamp(now),
            format!(" {} ", modalities.join(" ")),
            serde_json::to_string(assignment)?,
        ],
    )?;
    let studies = assignment.studies.iter().map(|s| (s, false));
    for (study, prior) in studies.chain(assignment.prior_studies.iter().map(|s| (s, true))) {
        t.execute(
            "INSERT OR IGNORE INTO assignment_study (assignment_id, study_uid, prior) VALUES (?1, ?2, ?3)",
            params![assignment.id, study.study_uid.as_str(), prior],
        )?;
    }
    announce(t, reader, &assignment.id, 1, assignment.state, now)
}

/// Writes a changed assignment: next version, event.
pub fn update(t: &Transaction<'_>, center: &Center, held: &mut Held) -> Result<(), Error> {
    let now = center.now();
    let assignment = &mut held.assignment;
    let version: i64 = t.query_row(
        "UPDATE assignment SET state = ?2, version = version + 1, updated_at = ?3, body = ?4, signing_stopped = ?5
         WHERE id = ?1 RETURNING version",
        params![
            assignment.id,
            word(&assignment.state)?,
            stamp(now),
            serde_json::to_string(assignment)?,
            held.signing_stopped,
        ],
        |r| r.get(0),
    )?;
    assignment.etag = version.to_string();
    assignment.updated_at = now;
    assignment.lease = current_lease(t, &assignment.id, now)?;
    announce(t, &held.reader, &assignment.id, version, assignment.state, now)
}

fn announce(
    t: &Transaction<'_>,
    reader: &str,
    id: &str,
    version: i64,
    state: AssignmentState,
    updated_at: Timestamp,
) -> Result<(), Error> {
    let data = AssignmentChanged { assignment_id: id.to_owned(), etag: version.to_string(), state, updated_at };
    t.execute(
        "INSERT INTO event (reader, assignment_id, data) VALUES (?1, ?2, ?3)",
        [reader, id, &serde_json::to_string(&data)?],
    )?;
    Ok(())
}

/// How a lease came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseEnd {
    /// The same reader began at another terminal; work done before is still theirs.
    Superseded,
    /// The reader put the assignment aside.
    GivenUp,
    /// The assignment went to somebody else or was closed: work done under it is refused.
    Revoked,
}

impl LeaseEnd {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::GivenUp => "given_up",
            Self::Revoked => "revoked",
        }
    }
}

/// Ends the leases of an assignment.
pub fn end_leases(t: &Transaction<'_>, id: &str, how: LeaseEnd) -> Result<(), Error> {
    let which = if how == LeaseEnd::Revoked { "" } else { "AND ended IS NULL" };
    t.execute(&format!("UPDATE lease SET ended = ?2 WHERE assignment_id = ?1 {which}"), [id, how.word()])?;
    Ok(())
}

/// Gives this session the lease; others of the same reader end.
pub fn new_lease(t: &Transaction<'_>, center: &Center, id: &str, owner: &str, session: &str) -> Result<Lease, Error> {
    end_leases(t, id, LeaseEnd::Superseded)?;
    let lease =
        Lease { id: crate::vault::random::random_id()?, owner: owner.to_owned(), expires_at: lease_end(center) };
    t.execute(
        "INSERT INTO lease (id, assignment_id, owner, session_id, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        [&lease.id, id, owner, session, &stamp(lease.expires_at)],
    )?;
    Ok(lease)
}

fn lease_end(center: &Center) -> Timestamp {
    let seconds = center.config().limits.lease_seconds;
    let now = center.now();
    now.saturating_add(jiff::SignedDuration::from_secs(seconds.into())).unwrap_or(now)
}

/// Renews a lease that has not been ended, also one that has run out: nobody else can hold it while the assignment is theirs.
pub fn renew_lease(t: &Transaction<'_>, center: &Center, id: &str, lease_id: &str, owner: &str) -> ApiResult<Lease> {
    let expires_at = lease_end(center);
    let changed = t.execute(
        "UPDATE lease SET expires_at = ?4 WHERE id = ?1 AND assignment_id = ?2 AND owner = ?3 AND ended IS NULL",
        [lease_id, id, owner, &stamp(expires_at)],
    )?;
    if changed == 0 {
        return Err(ProblemType::LeaseLost.into());
    }
    Ok(Lease { id: lease_id.to_owned(), owner: owner.to_owned(), expires_at })
}

/// Whether work done under this lease is still taken: it was this reader's and has not been revoked.
pub fn lease_counts(t: &Transaction<'_>, id: &str, lease_id: &str, owner: &str) -> ApiResult<bool> {
    let ended: Option<Option<String>> = t
        .query_row(
            "SELECT ended FROM lease WHERE id = ?1 AND assignment_id = ?2 AND owner = ?3",
            [lease_id, id, owner],
            |r| r.get(0),
        )
        .optional()?;
    Ok(ended.is_some_and(|e| e.as_deref() != Some(LeaseEnd::Revoked.word())))
}

/// Whether a reader may see a study: one of their assignments names it, to read or as a prior.
pub fn may_see(t: &Transaction<'_>, reader: &str, study: &StudyUid) -> Result<bool, Error> {
    Ok(t.query_row(
        "SELECT EXISTS (SELECT 1 FROM assignment_study s JOIN assignment a ON a.id = s.assignment_id
         WHERE s.study_uid = ?2 AND a.reader = ?1 AND a.state NOT IN ('declined', 'reassigned', 'cancelled'))",
        [reader, study.as_str()],
        |r| r.get(0),
    )?)
}

/// A refused transition, with the assignment as it is.
pub fn conflict(error: crate::worklist::TransitionError, held: &Held) -> ApiError {
    let current = serde_json::to_value(&held.assignment).unwrap_or(Value::Null);
    ApiError::new(ProblemType::StateConflict, error.to_string()).with("current", current)
}
