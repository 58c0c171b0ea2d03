//! Discovery, sign-in, tokens, signing certificates.

use super::{PASSWORD, Rig};
use dokuei::center::contract::{Discovery, ProblemType, SigningCertificate, TokenResponse, User, paths};
use dokuei::center::{CenterClient, Patience, Session, refresh_token_name};
use dokuei::vault::keys::{SigningKey, Subject};
use dokuei::vault::secrets::{MemoryStore, SecretStore};
use dokuei::vault::{ca, signature};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn discovery_health_and_the_contract_need_no_sign_in() {
    let rig = Rig::new().await;
    let discovery: Discovery = rig.get(paths::DISCOVERY).send().await.ok().read();
    assert_eq!(discovery.name, "試験センター");
    assert_eq!(discovery.ca_certificates, std::slice::from_ref(&rig.enrolment.file.ca_certificate));
    assert_eq!(rig.enrolment.file.base_url, rig.handle.base_url().expect("url"));
    rig.get(paths::HEALTH).send().await.ok();
    let served = rig.get(paths::OPENAPI).send().await.ok();
    assert_eq!(served.body, include_bytes!("../../assets/reading-center.openapi.yaml"));
    rig.get(paths::ME).send().await.problem(ProblemType::TokenInvalid);
    rig.get(paths::ME).token("nonsense").send().await.problem(ProblemType::TokenInvalid);
}

#[tokio::test]
async fn two_factors_are_needed_and_a_code_is_good_once() {
    let rig = Rig::new().await;
    let code = rig.code(&rig.enrolment);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let try_it = async |user: &str, password: &str, otp: &str| {
        let fields = [("grant_type", "password"), ("username", user), ("password", password), ("otp", otp)];
        rig.post(paths::TOKEN).header("Accept-Language", "ja").form(&fields).send().await
    };
    let refused = try_it("reader1", "wrong-1-password", &code).await.problem(ProblemType::SignInRefused);
    assert!(refused.title.contains("パスワード"));
    try_it("reader1", PASSWORD, wrong).await.problem(ProblemType::SignInRefused);
    try_it("nobody", PASSWORD, &code).await.problem(ProblemType::SignInRefused);
    let tokens: TokenResponse = try_it("reader1", PASSWORD, &code).await.ok().read();
    let me: User = rig.get(paths::ME).token(&tokens.access_token).send().await.ok().read();
    assert_eq!((me.id.as_str(), me.name.as_str()), ("reader1", "読影 太郎"));
    try_it("reader1", PASSWORD, &code).await.problem(ProblemType::SignInRefused);
}

#[tokio::test]
async fn failures_lock_for_a_while_whether_the_user_exists_or_not() {
    let rig = Rig::new().await;
    for user in ["reader1", "nobody"] {
        let try_it = async |password: &str, otp: &str| {
            let fields = [("grant_type", "password"), ("username", user), ("password", password), ("otp", otp)];
            rig.post(paths::TOKEN).form(&fields).send().await
        };
        for _ in 0..5 {
            try_it("wrong-1-password", "123456").await.problem(ProblemType::SignInRefused);
        }
        let locked = try_it(PASSWORD, "123456").await;
        let problem = locked.problem(ProblemType::SignInLocked);
        assert_eq!(locked.header("retry-after"), problem.retry_after().expect("seconds").to_string());
    }
    rig.clock.advance(SignedDuration::from_secs(16));
    rig.sign_in().await;
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_stolen_one_ends_the_session() {
    let rig = Rig::new().await;
    let first = rig.sign_in_as(&rig.enrolment).await;
    let refresh = async |token: &str| {
        rig.post(paths::TOKEN).form(&[("grant_type", "refresh_token"), ("refresh_token", token)]).send().await
    };
    let lost: TokenResponse = refresh(&first.refresh_token).await.ok().read();
    // The answer was lost: the old token still works, as long as nothing of the new pair was used.
    let second: TokenResponse = refresh(&first.refresh_token).await.ok().read();
    rig.get(paths::ME).token(&lost.access_token).send().await.problem(ProblemType::TokenInvalid);
    rig.get(paths::ME).token(&second.access_token).send().await.ok();
    refresh(&first.refresh_token).await.problem(ProblemType::SessionEnded);
    rig.get(paths::ME).token(&second.access_token).send().await.problem(ProblemType::TokenInvalid);
    refresh(&second.refresh_token).await.problem(ProblemType::SessionEnded);
}

#[tokio::test]
async fn tokens_end_by_the_clock_and_by_signing_out() {
    let rig = Rig::new().await;
    let tokens = rig.sign_in_as(&rig.enrolment).await;
    rig.clock.advance(SignedDuration::from_secs(i64::try_from(tokens.expires_in).expect("short") + 1));
    rig.get(paths::ME).token(&tokens.access_token).send().await.problem(ProblemType::TokenInvalid);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str())];
    let next: TokenResponse = rig.post(paths::TOKEN).form(&fields).send().await.ok().read();
    rig.post(paths::REVOKE).token(&next.access_token).send().await.ok();
    rig.get(paths::ME).token(&next.access_token).send().await.problem(ProblemType::TokenInvalid);
    let tokens = rig.sign_in_as(&rig.enrolment).await;
    rig.clock.advance(SignedDuration::from_hours(13));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str())];
    rig.post(paths::TOKEN).form(&fields).send().await.problem(ProblemType::SessionEnded);
}

