//! Small things of HTTP that several handlers need: JSON bodies, entity tags, and answers that can be kept and given again.

use super::error::{ApiError, ApiResult};
use super::state::{Center, stamp};
use crate::center::contract::{ProblemType, headers as names};
use crate::study::hidden_debug;
use crate::vault::digest;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer as it can be stored: status, a few headers, body.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

hidden_debug!(Answer { status });

impl Answer {
    /// JSON.
    pub fn json<T: Serialize>(status: StatusCode, value: &T) -> ApiResult<Self> {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Ok(Self { status: status.as_u16(), headers, body: serde_json::to_vec(value)? })
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }

    /// With an `ETag`.
    #[must_use]
    pub fn etag(self, etag: &str) -> Self {
        self.with(header::ETAG, format!("\"{etag}\""))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// Reads a JSON body of the stated media type. The problem's detail never repeats the body.
pub fn json_body<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> ApiResult<T> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ProblemType::UnsupportedMediaType.into());
    }
    serde_json::from_slice(body).map_err(|e| {
        let what = match e.classify() {
            serde_json::error::Category::Data => ProblemType::Invalid,
            _ => ProblemType::BadRequest,
        };
        ApiError::new(what, format!("the JSON does not fit at line {} column {}", e.line(), e.column()))
    })
}

/// What a conditional request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No condition.
    None,
    /// `If-Match` with these tags.
    Match(Vec<String>),
    /// `If-Match: *`.
    Exists,
    /// `If-None-Match: *`.
    Absent,
}

impl Condition {
    /// From the headers.
    pub fn from_headers(headers: &HeaderMap) -> ApiResult<Self> {
        let text = |name: HeaderName| headers.get(name).map(|v| v.to_str().map(str::trim));
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (None, None) => Ok(Self::None),
            (Some(Ok("*")), None) => Ok(Self::Exists),
            (None, Some(Ok("*"))) => Ok(Self::Absent),
            (Some(Ok(tags)), None) => {
                Ok(Self::Match(tags.split(',').map(|t| t.trim().trim_matches('"').to_owned()).collect()))
            }
            _ => Err(ApiError::new(ProblemType::BadRequest, "If-Match or If-None-Match: * is expected")),
        }
    }

    /// Whether the current version (`None`: there is none) fulfils it.
    pub fn holds(&self, current: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => current.is_some(),
            Self::Absent => current.is_none(),
            Self::Match(tags) => current.is_some_and(|c| tags.iter().any(|t| t == c)),
        }
    }
}

/// One POST by its idempotency key.
#[derive(Debug, Clone)]
pub struct Once {
    user: String,
    key: String,
    request: String,
    body_sha256: String,
}

impl Once {
    /// From the headers; the key is required.
    pub fn new(user: &str, request: String, headers: &HeaderMap, body: &[u8]) -> ApiResult<Self> {
        let key = headers
            .get(names::IDEMPOTENCY_KEY)
            .and_then(|v| v.to_str().ok())
            .map(str::trim)
            .ok_or(ProblemType::IdempotencyKeyMissing)?;
        if key.is_empty() || key.len() > 128 {
            return Err(ApiError::new(ProblemType::BadRequest, "Idempotency-Key has 1 to 128 characters"));
        }
        Ok(Self { user: user.to_owned(), key: key.to_owned(), request, body_sha256: digest::sha256_hex(body) })
    }

    /// Gives the earlier answer, or does `work` and keeps its answer in the same transaction. Problems are not kept: the same
    /// request may succeed later.
    pub fn run(
        &self,
        t: &Transaction<'_>,
        center: &Center,
        work: impl FnOnce() -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        if let Some(answer) = self.earlier(t)? {
            return Ok(answer);
        }
        let answer = work()?;
        t.execute(
            "INSERT INTO idempotency (user_id, key, request, body_sha256, status, headers, body, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.user,
                self.key,
                self.request,
                self.body_sha256,
                answer.status,
                serde_json::to_string(&answer.headers)?,
                answer.body,
                stamp(center.now()),
            ],
        )?;
        Ok(answer)
    }

    /// The answer given before to the same request, if there is one.
    pub fn earlier(&self, t: &Transaction<'_>) -> ApiResult<Option<Answer>> {
        let row = t
            .query_row(
                "SELECT request, body_sha256, status, headers, body FROM idempotency WHERE user_id = ?1 AND key = ?2",
                [&self.user, &self.key],
                |r| {
                    Ok((
                        r.get::<_, String>(0)?,
                        r.get::<_, String>(1)?,
                        r.get::<_, u16>(2)?,
                        r.get::<_, String>(3)?,
                        r.get::<_, Vec<u8>>(4)?,
                    ))
                },
            )
            .optional()?;
        let Some((request, body_sha256, status, headers, body)) = row else { return Ok(None) };
        if request != self.request || body_sha256 != self.body_sha256 {
            return Err(ProblemType::IdempotencyKeyReused.into());
        }
        let mut headers: Vec<(String, String)> = serde_json::from_str(&headers)?;
        headers.push((names::REPLAYED.to_owned(), "true".to_owned()));
        Ok(Some(Answer { status, headers, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        let mut headers = HeaderMap::new();
        assert_eq!(Condition::from_headers(&headers).expect("none"), Condition::None);
        headers.insert(header::IF_MATCH, HeaderValue::from_static("\"3\", \"4\""));
        let condition = Condition::from_headers(&headers).expect("match");
        assert!(condition.holds(Some("4")) && !condition.holds(Some("5")) && !condition.holds(None));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert!(Condition::from_headers(&headers).is_err());
        headers.remove(header::IF_MATCH);
        let condition = Condition::from_headers(&headers).expect("absent");
        assert!(condition.holds(None) && !condition.holds(Some("1")));
    }
}
