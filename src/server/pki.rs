//! The center's certificates and keys under `DATA/pki`: root, TLS server, receipts, and the key that seals secrets in the database.

use super::error::Error;
use crate::vault::ca::{CertificateAuthority, Validity, certificates_from_pem, pem};
use crate::vault::keys::SigningKey;
use crate::vault::seal::{MasterKey, Sealer};
use crate::vault::secrets::{MemoryStore, SecretStore, Zeroizing};
use crate::vault::{atomic, digest, private, signature};
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT_DAYS: u32 = 3650;
const SERVER_DAYS: u32 = 397;
const RECEIPT_DAYS: u32 = 3650;
/// A certificate this close to its end is replaced at start.
const RENEW_BEFORE_SECONDS: i64 = 30 * 86_400;
/// A terminal's clock may be behind the center's by this much and must still accept new certificates.
const BACKDATE_SECONDS: i64 = 3600;

/// Certificates and keys of a running center.
#[derive(Debug)]
pub struct Pki {
    folder: PathBuf,
    /// The root.
    pub ca: CertificateAuthority,
    /// Receipt certificate, DER.
    pub receipt_certificate: Vec<u8>,
    receipt_key: SigningKey,
    sealer: Sealer,
}

/// The TLS server's certificate chain and key.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Server certificate and root, DER.
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8 DER.
    pub key: Zeroizing<Vec<u8>>,
}

impl Pki {
    /// Reads what is there and makes what is missing.
    pub fn open(folder: &Path, center_name: &str, now: Timestamp) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        private::restrict_folder(folder).map_err(Error::io(folder))?;
        let ca = match load(folder, "ca")? {
            Some((certificate, key)) => CertificateAuthority::from_parts(certificate, key)?,
            None => {
                let ca = CertificateAuthority::create(center_name, backdated(now, ROOT_DAYS))?;
                save(folder, "ca", ca.certificate(), ca.key())?;
                ca
            }
        };
        let (receipt_certificate, receipt_key) = match load(folder, "receipt")? {
            Some(pair) if !ends_soon(&pair.0, now) => pair,
            _ => {
                let issued = ca.issue_receipt(center_name, backdated(now, RECEIPT_DAYS))?;
                save(folder, "receipt", &issued.certificate, &issued.key)?;
                (issued.certificate, issued.key)
            }
        };
        Ok(Self { folder: folder.to_owned(), ca, receipt_certificate, receipt_key, sealer: sealer(folder)? })
    }

    /// The TLS identity for these names (DNS names and addresses); made anew when the names changed or its end is near.
    pub fn server_identity(&self, names: &[String], now: Timestamp) -> Result<ServerIdentity, Error> {
        let names_file = self.folder.join("server.names");
        let wanted = names.join("\n");
        let known = read_if_there(&names_file)?;
        let stored = load(&self.folder, "server")?
            .filter(|pair| !ends_soon(&pair.0, now) && known.as_deref() == Some(wanted.as_bytes()));
        let (certificate, key) = match stored {
            Some(pair) => pair,
            None => {
                let issued = self.ca.issue_server(names, backdated(now, SERVER_DAYS))?;
                save(&self.folder, "server", &issued.certificate, &issued.key)?;
                atomic::write(&names_file, wanted.as_bytes()).map_err(Error::io(&names_file))?;
                (issued.certificate, issued.key)
            }
        };
        Ok(ServerIdentity { chain: vec![certificate, self.ca.certificate().to_vec()], key: key.to_pkcs8_der()? })
    }

    /// Signs a receipt's bytes for the center (detached CMS, DER).
    pub fn sign_receipt(&self, content: &[u8], at: Timestamp) -> Result<Vec<u8>, Error> {
        let chain = [self.ca.certificate().to_vec()];
        Ok(signature::sign_detached(content, &self.receipt_key, &self.receipt_certificate, &chain, at)?)
    }

    /// Seals a secret for the database.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.sealer.seal(context.as_bytes(), secret)?)
    }

    /// Opens a secret of the database.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.sealer.open(context.as_bytes(), sealed)?)
    }
}

/// Validity that begins a little in the past.
pub fn backdated(now: Timestamp, days: u32) -> Validity {
    let start = Timestamp::from_second(now.as_second().saturating_sub(BACKDATE_SECONDS)).unwrap_or(now);
    Validity { not_before: start, ..Validity::days(now, days) }
}

