//! Where something may be sent: scheme, host and port, compared before any secret leaves.

use super::CenterError;
use url::Url;

/// An origin with an optional path below which everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    url: Url,
    base: String,
}

impl Origin {
    /// Parses a base URL: `https`, or `http` on a loopback address only (an archive beside this program).
    pub fn parse(base: &str) -> Result<Self, CenterError> {
        let url = Url::parse(base).map_err(|e| CenterError::Protocol(format!("address: {e}")))?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(CenterError::Protocol("address without host".to_owned())),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(CenterError::Forbidden("an unencrypted connection beyond this machine"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(CenterError::Protocol("address with more than host and path".to_owned()));
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, base })
    }

    /// Same scheme, host and port.
    pub fn same_as(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// The address of a path (with its leading slash) below the base. Not escaped further: paths are built
    /// from UIDs and ids that hold only unreserved characters, and QIDO queries must keep theirs.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Scheme, host and port (`https://host:8443`), to compare and to keep.
    pub fn ascii(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Host and port, for people.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_loopback() {
        for good in
            ["https://center.example/api/", "http://127.0.0.1:8042/dicom-web", "http://localhost:1", "http://[::1]:9"]
        {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://center.example",
            "ftp://127.0.0.1",
            "https://u:p@c.example",
            "https://c.example/?q=1",
            "nonsense",
            "file:///etc",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_and_schemes_part_origins() {
        let at = |s| Origin::parse(s).expect("address");
        let center = at("https://c.example");
        assert!(center.same_as(&at("https://c.example:443/dicomweb")));
        assert!(!center.same_as(&at("https://c.example:8443")));
        assert!(!center.same_as(&at("https://c.example.evil.example")));
        assert_eq!(at("https://c.example/x/").url("/v1/me"), "https://c.example/x/v1/me");
    }
}
