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
    name: ["Morita^Keiko", "森田^恵子", "もりた^けいこ"],
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
    comparison: false,
    ..MMG
};

const SAKURA: [&str; 4] = ["1312223334", "さくら脳神経外科病院", "脳神経外科", "石井 拓也"];

/// Brain MR with an acute infarct.
pub const BRAIN: Case = Case {
    key: "mr-brain",
    exam_kind: "MRI",
    modality: "MR",
    charset: Charset::Utf8,
    name: ["Sato^Hanako", "佐藤^花子", "さとう^はなこ"],
    id: ["880412", "SAKURA"],
    birth: date(1949, 2, 27),
    sex: "F",
    days_before: 0,
    time: "132540",
    description: "頭部MRI",
    accession: "SK26112015",
    facility: SAKURA,
    model: "MR-15T",
    request: [
        "diagnosis",
        "clinical",
        "stat",
        "本日朝からの右上肢脱力、構音障害。NIHSS 4点。心房細動あり(DOAC内服中)。",
        "急性期脳梗塞の有無をお願いします。",
        "高血圧症、心房細動、脂質異常症。",
        "なし",
    ],
    body_parts: &["頭部"],
    comparison: false,
};

const HOKUTO: [&str; 4] = ["0111122233", "北斗クリニック画像センター", "健診科", "髙田 修"];

/// Whole-body DWIBS with two bone lesions.
pub const DWIBS: Case = Case {
    key: "dwibs",
    exam_kind: "DWIBS",
    modality: "MR",
    charset: Charset::Utf8,
    name: ["Takahashi^Kenichi", "髙橋^健一", "たかはし^けんいち"],
    id: ["H-000731", "HOKUTO"],
    birth: date(1955, 12, 8),
    sex: "M",
    days_before: 2,
    time: "150210",
    description: "全身MRI DWIBS",
    accession: "HK26111803",
    facility: HOKUTO,
    model: "MR-15T",
    request: [
        "opinion",
        "clinical",
        "next_clinic_day",
        "前立腺癌 ホルモン療法中。PSA 0.8 → 4.6 ng/mL。腰痛あり。",
        "骨転移・リンパ節転移の有無をお願いします。",
        "2022年 前立腺癌 (Gleason 4+4)。",
        "なし",
    ],
    body_parts: &["全身"],
    comparison: false,
};

/// Double-contrast stomach.
pub const RF: Case = Case {
    key: "rf-stomach",
    exam_kind: "RF",
    modality: "RF",
    charset: Charset::Iso2022Jp,
    name: ["Tanaka^Jirou", "田中^次郎", "たなか^じろう"],
    id: ["MK-10077", "MINATO"],
    birth: date(1968, 6, 21),
    sex: "M",
    days_before: 1,
    time: "083055",
    description: "胃X線検診",
    accession: "MN26111901",
    facility: ["1319876543", "みなと健診センター", "消化管検診", "小林 由美"],
    model: "RF-1",
    request: [
        "opinion",
        "screening",
        "routine",
        "胃がん検診。自覚症状なし。ピロリ菌 未検査。",
        "胃X線検診の読影をお願いします。",
        "特記事項なし。",
        "なし",
    ],
    body_parts: &["胃"],
    comparison: false,
};

/// Chest radiograph of a health check.
pub const CR: Case = Case {
    key: "cr-chest",
    exam_kind: "CR",
    modality: "CR",
    charset: Charset::Utf8,
    name: ["Watanabe^Naomi", "渡邊^直美", "わたなべ^なおみ"],
    id: ["550018", "HOKUTO"],
    birth: date(1981, 1, 30),
    sex: "F",
    days_before: 0,
    time: "091005",
    description: "胸部単純X線 正面",
    accession: "HK26112002",
    facility: ["0111122233", "北斗クリニック画像センター", "健診科", "髙田 修"],
    model: "CR-10",
    request: [
        "opinion",
        "screening",
        "routine",
        "定期健康診断。咳・痰なし。喫煙なし。",
        "胸部X線検診の読影をお願いします。",
        "特記事項なし。",
        "なし",
    ],
    body_parts: &["胸部"],
    comparison: false,
};
