//! Worklist, transitions, leases, drafts, events, audit.

use super::{Rig, objects};
use dokuei::center::contract::{AssignmentPage, AuditHead, DraftEnvelope, ProblemType, paths};
use dokuei::report::manifest::canonical;
use dokuei::server::assign;
use dokuei::vault::digest::sha256_hex;
use dokuei::worklist::{Assignment, AssignmentState, AuditAction, AuditEvent, AuditOutcome, Lease};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

#[tokio::test]
async fn the_imported_study_is_an_assignment_with_its_prior() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let page: AssignmentPage = rig.get(paths::ASSIGNMENTS).token(&token).send().await.ok().read();
    let [assignment] = page.assignments.as_slice() else { panic!("one assignment: {}", page.assignments.len()) };
    assert_eq!(assignment.patient.name.display(), "山田\u{3000}太郎");
    assert_eq!(assignment.studies.len(), 1);
    let study = assignment.studies.first().expect("study");
    assert_eq!((study.study_uid.as_str(), study.series, study.instances), (objects::STUDY, 2, 3));
    assert_eq!(study.archive.root, format!("{}/dicomweb", rig.handle.base_url().expect("url")));
    assert_eq!(assignment.prior_studies.first().map(|s| s.study_uid.as_str()), Some(objects::PRIOR));
    assert!(
        rig.get("/v1/assignments?state=submitted")
            .token(&token)
            .send()
            .await
            .ok()
            .read::<AssignmentPage>()
            .assignments
            .is_empty()
    );
    assert!(
        rig.get("/v1/assignments?modality=MR")
            .token(&token)
            .send()
            .await
            .ok()
            .read::<AssignmentPage>()
            .assignments
            .is_empty()
    );
    let page: AssignmentPage =
        rig.get("/v1/assignments?modality=MR,CT&state=assigned").token(&token).send().await.ok().read();
    assert_eq!(page.assignments.len(), 1);
    rig.get("/v1/assignments?state=nonsense").token(&token).send().await.problem(ProblemType::BadRequest);
    // Another reader does not see it.
    let other = rig.sign_in_as(&rig.other).await.access_token;
    rig.get(paths::assignment(&assignment.id)).token(&other).send().await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    for number in 0..7 {
        let mut request = assign::AssignmentRequest::for_studies(
            "reader1",
            vec![dokuei::study::StudyUid::new(objects::FOREIGN).expect("uid")],
        );
        request.request.request_id = format!("R{number}");
        assert!(assign::assign(rig.center(), &request).expect("assign").new);
        assert!(!assign::assign(rig.center(), &request).expect("assign").new);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/assignments?limit=3".to_owned();
    loop {
        let page: AssignmentPage = rig.get(path.as_str()).token(&token).send().await.ok().read();
        seen.extend(page.assignments.into_iter().map(|a| (a.due.at, a.id)));
        match page.next_cursor {
            Some(cursor) => path = format!("/v1/assignments?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 8);
    assert!(seen.is_sorted());
    seen.dedup();
    assert_eq!(seen.len(), 8);
    rig.get("/v1/assignments?cursor=xx").token(&token).send().await.problem(ProblemType::BadRequest);
}

#[tokio::test]
async fn transitions_leases_and_conflicts() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let assignment = rig.assignment(&token).await;
    let id = assignment.id.as_str();
    let accepted: Assignment = rig.transition(&token, id, "accept", json!({})).await.ok().read();
    assert_eq!(accepted.state, AssignmentState::Accepted);
    let conflict = rig.transition(&token, id, "accept", json!({})).await;
    let current = conflict.problem(ProblemType::StateConflict).current().cloned().expect("current");
    assert_eq!(current["state"], "accepted");
    let stale = rig.post(paths::transition(id, "start")).token(&token).new_key();
    stale.header("If-Match", "\"1\"").json(json!({})).send().await.problem(ProblemType::VersionConflict);
    let started: Assignment = rig.transition(&token, id, "start", json!({})).await.ok().read();
    let first = started.lease.expect("lease");
    assert_eq!(first.owner, "reader1");
    let renew =
        async |lease: &str| rig.post(paths::lease(id)).token(&token).json(json!({ "lease_id": lease })).send().await;
    rig.clock.advance(SignedDuration::from_secs(60));
    let renewed: Lease = renew(&first.id).await.ok().read();
    assert!(renewed.expires_at > first.expires_at);
    // The same reader at another terminal: the first lease is superseded.
    let second: Assignment = rig.transition(&token, id, "start", json!({})).await.ok().read();
    renew(&first.id).await.problem(ProblemType::LeaseLost);
    renew(&second.lease.expect("lease").id).await.ok();
    let suspended: Assignment = rig.transition(&token, id, "suspend", json!({})).await.ok().read();
    assert_eq!((suspended.state, suspended.lease), (AssignmentState::Accepted, None));
    let text = json!({ "reason": "illness", "text": "発熱" });
    let declined: Assignment = rig.transition(&token, id, "decline", text).await.ok().read();
    assert_eq!(declined.reason.as_deref(), Some("illness: 発熱"));
    rig.transition(&token, id, "start", json!({})).await.problem(ProblemType::StateConflict);
    rig.post(paths::transition(id, "accept"))
        .token(&token)
        .json(json!({}))
        .send()
        .await
        .problem(ProblemType::IdempotencyKeyMissing);
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let id = rig.assignment(&token).await.id;
    let ask = |key| rig.post(paths::transition(&id, "accept")).token(&token).key(key);
    let first = ask("k").json(json!({})).send().await.ok();
    let again = ask("k").json(json!({})).send().await.ok();
    assert_eq!((&first.body, first.header("etag")), (&again.body, again.header("etag")));
    assert_eq!(again.header("idempotency-replayed"), "true");
    ask("k").body("application/json", "{ }").send().await.problem(ProblemType::IdempotencyKeyReused);
    ask("k2").body("text/plain", "{}").send().await.problem(ProblemType::UnsupportedMediaType);
    ask("k3").body("application/json", "{").send().await.problem(ProblemType::BadRequest);
    ask("k4").body("application/json", vec![b' '; 200_000]).send().await.problem(ProblemType::TooLarge);
}

#[tokio::test]
async fn drafts_never_overwrite_each_other() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let id = rig.assignment(&token).await.id;
    let path = paths::draft(&id);
    rig.get(path.as_str()).token(&token).send().await.problem(ProblemType::NotFound);
    let put = |text: &str| rig.ask("PUT", path.as_str()).token(&token).json(json!({ "draft": { "text": text } }));
    put("a").send().await.problem(ProblemType::BadRequest);
    let first: DraftEnvelope = put("a").header("If-None-Match", "*").send().await.ok().read();
    let second: DraftEnvelope = put("b").header("If-Match", &format!("\"{}\"", first.etag)).send().await.ok().read();
    let lost = put("c").header("If-Match", &format!("\"{}\"", first.etag)).send().await;
    let current = lost.problem(ProblemType::VersionConflict).current().cloned().expect("current");
    assert_eq!((&current["etag"], &current["draft"]["text"]), (&json!(second.etag), &json!("b")));
    // The answer to `b` was lost and it is sent again: no conflict.
    let again: DraftEnvelope = put("b").header("If-Match", &format!("\"{}\"", first.etag)).send().await.ok().read();
    assert_eq!(again.etag, second.etag);
    let read: DraftEnvelope = rig.get(path.as_str()).token(&token).send().await.ok().read();
    assert_eq!(read.draft, Some(json!({ "text": "b" })));
    let other = rig.sign_in_as(&rig.other).await.access_token;
    rig.get(path.as_str()).token(&other).send().await.problem(ProblemType::NotFound);
}

/// Reads server-sent events until `count` with the given name came.
pub async fn events(
    rig: &Rig,
    token: &str,
    path: &str,
    name: &str,
    count: usize,
) -> Vec<(Option<u64>, serde_json::Value)> {
    let url = format!("{}{path}", rig.handle.base_url().expect("url"));
    let mut answer = rig.http.get(url).bearer_auth(token).send().await.expect("stream");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut text, mut found) = (String::new(), Vec::new());
    while found.len() < count {
        let chunk = answer.chunk().await.expect("chunk").expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |f: &str| event.lines().find_map(|l| l.strip_prefix(f).map(str::trim));
            if field("event:") == Some(name) {
                let data = serde_json::from_str(field("data:").expect("data")).expect("JSON");
                found.push((field("id:").map(|i| i.parse().expect("number")), data));
            }
            text = rest.to_owned();
        }
    }
    found
}

