//! The operations that other programs use: each asked once over the wire, request and answer held to the OpenAPI file. With
//! those of the terminal's day no operation of the document is left out.

use super::conversation::USED;
use super::objects::{self, Object, STUDY};
use super::openapi::Contract;
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::recorder::Recorder;
use dokuei::center::contract::TokenResponse;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Series of the study, and an instance of two frames in it.
const SERIES: &str = "1.2.3.100.2";
const INSTANCE: &str = "1.2.3.100.2.1";

/// Operation, path below the center, and what is accepted.
fn reads() -> Vec<(&'static str, String, &'static str)> {
    let study = format!("/dicomweb/studies/{STUDY}");
    let series = format!("{study}/series/{SERIES}");
    let instance = format!("{series}/instances/{INSTANCE}");
    let (json, dicom_json, picture) = ("application/json", "application/dicom+json", "image/png");
    let parts = "multipart/related; type=\"application/dicom\"";
    let bytes = "multipart/related; type=\"application/octet-stream\"";
    vec![
        ("me", "/v1/me".to_owned(), json),
        ("listStudyReports", format!("/v1/studies/{STUDY}/reports"), json),
        ("auditHead", "/v1/audit-events?terminal=t-1".to_owned(), json),
        ("searchStudies", "/dicomweb/studies?PatientName=Yamada*&limit=5".to_owned(), dicom_json),
        ("searchAllSeries", format!("/dicomweb/series?StudyInstanceUID={STUDY}&Modality=CT"), dicom_json),
        ("searchAllInstances", format!("/dicomweb/instances?SeriesInstanceUID={SERIES}&offset=0"), dicom_json),
        ("searchStudyInstances", format!("{study}/instances"), dicom_json),
        ("searchInstances", format!("{series}/instances?includefield=00280008"), dicom_json),
        ("retrieveStudy", study.clone(), parts),
        ("studyMetadata", format!("{study}/metadata"), dicom_json),
        ("instanceMetadata", format!("{instance}/metadata"), dicom_json),
        ("studyThumbnail", format!("{study}/thumbnail"), picture),
        ("seriesThumbnail", format!("{series}/thumbnail"), picture),
        ("instanceThumbnail", format!("{instance}/thumbnail"), picture),
        ("renderedInstance", format!("{instance}/rendered?viewport=64,64"), picture),
        ("renderedFrame", format!("{instance}/frames/2/rendered?window=500,1000"), picture),
        ("retrieveFrames", format!("{instance}/frames/2"), bytes),
        ("bulkData", format!("{instance}/bulk/7FE00010"), bytes),
    ]
}

/// UIDs that a search found.
fn found(answer: &[u8], tag: &str) -> Vec<String> {
    let list: Value = serde_json::from_slice(answer).expect("JSON");
    let uid = |o: &Value| o[tag]["Value"][0].as_str().map(str::to_owned);
    list.as_array().expect("a list").iter().filter_map(uid).collect()
}

fn stow(object: &[u8]) -> Vec<u8> {
    [b"--x\r\nContent-Type: application/dicom\r\n\r\n", object, b"\r\n--x--\r\n"].concat()
}

#[test]
fn every_operation_of_the_document_is_asked_and_answered() {
    let recorder = Recorder::default();
    let center = TestCenter::start_listening(None, |_| {}, recorder.clone());
    let images = center.folder().join("images");
    std::fs::create_dir(&images).expect("folder");
    objects::write_tree(&images);
    center.import(&images);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let file = &center.enrolment.file;
    let (http, base) = (super::client_of(&file.ca_certificate), file.base_url.clone());
    let ask = |request: reqwest::RequestBuilder| -> Vec<u8> {
        runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let (status, body) = (answer.status(), answer.bytes().await.expect("a body").to_vec());
            assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
            body
        })
    };
    for (path, accept) in [
        ("/.well-known/reading-center", "application/json"),
        ("/healthz", "application/json"),
        ("/openapi.yaml", "application/yaml"),
    ] {
        ask(http.get(format!("{base}{path}")).header("Accept", accept));
    }
    let otp = center.otp();
    let fields = [("grant_type", "password"), ("username", USER), ("password", PASSWORD), ("otp", otp.as_str())];
    let token = ask(http.post(format!("{base}/oauth/token")).form(&fields));
    let token: TokenResponse = serde_json::from_slice(&token).expect("a token");
    let mut answers = BTreeMap::new();
    for (operation, path, accept) in reads() {
        let request = http.get(format!("{base}{path}")).bearer_auth(&token.access_token).header("Accept", accept);
        answers.insert(operation, ask(request));
    }
    let result = |instance| Object {
        study: STUDY,
        series: "1.2.3.100.9",
        instance,
        number: 1,
        patient: "0001",
        date: "20261119",
        frames: 1,
    };
    for (path, instance) in
        [("/dicomweb/studies".to_owned(), "1.2.3.100.9.1"), (format!("/dicomweb/studies/{STUDY}"), "1.2.3.100.9.2")]
    {
        let request = http.post(format!("{base}{path}")).bearer_auth(&token.access_token);
        let kind = "multipart/related; type=\"application/dicom\"; boundary=x";
        let request = request.header("Accept", "application/dicom+json").header("Content-Type", kind);
        ask(request.body(stow(&result(instance).bytes())));
    }

    let mut seen = BTreeSet::new();
    for exchange in recorder.kept() {
        assert!(exchange.status < 300, "{} {}", exchange.method, exchange.path);
        seen.insert(Contract::get().check_exchange(&exchange));
    }
    for (operation, ..) in reads() {
        assert!(seen.contains(operation), "{operation} is another path's");
    }
    let whole = Contract::get().document()["paths"].as_object().expect("paths").values();
    let methods = whole.flat_map(|path| path.as_object().expect("methods").values());
    let all: BTreeSet<String> = methods.filter_map(|m| m["operationId"].as_str().map(str::to_owned)).collect();
    assert!(all.len() >= 47, "{}", all.len());
    let used = USED.into_iter().map(str::to_owned);
    assert_eq!(seen.into_iter().chain(used).collect::<BTreeSet<_>>(), all, "asked here or in the terminal's day");

    // And what they say is so.
    assert_eq!(found(&answers["searchStudies"], "0020000D")[0], STUDY);
    assert_eq!(found(&answers["searchAllSeries"], "0020000E"), ["1.2.3.100.1", SERIES]);
    assert_eq!(found(&answers["searchAllInstances"], "00080018"), [INSTANCE]);
    assert_eq!(found(&answers["searchStudyInstances"], "00080018").len(), 3);
    assert_eq!(found(&answers["searchInstances"], "00080018"), [INSTANCE]);
    assert_eq!(found(&answers["studyMetadata"], "00080018").len(), 3);
    for picture in ["studyThumbnail", "seriesThumbnail", "instanceThumbnail", "renderedInstance", "renderedFrame"] {
        assert!(answers[picture].starts_with(b"\x89PNG"), "{picture}");
    }
    let two = Object { series: SERIES, instance: INSTANCE, number: 3, frames: 2, ..result(INSTANCE) };
    let holds = |answer: &[u8], bytes: &[u8]| answer.windows(bytes.len()).any(|w| w == bytes);
    assert!(holds(&answers["retrieveFrames"], &two.frame(1)) && !holds(&answers["retrieveFrames"], &two.frame(0)));
    assert!(holds(&answers["bulkData"], &[two.frame(0), two.frame(1)].concat()));
}
