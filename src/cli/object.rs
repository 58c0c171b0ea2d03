//! `dokuei object`: what an object without a picture says: the text of a structured report, the pictures of a key
//! object selection, and findings as data.

use crate::dicom::{Header, Object, ObjectError, ReadError, encapsulated, read_object};
use crate::study::document::Document;
use crate::viewport::ObjectContent;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ObjectCommandError {
    /// The file cannot be read.
    #[error("cannot read the file")]
    Read(#[from] ReadError),
    /// The object says nothing that this program reads.
    #[error("nothing to read")]
    Object(#[from] ObjectError),
    /// There is no document within the object.
    #[error("the object holds no document")]
    NoDocument,
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Writes the content, or the document within the object into a new file. `true`: nothing was odd or left out.
pub fn run(file: &Path, as_json: bool, export: Option<&Path>, out: &mut dyn Write) -> Result<bool, ObjectCommandError> {
    let header = Header::read(file)?;
    if let Some(to) = export {
        let bytes = encapsulated(&header).ok_or(ObjectCommandError::NoDocument)?;
        // Nothing is overwritten.
        std::fs::OpenOptions::new().write(true).create_new(true).open(to)?.write_all(bytes)?;
        return Ok(true);
    }
    let content = read_object(&header, &|| Object::read(file))?;
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &to_json(&content)).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for_people(&content, out)?;
    }
    Ok(content.warnings().is_empty())
}

fn to_json(content: &ObjectContent) -> Value {
    let mut value = json!(content);
    if let (ObjectContent::Document(document), Some(object)) = (content, value.as_object_mut()) {
        object.insert("findings".to_owned(), json!(document.findings()));
        object.insert("images".to_owned(), json!(document.images()));
    }
    value
}

fn for_people(content: &ObjectContent, out: &mut dyn Write) -> std::io::Result<()> {
    if let ObjectContent::Document(document) = content {
        return document_for_people(document, out);
    }
    for warning in content.warnings() {
        writeln!(out, "! {warning}")?;
    }
    match content {
        ObjectContent::Document(_) => Ok(()),
        ObjectContent::PresentationState(state) => {
            writeln!(out, "{}  {}  {}", state.label, state.description, state.made)?;
            let turned = u32::from(state.quarter_turns) * 90;
            writeln!(out, "for {} images; turned {turned} degrees, mirrored: {}", state.images.len(), state.flip)?;
            for voi in &state.vois {
                writeln!(out, "  {} {}/{}", voi.name, voi.voi.center, voi.voi.width)?;
            }
            for drawing in &state.drawings {
                let (graphics, texts) = (drawing.graphics.len(), drawing.texts.len());
                writeln!(out, "  layer {}: {graphics} graphics, {texts} texts", drawing.layer)?;
                for text in &drawing.texts {
                    writeln!(out, "    {}", text.text.replace('\n', " / "))?;
                }
            }
            Ok(())
        }
        ObjectContent::Segmentation(segmentation) => {
            writeln!(out, "{}  {}", segmentation.kind, segmentation.label)?;
            for segment in &segmentation.segments {
                writeln!(out, "  {} {}: {} pixels", segment.number, segment.label, segment.pixels)?;
            }
            Ok(())
        }
        ObjectContent::StructureSet(set) => {
            writeln!(out, "{}", set.label)?;
            for structure in &set.structures {
                writeln!(out, "  {} {}: {} contours", structure.number, structure.name, structure.contours.len())?;
            }
            Ok(())
        }
        ObjectContent::Encapsulated(document) => {
            writeln!(out, "{}  {}, {} bytes (--export NAME saves it)", document.title, document.mime, document.bytes)
        }
    }
}

fn document_for_people(document: &Document, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", document.title.text())?;
    let state = |flag: Option<bool>, yes, no| flag.map(|set| if set { yes } else { no });
    let head = [
        Some(document.written.as_str()).filter(|w| !w.is_empty()),
        Some(document.template.as_str()).filter(|t| !t.is_empty()),
        document.preliminary.then_some("preliminary"),
        state(document.complete, "complete", "partial"),
        state(document.verified, "verified", "not verified"),
    ];
    let head: Vec<&str> = head.into_iter().flatten().collect();
    if !head.is_empty() {
        writeln!(out, "{}", head.join(", "))?;
    }
    for verifier in &document.verifiers {
        writeln!(out, "verified {} by {}  {}", verifier.at, verifier.name.display(), verifier.organization)?;
    }
    for warning in &document.warnings {
        writeln!(out, "! {warning}")?;
    }
    writeln!(out)?;
    for item in &document.items {
        writeln!(out, "{}", item.lines())?;
    }
    let findings = document.findings();
    if !findings.is_empty() {
        writeln!(out, "\n{} findings or measurement groups", findings.len())?;
    }
    for finding in &findings {
        let percent = |name: &str, value: Option<f64>| value.map(|v| format!("{name} {v} %"));
        let facts = [
            Some(finding.label.clone()).filter(|l| !l.is_empty()),
            finding.site.as_ref().map(crate::study::Code::text),
            finding.side.as_ref().map(crate::study::Code::text),
            percent("certainty", finding.certainty_percent),
            percent("probability of cancer", finding.probability_percent),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        writeln!(out, "  {}  {}", finding.what.text(), facts.join(", "))?;
        for (name, number) in &finding.measures {
            writeln!(out, "    {}: {}", name.text(), number.text())?;
        }
        for place in &finding.places {
            let region = place.region.as_ref().map(crate::study::document::Region::text).unwrap_or_default();
            let image = place.image.as_ref().map(|i| i.instance.to_string()).unwrap_or_default();
            writeln!(out, "    {} {region} {image}", place.role)?;
        }
    }
    Ok(())
}
