//! A report as people read it. The page that leaves, the preview before the signature and the view of a signed
//! version are all drawn from this one list, so that none of them can say more or less than another.

use super::html::measured_text;
use super::manifest::{self, FieldContent, FindingContent, KeyImageContent, Manifest, SectionContent, VersionKind};
use super::{Draft, Template, Text, gate};
use crate::study::{Sex, age_at};
use crate::worklist::{Facility, Kind};
use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde::Serialize;

/// A name and what it says.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Name; empty where the text stands alone.
    pub label: String,
    /// Text.
    pub text: String,
}

/// A finding.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PageFinding {
    /// Number in the list, from 1.
    pub number: u32,
    /// Fields and measurement.
    pub lines: Vec<Line>,
    /// Name of the attachment with its key image.
    pub picture: Option<String>,
    /// Series and place of the key image.
    pub caption: Option<String>,
}

/// A heading with what stands under it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PageSection {
    /// Heading.
    pub title: String,
    /// Texts.
    pub lines: Vec<Line>,
    /// Findings, where the list stands here.
    pub findings: Vec<PageFinding>,
}

/// Everything on the page, top to bottom, in the document's language.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Language.
    pub language: String,
    /// Title.
    pub title: String,
    /// Which version an addendum belongs to.
    pub subtitle: Option<String>,
    /// A notice that must not be missed.
    pub notice: Option<String>,
    /// Patient, exam and facilities, two to a row.
    pub head: Vec<[Line; 2]>,
    /// Content; empty sections are left out.
    pub sections: Vec<PageSection>,
    /// What the report is, by law.
    pub statement: Option<String>,
    /// Signer and program.
    pub foot: Vec<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Page(…)")
    }
}

/// `2026-11-23 08:25:57 JST`.
fn japan(at: Timestamp) -> String {
    at.to_zoned(TimeZone::fixed(offset(9))).strftime("%Y-%m-%d %H:%M:%S JST").to_string()
}

/// What an addendum is called: 追記 comes first, what it adds to in brackets.
pub(super) fn addendum_title(language: &str, document: &str) -> String {
    if language == "ja" { format!("追記（{document}）") } else { format!("Addendum ({document})") }
}

struct Writer<'a> {
    m: &'a Manifest,
}

impl Writer<'_> {
    fn pick<'t>(&self, ja: &'t str, en: &'t str) -> &'t str {
        if self.m.language == "ja" { ja } else { en }
    }

    fn pick_text<'t>(&self, text: &'t Text) -> &'t str {
        self.pick(&text.ja, &text.en)
    }

    fn line(&self, ja: &str, en: &str, text: String) -> Line {
        let text = if text.trim().is_empty() { "—".to_owned() } else { text.trim().to_owned() };
        Line { label: self.pick(ja, en).to_owned(), text }
    }

    fn bracketed(&self, text: &str, inside: &str) -> String {
        match (inside.is_empty(), self.m.language == "ja") {
            (true, _) => text.to_owned(),
            (false, true) => format!("{text}（{inside}）"),
            (false, false) => format!("{text} ({inside})"),
        }
    }

    fn facility(&self, facility: &Facility) -> String {
        self.bracketed(&facility.name, &facility.code)
    }

    fn born(&self) -> String {
        let m = self.m;
        let exam_day = m.studies.iter().filter_map(|s| s.date).min();
        let birth = m.patient.birth_date;
        let age = birth.zip(exam_day).and_then(|(b, d)| age_at(b, d));
        let age = age.map_or_else(String::new, |a| format!("{a}{}", self.pick("歳", "")));
        let sex = match m.patient.sex {
            Some(Sex::Male) => self.pick("男性", "male"),
            Some(Sex::Female) => self.pick("女性", "female"),
            Some(Sex::Other) => self.pick("その他", "other"),
            None => "",
        };
        let birth = birth.map_or_else(|| "—".to_owned(), |d| d.to_string());
        format!("{}  {sex}", self.bracketed(&birth, &age))
    }

    fn images(&self) -> String {
        let m = self.m;
        let unit = self.pick(" 枚", "");
        let Some(of) = m.images.of else { return format!("{}{unit}", m.images.count) };
        let shown = match (m.prior_studies.is_empty(), m.language == "ja") {
            (true, true) => format!("うち表示 {} 枚", m.images.count),
            (false, true) => format!("過去検査を含め表示 {} 枚", m.images.count),
            (true, false) => format!("{} shown", m.images.count),
            (false, false) => format!("{} shown, priors included", m.images.count),
        };
        self.bracketed(&format!("{of}{unit}"), &shown)
    }

    fn head(&self) -> Vec<[Line; 2]> {
        let m = self.m;
        let patient = format!("{}  {}", m.patient.name.display(), m.patient.name.reading());
        let dates = m.studies.iter().filter_map(|s| s.date).map(|d| d.to_string());
        let exam: Vec<_> = std::iter::once(m.exam.clone()).chain(dates).collect();
        let opinion = m.kind == Kind::Opinion;
        let reads = if opinion { ("読影", "Read by") } else { ("受信側", "Read by") };
        vec![
            [
                self.line("患者", "Patient", patient),
                self.line("ID", "ID", self.bracketed(&m.patient.id, m.patient.issuer.as_deref().unwrap_or(""))),
            ],
            [self.line("生年月日", "Born", self.born()), self.line("受付番号", "Accession", m.accession.clone())],
            [self.line("検査", "Exam", exam.join("  ")), self.line("画像", "Images", self.images())],
            [
                self.line("依頼元", "Requested by", self.facility(&m.facility)),
                self.line(reads.0, reads.1, self.facility(&m.reading_facility)),
            ],
        ]
    }

    fn sections(&self) -> Vec<PageSection> {
        let mut out = contents(&self.m.sections, &self.m.findings, &self.m.language);
        let acknowledged = self.m.acknowledged.iter().map(|a| {
            let words = gate::point_words(a.point);
            let words = self.pick_text(&words);
            let label = if a.detail.is_empty() { words.to_owned() } else { format!("{words}: {}", a.detail) };
            Line { label, text: a.reason.clone() }
        });
        out.push(PageSection {
            title: self.pick("確定時の確認事項", "Points acknowledged at signing").to_owned(),
            lines: acknowledged.collect(),
            findings: Vec::new(),
        });
        out.retain(|s| !s.lines.is_empty() || !s.findings.is_empty());
        out
    }
}

