//! Structured documents written element by element: every value type, references, findings, hostile trees.

use super::*;
use crate::dicom::test_object::{As, Build, EXPLICIT};
use crate::study::document::{Document, Value};

const SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";

fn code(value: &str, scheme: &str, meaning: &str) -> Build {
    Build::new(As::Explicit).text(0x0008_0100, b"SH", value).text(0x0008_0102, b"SH", scheme).text(
        0x0008_0104,
        b"LO",
        meaning,
    )
}

/// A content item; `value` adds what its type needs.
fn item(kind: &str, name: Option<Build>, value: impl FnOnce(Build) -> Build, children: &[Build]) -> Build {
    // Tags in order: relation, value type, name, value, children; what a value needs lies between or is sorted.
    let mut build = Build::new(As::Explicit).text(0x0040_A010, b"CS", "CONTAINS").text(0x0040_A040, b"CS", kind);
    if let Some(name) = name {
        build = build.sequence(0x0040_A043, &[name]);
    }
    build = value(build);
    if !children.is_empty() {
        build = build.sequence(0x0040_A730, children);
    }
    build
}

fn same(build: Build) -> Build {
    build
}

fn number(text: &str, unit: &str) -> impl FnOnce(Build) -> Build + use<> {
    let measured =
        Build::new(As::Explicit).sequence(0x0040_08EA, &[code(unit, "UCUM", unit)]).text(0x0040_A30A, b"DS", text);
    move |b| b.sequence(0x0040_A300, &[measured])
}

fn picture(uid: &str, frames: &str) -> impl FnOnce(Build) -> Build + use<> {
    let mut to =
        Build::new(As::Explicit).text(0x0008_1150, b"UI", "1.2.840.10008.5.1.4.1.1.2").text(0x0008_1155, b"UI", uid);
    if !frames.is_empty() {
        to = to.text(0x0008_1160, b"IS", frames);
    }
    move |b| b.sequence(0x0008_1199, &[to])
}

fn points(shape: &'static str, values: &[f32]) -> impl FnOnce(Build) -> Build + use<> {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    move |b| b.bytes(0x0070_0022, b"FL", &data).text(0x0070_0023, b"CS", shape)
}

fn document_of(class: &str, title: Build, items: &[Build]) -> Document {
    let bytes = Build::new(As::Explicit)
        .text(0x0008_0005, b"CS", "ISO_IR 192")
        .text(0x0008_0016, b"UI", class)
        .text(0x0008_0018, b"UI", "1.2.3.4")
        .text(0x0008_0023, b"DA", "20260304")
        .text(0x0008_0033, b"TM", "083015")
        .text(0x0040_A040, b"CS", "CONTAINER")
        .sequence(0x0040_A043, &[title])
        .text(0x0040_A491, b"CS", "COMPLETE")
        .text(0x0040_A493, b"CS", "UNVERIFIED")
        .sequence(0x0040_A730, items)
        .file(EXPLICIT);
    let header = Header::from_bytes(bytes).expect("opens");
    let content = read_object(&header, &|| panic!("no pixels are needed")).expect("reads");
    let ObjectContent::Document(document) = content else { panic!("a document") };
    *document
}

#[test]
fn every_value_type_in_words() {
    let text = |tag, vr, text: &'static str| move |b: Build| b.text(tag, vr, text);
    let name = |meaning| Some(code("1", "99TEST", meaning));
    let document = document_of(
        SR,
        code("121058", "DCM", "Procedure reported"),
        &[
            item("TEXT", name("Finding"), text(0x0040_A160, b"UT", "結節を認める。\r\n増大なし。"), &[]),
            item("CODE", name("Side"), |b| b.sequence(0x0040_A168, &[code("24028007", "SCT", "Right")]), &[]),
            item("NUM", name("Diameter"), number("12.5", "mm"), &[]),
            item("DATE", name("Date"), text(0x0040_A121, b"DA", "20260102"), &[]),
            item("TIME", name("Time"), text(0x0040_A122, b"TM", "0930"), &[]),
            item("DATETIME", name("At"), text(0x0040_A120, b"DT", "20260102093000+0900"), &[]),
            item("PNAME", name("Who"), text(0x0040_A123, b"PN", "Yamada^Tarou=山田^太郎"), &[]),
            item("UIDREF", name("Uid"), text(0x0040_A124, b"UI", "1.2.3"), &[]),
            item("IMAGE", None, picture("1.2.9", "2\\5"), &[]),
            item(
                "SCOORD",
                name("Where"),
                points("POINT", &[3.0, 4.5]),
                &[item("IMAGE", None, picture("1.2.8", ""), &[])],
            ),
            item("TCOORD", name("When"), |b| b.text(0x0040_A130, b"CS", "POINT").text(0x0040_A138, b"DS", "1.5"), &[]),
            item("NEWTYPE", name("Later"), same, &[]),
        ],
    );
    assert_eq!(document.title.text(), "Procedure reported");
    assert_eq!((document.complete, document.verified), (Some(true), Some(false)));
    assert_eq!(document.written, "2026-03-04 08:30:15");
    let lines: Vec<String> = document.items.iter().map(crate::study::document::Item::lines).collect();
    assert_eq!(
        lines,
        [
            "Finding: 結節を認める。\n  増大なし。",
            "Side: Right",
            "Diameter: 12.5 mm",
            "Date: 2026-01-02",
            "Time: 09:30",
            "At: 2026-01-02 09:30:00 +0900",
            "Who: 山田\u{3000}太郎",
            "Uid: 1.2.3",
            "1.2.9, frame 2, 5",
            "Where: POINT 3/4.5",
            "  1.2.8",
            "When: POINT 1.5 s",
            "Later: [NEWTYPE]",
        ]
    );
    assert_eq!(document.items[10].number, "1.10.1");
    assert_eq!(document.images().len(), 2);
    assert!(document.warnings.is_empty(), "{:?}", document.warnings);
}

