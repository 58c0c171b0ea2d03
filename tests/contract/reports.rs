//! Submission, receipt, reports, addenda: what is taken, and everything that must be refused.

use super::Rig;
use base64::Engine as _;
use dokuei::center::contract::{ProblemType, Report, ReportList, SigningCertificate, VersionKind, paths};
use dokuei::report::manifest::{self, BuildInput, Package, Signer, Software, canonical};
use dokuei::report::{Draft, Predecessor, Receipt, Value, templates};
use dokuei::server::assign;
use dokuei::server::users::Enrolment;
use dokuei::vault::keys::{SigningKey, Subject};
use dokuei::vault::signature::{Expected, Policy, sign_detached};
use dokuei::vault::{ca, digest};
use dokuei::worklist::Assignment;
use serde_json::json;
use std::collections::BTreeMap;

/// A reader's terminal: token, key, certificate.
pub struct Terminal {
    pub token: String,
    key: SigningKey,
    certificate: Vec<u8>,
    user: String,
}

impl Terminal {
    pub async fn new(rig: &Rig, enrolment: &Enrolment) -> Self {
        let token = rig.sign_in_as(enrolment).await.access_token;
        let user = enrolment.file.user.clone();
        let key = SigningKey::generate().expect("key");
        let subject = Subject { common_name: user.clone(), reader_id: Some(user.clone()), organization: String::new() };
        let body = json!({ "csr": key.csr_pem(&subject).expect("csr") });
        let answer = rig.post(paths::SIGNING_CERTIFICATES).token(&token).new_key().json(body).send().await.ok();
        let chain = answer.read::<SigningCertificate>().chain;
        let certificate = ca::certificates_from_pem(&chain).expect("pem").remove(0);
        Self { token, key, certificate, user }
    }

    pub fn package(&self, rig: &Rig, assignment: &Assignment, text: &str, after: Option<Predecessor>) -> Package {
        let template = templates::for_assignment(assignment).expect("template");
        let draft = Draft {
            assignment_id: assignment.id.clone(),
            template_id: template.id.clone(),
            template_version: template.version,
            revision: 1,
            fields: BTreeMap::from([("findings".to_owned(), Value::Text(text.to_owned()))]),
            findings: Vec::new(),
            annotations: Vec::new(),
            next_id: 1,
            untouched: std::collections::BTreeSet::default(),
            addendum_to: after,
        };
        manifest::build(&BuildInput {
            draft: &draft,
            template: &template,
            assignment,
            acknowledged: &[],
            shown: &["1.2.3.100.1.1".to_owned()],
            pictures: &[],
            signer: Signer { user: self.user.clone(), name: "読影 太郎".into() },
            claimed_time: rig.center().now(),
            language: "ja",
            software: Software { name: "test".into(), version: "0".into(), build_class: "RESEARCH".into() },
        })
        .expect("package")
    }

    pub fn sign(&self, rig: &Rig, bytes: &[u8]) -> Vec<u8> {
        sign_detached(bytes, &self.key, &self.certificate, &[], rig.center().now()).expect("signature")
    }

    pub fn body(&self, rig: &Rig, package: &Package) -> Vec<u8> {
        let files: Vec<(&str, &str, &[u8])> =
            package.attachments.iter().map(|a| (a.name.as_str(), a.media_type.as_str(), a.bytes.as_slice())).collect();
        multipart(&package.report_json, &self.sign(rig, &package.report_json), &files)
    }
}

pub const TYPE: &str = "multipart/related; type=\"application/json\"; boundary=b0undary";

