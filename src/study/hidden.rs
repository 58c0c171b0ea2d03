//! `Debug` of types that hold what must not reach a log.

/// `Debug` that shows the named fields and hides all others: `hidden_debug!(Study { uid, date }, Item)`.
macro_rules! hidden_debug {
    ($($name:ident $({ $($field:ident),* })?),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $($(.field(stringify!($field), &self.$field))*)?
                    .finish_non_exhaustive()
            }
        }
    )* };
}
pub(crate) use hidden_debug;

/// What a person wrote, in a type whose `Debug` shows the rest.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl<T: Into<String>> From<T> for Hidden {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note {
        number: u32,
        text: Hidden,
    }
    hidden_debug!(Note { number });

    #[test]
    fn only_what_is_named_is_shown() {
        let note = Note { number: 7, text: "山田太郎".into() };
        assert_eq!(format!("{note:?} {:?}", note.text), "Note { number: 7, .. } Hidden(…)");
        assert_eq!(note.text.0, "山田太郎");
    }
}
