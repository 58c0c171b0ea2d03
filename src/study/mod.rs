//! Patient, study, series, instance, frame: what the center sends, in the standard's words.
//!
//! Owns identity (UIDs, person names), image geometry, the split of series into display sets and the
//! completeness ledger. It never reads bytes, never decodes and never draws.

mod display_set;
pub mod document;
mod finding;
mod geometry;
#[cfg(test)]
mod grouping_tests;
mod hidden;
mod identity;
mod json_fault;
mod ledger;
mod mammography;
mod object;
mod patient;
mod person_name;
mod phase;
mod plane;
mod romaji;
mod split;
mod stations;
mod traits;
mod tree;
mod uid;
mod why;

pub use display_set::{DisplaySet, DisplaySetId, FrameRef, Grouping, NotPlaced, SetDetail, display_sets, group};
pub use finding::{Finding, Place};
pub use geometry::{Gap, GeometryWarning, StackMeasures, Volume};
pub use hidden::Hidden;
pub(crate) use hidden::hidden_debug;
pub use identity::{Mismatch, mismatches, names_another};
pub use json_fault::JsonFault;
pub use ledger::{Ledger, NotShown, SeriesLedger};
pub use mammography::{BreastView, RelatedBy, breast_views};
pub use object::{Code, ObjectKind, ObjectRef};
pub use patient::{Patient, Sex, age_at};
pub use person_name::{PersonName, search_key};
pub use phase::{PhaseAxis, PhaseOf, Phases};
pub use plane::{ImagePlane, orientation_letters};
pub use romaji::key as reading_key;
pub use split::SplitBy;
pub use stations::{Station, WholeBody, body_sets, whole_bodies};
pub use traits::{
    BValueSource, Component, Directionality, FrameTraits, ImageKind, InstanceTraits, Mammogram, MammogramKind,
    SideStatement,
};
pub use tree::{ExamKind, FrameInfo, Instance, Laterality, Series, Study, Voi, VoiFunction};
pub use uid::{FrameIndex, InvalidUid, SeriesUid, SopInstanceUid, StudyUid};
pub use why::Why;
