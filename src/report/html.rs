//! The report as one self-contained page: for reading, printing and the patient record (診療録).

use super::manifest::{Attachment, Manifest};
use super::page::page;
use crate::viewport::Measured;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use std::collections::BTreeMap;
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
    let named = |name: &String| pictures.iter().find(|p| &p.name == name);
    let page = page(manifest);
    let wanted = page.sections.iter().flat_map(|s| &s.findings).filter_map(|f| named(f.picture.as_ref()?));
    let inline: BTreeMap<String, String> = wanted
        .map(|p| (p.name.clone(), format!("data:{};base64,{}", p.media_type, STANDARD.encode(&p.bytes))))
        .collect();
    let page = env.get_template("report.html")?.render(context! { page => Serde(&page), inline => Serde(&inline) })?;
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
    use crate::worklist::Kind;
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

    /// What the referring doctor gets: words, series names and Japan's time, nothing of the machine's.
    #[test]
    fn the_page_speaks_to_people() {
        use super::super::gate::PointCode;
        use super::super::manifest::{Acknowledged, KeyPicture, parse};
        use super::super::{KeyImage, Predecessor};
        use crate::study::{FrameIndex, FrameRef, SeriesUid, SopInstanceUid, StudyUid, Voi};
        let (template, mut assignment) = (templates::find("clin.ct").expect("template"), fixtures::assignment());
        assignment.studies[0].instances = 640;
        let mut draft = fixtures::draft();
        draft.apply(Edit::AddFinding);
        let id = draft.findings[0].id;
        let key = KeyImage {
            study: StudyUid::new("1.2").expect("uid"),
            series: SeriesUid::new("2.25.7").expect("uid"),
            frame: FrameRef { instance: SopInstanceUid::new("2.25.99").expect("uid"), frame: FrameIndex(0) },
            voi: Voi::linear(40.0, 400.0),
            invert: false,
            label: "CE PORTAL".into(),
            slice: Some(52),
        };
        draft.apply(Edit::SetKeyImage(id, Some(key)));
        let acknowledged = Acknowledged {
            point: PointCode::SeriesPartlySeen,
            subject: "2.25.7".into(),
            detail: "CE PORTAL 1 / 320".into(),
            reason: "撮影範囲外".into(),
        };
        let shown: Vec<String> = (0..131).map(|n| format!("1.2.{n}")).collect();
        for (addendum, language) in [(false, "ja"), (true, "ja"), (true, "en")] {
            let predecessor = Predecessor { report_id: "r-1".into(), sha256: "ab".repeat(32), version: 1 };
            draft.addendum_to = addendum.then_some(predecessor);
            let package = build(&BuildInput {
                draft: &draft,
                template: &template,
                assignment: &assignment,
                acknowledged: std::slice::from_ref(&acknowledged),
                shown: &shown,
                pictures: &[KeyPicture { finding: id, png: vec![1, 2, 3] }],
                signer: Signer { user: "reader1".into(), name: "田中 一郎".into() },
                claimed_time: "2026-11-22T23:25:57.123456789Z".parse().expect("time"),
                language,
                software: Software { name: "Dokuei".into(), version: "0".into(), build_class: "RESEARCH".into() },
            })
            .expect("package");
            let html = String::from_utf8(package.attachments[0].bytes.clone()).expect("utf-8");
            let manifest = parse(&package.report_json).expect("canonical");
            assert!(html.contains("2026-11-23 08:25:57 JST"));
            for machine in ["2.25.", "series_partly_seen", "123456789", "#1<"] {
                assert!(!html.contains(machine), "{machine}");
            }
            if language == "ja" {
                for part in
                    ["一部だけ表示した系列: CE PORTAL 1 &#x2f; 320", "CE PORTAL  52 枚目", "640 枚（", "表示 131 枚"]
                {
                    assert!(html.contains(part), "{part} in {html}");
                }
            }
            let title = match (addendum, language) {
                (false, _) => "<h1>所見レポート</h1>",
                (true, "ja") => "<h1>追記（所見レポート）</h1>",
                (true, _) => "<h1>Addendum (Findings report)</h1>",
            };
            assert!(html.contains(title));
            assert_eq!(addendum, html.contains("第1版への追記") || html.contains("Addendum to version 1"));
            // The preview is drawn from the same list.
            let page = super::super::page::page(&manifest);
            let lines =
                page.sections.iter().flat_map(|s| s.lines.iter().chain(s.findings.iter().flat_map(|f| &f.lines)));
            let head = page.head.iter().flatten();
            let texts = lines.chain(head).flat_map(|l| [&l.label, &l.text]).chain(&page.foot).chain(page.notice.iter());
            for text in texts.chain(page.statement.iter()) {
                let escaped = minijinja::Value::from(text.as_str()).to_string().replace('/', "&#x2f;");
                let escaped = escaped.replace('\'', "&#x27;");
                assert!(html.contains(&escaped), "{text}");
            }
            assert!(html.contains(";base64,AQID"));
        }
    }

    #[test]
    fn measurements_read_well() {
        assert_eq!(measured_text(&Measured::Length { value: 12.345, unit: "mm".into() }), "12.3\u{2009}mm");
        assert_eq!(measured_text(&Measured::Value { value: None, unit: "HU".into() }), "—");
    }
}
