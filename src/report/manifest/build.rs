//! Freezes a draft into the bytes to sign: wording, pictures, page and digests.

use super::super::gate::document_title;
use super::super::page::addendum_title;
use super::super::{Draft, Field, FieldKind, Finding, FindingId, Section, Template, Text, Value, render_html};
use super::{
    Acknowledged, Attachment, AttachmentRef, FieldContent, FindingContent, ImageList, KeyImageContent, Manifest,
    Package, PackageError, REPORT_HTML, SCHEMA, SectionContent, Signer, Software, StudyRef, TemplateRef, VersionKind,
    canonical,
};
use crate::vault::digest::sha256_hex;
use crate::worklist::{Assignment, Kind, StudyToRead};
use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization;

/// A picture made for a finding's key image.
#[derive(Clone)]
pub struct KeyPicture {
    /// The finding.
    pub finding: FindingId,
    /// PNG.
    pub png: Vec<u8>,
}

/// All that goes into a package.
pub struct BuildInput<'a> {
    /// The draft as the gate saw it.
    pub draft: &'a Draft,
    /// Its template.
    pub template: &'a Template,
    /// The assignment.
    pub assignment: &'a Assignment,
    /// Points passed with a reason.
    pub acknowledged: &'a [Acknowledged],
    /// SOP Instance UIDs shown to the reader.
    pub shown: &'a [String],
    /// Pictures of key images.
    pub pictures: &'a [KeyPicture],
    /// Signer.
    pub signer: Signer,
    /// Time by the terminal's clock.
    pub claimed_time: Timestamp,
    /// `ja` or `en`.
    pub language: &'a str,
    /// Program.
    pub software: Software,
}

fn pick(text: &Text, language: &str) -> String {
    if language == "ja" { text.ja.clone() } else { text.en.clone() }
}

/// Unicode NFC: the same text is the same bytes, whichever keyboard wrote it.
fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// In which words a report says what was entered.
#[derive(Clone, Copy)]
struct Wording<'a> {
    /// Diagnosis or opinion.
    kind: Kind,
    /// `ja` or `en`.
    language: &'a str,
}

fn field_content(field: &Field, value: &Value, words: Wording<'_>) -> FieldContent {
    let opinion = words.kind == Kind::Opinion;
    let label = field.label_opinion.as_ref().filter(|_| opinion).unwrap_or(&field.label);
    let mut content = FieldContent {
        id: field.id.clone(),
        label: pick(label, words.language),
        text: String::new(),
        codes: Vec::new(),
        number: None,
        unit: None,
        concept: field.concept.clone(),
    };
    match (&field.kind, value) {
        (FieldKind::Choice { choices } | FieldKind::Choices { choices }, Value::Text(codes)) => {
            content.codes = codes.split(' ').filter(|c| !c.is_empty()).map(nfc).collect();
            let labels = content.codes.iter().map(|code| {
                choices
                    .iter()
                    .find(|c| &c.code == code)
                    .map_or_else(|| code.clone(), |c| pick(&c.label, words.language))
            });
            content.text = labels.collect::<Vec<_>>().join("、");
        }
        (FieldKind::Number { unit, .. }, Value::Number(n)) => {
            content.number = Some(*n);
            content.unit = Some(unit.clone());
            content.text = format!("{n}\u{2009}{unit}");
        }
        (_, Value::Text(text)) => content.text = nfc(text.trim_end()),
        (_, Value::Number(n)) => content.text = n.to_string(),
    }
    content
}

fn section_content(section: &Section, draft: &Draft, words: Wording<'_>) -> SectionContent {
    let opinion = words.kind == Kind::Opinion;
    let title = section.title_opinion.as_ref().filter(|_| opinion).unwrap_or(&section.title);
    SectionContent {
        id: section.id.clone(),
        title: pick(title, words.language),
        fields: section
            .fields
            .iter()
            .filter_map(|f| {
                let value = draft.fields.get(&f.id).filter(|v| !v.is_blank())?;
                Some(field_content(f, value, words))
            })
            .collect(),
        findings: section.findings,
    }
}

fn finding_content(
    number: u32,
    finding: &Finding,
    attachment: Option<String>,
    template: &Template,
    words: Wording<'_>,
) -> FindingContent {
    let fields = template.findings.fields.iter().filter_map(|f| {
        let value = finding.fields.get(&f.id).filter(|v| !v.is_blank())?;
        Some(field_content(f, value, words))
    });
    FindingContent {
        number,
        fields: fields.collect(),
        measured: finding.measured.clone(),
        key_image: finding.key_image.as_ref().map(|key| KeyImageContent {
            study_uid: key.study.to_string(),
            series_uid: key.series.to_string(),
            sop_instance_uid: key.frame.instance.to_string(),
            frame: key.frame.frame.number(),
            window: key.voi,
            invert: key.invert,
            series: nfc(&key.label),
            slice: key.slice,
            attachment,
        }),
    }
}

