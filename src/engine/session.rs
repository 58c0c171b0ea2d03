//! Who is here: secrets, enrolment, sign-in, the signing key and its certificate, the lock.

use super::config::SecretChoice;
use super::disk::Disk;
use super::enrolment::{ENROLMENT, last_session_name};
use super::inner::{Inner, Opened, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, Secret, Session, Start};
use crate::center::contract::{EnrolmentFile, UserRole};
use crate::center::{CenterError, refresh_token_name};
use crate::store::{Profile, Store, StoreError};
use crate::vault::seal::{MasterKey, SealError};
use crate::vault::secrets::{KeyringStore, PassphraseStore, SecretError, SecretStore};
use crate::worklist::{AuditAction, AuditOutcome};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a sign-out waits for the center to take the last audit records.
pub(super) const LAST_AUDIT: Duration = Duration::from_secs(3);

/// Who signed in last, for the sign-in screen and for sending what waits.
#[derive(Serialize, Deserialize)]
struct LastSession {
    user: String,
    name: String,
    roles: Vec<String>,
}

fn role_name(role: UserRole) -> String {
    serde_json::to_value(role).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn failure_of_secret(error: &SecretError) -> Failure {
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
        let (settings, enrolment) = disk
            .call(|store| Ok((store.settings()?, store.private(ENROLMENT)?)))
            .await
            .map_err(|e| (failure_of_store(&e), None))?;
        self.events.push(Event::Settings(settings));
        self.tell_outbox().await;
        let start = match enrolment.and_then(|b| serde_json::from_slice::<EnrolmentFile>(&b).ok()) {
            None => Start::NotEnrolled,
            Some(file) => {
                let last = self.last_session(&file).await.map_err(|e| (e, None))?;
                let last_user = last.as_ref().map_or_else(|| file.user.clone(), |l| l.user.clone());
                let center = file.center.clone();
                let token = refresh_token_name(&file.base_url, &file.ca_certificate);
                match self.connect(file).await {
                    Ok(()) => {
                        self.resume(last, token).await;
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

    async fn last_session(&self, center: &EnrolmentFile) -> Result<Option<LastSession>, Failure> {
        let (disk, name) = (self.disk()?, last_session_name(center));
        let bytes = disk.call(move |store| store.private(&name)).await.map_err(|e| failure_of_store(&e))?;
        Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
    }

    /// A refresh token of the last run lets the outbox go on before anybody signs in; it opens no worklist.
    async fn resume(self: &Arc<Self>, last: Option<LastSession>, token: String) {
        let (Some(last), Ok(opened)) = (last, self.opened()) else { return };
        let secrets = opened.secrets;
        let token = tokio::task::spawn_blocking(move || secrets.get(&token)).await;
        if matches!(token, Ok(Ok(Some(_)))) {
            *lock(&self.token_user) = Some(Session { user: last.user, name: last.name, roles: last.roles });
            self.back_online();
        }
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
        let last = match self.center() {
            Ok(center) => self.last_session(&center.enrolment).await,
            Err(failure) => Err(failure),
        };
        // What cannot be read is told as the reason, not as an unreachable center.
        let last = match last {
            Ok(last) => last.filter(|l| l.user == user),
            Err(failure) => {
                self.events.push(Event::SignInFailed(failure));
                return;
            }
        };
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
        if lock(&self.writer).replace(session.user.clone()).is_some_and(|before| before != session.user) {
            // What the reader before left in memory is none of this one's business.
            self.change_assignments(|all| {
                all.clear();
                None
            });
            lock(&self.desk.prepared).clear();
        }
        *lock(&self.session) = Some(session.clone());
        self.reader_changes();
        self.record(self.audit(AuditAction::Login, AuditOutcome::Success, None)).await;
        let user = session.user.clone();
        self.events.push(Event::SignedIn(session));
        self.tell_flags().await;
        self.tell_reading_state(user).await;
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
        let name = last_session_name(&self.center()?.enrolment);
        disk.call(move |store| {
            let before = store.private(&name)?;
            let same = before.and_then(|b| serde_json::from_slice::<LastSession>(&b).ok()).map(|l| l.user);
            if same.as_ref() != Some(&last.user) {
                // Another reader's worklist is none of this one's business.
                store.clear_worklist()?;
            }
            store.put_private(&name, &json)
        })
        .await
        .map_err(|e| failure_of_store(&e))
    }

    pub(super) async fn sign_out(&self) {
        let Some(session) = self.signed_in() else { return };
        self.record(self.audit(AuditAction::Logout, AuditOutcome::Success, None)).await;
        tracing::debug!(user = session.user, "signing out");
        // The last records go while there is a session to send them with; what does not get through stays here.
        let last = tokio::time::Instant::now() + LAST_AUDIT;
        match tokio::time::timeout_at(last, self.send_all_audit()).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::warn!(reason = failure.detail(), "audit records wait for the next sign-in"),
            Err(_) => tracing::warn!("audit records wait for the next sign-in: the center does not answer"),
        }
        self.leave(last).await;
        self.events.push(Event::SignedOut(None));
    }

    /// Ends the session at the center where it can be reached until `last`, and here in any case.
    pub(super) async fn leave(&self, last: tokio::time::Instant) {
        *lock(&self.session) = None;
        *lock(&self.token_user) = None;
        self.lanes.clear();
        self.reader_changes();
        if tokio::time::timeout_at(last, self.under_way.write()).await.is_err() {
            tracing::warn!("something was still being sent when its reader left");
        }
        if let Ok(center) = self.center() {
            let told = match tokio::time::timeout_at(last, center.client.sign_out()).await {
                Ok(told) => told,
                // The session ends there by itself; here its tokens go now.
                Err(_) => center.client.forget().await.and(Err(CenterError::Offline("no answer in time".to_owned()))),
            };
            if let Err(error) = told {
                tracing::warn!(%error, "the center was not told of the sign-out");
            }
        }
        self.transfer.abort_all();
        self.pictures.clear();
        lock(&self.desk.prepared).clear();
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
}
