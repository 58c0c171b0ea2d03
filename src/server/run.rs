//! Listening: TLS, graceful end, and a handle for programs that have the center in their own process.

use super::error::Error;
use super::state::{Center, Config};
use super::{db, events, prune, router};
use crate::vault::tls;
use axum_server::tls_rustls::RustlsConfig;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long requests under way may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// A running center. Dropping it stops listening without grace; [`Handle::stop`] waits.
#[derive(Debug)]
pub struct Handle {
    center: Center,
    addr: SocketAddr,
    server: axum_server::Handle<SocketAddr>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    watching: JoinHandle<()>,
    pruning: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
    /// Base URL for terminals.
    pub fn base_url(&self) -> Result<String, Error> {
        self.center.base_url()
    }
    /// Root certificate, PEM.
    pub fn ca_pem(&self) -> String {
        self.center.pki().ca.certificate_pem()
    }
    /// The center itself, for administrative work beside it.
    pub fn center(&self) -> &Center {
        &self.center
    }
    /// Stops accepting, lets requests under way end within some seconds, and waits for that.
    pub async fn stop(self) -> Result<(), Error> {
        self.stop_within(GRACE).await
    }
    /// The same with a time of one's own; zero ends connections at once.
    pub async fn stop_within(mut self, grace: Duration) -> Result<(), Error> {
        self.server.graceful_shutdown(Some(grace));
        self.wait().await
    }
    /// Waits until the server ends by itself.
    pub async fn wait(&mut self) -> Result<(), Error> {
        let Some(serving) = self.serving.take() else { return Ok(()) };
        let ended = serving.await;
        self.watching.abort();
        self.pruning.abort();
        match ended {
            Ok(result) => result.map_err(Error::io("server")),
            Err(error) => Err(Error::Interrupted(error.to_string())),
        }
    }
    /// Lets somebody else end it (signal handlers).
    pub fn stopper(&self) -> Stopper {
        Stopper(self.server.clone())
    }
}

/// Ends a running center from elsewhere.
#[derive(Debug, Clone)]
pub struct Stopper(axum_server::Handle<SocketAddr>);

impl Stopper {
    /// Asks for a graceful end.
    pub fn stop(&self) {
        self.0.graceful_shutdown(Some(GRACE));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.server.shutdown();
        self.watching.abort();
        self.pruning.abort();
    }
}

/// Opens the center and listens. The caller's tokio runtime carries it.
pub async fn start(config: Config) -> Result<Handle, Error> {
    let center = db::blocking(move || Center::open(config)).await?;
    serve(center).await
}

/// Listens for a center that is open already.
pub async fn serve(center: Center) -> Result<Handle, Error> {
    serve_within(center, |service| service).await
}

/// The same with layers of the caller's around the whole service (an observer, a gate of the house).
pub async fn serve_within(
    center: Center,
    around: impl FnOnce(axum::Router) -> axum::Router + Send,
) -> Result<Handle, Error> {
    tls::install_provider();
    let center_ = center.clone();
    let (listener, addr, tls_config) = db::blocking(move || listen(&center_)).await?;
    let server = axum_server::Handle::new();
    let service = around(router::router(center.clone())).into_make_service();
    let serving = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls_config)))
        .map_err(Error::io("server"))?
        .handle(server.clone())
        .first_request_timeout(Duration::from_secs(30))
        .serve(service);
    let serving = tokio::spawn(serving);
    let watching = tokio::spawn(events::watch_database(center.clone()));
    let pruning = tokio::spawn(prune::keep_pruning(center.clone()));
    tracing::info!(%addr, "listening");
    Ok(Handle { center, addr, server, serving: Some(serving), watching, pruning })
}

fn listen(center: &Center) -> Result<(TcpListener, SocketAddr, rustls::ServerConfig), Error> {
    let config = center.config();
    let listener = TcpListener::bind(config.listen).map_err(Error::io(config.listen.to_string()))?;
    listener.set_nonblocking(true).map_err(Error::io(config.listen.to_string()))?;
    let addr = listener.local_addr().map_err(Error::io(config.listen.to_string()))?;
    let identity = center.pki().server_identity(&certificate_names(config, addr.ip()), center.now())?;
    let tls_config = tls::server_config(&identity.chain, &identity.key, config.minimum_tls)?;
    let url = match &config.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("https://{}:{}", url_host(config, addr.ip()), addr.port()),
    };
    center.set_base_url(url)?;
    center.files().clear_staging()?;
    Ok((listener, addr, tls_config))
}

/// Names given, the address listened on, and this machine's own names.
fn certificate_names(config: &Config, ip: IpAddr) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let listened = (!ip.is_unspecified()).then(|| ip.to_string());
    config.names.iter().cloned().chain(listened).chain(own).filter(|n| seen.insert(n.clone())).collect()
}

fn url_host(config: &Config, ip: IpAddr) -> String {
    if let Some(name) = config.names.first() {
        return match name.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
            _ => name.clone(),
        };
    }
    match ip {
        IpAddr::V6(v6) if !v6.is_unspecified() => format!("[{v6}]"),
        IpAddr::V4(v4) if !v4.is_unspecified() => v4.to_string(),
        _ => "localhost".to_owned(),
    }
}

/// Serves until the process is asked to end (Ctrl-C, SIGTERM); for a program whose only work this is. `ready` is called once it
/// listens.
pub fn serve_until_signal(center: Center, ready: impl FnOnce(&Handle)) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("center")
        .enable_all()
        .build()
        .map_err(Error::io("runtime"))?;
    runtime.block_on(async {
        let mut handle = serve(center).await?;
        ready(&handle);
        let stopper = handle.stopper();
        let signals = tokio::spawn(async move {
            asked_to_end().await;
            tracing::info!("ending");
            stopper.stop();
        });
        let ended = handle.wait().await;
        signals.abort();
        ended
    })
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without the handler SIGTERM ends the process at once, which loses nothing that was acknowledged.
        return interrupted().await;
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be waited for");
        std::future::pending::<()>().await;
    }
}
