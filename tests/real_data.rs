//! Real DICOM files, where the environment variable `DOKUEI_TEST_DATA` names a folder of them (`.ci/run` sets it):
//! every file is shown or listed with a reason, and names read right. Without it nothing is checked, and the test
//! output says so.

use dokuei::dicom::{Header, Object, open_tree, project, project_json, to_dicom_json};
use dokuei::imaging::{Look, Modality};
use dokuei::study::{FrameIndex, VoiFunction};
use std::path::{Path, PathBuf};

/// The folder of test data, or a plain word that there is none.
fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DOKUEI_TEST_DATA").map(PathBuf::from).filter(|p| p.is_dir());
    if folder.is_none() {
        // Written to the terminal itself: the harness hides the output of tests that pass.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr().lock(),
            format!("NOT RUN: {test}: DOKUEI_TEST_DATA names no folder\n").as_bytes(),
        );
    }
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    walk.filter_map(Result::ok).filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

#[test]
fn every_file_is_shown_or_listed_with_a_reason() {
    let Some(folder) = data("every_file_is_shown_or_listed_with_a_reason") else { return };
    let tree = open_tree(std::slice::from_ref(&folder), true);
    assert_eq!(tree.files_seen, files(&folder).len());
    assert_eq!(tree.files_seen, tree.files_shown + tree.not_shown.len());
    assert!(tree.not_shown.iter().all(|n| !n.reason.is_empty()));
    let in_studies: usize = tree.studies.iter().flat_map(|s| &s.series).map(|s| s.instances.len()).sum();
    assert!(in_studies >= tree.files_shown);
    // Whole folders of sound pictures: nothing in them may be lost.
    for sound in ["ct/chest-petct-acrin", "ct/head-gantry-tilt-variable-spacing", "dwi", "rf", "us", "op", "mr"] {
        let under = folder.join(sound);
        let lost: Vec<_> = tree
            .not_shown
            .iter()
            .filter(|n| Path::new(&n.what).starts_with(&under))
            .filter(|n| !n.reason.contains("same SOP Instance UID") && !n.reason.contains("not an image"))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

#[test]
fn every_frame_decodes_or_says_why_not() {
    let Some(folder) = data("every_frame_decodes_or_says_why_not") else { return };
    let (mut frames, mut refused) = (0usize, 0usize);
    for path in files(&folder) {
        let Ok(object) = Object::read(&path) else { continue };
        let Ok(count) = object.frame_count() else { continue };
        // The first, a middle and the last frame: each must be found without the others.
        let mut wanted = vec![0, count / 2, count.saturating_sub(1)];
        wanted.dedup();
        for index in wanted {
            let broken = path.components().any(|c| c.as_os_str() == "broken");
            match object.frame(FrameIndex(u32::try_from(index).expect("small"))) {
                Ok(frame) => {
                    frames += 1;
                    // No sound picture is called damaged, whatever else is odd about it.
                    assert!(broken || !frame.spoiled(), "{}: {:?}", path.display(), frame.warnings);
                    assert_eq!(frame.pixels.len(), frame.rows as usize * frame.columns as usize, "{}", path.display());
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                    let twelve = error.to_string().contains("12 bits");
                    assert!(broken || twelve, "{}: {error}", path.display());
                }
            }
        }
    }
    assert!(frames > 800, "{frames} frames, {refused} refused");
}

#[test]
fn choices_and_planes_of_real_pictures() {
    let Some(folder) = data("choices_and_planes_of_real_pictures") else { return };
    let first = |file: &str| Object::read(&folder.join(file)).expect(file).frame(FrameIndex(0)).expect(file);
    // The maker's curves come before the windows of the same names; the first curve is the default.
    let mammogram = first("mg/ge-r-mlo-sigmoid-voilut.dcm");
    assert_eq!(mammogram.display.voi_names, ["NORMAL", "HARDER", "SOFTER", "NORMAL", "HARDER", "SOFTER"]);
    let functions: Vec<VoiFunction> = mammogram.voi.iter().map(|v| v.function).collect();
    assert_eq!(functions[..3], [0, 1, 2].map(VoiFunction::Lut));
    assert_eq!(functions[3..], [VoiFunction::Sigmoid; 3]);
    assert_eq!(mammogram.display.voi_luts[0].entries.len(), 3447);
    // Both codings of the curve look alike: the sigmoid was fitted to it.
    let [lut, sigmoid] = [0, 3].map(|n| Look::of(&mammogram, mammogram.voi[n], false));
    let largest =
        (1000..4000).map(|v| (lut.voi_level(v.into()) - sigmoid.voi_level(v.into())).abs()).fold(0.0, f64::max);
    assert!(largest < 0.1, "{largest}");
    let planes = |file: &str| first(file).display.overlays.len();
    assert_eq!(planes("pixel-formats/overlay-two-planes.dcm"), 2);
    assert_eq!(planes("pixel-formats/overlay-embedded-in-bit-12.dcm"), 1);
    assert!(matches!(first("rf/rf-single-modality-lut.dcm").modality, Modality::Lut { .. }));
}

#[test]
fn names_in_every_character_set() {
    let Some(folder) = data("names_in_every_character_set") else { return };
    // What pydicom 3.0 reads; for the files named `wrong-…`, where it shows escapes or mojibake, what their bytes
    // mean in the coding that they really use.
    let wanted = [
        ("chrArab", "قباني^لنزار", None, None),
        ("chrFren", "Buc^Jérôme", None, None),
        ("chrFrenMulti", "Buc^Jérôme", None, None),
        ("chrGerm", "Äneas^Rüdiger", None, None),
        ("chrGreek", "Διονυσιος", None, None),
        ("chrH31", "Yamada^Tarou", Some("山田^太郎"), Some("やまだ^たろう")),
        ("chrJapMulti", "やまだ^たろう", None, None),
        ("chrJapMultiExplicitIR6", "やまだ^たろう", None, None),
        ("chrKoreanMulti", "김희중", None, None),
        ("chrX1", "Wang^XiaoDong", Some("王^小東"), None),
        ("gb18030-made", "Li^Ming", Some("李^明"), None),
        ("jp-ir13-ir87-3-groups", "ﾔﾏﾀﾞ^ﾊﾅｺ", Some("山田^花子"), Some("やまだ^はなこ")),
        ("jp-ir13-only-katakana", "ﾔﾏﾀﾞ^ﾊﾅｺ", None, None),
        ("jp-ir6-ir87-3-groups", "YAMADA^HANAKO", Some("山田^花子"), Some("やまだ^はなこ")),
        ("jp-ir87-ir159-supplementary-kanji", "YAMADA^HANAKO", Some("侊^丂子"), Some("やまだ^はなこ")),
        ("jp-utf8-3-groups-non-bmp", "TAKASAKI^YOSHIKO", Some("髙﨑^𠮷子"), Some("たかさき^よしこ")),
        ("wrong-euc-declared-latin1", "山田^花子", None, None),
        ("wrong-fullwidth-caret", "YAMADA^HANAKO", Some("山田＾花子"), None),
        ("wrong-ir87-as-first-value", "YAMADA^HANAKO", Some("山田^花子"), None),
        ("wrong-missing-escape-before-caret", "YAMADA^HANAKO", Some("山田^花子"), None),
        ("wrong-shift-jis-undeclared", "山田^花子", None, None),
        ("wrong-utf8-undeclared", "YAMADA^HANAKO", Some("山田^花子"), None),
    ];
    for (file, alphabetic, ideographic, phonetic) in wanted {
        let path = folder.join("charsets").join(format!("{file}.dcm"));
        let header = Header::read(&path).expect(file);
        let study = project(&header, Some(1)).expect(file);
        let name = &study.patient.name;
        assert_eq!(name.alphabetic, alphabetic, "{file}");
        assert_eq!(name.ideographic.as_deref(), ideographic, "{file}");
        assert_eq!(name.phonetic.as_deref(), phonetic, "{file}");
        // A full-width caret is a legal character: it is shown as it stands.
        let repaired = file.starts_with("wrong-") && !file.contains("fullwidth");
        assert_eq!(repaired, !header.warnings().is_empty(), "{file}: {:?}", header.warnings());
    }
}

/// What a DICOMweb server says of a file and what the file says of itself must not differ.
#[test]
fn metadata_as_json_say_the_same_as_the_file() {
    let Some(folder) = data("metadata_as_json_say_the_same_as_the_file") else { return };
    let mut compared = 0;
    for path in files(&folder) {
        let Ok(header) = Header::read(&path) else { continue };
        let Ok(mut from_file) = project(&header, None) else { continue };
        let json = to_dicom_json(&header, &|key| Some(format!("http://center.invalid/{key}")));
        let mut from_json = project_json(&json).expect("a projection");
        // Only the file can be wrong about its character set.
        from_file.text_notes.clear();
        for instance in
            [&mut from_file, &mut from_json].into_iter().flat_map(|s| &mut s.series).flat_map(|s| &mut s.instances)
        {
            // Only the file knows its coding, and whether its pixel data are there.
            instance.transfer_syntax = None;
            instance.not_an_image = None;
            // The number of a mosaic's tiles may stand in a private header too large for JSON.
            for info in &mut instance.frame_info {
                info.traits.mosaic_tiles = info.traits.mosaic_tiles.map(|_| 0);
            }
        }
        assert!(from_file == from_json, "{}: {:?} / {:?}", path.display(), from_file.series, from_json.series);
        compared += 1;
    }
    assert!(compared > 800, "{compared}");
}
