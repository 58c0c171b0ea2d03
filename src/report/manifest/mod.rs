//! The signed object: one JSON document (RFC 8785) that holds the whole content and names the image list,
//! the template and every attachment by SHA-256.

mod build;

pub(in crate::report) use build::contents;
pub use build::{BuildInput, KeyPicture, build, image_list, key_image_name};

use super::Predecessor;
use crate::study::JsonFault;
use crate::study::hidden_debug;
use crate::study::{Patient, Voi};
use crate::vault::digest::sha256_hex;
use crate::viewport::Measured;
use crate::worklist::{Facility, Kind};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// The value of [`Manifest::schema`] that this module writes and reads.
pub const SCHEMA: &str = "dokuei-report/1";
/// File name of the signed document in a package.
pub const REPORT_JSON: &str = "report.json";
/// File name of the HTML rendering.
pub const REPORT_HTML: &str = "report.html";

/// An open point that the reader passed with a reason; part of the signed bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Code of the open point.
    pub point: super::gate::PointCode,
    /// What it was about (field id, series UID …).
    pub subject: String,
    /// What it was about, for people: series name and counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The reader's reason.
    pub reason: String,
}

hidden_debug!(Acknowledged { point });

/// Which kind of version this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionKind {
    /// 確定: the first.
    Original,
    /// 追記: adds to its predecessor, whose text stays untouched.
    Addendum,
}

/// A file that goes with the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// File name: letters, digits, `.`, `-`, `_`.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Length, bytes.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// The digest of a list of SOP Instance UIDs (sorted, joined by line feeds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageList {
    /// Number of instances shown to the reader, priors included.
    pub count: u64,
    /// Instances of the studies read, as the center named them; absent where it named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Template by id, version and digest of its canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRef {
    /// Id.
    pub id: String,
    /// Version.
    pub version: u32,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Who signs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// User id at the center; must equal the certificate's.
    pub user: String,
    /// Name.
    pub name: String,
}

/// One field as it reads and as it is coded.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldContent {
    /// Field id of the template.
    pub id: String,
    /// Label in the document's language.
    pub label: String,
    /// What people read.
    pub text: String,
    /// Codes chosen, for choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Number, for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// UCUM unit of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Concept code of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<String>,
}

/// One section.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SectionContent {
    /// Section id.
    pub id: String,
    /// Heading in the document's language.
    pub title: String,
    /// Filled fields.
    pub fields: Vec<FieldContent>,
    /// The findings list stands here.
    pub findings: bool,
}

/// A key image as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyImageContent {
    /// Study Instance UID.
    pub study_uid: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Frame number, from 1.
    pub frame: u32,
    /// Window.
    pub window: Voi,
    /// Inverted.
    pub invert: bool,
    /// Name of the series.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub series: String,
    /// Place in its series as the reader saw it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<u32>,
    /// Attachment with the picture, if one was made.
    pub attachment: Option<String>,
}

/// One finding.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingContent {
    /// Number in the list, from 1.
    pub number: u32,
    /// Filled fields.
    pub fields: Vec<FieldContent>,
    /// What was measured on the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Key image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_image: Option<KeyImageContent>,
}

/// A study that the report is about or compares with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyRef {
    /// Study Instance UID.
    pub study_uid: String,
    /// Date.
    pub date: Option<Date>,
    /// Description.
    pub description: String,
    /// Modalities.
    pub modalities: Vec<String>,
}

/// The program that wrote the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// `RESEARCH` (not for diagnosis) or `CERTIFIED`.
    pub build_class: String,
}

/// The signed document. Debug output hides its content.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Title by legal kind, in the document's language.
    pub title: String,
    /// Legal kind.
    pub kind: Kind,
    /// `ja` or `en`.
    pub language: String,
    /// Kind of version.
    pub version_kind: VersionKind,
    /// Predecessor, for an addendum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<Predecessor>,
    /// Assignment answered.
    pub assignment_id: String,
    /// Request number of the facility.
    pub request_id: String,
    /// Accession number.
    pub accession: String,
    /// Exam as requested.
    pub exam: String,
    /// Exam kind.
    pub exam_kind: crate::study::ExamKind,
    /// Requesting facility.
    pub facility: Facility,
    /// Facility that answers for the report.
    pub reading_facility: Facility,
    /// Patient as the request names them.
    pub patient: Patient,
    /// Studies read.
    pub studies: Vec<StudyRef>,
    /// Studies at hand for comparison.
    pub prior_studies: Vec<StudyRef>,
    /// Images shown.
    pub images: ImageList,
    /// Template.
    pub template: TemplateRef,
    /// Content.
    pub sections: Vec<SectionContent>,
    /// Findings.
    pub findings: Vec<FindingContent>,
    /// Points passed with a reason.
    pub acknowledged: Vec<Acknowledged>,
    /// Files that go with it.
    pub attachments: Vec<AttachmentRef>,
    /// Signer.
    pub signer: Signer,
    /// Time by the terminal's clock; not a trusted time.
    pub claimed_time: Timestamp,
    /// Program.
    pub software: Software,
}

