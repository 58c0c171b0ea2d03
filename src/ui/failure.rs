//! Why something did not work, in words, and what the reader can do about it.

use super::text::Words;
use crate::engine::message::Failure;

/// What happened.
pub fn what(words: Words, failure: &Failure) -> String {
    let said = match failure {
        Failure::Offline(_) => words.t("failure.offline"),
        Failure::Denied(_) => words.t("failure.denied"),
        Failure::Conflict(_) => words.t("failure.conflict"),
        Failure::Corrupt(_) => words.t("failure.corrupt"),
        Failure::Full(_) => words.t("failure.full"),
        Failure::Rejected(_) => words.t("failure.rejected"),
        Failure::NoSecretStore(_) => words.t("failure.no_secret_store"),
        Failure::Local(_) => words.t("failure.local"),
    };
    let detail = failure.detail().trim();
    if detail.is_empty() {
        said.to_owned()
    } else {
        words.f("failure.with_detail", &[("what", &said), ("detail", &detail)])
    }
}

/// What to do.
pub fn todo(words: Words, failure: &Failure) -> &'static str {
    match failure {
        Failure::Offline(_) => words.t("failure.offline_do"),
        Failure::Denied(_) => words.t("failure.denied_do"),
        Failure::Conflict(_) => words.t("failure.conflict_do"),
        Failure::Corrupt(_) => words.t("failure.corrupt_do"),
        Failure::Full(_) => words.t("failure.full_do"),
        Failure::Rejected(_) => words.t("failure.rejected_do"),
        Failure::NoSecretStore(_) => words.t("failure.no_secret_store_do"),
        Failure::Local(_) => words.t("failure.local_do"),
    }
}

/// Writing into a folder of the reader's choice: what happened and what to do, which is mostly to choose another.
pub fn writing_out(words: Words, failure: &Failure) -> (String, &'static str) {
    let (said, again) = match failure {
        Failure::Conflict(_) => ("failure.exists", "failure.exists_do"),
        Failure::Local(_) => ("failure.not_written", "failure.not_written_do"),
        other => return (what(words, other), todo(words, other)),
    };
    (words.f("failure.with_detail", &[("what", &words.t(said)), ("detail", &failure.detail())]), words.t(again))
}

/// What a door asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Password and one-time code.
    PasswordAndCode,
    /// The password alone.
    Password,
    /// The passphrase of the secrets.
    Passphrase,
}

/// At the door: a refusal means that what was typed is wrong, and no more is told.
pub fn at_door(words: Words, asked: Asked, failure: &Failure) -> (String, &'static str) {
    let (denied, again) = match asked {
        Asked::PasswordAndCode => ("failure.sign_in_denied", "failure.sign_in_denied_do"),
        Asked::Password => ("failure.password_denied", "failure.password_denied_do"),
        Asked::Passphrase => ("failure.passphrase_denied", "failure.passphrase_denied_do"),
    };
    match failure {
        Failure::Denied(_) => (words.t(denied).to_owned(), words.t(again)),
        other => (what(words, other), todo(words, other)),
    }
}
