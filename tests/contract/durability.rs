//! What was acknowledged is there after a restart, also after one without goodbye.

use super::reports::{TYPE, Terminal, started};
use super::{Rig, client, config};
use dokuei::center::contract::{Report, paths};
use dokuei::report::Receipt;
use dokuei::server::{Center, backup, start};
use dokuei::worklist::{Assignment, AssignmentState};
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
