//! Who is asking: bearer tokens, the token endpoint, refresh rotation.
//!
//! Tokens are random and kept as digests. A refresh token gives the next one; the one before stays usable until anything of its
//! successor was used (an answer may be lost on the way), after that its use ends the session.

use super::db::blocking;
use super::error::{ApiError, ApiResult, Error};
use super::state::{Center, stamp, unstamp};
use super::users;
use crate::center::contract::{ProblemType, TokenRequest, TokenResponse, User, UserRole};
use crate::vault::totp::TotpSecret;
use crate::vault::{digest, password, random};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

/// Failures without consequence; then each one doubles the waiting time from 15 s on, up to 15 minutes.
const FREE_FAILURES: i64 = 5;
const FIRST_LOCK_SECONDS: i64 = 15;
const LONGEST_LOCK_SECONDS: i64 = 900;

/// A signed-in person.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub user: User,
    /// Their session.
    pub session: String,
    /// When both factors were given.
    pub auth_at: Timestamp,
}

impl Signed {
    /// Reads studies.
    pub fn reads(&self) -> bool {
        self.user.roles.iter().any(|r| matches!(r, UserRole::Reader | UserRole::SecondReader | UserRole::Arbiter))
    }
    /// Sees every study: coordinators check what was sent.
    pub fn sees_all(&self) -> bool {
        self.user.roles.contains(&UserRole::Coordinator)
    }
    /// Refuses who does not read.
    pub fn reader(self) -> ApiResult<Self> {
        if self.reads() { Ok(self) } else { Err(ProblemType::Forbidden.into()) }
    }
}

impl FromRequestParts<Center> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, center: &Center) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or(ProblemType::TokenInvalid)?;
        let hash = digest::sha256_hex(token.as_bytes());
        let now = stamp(center.now());
        let (signed, first_use) = center
            .db()
            .read({
                let hash = hash.clone();
                move |t| who(t, &hash, &now)
            })
            .await?
            .ok_or(ProblemType::TokenInvalid)?;
        if first_use {
            center
                .db()
                .write(move |t| {
                    Ok::<_, Error>(t.execute("UPDATE access_token SET used = 1 WHERE sha256 = ?1", [hash])?)
                })
                .await
                .map_err(ApiError::from)?;
        }
        Ok(signed)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= 128).then(|| token.trim())
}

fn who(t: &Transaction<'_>, hash: &str, now: &str) -> ApiResult<Option<(Signed, bool)>> {
    let row = t
        .query_row(
            "SELECT s.id, s.user_id, s.auth_at, a.used FROM access_token a JOIN session s ON s.id = a.session_id
             WHERE a.sha256 = ?1 AND a.expires_at > ?2 AND s.expires_at > ?2 AND s.ended_at IS NULL",
            [hash, now],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, bool>(3)?)),
        )
        .optional()?;
    let Some((session, user, auth_at, used)) = row else { return Ok(None) };
    let Some(user) = users::get(t, &user)? else { return Ok(None) };
    Ok(Some((Signed { user, session, auth_at: unstamp(&auth_at)? }, !used)))
}

/// `POST /oauth/token`.
pub async fn token(State(center): State<Center>, headers: HeaderMap, body: Bytes) -> ApiResult<Response> {
    let form = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !form.starts_with("application/x-www-form-urlencoded") {
        return Err(ProblemType::UnsupportedMediaType.into());
    }
    let request = parse_form(&body)?;
    let answer = match request {
        TokenRequest::Password { username, password, otp } => sign_in(&center, username, password, otp).await?,
        TokenRequest::RefreshToken { refresh_token } => refresh(&center, &refresh_token).await?,
    };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response())
}

fn parse_form(body: &[u8]) -> ApiResult<TokenRequest> {
    let mut fields = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        fields.insert(name.into_owned(), value.into_owned().into());
    }
    serde_json::from_value(fields.into()).map_err(|_| {
        // The parser's own words might repeat what was typed.
        ApiError::new(
            ProblemType::BadRequest,
            "grant_type password (username, password, otp) or refresh_token is expected",
        )
    })
}

