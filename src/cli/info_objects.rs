//! The objects of a study that are no pictures, in the words and names of `dokuei info`.

use crate::dicom::{LocalTree, read_object};
use crate::study::{Instance, ObjectKind, Series, Study};
use crate::viewport::ObjectContent;
use serde_json::{Value, json};

/// One object.
pub(super) struct Listed<'a> {
    series: &'a Series,
    instance: &'a Instance,
    kind: ObjectKind,
    /// What it says of itself; why it cannot be read.
    content: Result<ObjectContent, String>,
}

/// All objects of a study, read from their files.
pub(super) fn objects<'a>(study: &'a Study, tree: &LocalTree) -> Vec<Listed<'a>> {
    let instances = study.series.iter().flat_map(|s| s.instances.iter().map(move |i| (s, i)));
    let listed = instances.filter_map(|(series, instance)| {
        let kind = ObjectKind::of_instance(instance)?;
        let uid = instance.uid.as_str();
        let found = tree.objects.get(uid).or_else(|| tree.files.get(uid))?;
        let content = match found.file.header() {
            Ok(header) => read_object(&header, &|| found.file.object()).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Some(Listed { series, instance, kind, content })
    });
    listed.collect()
}

impl Listed<'_> {
    fn title(&self) -> String {
        match &self.content {
            Ok(ObjectContent::Document(document)) => document.title.text(),
            Ok(ObjectContent::PresentationState(state)) => state.label.clone(),
            Ok(ObjectContent::Segmentation(segmentation)) => segmentation.label.clone(),
            Ok(ObjectContent::StructureSet(set)) => set.label.clone(),
            Ok(ObjectContent::Encapsulated(document)) => document.title.clone(),
            Err(_) => String::new(),
        }
    }

    fn counts(&self) -> Value {
        match &self.content {
            Ok(ObjectContent::Document(document)) => json!({
                "items": document.items.len(),
                "images": document.images().len(),
                "findings": document.findings().len(),
                "complete": document.complete,
                "verified": document.verified,
            }),
            Ok(ObjectContent::PresentationState(state)) => json!({
                "images": state.images.len(),
                "vois": state.vois.len(),
                "drawings": state.drawings.len(),
            }),
            Ok(ObjectContent::Segmentation(segmentation)) => json!({
                "type": segmentation.kind,
                "segments": segmentation.segments,
            }),
            Ok(ObjectContent::StructureSet(set)) => json!({ "structures": set.structures.len() }),
            Ok(ObjectContent::Encapsulated(document)) => json!({ "mime": document.mime, "bytes": document.bytes }),
            Err(_) => Value::Null,
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "instance": self.instance.uid.as_str(),
            "series_uid": self.series.uid.as_str(),
            "sop_class": self.instance.sop_class,
            "kind": self.kind,
            "title": self.title(),
            "content": self.counts(),
            "reason": self.content.as_ref().err(),
        })
    }

    /// For people, in one line.
    pub(super) fn line(&self) -> String {
        let kind = json!(self.kind).as_str().unwrap_or_default().replace('_', " ");
        match &self.content {
            Ok(ObjectContent::Document(document)) => {
                let (items, images) = (document.items.len(), document.images().len());
                format!("{kind}: {}  ({items} items, {images} images)", self.title())
            }
            Ok(_) => format!("{kind}: {}", self.title()),
            Err(reason) => format!("{kind}: {} ({reason})", self.series.description),
        }
    }
}
