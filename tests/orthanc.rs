//! Images in a real Orthanc (Debian's packages) with credentials and a certificate authority of its own: they come,
//! in Japanese, and the center's token never goes there.

use crate::support::chaos::Chaos;
use crate::support::dicom::slice;
use crate::support::process::{Process, wait_until};
use crate::support::reading_center::{TestCenter, USER, free_port};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{
    ArchiveCa, ArchiveCommand, ArchiveCredentials, ArchiveEvent, ArchiveNeed, Command, Event, Failure, KeptArchive,
};
use dokuei::server::import::{self, Options};
use dokuei::study::{FrameIndex, FrameRef, StudyUid};
use dokuei::vault::ca::{CertificateAuthority, Issued, Validity, pem};
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

const STUDY: &str = "1.2.392.9";
const SLICES: u16 = 25;

/// An Orthanc of its own on loopback.
fn orthanc(folder: &Path, address: SocketAddr) -> Process {
    let plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";
    assert!(Path::new(plugin).exists(), "orthanc-dicomweb is not installed; scripts/test installs it");
    let config = serde_json::json!({
        "StorageDirectory": folder.join("storage"), "IndexDirectory": folder.join("index"),
        "HttpPort": address.port(), "DicomServerEnabled": false, "RemoteAccessAllowed": false,
        "AuthenticationEnabled": true, "RegisteredUsers": { "archive": "secret of the archive" },
        "DefaultEncoding": "Utf8", "Plugins": [plugin],
        "DicomWeb": { "Enable": true, "Root": "/dicom-web/" },
    });
    let path = folder.join("orthanc.json");
    std::fs::write(&path, config.to_string()).expect("written");
    let mut command = std::process::Command::new("Orthanc");
    command.arg(&path);
    Process::start(command, folder)
}

/// STOW-RS of the whole study in one request.
fn stow(root: &str, parts: &[Vec<u8>]) {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(b"--stow\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--stow--\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let status = runtime.block_on(async {
        let client = reqwest::Client::new();
        let request = client
            .post(format!("{root}/studies"))
            .basic_auth("archive", Some("secret of the archive"))
            .header("content-type", "multipart/related; type=\"application/dicom\"; boundary=stow")
            .body(body);
        request.send().await.expect("answered").status()
    });
    assert!(status.is_success(), "{status}");
}

fn listens(server: &mut Process, address: SocketAddr) {
    wait_until("Orthanc listens", || {
        assert!(server.ended().is_none(), "Orthanc ended:\n{}", server.printed());
        std::net::TcpStream::connect(address).is_ok()
    });
}

fn parts() -> Vec<Vec<u8>> {
    (1..=SLICES).map(|n| slice(STUDY, 1, n, 64)).collect()
}

/// Makes the assignment for a study whose pictures lie in the archive at `root`.
fn assign(center: &TestCenter, folder: &Path, parts: &[Vec<u8>], root: String) {
    let files = folder.join("files");
    std::fs::create_dir(&files).expect("folder");
    for (n, part) in parts.iter().enumerate() {
        std::fs::write(files.join(format!("{n}.dcm")), part).expect("written");
    }
    let options = Options { reader: Some(USER.to_owned()), archive: Some((root, "hospital-a".to_owned())) };
    let report = import::import(center.center(), &[files], &options, &mut |_| {}).expect("import");
    assert_eq!(report.assignments.len(), 1, "{report:?}");
}

fn keep(password: &str, ca: ArchiveCa, trial: Option<(String, StudyUid)>) -> Command {
    keep_as("hospital-a", password, ca, trial)
}

fn keep_as(archive: &str, password: &str, ca: ArchiveCa, trial: Option<(String, StudyUid)>) -> Command {
    let (archive, password) = (archive.to_owned(), secret(password));
    Command::Archive(ArchiveCommand::Keep(ArchiveCredentials { archive, user: "archive".into(), password, ca, trial }))
}

