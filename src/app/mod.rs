//! The reading session as a pure state machine: [`App`] holds what is true, [`App::update`] takes an intent
//! of the reader, [`App::apply`] a fact from the engine, [`App::demand`] says what the screen needs now.
//!
//! It never touches disk, network, clock, threads or pixels on a screen: time is an argument, everything to be
//! done leaves as [`Command`](crate::engine::message::Command)s. The words that people read are `ui`'s.

mod action;
mod apply;
mod archives;
mod demand;
pub mod hang;
mod intents;
mod keep;
mod keymap;
mod link;
mod masks;
mod measure;
mod notice;
mod objects;
mod open;
mod outboxing;
mod pictures;
mod place;
mod presets;
mod reading;
mod reporting;
mod seen;
mod setting;
mod settings;
mod sign;
mod state;
mod update;
mod view;
mod worklist;
mod worklisting;
mod write;

pub use action::{
    AccessAction, Action, ArchiveAction, LayoutAction, NoticeAction, ObjectAction, OutboxAction, OutboxAsk,
    PlatformFact, ReportAction, SettingsAction, SignAction, StudyAction, ViewAction, WorklistAction,
};
pub use archives::{ArchiveDialog, ArchivesState};
pub use keymap::{Chord, Context, Intent, Key, Keymap};
pub use link::{LinkMark, Pairing};
pub use masks::Masked;
pub use notice::{Notice, NoticeCode, Notices, PictureMissing, Severity};
pub use objects::{ListedObject, NamedPicture, OpenObject, Saved};
pub use outboxing::OutboxDialog;
pub use pictures::{Pictures, StudyState, Thumbnail};
pub use presets::{Preset, presets};
pub use reading::{Cine, Reading, ReadingRecord, ViewState};
pub use reporting::{FieldWish, ReportState, Saving, SignFlow};
pub use seen::DWELL;
pub use settings::{Language, OverlayLevel, Settings};
pub use sign::{open_point_counts, open_points, series_seen};
pub use state::{AccessState, App, BuildClass, InputState, LockState, Place, Platform, Screen};
pub use worklist::{DraftMark, Filter, ReturnDialog, SortKey, WorklistState};

#[cfg(test)]
mod tests;
