//! TLS set-up on rustls with `ring`: one provider, one server configuration.
//!
//! TLS 1.3; 1.2 only where an administrator asks for it (domain reference §10: high-security setting). Only suites with forward
//! secrecy and AEAD exist in this provider.

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;

/// Why a server configuration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Certificate and key do not fit, or one of them cannot be read.
    #[error("TLS set-up: {0}")]
    Rustls(#[from] rustls::Error),
    /// No certificate was given.
    #[error("TLS set-up: no certificate")]
    NoCertificate,
}

/// Oldest protocol version that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinimumTls {
    /// TLS 1.3 only.
    #[default]
    V13,
    /// TLS 1.2 too, for a network that cannot do otherwise.
    V12,
}

/// Makes `ring` the process's TLS provider; later calls do nothing. Call it first in `main` and in every test that builds a
/// client: reqwest without a provider panics.
pub fn install_provider() {
    // An error only says that a provider is installed already, by an earlier call of this function.
    let _already_installed = default_provider().install_default();
}

/// A server configuration for `chain` (server certificate first, DER) and its PKCS#8 key. Offers HTTP/2 and HTTP/1.1.
pub fn server_config(chain: &[Vec<u8>], pkcs8_der: &[u8], minimum: MinimumTls) -> Result<ServerConfig, TlsError> {
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let versions: &[&SupportedProtocolVersion] = match minimum {
        MinimumTls::V13 => &[&rustls::version::TLS13],
        MinimumTls::V12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let certificates = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8_der.to_vec()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::testing::{at, authority};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConnection};

    fn handshake(
        server: &ServerConfig,
        root: &[u8],
        versions: &[&'static SupportedProtocolVersion],
        name: &str,
    ) -> Result<Vec<u8>, String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).map_err(|e| e.to_string())?;
        let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .map_err(|e| e.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(fixed_time_verifier(roots))
            .with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?;
        let mut client = Connection::from(ClientConnection::new(Arc::new(client), name).map_err(|e| e.to_string())?);
        let mut server = Connection::from(ServerConnection::new(Arc::new(server.clone())).map_err(|e| e.to_string())?);
        for _ in 0..10 {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).map_err(|e| e.to_string())?;
            server.read_tls(&mut wire.as_slice()).map_err(|e| e.to_string())?;
            server.process_new_packets().map_err(|e| e.to_string())?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).map_err(|e| e.to_string())?;
            client.read_tls(&mut wire.as_slice()).map_err(|e| e.to_string())?;
            client.process_new_packets().map_err(|e| e.to_string())?;
        }
        if client.is_handshaking() || server.is_handshaking() {
            return Err("the handshake did not end".to_owned());
        }
        Ok(client.alpn_protocol().unwrap_or_default().to_vec())
    }

    /// The real verifier, asked about a fixed moment: tests do not depend on the clock.
    #[derive(Debug)]
    struct AtFixedTime(Arc<rustls::client::WebPkiServerVerifier>);

    fn fixed_time_verifier(roots: RootCertStore) -> Arc<AtFixedTime> {
        let inner =
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
        Arc::new(AtFixedTime(inner.build().unwrap()))
    }

    impl rustls::client::danger::ServerCertVerifier for AtFixedTime {
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            intermediates: &[CertificateDer<'_>],
            server_name: &ServerName<'_>,
            ocsp_response: &[u8],
            _now: rustls::pki_types::UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            let seconds = u64::try_from(at("2026-06-01T00:00:00Z").as_second()).unwrap();
            let now = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        }
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            self.0.verify_tls12_signature(message, cert, dss)
        }
        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            self.0.verify_tls13_signature(message, cert, dss)
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.0.supported_verify_schemes()
        }
    }

    #[test]
    fn server_speaks_tls_13_and_12_only_by_choice() {
        let (ca, validity) = authority();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let issued = ca.issue_server(&names, validity).unwrap();
        let key = issued.key.to_pkcs8_der().unwrap();
        let chain = [issued.certificate.clone()];
        let strict = server_config(&chain, &key, MinimumTls::V13).unwrap();
        let lenient = server_config(&chain, &key, MinimumTls::V12).unwrap();
        let tls13 = [&rustls::version::TLS13];
        let tls12 = [&rustls::version::TLS12];
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(handshake(&strict, ca.certificate(), &tls13, name).as_deref(), Ok(&b"h2"[..]), "{name}");
        }
        assert!(handshake(&strict, ca.certificate(), &tls12, "localhost").is_err());
        assert!(handshake(&lenient, ca.certificate(), &tls12, "localhost").is_ok());
        assert!(handshake(&strict, ca.certificate(), &tls13, "example.org").is_err());
        let (stranger, _) = authority();
        assert!(handshake(&strict, stranger.certificate(), &tls13, "localhost").is_err());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (ca, validity) = authority();
        let issued = ca.issue_server(&["localhost".to_owned()], validity).unwrap();
        let other = crate::vault::keys::SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
        assert!(server_config(std::slice::from_ref(&issued.certificate), &other, MinimumTls::V13).is_err());
        assert!(server_config(&[issued.certificate], b"rubbish", MinimumTls::V13).is_err());
        assert!(matches!(server_config(&[], &other, MinimumTls::V13), Err(TlsError::NoCertificate)));
    }

    #[test]
    fn provider_is_installed_once() {
        install_provider();
        install_provider();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
