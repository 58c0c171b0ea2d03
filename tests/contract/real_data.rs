//! Real studies, where `DOKUEI_TEST_DATA` names a folder of them: every file is taken or refused with a reason, and everything taken is
//! served.

use super::Rig;
use dokuei::server::import::{self, Options};
use serde_json::Value;
use std::path::PathBuf;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "says that it did not run, and what was refused")]
async fn everything_real_is_taken_or_refused_with_a_reason_and_served() {
    let Some(folder) = std::env::var_os("DOKUEI_TEST_DATA").map(PathBuf::from) else {
        eprintln!("not run: DOKUEI_TEST_DATA is not set");
        return;
    };
    let rig = Rig::new().await;
    let center = rig.center().clone();
    let options = Options { reader: Some("reader1".into()), archive: None };
    let report = tokio::task::spawn_blocking(move || import::import(&center, &[folder], &options, &mut |_| {}))
        .await
        .expect("no panic")
        .expect("import");
    assert_eq!(report.files, report.new + report.known + report.refused.len());
    assert!(report.new > 100, "{} taken", report.new);
    assert!(report.refused.iter().all(|r| !r.reason.is_empty()));
    for refused in &report.refused {
        eprintln!("refused {}: {}", refused.path.display(), refused.reason);
    }
    let token = rig.sign_in().await;
    let mut served = 0;
    let mut drawn = std::collections::BTreeSet::new();
    for study in report.studies.keys() {
        let root = format!("/dicomweb/studies/{study}");
        let metadata = rig.get(format!("{root}/metadata")).token(&token).send().await.ok().json();
        for object in metadata.as_array().expect("array") {
            let uid = |tag: &str| object[tag]["Value"][0].as_str().unwrap_or_default().to_owned();
            let path = format!("{root}/series/{}/instances/{}", uid("0020000E"), uid("00080018"));
            let file = rig.get(path.as_str()).token(&token).header("Accept", "application/dicom").send().await.ok();
            assert_eq!(file.body.get(128..132), Some(&b"DICM"[..]), "{path}");
            dokuei::dicom::header_from_json(object).unwrap_or_else(|e| panic!("{path}: {e}"));
            if object.get("7FE00010").is_some() {
                // A damaged object has no frame; it says so, and nothing breaks.
                let accept = "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*";
                let frame = rig.get(format!("{path}/frames/1")).token(&token).header("Accept", accept).send().await;
                assert!(matches!(frame.status, 200 | 404 | 406), "{path}: {}", frame.status);
                // Decoding is tested elsewhere; here one picture of each series is enough.
                if !drawn.insert(uid("0020000E")) {
                    served += 1;
                    continue;
                }
                let picture = rig.get(format!("{path}/thumbnail")).token(&token).send().await;
                assert!(matches!(picture.status, 200 | 404 | 406), "{path}: {}", picture.status);
            }
            served += 1;
        }
        assert!(
            rig.get(format!("{root}/series"))
                .token(&token)
                .send()
                .await
                .ok()
                .json()
                .as_array()
                .is_some_and(|s| !s.is_empty())
        );
        let _whole: Value = rig.get(format!("{root}/instances")).token(&token).send().await.ok().json();
    }
    let expected: usize = report.studies.values().sum();
    assert!(served >= expected - report.known, "{served} of {expected}");
}
