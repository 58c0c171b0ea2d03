//! QIDO-RS, WADO-RS, STOW-RS over the center's own files.

use super::Rig;
use super::objects::{FOREIGN, Object, PRIOR, STUDY};
use dokuei::center::contract::ProblemType;
use serde_json::{Value, json};

const SERIES: &str = "/dicomweb/studies/1.2.3.100/series/1.2.3.100.1";
const TWO_FRAMES: &str = "/dicomweb/studies/1.2.3.100/series/1.2.3.100.2/instances/1.2.3.100.2.1";

fn uids(list: &Value, tag: &str) -> Vec<String> {
    let list = list.as_array().expect("array");
    list.iter().filter_map(|o| o[tag]["Value"][0].as_str().map(str::to_owned)).collect()
}

/// Parts of a multipart body, by the length that each part states.
fn parts(kind: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let boundary = kind.split("boundary=").nth(1).expect("boundary").trim_matches('"');
    let (mark, mut rest, mut out) = (format!("--{boundary}"), body, Vec::new());
    loop {
        rest = rest.strip_prefix(mark.as_bytes()).expect("boundary");
        if rest.starts_with(b"--") {
            return out;
        }
        let end = rest.windows(4).position(|w| w == b"\r\n\r\n").expect("headers");
        let head = String::from_utf8(rest[2..end].to_vec()).expect("text");
        let length: usize = head
            .lines()
            .find_map(|l| l.strip_prefix("Content-Length: "))
            .expect("length")
            .trim()
            .parse()
            .expect("number");
        out.push((head, rest[end + 4..end + 4 + length].to_vec()));
        rest = rest[end + 4 + length..].strip_prefix(b"\r\n").expect("line end");
    }
}

#[tokio::test]
async fn queries_show_own_studies_and_priors_only() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let ask = async |path: &str| rig.get(path).token(&token).send().await.ok().json();
    assert_eq!(uids(&ask("/dicomweb/studies").await, "0020000D"), [STUDY, PRIOR]);
    for (query, expected) in [
        ("PatientName=yamada*", vec![STUDY, PRIOR]),
        ("PatientName=%E5%B1%B1%E7%94%B0*", vec![STUDY, PRIOR]),
        ("00100020=0001&StudyDate=20260101-", vec![STUDY]),
        ("StudyInstanceUID=1.2.3.50,1.2.3.900", vec![PRIOR]),
        ("ModalitiesInStudy=MR", vec![]),
        ("limit=1&offset=1", vec![PRIOR]),
    ] {
        assert_eq!(uids(&ask(&format!("/dicomweb/studies?{query}")).await, "0020000D"), expected, "{query}");
    }
    let studies = ask(&format!("/dicomweb/studies?StudyInstanceUID={STUDY}")).await;
    assert_eq!(studies[0]["00201206"]["Value"], json!([2]));
    assert_eq!(studies[0]["00201208"]["Value"], json!([3]));
    assert_eq!(studies[0]["00100010"]["Value"][0]["Ideographic"], "山田^太郎");
    let series = ask(&format!("/dicomweb/studies/{STUDY}/series")).await;
    assert_eq!(uids(&series, "0020000E"), ["1.2.3.100.1", "1.2.3.100.2"]);
    assert_eq!(series[0]["00201209"]["Value"], json!([2]));
    let instances = ask(&format!("{SERIES}/instances")).await;
    assert_eq!(uids(&instances, "00080018"), ["1.2.3.100.1.1", "1.2.3.100.1.2"]);
    assert_eq!(
        ask(&format!("{SERIES}/instances?InstanceNumber=2&includefield=00080050")).await[0]["00080050"]["Value"],
        json!(["A1"])
    );
    rig.get("/dicomweb/studies?Nonsense=1").token(&token).send().await.problem(ProblemType::BadRequest);
    let desk = rig.sign_in_as(&rig.coordinator).await.access_token;
    let all = rig.get("/dicomweb/studies").token(&desk).send().await.ok().json();
    assert_eq!(uids(&all, "0020000D").len(), 3);
}

#[tokio::test]
async fn nobody_reads_what_is_not_theirs_or_leaves_the_archive() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    for path in [
        format!("/dicomweb/studies/{FOREIGN}"),
        format!("/dicomweb/studies/{FOREIGN}/metadata"),
        format!("/dicomweb/studies/{FOREIGN}/series"),
        format!("/dicomweb/studies/{FOREIGN}/series/1.2.3.900.1/instances/1.2.3.900.1.1/frames/1"),
        format!("/dicomweb/studies/{STUDY}/series/1.2.3.900.1"),
        format!("/dicomweb/studies/{STUDY}/series/1.2.3.900.1/instances/1.2.3.900.1.1"),
    ] {
        rig.get(path.as_str()).token(&token).send().await.problem(ProblemType::NotFound);
        rig.get(path.as_str()).send().await.problem(ProblemType::TokenInvalid);
    }
    for path in [
        "/dicomweb/studies/..%2F..%2Fpki",
        "/dicomweb/studies/1.2.3.100/series/..%2F..%2Fx/instances/1.2",
        "/dicomweb/studies/1..2",
        "/dicomweb/studies/1.2.3.100%00",
    ] {
        let answer = rig.get(path).token(&token).send().await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
    }
    for name in ["..%2F..%2Fcenter.db", "%2e%2e", ".x"] {
        let path = format!("/v1/reports/x/versions/1/files/{name}");
        let answer = rig.get(path).token(&token).send().await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{name}: {}", answer.status);
    }
}

