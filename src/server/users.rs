//! People: made, listed, disabled, given passwords and enrolment files by the center's administrator.

use super::error::Error;
use super::state::{Center, stamp};
use crate::center::contract::{ENROLMENT_FORMAT, EnrolmentFile, User, UserRole};
use crate::vault::secrets::Zeroizing;
use crate::vault::totp::TotpSecret;
use crate::vault::{digest, password, random};
use jiff::SignedDuration;
use rusqlite::{OptionalExtension as _, Transaction, params};

/// How long an enrolment code is good.
const ENROLMENT_DAYS: i64 = 7;

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEntry {
    /// Person.
    pub user: User,
    /// May not sign in.
    pub disabled: bool,
    /// Has a second factor, and so can sign in.
    pub enrolled: bool,
}

/// What an enrolment gives: the file for the reader's terminal, and the second factor by another way.
#[derive(Debug)]
pub struct Enrolment {
    /// Content of the `.dokuei-enrol` file.
    pub file: EnrolmentFile,
    /// Secret for the authenticator.
    pub totp: TotpSecret,
    /// `otpauth://…` for a QR code.
    pub otpauth_uri: Zeroizing<String>,
}

fn checked_id(id: &str) -> Result<&str, Error> {
    let good = !id.is_empty()
        && id.len() <= 64
        && !id.starts_with('.')
        && id.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'_'));
    if good {
        Ok(id)
    } else {
        Err(Error::Refused("a user id has lower-case letters, digits, '.', '-' and '_' only, at most 64".into()))
    }
}

fn checked_password(id: &str, name: &str, new: &str) -> Result<(), Error> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let context = password::PasswordContext { user_id: id, personal: &words, second_factor: true };
    let faults = password::check_password_rule(new, &context);
    if faults.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = faults.iter().map(|f| format!("{f:?}")).collect();
    Err(Error::Refused(format!("the password is not good enough: {}", list.join(", "))))
}

/// Makes a user. Blocks.
pub fn create(center: &Center, id: &str, name: &str, roles: &[UserRole], password: &str) -> Result<User, Error> {
    checked_id(id)?;
    if name.trim().is_empty() || roles.is_empty() {
        return Err(Error::Refused("a user needs a name and at least one role".into()));
    }
    checked_password(id, name, password)?;
    let hash = password::hash(password, center.config().hash_work)?;
    let user = User { id: id.to_owned(), name: name.to_owned(), roles: roles.to_vec() };
    let (roles, at) = (serde_json::to_string(&user.roles)?, stamp(center.now()));
    center.db().write_now(|t| {
        let added = t.execute(
            "INSERT OR IGNORE INTO user (id, name, roles, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![user.id, user.name, roles, hash, at],
        )?;
        if added == 1 { Ok(()) } else { Err(Error::Refused(format!("there is already a user {id}"))) }
    })?;
    Ok(user)
}

/// All users by id. Blocks.
pub fn list(center: &Center) -> Result<Vec<UserEntry>, Error> {
    center.db().read_now(|t| {
        let mut statement =
            t.prepare("SELECT id, name, roles, disabled, totp_sealed IS NOT NULL FROM user ORDER BY id")?;
        let rows = statement.query_map([], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get(3)?, r.get(4)?))
        })?;
        rows.map(|row| {
            let (id, name, roles, disabled, enrolled) = row?;
            Ok(UserEntry { user: User { id, name, roles: serde_json::from_str(&roles)? }, disabled, enrolled })
        })
        .collect()
    })
}

/// One user.
pub fn get(t: &Transaction<'_>, id: &str) -> Result<Option<User>, Error> {
    let row = t
        .query_row("SELECT name, roles FROM user WHERE id = ?1 AND NOT disabled", [id], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?))
        })
        .optional()?;
    row.map(|(name, roles)| Ok(User { id: id.to_owned(), name, roles: serde_json::from_str(&roles)? })).transpose()
}

/// Lets a user sign in or not; disabling ends all sessions and revokes all signing certificates. Blocks.
pub fn set_disabled(center: &Center, id: &str, disabled: bool) -> Result<(), Error> {
    let at = stamp(center.now());
    center.db().write_now(|t| {
        let found = t.execute("UPDATE user SET disabled = ?2 WHERE id = ?1", params![id, disabled])?;
        if found == 0 {
            return Err(Error::Refused(format!("there is no user {id}")));
        }
        if disabled {
            end_sessions(t, id, &at)?;
            t.execute("UPDATE certificate SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL", [id, &at])?;
        }
        Ok(())
    })
}

/// A new password; ends all sessions. Blocks.
pub fn set_password(center: &Center, id: &str, new: &str) -> Result<(), Error> {
    let name: Option<String> = center.db().read_now(|t| {
        Ok::<_, Error>(t.query_row("SELECT name FROM user WHERE id = ?1", [id], |r| r.get(0)).optional()?)
    })?;
    let name = name.ok_or_else(|| Error::Refused(format!("there is no user {id}")))?;
    checked_password(id, &name, new)?;
    let hash = password::hash(new, center.config().hash_work)?;
    let at = stamp(center.now());
    center.db().write_now(|t| {
        t.execute("UPDATE user SET password_hash = ?2 WHERE id = ?1", [id, &hash])?;
        t.execute("DELETE FROM sign_in_failure WHERE username = ?1", [id])?;
        end_sessions(t, id, &at)
    })
}

fn end_sessions(t: &Transaction<'_>, id: &str, at: &str) -> Result<(), Error> {
    t.execute("UPDATE session SET ended_at = ?2 WHERE user_id = ?1 AND ended_at IS NULL", [id, at])?;
    Ok(())
}

/// Makes a new second factor and an enrolment file; the old factor and old codes end. Blocks.
pub fn enrol(center: &Center, id: &str) -> Result<Enrolment, Error> {
    let base_url = center.base_url()?;
    let totp = TotpSecret::generate()?;
    let code = random::random_token()?;
    let sealed = center.pki().seal(&format!("totp:{id}"), totp.as_bytes())?;
    let now = center.now();
    let expires_at = now.saturating_add(SignedDuration::from_hours(24 * ENROLMENT_DAYS)).unwrap_or(now);
    center.db().write_now(|t| {
        let found =
            t.execute("UPDATE user SET totp_sealed = ?2, totp_step = NULL WHERE id = ?1", params![id, sealed])?;
        if found == 0 {
            return Err(Error::Refused(format!("there is no user {id}")));
        }
        t.execute("DELETE FROM enrolment WHERE user_id = ?1 AND used_at IS NULL", [id])?;
        t.execute(
            "INSERT INTO enrolment (code_sha256, user_id, expires_at) VALUES (?1, ?2, ?3)",
            params![digest::sha256_hex(code.as_bytes()), id, stamp(expires_at)],
        )?;
        end_sessions(t, id, &stamp(now))
    })?;
    let otpauth_uri = totp.otpauth_uri(&issuer(center.name()), id)?;
    let file = EnrolmentFile {
        format: ENROLMENT_FORMAT.to_owned(),
        center: center.name().to_owned(),
        base_url,
        ca_certificate: center.pki().ca.certificate_pem(),
        user: id.to_owned(),
        enrolment_code: code,
        expires_at,
    };
    Ok(Enrolment { file, totp, otpauth_uri })
}

/// An issuer label for authenticators: `:` separates there.
fn issuer(name: &str) -> String {
    name.replace(':', " ")
}
