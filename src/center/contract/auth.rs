//! Sign-in and signing certificates.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person may be at the center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// Reads.
    Reader,
    /// Second reader of double readings.
    SecondReader,
    /// Resolves discordance.
    Arbiter,
    /// Checks requests and assigns; never edits clinical text.
    Coordinator,
    /// Users and terminals; no reading.
    Admin,
}

/// A person at the center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Opaque id; also the sign-in name, and `UID` in the signing certificate's subject.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Roles.
    pub roles: Vec<UserRole>,
}

/// `POST /oauth/token`, `application/x-www-form-urlencoded`. Debug output hides everything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub enum TokenRequest {
    /// Two factors of the person.
    Password {
        /// User id.
        username: String,
        /// First factor.
        password: String,
        /// Second factor: six digits of now; each is accepted once.
        otp: String,
    },
    /// The refresh token of the last answer; the answer holds the next one.
    RefreshToken {
        /// It. Using one again after its successor was used ends the whole session.
        refresh_token: String,
    },
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenRequest(…)")
    }
}

/// Answer of the token endpoint. Debug output hides the tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Bearer token for this center's `/v1` and its own DICOMweb root; never sent elsewhere.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    /// For the next answer; lies in the keyring only.
    pub refresh_token: String,
    /// Who signed in.
    pub user: User,
    /// The center's clock.
    pub server_time: Timestamp,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// `POST /v1/signing-certificates`. Needs a fresh second factor: `otp`, or the enrolment code, or a sign-in with both factors
/// not longer ago than five minutes. Debug output hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningCertificateRequest {
    /// PKCS#10 request, PEM, P-256.
    pub csr: String,
    /// A one-time password not used before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otp: Option<String>,
    /// The code of the enrolment file; works once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment_code: Option<String>,
}

impl std::fmt::Debug for SigningCertificateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningCertificateRequest(…)")
    }
}

/// Answer: the certificate for the key of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningCertificate {
    /// PEM chain: the reader's certificate first, without the root.
    pub chain: String,
    /// PEM of the root.
    pub ca_certificate: String,
    /// End of the certificate.
    pub expires_at: Timestamp,
}
