//! Signing certificates: the reader's key stays on the terminal, the center vouches for it after a fresh second factor.

use super::auth::{Signed, second_factor};
use super::error::{ApiError, ApiResult, Error};
use super::pki::backdated;
use super::state::{Center, stamp};
use super::wire::{Answer, Once, json_body};
use crate::center::contract::{ProblemType, SigningCertificate, SigningCertificateRequest, paths};
use crate::vault::ca::{CaError, pem};
use crate::vault::digest;
use crate::vault::keys::Subject;
use crate::vault::signature::{Revoked, summarize_certificate};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::SignedDuration;
use rusqlite::{Transaction, params};

const CERTIFICATE_DAYS: u32 = 365;
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// `POST /v1/signing-certificates`.
pub async fn issue(State(center): State<Center>, signed: Signed, headers: HeaderMap, body: Bytes) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let once = Once::new(&signed.user.id, format!("POST {}", paths::SIGNING_CERTIFICATES), &headers, &body)?;
    let request: SigningCertificateRequest = json_body(&headers, &body)?;
    let csr = der_of_request(&request.csr)?;
    let center_ = center.clone();
    center
        .db()
        .write(move |t| {
            if let Some(answer) = once.earlier(t)? {
                return Ok(Ok(answer));
            }
            // A refused factor is counted, so its transaction must end well.
            if let Err(refused) = fresh_factor(t, &center_, &signed, &request)? {
                return Ok(Err(refused));
            }
            once.run(t, &center_, || certify(t, &center_, &signed, &csr)).map(Ok)
        })
        .await?
}

fn fresh_factor(
    t: &Transaction<'_>,
    center: &Center,
    signed: &Signed,
    request: &SigningCertificateRequest,
) -> ApiResult<Result<(), ApiError>> {
    let now = center.now();
    if let Some(otp) = &request.otp {
        return second_factor(t, center, &signed.user.id, otp, now);
    }
    if let Some(code) = &request.enrolment_code {
        let used = t.execute(
            "UPDATE enrolment SET used_at = ?3 WHERE code_sha256 = ?1 AND user_id = ?2 AND used_at IS NULL AND expires_at > ?3",
            [&digest::sha256_hex(code.as_bytes()), &signed.user.id, &stamp(now)],
        )?;
        return Ok(if used == 1 { Ok(()) } else { Err(ProblemType::SecondFactorNeeded.into()) });
    }
    let fresh = now.duration_since(signed.auth_at) <= FRESH;
    Ok(if fresh { Ok(()) } else { Err(ProblemType::SecondFactorNeeded.into()) })
}

fn certify(t: &Transaction<'_>, center: &Center, signed: &Signed, csr: &[u8]) -> ApiResult<Answer> {
    let subject = Subject {
        common_name: signed.user.name.clone(),
        reader_id: Some(signed.user.id.clone()),
        organization: center.name().to_owned(),
    };
    let now = center.now();
    let der = center.pki().ca.issue_signing(csr, &subject, backdated(now, CERTIFICATE_DAYS)).map_err(|e| match e {
        CaError::MalformedRequest | CaError::NoProofOfPossession | CaError::UnsupportedKey => {
            ApiError::new(ProblemType::Invalid, e.to_string())
        }
        other => Error::from(other).into(),
    })?;
    let summary = summarize_certificate(&der).ok_or(ProblemType::Internal)?;
    t.execute(
        "INSERT INTO certificate (serial, user_id, der, issued_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![summary.serial, signed.user.id, der, stamp(now), stamp(summary.not_after)],
    )?;
    let answer = SigningCertificate {
        chain: pem("CERTIFICATE", &der),
        ca_certificate: center.pki().ca.certificate_pem(),
        expires_at: summary.not_after,
    };
    Answer::json(StatusCode::CREATED, &answer)
}

/// Withdrawn signing certificates.
pub fn revoked(t: &Transaction<'_>) -> Result<Vec<Revoked>, Error> {
    let mut statement = t.prepare("SELECT serial, revoked_at FROM certificate WHERE revoked_at IS NOT NULL")?;
    let rows = statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (serial, at) = row?;
        Ok(Revoked { serial, at: super::state::unstamp(&at)? })
    })
    .collect()
}

fn der_of_request(text: &str) -> ApiResult<Vec<u8>> {
    let bad = || ApiError::new(ProblemType::Invalid, "csr is not a PEM CERTIFICATE REQUEST");
    let body = text
        .trim()
        .strip_prefix("-----BEGIN CERTIFICATE REQUEST-----")
        .and_then(|t| t.strip_suffix("-----END CERTIFICATE REQUEST-----"))
        .ok_or_else(bad)?;
    let compact: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).map_err(|_| bad())
}