#[tokio::test]
async fn signing_certificates_need_a_fresh_second_factor() {
    let rig = Rig::new().await;
    let token = rig.sign_in().await;
    let key = SigningKey::generate().expect("key");
    // Whatever name the request gives, the center writes its own.
    let subject =
        Subject { common_name: "somebody else".into(), reader_id: Some("admin".into()), organization: String::new() };
    let csr = key.csr_pem(&subject).expect("csr");
    let ask = async |body: serde_json::Value, key: &str| {
        rig.post(paths::SIGNING_CERTIFICATES).token(&token).key(key).json(body).send().await
    };
    let fresh: SigningCertificate = ask(json!({ "csr": csr }), "a").await.ok().read();
    let leaf = ca::certificates_from_pem(&fresh.chain).expect("pem").remove(0);
    let summary = signature::summarize_certificate(&leaf).expect("certificate");
    assert_eq!((summary.subject_cn.as_str(), summary.reader_id.as_deref()), ("読影 太郎", Some("reader1")));
    rig.clock.advance(SignedDuration::from_mins(6));
    ask(json!({ "csr": csr }), "b").await.problem(ProblemType::SecondFactorNeeded);
    let code = rig.code(&rig.enrolment);
    let by_code = ask(json!({ "csr": csr, "otp": code }), "c").await.ok();
    let again = ask(json!({ "csr": csr, "otp": code }), "c").await.ok();
    assert_eq!(by_code.body, again.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
    ask(json!({ "csr": csr, "otp": code }), "d").await.problem(ProblemType::SecondFactorNeeded);
    let enrolment_code = rig.enrolment.file.enrolment_code.as_str();
    ask(json!({ "csr": csr, "enrolment_code": enrolment_code }), "e").await.ok();
    ask(json!({ "csr": csr, "enrolment_code": enrolment_code }), "f").await.problem(ProblemType::SecondFactorNeeded);
    let code = rig.code(&rig.enrolment);
    ask(json!({ "csr": "rubbish", "otp": code }), "g").await.problem(ProblemType::Invalid);
}

#[tokio::test]
async fn disabled_people_are_out_at_once() {
    let rig = Rig::new().await;
    let tokens = rig.sign_in_as(&rig.enrolment).await;
    dokuei::server::users::set_disabled(rig.center(), "reader1", true).expect("disable");
    rig.get(paths::ME).token(&tokens.access_token).send().await.problem(ProblemType::TokenInvalid);
    let code = rig.code(&rig.enrolment);
    let fields = [("grant_type", "password"), ("username", "reader1"), ("password", PASSWORD), ("otp", &code)];
    rig.post(paths::TOKEN).form(&fields).send().await.problem(ProblemType::SignInRefused);
}

#[tokio::test]
async fn the_workstations_sign_out_ends_the_session_at_the_center() {
    let rig = Rig::new().await;
    let file = &rig.enrolment.file;
    let secrets: Arc<dyn SecretStore> = Arc::new(MemoryStore::new());
    let session = Arc::new(Session::new(Arc::clone(&secrets), &file.base_url, &file.ca_certificate));
    let client = CenterClient::new(&file.base_url, &file.ca_certificate, session, Patience::default()).expect("client");
    let tokens = client.sign_in("reader1", PASSWORD, &rig.code(&rig.enrolment)).await.expect("signed in");
    rig.get(paths::ME).token(&tokens.access_token).send().await.ok();
    client.sign_out().await.expect("the center is told");
    rig.get(paths::ME).token(&tokens.access_token).send().await.problem(ProblemType::TokenInvalid);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token.as_str())];
    rig.post(paths::TOKEN).form(&fields).send().await.problem(ProblemType::SessionEnded);
    let name = refresh_token_name(&file.base_url, &file.ca_certificate);
    assert!(secrets.get(&name).expect("readable").is_none());
    client.sign_out().await.expect("nothing left to end");
}
