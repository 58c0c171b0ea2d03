//! Archives beside the center's own: their credentials, and the one origin that these may go to.
//!
//! The secret lies in the secret store; whom an archive is known by (origin, certificate authority) is sealed in
//! the store, since certificates are too long for some secret stores. A name means one origin, the first one that
//! it was used for: a center that lets it stand for another one gets nothing sent there.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::message::{
    ArchiveCa, ArchiveCommand, ArchiveCredentials as Given, ArchiveEvent, ArchiveNeed, ArchiveWant, Event, Failure,
    KeptArchive,
};
use super::session::failure_of_secret;
use crate::center::dicomweb::{ArchiveAccess, ArchiveClient, ArchiveCredentials};
use crate::center::{CenterError, Origin};
use crate::store::{Store, StoreError};
use crate::study::StudyUid;
use crate::vault::ca::{certificates_from_pem, pem};
use crate::vault::digest::sha256_hex;
use crate::vault::secrets::{SecretError, SecretStore, Zeroizing};
use crate::worklist::Archive;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Name of the sealed list in the store.
const LIST: &str = "archives";
/// Longest name of an archive, characters.
const LONGEST_NAME: usize = 200;
/// Largest file or text of CA certificates.
const LARGEST_CA: u64 = 1 << 20;

/// What is kept for an archive beside its secret.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    archive: String,
    origin: Option<String>,
    user: String,
    ca_pem: Option<String>,
}

impl Kept {
    fn told(&self) -> KeptArchive {
        let first = self.ca_pem.as_deref().and_then(|text| certificates_from_pem(text).ok()?.into_iter().next());
        KeptArchive {
            archive: self.archive.clone(),
            origin: self.origin.clone(),
            user: self.user.clone(),
            ca_sha256: first.map(|certificate| sha256_hex(&certificate)),
        }
    }
}

fn list(store: &Store) -> Result<Vec<Kept>, StoreError> {
    Ok(store.private(LIST)?.map(|json| serde_json::from_slice(&json)).transpose()?.unwrap_or_default())
}

fn put_list(store: &mut Store, all: &[Kept]) -> Result<(), StoreError> {
    store.put_private(LIST, &serde_json::to_vec(all)?)
}

/// Why an archive is not spoken with.
pub(super) enum NoAccess {
    /// The reader must do something.
    Reader(ArchiveNeed, Failure),
    /// This terminal failed.
    Failed(Failure),
}

impl From<StoreError> for NoAccess {
    fn from(error: StoreError) -> Self {
        Self::Failed(failure_of_store(&error))
    }
}

/// What the reader must do about an archive's answer, if it is for the reader.
pub(super) fn need_of(error: &CenterError) -> Option<ArchiveNeed> {
    match error {
        CenterError::Untrusted(_) => Some(ArchiveNeed::Ca),
        CenterError::Status(401 | 403) => Some(ArchiveNeed::Others),
        CenterError::Refused(problem) if matches!(problem.status, 401 | 403) => Some(ArchiveNeed::Others),
        _ => None,
    }
}

/// The name that an assignment gives for an archive's credentials; without one, the archive's origin.
pub(super) fn name_of(archive: &Archive) -> Result<String, CenterError> {
    match archive.credentials.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Ok(name.to_owned()),
        None => Ok(Origin::parse(&archive.root)?.ascii()),
    }
}

/// Name in the secret store. Names from outside become a digest where they hold anything that a secret store might
/// not take.
fn secret_name(archive: &str) -> String {
    format!("archive-{}", &sha256_hex(archive.as_bytes())[..32])
}

/// Runs blocking work with the secret store.
async fn with_secrets<T: Send + 'static>(
    secrets: Arc<dyn SecretStore>,
    work: impl FnOnce(&dyn SecretStore) -> Result<T, SecretError> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(move || work(secrets.as_ref()))
        .await
        .map_err(|e| Failure::Local(e.to_string()))?
        .map_err(|e| failure_of_secret(&e))
}

