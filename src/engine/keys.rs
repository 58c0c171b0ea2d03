//! The reader's signing key on this terminal, and its certificate from the center.

use super::enrolment;
use super::inner::{Inner, failure_of_center, failure_of_store};
use super::message::{Failure, Secret, Session};
use super::session::failure_of_secret;
use crate::center::contract::{EnrolmentFile, SigningCertificateRequest};
use crate::vault::ca::{certificates_from_pem, public_key_of};
use crate::vault::digest::sha256_hex;
use crate::vault::keys::{SigningKey, Subject};
use crate::vault::protected::{self, ProtectedError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A certificate that ends within this time is renewed at sign-in.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The certificate of a reader's key on this terminal.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Certificate {
    /// PEM, the reader's first.
    pub(super) chain: String,
    /// End.
    pub(super) expires_at: Timestamp,
}

impl Certificate {
    /// Whether the reader's certificate is for this public key (SubjectPublicKeyInfo DER).
    fn is_for(&self, public_key: &[u8]) -> bool {
        let chain = certificates_from_pem(&self.chain).unwrap_or_default();
        chain.first().and_then(|c| public_key_of(c).ok()).is_some_and(|key| key == public_key)
    }
}

/// Why a key was not opened.
enum KeyFault {
    /// There is none, for certain.
    Missing,
    /// Another password opens it.
    WrongPassword,
    /// Not known: the store failed, or what it holds is damaged.
    Other(Failure),
}

fn key_secret(user: &str) -> String {
    format!("signing-key-{}", &sha256_hex(user.as_bytes())[..32])
}

fn key_context(user: &str) -> Vec<u8> {
    format!("dokuei signing key of {user}").into_bytes()
}

/// Another center's certificate says nothing here, even of the same key.
fn certificate_name(user: &str, center: &EnrolmentFile) -> String {
    format!("certificate-{}-{}", &sha256_hex(user.as_bytes())[..32], enrolment::id(center))
}

impl Inner {
    /// The reader's signing key, opened with the password.
    pub(super) async fn open_key(&self, user: &str, password: &Secret) -> Result<SigningKey, Failure> {
        self.find_key(user, password).await.map_err(|e| match e {
            KeyFault::Missing => Failure::Local("there is no signing key for this reader on this terminal".to_owned()),
            KeyFault::WrongPassword => Failure::Denied("the password is wrong".to_owned()),
            KeyFault::Other(failure) => failure,
        })
    }

    async fn find_key(&self, user: &str, password: &Secret) -> Result<SigningKey, KeyFault> {
        let secrets = self.opened().map_err(KeyFault::Other)?.secrets;
        let (user, password) = (user.to_owned(), password.clone());
        tokio::task::spawn_blocking(move || {
            let sealed = secrets.get(&key_secret(&user)).map_err(|e| KeyFault::Other(failure_of_secret(&e)))?;
            let sealed = sealed.ok_or(KeyFault::Missing)?;
            let der = protected::open(&password.0, &key_context(&user), &sealed).map_err(|e| match e {
                ProtectedError::WrongPassword => KeyFault::WrongPassword,
                other => KeyFault::Other(Failure::Local(other.to_string())),
            })?;
            SigningKey::from_pkcs8_der(&der).map_err(|e| KeyFault::Other(Failure::Local(e.to_string())))
        })
        .await
        .map_err(|e| KeyFault::Other(Failure::Local(e.to_string())))?
    }

    /// The reader's key on this terminal (made at the first sign-in), and its certificate.
    pub(super) async fn prepare_key(&self, session: &Session, password: &Secret) -> Result<(), Failure> {
        let user = session.user.clone();
        let key = match self.find_key(&user, password).await {
            Ok(key) => key,
            // No key yet, or the password was changed at the center: the old key is lost with the old password.
            Err(KeyFault::Missing | KeyFault::WrongPassword) => self.make_key(&user, password).await?,
            // A keyring that is locked or fails for now may hold a good key: it must not be written over.
            Err(KeyFault::Other(failure)) => return Err(failure),
        };
        let until = self.now().saturating_add(RENEW_BEFORE).unwrap_or(Timestamp::MAX);
        let mine = key.public_key_der().map_err(|e| Failure::Local(e.to_string()))?;
        if self.certificate(&user).await?.is_some_and(|c| c.expires_at > until && c.is_for(&mine)) {
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
        let name = certificate_name(&user, &center.enrolment);
        disk.call(move |store| store.put_private(&name, &json)).await.map_err(|e| failure_of_store(&e))
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
        let name = certificate_name(user, &self.center()?.enrolment);
        let bytes = disk.call(move |store| store.private(&name)).await.map_err(|e| failure_of_store(&e))?;
        Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
    }
}