#[test]
fn images_come_from_an_orthanc_with_its_own_credentials() {
    dokuei::vault::tls::install_provider();
    let folder = tempfile::tempdir().expect("folder");
    let address = free_port();
    let mut server = orthanc(folder.path(), address);
    listens(&mut server, address);
    let parts = parts();
    stow(&format!("http://{address}/dicom-web"), &parts);

    // Everything that the terminal says to the archive passes here.
    let wire = Chaos::start();
    wire.target(address);
    wire.record();
    let root = format!("http://{}/dicom-web", wire.address());
    let center = TestCenter::start(None);
    assign(&center, folder.path(), &parts, root);

    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    // Without credentials: a clear failure, and nothing goes there.
    session.until("a refusal", |s| matches!(s.ledgers.get(&study), Some((_, _, Some(Failure::Denied(_))))));
    assert_eq!(wire.recorded(), "");
    session.send(keep("secret of the archive", ArchiveCa::System, None));
    session.until("the whole study", |s| {
        s.ledgers.get(&study).is_some_and(|(l, done, f)| *done && f.is_none() && l.received() > 0)
    });
    let ledger = session.ledgers[&study].0.clone();
    assert_eq!((ledger.expected(), ledger.received()), (usize::from(SLICES), usize::from(SLICES)));
    assert!(ledger.not_shown(true).is_empty());
    assert_eq!(session.studies[&study].patient.name.ideographic.as_deref(), Some("山田^太郎"));
    let frame = FrameRef { instance: session.studies[&study].series[0].instances[3].uid.clone(), frame: FrameIndex(0) };
    session.want(&assignment, vec![frame.clone()]);
    session.wait("a frame", |e| match e {
        Event::Frame(f, _) if *f == frame => Some(()),
        Event::FrameFailed(_, reason) => panic!("{reason:?}"),
        _ => None,
    });
    let said = wire.recorded().to_ascii_lowercase();
    assert!(said.contains("authorization: basic "));
    assert!(!said.contains("bearer"), "the center's token went to the archive");
}

/// TLS before an archive, as a hospital's reverse proxy does it.
struct TlsFront {
    address: SocketAddr,
    /// `Authorization` of every request.
    said: Arc<Mutex<Vec<String>>>,
    /// Ends the server when dropped.
    _runtime: tokio::runtime::Runtime,
}

impl TlsFront {
    fn start(issued: &Issued, behind: SocketAddr) -> Self {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (list, client) = (Arc::clone(&said), reqwest::Client::new());
        let pass = move |request: axum::extract::Request| {
            let (list, client) = (Arc::clone(&list), client.clone());
            async move {
                let (head, _) = request.into_parts();
                let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
                list.lock().expect("list").push(header("authorization").to_owned());
                let answer = client
                    .get(format!("http://{behind}{}", head.uri.path_and_query().expect("a path")))
                    .header("authorization", header("authorization"))
                    .header("accept", header("accept"))
                    .send()
                    .await
                    .expect("answered");
                let kind = answer.headers().get("content-type").cloned();
                let mut passed = axum::http::Response::builder().status(answer.status());
                if let Some(kind) = kind {
                    passed = passed.header("content-type", kind);
                }
                passed.body(axum::body::Body::from(answer.bytes().await.expect("body"))).expect("response")
            }
        };
        let certificate = pem("CERTIFICATE", &issued.certificate).into_bytes();
        let key = pem("PRIVATE KEY", &issued.key.to_pkcs8_der().expect("key")).into_bytes();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let (runtime, address) = (runtime.expect("runtime"), free_port());
        runtime.spawn(async move {
            let tls = axum_server::tls_rustls::RustlsConfig::from_pem(certificate, key).await.expect("certificate");
            let service = axum::Router::new().fallback(pass).into_make_service();
            axum_server::bind_rustls(address, tls).serve(service).await.expect("serves");
        });
        wait_until("the front listens", || std::net::TcpStream::connect(address).is_ok());
        Self { address, said, _runtime: runtime }
    }
}

fn kept(session: &mut Session) -> Vec<KeptArchive> {
    session.wait("the list", |e| match e {
        Event::Archive(ArchiveEvent::Kept(kept)) => Some(kept.clone()),
        _ => None,
    })
}

fn refused(session: &mut Session, what: &str) -> Option<ArchiveNeed> {
    session.wait(what, |e| match e {
        Event::Archive(ArchiveEvent::Failed { need, .. }) => Some(*need),
        Event::Archive(ArchiveEvent::Saved { .. }) => panic!("{what}: kept"),
        _ => None,
    })
}