/// `POST /oauth/revoke`: signs out.
pub async fn revoke(State(center): State<Center>, signed: Signed) -> ApiResult<axum::http::StatusCode> {
    let now = stamp(center.now());
    center
        .db()
        .write(move |t| {
            t.execute("UPDATE session SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL", [&signed.session, &now])?;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// `GET /v1/me`.
pub async fn me(signed: Signed) -> Json<User> {
    Json(signed.user)
}

struct Factors {
    hash: Option<String>,
    totp_sealed: Option<Vec<u8>>,
    last_step: Option<u64>,
}

async fn sign_in(center: &Center, username: String, password: String, otp: String) -> ApiResult<TokenResponse> {
    let name: String = username.chars().take(64).collect();
    let now = center.now();
    let factors = center
        .db()
        .read({
            let name = name.clone();
            move |t| {
                locked(t, &name, now)?;
                factors(t, &name)
            }
        })
        .await?;
    let last_step = factors.last_step;
    let totp = match &factors.totp_sealed {
        Some(sealed) => {
            Some(TotpSecret::from_bytes(&center.pki().unseal(&format!("totp:{name}"), sealed)?).map_err(Error::from)?)
        }
        None => None,
    };
    let permit = center.password_checks().acquire().await.map_err(|_| ProblemType::Unavailable)?;
    let right = blocking(move || Ok::<_, ApiError>(password::verify(&password, factors.hash.as_deref()))).await?;
    drop(permit);
    // Both factors are always looked at, and the answer does not say which one was wrong.
    let step = totp.and_then(|secret| secret.check(&otp, unix_seconds(now), last_step));
    let center_ = center.clone();
    let outcome = center
        .db()
        .write(move |t| {
            let step = if right { step } else { None };
            let Some(step) = step else { return Ok(Err(fail(t, &name, now)?)) };
            if !use_step(t, &name, step)? {
                return Ok(Err(fail(t, &name, now)?));
            }
            t.execute("DELETE FROM sign_in_failure WHERE username = ?1", [&name])?;
            let Some(user) = users::get(t, &name)? else { return Ok(Err(ProblemType::SignInRefused.into())) };
            let session = random::random_id().map_err(Error::from)?;
            let ends =
                now.saturating_add(SignedDuration::from_secs(center_.config().session_seconds.into())).unwrap_or(now);
            t.execute(
                "INSERT INTO session (id, user_id, auth_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                [&session, &name, &stamp(now), &stamp(ends)],
            )?;
            Ok::<_, ApiError>(Ok(issue(t, &center_, &session, user, 1)?))
        })
        .await?;
    if outcome.is_err() {
        tracing::warn!("a sign-in was refused");
    }
    outcome
}

pub(super) fn unix_seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_second()).unwrap_or(0)
}

fn locked(t: &Transaction<'_>, name: &str, now: Timestamp) -> ApiResult<()> {
    let until: Option<Option<String>> =
        t.query_row("SELECT locked_until FROM sign_in_failure WHERE username = ?1", [name], |r| r.get(0)).optional()?;
    let Some(Some(until)) = until else { return Ok(()) };
    let left = unstamp(&until)?.as_second() - now.as_second();
    if left > 0 { Err(ApiError::from(ProblemType::SignInLocked).with("retry_after", left)) } else { Ok(()) }
}

fn factors(t: &Transaction<'_>, name: &str) -> ApiResult<Factors> {
    let row = t
        .query_row(
            "SELECT password_hash, totp_sealed, totp_step FROM user WHERE id = ?1 AND NOT disabled",
            [name],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, Option<Vec<u8>>>(1)?, r.get::<_, Option<i64>>(2)?)),
        )
        .optional()?;
    Ok(match row {
        Some((hash, totp_sealed, step)) => {
            Factors { hash: Some(hash), totp_sealed, last_step: step.and_then(|s| u64::try_from(s).ok()) }
        }
        None => Factors { hash: None, totp_sealed: None, last_step: None },
    })
}

/// Counts a failure and gives the refusal.
fn fail(t: &Transaction<'_>, name: &str, now: Timestamp) -> ApiResult<ApiError> {
    let count: i64 = t.query_row(
        "INSERT INTO sign_in_failure (username, count) VALUES (?1, 1)
         ON CONFLICT (username) DO UPDATE SET count = count + 1 RETURNING count",
        [name],
        |r| r.get(0),
    )?;
    if count >= FREE_FAILURES {
        let doublings = u32::try_from(count - FREE_FAILURES).unwrap_or(u32::MAX).min(16);
        let seconds = (FIRST_LOCK_SECONDS << doublings).min(LONGEST_LOCK_SECONDS);
        let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        t.execute("UPDATE sign_in_failure SET locked_until = ?2 WHERE username = ?1", [name, &stamp(until)])?;
    }
    Ok(ProblemType::SignInRefused.into())
}