#[test]
fn key_objects_name_their_pictures() {
    let document = document_of(
        "1.2.840.10008.5.1.4.1.1.88.59",
        code("113000", "DCM", "Of Interest"),
        &[
            item(
                "TEXT",
                Some(code("113012", "DCM", "Key Object Description")),
                |b| b.text(0x0040_A160, b"UT", "重要"),
                &[],
            ),
            item("IMAGE", None, picture("1.2.1", ""), &[]),
            item("IMAGE", None, picture("1.2.2", "3"), &[]),
            item("IMAGE", None, picture("1.2.1", ""), &[]),
        ],
    );
    assert_eq!(document.description(), "重要");
    let named: Vec<_> = document.images().iter().map(|to| (to.instance.to_string(), to.frames.clone())).collect();
    assert_eq!(named, [("1.2.1".to_owned(), vec![]), ("1.2.2".to_owned(), vec![3])]);
}

/// As mammography CAD writes it (TID 4006): a region names its picture by the number of an item of the image library.
#[test]
fn findings_of_cad_as_data() {
    let dcm = |value, meaning| Some(code(value, "DCM", meaning));
    let see = |path: &[u32]| {
        let bytes: Vec<u8> = path.iter().flat_map(|n| n.to_le_bytes()).collect();
        Build::new(As::Explicit).text(0x0040_A010, b"CS", "SELECTED FROM").bytes(0x0040_DB73, b"UL", &bytes)
    };
    let finding = item(
        "CODE",
        dcm("111059", "Single Image Finding"),
        |b| b.sequence(0x0040_A168, &[code("F-01775", "SRT", "Calcification Cluster")]),
        &[
            item(
                "CODE",
                dcm("111056", "Rendering Intent"),
                |b| b.sequence(0x0040_A168, &[code("111150", "DCM", "Presentation Required")]),
                &[],
            ),
            item("SCOORD", dcm("111010", "Center"), points("POINT", &[10.0, 20.0]), &[see(&[1, 1, 1])]),
            item("NUM", dcm("111012", "Certainty of Finding"), number("87", "%"), &[]),
            item("NUM", dcm("111047", "Probability of cancer"), number("40", "%"), &[]),
        ],
    );
    let library =
        item("CONTAINER", dcm("111028", "Image Library"), same, &[item("IMAGE", None, picture("1.2.7", ""), &[])]);
    let document = document_of(
        "1.2.840.10008.5.1.4.1.1.88.50",
        code("111036", "DCM", "Mammography CAD Report"),
        &[library, item("CONTAINER", dcm("111034", "Individual Impression/Recommendation"), same, &[finding])],
    );
    let findings = document.findings();
    let [finding] = findings.as_slice() else { panic!("one finding: {findings:?}") };
    assert_eq!(finding.what.text(), "Calcification Cluster");
    assert_eq!((finding.certainty_percent, finding.probability_percent), (Some(87.0), Some(40.0)));
    assert!(finding.intent.as_ref().is_some_and(|i| i.is("111150", "DCM")));
    let place = &finding.places[0];
    assert_eq!(place.region.as_ref().map(|r| r.points.clone()), Some(vec![vec![10.0, 20.0]]));
    assert_eq!(place.image.as_ref().map(|i| i.instance.as_str()), Some("1.2.7"));
}

