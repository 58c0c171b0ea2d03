//! The reading center over real sockets on loopback, in this process; requests and answers against the OpenAPI file.

mod conversation;
mod dicomweb;
mod durability;
mod every_operation;
mod exchange;
mod objects;
mod openapi;
mod real_data;
mod reports;
mod sign_in;
mod worklist;

use crate::support::recorder::Recorder;
use dokuei::center::contract::{Problem, ProblemType, TokenResponse, UserRole, paths};
use dokuei::server::users::{self, Enrolment};
use dokuei::server::{Center, Config, Handle, import, serve_within};
use dokuei::vault::password::HashWork;
use dokuei::worklist::Assignment;
use dokuei::worklist::clock::{Clock as _, ManualClock};
use jiff::SignedDuration;
use openapi::Contract;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub const PASSWORD: &str = "kiri-7-hana-to";

/// A running center with one reader (`reader1`), another one, a coordinator and the small studies.
pub struct Rig {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub handle: Handle,
    pub http: reqwest::Client,
    pub enrolment: Enrolment,
    pub other: Enrolment,
    pub coordinator: Enrolment,
    pub import: import::Report,
    keys: AtomicU64,
}

/// An answer, already held to the contract.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status < 300, "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        self
    }
    #[track_caller]
    pub fn problem(&self, kind: ProblemType) -> Problem {
        let problem: Problem = self.read();
        assert_eq!(problem.problem_type(), Some(kind), "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.status, kind.status());
        problem
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

/// A request being made.
pub struct Ask<'a> {
    rig: &'a Rig,
    method: &'static str,
    path: String,
    request: reqwest::RequestBuilder,
    checked: Option<(String, Value)>,
}

impl Ask<'_> {
    pub fn token(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }
    pub fn new_key(self) -> Self {
        let key = format!("key-{}", self.rig.keys.fetch_add(1, Ordering::Relaxed));
        self.key(&key)
    }
    pub fn json(mut self, value: Value) -> Self {
        self.request = self.request.header("content-type", "application/json").body(value.to_string());
        self.checked = Some(("application/json".into(), value));
        self
    }
    /// A body that need not fit the contract.
    pub fn body(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", kind).body(body);
        self
    }
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let value = fields.iter().map(|(n, v)| ((*n).to_owned(), Value::from(*v))).collect();
        self.checked = Some(("application/x-www-form-urlencoded".into(), Value::Object(value)));
        self.request = self.request.form(fields);
        self
    }
    pub async fn send(self) -> Answer {
        let plain = self.path.split('?').next().unwrap_or_default().to_owned();
        if let Some((kind, value)) = &self.checked {
            Contract::get().check_request(self.method, &plain, kind, value);
        }
        let answer = self.request.send().await.expect("answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.expect("body").to_vec();
        let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Contract::get().check_answer(self.method, &plain, status, &kind, &body);
        Answer { status, headers, body }
    }
}

#[expect(clippy::disallowed_methods, reason = "TLS certificates are judged by the client's own clock")]
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(jiff::Timestamp::now()))
}

pub fn config(folder: &std::path::Path, clock: &Arc<ManualClock>) -> Config {
    let mut config = Config::new(folder.join("data"), clock.clone());
    config.center_name = "試験センター".into();
    config.hash_work = HashWork::Quick;
    config.ping_every = std::time::Duration::from_millis(100);
    config
}

impl Rig {
    pub async fn new() -> Self {
        Self::listening(|_| {}, None).await
    }

    /// With other settings, and with somebody who listens to everything that is said.
    pub async fn listening(change: impl FnOnce(&mut Config), recorder: Option<&Recorder>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = clock();
        let mut config = config(folder.path(), &clock);
        change(&mut config);
        let center = Center::open(config).expect("the center opens");
        let around = |service| match recorder {
            Some(recorder) => recorder.around(service),
            None => service,
        };
        let handle = serve_within(center, around).await.expect("start");
        let images = folder.path().join("images");
        std::fs::create_dir(&images).expect("folder");
        objects::write_tree(&images);
        let center = handle.center().clone();
        let person = |id: &str, name: &str, role| {
            users::create(&center, id, name, &[role], PASSWORD).expect("user");
            users::enrol(&center, id).expect("enrol")
        };
        let enrolment = person("reader1", "読影 太郎", UserRole::Reader);
        let other = person("reader2", "読影 次郎", UserRole::Reader);
        let coordinator = person("desk", "受付 花子", UserRole::Coordinator);
        let options = import::Options { reader: Some("reader1".into()), archive: None };
        let whole =
            [images.join("1.2.3.100.1.1.dcm"), images.join("1.2.3.100.1.2.dcm"), images.join("1.2.3.100.2.1.dcm")];
        // The prior first, without an assignment; then the study to read; the rest without a reader.
        let none = import::Options::default();
        import::import(&center, std::slice::from_ref(&images), &none, &mut |_| {}).expect("import");
        let import = import::import(&center, &whole, &options, &mut |_| {}).expect("import");
        let http = client(&handle);
        Self { folder, clock, handle, http, enrolment, other, coordinator, import, keys: AtomicU64::new(0) }
    }

    pub fn center(&self) -> &Center {
        self.handle.center()
    }

    pub fn ask(&self, method: &'static str, path: impl Into<String>) -> Ask<'_> {
        let path = path.into();
        let url = format!("{}{path}", self.handle.base_url().expect("url"));
        let request = self.http.request(method.parse().expect("method"), url);
        Ask { rig: self, method, path, request, checked: None }
    }

    pub fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("GET", path)
    }

    pub fn post(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("POST", path)
    }

    /// A code that was not used: the clock goes on by a step.
    pub fn code(&self, enrolment: &Enrolment) -> String {
        self.clock.advance(SignedDuration::from_secs(30));
        let now = u64::try_from(self.clock.now().as_second()).expect("after 1970");
        enrolment.totp.code_at(now).expect("code")
    }

    pub async fn sign_in_as(&self, enrolment: &Enrolment) -> TokenResponse {
        let code = self.code(enrolment);
        let fields = [
            ("grant_type", "password"),
            ("username", enrolment.file.user.as_str()),
            ("password", PASSWORD),
            ("otp", &code),
        ];
        self.post(paths::TOKEN).form(&fields).send().await.ok().read()
    }

    pub async fn sign_in(&self) -> String {
        self.sign_in_as(&self.enrolment).await.access_token
    }

    pub async fn assignment(&self, token: &str) -> Assignment {
        let id = self.import.assignments.first().expect("assignment");
        self.get(paths::assignment(id)).token(token).send().await.ok().read()
    }

    pub async fn transition(&self, token: &str, id: &str, action: &str, body: Value) -> Answer {
        self.post(paths::transition(id, action)).token(token).new_key().json(body).send().await
    }
}

pub fn client(handle: &Handle) -> reqwest::Client {
    dokuei::vault::tls::install_provider();
    let ca = reqwest::Certificate::from_pem(handle.ca_pem().as_bytes()).expect("certificate");
    reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().expect("client")
}
