//! One HTTP client per origin, and the authorised requests of the contract.
//!
//! The center is trusted by the CA of its enrolment file and by nothing else. A redirect is never followed:
//! what leaves this program goes to the origin it was meant for or nowhere.

use super::contract::{Discovery, PROBLEM_MEDIA_TYPE, Problem, headers, paths};
use super::session::{AccessToken, Session};
use super::{CenterError, Origin};
use crate::vault::random;
use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Largest JSON answer that is read.
const MAX_JSON_BYTES: usize = 64 * 1024 * 1024;
/// Largest problem document that is read.
const MAX_PROBLEM_BYTES: usize = 256 * 1024;

/// How patient a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer and for its next bytes.
    pub stall: Duration,
    /// The same where much is sent or worked on before the answer begins (submissions, images).
    pub bulk: Duration,
    /// For the next bytes of the event stream (it has signs of life).
    pub events: Duration,
    /// First pause before an idempotent request is repeated; doubles each time.
    pub backoff: Duration,
    /// Attempts of an idempotent request.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            stall: Duration::from_secs(10),
            bulk: Duration::from_secs(30),
            events: Duration::from_mins(1),
            backoff: Duration::from_millis(300),
            attempts: 3,
        }
    }
}

impl Patience {
    /// Pause before attempt `attempt` (from 1), with jitter of up to half, at most a minute.
    pub fn pause(&self, attempt: u32) -> Duration {
        let full = self.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(Duration::from_mins(1));
        // Without randomness the pause is simply whole: jitter protects the center, not a secret.
        let share = random::bytes::<1>().map_or(255, |b| b[0]);
        full / 2 + full.mul_f64(f64::from(share) / 510.0)
    }
}

/// Whom an HTTP client trusts.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// The system's roots (an archive with an ordinary certificate, or plain HTTP).
    #[default]
    System,
    /// These roots (PEM) and no others.
    Only(String),
    /// The same, with TLS 1.3 at least: the reading center (domain reference §10).
    Center(String),
}

/// A reqwest client with our rules.
pub(super) fn http(trust: &Trust, patience: Patience, stall: Duration) -> Result<Client, CenterError> {
    let mut builder = Client::builder()
        .user_agent(concat!("dokuei/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(patience.connect)
        .read_timeout(stall)
        .pool_idle_timeout(Duration::from_secs(20));
    if let Trust::Only(pem) | Trust::Center(pem) = trust {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes())?;
        if roots.is_empty() {
            return Err(CenterError::Untrusted("there is no CA certificate to trust".to_owned()));
        }
        builder = builder.tls_certs_only(roots).https_only(true);
    }
    if let Trust::Center(_) = trust {
        builder = builder.tls_version_min(reqwest::tls::Version::TLS_1_3);
    }
    Ok(builder.build()?)
}

/// Language of titles in the center's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerLanguage {
    /// Japanese first.
    #[default]
    Ja,
    /// English first.
    En,
}

/// The reading center, seen from a terminal. Cheap to clone.
#[derive(Clone)]
pub struct CenterClient {
    http: Client,
    pub(super) bulk: Client,
    pub(super) streaming: Client,
    pub(super) origin: Origin,
    pub(super) session: Arc<Session>,
    patience: Patience,
    language: AnswerLanguage,
    trouble: Option<Arc<dyn Fn() + Send + Sync>>,
    /// User id of the only reader in whose name it asks.
    reader: Option<Arc<str>>,
}

impl std::fmt::Debug for CenterClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CenterClient").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A request that can be made again (for a fresh token, or after a cut connection).
pub(super) struct Call<'a> {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<(&'a str, bytes::Bytes)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: None }
    }
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Result<Self, CenterError> {
        let value = value.parse().map_err(|_| CenterError::Protocol(format!("{name} cannot be sent")))?;
        self.headers.insert(name, value);
        Ok(self)
    }
    pub(super) fn json<T: Serialize>(mut self, body: &T) -> Result<Self, CenterError> {
        let bytes = serde_json::to_vec(body).map_err(|e| CenterError::Protocol(e.to_string()))?;
        self.body = Some(("application/json", bytes.into()));
        Ok(self)
    }
    pub(super) fn body(mut self, media_type: &'a str, bytes: bytes::Bytes) -> Self {
        self.body = Some((media_type, bytes));
        self
    }
    /// The same key for each attempt of this call; a key of its own is made where the caller has none.
    pub(super) fn idempotent(self, key: Option<&str>) -> Result<Self, CenterError> {
        match key {
            Some(key) => self.header(headers::IDEMPOTENCY_KEY, key),
            None => {
                let key = random::random_id().map_err(|e| CenterError::Secret(e.to_string()))?;
                self.header(headers::IDEMPOTENCY_KEY, &key)
            }
        }
    }
}