/// As TID 1410 writes it: a group with what was found, where, how large, and the segment or outline.
#[test]
fn measurement_groups_as_data() {
    let dcm = |value, meaning| Some(code(value, "DCM", meaning));
    let group = item(
        "CONTAINER",
        dcm("125007", "Measurement Group"),
        same,
        &[
            item("TEXT", dcm("112039", "Tracking Identifier"), |b| b.text(0x0040_A160, b"UT", "Lesion 1"), &[]),
            item("CODE", dcm("121071", "Finding"), |b| b.sequence(0x0040_A168, &[code("4147007", "SCT", "Mass")]), &[]),
            item(
                "CODE",
                Some(code("363698007", "SCT", "Finding Site")),
                |b| b.sequence(0x0040_A168, &[code("10200004", "SCT", "Liver")]),
                &[],
            ),
            item(
                "NUM",
                Some(code("103339001", "SCT", "Long Axis")),
                number("31.4", "mm"),
                &[item(
                    "SCOORD",
                    None,
                    points("POLYLINE", &[1.0, 2.0, 3.0, 4.0]),
                    &[item("IMAGE", None, picture("1.2.6", "2"), &[])],
                )],
            ),
        ],
    );
    let findings = document_of(SR, code("126000", "DCM", "Imaging Measurement Report"), &[group]).findings();
    let [finding] = findings.as_slice() else { panic!("one group: {findings:?}") };
    assert_eq!((finding.what.text(), finding.label.as_str()), ("Mass".to_owned(), "Lesion 1"));
    assert_eq!(finding.site.as_ref().map(crate::study::Code::text).as_deref(), Some("Liver"));
    assert_eq!(finding.measures[0].1.value, Some(31.4));
    assert_eq!(finding.places.len(), 1, "the picture below the region belongs to it");
    assert_eq!(finding.places[0].image.as_ref().map(|i| i.frames.clone()), Some(vec![2]));
}

#[test]
fn hostile_trees_end() {
    // Deeper than the parser goes: the object is refused there, with a reason.
    let mut deep = item("CONTAINER", None, same, &[]);
    for _ in 0..80 {
        deep = item("CONTAINER", None, same, &[deep]);
    }
    let bytes = Build::new(As::Explicit)
        .text(0x0008_0016, b"UI", SR)
        .text(0x0040_A040, b"CS", "CONTAINER")
        .sequence(0x0040_A730, &[deep])
        .file(EXPLICIT);
    assert!(Header::from_bytes(bytes).is_err());
    // As deep as the parser goes.
    let mut deep = item("CONTAINER", None, same, &[]);
    for _ in 0..60 {
        deep = item("CONTAINER", None, same, &[deep]);
    }
    let document = document_of(SR, code("1", "99", "x"), &[deep]);
    assert!(document.warnings.iter().any(|w| w.to_string().contains("deeper")), "{:?}", document.warnings);
    // Wide.
    let many = vec![item("CONTAINER", None, same, &[]); 50_010];
    let document = document_of(SR, code("1", "99", "x"), &many);
    assert_eq!(document.items.len(), 50_000);
    assert!(document.warnings.iter().any(|w| w.to_string().contains("left out")));
    assert!(document.findings().is_empty());
    // Values that are missing.
    let document =
        document_of(SR, code("1", "99", "x"), &[item("TEXT", None, same, &[]), item("IMAGE", None, same, &[])]);
    assert!(document.items.iter().all(|i| matches!(i.value, Value::Unknown(_))));
    assert!(document.warnings.iter().any(|w| w.to_string().contains("lack the value")));
}

#[test]
fn what_is_listed_only_says_why() {
    let bytes = |class: &str| {
        Build::new(As::Explicit).text(0x0008_0016, b"UI", class).text(0x0008_0018, b"UI", "1.2").file(EXPLICIT)
    };
    let read = |class: &str| {
        read_object(&Header::from_bytes(bytes(class)).expect("opens"), &|| panic!("no pixels"))
            .expect_err("nothing to read")
    };
    assert!(read("1.2.840.10008.5.1.4.1.1.9.1.1").to_string().contains("waveform"));
    assert_eq!(read(SR), ObjectError::Damaged("it has no content tree"));
}

#[test]
fn a_region_with_damaged_coordinates_is_told_and_not_redrawn() {
    for values in [&[1.0, 2.0, f32::NAN, 4.0][..], &[1.0, 2.0, 3.0]] {
        let region = item("SCOORD", None, points("POLYLINE", values), &[]);
        let document = document_of(SR, code("1", "DCM", "Report"), &[region]);
        assert!(document.warnings.iter().any(|w| w.to_string().contains("damaged")), "{:?}", document.warnings);
        assert!(document.items.iter().all(|i| !matches!(i.value, crate::study::document::Value::Region(_))));
    }
}
