//! One archive and how to sign in there. The center's token goes to the center's own origin and nowhere else;
//! named credentials go to the one root they were given for.

use crate::center::client::{checked, http};
use crate::center::{CenterClient, CenterError, Origin, Patience, Trust};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Credentials of an archive, as the secret store keeps them (JSON). Debug output hides them. Whom the archive is
/// known by is no secret (and too long for some secret stores): it is told beside them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum ArchiveCredentials {
    /// HTTP basic authentication.
    Basic {
        /// User.
        user: String,
        /// Password.
        #[serde(with = "wiped")]
        password: Zeroizing<String>,
    },
    /// A bearer token of the archive's own.
    Bearer {
        /// Token.
        #[serde(with = "wiped")]
        token: Zeroizing<String>,
    },
}

/// A secret as JSON text.
mod wiped {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(secret: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(from).map(Zeroizing::new)
    }
}

impl std::fmt::Debug for ArchiveCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArchiveCredentials(…)")
    }
}

/// How an archive is reached.
#[derive(Debug, Clone)]
pub enum ArchiveAccess {
    /// The center's own root, with the center's token.
    Center(CenterClient),
    /// Another root with credentials of its own, known by these CA certificates (PEM) instead of the system's.
    Named(ArchiveCredentials, Option<String>),
}

#[derive(Clone)]
enum Door {
    Center(Box<CenterClient>),
    Named { http: Client, credentials: ArchiveCredentials },
}

/// A DICOMweb root. Cheap to clone.
#[derive(Clone)]
pub struct ArchiveClient {
    root: Origin,
    door: Door,
    pub(super) patience: Patience,
}

impl std::fmt::Debug for ArchiveClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveClient").field("host", &self.root.host()).finish_non_exhaustive()
    }
}

impl ArchiveClient {
    /// An archive at `root`. With [`ArchiveAccess::Center`] the root must have the center's own origin.
    pub fn new(root: &str, access: ArchiveAccess, patience: Patience) -> Result<Self, CenterError> {
        let root = Origin::parse(root)?;
        let door = match access {
            ArchiveAccess::Center(center) => {
                if !root.same_as(center.origin()) {
                    return Err(CenterError::Forbidden("the center's token to another origin than the center's"));
                }
                Door::Center(Box::new(center))
            }
            ArchiveAccess::Named(credentials, ca_pem) => {
                let trust = ca_pem.map_or(Trust::System, Trust::Only);
                Door::Named { http: http(&trust, patience, patience.stall)?, credentials }
            }
        };
        Ok(Self { root, door, patience })
    }

    /// Host and port, for people.
    pub fn host(&self) -> String {
        self.root.host()
    }

    /// One GET; the answer's status is a success.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Response, CenterError> {
        let url = self.root.url(path);
        match &self.door {
            Door::Center(center) => center.get_own(&url, accept).await,
            Door::Named { http, credentials } => {
                let mut headers = HeaderMap::new();
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
                let request = http.get(url).headers(headers);
                let request = match credentials {
                    ArchiveCredentials::Basic { user, password } => request.basic_auth(user, Some(password.as_str())),
                    ArchiveCredentials::Bearer { token } => request.bearer_auth(token.as_str()),
                };
                checked(request.send().await?).await
            }
        }
    }

    /// A GET that is repeated after a pause where that may help.
    pub(super) async fn get_patiently(&self, path: &str, accept: &'static str) -> Result<Response, CenterError> {
        let mut attempt = 1;
        loop {
            match self.get(path, accept).await {
                Err(error) if error.worth_retrying() && attempt < self.patience.attempts => {
                    tokio::time::sleep(self.patience.pause(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::center::Session;
    use crate::vault::ca::{CertificateAuthority, Validity};
    use crate::vault::secrets::MemoryStore;
    use std::sync::Arc;

    #[test]
    fn the_centers_token_has_one_origin() {
        crate::vault::tls::install_provider();
        let start = "2026-01-01T00:00:00Z".parse().expect("time");
        let ca = CertificateAuthority::create("test", Validity::days(start, 10)).expect("ca");
        let session =
            Arc::new(Session::new(Arc::new(MemoryStore::new()), "https://center.example", &ca.certificate_pem()));
        let patience = Patience::default();
        let center =
            CenterClient::new("https://center.example", &ca.certificate_pem(), session, patience).expect("client");
        let open = |root: &str| ArchiveClient::new(root, ArchiveAccess::Center(center.clone()), patience);
        assert!(open("https://center.example/dicomweb").is_ok());
        for elsewhere in
            ["https://center.example:8443/dicomweb", "https://other.example/dicomweb", "http://127.0.0.1/dicomweb"]
        {
            assert!(matches!(open(elsewhere), Err(CenterError::Forbidden(_))), "{elsewhere}");
        }
    }
}