pub fn multipart(report: &[u8], signature: &[u8], files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    let own =
        [("report.json", "application/json", report), ("signature.p7s", "application/pkcs7-signature", signature)];
    for (name, kind, bytes) in own.iter().chain(files) {
        let head = format!(
            "--b0undary\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nContent-ID: <{name}>\r\nContent-Location: {name}\r\n\r\n",
            bytes.len()
        );
        body.extend(head.as_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0undary--\r\n");
    body
}

pub async fn started(rig: &Rig, terminal: &Terminal) -> Assignment {
    let id = rig.import.assignments.first().expect("assignment");
    rig.transition(&terminal.token, id, "start", json!({})).await.ok().read()
}

async fn submit(rig: &Rig, token: &str, id: &str, key: &str, body: Vec<u8>) -> super::Answer {
    rig.post(paths::submit(id)).token(token).key(key).body(TYPE, body).send().await
}

#[tokio::test]
async fn a_signed_report_is_taken_once_and_given_back_byte_for_byte() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let package = terminal.package(&rig, &assignment, "異常なし", None);
    let body = terminal.body(&rig, &package);
    let lease = assignment.lease.clone().expect("lease").id;
    let first =
        rig.post(paths::submit(&assignment.id)).token(&terminal.token).key("s1").header("Reading-Center-Lease", &lease);
    let first = first.body(TYPE, body.clone()).send().await.ok();
    assert_eq!(first.status, 201);
    let receipt: Receipt = first.read();
    assert_eq!((receipt.version, receipt.signer.as_str()), (1, "reader1"));
    assert_eq!(receipt.sha256, digest::sha256_hex(&package.report_json));
    let mut unsigned = serde_json::to_value(&receipt).expect("json");
    unsigned.as_object_mut().expect("object").remove("signature");
    let signature = base64::engine::general_purpose::STANDARD.decode(&receipt.signature).expect("base64");
    let roots = ca::certificates_from_pem(&rig.handle.ca_pem()).expect("pem");
    let policy = Policy { roots: &roots, revoked: &[], at: rig.center().now(), expected: Expected::Center };
    assert!(policy.verify(&canonical(&unsigned).expect("canonical"), &signature).verdict.is_valid());
    // The answer was lost: the same bytes give the same receipt, others under the same key nothing.
    let again = submit(&rig, &terminal.token, &assignment.id, "s1", body.clone()).await.ok();
    assert_eq!(first.body, again.body);
    let other = terminal.body(&rig, &terminal.package(&rig, &assignment, "別の所見", None));
    submit(&rig, &terminal.token, &assignment.id, "s1", other.clone()).await.problem(ProblemType::IdempotencyKeyReused);
    submit(&rig, &terminal.token, &assignment.id, "s2", other).await.problem(ProblemType::StateConflict);
    // It is read back.
    let report: Report = rig.get(paths::report(&receipt.report_id)).token(&terminal.token).send().await.ok().read();
    let version = report.versions.first().expect("version");
    assert_eq!((report.versions.len(), version.kind), (1, VersionKind::Original));
    assert_eq!(version.signer_name, "読影 太郎");
    let read = async |url: &str| rig.get(url).token(&terminal.token).send().await.ok().body;
    assert_eq!(read(&version.report_url).await, package.report_json);
    for (link, sent) in version.attachments.iter().zip(&package.attachments) {
        assert_eq!((link.name.as_str(), read(&link.url).await), (sent.name.as_str(), sent.bytes.clone()));
    }
    let list: ReportList = rig.get("/v1/studies/1.2.3.100/reports").token(&terminal.token).send().await.ok().read();
    assert_eq!(list.reports, std::slice::from_ref(&report));
    let after: Assignment = rig.get(paths::assignment(&assignment.id)).token(&terminal.token).send().await.ok().read();
    assert_eq!(after.report_id.as_deref(), Some(receipt.report_id.as_str()));
    let stranger = rig.sign_in_as(&rig.other).await.access_token;
    rig.get(paths::report(&receipt.report_id)).token(&stranger).send().await.problem(ProblemType::NotFound);
    rig.get(version.report_url.as_str()).token(&stranger).send().await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn what_is_not_exactly_what_was_signed_is_refused_whole() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let package = terminal.package(&rig, &assignment, "所見", None);
    let signature = terminal.sign(&rig, &package.report_json);
    let html = package.attachments.first().expect("html");
    let good = (html.name.as_str(), html.media_type.as_str(), html.bytes.as_slice());
    let send = async |key: &str, body: Vec<u8>| submit(&rig, &terminal.token, &assignment.id, key, body).await;
    let mut changed = package.report_json.clone();
    let at = changed.windows(6).position(|w| w == "所見".as_bytes()).expect("text");
    changed[at + 5] ^= 1;
    send("1", multipart(&changed, &signature, &[good])).await.problem(ProblemType::SignatureInvalid);
    send("2", multipart(&package.report_json, b"rubbish", &[good])).await.problem(ProblemType::SignatureInvalid);
    let tampered = [html.bytes.as_slice(), b" "].concat();
    send("3", multipart(&package.report_json, &signature, &[(good.0, good.1, &tampered)]))
        .await
        .problem(ProblemType::AttachmentMismatch);
    send("4", multipart(&package.report_json, &signature, &[])).await.problem(ProblemType::AttachmentMismatch);
    let more = [good, ("more.png", "image/png", &b"x"[..])];
    send("5", multipart(&package.report_json, &signature, &more)).await.problem(ProblemType::AttachmentMismatch);
    let wrong_type = [(good.0, "image/png", good.2)];
    send("6", multipart(&package.report_json, &signature, &wrong_type)).await.problem(ProblemType::AttachmentMismatch);
    let outside = [("../../pki/ca.key", good.1, good.2)];
    send("7", multipart(&package.report_json, &signature, &outside)).await.problem(ProblemType::Invalid);
    let mut cut = multipart(&package.report_json, &signature, &[good]);
    cut.truncate(cut.len() - 8);
    send("8", cut).await.problem(ProblemType::BadRequest);
    let other = Assignment { id: "another".into(), ..assignment.clone() };
    send("9", terminal.body(&rig, &terminal.package(&rig, &other, "所見", None)))
        .await
        .problem(ProblemType::ReportMismatch);
    let mut stranger = assignment.clone();
    stranger.patient.id = "9999".into();
    send("10", terminal.body(&rig, &terminal.package(&rig, &stranger, "所見", None)))
        .await
        .problem(ProblemType::ReportMismatch);
    // Nothing of all this was kept.
    assert_eq!(std::fs::read_dir(rig.folder.path().join("data/reports")).expect("folder").count(), 0);
    assert_eq!(std::fs::read_dir(rig.folder.path().join("data/staging")).expect("folder").count(), 0);
    send("11", terminal.body(&rig, &package)).await.ok();
}

#[tokio::test]
async fn only_the_assigned_reader_signs() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let other = Terminal::new(&rig, &rig.other).await;
    let assignment = started(&rig, &terminal).await;
    let package = terminal.package(&rig, &assignment, "所見", None);
    // Signed by a colleague, sent by the assigned reader; sent by the colleague.
    let foreign = other.body(&rig, &package);
    submit(&rig, &terminal.token, &assignment.id, "1", foreign.clone()).await.problem(ProblemType::SignerMismatch);
    submit(&rig, &other.token, &assignment.id, "2", foreign).await.problem(ProblemType::SignerMismatch);
    let own = other.body(&rig, &other.package(&rig, &assignment, "所見", None));
    submit(&rig, &other.token, &assignment.id, "3", own).await.problem(ProblemType::NotFound);
    // A certificate of another authority.
    let fake =
        ca::CertificateAuthority::create("試験センター", ca::Validity::days(rig.center().now(), 30)).expect("ca");
    let subject =
        Subject { common_name: "読影 太郎".into(), reader_id: Some("reader1".into()), organization: String::new() };
    let csr = terminal.key.csr(&subject).expect("csr");
    let certificate = fake.issue_signing(&csr, &subject, ca::Validity::days(rig.center().now(), 30)).expect("issue");
    let forged = Terminal {
        certificate,
        key: SigningKey::from_pkcs8_der(&terminal.key.to_pkcs8_der().expect("key")).expect("key"),
        token: terminal.token.clone(),
        user: terminal.user.clone(),
    };
    let answer = submit(&rig, &terminal.token, &assignment.id, "4", forged.body(&rig, &package)).await;
    assert_eq!(answer.problem(ProblemType::SignatureInvalid).members["verdict"], "CHAIN_UNTRUSTED");
}

