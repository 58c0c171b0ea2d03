//! Tokens. The access token lies in memory, the refresh token in the secret store and nowhere else.

use super::CenterError;
use super::client::{Call, CenterClient, json};
use super::contract::{ProblemType, SigningCertificate, SigningCertificateRequest, TokenRequest, TokenResponse, paths};
use crate::vault::digest::sha256_hex;
use crate::vault::secrets::SecretStore;
use reqwest::Method;
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Name of a center's refresh token in the secret store. Address and CA are part of it: a token never goes to
/// another center than the one that gave it.
pub fn refresh_token_name(base_url: &str, ca_pem: &str) -> String {
    let center = sha256_hex(format!("{base_url}\0{ca_pem}").as_bytes());
    format!("refresh-token-{}", &center[..32])
}

/// An access token with its reader (user id) and the number of its refresh. Hidden in Debug output, wiped when dropped.
#[derive(Clone)]
pub struct AccessToken {
    text: Zeroizing<String>,
    user: String,
    generation: u64,
}

impl AccessToken {
    /// Whose requests it authorises.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Holder of one reader's tokens. Whoever refreshes holds the lock, so that several requests that meet an
/// ended token refresh once.
pub struct Session {
    secrets: Arc<dyn SecretStore>,
    name: String,
    access: Mutex<Option<AccessToken>>,
    failure: std::sync::Mutex<Failure>,
}

/// How the last refresh failed, for those who waited for it: on a dead line they must not fail one after the other.
#[derive(Default)]
struct Failure {
    count: u64,
    last: Option<CenterError>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

impl Session {
    /// No token yet; `secrets` may hold a refresh token from before, of the center at `base_url` under `ca_pem`.
    pub fn new(secrets: Arc<dyn SecretStore>, base_url: &str, ca_pem: &str) -> Self {
        Self {
            secrets,
            name: refresh_token_name(base_url, ca_pem),
            access: Mutex::new(None),
            failure: std::sync::Mutex::default(),
        }
    }

    /// Puts a token in place, as if a refresh had given it.
    #[cfg(test)]
    pub(super) fn hold(&self, text: &str, user: &str, generation: u64) {
        let token = AccessToken { text: Zeroizing::new(text.to_owned()), user: user.to_owned(), generation };
        *self.access.try_lock().expect("nobody refreshes") = Some(token);
    }

    /// The access token, fetched with the refresh token where there is none.
    pub(super) async fn access_token(&self, center: &CenterClient) -> Result<AccessToken, CenterError> {
        let before = self.failures().count;
        let mut held = self.access.lock().await;
        if let Some(token) = &*held {
            return Ok(token.clone());
        }
        self.failed_since(before)?;
        self.refresh(center, &mut held, 0).await
    }