impl CenterClient {
    /// A client for the center at `base_url` (https) under its own CA.
    pub fn new(base_url: &str, ca_pem: &str, session: Arc<Session>, patience: Patience) -> Result<Self, CenterError> {
        let origin = Origin::parse(base_url)?;
        let trust = Trust::Center(ca_pem.to_owned());
        Ok(Self {
            http: http(&trust, patience, patience.stall)?,
            bulk: http(&trust, patience, patience.bulk)?,
            streaming: http(&trust, patience, patience.events)?,
            origin,
            session,
            patience,
            language: AnswerLanguage::default(),
            trouble: None,
            reader: None,
        })
    }

    /// The same client for one reader's work (user id): under another reader's token nothing is sent, be it that
    /// the reader changed between two attempts ([`CenterError::OtherReader`]).
    #[must_use]
    pub fn in_name_of(mut self, reader: &str) -> Self {
        self.reader = Some(reader.into());
        self
    }

    /// The same client calling `trouble` as soon as the center is not reached, before any further attempt.
    #[must_use]
    pub fn telling(mut self, trouble: Arc<dyn Fn() + Send + Sync>) -> Self {
        self.trouble = Some(trouble);
        self
    }

    /// The same client asking for titles in another language.
    #[must_use]
    pub fn speaking(mut self, language: AnswerLanguage) -> Self {
        self.language = language;
        self
    }

    /// The tokens' holder.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The center's origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    fn build(&self, client: &Client, call: &Call<'_>, token: Option<&str>) -> RequestBuilder {
        let language = match self.language {
            AnswerLanguage::Ja => "ja, en;q=0.5",
            AnswerLanguage::En => "en, ja;q=0.5",
        };
        let mut request = client
            .request(call.method.clone(), self.origin.url(&call.path))
            .header(ACCEPT_LANGUAGE, language)
            .headers(call.headers.clone());
        if !call.headers.contains_key(ACCEPT) {
            request = request.header(ACCEPT, "application/json");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some((media_type, bytes)) = &call.body {
            request = request.header(CONTENT_TYPE, *media_type).body(bytes.clone());
        }
        request
    }

    /// Without a token: discovery and the token endpoint.
    pub(super) async fn send_anonymous(&self, call: &Call<'_>) -> Result<Response, CenterError> {
        checked(self.build(&self.http, call, None).send().await?).await
    }

