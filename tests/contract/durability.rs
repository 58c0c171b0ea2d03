//! What was acknowledged is there after a restart, also after one without goodbye.

use super::reports::{TYPE, Terminal, started};
use super::{Rig, client, config};
use dokuei::center::contract::{AssignmentPage, ProblemType, Report, paths};
use dokuei::report::Receipt;
use dokuei::server::prune::{Pruned, prune};
use dokuei::server::{Center, backup, start};
use dokuei::worklist::{Assignment, AssignmentState};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_acknowledged_report_outlives_the_server() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let package = terminal.package(&rig, &assignment, "所見", None);
    let body = terminal.body(&rig, &package);
    let sent = rig
        .post(paths::submit(&assignment.id))
        .token(&terminal.token)
        .key("s")
        .body(TYPE, body.clone())
        .send()
        .await
        .ok();
    let receipt: Receipt = sent.read();
    let ca = rig.handle.ca_pem();
    let Rig { folder, clock, handle, .. } = rig;
    // As if the process were killed: nothing is ended in order.
    drop(handle);
    let leftovers = folder.path().join("data/reports/leftover/1");
    std::fs::create_dir_all(&leftovers).expect("folder");
    let handle = start(config(folder.path(), &clock)).await.expect("start again");
    assert_eq!(handle.ca_pem(), ca);
    let http = client(&handle);
    let base = handle.base_url().expect("url");
    let get = async |path: String| {
        http.get(format!("{base}{path}"))
            .bearer_auth(&terminal.token)
            .send()
            .await
            .expect("answer")
            .bytes()
            .await
            .expect("body")
    };
    let report: Report = serde_json::from_slice(&get(paths::report(&receipt.report_id)).await).expect("report");
    assert_eq!(get(report.versions[0].report_url.clone()).await, package.report_json);
    let after: Assignment = serde_json::from_slice(&get(paths::assignment(&assignment.id)).await).expect("assignment");
    assert_eq!(after.state, AssignmentState::Submitted);
    let again = http
        .post(format!("{base}{}", paths::submit(&assignment.id)))
        .bearer_auth(&terminal.token)
        .header("Idempotency-Key", "s")
        .header("Content-Type", TYPE)
        .body(body)
        .send()
        .await
        .expect("answer");
    assert_eq!(again.status(), 201);
    assert_eq!(again.json::<Receipt>().await.expect("receipt"), receipt);
    handle.stop_within(Duration::ZERO).await.expect("stop");
}

#[tokio::test]
async fn a_backup_is_a_whole_center() {
    let rig = Rig::new().await;
    let terminal = Terminal::new(&rig, &rig.enrolment).await;
    let assignment = started(&rig, &terminal).await;
    let package = terminal.package(&rig, &assignment, "所見", None);
    let body = terminal.body(&rig, &package);
    rig.post(paths::submit(&assignment.id)).token(&terminal.token).key("s").body(TYPE, body).send().await.ok();
    let target = rig.folder.path().join("backup");
    let done = backup::backup(rig.center(), &target).expect("backup");
    assert!(done.files > 8, "{done:?}");
    // The next one copies only what is new.
    let again = backup::backup(rig.center(), &target).expect("backup");
    assert_eq!((again.files, again.copied), (done.files, again.changed));
    let mut copy = config(rig.folder.path(), &rig.clock);
    copy.data_dir = target;
    let copy = Center::open(copy).expect("open");
    assert_eq!(copy.pki().ca.certificate(), rig.center().pki().ca.certificate());
    let entries = dokuei::server::assign::list(&copy, false).expect("list");
    assert_eq!(entries.iter().map(|e| e.state.as_str()).collect::<Vec<_>>(), ["submitted"]);
    assert!(backup::backup(rig.center(), rig.center().config().data_dir.as_path()).is_err());
}

#[tokio::test]
async fn what_is_too_old_goes_and_a_client_that_was_away_starts_anew() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let id = rig.assignment(&token).await.id;
    let accept = || rig.post(paths::transition(&id, "accept")).token(&token).key("kept").json(json!({}));
    accept().send().await.ok();
    let resync = |since: u64| format!("{}?since={since}", paths::EVENTS);
    assert_eq!(prune(rig.center()).expect("pruned"), Pruned::default(), "nothing is old yet");
    // A day before the first limit everything is there still; the answer is given again.
    rig.clock.advance(SignedDuration::from_hours(29 * 24));
    assert_eq!(prune(rig.center()).expect("pruned"), Pruned::default());
    let token = rig.sign_in().await;
    let again = rig.post(paths::transition(&id, "accept")).token(&token).key("kept").json(json!({})).send().await.ok();
    assert_eq!(again.header("idempotency-replayed"), "true");
    let page: AssignmentPage = rig.get(paths::ASSIGNMENTS).token(&token).send().await.ok().read();
    assert!(page.last_event_id > 0);
    rig.clock.advance(SignedDuration::from_hours(2 * 24));
    let pruned = prune(rig.center()).expect("pruned");
    assert_eq!((pruned.answers, pruned.sessions), (0, 1), "the session in use stays");
    assert_eq!(pruned.events as u64, page.last_event_id);
    let token = rig.sign_in().await;
    let now: AssignmentPage = rig.get(paths::ASSIGNMENTS).token(&token).send().await.ok().read();
    assert_eq!(now.last_event_id, page.last_event_id, "numbers go on although the events are gone");
    let first = super::worklist::events(&rig, &token, &resync(0), "resync", 1).await;
    assert_eq!(first[0].1["last_event_id"], json!(now.last_event_id));
    // Who saw the last of them misses nothing.
    assert_eq!(super::worklist::events(&rig, &token, &resync(now.last_event_id), "ping", 1).await.len(), 1);
    rig.clock.advance(SignedDuration::from_hours(60 * 24));
    assert!(prune(rig.center()).expect("pruned").answers > 0);
    let token = rig.sign_in().await;
    rig.post(paths::transition(&id, "accept"))
        .token(&token)
        .key("kept")
        .json(json!({}))
        .send()
        .await
        .problem(ProblemType::StateConflict);
}
