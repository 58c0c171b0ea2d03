//! What stands between a draft and its signature.

use super::{Draft, Edit, Field, FieldKind, Finding, FindingId, Rule, Template, Value};
use crate::study::hidden_debug;
use crate::study::{Ledger, StudyUid};
use crate::worklist::{Assignment, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A series of the studies to read, and whether the reader looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSeen {
    /// Series UID.
    pub uid: String,
    /// How the tray names it.
    pub label: String,
    /// Frames that can be shown.
    pub frames: usize,
    /// Frames that were on screen.
    pub seen: usize,
}

/// All that the gate looks at.
#[derive(Debug, Clone, Copy)]
pub struct GateInput<'a> {
    /// The draft.
    pub draft: &'a Draft,
    /// Its template.
    pub template: &'a Template,
    /// The assignment.
    pub assignment: &'a Assignment,
    /// Series of the studies to read (not of priors).
    pub series: &'a [SeriesSeen],
    /// Ledger of each study to read, and whether its transfer is finished.
    pub ledgers: &'a [(StudyUid, &'a Ledger, bool)],
    /// The pictures' patient and the request's do not agree.
    pub patient_mismatch: bool,
    /// Somebody suspects a wrong patient: stops all signing.
    pub wrong_patient_suspected: bool,
}

/// What kind of point is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointCode {
    /// Pictures and request name different patients.
    PatientMismatch,
    /// The assignment is flagged as perhaps another patient's.
    WrongPatientSuspected,
    /// The draft was written with another template or assignment.
    DraftMismatch,
    /// A required field is empty.
    RequiredEmpty,
    /// A number is outside its range.
    OutOfRange,
    /// A code that the template does not offer.
    UnknownChoice,
    /// An unfilled placeholder `[ ]`, `{…}` or `＿＿` is left in a text.
    Placeholder,
    /// A category of recall without a finding of that category on that side.
    CategoryWithoutFinding,
    /// A finding stands above its side's category.
    FindingAboveCategory,
    /// A key image belongs to no study of this assignment.
    ForeignKeyImage,
    /// "Unchanged" although there is nothing to compare with.
    ChangeWithoutPrior,
    /// Images named by the center have not all arrived.
    ImagesMissing,
    /// Images arrived that cannot be shown.
    ImagesNotShown,
    /// A series was never opened.
    SeriesNotOpened,
    /// A series was opened, but not all of it was on screen.
    SeriesPartlySeen,
}

impl PointCode {
    /// Blocking points stop the signature; the others need a recorded reason.
    pub fn blocking(self) -> bool {
        !matches!(
            self,
            Self::ChangeWithoutPrior
                | Self::ImagesMissing
                | Self::ImagesNotShown
                | Self::SeriesNotOpened
                | Self::SeriesPartlySeen
        )
    }
}

/// One open point.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenPoint {
    /// What is open.
    pub code: PointCode,
    /// Field id, series UID, study UID … that it is about.
    pub subject: String,
    /// The finding concerned, if any.
    pub finding: Option<FindingId>,
    /// Words for the reader where the subject has its own (series label, counts).
    pub detail: String,
}

hidden_debug!(OpenPoint { code, finding });

impl OpenPoint {
    /// The same matter, whatever its present wording.
    pub fn same_matter(&self, other: &Self) -> bool {
        (self.code, &self.subject, self.finding) == (other.code, &other.subject, other.finding)
    }
}