#[tokio::test]
async fn instances_come_as_they_were_imported() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let stored = |name: &str| std::fs::read(rig.folder.path().join(format!("images/{name}.dcm"))).expect("file");
    let accept = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
    let whole = rig.get(SERIES).token(&token).header("Accept", accept).send().await.ok();
    let got = parts(whole.header("content-type"), &whole.body);
    assert_eq!(got.iter().map(|p| p.1.clone()).collect::<Vec<_>>(), [stored("1.2.3.100.1.1"), stored("1.2.3.100.1.2")]);
    assert!(got[0].0.contains("transfer-syntax=1.2.840.10008.1.2.1"));
    let study = rig.get(format!("/dicomweb/studies/{STUDY}")).token(&token).send().await.ok();
    assert_eq!(parts(study.header("content-type"), &study.body).len(), 3);
    let single = rig
        .get(format!("{SERIES}/instances/1.2.3.100.1.1"))
        .token(&token)
        .header("Accept", "application/dicom")
        .send()
        .await
        .ok();
    assert_eq!(single.body, stored("1.2.3.100.1.1"));
    let other = "multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.840.10008.1.2.4.80";
    rig.get(SERIES).token(&token).header("Accept", other).send().await.problem(ProblemType::NotAcceptable);
}

#[tokio::test]
async fn metadata_frames_bulk_and_pictures_tell_the_same() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let object = Object {
        study: STUDY,
        series: "1.2.3.100.2",
        instance: "1.2.3.100.2.1",
        number: 3,
        patient: "0001",
        date: "20261119",
        frames: 2,
    };
    let metadata = rig.get(format!("{TWO_FRAMES}/metadata")).token(&token).send().await.ok().json();
    assert_eq!(metadata.as_array().map(Vec::len), Some(1));
    assert_eq!(metadata[0]["00080005"]["Value"], json!(["ISO_IR 192"]));
    assert_eq!(metadata[0]["00083002"]["Value"], json!(["1.2.840.10008.1.2.1"]));
    let uri = metadata[0]["7FE00010"]["BulkDataURI"].as_str().expect("URI");
    let base = rig.handle.base_url().expect("url");
    assert_eq!(uri, format!("{base}{TWO_FRAMES}/bulk/7FE00010"));
    let bulk = rig
        .get(uri.strip_prefix(&base).expect("own"))
        .token(&token)
        .header("Accept", "application/octet-stream")
        .send()
        .await
        .ok();
    assert_eq!(bulk.body, [object.frame(0), object.frame(1)].concat());
    let accept = "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*";
    let frames = rig.get(format!("{TWO_FRAMES}/frames/2,1")).token(&token).header("Accept", accept).send().await.ok();
    let got = parts(frames.header("content-type"), &frames.body);
    assert_eq!(got.into_iter().map(|p| p.1).collect::<Vec<_>>(), [object.frame(1), object.frame(0)]);
    rig.get(format!("{TWO_FRAMES}/frames/3")).token(&token).send().await.problem(ProblemType::NotFound);
    rig.get(format!("{TWO_FRAMES}/frames/0")).token(&token).send().await.problem(ProblemType::BadRequest);
    let study = rig.get(format!("/dicomweb/studies/{STUDY}/metadata")).token(&token).send().await.ok().json();
    assert_eq!(study.as_array().map(Vec::len), Some(3));
    for (path, kind, magic) in [
        (format!("{TWO_FRAMES}/rendered"), "image/png", &b"\x89PNG"[..]),
        (format!("{TWO_FRAMES}/frames/2/rendered?viewport=64,32&window=500,1000"), "image/jpeg", &b"\xFF\xD8\xFF"[..]),
        (format!("{SERIES}/thumbnail"), "image/png", &b"\x89PNG"[..]),
    ] {
        let picture = rig.get(path.as_str()).token(&token).header("Accept", kind).send().await.ok();
        assert_eq!(picture.header("content-type"), kind);
        assert!(picture.body.starts_with(magic), "{path}");
    }
    rig.get(format!("{TWO_FRAMES}/rendered"))
        .token(&token)
        .header("Accept", "image/gif")
        .send()
        .await
        .problem(ProblemType::NotAcceptable);
}

