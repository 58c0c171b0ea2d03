//! A reading center in this process that can be killed and started again at the same address.

use super::recorder::Recorder;
use dokuei::center::contract::UserRole;
use dokuei::server::import::{self, Options, Report};
use dokuei::server::users::{self, Enrolment};
use dokuei::server::{Center, Config, Error, Handle};
use dokuei::vault::password::HashWork;
use jiff::{SignedDuration, Timestamp};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The reader's id and password.
pub const USER: &str = "reader1";
/// Password.
pub const PASSWORD: &str = "Yomu-hito-77-x";

/// One clock for center and terminal. It starts at the system's time, since TLS judges certificates by that,
/// and stands until it is moved.
#[derive(Debug)]
pub struct SharedClock(Mutex<Timestamp>);

impl SharedClock {
    /// Standing now.
    #[expect(clippy::disallowed_methods, reason = "certificates made by the test must be valid for rustls")]
    pub fn start() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::now())))
    }
    /// Standing at a time that another process's clock told.
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }
    /// Moves on.
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().expect("clock");
        *now = now.saturating_add(SignedDuration::from_secs(seconds)).expect("in range");
    }
    /// The time.
    pub fn time(&self) -> Timestamp {
        *self.0.lock().expect("clock")
    }
}

impl dokuei::worklist::clock::Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.time()
    }
}

/// A center; dropping it stops it.
pub struct TestCenter {
    runtime: Runtime,
    config: Config,
    handle: Option<Handle>,
    center: Center,
    recorder: Option<Recorder>,
    /// The clock that it shares with terminals.
    pub clock: Arc<SharedClock>,
    /// What the reader got.
    pub enrolment: Enrolment,
    folder: tempfile::TempDir,
}

/// With the recorder, if any, around it.
async fn listen(center: &Center, recorder: Option<&Recorder>) -> Result<Handle, Error> {
    dokuei::server::serve_within(center.clone(), |service| match recorder {
        Some(recorder) => recorder.around(service),
        None => service,
    })
    .await
}

/// A port that nobody else gets: not one of those that the system hands out for outgoing connections, of which one
/// could take it between this call and the center's, or while the center is down.
pub fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if port > 32_000 {
            NEXT.store(0, Ordering::Relaxed);
        } else if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl TestCenter {
    /// Starts a center with one reader. `behind` is the address by which terminals reach it, if not its own.
    pub fn start(behind: Option<SocketAddr>) -> Self {
        Self::start_with(behind, |_| {})
    }

    /// The same with other settings.
    pub fn start_with(behind: Option<SocketAddr>, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_listening(behind, change, None)
    }

    /// The same with somebody who listens to everything that is said.
    pub fn start_listening(
        behind: Option<SocketAddr>,
        change: impl FnOnce(&mut Config),
        recorder: impl Into<Option<Recorder>>,
    ) -> Self {
        let recorder = recorder.into();
        let folder = tempfile::tempdir().expect("folder");
        let clock = SharedClock::start();
        let mut config = Config::new(folder.path().join("center"), clock.clone());
        config.listen = free_port();
        config.hash_work = HashWork::Quick;
        config.ping_every = Duration::from_millis(500);
        config.public_url = behind.map(|a| format!("https://{a}"));
        change(&mut config);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let center = Center::open(config.clone()).expect("center opens");
        let handle = runtime.block_on(listen(&center, recorder.as_ref())).expect("listens");
        users::create(&center, USER, "読影 花子", &[UserRole::Reader], PASSWORD).expect("user");
        let enrolment = users::enrol(&center, USER).expect("enrolment");
        Self { runtime, config, handle: Some(handle), center, recorder, clock, enrolment, folder }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.config.listen
    }

    /// The center itself.
    pub fn center(&self) -> &Center {
        &self.center
    }

    /// A folder of the test's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The enrolment file on disk.
    pub fn enrolment_file(&self) -> PathBuf {
        let path = self.folder.path().join("reader.dokuei-enrol");
        std::fs::write(&path, serde_json::to_vec(&self.enrolment.file).expect("json")).expect("written");
        path
    }

    /// A one-time password that was not used before.
    pub fn otp(&self) -> String {
        self.clock.advance(31);
        let seconds = u64::try_from(self.clock.time().as_second()).expect("after 1970");
        self.enrolment.totp.code_at(seconds).expect("code")
    }

    /// Takes files in, one assignment per study for the reader.
    pub fn import(&self, folder: &Path) -> Report {
        let options = Options { reader: Some(USER.to_owned()), ..Options::default() };
        import::import(&self.center, &[folder.to_owned()], &options, &mut |_| {}).expect("import")
    }

    /// Assignments with a report and the number of its versions, as the center's database holds them.
    pub fn reports(&self) -> Vec<(String, u32)> {
        let database = rusqlite::Connection::open(self.config.data_dir.join("center.db")).expect("database");
        let sql = "SELECT r.assignment_id, COUNT(*) FROM report r JOIN report_version v ON v.report_id = r.id
                   GROUP BY r.id ORDER BY r.assignment_id";
        let mut statement = database.prepare(sql).expect("tables");
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("readable")
    }

    /// Audit records of terminals, as the center keeps them (JSON).
    pub fn audit_bodies(&self) -> Vec<String> {
        let database = rusqlite::Connection::open(self.config.data_dir.join("center.db")).expect("database");
        let mut statement = database.prepare("SELECT body FROM audit_record ORDER BY sequence").expect("table");
        let rows = statement.query_map([], |r| r.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("readable")
    }

    /// Ends it at once: connections are cut.
    pub fn kill(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.runtime.block_on(handle.stop_within(Duration::ZERO)).expect("stops");
        }
    }

    /// Starts it again where it was.
    pub fn revive(&mut self) {
        assert!(self.handle.is_none(), "it runs");
        self.center = Center::open(self.config.clone()).expect("center opens");
        let handle = self.runtime.block_on(listen(&self.center, self.recorder.as_ref())).expect("listens");
        self.handle = Some(handle);
    }
}

impl Drop for TestCenter {
    fn drop(&mut self) {
        self.kill();
    }
}
