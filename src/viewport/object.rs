//! What an object without a picture says, as it reaches the screen.

use crate::study::ObjectRef;
use crate::study::document::Document;
use serde::Serialize;

/// Content of an object that is no picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectContent {
    /// A structured report or a key object selection.
    Document(Box<Document>),
}

impl ObjectContent {
    /// The pictures that it names, each once.
    pub fn images(&self) -> Vec<&ObjectRef> {
        match self {
            Self::Document(document) => document.images(),
        }
    }
}
