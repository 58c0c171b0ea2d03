//! The command line of both programs: subcommands, the headless reading day, what is printed.
//!
//! Exit codes everywhere: 0 = done and in order; 1 = done, but the answer is "no" (a report that does not
//! verify, a file that cannot be shown); 2 = could not be done (usage, unreadable input, no display).

pub mod archive;
pub mod args;
pub mod center;
pub mod center_args;
pub mod demo;
pub mod driver;
pub mod dump;
pub mod enrol;
pub mod info;
mod info_objects;
mod info_set;
pub mod npy;
pub mod object;
pub mod outbox;
pub mod password;
pub mod pixels;
mod pixels_state;
pub mod profile;
pub mod reading_day;
pub mod render;
pub mod validate;
pub mod verify;
