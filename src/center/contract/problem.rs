//! Problems (RFC 9457, `application/problem+json`): a stable type, and a title for people in the language they asked for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

const BASE: &str = "https://dokuei.invalid/problems/";

/// Languages of titles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
}

impl Language {
    /// The better one for an `Accept-Language` header (RFC 9110 12.5.4); English where it says nothing of Japanese.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0.0_f32, Self::En);
        for entry in header.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight =
                parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            let language = match tag.split('-').next() {
                Some("ja") => Self::Ja,
                Some("en" | "*") => Self::En,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $ja:literal, $en:literal;)*) => {
        /// Every type of problem that this contract knows, with its HTTP status and titles.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemType { $($(#[$doc])* $name,)* }

        impl ProblemType {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Last part of the type's URI.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }
            /// HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
            /// Title for people.
            pub fn title(self, language: Language) -> &'static str {
                match (self, language) { $(
                    (Self::$name, Language::Ja) => $ja,
                    (Self::$name, Language::En) => $en,
                )* }
            }
        }
    };
}

problem_types! {
    /// The request cannot be understood.
    BadRequest = "bad-request", 400, "要求の形式が正しくありません", "The request cannot be understood";
    /// A POST without idempotency key.
    IdempotencyKeyMissing = "idempotency-key-missing", 400, "Idempotency-Key がありません", "The request has no Idempotency-Key";
    /// User id, password or one-time password wrong, or the one-time password was used already.
    SignInRefused = "sign-in-refused", 401, "ユーザーID、パスワード、ワンタイムパスワードのいずれかが正しくありません", "User name, password or one-time password is wrong";
    /// Too many failures; `retry_after` seconds.
    SignInLocked = "sign-in-locked", 429, "失敗が続いたため、しばらくサインインできません", "Too many failed attempts: wait before signing in again";
    /// Access token missing, unknown or ended: refresh and try again.
    TokenInvalid = "token-invalid", 401, "認証の有効期限が切れました", "The access token has ended";
    /// Refresh token ended, used twice or revoked: sign in again.
    SessionEnded = "session-ended", 401, "セッションが終了しました。もう一度サインインしてください", "The session has ended: sign in again";
    /// A fresh second factor is needed.
    SecondFactorNeeded = "second-factor-needed", 403, "ワンタイムパスワードをもう一度入力してください", "Enter a one-time password again";
    /// Not allowed for this person.
    Forbidden = "forbidden", 403, "この操作は許可されていません", "You are not allowed to do this";
    /// No such thing, or not for this reader.
    NotFound = "not-found", 404, "見つかりません", "Not found";
    /// The path knows other methods only.
    MethodNotAllowed = "method-not-allowed", 405, "この方法では要求できません", "This method is not possible here";
    /// No representation fits `Accept`.
    NotAcceptable = "not-acceptable", 406, "要求された形式では返せません", "None of the accepted formats is available";
    /// The state does not allow the transition; member `current` holds the assignment.
    StateConflict = "state-conflict", 409, "現在の状態ではこの操作はできません", "The assignment's state does not allow this";
    /// The lease is over or somebody else's.
    LeaseLost = "lease-lost", 409, "この依頼の読影権が失われました", "Your lease on this assignment is lost";
    /// Signing is stopped since another patient is suspected.
    WrongPatientSuspected = "wrong-patient-suspected", 409, "患者誤認の疑いがあるため、署名は停止されています", "Signing is stopped: wrong patient suspected";
    /// The predecessor named is not the newest version; member `current` holds it.
    Superseded = "superseded", 409, "より新しい版のレポートがあります", "There is a newer version of this report";
    /// The audit chain has a gap or differs; member `current` holds the center's head.
    AuditChainBroken = "audit-chain-broken", 409, "監査記録の連鎖が一致しません", "The audit chain does not fit";
    /// `If-Match` names an older version; member `current` holds the newest.
    VersionConflict = "version-conflict", 412, "別の端末で更新されています", "It was changed elsewhere";
    /// Body too large.
    TooLarge = "too-large", 413, "データが大きすぎます", "The data are too large";
    /// Body of another media type.
    UnsupportedMediaType = "unsupported-media-type", 415, "この形式のデータは受け付けられません", "This media type is not accepted";
    /// Well formed, but not valid; `detail` says what.
    Invalid = "invalid", 422, "内容が正しくありません", "The content is not valid";
    /// The idempotency key came with another body before.
    IdempotencyKeyReused = "idempotency-key-reused", 422, "同じ Idempotency-Key が別の内容で使われています", "The Idempotency-Key was used with another body";
    /// Signature, certificate or chain is not valid.
    SignatureInvalid = "signature-invalid", 422, "電子署名を検証できません", "The signature cannot be verified";
    /// Signed by somebody else than the assigned reader.
    SignerMismatch = "signer-mismatch", 422, "署名者が担当の読影医ではありません", "The signer is not the assigned reader";
    /// Attachments differ from what `report.json` names.
    AttachmentMismatch = "attachment-mismatch", 422, "添付ファイルが署名された内容と一致しません", "The attachments differ from what was signed";
    /// `report.json` is about something else than the assignment.
    ReportMismatch = "report-mismatch", 422, "レポートの内容が依頼と一致しません", "The report does not fit the assignment";
    /// Slow down; `retry_after` seconds.
    TooManyRequests = "too-many-requests", 429, "要求が多すぎます。しばらくお待ちください", "Too many requests: wait a moment";
    /// The center failed; the client may try again.
    Internal = "internal", 500, "センター側で問題が発生しました", "The center has a problem";
    /// Stopping or overloaded; the client may try again.
    Unavailable = "unavailable", 503, "センターは現在利用できません", "The center is not available now";
    /// No space at the center.
    StorageFull = "storage-full", 507, "センターの保存領域が不足しています", "The center has no space left";
}

