//! The report as one self-contained page: for reading, printing and the patient record (診療録).

use super::manifest::{Attachment, Manifest, VersionKind};
use crate::study::age_at;
use crate::viewport::Measured;
use crate::worklist::Kind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use std::fmt::Write as _;

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("report page: {0}")]
pub struct HtmlError(#[from] minijinja::Error);

const PAGE: &str = include_str!("../../assets/templates/report.html");

/// Renders a manifest with its pictures. Everything typed by people is escaped; the page loads nothing.
pub fn render_html(manifest: &Manifest, pictures: &[Attachment]) -> Result<String, HtmlError> {
    let mut env = Environment::new();
    env.add_template("report.html", PAGE)?;
    let ja = manifest.language == "ja";
    let birth = manifest.patient.birth_date;
    let exam_day = manifest.studies.iter().filter_map(|s| s.date).min();
    let findings: Vec<_> = manifest
        .findings
        .iter()
        .map(|finding| {
            let name = finding.key_image.as_ref().and_then(|k| k.attachment.as_ref());
            let picture = name.and_then(|n| pictures.iter().find(|p| &p.name == n));
            context! {
                number => finding.number,
                fields => Serde(&finding.fields),
                measured => finding.measured.as_ref().map(measured_text),
                key_image => Serde(&finding.key_image),
                picture => picture.map(|p| format!("data:{};base64,{}", p.media_type, STANDARD.encode(&p.bytes))),
            }
        })
        .collect();
    let page = env.get_template("report.html")?.render(context! {
        m => Serde(manifest),
        ja => ja,
        opinion => manifest.kind == Kind::Opinion,
        addendum => manifest.version_kind == VersionKind::Addendum,
        patient_name => manifest.patient.name.display(),
        patient_reading => manifest.patient.name.reading(),
        birth => birth.map(|d| d.to_string()),
        age => birth.zip(exam_day).and_then(|(b, d)| age_at(b, d)),
        sex => Serde(manifest.patient.sex),
        findings => findings,
        research => manifest.software.build_class != "CERTIFIED",
    })?;
    Ok(page)
}

/// A measurement in words, unit after a thin space.
pub fn measured_text(measured: &Measured) -> String {
    match measured {
        Measured::Length { value, unit } => format!("{value:.1}\u{2009}{unit}"),
        Measured::Value { value: Some(value), unit } => format!("{value:.0}\u{2009}{unit}").trim_end().to_owned(),
        Measured::Value { value: None, .. } => "—".to_owned(),
        Measured::Region { mean, sd, area_mm2, unit, .. } => {
            let mut text = format!("{mean:.1} ± {sd:.1}\u{2009}{unit}").trim_end().to_owned();
            if let Some(area) = area_mm2 {
                // Writing into a String cannot fail.
                let _ = write!(text, ", {area:.0}\u{2009}mm²");
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{BuildInput, Signer, Software, build};
    use super::super::{Edit, Value as FieldValue, fixtures, templates};
    use super::*;
    use jiff::Timestamp;

    fn page(kind: Kind, language: &str, text: &str) -> String {
        let mut assignment = fixtures::assignment();
        assignment.kind = kind;
        let template = templates::find("clin.ct").expect("template");
        let mut draft = fixtures::draft();
        draft.apply(Edit::SetField("impression".into(), Some(FieldValue::Text(text.into()))));
        let package = build(&BuildInput {
            draft: &draft,
            template: &template,
            assignment: &assignment,
            acknowledged: &[],
            shown: &[],
            pictures: &[],
            signer: Signer { user: "reader1".into(), name: "田中 一郎".into() },
            claimed_time: Timestamp::UNIX_EPOCH,
            language,
            software: Software { name: "Dokuei".into(), version: "0".into(), build_class: "RESEARCH".into() },
        })
        .expect("package");
        String::from_utf8(package.attachments[0].bytes.clone()).expect("utf-8")
    }

    #[test]
    fn typed_text_is_escaped_and_nothing_is_loaded() {
        let html = page(Kind::Opinion, "ja", "<script>alert(1)</script> & \"x\"");
        assert!(!html.contains("<script"));
        assert!(html.contains("&lt;script&gt;"));
        assert!(!html.contains("http://") && !html.contains("https://"));
    }

    #[test]
    fn an_opinion_says_who_decides_and_never_heads_with_diagnosis() {
        let html = page(Kind::Opinion, "ja", "肺結節");
        assert!(html.contains("所見レポート") && html.contains("依頼医が行"));
        assert!(!html.contains("<h2>診断"));
        let html = page(Kind::Diagnosis, "ja", "肺結節");
        assert!(html.contains("診断報告書") && !html.contains("依頼医が行"));
        assert!(page(Kind::Diagnosis, "en", "nodule").contains("Diagnostic report"));
    }

    #[test]
    fn the_page_names_patient_and_notice() {
        let html = page(Kind::Diagnosis, "ja", "x");
        for part in ["山田\u{3000}太郎", "やまだ たろう", "0012345", "東北クリニック", "田中 一郎", "未認証"]
        {
            assert!(html.contains(part), "{part}");
        }
    }

    #[test]
    fn measurements_read_well() {
        assert_eq!(measured_text(&Measured::Length { value: 12.345, unit: "mm".into() }), "12.3\u{2009}mm");
        assert_eq!(measured_text(&Measured::Value { value: None, unit: "HU".into() }), "—");
    }
}
