//! What can go wrong on the way to a center or archive, by what can be done about it.

use super::contract::{Problem, ProblemType};

/// Why an answer was not had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CenterError {
    /// Not reached, cut off, too slow, or the other side is out of order for now. Worth another attempt.
    #[error("not reached: {0}")]
    Offline(String),
    /// The other side is not who it should be, or speaks no acceptable TLS.
    #[error("the connection is not trusted: {0}")]
    Untrusted(String),
    /// Nobody is signed in (any more).
    #[error("the session has ended")]
    SessionEnded,
    /// This was not sent: it is the work of a reader who is not signed in now. It waits for that reader.
    #[error("not sent: another reader is signed in")]
    OtherReader,
    /// The center refused, with its reason.
    #[error("refused: {}", .0.detail.as_deref().unwrap_or(&.0.title))]
    Refused(Box<Problem>),
    /// An archive refused (it speaks no problem types).
    #[error("the archive answered {0}")]
    Status(u16),
    /// An answer that cannot be what was asked for.
    #[error("unusable answer: {0}")]
    Protocol(String),
    /// This was never sent: it would have gone where it must not go.
    #[error("not sent: {0}")]
    Forbidden(&'static str),
    /// The secret store failed.
    #[error("secret store: {0}")]
    Secret(String),
}

impl CenterError {
    /// Whether the same request may succeed a little later without anybody doing anything.
    pub fn worth_retrying(&self) -> bool {
        match self {
            Self::Offline(_) => true,
            Self::Status(code) => matches!(code, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Refused(problem) => matches!(problem.status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The contract's type of a refusal.
    pub fn problem_type(&self) -> Option<ProblemType> {
        match self {
            Self::Refused(problem) => problem.problem_type(),
            _ => None,
        }
    }

    /// Seconds that the other side asked to wait.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused(problem) => problem.retry_after(),
            _ => None,
        }
    }
}

impl From<reqwest::Error> for CenterError {
    fn from(error: reqwest::Error) -> Self {
        // The address is left out: paths hold UIDs. The causes say what happened.
        let mut words = Vec::new();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        let mut certificate = false;
        while let Some(this) = cause {
            let text = this.to_string();
            certificate |= text.contains("invalid peer certificate") || text.contains("InvalidCertificate");
            if !text.contains("://") {
                words.push(text);
            }
            cause = this.source();
        }
        let detail = words.last().cloned().unwrap_or_else(|| "no connection".to_owned());
        if certificate {
            Self::Untrusted(detail)
        } else if error.is_builder() || error.is_redirect() {
            Self::Protocol(detail)
        } else if error.is_timeout() {
            Self::Offline("no answer in time".to_owned())
        } else {
            Self::Offline(detail)
        }
    }
}