#[tokio::test]
async fn lost_leases_wrong_patients_and_states_stop_signing() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let body = terminal.body(&rig, &terminal.package(&rig, &assignment, "所見", None));
    let lease = assignment.lease.clone().expect("lease").id;
    // Given back and begun anew: work of the first lease is void.
    rig.transition(&terminal.token, &assignment.id, "release", json!({})).await.ok();
    submit(&rig, &terminal.token, &assignment.id, "1", body.clone()).await.problem(ProblemType::StateConflict);
    started(&rig, &terminal).await;
    let late =
        rig.post(paths::submit(&assignment.id)).token(&terminal.token).key("2").header("Reading-Center-Lease", &lease);
    late.body(TYPE, body.clone()).send().await.problem(ProblemType::LeaseLost);
    let back = json!({ "reason": "wrong_patient_suspected", "text": "氏名が一致しません" });
    rig.transition(&terminal.token, &assignment.id, "return", json!({ "reason": "image_missing", "text": " " }))
        .await
        .problem(ProblemType::Invalid);
    rig.transition(&terminal.token, &assignment.id, "return", back).await.ok();
    submit(&rig, &terminal.token, &assignment.id, "3", body.clone()).await.problem(ProblemType::WrongPatientSuspected);
    // Given to a colleague: for the first reader it is closed.
    let request = assign::AssignmentRequest {
        request: dokuei::worklist::Request { request_id: "R2".into(), ..Default::default() },
        ..assign::AssignmentRequest::for_studies(
            "reader1",
            vec![dokuei::study::StudyUid::new("1.2.3.100").expect("uid")],
        )
    };
    let id = assign::assign(rig.center(), &request).expect("assign").id;
    let second: Assignment = rig.transition(&terminal.token, &id, "start", json!({})).await.ok().read();
    let body = terminal.body(&rig, &terminal.package(&rig, &second, "所見", None));
    assign::withdraw(rig.center(), &id, Some("reader2"), "illness").expect("withdraw").expect("new");
    let answer = rig.post(paths::submit(&id)).token(&terminal.token).key("4").body(TYPE, body).send().await;
    assert_eq!(answer.problem(ProblemType::StateConflict).current().expect("current")["state"], "reassigned");
}