/// Marks a step of the one-time password as used; `false` if it was used meanwhile.
fn use_step(t: &Transaction<'_>, user: &str, step: u64) -> ApiResult<bool> {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let changed = t.execute(
        "UPDATE user SET totp_step = ?2 WHERE id = ?1 AND (totp_step IS NULL OR totp_step < ?2)",
        params![user, step],
    )?;
    Ok(changed == 1)
}

/// Checks and uses up a one-time password of a signed-in person; counts a failure like a sign-in.
pub(super) fn second_factor(
    t: &Transaction<'_>,
    center: &Center,
    user: &str,
    otp: &str,
    now: Timestamp,
) -> ApiResult<Result<(), ApiError>> {
    locked(t, user, now)?;
    let factors = factors(t, user)?;
    let step = match factors.totp_sealed {
        Some(sealed) => {
            let secret = TotpSecret::from_bytes(&center.pki().unseal(&format!("totp:{user}"), &sealed)?);
            secret.map_err(Error::from)?.check(otp, unix_seconds(now), factors.last_step)
        }
        None => None,
    };
    match step {
        Some(step) if use_step(t, user, step)? => Ok(Ok(())),
        _ => {
            fail(t, user, now)?;
            Ok(Err(ProblemType::SecondFactorNeeded.into()))
        }
    }
}

async fn refresh(center: &Center, token: &str) -> ApiResult<TokenResponse> {
    let hash = digest::sha256_hex(token.as_bytes());
    let center_ = center.clone();
    center.db().write(move |t| rotate(t, &center_, &hash)).await?
}

fn rotate(t: &Transaction<'_>, center: &Center, hash: &str) -> ApiResult<Result<TokenResponse, ApiError>> {
    let now = stamp(center.now());
    let row = t
        .query_row(
            "SELECT r.session_id, r.generation, s.user_id, s.expires_at > ?2 AND s.ended_at IS NULL
             FROM refresh_token r JOIN session s ON s.id = r.session_id WHERE r.sha256 = ?1",
            [hash, &now],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(2)?, r.get::<_, bool>(3)?)),
        )
        .optional()?;
    let ended = || Ok(Err(ProblemType::SessionEnded.into()));
    let Some((session, generation, user, alive)) = row else { return ended() };
    let Some(user) = users::get(t, &user)? else { return ended() };
    if !alive {
        return ended();
    }
    let successor_used: bool = t.query_row(
        "SELECT EXISTS (SELECT 1 FROM refresh_token WHERE session_id = ?1 AND generation > ?2 AND used)
             OR EXISTS (SELECT 1 FROM access_token WHERE session_id = ?1 AND generation > ?2 AND used)",
        params![session, generation],
        |r| r.get(0),
    )?;
    if successor_used {
        // Two parties hold tokens of this session: one of them stole it. The commit keeps the end.
        t.execute("UPDATE session SET ended_at = ?2 WHERE id = ?1", [&session, &now])?;
        tracing::warn!("a refresh token came back after its successor was used: session ended");
        return ended();
    }
    t.execute("UPDATE refresh_token SET used = 1 WHERE sha256 = ?1", [hash])?;
    for table in ["refresh_token", "access_token"] {
        let sql = format!("DELETE FROM {table} WHERE session_id = ?1 AND generation > ?2");
        t.execute(&sql, params![session, generation])?;
    }
    t.execute("DELETE FROM access_token WHERE expires_at <= ?1", [&now])?;
    Ok(Ok(issue(t, center, &session, user, generation + 1)?))
}

fn issue(t: &Transaction<'_>, center: &Center, session: &str, user: User, generation: i64) -> ApiResult<TokenResponse> {
    let access_token = random::random_token().map_err(Error::from)?;
    let refresh_token = random::random_token().map_err(Error::from)?;
    let seconds = center.config().access_seconds;
    let now = center.now();
    let ends = now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
    t.execute(
        "INSERT INTO access_token (sha256, session_id, generation, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![digest::sha256_hex(access_token.as_bytes()), session, generation, stamp(ends)],
    )?;
    t.execute(
        "INSERT INTO refresh_token (sha256, session_id, generation) VALUES (?1, ?2, ?3)",
        params![digest::sha256_hex(refresh_token.as_bytes()), session, generation],
    )?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: seconds.into(),
        refresh_token,
        user,
        server_time: now,
    })
}