impl ProblemType {
    /// The stable URI.
    pub fn uri(self) -> String {
        format!("{BASE}{}", self.slug())
    }

    /// The type with this URI.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let slug = uri.strip_prefix(BASE)?;
        Self::ALL.iter().copied().find(|t| t.slug() == slug)
    }
}

/// A problem on the wire. `members` holds the type's further members: `current` (the version that won a race), `retry_after`
/// (seconds).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable URI ([`ProblemType::uri`]), or `about:blank` from a proxy.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// For people.
    #[serde(default)]
    pub title: String,
    /// HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What was wrong this time, for people who look after the machines; English, without patient data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Further members.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem of a type.
    pub fn new(kind: ProblemType, language: Language) -> Self {
        Self {
            kind: kind.uri(),
            title: kind.title(language).to_owned(),
            status: kind.status(),
            detail: None,
            members: Map::new(),
        }
    }

    /// Its type, where it is one of this contract.
    pub fn problem_type(&self) -> Option<ProblemType> {
        ProblemType::from_uri(&self.kind)
    }

    /// The version that won, where there is one.
    pub fn current(&self) -> Option<&Value> {
        self.members.get("current")
    }

    /// Seconds to wait, where stated.
    pub fn retry_after(&self) -> Option<u64> {
        self.members.get("retry_after").and_then(Value::as_u64)
    }
}

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `current` may hold an assignment or a draft.
        f.debug_struct("Problem")
            .field("type", &self.kind)
            .field("status", &self.status)
            .field("detail", &self.detail)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_unique_and_read_back() {
        for kind in ProblemType::ALL {
            assert_eq!(ProblemType::from_uri(&kind.uri()), Some(*kind));
            assert!((400..600).contains(&kind.status()));
        }
        assert_eq!(ProblemType::from_uri("about:blank"), None);
    }

    #[test]
    fn language_follows_the_weights() {
        for (header, expected) in [
            ("ja", Language::Ja),
            ("ja-JP,en;q=0.8", Language::Ja),
            ("en-GB,ja;q=0.9", Language::En),
            ("fr, ja;q=0.5, en;q=0.4", Language::Ja),
            ("de", Language::En),
            ("", Language::En),
            ("ja;q=0", Language::En),
        ] {
            assert_eq!(Language::from_accept_language(header), expected, "{header}");
        }
    }

    #[test]
    fn wire_form_keeps_further_members_and_hides_them_in_debug() {
        let mut problem = Problem::new(ProblemType::VersionConflict, Language::Ja);
        problem.members.insert("current".into(), serde_json::json!({"draft": "secret"}));
        let text = serde_json::to_string(&problem).expect("json");
        assert!(text.contains("\"type\":\"https://dokuei.invalid/problems/version-conflict\""), "{text}");
        let back: Problem = serde_json::from_str(&text).expect("json");
        assert_eq!(back, problem);
        assert_eq!(back.problem_type(), Some(ProblemType::VersionConflict));
        assert!(!format!("{back:?}").contains("secret"));
    }
}