fn sealer(folder: &Path) -> Result<Sealer, Error> {
    const NAME: &str = "secrets.key";
    let path = folder.join(NAME);
    // The vault makes and reads master keys through a secret store; here that is a file beside the CA key.
    let store = MemoryStore::new();
    let secret = |e: crate::vault::secrets::SecretError| Error::Refused(format!("{}: {e}", path.display()));
    if let Some(bytes) = read_if_there(&path)? {
        let bytes = Zeroizing::new(bytes);
        let text = std::str::from_utf8(&bytes).ok().and_then(|t| digest::from_hex(t.trim()));
        let key = Zeroizing::new(text.ok_or_else(|| Error::Refused(format!("{} is damaged", path.display())))?);
        store.set(crate::vault::seal::MASTER_KEY_NAME, &key).map_err(secret)?;
        return Ok(Sealer::new(MasterKey::load_or_create(&store, true)?));
    }
    let master = MasterKey::load_or_create(&store, false)?;
    let key = store
        .get(crate::vault::seal::MASTER_KEY_NAME)
        .map_err(secret)?
        .ok_or(crate::vault::seal::SealError::KeyMissing)?;
    let text = Zeroizing::new(digest::hex(&key));
    atomic::write(&path, text.as_bytes()).map_err(Error::io(&path))?;
    Ok(Sealer::new(master))
}

fn ends_soon(certificate: &[u8], now: Timestamp) -> bool {
    signature::summarize_certificate(certificate)
        .is_none_or(|s| s.not_after.as_second() - now.as_second() < RENEW_BEFORE_SECONDS)
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(path)(e)),
    }
}

fn load(folder: &Path, name: &str) -> Result<Option<(Vec<u8>, SigningKey)>, Error> {
    let certificate_path = folder.join(format!("{name}.pem"));
    let key_path = folder.join(format!("{name}.key"));
    let (Some(text), Some(key)) = (read_if_there(&certificate_path)?, read_if_there(&key_path)?) else {
        return Ok(None);
    };
    let key = Zeroizing::new(key);
    let text = String::from_utf8_lossy(&text);
    let certificate = certificates_from_pem(&text)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::Refused(format!("{} holds no certificate", certificate_path.display())))?;
    Ok(Some((certificate, SigningKey::from_pkcs8_der(&key)?)))
}

fn save(folder: &Path, name: &str, certificate: &[u8], key: &SigningKey) -> Result<(), Error> {
    // The key first: a certificate without its key counts as missing and is made again.
    let key_path = folder.join(format!("{name}.key"));
    atomic::write(&key_path, &key.to_pkcs8_der()?).map_err(Error::io(&key_path))?;
    let path = folder.join(format!("{name}.pem"));
    atomic::write(&path, pem("CERTIFICATE", certificate).as_bytes()).map_err(Error::io(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_root_and_secrets_after_a_restart() {
        let folder = tempfile::tempdir().expect("folder");
        let now: Timestamp = "2026-11-20T00:00:00Z".parse().expect("time");
        let first = Pki::open(folder.path(), "Center", now).expect("new");
        let sealed = first.seal("totp:a", b"secret").expect("seal");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let identity = first.server_identity(&names, now).expect("server");
        let second = Pki::open(folder.path(), "Center", now).expect("again");
        assert_eq!(first.ca.certificate(), second.ca.certificate());
        assert_eq!(first.receipt_certificate, second.receipt_certificate);
        assert_eq!(second.unseal("totp:a", &sealed).expect("open").as_slice(), b"secret");
        assert!(second.unseal("totp:b", &sealed).is_err());
        assert_eq!(identity.chain, second.server_identity(&names, now).expect("server").chain);
        let other = second.server_identity(&["localhost".to_owned()], now).expect("server");
        assert_ne!(identity.chain, other.chain);
    }

    #[test]
    fn receipts_verify_as_the_centers() {
        let folder = tempfile::tempdir().expect("folder");
        let now: Timestamp = "2026-11-20T00:00:00Z".parse().expect("time");
        let pki = Pki::open(folder.path(), "Center", now).expect("new");
        let cms = pki.sign_receipt(b"receipt", now).expect("sign");
        let roots = [pki.ca.certificate().to_vec()];
        let policy = signature::Policy { roots: &roots, revoked: &[], at: now, expected: signature::Expected::Center };
        assert!(policy.verify(b"receipt", &cms).verdict.is_valid());
        assert!(!policy.verify(b"receipt!", &cms).verdict.is_valid());
    }
}