#[tokio::test]
async fn events_tell_every_change_from_where_the_page_was() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let page: AssignmentPage = rig.get(paths::ASSIGNMENTS).token(&token).send().await.ok().read();
    let id = page.assignments.first().expect("assignment").id.clone();
    rig.transition(&token, &id, "accept", json!({})).await.ok();
    let path = format!("/v1/events?since={}", page.last_event_id);
    let (told, ()) = tokio::join!(events(&rig, &token, &path, "assignment", 2), async {
        rig.transition(&token, &id, "start", json!({})).await.ok();
    });
    let states: Vec<&str> = told.iter().filter_map(|(_, d)| d["state"].as_str()).collect();
    assert_eq!(states, ["accepted", "in_progress"]);
    assert!(told.iter().all(|(number, data)| number.is_some() && data["assignment_id"] == json!(id)));
    assert_eq!(events(&rig, &token, "/v1/events", "ping", 1).await.len(), 1);
    let resync = events(&rig, &token, "/v1/events?since=999999", "resync", 1).await;
    assert_eq!(resync[0].1["last_event_id"], json!(told[1].0));
    // A change by another process (the command line) is seen as well.
    let newest = told[1].0.expect("id");
    let path = format!("/v1/events?since={newest}");
    let center = rig.center().clone();
    let (told, ()) = tokio::join!(events(&rig, &token, &path, "assignment", 1), async {
        tokio::task::spawn_blocking(move || assign::withdraw(&center, &id, Some("reader2"), "illness"))
            .await
            .expect("join")
            .expect("withdraw");
    });
    assert_eq!(told[0].1["state"], "reassigned");
}

