//! Who is here: secrets, enrolment, sign-in, the signing key and its certificate, the lock.

use super::config::SecretChoice;
use super::disk::Disk;
use super::inner::{Center, Inner, Opened, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, Link, Secret, Session, Start};
use crate::center::contract::{ENROLMENT_FORMAT, EnrolmentFile, SigningCertificateRequest, UserRole};
use crate::center::{CenterClient, CenterError, REFRESH_TOKEN_NAME, Session as Tokens};
use crate::store::{Profile, Store, StoreError};
use crate::vault::ca::certificates_from_pem;
use crate::vault::digest::sha256_hex;
use crate::vault::keys::{SigningKey, Subject};
use crate::vault::protected::{self, ProtectedError};
use crate::vault::seal::{MasterKey, SealError};
use crate::vault::secrets::{KeyringStore, PassphraseStore, SecretError, SecretStore};
use crate::worklist::{AuditAction, AuditOutcome};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest enrolment file.
const MAX_ENROLMENT_BYTES: u64 = 256 * 1024;
/// A certificate that ends within this time is renewed at sign-in.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

const ENROLMENT: &str = "enrolment";
const LAST_SESSION: &str = "last-session";

/// Who signed in last, for the sign-in screen and for sending what waits.
#[derive(Serialize, Deserialize)]
struct LastSession {
    user: String,
    name: String,
    roles: Vec<String>,
}

/// The certificate of a reader's key on this terminal.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Certificate {
    /// PEM, the reader's first.
    pub(super) chain: String,
    /// End.
    pub(super) expires_at: Timestamp,
}

fn key_secret(user: &str) -> String {
    format!("signing-key-{}", &sha256_hex(user.as_bytes())[..32])
}

fn key_context(user: &str) -> Vec<u8> {
    format!("dokuei signing key of {user}").into_bytes()
}

fn certificate_name(user: &str) -> String {
    format!("certificate-{}", &sha256_hex(user.as_bytes())[..32])
}

