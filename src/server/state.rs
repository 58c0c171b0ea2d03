//! What all parts of a running center share.

use super::db::Db;
use super::error::Error;
use super::files::Files;
use super::pki::Pki;
use crate::center::contract::{Limits, MAX_AUDIT_BATCH};
use crate::vault::password::HashWork;
use crate::vault::private;
use crate::vault::tls::MinimumTls;
use crate::worklist::clock::Clock;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How a center is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder with everything that the center keeps.
    pub data_dir: PathBuf,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host names and addresses by which terminals reach it; they stand in the TLS certificate.
    pub names: Vec<String>,
    /// Base URL for terminals where it is not `https://NAME:PORT` (a reverse proxy, a forwarded port).
    pub public_url: Option<String>,
    /// The center's name; taken at the first start, kept afterwards.
    pub center_name: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Oldest TLS version.
    pub minimum_tls: MinimumTls,
    /// Work of password hashes.
    pub hash_work: HashWork,
    /// How long an access token lives, seconds.
    pub access_seconds: u32,
    /// How long a session lives before both factors are asked for again, seconds.
    pub session_seconds: u32,
    /// Longest silence of a client that is sending a body.
    pub body_idle: Duration,
    /// Time between two signs of life on an event stream.
    pub ping_every: Duration,
    /// Limits told in discovery.
    pub limits: Limits,
}

impl Config {
    /// Loopback, a free port, the usual values.
    pub fn new(data_dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            names: Vec::new(),
            public_url: None,
            center_name: "読影センター".to_owned(),
            clock,
            minimum_tls: MinimumTls::V13,
            hash_work: HashWork::Standard,
            access_seconds: 600,
            session_seconds: 12 * 3600,
            body_idle: Duration::from_secs(30),
            ping_every: Duration::from_secs(15),
            limits: Limits {
                submission_bytes: 64 * 1024 * 1024,
                draft_bytes: 4 * 1024 * 1024,
                lease_seconds: 900,
                audit_batch: MAX_AUDIT_BATCH as u32,
            },
        }
    }
}

/// A center: database, files, keys. Cheap to clone. Works without a listening server too (command-line tools).
#[derive(Clone, Debug)]
pub struct Center {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    name: String,
    db: Db,
    files: Files,
    pki: Pki,
    base_url: OnceLock<String>,
    newest_event: watch::Sender<u64>,
    password_checks: Semaphore,
    renderings: Semaphore,
}

impl Center {
    /// Opens the folder, making what is missing; refused where it is another account's. Blocks.
    pub fn open(config: Config) -> Result<Self, Error> {
        let root = &config.data_dir;
        std::fs::create_dir_all(root).map_err(Error::io(root))?;
        super::owner::check(root)?;
        private::restrict_folder(root).map_err(Error::io(root))?;
        let db = Db::open(&root.join("center.db"))?;
        let name = kept_setting(&db, "center_name", &config.center_name)?;
        let pki = Pki::open(&root.join("pki"), &name, config.clock.now())?;
        let files = Files::open(root)?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                name,
                db,
                files,
                pki,
                base_url: OnceLock::new(),
                newest_event: watch::Sender::new(0),
                password_checks: Semaphore::new(4),
                renderings: Semaphore::new(2),
            }),
        })
    }

    /// Configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }
    /// Name for people.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
    /// Database.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }
    /// Files.
    pub fn files(&self) -> &Files {
        &self.inner.files
    }
    /// Certificates and keys.
    pub fn pki(&self) -> &Pki {
        &self.inner.pki
    }
    /// Now, in whole milliseconds (what the database can compare).
    pub fn now(&self) -> Timestamp {
        let now = self.inner.config.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
    /// Newest event id seen; changes wake event streams.
    pub fn newest_event(&self) -> &watch::Sender<u64> {
        &self.inner.newest_event
    }
    /// At most so many password hashes at once: each takes 19 MiB.
    pub fn password_checks(&self) -> &Semaphore {
        &self.inner.password_checks
    }
    /// At most so many frames decoded for thumbnails at once.
    pub fn renderings(&self) -> &Semaphore {
        &self.inner.renderings
    }
    /// Base URL for terminals: as listening, else as configured, else as the last server that ran on this folder had it.
    pub fn base_url(&self) -> Result<String, Error> {
        if let Some(url) = self.inner.base_url.get() {
            return Ok(url.clone());
        }
        if let Some(url) = &self.inner.config.public_url {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        setting(&self.inner.db, "base_url")?.ok_or_else(|| {
            Error::Refused("the center's address is not known yet: start `serve` once or give --url".into())
        })
    }
    /// Sets the base URL when listening, and keeps it for the command-line tools.
    pub(super) fn set_base_url(&self, url: String) -> Result<(), Error> {
        self.inner.db.write_now(|t| {
            t.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('base_url', ?1)", [&url])?;
            Ok::<_, Error>(())
        })?;
        self.inner.base_url.set(url).map_err(|_| Error::Interrupted("one center is served twice by one process".into()))
    }
}

fn setting(db: &Db, name: &str) -> Result<Option<String>, Error> {
    use rusqlite::OptionalExtension as _;
    db.read_now(|t| {
        Ok(t.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0)).optional()?)
    })
}

fn kept_setting(db: &Db, name: &str, initial: &str) -> Result<String, Error> {
    db.write_now(|t| {
        t.execute("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)", [name, initial])?;
        Ok(t.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))?)
    })
}

/// A time as the database compares it: UTC, milliseconds, fixed width.
pub fn stamp(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A time of the database.
pub fn unstamp(text: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|_| Error::Refused("the database holds something else where a time should be".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_compare_like_times() {
        let times = ["2026-11-20T09:00:00Z", "2026-11-20T09:00:00.5Z", "2026-11-20T09:00:10Z"];
        let stamps: Vec<String> = times.iter().map(|t| stamp(t.parse().expect("time"))).collect();
        assert_eq!(stamps[0], "2026-11-20T09:00:00.000Z");
        assert!(stamps.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(unstamp(&stamps[1]).expect("time"), times[1].parse().expect("time"));
    }
}
