//! What can go wrong, and how it is answered: a [`Problem`] in the caller's language.

use crate::center::contract::{Language, PROBLEM_MEDIA_TYPE, Problem, ProblemType};
use crate::study::JsonFault;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Why the center could not start or an administrative command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database is of a newer program.
    #[error("the database has version {found}, this program knows up to {known}")]
    NewerDatabase {
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// A file or folder failed.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// Stored JSON cannot be read: the database was changed by something else.
    #[error("stored data cannot be read: {0}")]
    Stored(#[from] JsonFault),
    /// Certificates or keys.
    #[error("certificates: {0}")]
    Certificates(#[from] crate::vault::ca::CaError),
    /// A key.
    #[error("key: {0}")]
    Key(#[from] crate::vault::keys::KeyError),
    /// A secret in the database does not open.
    #[error("secrets: {0}")]
    Seal(#[from] crate::vault::seal::SealError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] crate::vault::tls::TlsError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] crate::vault::random::RandomError),
    /// A receipt could not be signed.
    #[error("signing: {0}")]
    Sign(#[from] crate::vault::signature::SignError),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] crate::vault::password::PasswordError),
    /// A second factor.
    #[error(transparent)]
    Totp(#[from] crate::vault::totp::TotpSecretError),
    /// What was asked is refused; the text says why.
    #[error("{0}")]
    Refused(String),
    /// A part of the program ended unexpectedly.
    #[error("the work was not finished: {0}")]
    Interrupted(String),
}

impl Error {
    /// For `map_err` on file operations.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    fn no_space(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            Self::Database(rusqlite::Error::SqliteFailure(e, _)) => e.code == rusqlite::ErrorCode::DiskFull,
            _ => false,
        }
    }
}

/// An answer that is a problem. `detail` is English and never holds patient data.
#[derive(Clone)]
pub struct ApiError {
    /// Type.
    pub kind: ProblemType,
    /// What was wrong this time.
    pub detail: Option<String>,
    /// Further members.
    pub members: Map<String, Value>,
}

impl std::fmt::Debug for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiError").field("kind", &self.kind).field("detail", &self.detail).finish_non_exhaustive()
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.slug())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

/// What handlers give.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// With a detail.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), members: Map::new() }
    }

    /// With a further member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The problem for people who read `language`.
    pub fn problem(&self, language: Language) -> Problem {
        let mut problem = Problem::new(self.kind, language);
        problem.detail.clone_from(&self.detail);
        problem.members.clone_from(&self.members);
        problem
    }
}

impl From<ProblemType> for ApiError {
    fn from(kind: ProblemType) -> Self {
        Self { kind, detail: None, members: Map::new() }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        if error.no_space() {
            tracing::error!(%error, "no space left");
            return ProblemType::StorageFull.into();
        }
        match error {
            Error::Refused(why) => Self::new(ProblemType::Invalid, why),
            other => {
                // The caller learns only that the center failed; the cause is for the center's own log.
                tracing::error!(error = %other, "request failed");
                ProblemType::Internal.into()
            }
        }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Stored(error.into())
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(self.kind);
        response.extensions_mut().insert(self);
        response
    }
}

fn status(kind: ProblemType) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The layer that writes problems in the language of the request; also those of axum's own refusals (404, 405, 413 …).
pub async fn write_problems(request: Request, next: Next) -> Response {
    let language = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .map_or(Language::En, Language::from_accept_language);
    let response = next.run(request).await;
    let error = match response.extensions().get::<ApiError>() {
        Some(error) => error.clone(),
        None if response.headers().contains_key(header::CONTENT_TYPE)
            && !(response.status().is_client_error() && is_plain_text(&response)) =>
        {
            return response;
        }
        None => match response.status() {
            StatusCode::BAD_REQUEST => ProblemType::BadRequest.into(),
            StatusCode::NOT_FOUND => ProblemType::NotFound.into(),
            StatusCode::METHOD_NOT_ALLOWED => ProblemType::MethodNotAllowed.into(),
            StatusCode::PAYLOAD_TOO_LARGE => ProblemType::TooLarge.into(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemType::UnsupportedMediaType.into(),
            StatusCode::UNPROCESSABLE_ENTITY => ProblemType::Invalid.into(),
            StatusCode::INTERNAL_SERVER_ERROR => ProblemType::Internal.into(),
            _ => return response,
        },
    };
    answer(&error, language, response)
}

fn is_plain_text(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("text/plain"))
}

fn answer(error: &ApiError, language: Language, original: Response) -> Response {
    let problem = error.problem(language);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status(error.kind);
    // Headers that the handler set (ETag of the current version, Allow) stay.
    for (name, value) in original.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(match language {
            Language::Ja => "ja",
            Language::En => "en",
        }),
    );
    if let Some(seconds) = problem.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.kind.status() == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
