//! What an object without a picture says, as it reaches the screen.

use super::laid::{Laid, Outline, Under, half_slice_mm, lines, off_plane};
use super::oddity::Oddity;
use super::segmentation::{Segmentation, StructureSet};
use super::state_object::PresentationState;
use crate::imaging::Frame;
use crate::study::document::{Document, Region};
use crate::study::hidden_debug;
use crate::study::{FrameRef, ObjectRef, Place};
use glam::{DVec2, DVec3};
use serde::Serialize;
use std::sync::Arc;

/// Content of an object that is no picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectContent {
    /// A structured report or a key object selection.
    Document(Box<Document>),
    /// A grayscale or colour presentation state.
    PresentationState(Box<PresentationState>),
    /// A segmentation.
    Segmentation(Box<Segmentation>),
    /// An RT structure set.
    StructureSet(Box<StructureSet>),
    /// A document within an object: never opened here.
    Encapsulated(Encapsulated),
}

/// An encapsulated document (PS3.3 A.45).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Encapsulated {
    /// Document Title.
    pub title: String,
    /// MIME Type of Encapsulated Document.
    pub mime: String,
    /// Its length.
    pub bytes: usize,
}

hidden_debug!(Encapsulated { mime, bytes });

impl ObjectContent {
    /// The pictures that it names, each once.
    pub fn images(&self) -> Vec<&ObjectRef> {
        match self {
            Self::Document(document) => document.images(),
            Self::PresentationState(state) => state.images.iter().collect(),
            Self::Segmentation(_) | Self::StructureSet(_) | Self::Encapsulated(_) => Vec::new(),
        }
    }

    /// What was odd or left out.
    pub fn warnings(&self) -> Vec<Oddity> {
        match self {
            Self::Document(document) => document.warnings.iter().cloned().map(Oddity::Document).collect(),
            Self::PresentationState(state) => state.warnings.clone(),
            Self::Segmentation(segmentation) => segmentation.warnings.clone(),
            Self::StructureSet(set) => set.warnings.clone(),
            Self::Encapsulated(_) => Vec::new(),
        }
    }

    /// Whether it can be laid over pictures.
    pub fn can_be_laid(&self) -> bool {
        match self {
            Self::Document(document) => document.findings().iter().any(|f| f.places.iter().any(|p| p.region.is_some())),
            Self::PresentationState(_) | Self::Segmentation(_) | Self::StructureSet(_) => true,
            Self::Encapsulated(_) => false,
        }
    }

    /// The frame as it is to be shown under it, if it is a presentation state for this frame: as
    /// [`PresentationState::dress`].
    pub fn dress(&self, at: &FrameRef, frame: &Frame, masks: &[Arc<Frame>]) -> Option<Frame> {
        let Self::PresentationState(state) = self else { return None };
        let masks: Vec<&Frame> = masks.iter().map(|m| &**m).collect();
        state.is_for(at).then(|| state.dress(at, frame, &masks))
    }

    /// What it lays over a frame.
    pub fn laid_over(&self, under: &Under<'_>) -> Laid {
        match self {
            Self::Document(document) => {
                let mut out = Laid::default();
                for finding in document.findings() {
                    let name = finding.what.text();
                    for place in &finding.places {
                        outlines(place, &name, under, &mut out.outlines);
                    }
                }
                out
            }
            Self::PresentationState(state) => state.laid_over(under),
            Self::Segmentation(segmentation) => segmentation.laid_over(under),
            Self::StructureSet(set) => set.laid_over(under),
            Self::Encapsulated(_) => Laid::default(),
        }
    }
}

/// Outlines of a finding's place on the frame that it names, or on the frame that lies there.
fn outlines(place: &Place, name: &str, under: &Under<'_>, out: &mut Vec<Outline>) {
    let Some(region) = &place.region else { return };
    let drawn = if region.frame_of_reference.is_some() {
        in_patient(region, under)
    } else {
        let named = place.image.as_ref().is_some_and(|to| to.frame_refs().contains(under.frame));
        // Positions count from the corner of the first pixel (PS3.3 C.18.6.1.1), ours from its centre.
        let points: Vec<DVec2> = region
            .points
            .iter()
            .filter_map(|p| Some(DVec2::from_array(*p.first_chunk::<2>()?) - 0.5))
            .filter(|_| named)
            .collect();
        lines(&region.shape, &points, false)
    };
    let outline = |(points, closed)| Outline { points, closed, rgb: None, name: name.to_owned(), part: None };
    out.extend(drawn.into_iter().map(outline));
}

fn in_patient(region: &Region, under: &Under<'_>) -> Vec<(Vec<[f64; 2]>, bool)> {
    let Some(plane) = under.info.plane.as_ref().filter(|_| region.frame_of_reference.as_deref() == under.reference)
    else {
        return Vec::new();
    };
    let points: Vec<DVec3> =
        region.points.iter().filter_map(|p| Some(DVec3::from_array(*p.first_chunk::<3>()?))).collect();
    let half = half_slice_mm(under);
    if points.iter().any(|p| off_plane(plane, *p) > half) {
        return Vec::new();
    }
    let points: Vec<DVec2> = points.into_iter().map(|p| plane.pixel_from_patient(p).into()).collect();
    lines(&region.shape, &points, false)
}