impl Inner {
    /// Credentials for an archive that an assignment names. At the first use the name is bound to the origin.
    pub(super) async fn named_access(&self, archive: &Archive) -> Result<ArchiveAccess, NoAccess> {
        let opened = self.opened().map_err(NoAccess::Failed)?;
        let unfit = |e: CenterError| NoAccess::Failed(failure_of_center(&e));
        let (name, origin) = (name_of(archive).map_err(unfit)?, Origin::parse(&archive.root).map_err(unfit)?.ascii());
        let (wanted, at) = (name.clone(), origin.clone());
        let kept = opened
            .disk
            .call(move |store| {
                let mut all = list(store)?;
                let Some(place) = place_of(&all, &wanted, &at) else { return Ok(None) };
                let kept = &mut all[place];
                let first = kept.origin.is_none();
                let found = Kept { origin: Some(kept.origin.get_or_insert(at).clone()), ..kept.clone() };
                if first {
                    put_list(store, &all)?;
                }
                Ok(Some(found))
            })
            .await?;
        let missing = || {
            let failure = Failure::Denied(format!("no credentials are kept for the archive {name}"));
            NoAccess::Reader(ArchiveNeed::Credentials, failure)
        };
        let kept = kept.ok_or_else(missing)?;
        if kept.origin.as_ref() != Some(&origin) {
            let failure = Failure::Denied(format!("the archive {name} is at another address than before: {origin}"));
            return Err(NoAccess::Reader(ArchiveNeed::Moved, failure));
        }
        let key = secret_name(&kept.archive);
        let secret = with_secrets(opened.secrets, move |s| s.get(&key)).await.map_err(NoAccess::Failed)?;
        let secret = secret.ok_or_else(missing)?;
        let credentials = serde_json::from_slice(&secret).map_err(|_| {
            NoAccess::Failed(Failure::Local(format!("the credentials kept for the archive {name} are damaged")))
        })?;
        Ok(ArchiveAccess::Named(credentials, kept.ca_pem))
    }

    /// Tells the reader that pictures wait at an archive.
    pub(super) async fn want_archive(&self, archive: &Archive, study: &StudyUid, need: ArchiveNeed) {
        let (Ok(name), Ok(root)) = (name_of(archive), Origin::parse(&archive.root)) else { return };
        let kept = match self.disk() {
            Ok(disk) => {
                let (name, origin) = (name.clone(), root.ascii());
                disk.call(move |store| {
                    let all = list(store)?;
                    Ok(place_of(&all, &name, &origin).and_then(|place| all.get(place).cloned()))
                })
                .await
            }
            Err(_) => Ok(None),
        };
        // Without the list there is nothing to fill in beforehand; the wish itself stands.
        let (archive_name, user) = kept.ok().flatten().map_or((name, String::new()), |k| (k.archive, k.user));
        self.events.push(Event::Archive(ArchiveEvent::Wanted(ArchiveWant {
            archive: archive_name,
            root: archive.root.clone(),
            host: root.host(),
            study: study.clone(),
            need,
            user,
        })));
    }

    /// Does the commands of one line in order, until nobody can send any.
    pub(super) async fn keep_archives(self: Arc<Self>, mut line: mpsc::Receiver<ArchiveCommand>) {
        while let Some(command) = line.recv().await {
            let event = match command {
                ArchiveCommand::List => None,
                ArchiveCommand::Keep(given) => Some(self.keep_archive(given).await),
                ArchiveCommand::Remove(archive) => Some(self.remove_archive(archive).await),
            };
            if let Some(event) = event {
                self.events.push(Event::Archive(event));
            }
            match self.kept_archives().await {
                Ok(kept) => self.events.push(Event::Archive(ArchiveEvent::Kept(kept))),
                Err(failure) => self.events.push(Event::Notice(failure)),
            }
        }
    }

    async fn kept_archives(&self) -> Result<Vec<KeptArchive>, Failure> {
        let all = self.disk()?.call(|store| list(store)).await.map_err(|e| failure_of_store(&e))?;
        let mut told: Vec<_> = all.iter().map(Kept::told).collect();
        told.sort_by(|a, b| a.archive.cmp(&b.archive));
        Ok(told)
    }

    async fn keep_archive(self: &Arc<Self>, given: Given) -> ArchiveEvent {
        let archive = canonical(&given.archive).unwrap_or_else(|_| given.archive.clone());
        match self.try_and_keep(given).await {
            Ok(tried) => {
                self.transfer.renew_archives();
                ArchiveEvent::Saved { archive, tried }
            }
            Err((need, failure)) => ArchiveEvent::Failed { archive, need, failure },
        }
    }