/// Looks for everything open, blocking points first. Empty means: may be signed.
pub fn check(input: &GateInput<'_>) -> Vec<OpenPoint> {
    let mut points = Vec::new();
    let mut add = |code: PointCode, subject: &str, finding: Option<FindingId>, detail: String| {
        points.push(OpenPoint { code, subject: subject.to_owned(), finding, detail });
    };
    let (draft, template, assignment) = (input.draft, input.template, input.assignment);
    if input.patient_mismatch {
        add(PointCode::PatientMismatch, &assignment.id, None, String::new());
    }
    if input.wrong_patient_suspected {
        add(PointCode::WrongPatientSuspected, &assignment.id, None, String::new());
    }
    let fits = draft.assignment_id == assignment.id
        && draft.template_id == template.id
        && draft.template_version == template.version;
    if !fits {
        add(PointCode::DraftMismatch, &draft.template_id, None, String::new());
    }
    for field in template.fields() {
        for code in field_points(field, &draft.fields) {
            add(code, &field.id, None, String::new());
        }
    }
    for finding in &draft.findings {
        for field in &template.findings.fields {
            for code in field_points(field, &finding.fields) {
                add(code, &field.id, Some(finding.id), String::new());
            }
        }
        if let Some(key) = &finding.key_image {
            let known = assignment.studies.iter().chain(&assignment.prior_studies).any(|s| s.study_uid == key.study);
            if !known {
                add(PointCode::ForeignKeyImage, key.study.as_str(), Some(finding.id), String::new());
            }
        }
    }
    for rule in &template.rules {
        rule_points(rule, draft, &mut add);
    }
    if assignment.prior_studies.is_empty() && claims_no_change(draft) {
        add(PointCode::ChangeWithoutPrior, "comparison", None, String::new());
    }
    for (uid, ledger, finished) in input.ledgers {
        // Announced but never named counts as missing too: the larger number is the promise.
        let promised = ledger.expected().max(ledger.announced.unwrap_or(0) as usize);
        if !finished || ledger.received() < promised {
            add(PointCode::ImagesMissing, uid.as_str(), None, format!("{} / {promised}", ledger.received()));
        }
        let failed: usize = ledger.series.values().map(|s| s.failed.len()).sum();
        if failed > 0 {
            add(PointCode::ImagesNotShown, uid.as_str(), None, failed.to_string());
        }
    }
    // An addendum adds words to what has been read; it does not claim that all was looked at again.
    let looked = if draft.addendum_to.is_some() { &[] } else { input.series };
    for series in looked.iter().filter(|s| s.frames > 0) {
        if series.seen == 0 {
            add(PointCode::SeriesNotOpened, &series.uid, None, series.label.clone());
        } else if series.seen < series.frames {
            let detail = format!("{} {} / {}", series.label, series.seen, series.frames);
            add(PointCode::SeriesPartlySeen, &series.uid, None, detail);
        }
    }
    points.sort_by_key(|p| !p.code.blocking());
    points
}

fn field_points(field: &Field, values: &BTreeMap<String, Value>) -> Vec<PointCode> {
    let Some(value) = values.get(&field.id).filter(|v| !v.is_blank()) else {
        return if field.required { vec![PointCode::RequiredEmpty] } else { vec![] };
    };
    let known = |code: &str, choices: &[super::Choice]| choices.iter().any(|c| c.code == code);
    let bad = match (&field.kind, value) {
        (FieldKind::Text { .. }, Value::Text(text)) => has_placeholder(text).then_some(PointCode::Placeholder),
        (FieldKind::Choice { choices }, Value::Text(code)) => {
            (!known(code, choices)).then_some(PointCode::UnknownChoice)
        }
        (FieldKind::Choices { choices }, Value::Text(codes)) => {
            codes.split(' ').any(|c| !known(c, choices)).then_some(PointCode::UnknownChoice)
        }
        (FieldKind::Number { min, max, .. }, Value::Number(n)) => {
            let inside = n.is_finite() && min.is_none_or(|m| *n >= m) && max.is_none_or(|m| *n <= m);
            (!inside).then_some(PointCode::OutOfRange)
        }
        _ => Some(PointCode::UnknownChoice),
    };
    bad.into_iter().collect()
}

/// `[ ]`, `{site}`, `＿＿` and `___` are left-overs of macros. A bracket with words in it is normal text.
fn has_placeholder(text: &str) -> bool {
    let blank_between = |open: char, close: char| {
        text.match_indices(open).any(|(at, o)| {
            let rest = &text[at + o.len()..];
            rest.find(close).is_some_and(|end| rest[..end].trim().is_empty())
        })
    };
    let named = text.match_indices('{').any(|(at, _)| text[at..].find('}').is_some_and(|end| end > 1));
    blank_between('[', ']') || blank_between('［', '］') || named || text.contains("___") || text.contains("＿＿")
}

fn claims_no_change(draft: &Draft) -> bool {
    let texts = draft.fields.values().chain(draft.findings.iter().flat_map(|f| f.fields.values()));
    let said =
        texts.map(Value::as_text).any(|t| t.contains("変化なし") || t.contains("著変なし") || t.contains("不変"));
    said || draft.text("compare") == "same" || draft.text("compare") == "changed"
}

fn rule_points(rule: &Rule, draft: &Draft, add: &mut impl FnMut(PointCode, &str, Option<FindingId>, String)) {
    match rule {
        Rule::RequiredIf { field, equals, then } => {
            if draft.text(field) == equals && draft.fields.get(then).is_none_or(Value::is_blank) {
                add(PointCode::RequiredEmpty, then, None, String::new());
            }
        }
        Rule::CategoryNeedsFinding { field, side_field, side, finding_field, order, from } => {
            let rank = |code: &str| order.iter().position(|c| c == code);
            let Some(category) = rank(draft.text(field)) else { return };
            let of_side = |f: &&Finding| f.fields.get(side_field).map(Value::as_text) == Some(side.as_str());
            let ranked = |f: &Finding| f.fields.get(finding_field).and_then(|v| rank(v.as_text()));
            let mut exact = false;
            for finding in draft.findings.iter().filter(of_side) {
                match ranked(finding) {
                    Some(r) if r > category => {
                        add(PointCode::FindingAboveCategory, field, Some(finding.id), String::new());
                    }
                    Some(r) => exact |= r == category,
                    None => {}
                }
            }
            if rank(from).is_some_and(|f| category >= f) && !exact {
                add(PointCode::CategoryWithoutFinding, field, None, String::new());
            }
        }
    }
}

