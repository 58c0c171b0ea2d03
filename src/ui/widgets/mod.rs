//! Controls in the program's own look, all from theme tokens, each with an accessible name.

mod button;
mod dialog;
mod field;
mod line;
mod ring;

pub use button::{bare_button, chip, icon_button, menu_button, primary_button, quiet_button};
pub use dialog::{Dialog, dialog};
pub use field::{field_with_button, labelled_field, name, password_field, search_field};
pub use line::{caption, elided, label_value, prose, rule, section, state_word, tabular, value};
pub use ring::{bar, ring};