    async fn try_and_keep(&self, given: Given) -> Result<bool, (Option<ArchiveNeed>, Failure)> {
        let plain = |failure| (None, failure);
        let opened = self.opened().map_err(plain)?;
        let archive = canonical(&given.archive).map_err(plain)?;
        let user = given.user.trim().to_owned();
        if given.password.0.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return Err(plain(Failure::Rejected("a password or token is needed, and a user without colon".to_owned())));
        }
        let unfit = |e: CenterError| (None, failure_of_center(&e));
        let origin = match &given.trial {
            Some((root, _)) => Some(Origin::parse(root).map_err(unfit)?.ascii()),
            None => archive.contains("://").then(|| archive.clone()),
        };
        if archive.contains("://") && origin.as_ref() != Some(&archive) {
            return Err(plain(Failure::Rejected("the archive is at another address".to_owned())));
        }
        let before = {
            let archive = archive.clone();
            let all = opened.disk.call(move |store| list(store)).await.map_err(|e| plain(failure_of_store(&e)))?;
            all.into_iter().find(|kept| kept.archive == archive)
        };
        let ca_pem = match given.ca {
            ArchiveCa::AsKept => before.and_then(|kept| kept.ca_pem),
            ArchiveCa::System => None,
            ArchiveCa::Pem(text) => Some(authorities(text.as_bytes()).map_err(plain)?),
            ArchiveCa::File(path) => Some(authorities(&read_ca(&path).map_err(plain)?).map_err(plain)?),
        };
        let credentials = if user.is_empty() {
            ArchiveCredentials::Bearer { token: given.password.0 }
        } else {
            ArchiveCredentials::Basic { user: user.clone(), password: given.password.0 }
        };
        let mut tried = false;
        if let Some((root, study)) = &given.trial {
            let access = ArchiveAccess::Named(credentials.clone(), ca_pem.clone());
            let client = ArchiveClient::new(root, access, self.config.timing.patience).map_err(unfit)?;
            match client.series_of(study).await {
                Ok(_) => tried = true,
                Err(error) => {
                    if let Some(need) = need_of(&error) {
                        return Err((Some(need), failure_of_center(&error)));
                    }
                    tracing::warn!(%error, "credentials of an archive could not be tried");
                }
            }
        }
        let json = serde_json::to_vec(&credentials).map(Zeroizing::new);
        let json = json.map_err(|e| plain(Failure::Local(e.to_string())))?;
        let key = secret_name(&archive);
        with_secrets(opened.secrets, move |s| s.set(&key, &json)).await.map_err(plain)?;
        let kept = Kept { archive, origin, user, ca_pem };
        let put = opened.disk.call(move |store| {
            let mut all = list(store)?;
            all.retain(|other| other.archive != kept.archive);
            all.push(kept);
            put_list(store, &all)
        });
        put.await.map_err(|e| plain(failure_of_store(&e)))?;
        Ok(tried)
    }

    async fn remove_archive(&self, archive: String) -> ArchiveEvent {
        let archive = canonical(&archive).unwrap_or(archive);
        match self.forget(archive.clone()).await {
            Ok(()) => {
                self.transfer.renew_archives();
                ArchiveEvent::Removed { archive }
            }
            Err(failure) => ArchiveEvent::Failed { archive, need: None, failure },
        }
    }

    /// The secret goes first: what is still listed can be removed again, what is not would stay unseen.
    async fn forget(&self, archive: String) -> Result<(), Failure> {
        let opened = self.opened()?;
        let key = secret_name(&archive);
        with_secrets(opened.secrets, move |s| s.delete(&key)).await?;
        let removed = opened.disk.call(move |store| {
            let mut all = list(store)?;
            let before = all.len();
            all.retain(|kept| kept.archive != archive);
            if all.len() == before {
                return Err(StoreError::NotFound("credentials for this archive"));
            }
            put_list(store, &all)
        });
        removed.await.map_err(|e| failure_of_store(&e))
    }
}

/// Which entry serves an archive of this name at this origin: the name's own while it is not bound elsewhere, else
/// the origin's, else the name's own, which then has moved.
fn place_of(all: &[Kept], name: &str, origin: &str) -> Option<usize> {
    let named = all.iter().position(|k| k.archive == name);
    let here = |place: &usize| all.get(*place).is_some_and(|k| k.origin.as_ref().is_none_or(|o| o == origin));
    named.filter(here).or_else(|| all.iter().position(|k| k.archive == origin)).or(named)
}