/// An edit that a click on an open point can offer, where there is one: a finding for a category.
pub fn remedy(point: &OpenPoint) -> Option<Edit> {
    (point.code == PointCode::CategoryWithoutFinding).then_some(Edit::AddFinding)
}

/// A passed point in words, for the report itself.
pub fn point_words(code: PointCode) -> super::Text {
    let (ja, en) = match code {
        PointCode::PatientMismatch => ("画像と依頼票の患者の不一致", "Patient of images and request differ"),
        PointCode::WrongPatientSuspected => ("患者取り違えの疑い", "Wrong patient suspected"),
        PointCode::DraftMismatch => ("別の依頼または様式の下書き", "Draft of another request or template"),
        PointCode::RequiredEmpty => ("必須項目の未記入", "Required field empty"),
        PointCode::OutOfRange => ("範囲外の数値", "Number out of range"),
        PointCode::UnknownChoice => ("選択肢にない値", "Value not among the choices"),
        PointCode::Placeholder => ("文中の未記入欄", "Unfilled place in a text"),
        PointCode::CategoryWithoutFinding => ("所見のないカテゴリー", "Category without finding"),
        PointCode::FindingAboveCategory => ("カテゴリーを超える所見", "Finding above the category"),
        PointCode::ForeignKeyImage => ("別の検査のキー画像", "Key image of another exam"),
        PointCode::ChangeWithoutPrior => ("過去検査のない比較の記載", "Comparison without a prior exam"),
        PointCode::ImagesMissing => ("届いていない画像", "Images that have not arrived"),
        PointCode::ImagesNotShown => ("表示できない画像", "Images that cannot be shown"),
        PointCode::SeriesNotOpened => ("開いていない系列", "Series not opened"),
        PointCode::SeriesPartlySeen => ("一部だけ表示した系列", "Series seen in part"),
    };
    super::Text { ja: ja.into(), en: en.into() }
}