hidden_debug!(Signer, FieldContent, SectionContent, FindingContent, Manifest);

/// A file of a package.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The exact bytes to sign, and the files they name.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    /// `report.json`.
    pub report_json: Vec<u8>,
    /// Files named in it, in its order.
    pub attachments: Vec<Attachment>,
}

/// A package that cannot be made or is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Not JSON of this form.
    #[error("report.json cannot be read")]
    Syntax(#[source] JsonFault),
    /// Another schema than this version knows.
    #[error("report schema {0:?} is not known to this version")]
    Schema(String),
    /// The bytes are not the canonical form of their content.
    #[error("report.json is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// A file name that could leave its folder.
    #[error("attachment name {0:?} is not allowed")]
    Name(String),
    /// A file that is named but not there.
    #[error("attachment {0} is missing")]
    Missing(String),
    /// A file that is there but not named, or twice.
    #[error("attachment {0} is not named by the report")]
    Unnamed(String),
    /// A file that is not the one signed for.
    #[error("attachment {0} has been changed")]
    Changed(String),
    /// The HTML rendering failed.
    #[error("report page cannot be rendered")]
    Html(#[from] super::HtmlError),
}

/// RFC 8785 bytes of a value.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, PackageError> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| PackageError::Syntax(e.into()))
}

/// A file name that cannot leave its folder or hide.
pub fn safe_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.bytes().all(plain) && name != REPORT_JSON
}

/// Reads `report.json` and insists that the bytes are the canonical form of what they say.
pub fn parse(report_json: &[u8]) -> Result<Manifest, PackageError> {
    let manifest: Manifest = serde_json::from_slice(report_json).map_err(|e| PackageError::Syntax(e.into()))?;
    if manifest.schema != SCHEMA {
        return Err(PackageError::Schema(manifest.schema.chars().take(60).collect()));
    }
    // Through the typed form: a member that this version does not know must not hide in signed bytes.
    if canonical(&manifest)? != report_json {
        return Err(PackageError::NotCanonical);
    }
    if let Some(bad) = manifest.attachments.iter().find(|a| !safe_name(&a.name)) {
        return Err(PackageError::Name(bad.name.chars().take(60).collect()));
    }
    Ok(manifest)
}