/// Records that follow a head.
pub fn chain(from: &AuditHead, count: u64) -> Vec<AuditEvent> {
    let mut previous = from.hash.clone();
    (1..=count)
        .map(|n| {
            let event = AuditEvent {
                sequence: from.sequence + n,
                at: Timestamp::UNIX_EPOCH,
                user: "reader1".into(),
                action: AuditAction::Login,
                outcome: AuditOutcome::Success,
                object: None,
                previous: previous.clone(),
            };
            previous = sha256_hex(&canonical(&event).expect("canonical"));
            event
        })
        .collect()
}

#[tokio::test]
async fn audit_chains_take_no_gap_and_no_edit() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let head: AuditHead = rig.get("/v1/audit-events?terminal=t-1").token(&token).send().await.ok().read();
    assert_eq!((head.sequence, head.hash.as_str()), (0, "0".repeat(64).as_str()));
    let send = async |records: &[AuditEvent]| {
        rig.post(paths::AUDIT_EVENTS)
            .token(&token)
            .new_key()
            .json(json!({ "terminal": "t-1", "records": records }))
            .send()
            .await
    };
    let records = chain(&head, 3);
    let after: AuditHead = send(&records[..2]).await.ok().read();
    assert_eq!(after.sequence, 2);
    // Overlap is passed over.
    let after: AuditHead = send(&records).await.ok().read();
    assert_eq!((after.sequence, after.hash), (3, sha256_hex(&canonical(&records[2]).expect("canonical"))));
    let mut edited = records.clone();
    edited[1].user = "reader2".into();
    send(&edited).await.problem(ProblemType::AuditChainBroken);
    let more = chain(&AuditHead { sequence: 3, hash: sha256_hex(&canonical(&records[2]).expect("canonical")) }, 2);
    let broken = send(&more[1..]).await.problem(ProblemType::AuditChainBroken);
    assert_eq!(broken.current().expect("head")["sequence"], 3);
    send(&more).await.ok();
}
