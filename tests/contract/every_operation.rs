//! Every operation of the OpenAPI file is walked: what is asked and what is answered is held to the file, and all that
//! it names must have been seen. An operation or a status that enters the file without its walk here fails.

use super::dicomweb::stow;
use super::objects::{FOREIGN, Object, PRIOR, STUDY};
use super::openapi::Contract;
use super::reports::{TYPE, Terminal, multipart};
use super::worklist::{chain, events};
use super::{Answer, Rig};
use crate::support::recorder::Recorder;
use dokuei::center::contract::{AuditHead, DraftEnvelope, ProblemType, Report, paths};
use dokuei::report::{Predecessor, Receipt};
use dokuei::server::assign::{AssignmentRequest, assign};
use dokuei::study::StudyUid;
use dokuei::worklist::{Assignment, AuditEvent};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SUBMISSION_BYTES: u64 = 400_000;

/// A further assignment of the reader's; gives its id.
fn further(rig: &Rig, reader: &str, study: &str, number: &str) -> String {
    let mut request = AssignmentRequest::for_studies(reader, vec![StudyUid::new(study).expect("uid")]);
    number.clone_into(&mut request.request.request_id);
    let assigned = assign(rig.center(), &request).expect("assigned");
    assert!(assigned.new);
    assigned.id
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

async fn start_and_sign_in(rig: &Rig) {
    for path in [paths::DISCOVERY, paths::HEALTH, paths::OPENAPI] {
        rig.get(path).send().await.ok();
    }
    let token = rig.sign_in().await;
    rig.get(paths::ME).token(&token).send().await.ok();
    rig.post(paths::REVOKE).token(&token).send().await.ok();
    let wrong = [("grant_type", "password"), ("username", "nobody"), ("password", "wrong-1"), ("otp", "000000")];
    for _ in 0..5 {
        rig.post(paths::TOKEN).form(&wrong).send().await.problem(ProblemType::SignInRefused);
    }
    rig.post(paths::TOKEN).form(&wrong).send().await.problem(ProblemType::SignInLocked);
}

/// Each transition: done, refused in a wrong state, refused where somebody was faster.
async fn transitions(rig: &Rig, token: &str) {
    let query = "state=assigned,accepted&modality=CT&due_before=2999-01-01T00:00:00Z&updated_since=2000-01-01T00:00:00Z&limit=2";
    rig.get(format!("{}?{query}", paths::ASSIGNMENTS)).token(token).send().await.ok();
    let closed = further(rig, "reader1", STUDY, "closed");
    rig.transition(token, &closed, "decline", json!({ "reason": "conflict" })).await.ok();
    let away = json!({ "reason": "overload", "text": "今日は不在" });
    let back = json!({ "reason": "image_missing", "text": "2相目がありません" });
    let steps: [(&str, &[&str], Value); 6] = [
        ("accept", &[], json!({})),
        ("start", &[], json!({})),
        ("suspend", &["start"], json!({})),
        ("decline", &[], away.clone()),
        ("release", &["accept"], away),
        ("return", &["start"], back),
    ];
    for (action, before, body) in steps {
        let id = further(rig, "reader1", STUDY, action);
        for action in before {
            rig.transition(token, &id, action, json!({})).await.ok();
        }
        let now: Assignment = rig.get(paths::assignment(&id)).token(token).send().await.ok().read();
        let ask = async |etag: &str| {
            let ask = rig.post(paths::transition(&id, action)).token(token).new_key().header("If-Match", &quoted(etag));
            ask.json(body.clone()).send().await
        };
        let lost = ask("0-not-this").await;
        assert_eq!(lost.problem(ProblemType::VersionConflict).current().expect("current")["etag"], json!(now.etag));
        let after: Assignment = ask(&now.etag).await.ok().read();
        assert_ne!(after.etag, now.etag, "{action}");
        rig.transition(token, &closed, action, body.clone()).await.problem(ProblemType::StateConflict);
    }
}

async fn lease_and_draft(rig: &Rig, token: &str) {
    let id = further(rig, "reader1", STUDY, "draft");
    let begun: Assignment = rig.transition(token, &id, "start", json!({})).await.ok().read();
    let renew =
        async |lease: &str| rig.post(paths::lease(&id)).token(token).json(json!({ "lease_id": lease })).send().await;
    renew(&begun.lease.expect("lease").id).await.ok();
    renew("another").await.problem(ProblemType::LeaseLost);
    let path = paths::draft(&id);
    rig.get(path.as_str()).token(token).send().await.problem(ProblemType::NotFound);
    let put = |text: &str| rig.ask("PUT", path.as_str()).token(token).json(json!({ "draft": { "text": text } }));
    let first: DraftEnvelope = put("a").header("If-None-Match", "*").send().await.ok().read();
    put("b").header("If-Match", &quoted(&first.etag)).send().await.ok();
    put("c").header("If-Match", &quoted(&first.etag)).send().await.problem(ProblemType::VersionConflict);
    rig.get(path.as_str()).token(token).send().await.ok();
}

/// A report and its addendum, each refused first for every reason that the document names; then read.
async fn reports(rig: &Rig, terminal: &Terminal) {
    let id = rig.import.assignments.first().expect("assignment").clone();
    let token = terminal.token.as_str();
    let begun: Assignment = rig.transition(token, &id, "start", json!({})).await.ok().read();
    let package = terminal.package(rig, &begun, "異常なし", None);
    let send = async |path: String, body: Vec<u8>| rig.post(path).token(token).new_key().body(TYPE, body).send().await;
    let spoilt = |report: &[u8]| multipart(report, b"no signature", &[]);
    let large = vec![b'x'; usize::try_from(SUBMISSION_BYTES).expect("small")];
    let large = multipart(&package.report_json, b"no signature", &[("picture.png", "image/png", &large)]);
    send(paths::submit(&id), spoilt(&package.report_json)).await.problem(ProblemType::SignatureInvalid);
    send(paths::submit(&id), large).await.problem(ProblemType::TooLarge);
    let lease = begun.lease.clone().expect("lease").id;
    let ask = rig.post(paths::submit(&id)).token(token).new_key().header("Reading-Center-Lease", &lease);
    let first: Receipt = ask.body(TYPE, terminal.body(rig, &package)).send().await.ok().read();
    send(paths::submit(&id), terminal.body(rig, &package)).await.problem(ProblemType::StateConflict);

    let after =
        Predecessor { report_id: first.report_id.clone(), sha256: first.sha256.clone(), version: first.version };
    let addendum = terminal.package(rig, &begun, "追記", Some(after.clone()));
    let versions = || paths::versions(&first.report_id);
    send(versions(), spoilt(&addendum.report_json)).await.problem(ProblemType::SignatureInvalid);
    send(versions(), terminal.body(rig, &addendum)).await.ok();
    let late = terminal.package(rig, &begun, "追記2", Some(after));
    send(versions(), terminal.body(rig, &late)).await.problem(ProblemType::Superseded);

    let report: Report = rig.get(paths::report(&first.report_id)).token(token).send().await.ok().read();
    assert_eq!(report.versions.len(), 2);
    for name in ["report.json", "signature.p7s", "receipt.json"] {
        rig.get(paths::version_file(&first.report_id, 2, name)).token(token).send().await.ok();
    }
    rig.get(paths::study_reports(STUDY)).token(token).send().await.ok();
}

async fn events_and_audit(rig: &Rig, token: &str) {
    // From the first change of all: whole events of every kind of change that was made until here.
    assert_eq!(events(rig, token, &format!("{}?since=0", paths::EVENTS), "assignment", 8).await.len(), 8);
    assert_eq!(events(rig, token, paths::EVENTS, "ping", 1).await.len(), 1);
    let head: AuditHead =
        rig.get(format!("{}?terminal=t-1", paths::AUDIT_EVENTS)).token(token).send().await.ok().read();
    let send = async |records: &[AuditEvent]| {
        let batch = json!({ "terminal": "t-1", "records": records });
        rig.post(paths::AUDIT_EVENTS).token(token).new_key().json(batch).send().await
    };
    let records = chain(&head, 3);
    send(&records[1..]).await.problem(ProblemType::AuditChainBroken);
    send(&records).await.ok();
}

/// Query, retrieve and rendered pictures on every level.
async fn images(rig: &Rig, token: &str) {
    let study = format!("/dicomweb/studies/{STUDY}");
    let series = format!("{study}/series/1.2.3.100.2");
    let instance = format!("{series}/instances/1.2.3.100.2.1");
    let get = async |path: String, accept: &str| rig.get(path).token(token).header("Accept", accept).send().await.ok();
    let query = "Modality=CT&includefield=00080050&includefield=all&limit=5&offset=0&fuzzymatching=false";
    for (path, count) in [
        ("/dicomweb/studies".to_owned(), 2),
        ("/dicomweb/series".to_owned(), 3),
        ("/dicomweb/instances".to_owned(), 4),
        (format!("{study}/series"), 2),
        (format!("{study}/instances"), 3),
        (format!("{series}/instances"), 1),
    ] {
        let attribute = if path.ends_with("studies") { "ModalitiesInStudy" } else { "Modality" };
        let query = query.replace("Modality", attribute);
        let query = if path.ends_with("instances") { query.replace("Modality=CT&", "") } else { query };
        let found = get(format!("{path}?{query}"), "application/dicom+json").await.json();
        let found = found.as_array().expect("a list");
        assert_eq!(found.len(), count, "{path}");
        // The prior is this reader's to see, the other patient's study is not.
        let studies: BTreeSet<&str> = found.iter().filter_map(|o| o["0020000D"]["Value"][0].as_str()).collect();
        assert!(studies.contains(STUDY) && studies.is_subset(&BTreeSet::from([STUDY, PRIOR])), "{path}: {studies:?}");
    }
    for path in [&study, &series, &instance] {
        get(path.clone(), "multipart/related; type=\"application/dicom\"; transfer-syntax=*").await;
        get(format!("{path}/metadata"), "application/dicom+json").await;
        get(format!("{path}/thumbnail?viewport=32,32&quality=80"), "image/jpeg").await;
    }
    get(instance.clone(), "application/dicom").await;
    for path in [format!("{instance}/rendered"), format!("{instance}/frames/2/rendered")] {
        get(format!("{path}?viewport=64,64&window=500,1000,linear"), "image/png").await;
    }
    for path in [format!("{instance}/frames/1,2"), format!("{instance}/bulk/7FE00010")] {
        get(path, "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*").await;
    }
}

/// Results stored whole, in part and not at all, by both ways.
async fn results(rig: &Rig, token: &str) {
    for (path, number) in [("/dicomweb/studies".to_owned(), 1), (format!("/dicomweb/studies/{STUDY}"), 2)] {
        let instance = format!("1.2.3.100.9.{number}");
        let date = "20261119";
        let result = Object {
            study: STUDY,
            series: "1.2.3.100.9",
            instance: &instance,
            number,
            patient: "0001",
            date,
            frames: 1,
        };
        let send = async |objects: &[Vec<u8>]| -> Answer {
            let (kind, body) = stow(objects);
            rig.post(path.as_str()).token(token).body(&kind, body).send().await
        };
        assert_eq!(send(&[result.bytes()]).await.status, 200);
        assert_eq!(send(&[result.bytes(), b"not DICOM".to_vec()]).await.status, 202);
        let changed = Object { number: number + 10, ..result };
        assert_eq!(send(&[changed.bytes()]).await.status, 409);
    }
}

#[tokio::test]
async fn every_operation_and_every_status_that_the_document_names_is_walked() {
    let recorder = Recorder::default();
    let rig = Rig::listening(|c| c.limits.submission_bytes = SUBMISSION_BYTES, Some(&recorder)).await;
    start_and_sign_in(&rig).await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    transitions(&rig, &terminal.token).await;
    lease_and_draft(&rig, &terminal.token).await;
    reports(&rig, &terminal).await;
    images(&rig, &terminal.token).await;
    results(&rig, &terminal.token).await;
    events_and_audit(&rig, &terminal.token).await;

    let contract = Contract::get();
    let mut seen: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for exchange in recorder.kept() {
        seen.entry(contract.check_exchange(&exchange)).or_default().insert(exchange.status);
    }
    let mut missing = Vec::new();
    for operation in contract.operations() {
        let id = operation.told["operationId"].as_str().expect("an id");
        let walked = seen.get(id).cloned().unwrap_or_default();
        if !walked.iter().any(|s| (200..300).contains(s)) {
            missing.push(format!("{id}: no successful answer"));
        }
        for status in operation.told["responses"].as_object().expect("responses").keys().filter(|s| *s != "default") {
            if !walked.contains(&status.parse().expect("a status")) {
                missing.push(format!("{id}: {status}"));
            }
        }
    }
    assert!(missing.is_empty(), "told by the document and not walked: {missing:#?}");
}

/// A template's path with these values, by parameter.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let part = |part: &str| {
        let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) else { return part.to_owned() };
        let value = values.iter().find(|(n, _)| *n == name);
        value.unwrap_or_else(|| panic!("{template}: no value for {name}")).1.to_owned()
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A request that fits the document, as small as it can be.
fn smallest(operation: &str) -> Value {
    match operation {
        "decline" => json!({ "reason": "illness" }),
        "return" => json!({ "reason": "image_missing", "text": "x" }),
        "renewLease" => json!({ "lease_id": "x" }),
        "putDraft" => json!({ "draft": {} }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn no_operation_answers_a_stranger_or_tells_of_what_is_not_theirs() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let foreign = further(&rig, "reader2", FOREIGN, "foreign");
    let theirs = [
        ("id", foreign.as_str()),
        ("uid", FOREIGN),
        ("study", FOREIGN),
        ("series", "1.2.3.900.1"),
        ("instance", "1.2.3.900.1.1"),
        ("frames", "1"),
        ("path", "7FE00010"),
        ("version", "1"),
        ("name", "report.json"),
    ];
    let nowhere = theirs.map(|(name, value)| match name {
        "id" => (name, "nothing-here"),
        "uid" | "study" | "series" | "instance" => (name, "1.2.3.404"),
        _ => (name, value),
    });
    for operation in Contract::get().operations() {
        let id = operation.told["operationId"].as_str().expect("an id");
        let open = operation.told["security"].as_array().is_some_and(Vec::is_empty);
        if !open {
            let ask = rig.ask(operation.method, filled(operation.template, &theirs));
            ask.send().await.problem(ProblemType::TokenInvalid);
        }
        if !operation.template.contains('{') {
            continue;
        }
        for values in [&theirs, &nowhere] {
            let ask = rig.ask(operation.method, filled(operation.template, values)).token(&token);
            let ask = match id {
                "storeIntoStudy" | "submit" | "submitVersion" => {
                    let (kind, body) = if id == "storeIntoStudy" {
                        stow(&[])
                    } else {
                        (TYPE.to_owned(), multipart(b"{}", b"no signature", &[]))
                    };
                    ask.new_key().body(&kind, body)
                }
                "putDraft" => ask.header("If-None-Match", "*").json(smallest(id)),
                _ if operation.method == "POST" => ask.new_key().json(smallest(id)),
                _ => ask,
            };
            let answer = ask.send().await;
            // The same answer for what is another's as for what is nowhere.
            match id {
                // The signature is judged before anything is looked up.
                "submit" | "submitVersion" => _ = answer.problem(ProblemType::SignatureInvalid),
                _ => {
                    assert_eq!(answer.status, 404, "{id}: {}", String::from_utf8_lossy(&answer.body));
                    answer.problem(ProblemType::NotFound);
                }
            }
        }
    }
}

#[tokio::test]
async fn what_the_document_does_not_tell_of_a_path_is_no_method_of_it() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let contract = Contract::get();
    let problem = &contract.document()["components"]["schemas"]["Problem"];
    let base = rig.handle.base_url().expect("url");
    let mut asked = 0;
    for (template, item) in contract.document()["paths"].as_object().expect("paths") {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if item.get(method.to_lowercase()).is_some() {
                continue;
            }
            let url = format!("{base}{}", template.replace(['{', '}'], ""));
            let request = rig.http.request(method.parse().expect("a method"), url).bearer_auth(&token);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), 405, "{method} {template}");
            let body: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
            contract.validate("Problem", problem, &body);
            assert_eq!(body["type"], json!(ProblemType::MethodNotAllowed.uri()), "{method} {template}");
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}
