//! Images in a real Orthanc (Debian's packages) with credentials of its own: they come, in Japanese, and the
//! center's token never goes there.

use crate::support::chaos::Chaos;
use crate::support::dicom::slice;
use crate::support::process::{Process, wait_until};
use crate::support::reading_center::{TestCenter, USER};
use crate::support::terminal::{Terminal, secret};
use dokuei::engine::message::{Command, Event, Failure};
use dokuei::server::import::{self, Options};
use dokuei::study::{FrameIndex, FrameRef};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

const STUDY: &str = "1.2.392.9";
const SLICES: u16 = 25;

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("loopback").local_addr().expect("address")
}

/// An Orthanc of its own on loopback; `encoding` as in its configuration.
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

#[test]
fn images_come_from_an_orthanc_with_its_own_credentials() {
    dokuei::vault::tls::install_provider();
    let folder = tempfile::tempdir().expect("folder");
    let address = free_port();
    let mut server = orthanc(folder.path(), address);
    wait_until("Orthanc listens", || {
        assert!(server.ended().is_none(), "Orthanc ended:\n{}", server.printed());
        std::net::TcpStream::connect(address).is_ok()
    });
    let parts: Vec<_> = (1..=SLICES).map(|n| slice(STUDY, 1, n, 64)).collect();
    stow(&format!("http://{address}/dicom-web"), &parts);

    // Everything that the terminal says to the archive passes here.
    let wire = Chaos::start();
    wire.target(address);
    wire.record();
    let root = format!("http://{}/dicom-web", wire.address());
    let center = TestCenter::start(None);
    let files = folder.path().join("files");
    std::fs::create_dir(&files).expect("folder");
    for (n, part) in parts.iter().enumerate() {
        std::fs::write(files.join(format!("{n}.dcm")), part).expect("written");
    }
    let options = Options { reader: Some(USER.to_owned()), archive: Some((root, "hospital-a".to_owned())) };
    let report = import::import(center.center(), &[files], &options, &mut |_| {}).expect("import");
    assert_eq!(report.assignments.len(), 1, "{report:?}");

    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    // Without credentials: a clear failure, and nothing goes there.
    session.until("a refusal", |s| matches!(s.ledgers.get(&study), Some((_, _, Some(Failure::Denied(_))))));
    assert_eq!(wire.recorded(), "");
    session.send(Command::SetArchiveCredentials {
        name: "hospital-a".into(),
        user: "archive".into(),
        password: secret("secret of the archive"),
    });
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
        Event::FrameFailed(_, reason) => panic!("{reason}"),
        _ => None,
    });
    let said = wire.recorded().to_ascii_lowercase();
    assert!(said.contains("authorization: basic "));
    assert!(!said.contains("bearer"), "the center's token went to the archive");
}