/// A body of STOW-RS and its media type.
pub fn stow(objects: &[Vec<u8>]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for object in objects {
        body.extend(b"--x\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend(object);
        body.extend(b"\r\n");
    }
    body.extend(b"--x--\r\n");
    ("multipart/related; type=\"application/dicom\"; boundary=x".to_owned(), body)
}

#[tokio::test]
async fn results_are_stored_once_and_only_where_they_belong() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let result = Object {
        study: STUDY,
        series: "1.2.3.100.9",
        instance: "1.2.3.100.9.1",
        number: 1,
        patient: "0001",
        date: "20261119",
        frames: 1,
    };
    let send = async |path: &str, objects: &[Vec<u8>]| {
        let (kind, body) = stow(objects);
        rig.post(path).token(&token).body(&kind, body).send().await
    };
    let path = format!("/dicomweb/studies/{STUDY}");
    for _ in 0..2 {
        let stored = send(&path, &[result.bytes()]).await;
        assert_eq!(stored.status, 200);
        assert_eq!(stored.json()["00081199"]["Value"][0]["00081155"]["Value"], json!(["1.2.3.100.9.1"]));
    }
    let mixed = send(&path, &[result.bytes(), b"not DICOM".to_vec()]).await;
    assert_eq!(mixed.status, 202);
    assert_eq!(mixed.json()["00081198"]["Value"][0]["00081197"]["Value"], json!([0xC000]));
    // The same UID with other content, another study than the path's, a study of somebody else.
    let differs = Object { number: 7, ..result.clone() };
    assert_eq!(send(&path, &[differs.bytes()]).await.status, 409);
    let elsewhere = Object { study: PRIOR, instance: "1.2.3.5", ..result.clone() };
    assert_eq!(send(&path, &[elsewhere.bytes()]).await.status, 409);
    let foreign = Object { study: FOREIGN, series: "1.2.3.900.9", instance: "1.2.3.900.9.1", ..result };
    let refused = send("/dicomweb/studies", &[foreign.bytes()]).await;
    assert_eq!((refused.status, &refused.json()["00081198"]["Value"][0]["00081197"]["Value"]), (409, &json!([0x0124])));
    send(&format!("/dicomweb/studies/{FOREIGN}"), &[foreign_bytes()]).await.problem(ProblemType::NotFound);
    let cut =
        rig.post(path.as_str()).token(&token).body("multipart/related; boundary=x", "--x\r\n\r\nabc").send().await;
    cut.problem(ProblemType::BadRequest);
    let found = rig.get(format!("{path}/series/1.2.3.100.9/instances")).token(&token).send().await.ok().json();
    assert_eq!(uids(&found, "00080018"), ["1.2.3.100.9.1"]);
}

fn foreign_bytes() -> Vec<u8> {
    Object {
        study: FOREIGN,
        series: "1.2.3.900.1",
        instance: "1.2.3.900.1.2",
        number: 1,
        patient: "0002",
        date: "20261119",
        frames: 1,
    }
    .bytes()
}

#[tokio::test]
async fn importing_twice_makes_no_duplicate_and_says_what_was_refused() {
    let rig = Rig::new().await;
    let images = rig.folder.path().join("images");
    let report = dokuei::server::import::import(
        rig.center(),
        std::slice::from_ref(&images),
        &dokuei::server::import::Options::default(),
        &mut |_| {},
    )
    .expect("import");
    assert_eq!((report.files, report.new, report.known, report.refused.len()), (6, 0, 5, 1));
    assert!(report.refused[0].path.ends_with("notes.txt"));
    let options = dokuei::server::import::Options { reader: Some("reader1".into()), archive: None };
    let again =
        dokuei::server::import::import(rig.center(), &[images.join("1.2.3.100.1.1.dcm")], &options, &mut |_| {})
            .expect("import");
    assert_eq!((again.assignments.len(), again.assigned_before.len()), (0, 1));
    // Images in another archive: nothing is stored, the assignment names that archive.
    let folder = tempfile::tempdir().expect("folder");
    let away = Object {
        study: "1.2.3.700",
        series: "1.2.3.700.1",
        instance: "1.2.3.700.1.1",
        number: 1,
        patient: "0009",
        date: "20261119",
        frames: 1,
    };
    std::fs::write(folder.path().join("a.dcm"), away.bytes()).expect("write");
    let options = dokuei::server::import::Options {
        reader: Some("reader1".into()),
        archive: Some(("https://pacs.example/dicom-web/".into(), "orthanc".into())),
    };
    let there = dokuei::server::import::import(rig.center(), &[folder.path().to_owned()], &options, &mut |_| {})
        .expect("import");
    let token = rig.sign_in().await;
    let path = dokuei::center::contract::paths::assignment(&there.assignments[0]);
    let assignment: dokuei::worklist::Assignment = rig.get(path).token(&token).send().await.ok().read();
    assert_eq!(assignment.studies[0].archive.root, "https://pacs.example/dicom-web");
    assert_eq!(assignment.studies[0].archive.credentials.as_deref(), Some("orthanc"));
    assert_eq!(assignment.studies[0].instances, 1);
    rig.get("/dicomweb/studies/1.2.3.700").token(&token).send().await.problem(ProblemType::NotFound);
}