fn role_name(role: UserRole) -> String {
    serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn failure_of_secret(error: &SecretError) -> Failure {
    match error {
        SecretError::NoService { detail } => Failure::NoSecretStore(detail.clone()),
        SecretError::WrongPassphrase => Failure::Denied(error.to_string()),
        _ => Failure::Local(error.to_string()),
    }
}

impl Inner {
    fn passphrase_path(&self) -> PathBuf {
        self.config.profile_dir.join("secrets.json")
    }

    /// First look at the secrets; opens the store where that needs nobody.
    pub(super) async fn begin(self: &Arc<Self>, profile: Profile) {
        let path = self.passphrase_path();
        let exists = PassphraseStore::exists(&path);
        let secrets: Result<Arc<dyn SecretStore>, (String, bool)> = match &self.config.secrets {
            SecretChoice::Given(secrets) => Ok(Arc::clone(secrets)),
            SecretChoice::Passphrase => Err((String::new(), exists)),
            // Chosen once, the passphrase file stays the store of this profile: its key opens the data.
            SecretChoice::Keyring { .. } if exists => Err((String::new(), true)),
            SecretChoice::Keyring { profile } => {
                let name = profile.clone();
                match tokio::task::spawn_blocking(move || KeyringStore::open(&name)).await {
                    Ok(Ok(store)) => Ok(Arc::new(store)),
                    Ok(Err(error)) => Err((error.to_string(), false)),
                    Err(error) => Err((error.to_string(), false)),
                }
            }
        };
        match secrets {
            Ok(secrets) => {
                if let Err((failure, profile)) = self.open_store(secrets, profile).await {
                    let reason = failure.detail().to_owned();
                    *lock(&self.desk.profile) = profile;
                    self.events.push(Event::Notice(failure));
                    self.events.push(Event::Started(Start::NeedsPassphrase { reason, exists }));
                }
            }
            Err((reason, exists)) => {
                *lock(&self.desk.profile) = Some(profile);
                self.events.push(Event::Started(Start::NeedsPassphrase { reason, exists }));
            }
        }
    }

    /// The explicit choice of a passphrase file.
    pub(super) async fn unlock_secrets(self: &Arc<Self>, passphrase: Secret, create: bool) {
        let Some(profile) = lock(&self.desk.profile).take() else {
            self.events.push(Event::Notice(Failure::Local("the secrets store is open already".to_owned())));
            return;
        };
        let (path, work) = (self.passphrase_path(), self.config.work);
        let holds_data = profile.holds_sealed_data();
        let opened = tokio::task::spawn_blocking(move || {
            if create && holds_data && !PassphraseStore::exists(&path) {
                // The data's key lies in a keyring that is away now. A new store could never open them.
                return Err(Failure::Local(SealError::KeyMissing.to_string()));
            }
            let store = if create {
                PassphraseStore::create(&path, &passphrase.0, work)
            } else {
                PassphraseStore::open(&path, &passphrase.0)
            };
            store.map_err(|e| failure_of_secret(&e))
        })
        .await
        .unwrap_or_else(|e| Err(Failure::Local(e.to_string())));
        let result = match opened {
            Ok(store) => self.open_store(Arc::new(store), profile).await,
            Err(failure) => Err((failure, Some(profile))),
        };
        if let Err((failure, profile)) = result {
            *lock(&self.desk.profile) = profile;
            self.events.push(Event::Notice(failure));
            let exists = PassphraseStore::exists(&self.passphrase_path());
            self.events.push(Event::Started(Start::NeedsPassphrase { reason: String::new(), exists }));
        }
    }

    /// Opens the store and tells what is known before sign-in. On failure the profile comes back where it can.
    async fn open_store(
        self: &Arc<Self>,
        secrets: Arc<dyn SecretStore>,
        profile: Profile,
    ) -> Result<(), (Failure, Option<Profile>)> {
        let exists = profile.holds_sealed_data();
        let for_key = Arc::clone(&secrets);
        let key = tokio::task::spawn_blocking(move || MasterKey::load_or_create(for_key.as_ref(), exists)).await;
        let key = match key {
            Ok(Ok(key)) => key,
            Ok(Err(SealError::Secret(error))) => return Err((failure_of_secret(&error), Some(profile))),
            Ok(Err(error)) => return Err((Failure::Local(error.to_string()), Some(profile))),
            Err(error) => return Err((Failure::Local(error.to_string()), Some(profile))),
        };
        let faults = Arc::clone(&self.config.faults);
        let started = tokio::task::spawn_blocking(move || {
            let store = Store::open(profile, key, faults)?;
            Disk::start(store)
        })
        .await
        .unwrap_or_else(|e| Err(StoreError::Io(std::io::Error::other(e))));
        let (disk, thread) = started.map_err(|e| (failure_of_store(&e), None))?;
        lock(&self.desk.threads).push(thread);
        *lock(&self.opened) = Some(Opened { disk: disk.clone(), secrets });
        self.record(self.audit(AuditAction::ApplicationStart, AuditOutcome::Success, None)).await;
        let kept = disk
            .call(|store| {
                Ok((store.settings()?, store.reading_state()?, store.private(ENROLMENT)?, store.private(LAST_SESSION)?))
            })
            .await
            .map_err(|e| (failure_of_store(&e), None))?;
        let (settings, reading, enrolment, last) = kept;
        self.events.push(Event::Settings(settings));
        if let Some(state) = reading {
            self.events.push(Event::ReadingState(state));
        }
        self.tell_outbox().await;
        let last: Option<LastSession> = last.and_then(|b| serde_json::from_slice(&b).ok());
        let start = match enrolment.and_then(|b| serde_json::from_slice::<EnrolmentFile>(&b).ok()) {
            None => Start::NotEnrolled,
            Some(file) => {
                let last_user = last.as_ref().map_or_else(|| file.user.clone(), |l| l.user.clone());
                let center = file.center.clone();
                match self.connect(file) {
                    Ok(()) => {
                        self.resume(last).await;
                        Start::Ready { center, last_user }
                    }
                    Err(error) => {
                        self.events.push(Event::Notice(failure_of_center(&error)));
                        Start::NotEnrolled
                    }
                }
            }
        };
        self.events.push(Event::Started(start));
        Ok(())
    }

    /// A refresh token of the last run lets the outbox go on before anybody signs in; it opens no worklist.
    async fn resume(&self, last: Option<LastSession>) {
        let (Some(last), Ok(opened)) = (last, self.opened()) else { return };
        let secrets = opened.secrets;
        let token = tokio::task::spawn_blocking(move || secrets.get(REFRESH_TOKEN_NAME)).await;
        if matches!(token, Ok(Ok(Some(_)))) {
            *lock(&self.token_user) = Some(Session { user: last.user, name: last.name, roles: last.roles });
            self.back_online();
        }
    }

    fn connect(&self, file: EnrolmentFile) -> Result<(), CenterError> {
        let opened = self.opened().map_err(|f| CenterError::Secret(f.detail().to_owned()))?;
        let roots = certificates_from_pem(&file.ca_certificate)
            .map_err(|_| CenterError::Untrusted("the enrolment file's CA certificate cannot be read".to_owned()))?;
        let tokens = Arc::new(Tokens::new(opened.secrets));
        let patience = self.config.timing.patience;
        let client = CenterClient::new(&file.base_url, &file.ca_certificate, tokens, patience)?;
        let name = file.center.clone();
        *lock(&self.center) = Some(Center { client, enrolment: Arc::new(file), roots: Arc::new(roots) });
        self.set_link(|l| *l = Link { center: name, ..Link::default() });
        Ok(())
    }

    pub(super) async fn enrol(&self, path: PathBuf) {
        let result = self.read_enrolment(&path).await;
        match result {
            Ok((center, last_user)) => self.events.push(Event::Started(Start::Ready { center, last_user })),
            Err(failure) => self.events.push(Event::Notice(failure)),
        }
    }

    async fn read_enrolment(&self, path: &Path) -> Result<(String, String), Failure> {
        let path = path.to_owned();
        let bytes = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(MAX_ENROLMENT_BYTES + 1).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(bytes)
        })
        .await
        .map_err(|e| Failure::Local(e.to_string()))?
        .map_err(|e| Failure::Local(format!("the enrolment file cannot be read: {e}")))?;
        if bytes.len() as u64 > MAX_ENROLMENT_BYTES {
            return Err(Failure::Corrupt("this is no enrolment file: too large".to_owned()));
        }
        let file: EnrolmentFile = serde_json::from_slice(&bytes).map_err(|e| {
            Failure::Corrupt(format!("this is no enrolment file (line {}, column {})", e.line(), e.column()))
        })?;
        if file.format != ENROLMENT_FORMAT {
            return Err(Failure::Corrupt("an enrolment file of a kind that this program does not know".to_owned()));
        }
        if file.expires_at < self.now() {
            return Err(Failure::Denied("the enrolment file has expired: ask the center for a new one".to_owned()));
        }
        // Another center's outbox and drafts in this profile would be lost from sight.
        if let Ok(known) = self.center()
            && known.enrolment.base_url != file.base_url
        {
            let disk = self.disk()?;
            let waiting = disk.call(|store| store.outbox()).await.map_err(|e| failure_of_store(&e))?;
            if !waiting.is_empty() {
                return Err(Failure::Conflict("reports for another center wait in this profile's outbox".to_owned()));
            }
        }
        let disk = self.disk()?;
        let json = serde_json::to_vec(&file).map_err(|e| Failure::Local(e.to_string()))?;
        disk.call(move |store| store.put_private(ENROLMENT, &json)).await.map_err(|e| failure_of_store(&e))?;
        let told = (file.center.clone(), file.user.clone());
        self.connect(file).map_err(|e| failure_of_center(&e))?;
        Ok(told)
    }

    pub(super) async fn sign_in(self: &Arc<Self>, user: String, password: Secret, otp: Secret) {
        let result = match self.center() {
            Ok(center) => self.note(center.client.sign_in(&user, &password.0, &otp.0).await),
            Err(failure) => {
                self.events.push(Event::SignInFailed(failure));
                return;
            }
        };
        match result {
            Ok(tokens) => {
                self.note_clock(tokens.server_time);
                let session = Session {
                    user: tokens.user.id,
                    name: tokens.user.name,
                    roles: tokens.user.roles.into_iter().map(role_name).collect(),
                };
                if let Err(failure) = self.remember(&session).await {
                    self.events.push(Event::SignInFailed(failure));
                    return;
                }
                if let Err(failure) = self.prepare_key(&session, &password).await {
                    // Reading is possible; signing will say so again.
                    self.events.push(Event::Notice(failure));
                }
                self.enter(session, true).await;
            }
            Err(error) if error.worth_retrying() => self.sign_in_offline(user, password, error).await,
            Err(error) => {
                let record = crate::store::NewAudit {
                    user,
                    ..self.audit(AuditAction::Login, AuditOutcome::SeriousFailure, None)
                };
                self.record(record).await;
                self.events.push(Event::SignInFailed(failure_of_center(&error)));
            }
        }
    }

    /// Without the center: what this terminal holds (its secret store) and what the reader knows (the password,
    /// which opens the signing key) are the two factors.
    async fn sign_in_offline(self: &Arc<Self>, user: String, password: Secret, error: CenterError) {
        let failure = failure_of_center(&error);
        let last = match self.disk() {
            Ok(disk) => disk.call(|store| store.private(LAST_SESSION)).await.ok().flatten(),
            Err(_) => None,
        };
        let last = last.and_then(|b| serde_json::from_slice::<LastSession>(&b).ok()).filter(|l| l.user == user);
        let Some(last) = last else {
            self.events.push(Event::SignInFailed(failure));
            return;
        };
        match self.open_key(&user, &password).await {
            Ok(_) => {
                let session = Session { user: last.user, name: last.name, roles: last.roles };
                self.enter(session, false).await;
            }
            Err(_) => self.events.push(Event::SignInFailed(Failure::Denied(
                "the center cannot be reached, and the password does not open this terminal".to_owned(),
            ))),
        }
    }

    async fn enter(self: &Arc<Self>, session: Session, online: bool) {
        if online {
            *lock(&self.token_user) = Some(session.clone());
        }
        *lock(&self.session) = Some(session.clone());
        self.record(self.audit(AuditAction::Login, AuditOutcome::Success, None)).await;
        self.events.push(Event::SignedIn(session));
        if !online {
            self.show_kept_worklist().await;
        }
        self.tell_outbox().await;
        self.mirror_all().await;
        self.link_wake.notify_one();
        self.back_online();
    }

    async fn remember(&self, session: &Session) -> Result<(), Failure> {
        let disk = self.disk()?;
        let last = LastSession { user: session.user.clone(), name: session.name.clone(), roles: session.roles.clone() };
        let json = serde_json::to_vec(&last).map_err(|e| Failure::Local(e.to_string()))?;
        disk.call(move |store| {
            let before = store.private(LAST_SESSION)?;
            let same = before.and_then(|b| serde_json::from_slice::<LastSession>(&b).ok()).map(|l| l.user);
            if same.as_ref() != Some(&last.user) {
                // Another reader's worklist is none of this one's business.
                store.clear_worklist()?;
            }
            store.put_private(LAST_SESSION, &json)
        })
        .await
        .map_err(|e| failure_of_store(&e))
    }

    pub(super) async fn sign_out(&self) {
        let Some(session) = self.signed_in() else { return };
        self.record(self.audit(AuditAction::Logout, AuditOutcome::Success, None)).await;
        tracing::debug!(user = session.user, "signing out");
        *lock(&self.session) = None;
        *lock(&self.token_user) = None;
        if let Ok(center) = self.center()
            && let Err(error) = center.client.sign_out().await
        {
            tracing::warn!(%error, "the center was not told of the sign-out");
        }
        self.transfer.abort_all();
        self.pictures.clear();
        lock(&self.desk.prepared).clear();
        self.events.push(Event::SignedOut(None));
    }

    pub(super) async fn unlock(&self, password: Secret) {
        let ok = match self.signed_in() {
            Some(session) => self.open_key(&session.user, &password).await.is_ok(),
            None => false,
        };
        if !ok {
            self.record(self.audit(AuditAction::SecurityAlert, AuditOutcome::MinorFailure, None)).await;
        }
        self.events.push(Event::Unlocked(ok));
    }

    /// The reader's signing key, opened with the password.
    pub(super) async fn open_key(&self, user: &str, password: &Secret) -> Result<SigningKey, Failure> {
        let secrets = self.opened()?.secrets;
        let (user, password) = (user.to_owned(), password.clone());
        tokio::task::spawn_blocking(move || {
            let sealed = secrets
                .get(&key_secret(&user))
                .map_err(|e| failure_of_secret(&e))?
                .ok_or_else(|| Failure::Local("there is no signing key for this reader on this terminal".to_owned()))?;
            let der = protected::open(&password.0, &key_context(&user), &sealed).map_err(|e| match e {
                ProtectedError::WrongPassword => Failure::Denied("the password is wrong".to_owned()),
                other => Failure::Local(other.to_string()),
            })?;
            SigningKey::from_pkcs8_der(&der).map_err(|e| Failure::Local(e.to_string()))
        })
        .await
        .map_err(|e| Failure::Local(e.to_string()))?
    }

    /// The reader's key on this terminal (made at the first sign-in), and its certificate.
    async fn prepare_key(&self, session: &Session, password: &Secret) -> Result<(), Failure> {
        let user = session.user.clone();
        let (key, is_new) = match self.open_key(&user, password).await {
            Ok(key) => (key, false),
            // No key yet, or the password was changed at the center: the old key is lost with the old password.
            Err(Failure::Denied(_) | Failure::Local(_)) => (self.make_key(&user, password).await?, true),
            Err(other) => return Err(other),
        };
        let known = self.certificate(&user).await?;
        let until = self.now().saturating_add(RENEW_BEFORE).unwrap_or(Timestamp::MAX);
        if !is_new && known.is_some_and(|c| c.expires_at > until) {
            return Ok(());
        }
        let center = self.center()?;
        let subject = Subject {
            common_name: session.name.clone(),
            reader_id: Some(user.clone()),
            organization: center.enrolment.center.clone(),
        };
        let csr = key.csr_pem(&subject).map_err(|e| Failure::Local(e.to_string()))?;
        let request = SigningCertificateRequest { csr, otp: None, enrolment_code: None };
        let issued = self.note(center.client.certify(&request).await).map_err(|e| failure_of_center(&e))?;
        // The chain must lead to the root of the enrolment file, whatever root comes along.
        let certificate = Certificate { chain: issued.chain, expires_at: issued.expires_at };
        let json = serde_json::to_vec(&certificate).map_err(|e| Failure::Local(e.to_string()))?;
        let disk = self.disk()?;
        disk.call(move |store| store.put_private(&certificate_name(&user), &json))
            .await
            .map_err(|e| failure_of_store(&e))
    }

    async fn make_key(&self, user: &str, password: &Secret) -> Result<SigningKey, Failure> {
        let secrets = self.opened()?.secrets;
        let (user, password, work) = (user.to_owned(), password.clone(), self.config.work);
        tokio::task::spawn_blocking(move || {
            let local = |e: &dyn std::fmt::Display| Failure::Local(e.to_string());
            let key = SigningKey::generate().map_err(|e| local(&e))?;
            let der = key.to_pkcs8_der().map_err(|e| local(&e))?;
            let sealed = protected::seal(&password.0, &key_context(&user), &der, work).map_err(|e| local(&e))?;
            secrets.set(&key_secret(&user), &sealed).map_err(|e| failure_of_secret(&e))?;
            Ok(key)
        })
        .await
        .map_err(|e| Failure::Local(e.to_string()))?
    }

    /// The certificate kept for a reader.
    pub(super) async fn certificate(&self, user: &str) -> Result<Option<Certificate>, Failure> {
        let disk = self.disk()?;
        let name = certificate_name(user);
        let bytes = disk.call(move |store| store.private(&name)).await.map_err(|e| failure_of_store(&e))?;
        Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
    }

    pub(super) async fn set_archive_credentials(&self, name: String, user: String, password: Secret) {
        use crate::center::dicomweb::ArchiveCredentials;
        let credentials = if user.is_empty() {
            ArchiveCredentials::Bearer { token: password.0, ca_pem: None }
        } else {
            ArchiveCredentials::Basic { user, password: password.0, ca_pem: None }
        };
        let result = match (self.opened(), serde_json::to_vec(&credentials)) {
            (Ok(opened), Ok(json)) => {
                let json = zeroize::Zeroizing::new(json);
                let key = super::transfer::archive_secret(&name);
                tokio::task::spawn_blocking(move || opened.secrets.set(&key, &json))
                    .await
                    .map_err(|e| Failure::Local(e.to_string()))
                    .and_then(|r| r.map_err(|e| failure_of_secret(&e)))
            }
            (Err(failure), _) => Err(failure),
            (_, Err(error)) => Err(Failure::Local(error.to_string())),
        };
        match result {
            Ok(()) => self.transfer.kick(),
            Err(failure) => self.events.push(Event::Notice(failure)),
        }
    }
}