    /// With the access token; a 401 is answered by one refresh and one repetition.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response, CenterError> {
        self.send_with(&self.http, call).await
    }

    pub(super) async fn send_with(&self, client: &Client, call: &Call<'_>) -> Result<Response, CenterError> {
        self.authorised(|token| self.build(client, call, Some(token))).await
    }

    /// What every authorised request does, whatever its address: a refused token is renewed once, and where the
    /// new one is refused as well the session has ended.
    async fn authorised(&self, build: impl Fn(&str) -> RequestBuilder) -> Result<Response, CenterError> {
        let token = self.own(self.session.access_token(self).await?)?;
        let answer = build(token.text()).send().await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return checked(answer).await;
        }
        let token = self.own(self.session.refreshed(self, &token).await?)?;
        let answer = build(token.text()).send().await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(CenterError::SessionEnded);
        }
        checked(answer).await
    }

    /// The token, if it is that of the reader for whom this client asks.
    fn own(&self, token: AccessToken) -> Result<AccessToken, CenterError> {
        match &self.reader {
            Some(reader) if **reader != *token.user() => Err(CenterError::OtherReader),
            _ => Ok(token),
        }
    }

    /// An idempotent call: repeated after a pause where that may help.
    pub(super) async fn send_patiently(&self, call: &Call<'_>) -> Result<Response, CenterError> {
        let mut attempt = 1;
        loop {
            match self.send(call).await {
                Err(error) if error.worth_retrying() && attempt < self.patience.attempts => {
                    if let (CenterError::Offline(_), Some(trouble)) = (&error, &self.trouble) {
                        trouble();
                    }
                    tokio::time::sleep(self.patience.pause(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// A GET of a whole address of the center's own origin (its DICOMweb root), with the access token.
    pub(super) async fn get_own(&self, url: &str, accept: &'static str) -> Result<Response, CenterError> {
        self.authorised(|token| self.bulk.get(url).header(ACCEPT, accept).bearer_auth(token)).await
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, CenterError> {
        json(self.send_patiently(call).await?).await
    }

    /// `GET /.well-known/reading-center`.
    pub async fn discover(&self) -> Result<Discovery, CenterError> {
        let mut attempt = 1;
        loop {
            let answer = async { json(self.send_anonymous(&Call::get(paths::DISCOVERY)).await?).await };
            match answer.await {
                Err(error) if CenterError::worth_retrying(&error) && attempt < self.patience.attempts => {
                    tokio::time::sleep(self.patience.pause(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }
}

/// Turns a status outside 2xx into the error that it means.
pub(super) async fn checked(answer: Response) -> Result<Response, CenterError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem = answer
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with(PROBLEM_MEDIA_TYPE));
    if problem {
        let bytes = capped(answer, MAX_PROBLEM_BYTES).await?;
        if let Ok(mut problem) = serde_json::from_slice::<Problem>(&bytes) {
            problem.status = status.as_u16();
            return Err(CenterError::Refused(Box::new(problem)));
        }
    }
    if status.is_redirection() {
        return Err(CenterError::Protocol("the server redirects, which is not followed".to_owned()));
    }
    Err(CenterError::Status(status.as_u16()))
}

/// The whole body, at most `limit` bytes.
pub(super) async fn capped(answer: Response, limit: usize) -> Result<Vec<u8>, CenterError> {
    let mut out = Vec::new();
    let mut stream = answer.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if out.len().saturating_add(chunk.len()) > limit {
            return Err(CenterError::Protocol("the answer is too large".to_owned()));
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out)
}

/// A JSON body.
pub(super) async fn json<T: DeserializeOwned>(answer: Response) -> Result<T, CenterError> {
    let bytes = capped(answer, MAX_JSON_BYTES).await?;
    // The parser's words may quote the document; only the place is told.
    serde_json::from_slice(&bytes)
        .map_err(|e| CenterError::Protocol(format!("JSON not understood at line {} column {}", e.line(), e.column())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::ca::{CertificateAuthority, Validity};
    use crate::vault::secrets::MemoryStore;
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn a_renewed_token_that_is_refused_too_ends_the_session() {
        crate::vault::tls::install_provider();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        let refuse = move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().expect("asked");
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).expect("request") > 0);
                let answer = b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).expect("answered");
            }
        };
        let refuser = std::thread::Builder::new().name("refuser".to_owned()).spawn(refuse).expect("thread");
        let start = "2026-01-01T00:00:00Z".parse().expect("time");
        let ca = CertificateAuthority::create("test", Validity::days(start, 10)).expect("ca").certificate_pem();
        let session = Arc::new(Session::new(Arc::new(MemoryStore::new()), "https://center.example", &ca));
        let patience = Patience::default();
        let center = CenterClient::new("https://center.example", &ca, Arc::clone(&session), patience).expect("client");
        let plain = http(&Trust::System, patience, patience.stall).expect("client");
        let asked = AtomicU64::new(1);
        session.hold("token 1", "dr", 1);
        let answer = center.authorised(|token| {
            // Somebody else renews the token while the request is on its way.
            let next = asked.fetch_add(1, Ordering::Relaxed) + 1;
            session.hold("token", "dr", next);
            plain.get(&url).bearer_auth(token)
        });
        assert_eq!(answer.await.expect_err("refused twice"), CenterError::SessionEnded);
        refuser.join().expect("asked twice");
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_readers_work_never_goes_under_another_readers_token() {
        crate::vault::tls::install_provider();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        let refuse = move || {
            let (mut stream, _) = listener.accept().expect("asked");
            let mut request = [0; 4096];
            let read = stream.read(&mut request).expect("request");
            let answer = b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).expect("answered");
            (String::from_utf8_lossy(&request[..read]).into_owned(), listener)
        };
        let center = std::thread::Builder::new().name("refuser".to_owned()).spawn(refuse).expect("thread");
        let start = "2026-01-01T00:00:00Z".parse().expect("time");
        let ca = CertificateAuthority::create("test", Validity::days(start, 10)).expect("ca").certificate_pem();
        let session = Arc::new(Session::new(Arc::new(MemoryStore::new()), "https://center.example", &ca));
        let patience = Patience::default();
        let client = CenterClient::new("https://center.example", &ca, Arc::clone(&session), patience).expect("client");
        let client = client.in_name_of("first");
        let plain = http(&Trust::System, patience, patience.stall).expect("client");
        // The first reader's token ends while the request is on its way, and another reader signs in.
        session.hold("token of the first", "first", 7);
        let answer = client.authorised(|token| {
            session.hold("token of the second", "second", 1);
            plain.get(&url).bearer_auth(token)
        });
        assert_eq!(answer.await.expect_err("not sent again"), CenterError::OtherReader);
        let (request, listener) = center.join().expect("asked once");
        assert!(request.contains("token of the first") && !request.contains("second"), "{request}");
        // Nor does a later request.
        let answer = client.authorised(|token| plain.get(&url).bearer_auth(token));
        assert_eq!(answer.await.expect_err("not sent"), CenterError::OtherReader);
        listener.set_nonblocking(true).expect("set");
        assert_eq!(listener.accept().expect_err("nobody asks").kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let patience = Patience { backoff: Duration::from_millis(100), ..Patience::default() };
        for (attempt, full) in [(1, 100), (2, 200), (3, 400), (30, 60_000)] {
            let pause = patience.pause(attempt).as_millis();
            assert!(pause >= full / 2 && pause <= full, "{attempt}: {pause}");
        }
    }
}
