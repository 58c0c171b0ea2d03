//! Unique identifiers as newtypes, so that a series can never be asked for by an instance's UID.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A UID that does not follow PS3.5 9.1: 1 to 64 characters of digits and dots.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a DICOM UID: {0:?}")]
pub struct InvalidUid(pub String);

/// Checks form only (PS3.5 9.1). Leading zeros in components occur in the field and are let through,
/// because such a UID still identifies; anything but digits and dots could escape into a path or URL.
fn checked(text: &str) -> Result<String, InvalidUid> {
    let trimmed = text.trim_end_matches(['\0', ' ']);
    let well_formed = !trimmed.is_empty()
        && trimmed.len() <= 64
        && trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && !trimmed.starts_with('.')
        && !trimmed.ends_with('.')
        && !trimmed.contains("..");
    if well_formed { Ok(trimmed.to_owned()) } else { Err(InvalidUid(text.chars().take(80).collect())) }
}

macro_rules! uid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a UID as received; trailing padding (NUL or space) is removed.
            pub fn new(text: &str) -> Result<Self, InvalidUid> {
                checked(text).map(Self)
            }
            /// The UID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidUid;
            fn try_from(text: String) -> Result<Self, InvalidUid> {
                checked(&text).map(Self)
            }
        }
        impl From<$name> for String {
            fn from(uid: $name) -> String {
                uid.0
            }
        }
    };
}

uid!(
    /// Study Instance UID (0020,000D).
    StudyUid
);
uid!(
    /// Series Instance UID (0020,000E).
    SeriesUid
);
uid!(
    /// SOP Instance UID (0008,0018).
    SopInstanceUid
);

/// A frame's place in its instance, counted from 0. On the wire and for people frames count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FrameIndex(pub u32);

impl FrameIndex {
    /// The number that DICOM and people use (PS3.18 8.3: frames count from 1).
    pub fn number(self) -> u32 {
        self.0.saturating_add(1)
    }
    /// From a frame number (1…); 0 is no frame.
    pub fn from_number(number: u32) -> Option<Self> {
        number.checked_sub(1).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_cut_and_nonsense_refused() {
        assert_eq!(StudyUid::new("1.2.3\0").map(|u| u.to_string()), Ok("1.2.3".to_owned()));
        for bad in ["", "1..2", ".1", "1.", "../x", "1.2/3", "1.2 3", &"1".repeat(65)] {
            assert!(StudyUid::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn frames_count_from_one_for_people() {
        assert_eq!(FrameIndex(0).number(), 1);
        assert_eq!(FrameIndex::from_number(1), Some(FrameIndex(0)));
        assert_eq!(FrameIndex::from_number(0), None);
    }
}
