//! The center's DICOMweb judged by a client that is not ours (PyPI `dicomweb-client`), on files that are not ours (pydicom).
//!
//! `scripts/check-dicomweb` prepares the Python that `DOKUEI_TEST_PYTHON` names; without it the test says that it did
//! not run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use dokuei::server::{Config, demo, import};
use dokuei::worklist::clock::SystemClock;

use crate::support::process::output;

fn script(python: &str, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name));
    command
}

#[test]
fn an_independent_client_reads_and_stores() {
    let Ok(python) = std::env::var("DOKUEI_TEST_PYTHON") else {
        println!("NOT RUN: DOKUEI_TEST_PYTHON is not set (scripts/check-dicomweb sets it)");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let studies = folder.path().join("studies");
    output(script(&python, "make_studies.py").arg(&studies));
    let mut paths = vec![studies];
    if let Ok(data) = std::env::var("DOKUEI_TEST_DATA") {
        paths.extend(["ct", "mr", "cr"].map(|kind| PathBuf::from(&data).join(kind)));
    }

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config::new(folder.path().join("center"), Arc::new(SystemClock));
    let handle = runtime.block_on(dokuei::server::start(config)).expect("the center starts");
    let (enrolment, password) = demo::reader(handle.center()).expect("a reader");
    let options = import::Options { reader: Some(demo::READER.into()), ..import::Options::default() };
    let report = import::import(handle.center(), &paths, &options, &mut |_| {}).expect("the import runs");
    assert!(report.new >= 11 && report.studies.len() >= 2, "imported: {report:?}");

    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, handle.ca_pem()).expect("a file in the test's folder");
    let mut client = script(&python, "check_dicomweb.py");
    client
        .env("DOKUEI_CENTER_URL", handle.base_url().expect("its address"))
        .env("DOKUEI_CENTER_CA", &authority)
        .env("DOKUEI_CENTER_USER", demo::READER)
        .env("DOKUEI_CENTER_PASSWORD", password.as_str())
        .env("DOKUEI_CENTER_TOTP", enrolment.totp.to_base32().as_str());
    println!("{}", output(&mut client));
    runtime.block_on(handle.stop()).expect("the center stops");
}