#[test]
fn an_orthanc_under_its_own_authority_is_trusted_by_the_reader_alone() {
    dokuei::vault::tls::install_provider();
    let folder = tempfile::tempdir().expect("folder");
    let center = TestCenter::start(None);
    let not_before = center.clock.time() - SignedDuration::from_hours(1);
    let ca = CertificateAuthority::create("hospital", Validity::days(not_before, 10)).expect("ca");
    let issued = ca.issue_server(&["127.0.0.1".to_owned()], Validity::days(not_before, 5)).expect("issued");
    let ca_file = folder.path().join("hospital-ca.pem");
    std::fs::write(&ca_file, ca.certificate_pem()).expect("written");

    let behind = free_port();
    let mut server = orthanc(folder.path(), behind);
    listens(&mut server, behind);
    let parts = parts();
    stow(&format!("http://{behind}/dicom-web"), &parts);
    let front = TlsFront::start(&issued, behind);
    let address = front.address;
    let root = format!("https://{address}/dicom-web");
    assign(&center, folder.path(), &parts, root.clone());

    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    let want = session.wait("a wish for credentials", |e| match e {
        Event::Archive(ArchiveEvent::Wanted(want)) => Some(want.clone()),
        _ => None,
    });
    assert_eq!((want.archive.as_str(), want.need), ("hospital-a", ArchiveNeed::Credentials));
    assert_eq!((want.root.as_str(), want.host), (root.as_str(), address.to_string()));
    let trial = || Some((root.clone(), study.clone()));

    // Not trusted by the system; nor is what lies beside a certificate one.
    session.send(keep("secret of the archive", ArchiveCa::System, trial()));
    assert_eq!(refused(&mut session, "an unknown authority"), Some(ArchiveNeed::Ca));
    session.send(keep("secret of the archive", ArchiveCa::Pem("nonsense".into()), trial()));
    assert_eq!(refused(&mut session, "no certificate"), None);
    // Trusted, but the password is wrong. Nothing of all this is kept.
    session.send(keep("another", ArchiveCa::File(ca_file.clone()), trial()));
    assert_eq!(refused(&mut session, "a wrong password"), Some(ArchiveNeed::Others));
    assert_eq!(kept(&mut session), []);
    // Right: the study goes on by itself.
    session.send(keep("secret of the archive", ArchiveCa::File(ca_file), trial()));
    session.wait("kept", |e| matches!(e, Event::Archive(ArchiveEvent::Saved { tried: true, .. })).then_some(()));
    let list = kept(&mut session);
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].archive.as_str(), list[0].user.as_str()), ("hospital-a", "archive"));
    assert_eq!(list[0].origin, Some(format!("https://{address}")));
    assert_eq!(list[0].ca_sha256, Some(dokuei::vault::digest::sha256_hex(ca.certificate())));
    session.until("the whole study", |s| {
        s.ledgers.get(&study).is_some_and(|(l, done, f)| *done && f.is_none() && l.received() > 0)
    });
    assert_eq!(session.ledgers[&study].0.received(), usize::from(SLICES));

    // The authority counts for that archive alone.
    session.send(keep_as("hospital-b", "secret of the archive", ArchiveCa::AsKept, trial()));
    assert_eq!(refused(&mut session, "another archive"), Some(ArchiveNeed::Ca));
    // A new password alone leaves the authority as it is.
    session.send(keep("wrong", ArchiveCa::AsKept, trial()));
    assert_eq!(refused(&mut session, "trusted as before"), Some(ArchiveNeed::Others));
    session.send(Command::RefreshWorklist);
    session.wait("the center is trusted as before", |e| matches!(e, Event::Worklist { .. }).then_some(()));

    let said = front.said.lock().expect("list").clone();
    assert!(!said.is_empty() && said.iter().all(|a| a.starts_with("Basic ")), "the center's token went to the archive");

    session.send(Command::Archive(ArchiveCommand::Remove("hospital-a".into())));
    session.wait("gone", |e| matches!(e, Event::Archive(ArchiveEvent::Removed { .. })).then_some(()));
    assert_eq!(kept(&mut session), []);
    session.stop();
    for entry in walkdir::WalkDir::new(terminal.profile.path()).into_iter().filter_map(Result::ok) {
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        let plain = bytes.windows(21).any(|w| w == b"secret of the archive");
        assert!(!plain, "the password lies open in {}", entry.path().display());
    }
}

#[test]
fn a_name_that_moves_takes_nothing_along() {
    dokuei::vault::tls::install_provider();
    let folder = tempfile::tempdir().expect("folder");
    let center = TestCenter::start(None);
    let wire = Chaos::start();
    wire.record();
    assign(&center, folder.path(), &parts(), format!("http://{}/dicom-web", wire.address()));
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    // Kept for the same name at another address; nobody listens there, so it could not be tried.
    let study = assignment.studies[0].study_uid.clone();
    session.send(keep("secret of the archive", ArchiveCa::System, Some((format!("http://{}", free_port()), study))));
    session.wait("kept", |e| matches!(e, Event::Archive(ArchiveEvent::Saved { tried: false, .. })).then_some(()));
    session.want(&assignment, vec![]);
    let want = session.wait("a wish", |e| match e {
        Event::Archive(ArchiveEvent::Wanted(want)) => Some(want.clone()),
        _ => None,
    });
    assert_eq!((want.need, want.user.as_str()), (ArchiveNeed::Moved, "archive"));
    assert_eq!(wire.recorded(), "", "something was sent to the new address");
}