fn caption(key: &KeyImageContent, language: &str) -> String {
    let ja = language == "ja";
    let place = key.slice.map(|n| if ja { format!("{n} 枚目") } else { format!("image {n}") });
    let parts: Vec<_> = [Some(key.series.clone()).filter(|s| !s.is_empty()), place].into_iter().flatten().collect();
    let unnamed = if ja { "キー画像" } else { "Key image" };
    if parts.is_empty() { unnamed.to_owned() } else { parts.join("  ") }
}

fn finding(content: &FindingContent, language: &str) -> PageFinding {
    let one = |field: &FieldContent| Line { label: field.label.clone(), text: field.text.clone() };
    let label = if language == "ja" { "計測" } else { "Measured" };
    let measured = content.measured.as_ref().map(|v| Line { label: label.to_owned(), text: measured_text(v) });
    PageFinding {
        number: content.number,
        lines: content.fields.iter().map(one).chain(measured).collect(),
        picture: content.key_image.as_ref().and_then(|k| k.attachment.clone()),
        caption: content.key_image.as_ref().map(|k| caption(k, language)),
    }
}

fn contents(sections: &[SectionContent], findings: &[FindingContent], language: &str) -> Vec<PageSection> {
    let one = |section: &SectionContent| {
        // A field that is named like its section is not named twice.
        let label = |f: &FieldContent| if f.label == section.title { String::new() } else { f.label.clone() };
        let findings = if section.findings { findings } else { &[] };
        PageSection {
            title: section.title.clone(),
            lines: section.fields.iter().map(|f| Line { label: label(f), text: f.text.clone() }).collect(),
            findings: findings.iter().map(|f| finding(f, language)).collect(),
        }
    };
    sections.iter().map(one).collect()
}

/// What a draft says so far; empty sections are left out. `language`: `ja` or `en`.
pub fn page_of_draft(draft: &Draft, template: &Template, kind: Kind, language: &str) -> Vec<PageSection> {
    let (sections, findings) = manifest::contents(draft, template, kind, language);
    let mut out = contents(&sections, &findings, language);
    out.retain(|s| !s.lines.is_empty() || !s.findings.is_empty());
    out
}

/// Of two versions' sections what only one of them says; sections without any are left out.
pub fn differences(a: &[PageSection], b: &[PageSection]) -> [Vec<PageSection>; 2] {
    let only = |mine: &[PageSection], other: &[PageSection]| {
        let mut out = mine.to_vec();
        for section in &mut out {
            let Some(twin) = other.iter().find(|o| o.title == section.title) else { continue };
            section.lines.retain(|line| !twin.lines.contains(line));
            section.findings.retain(|finding| !twin.findings.contains(finding));
        }
        out.retain(|s| !s.lines.is_empty() || !s.findings.is_empty());
        out
    };
    [only(a, b), only(b, a)]
}

/// What stands on the page of a report.
pub fn page(m: &Manifest) -> Page {
    let w = Writer { m };
    let addendum = m.predecessor.as_ref().filter(|_| m.version_kind == VersionKind::Addendum);
    let subtitle = addendum.map(|p| {
        if m.language == "ja" {
            format!("第{}版への追記（{}）", p.version, p.report_id)
        } else {
            format!("Addendum to version {} ({})", p.version, p.report_id)
        }
    });
    let research = m.software.build_class != "CERTIFIED";
    let notice = w.pick(
        "未認証の版で作成: 診断用途には使用できません。",
        "Made with an uncertified build: not for diagnostic use.",
    );
    let statement = w.pick(
        "本レポートは診断を支援するための所見です。最終的な診断は依頼医が行います。",
        "This report gives findings in support of diagnosis. The final diagnosis is the requesting physician's.",
    );
    let signer = w.bracketed(&m.signer.name, &m.signer.user);
    Page {
        language: m.language.clone(),
        title: m.title.clone(),
        subtitle,
        notice: research.then(|| notice.to_owned()),
        head: w.head(),
        sections: w.sections(),
        statement: (m.kind == Kind::Opinion).then(|| statement.to_owned()),
        foot: vec![
            format!("{}: {signer}", w.pick("読影医", "Reader")),
            format!("{}: {}", w.pick("作成時刻（端末）", "Time (terminal)"), japan(m.claimed_time)),
            format!("{} {}  {} v{}", m.software.name, m.software.version, m.template.id, m.template.version),
            w.pick(
                "電子署名は report.json と signature.p7s で検証できます。",
                "The signature is verified with report.json and signature.p7s.",
            )
            .to_owned(),
        ],
    }
}