    /// A newer token than `ended`, or that of who signed in since; one request is made however many ask.
    pub(super) async fn refreshed(
        &self,
        center: &CenterClient,
        ended: &AccessToken,
    ) -> Result<AccessToken, CenterError> {
        let before = self.failures().count;
        let mut held = self.access.lock().await;
        match &*held {
            Some(token) if token.generation > ended.generation || token.user != ended.user => Ok(token.clone()),
            _ => {
                self.failed_since(before)?;
                self.refresh(center, &mut held, ended.generation).await
            }
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Failure> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The failure of a refresh that ended while this one waited for its turn.
    fn failed_since(&self, before: u64) -> Result<(), CenterError> {
        let failure = self.failures();
        match &failure.last {
            Some(error) if failure.count > before => Err(error.clone()),
            _ => Ok(()),
        }
    }

    async fn refresh(
        &self,
        center: &CenterClient,
        held: &mut Option<AccessToken>,
        generation: u64,
    ) -> Result<AccessToken, CenterError> {
        let stored = self.secret(|s, name| s.get(name)).await?.ok_or(CenterError::SessionEnded)?;
        let refresh_token = std::str::from_utf8(&stored).map_err(|_| CenterError::SessionEnded)?.to_owned();
        let answer = request_tokens(center, &TokenRequest::RefreshToken { refresh_token }).await;
        match answer {
            Ok(tokens) => self.keep(held, tokens, generation).await.map(|(token, _)| token),
            Err(error) => {
                let ended = matches!(
                    error.problem_type(),
                    Some(ProblemType::SessionEnded | ProblemType::TokenInvalid | ProblemType::SignInRefused)
                );
                if ended {
                    *held = None;
                    self.secret(|s, name| s.delete(name)).await?;
                    return Err(CenterError::SessionEnded);
                }
                let mut failure = self.failures();
                failure.count += 1;
                failure.last = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The refresh token is stored before the access token is used: after a crash the newest one counts.
    async fn keep(
        &self,
        held: &mut Option<AccessToken>,
        tokens: TokenResponse,
        generation: u64,
    ) -> Result<(AccessToken, TokenResponse), CenterError> {
        let refresh = Zeroizing::new(tokens.refresh_token.clone());
        self.secret(move |s, name| s.set(name, refresh.as_bytes())).await?;
        let token = AccessToken {
            text: Zeroizing::new(tokens.access_token.clone()),
            user: tokens.user.id.clone(),
            generation: generation + 1,
        };
        *held = Some(token.clone());
        Ok((token, tokens))
    }

    /// The secret store may block (a keyring prompt): never on an async worker.
    async fn secret<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn SecretStore, &str) -> Result<T, crate::vault::secrets::SecretError> + Send + 'static,
    ) -> Result<T, CenterError> {
        let (secrets, name) = (Arc::clone(&self.secrets), self.name.clone());
        tokio::task::spawn_blocking(move || work(secrets.as_ref(), &name))
            .await
            .map_err(|e| CenterError::Secret(e.to_string()))?
            .map_err(|e| CenterError::Secret(e.to_string()))
    }
}

async fn request_tokens(center: &CenterClient, request: &TokenRequest) -> Result<TokenResponse, CenterError> {
    let body = Zeroizing::new(form(request));
    let call = Call::new(Method::POST, paths::TOKEN)
        .body("application/x-www-form-urlencoded", bytes::Bytes::copy_from_slice(body.as_bytes()));
    json(center.send_anonymous(&call).await?).await
}

fn form(request: &TokenRequest) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    match request {
        TokenRequest::Password { username, password, otp } => {
            out.append_pair("grant_type", "password")
                .append_pair("username", username)
                .append_pair("password", password)
                .append_pair("otp", otp);
        }
        TokenRequest::RefreshToken { refresh_token } => {
            out.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh_token);
        }
    }
    out.finish()
}

impl CenterClient {
    /// Signs in with both factors; the tokens are kept.
    pub async fn sign_in(&self, user: &str, password: &str, otp: &str) -> Result<TokenResponse, CenterError> {
        let request =
            TokenRequest::Password { username: user.to_owned(), password: password.to_owned(), otp: otp.to_owned() };
        let tokens = request_tokens(self, &request).await?;
        let mut held = self.session.access.lock().await;
        let generation = held.as_ref().map_or(0, |t| t.generation);
        self.session.keep(&mut held, tokens, generation).await.map(|(_, tokens)| tokens)
    }

    /// Ends the session at the center where it can be reached, and here in any case.
    pub async fn sign_out(&self) -> Result<(), CenterError> {
        // The access token names the session; one that has ended meanwhile is renewed for this last request.
        let revoked = match self.send(&Call::new(Method::POST, paths::REVOKE)).await {
            // There is no session to end.
            Ok(_) | Err(CenterError::SessionEnded) => Ok(()),
            Err(error) => Err(error),
        };
        self.forget().await?;
        revoked
    }

    /// Forgets the tokens here, whatever the center knows.
    pub async fn forget(&self) -> Result<(), CenterError> {
        self.session.secret(|s, name| s.delete(name)).await?;
        // A refresh under way holds the lock for as long as the line lets it; it finds no secret afterwards.
        *self.session.access.lock().await = None;
        Ok(())
    }

    /// Has the terminal's signing key certified.
    pub async fn certify(&self, request: &SigningCertificateRequest) -> Result<SigningCertificate, CenterError> {
        let call = Call::new(Method::POST, paths::SIGNING_CERTIFICATES).json(request)?.idempotent(None)?;
        self.json(&call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_center_has_a_token_of_its_own() {
        let names = [("https://a", "ca 1"), ("https://a", "ca 2"), ("https://b", "ca 1")]
            .map(|(url, ca)| refresh_token_name(url, ca));
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
        assert_eq!(names[0], refresh_token_name("https://a", "ca 1"));
    }

    #[test]
    fn form_fields_are_escaped() {
        let request =
            TokenRequest::Password { username: "dr".into(), password: "a&b=ç ".into(), otp: "012345".into() };
        assert_eq!(form(&request), "grant_type=password&username=dr&password=a%26b%3D%C3%A7+&otp=012345");
    }
}