/// Reads `report.json` and checks that exactly the files it names are there, byte for byte.
pub fn check(report_json: &[u8], files: &[(&str, &[u8])]) -> Result<Manifest, PackageError> {
    let manifest = parse(report_json)?;
    for named in &manifest.attachments {
        let mut found = files.iter().filter(|(name, _)| *name == named.name);
        let (_, bytes) = found.next().ok_or_else(|| PackageError::Missing(named.name.clone()))?;
        if found.next().is_some() {
            return Err(PackageError::Unnamed(named.name.clone()));
        }
        if bytes.len() as u64 != named.size || sha256_hex(bytes) != named.sha256 {
            return Err(PackageError::Changed(named.name.clone()));
        }
    }
    let unnamed = files.iter().find(|(name, _)| !manifest.attachments.iter().any(|a| a.name == *name));
    unnamed.map_or(Ok(()), |(name, _)| Err(PackageError::Unnamed((*name).chars().take(60).collect())))?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::super::{Edit, KeyImage, Value, fixtures, templates};
    use super::*;
    use crate::study::{FrameIndex, FrameRef, SeriesUid, SopInstanceUid, StudyUid};

    fn package(language: &str, text: &str) -> Package {
        let assignment = fixtures::assignment();
        let template = templates::find("clin.ct").expect("template");
        let mut draft = fixtures::draft();
        draft.apply(Edit::SetField("findings".into(), Some(Value::Text(text.into()))));
        draft.apply(Edit::SetField("critical".into(), Some(Value::Text("none".into()))));
        draft.apply(Edit::AddFinding);
        let id = draft.findings[0].id;
        draft.apply(Edit::SetFindingField(id, "size".into(), Some(Value::Number(12.5))));
        draft.apply(Edit::SetKeyImage(
            id,
            Some(KeyImage {
                study: StudyUid::new("1.2").expect("uid"),
                series: SeriesUid::new("1.2.3").expect("uid"),
                frame: FrameRef { instance: SopInstanceUid::new("1.2.3.4").expect("uid"), frame: FrameIndex(0) },
                voi: Voi::linear(-600.0, 1500.0),
                invert: false,
                label: "CE PORTAL".into(),
                slice: Some(52),
            }),
        ));
        build(&BuildInput {
            draft: &draft,
            template: &template,
            assignment: &assignment,
            acknowledged: &[],
            shown: &["1.2.3.4".into(), "1.2.3.5".into(), "1.2.3.4".into()],
            pictures: &[KeyPicture { finding: id, png: vec![1, 2, 3] }],
            signer: Signer { user: "reader1".into(), name: "田中 一郎".into() },
            claimed_time: Timestamp::UNIX_EPOCH,
            language,
            software: Software { name: "Dokuei".into(), version: "0".into(), build_class: "RESEARCH".into() },
        })
        .expect("package")
    }

    fn files(package: &Package) -> Vec<(&str, &[u8])> {
        package.attachments.iter().map(|a| (a.name.as_str(), a.bytes.as_slice())).collect()
    }

    #[test]
    fn a_package_checks_itself_and_is_deterministic() {
        let made = package("ja", "右 S3 に結節。");
        let manifest = check(&made.report_json, &files(&made)).expect("checks");
        assert_eq!(manifest.title, "所見レポート");
        assert_eq!(manifest.images.count, 2);
        assert_eq!(
            manifest.attachments.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
            ["report.html", "key-image-1.png"]
        );
        let section = manifest.sections.iter().find(|s| s.id == "conclusion").expect("section");
        assert_eq!(section.title, "所見のまとめ・コメント");
        assert_eq!(section.fields[0].codes, ["none"]);
        assert_eq!(section.fields[0].text, "不要");
        assert_eq!(made.report_json, package("ja", "右 S3 に結節。").report_json);
    }

    #[test]
    fn equal_text_is_equal_bytes_whatever_its_normal_form() {
        // が as one code point and as か + combining mark.
        assert_eq!(package("ja", "結節が").report_json, package("ja", "結節か\u{3099}").report_json);
    }

    #[test]
    fn every_change_is_noticed() {
        let made = package("en", "nodule");
        for (place, _) in made.attachments.iter().enumerate() {
            let mut changed = made.clone();
            changed.attachments[place].bytes[0] ^= 1;
            assert!(matches!(check(&changed.report_json, &files(&changed)), Err(PackageError::Changed(_))));
            let mut missing = made.clone();
            missing.attachments.remove(place);
            assert!(matches!(check(&missing.report_json, &files(&missing)), Err(PackageError::Missing(_))));
        }
        let mut extra = files(&made);
        extra.push(("note.txt", b"x"));
        assert!(matches!(check(&made.report_json, &extra), Err(PackageError::Unnamed(_))));
        let twice = [files(&made), files(&made)].concat();
        assert!(matches!(check(&made.report_json, &twice), Err(PackageError::Unnamed(_))));
    }

    #[test]
    fn only_canonical_bytes_with_known_members_pass() {
        let made = package("ja", "x");
        let mut pretty: serde_json::Value = serde_json::from_slice(&made.report_json).expect("json");
        let spaced = serde_json::to_vec_pretty(&pretty).expect("json");
        assert!(matches!(parse(&spaced), Err(PackageError::NotCanonical)));
        pretty["hidden"] = "member".into();
        assert!(matches!(parse(&canonical(&pretty).expect("json")), Err(PackageError::NotCanonical)));
        pretty["schema"] = "other/9".into();
        assert!(matches!(parse(&canonical(&pretty).expect("json")), Err(PackageError::Schema(_))));
        assert!(matches!(parse(b"{"), Err(PackageError::Syntax(_))));
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        for bad in ["", "../x", "a/b", "a\\b", ".hidden", "report.json", "é", &"x".repeat(101)] {
            assert!(!safe_name(bad), "{bad}");
        }
        assert!(safe_name("key-image-1.png"));
    }
}