/// The document title by legal kind (domain reference §1.3), Japanese and English.
pub fn document_title(kind: Kind) -> super::Text {
    match kind {
        Kind::Diagnosis => super::Text { ja: "診断報告書".into(), en: "Diagnostic report".into() },
        Kind::Opinion => super::Text { ja: "所見レポート".into(), en: "Findings report".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{fixtures, templates};
    use super::*;
    use crate::study::{SeriesUid, SopInstanceUid};

    fn codes(input: &GateInput<'_>) -> Vec<(PointCode, String)> {
        check(input).into_iter().map(|p| (p.code, p.subject)).collect()
    }

    fn fill(draft: &mut Draft, pairs: &[(&str, &str)]) {
        for (field, text) in pairs {
            draft.apply(Edit::SetField((*field).into(), Some(Value::Text((*text).into()))));
        }
    }

    fn filled() -> Draft {
        let mut draft = fixtures::draft();
        fill(
            &mut draft,
            &[
                ("technique", "CT"),
                ("comparison", "なし"),
                ("findings", "右 S3 に結節。"),
                ("impression", "肺結節"),
                ("critical", "none"),
            ],
        );
        draft
    }

    macro_rules! input {
        ($draft:expr, $template:expr, $assignment:expr) => {
            GateInput {
                draft: &$draft,
                template: &$template,
                assignment: &$assignment,
                series: &[],
                ledgers: &[],
                patient_mismatch: false,
                wrong_patient_suspected: false,
            }
        };
    }

    #[test]
    fn empty_required_fields_block_and_full_ones_pass() {
        let (template, assignment) = (templates::find("clin.ct").expect("template"), fixtures::assignment());
        let draft = fixtures::draft();
        let open = check(&input!(draft, template, assignment));
        assert!(open.iter().all(|p| p.code == PointCode::RequiredEmpty && p.code.blocking()));
        assert!(open.iter().any(|p| p.subject == "findings"));
        let draft = filled();
        assert_eq!(codes(&input!(draft, template, assignment)), vec![]);
    }

    #[test]
    fn placeholders_ranges_and_codes() {
        let (template, assignment) = (templates::find("clin.ct").expect("template"), fixtures::assignment());
        let mut draft = filled();
        fill(&mut draft, &[("findings", "右 [ ] に結節"), ("critical", "9")]);
        draft.apply(Edit::AddFinding);
        let id = draft.findings[0].id;
        for (field, value) in [
            ("site", Value::Text("S3".into())),
            ("kind", Value::Text("結節 [充実性]".into())),
            ("size", Value::Number(-3.0)),
        ] {
            draft.apply(Edit::SetFindingField(id, field.into(), Some(value)));
        }
        let open = codes(&input!(draft, template, assignment));
        assert_eq!(
            open,
            vec![
                (PointCode::Placeholder, "findings".into()),
                (PointCode::UnknownChoice, "critical".into()),
                (PointCode::OutOfRange, "size".into()),
            ]
        );
        for (text, left) in [("{部位}に", true), ("＿＿に", true), ("[1]", false), ("{}", false), ("普通の文。", false)]
        {
            assert_eq!(has_placeholder(text), left, "{text}");
        }
    }

    #[test]
    fn mammography_categories_and_findings_must_agree() {
        let (template, assignment) = (templates::find("mmg.screen").expect("template"), fixtures::assignment());
        let mut draft = Draft::new(&assignment, &template, &BTreeMap::new());
        fill(
            &mut draft,
            &[
                ("quality", "ok"),
                ("composition", "SCATTERED"),
                ("compare", "none"),
                ("category_r", "3"),
                ("category_l", "1"),
            ],
        );
        assert_eq!(
            codes(&input!(draft, template, assignment)),
            vec![(PointCode::CategoryWithoutFinding, "category_r".into())]
        );
        draft.apply(Edit::AddFinding);
        let id = draft.findings[0].id;
        for (field, text) in [("side", "R"), ("kind", "mass"), ("region", "U O"), ("category", "4")] {
            draft.apply(Edit::SetFindingField(id, field.into(), Some(Value::Text(text.into()))));
        }
        let open = codes(&input!(draft, template, assignment));
        assert!(open.contains(&(PointCode::FindingAboveCategory, "category_r".into())));
        fill(&mut draft, &[("category_r", "4"), ("category_l", "N")]);
        assert_eq!(
            codes(&input!(draft, template, assignment)),
            vec![(PointCode::RequiredEmpty, "unreadable_reason".into())]
        );
    }

    #[test]
    fn pictures_missing_unshown_or_unseen_need_a_reason() {
        let (template, mut assignment) = (templates::find("clin.ct").expect("template"), fixtures::assignment());
        assignment.prior_studies.clear();
        let mut draft = filled();
        fill(&mut draft, &[("findings", "前回と変化なし。")]);
        let series_uid = SeriesUid::new("1.2.3").expect("uid");
        let mut ledger = Ledger { announced: Some(3), ..Ledger::default() };
        for n in 1..=2 {
            ledger.receive(&series_uid, &SopInstanceUid::new(&format!("1.2.3.{n}")).expect("uid"), 1);
        }
        ledger.fail(&series_uid, &SopInstanceUid::new("1.2.3.2").expect("uid"), "cannot decode");
        let seen = |uid: &str, seen| SeriesSeen { uid: uid.into(), label: "s".into(), frames: 10, seen };
        let series = [seen("1.2.3", 0), seen("1.2.4", 4), seen("1.2.5", 10)];
        let uid = StudyUid::new("1.2").expect("uid");
        let input =
            GateInput { series: &series, ledgers: &[(uid, &ledger, true)], ..input!(draft, template, assignment) };
        let open = check(&input);
        assert!(open.iter().all(|p| !p.code.blocking()));
        let found: Vec<_> = open.iter().map(|p| p.code).collect();
        assert_eq!(
            found,
            vec![
                PointCode::ChangeWithoutPrior,
                PointCode::ImagesMissing,
                PointCode::ImagesNotShown,
                PointCode::SeriesNotOpened,
                PointCode::SeriesPartlySeen
            ]
        );
    }

    #[test]
    fn a_doubtful_patient_stops_everything() {
        let (template, assignment, draft) =
            (templates::find("clin.ct").expect("template"), fixtures::assignment(), filled());
        let input =
            GateInput { patient_mismatch: true, wrong_patient_suspected: true, ..input!(draft, template, assignment) };
        let open = check(&input);
        assert_eq!(open.len(), 2);
        assert!(open.iter().all(|p| p.code.blocking()));
    }

    #[test]
    fn titles_follow_the_kind() {
        assert_eq!(document_title(Kind::Diagnosis).ja, "診断報告書");
        assert_eq!(document_title(Kind::Opinion).ja, "所見レポート");
    }
}