#[tokio::test]
async fn a_lease_that_ran_out_or_was_superseded_does_not_void_signed_work() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let body = terminal.body(&rig, &terminal.package(&rig, &assignment, "所見", None));
    let lease = assignment.lease.clone().expect("lease").id;
    started(&rig, &terminal).await;
    rig.clock.advance(jiff::SignedDuration::from_hours(1));
    let token = rig.sign_in().await;
    let sent = rig.post(paths::submit(&assignment.id)).token(&token).key("1").header("Reading-Center-Lease", &lease);
    assert_eq!(sent.body(TYPE, body).send().await.status, 201);
}

#[tokio::test]
async fn work_signed_before_the_assignment_was_put_aside_elsewhere_is_taken() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let body = terminal.body(&rig, &terminal.package(&rig, &assignment, "所見", None));
    let lease = assignment.lease.clone().expect("lease").id;
    rig.transition(&terminal.token, &assignment.id, "suspend", json!({})).await.ok();
    // Without the lease nothing says that the work was this reader's; with another's it was not.
    submit(&rig, &terminal.token, &assignment.id, "1", body.clone()).await.problem(ProblemType::StateConflict);
    let send = async |key: &str, lease: &str| {
        let call = rig.post(paths::submit(&assignment.id)).token(&terminal.token).key(key);
        call.header("Reading-Center-Lease", lease).body(TYPE, body.clone()).send().await
    };
    send("2", "another").await.problem(ProblemType::LeaseLost);
    assert_eq!(send("3", &lease).await.status, 201);
    // It is one report: the same work under another key is refused, not filed twice.
    send("4", &lease).await.problem(ProblemType::StateConflict);
}

#[tokio::test]
async fn addenda_name_the_newest_version() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let body = terminal.body(&rig, &terminal.package(&rig, &assignment, "所見", None));
    let first: Receipt = submit(&rig, &terminal.token, &assignment.id, "1", body).await.ok().read();
    let after = |receipt: &Receipt| Predecessor {
        report_id: receipt.report_id.clone(),
        sha256: receipt.sha256.clone(),
        version: receipt.version,
    };
    let send = async |key: &str, body: Vec<u8>| {
        rig.post(paths::versions(&first.report_id)).token(&terminal.token).key(key).body(TYPE, body).send().await
    };
    let addendum = terminal.body(&rig, &terminal.package(&rig, &assignment, "追記", Some(after(&first))));
    let second: Receipt = send("2", addendum.clone()).await.ok().read();
    assert_eq!((second.report_id.as_str(), second.version), (first.report_id.as_str(), 2));
    assert_eq!(send("2", addendum).await.ok().read::<Receipt>(), second);
    let stale = terminal.body(&rig, &terminal.package(&rig, &assignment, "追記2", Some(after(&first))));
    let current = send("3", stale).await.problem(ProblemType::Superseded).current().cloned().expect("current");
    assert_eq!(current["version"], 2);
    let original = terminal.body(&rig, &terminal.package(&rig, &assignment, "追記3", None));
    send("4", original).await.problem(ProblemType::ReportMismatch);
    let report: Report = rig.get(paths::report(&first.report_id)).token(&terminal.token).send().await.ok().read();
    assert_eq!(
        report.versions.iter().map(|v| v.kind).collect::<Vec<_>>(),
        [VersionKind::Original, VersionKind::Addendum]
    );
    assert_eq!(report.versions[1].predecessor, Some(after(&first)));
    rig.post(paths::versions("nothing"))
        .token(&terminal.token)
        .key("5")
        .body(TYPE, terminal.body(&rig, &terminal.package(&rig, &assignment, "x", Some(after(&second)))))
        .send()
        .await
        .problem(ProblemType::NotFound);
}

#[tokio::test]
async fn a_revoked_certificate_signs_no_more() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let body = terminal.body(&rig, &terminal.package(&rig, &assignment, "所見", None));
    dokuei::server::users::set_disabled(rig.center(), "reader1", true).expect("disable");
    dokuei::server::users::set_disabled(rig.center(), "reader1", false).expect("enable");
    let token = rig.sign_in().await;
    let answer = submit(&rig, &token, &assignment.id, "1", body).await;
    assert_eq!(answer.problem(ProblemType::SignatureInvalid).members["verdict"], "CERT_REVOKED");
}
