//! The people and the requests of the demonstration. None of them exists.

use jiff::civil::date;

use super::case::Case;
use crate::dicom::write::Charset;

const AOBA: [&str; 4] = ["1310012345", "青葉台総合病院", "内科", "中村 誠"];

/// Chest-abdomen CT, follow-up of colon cancer.
pub const CT: Case = Case {
    key: "ct-current",
    exam_kind: "CT",
    modality: "CT",
    charset: Charset::Iso2022Jp,
    name: ["Yamada^Tarou", "山田^太郎", "やまだ^たろう"],
    id: ["0001204", "AOBADAI"],
    birth: date(1957, 4, 12),
    sex: "M",
    days_before: 0,
    time: "093012",
    description: "胸腹部CT 単純+造影",
    accession: "AO26112001",
    facility: AOBA,
    model: "CT-64",
    request: [
        "diagnosis",
        "clinical",
        "next_clinic_day",
        "S状結腸癌 術後3年。CEA 5.8 → 14.2 ng/mL と上昇。自覚症状なし。eGFR 68。造影剤アレルギーなし。",
        "再発・転移の有無をお願いします。前回CTとの比較をお願いします。",
        "2023年 腹腔鏡下S状結腸切除術。高血圧症。喫煙歴 20本×30年(禁煙済)。",
        "単純+造影",
    ],
    body_parts: &["胸部", "腹部", "骨盤"],
    prior_of: None,
    comparison: true,
};

/// Prior of [`CT`].
pub const CT_PRIOR: Case = Case {
    key: "ct-prior",
    days_before: 196,
    time: "101544",
    description: "胸腹部CT 造影",
    accession: "AO26050803",
    request: [
        "diagnosis",
        "clinical",
        "next_clinic_day",
        "S状結腸癌 術後2年半。定期フォロー。",
        "再発・転移の有無をお願いします。",
        "2023年 腹腔鏡下S状結腸切除術。",
        "造影のみ",
    ],
    prior_of: Some("ct-current"),
    comparison: false,
    ..CT
};

const MINATO: [&str; 4] = ["1319876543", "みなと健診センター", "乳腺検診", "小林 由美"];

/// Screening mammography with a mass on the left and calcifications on the right.
pub const MMG: Case = Case {
    key: "mmg-current",
    exam_kind: "MMG",
    modality: "MG",
    charset: Charset::Iso2022Jp,
    name: ["Honda^Keiko", "本田^恵子", "ほんだ^けいこ"],
    id: ["MK-20388", "MINATO"],
    birth: date(1974, 9, 3),
    sex: "F",
    days_before: 1,
    time: "104520",
    description: "マンモグラフィ検診 2方向",
    accession: "MN26111907",
    facility: MINATO,
    model: "MG-70",
    request: [
        "opinion",
        "screening",
        "routine",
        "乳がん検診。自覚症状なし。閉経 50歳。HRT なし。",
        "検診マンモグラフィの読影(カテゴリー判定)。前回との比較をお願いします。",
        "母が55歳で乳癌。乳腺手術歴なし。授乳歴あり。",
        "なし",
    ],
    body_parts: &["両側乳房"],
    prior_of: None,
    comparison: true,
};

/// Prior of [`MMG`].
pub const MMG_PRIOR: Case = Case {
    key: "mmg-prior",
    days_before: 733,
    time: "110233",
    accession: "MN24111702",
    request: [
        "opinion",
        "screening",
        "routine",
        "乳がん検診。自覚症状なし。",
        "検診マンモグラフィの読影。",
        "母が55歳で乳癌。",
        "なし",
    ],
    prior_of: Some("mmg-current"),
    comparison: false,
    ..MMG
};