/// A name as it is kept; an address becomes its origin.
fn canonical(archive: &str) -> Result<String, Failure> {
    let name = archive.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Failure::Rejected("not a name of an archive".to_owned()));
    }
    if name.contains("://") {
        return Origin::parse(name).map(|o| o.ascii()).map_err(|e| failure_of_center(&e));
    }
    Ok(name.to_owned())
}

fn read_ca(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::Local(format!("the file of the certificate cannot be read: {e}"));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(LARGEST_CA + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The certificates in a PEM text (with anything around them) or one DER file, as PEM and nothing else: a private key
/// that lies beside them is not kept.
fn authorities(bytes: &[u8]) -> Result<String, Failure> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let unusable = || Failure::Rejected("there is no usable certificate in it".to_owned());
    if bytes.len() as u64 > LARGEST_CA {
        return Err(unusable());
    }
    let mut text = String::new();
    match std::str::from_utf8(bytes) {
        Ok(given) if given.contains(BEGIN) => {
            for part in given.split(BEGIN).skip(1) {
                let (body, _) = part.split_once(END).ok_or_else(unusable)?;
                let lines: Vec<&str> = body.split_whitespace().collect();
                text.push_str(&format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
            }
        }
        _ => text = pem("CERTIFICATE", bytes),
    }
    let certificates = certificates_from_pem(&text).map_err(|_| unusable())?;
    if certificates.is_empty() {
        return Err(unusable());
    }
    Ok(certificates.iter().map(|der| pem("CERTIFICATE", der)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::ca::{CertificateAuthority, Validity};
    use crate::worklist::ArchiveAuth;

    fn kept(archive: &str, origin: Option<&str>) -> Kept {
        Kept { archive: archive.into(), origin: origin.map(Into::into), user: "u".into(), ca_pem: None }
    }

    #[test]
    fn a_name_serves_its_own_origin_only() {
        let all = [kept("pacs", Some("https://a.example")), kept("https://b.example", Some("https://b.example"))];
        assert_eq!(place_of(&all, "pacs", "https://a.example"), Some(0));
        assert_eq!(place_of(&all, "pacs", "https://b.example"), Some(1), "the address has its own");
        assert_eq!(place_of(&all, "pacs", "https://evil.example"), Some(0), "found, and seen to have moved");
        assert_eq!(place_of(&all, "other", "https://c.example"), None);
        assert_eq!(place_of(&[kept("pacs", None)], "pacs", "https://c.example"), Some(0), "not bound yet");
    }

    #[test]
    fn archives_are_named_by_the_center_or_by_their_origin() {
        let archive = |credentials: Option<&str>| Archive {
            root: "https://Pacs.example:443/dicom-web".into(),
            auth: ArchiveAuth::Named,
            credentials: credentials.map(Into::into),
        };
        assert_eq!(name_of(&archive(Some("orthanc"))).expect("name"), "orthanc");
        for none in [None, Some(" ")] {
            assert_eq!(name_of(&archive(none)).expect("name"), "https://pacs.example");
        }
        assert_eq!(canonical(" https://pacs.example/dicom-web ").expect("address"), "https://pacs.example");
        for bad in ["", "a\nb", "http://pacs.example", &"x".repeat(201)] {
            assert!(canonical(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn certificates_come_from_pem_and_der_and_keys_are_left_out() {
        let start = "2026-01-01T00:00:00Z".parse().expect("time");
        let ca = CertificateAuthority::create("test", Validity::days(start, 10)).expect("ca");
        let clean = ca.certificate_pem();
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let messy = format!("subject=test\r\n{key}  {}", clean.replace('\n', "\r\n   "));
        assert_eq!(authorities(messy.as_bytes()).expect("pem"), clean);
        assert_eq!(authorities(ca.certificate()).expect("der"), clean);
        assert_eq!(authorities(clean.replace('\n', " ").as_bytes()).expect("pasted in one line"), clean);
        for bad in [&b""[..], b"nonsense", key.as_bytes(), b"-----BEGIN CERTIFICATE-----\nAAAA"] {
            assert!(authorities(bad).is_err());
        }
    }

    #[test]
    fn nothing_given_is_printed() {
        let given = Given {
            archive: "pacs".into(),
            user: "someone".into(),
            password: super::super::message::Secret(Zeroizing::new("hidden".to_owned())),
            ca: ArchiveCa::System,
            trial: None,
        };
        let text = format!("{:?}", ArchiveCommand::Keep(given));
        assert!(!text.contains("hidden") && !text.contains("someone"), "{text}");
    }
}