/// What a draft says so far: sections and findings, without pictures.
pub(in crate::report) fn contents(
    draft: &Draft,
    template: &Template,
    kind: Kind,
    language: &str,
) -> (Vec<SectionContent>, Vec<FindingContent>) {
    let words = Wording { kind, language };
    let numbered = draft.findings.iter().zip(1..);
    (
        template.sections.iter().map(|s| section_content(s, draft, words)).collect(),
        numbered.map(|(finding, number)| finding_content(number, finding, None, template, words)).collect(),
    )
}

fn study_ref(study: &StudyToRead) -> StudyRef {
    StudyRef {
        study_uid: study.study_uid.to_string(),
        date: study.date,
        description: study.description.clone(),
        modalities: study.modalities.clone(),
    }
}

/// File name of a finding's key image.
pub fn key_image_name(number: u32) -> String {
    format!("key-image-{number}.png")
}

/// Digest of the image list: sorted UIDs, one a line.
pub fn image_list(shown: &[String]) -> ImageList {
    let mut uids: Vec<&str> = shown.iter().map(String::as_str).collect();
    uids.sort_unstable();
    uids.dedup();
    ImageList { count: uids.len() as u64, of: None, sha256: sha256_hex(uids.join("\n").as_bytes()) }
}

/// Freezes a draft: makes the pictures' names, the HTML page and the canonical bytes that name them all.
pub fn build(input: &BuildInput<'_>) -> Result<Package, PackageError> {
    let mut attachments: Vec<Attachment> = Vec::new();
    let mut findings = Vec::new();
    let words = Wording { kind: input.assignment.kind, language: input.language };
    for (place, finding) in input.draft.findings.iter().enumerate() {
        let number = place as u32 + 1;
        let picture = input.pictures.iter().find(|p| p.finding == finding.id && finding.key_image.is_some());
        let name = picture.map(|_| key_image_name(number));
        if let (Some(picture), Some(name)) = (picture, &name) {
            attachments.push(Attachment {
                name: name.clone(),
                media_type: "image/png".into(),
                bytes: picture.png.clone(),
            });
        }
        findings.push(finding_content(number, finding, name, input.template, words));
    }
    let (assignment, template) = (input.assignment, input.template);
    let document = pick(&document_title(assignment.kind), input.language);
    let title = match input.draft.addendum_to {
        Some(_) => addendum_title(input.language, &document),
        None => document,
    };
    let of = Some(assignment.studies.iter().map(|s| s.instances).sum()).filter(|n| *n > 0);
    let mut manifest = Manifest {
        schema: SCHEMA.into(),
        title,
        kind: assignment.kind,
        language: input.language.into(),
        version_kind: if input.draft.addendum_to.is_some() { VersionKind::Addendum } else { VersionKind::Original },
        predecessor: input.draft.addendum_to.clone(),
        assignment_id: assignment.id.clone(),
        request_id: nfc(&assignment.request.request_id),
        accession: nfc(&assignment.request.accession),
        exam: nfc(&assignment.request.exam),
        exam_kind: assignment.exam_kind,
        facility: assignment.facility.clone(),
        reading_facility: assignment.reading_facility.clone(),
        patient: assignment.patient.clone(),
        studies: assignment.studies.iter().map(study_ref).collect(),
        prior_studies: assignment.prior_studies.iter().map(study_ref).collect(),
        images: ImageList { of, ..image_list(input.shown) },
        template: TemplateRef {
            id: template.id.clone(),
            version: template.version,
            sha256: sha256_hex(&canonical(template)?),
        },
        sections: template.sections.iter().map(|s| section_content(s, input.draft, words)).collect(),
        findings,
        acknowledged: input.acknowledged.to_vec(),
        attachments: Vec::new(),
        signer: input.signer.clone(),
        claimed_time: input.claimed_time,
        software: input.software.clone(),
    };
    let html = render_html(&manifest, &attachments)?;
    attachments.insert(
        0,
        Attachment {
            name: REPORT_HTML.into(),
            media_type: "text/html; charset=utf-8".into(),
            bytes: html.into_bytes(),
        },
    );
    manifest.attachments = attachments.iter().map(reference).collect();
    Ok(Package { report_json: canonical(&manifest)?, attachments })
}

fn reference(attachment: &Attachment) -> AttachmentRef {
    AttachmentRef {
        name: attachment.name.clone(),
        media_type: attachment.media_type.clone(),
        size: attachment.bytes.len() as u64,
        sha256: sha256_hex(&attachment.bytes),
    }
}
