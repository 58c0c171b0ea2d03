"""Text in every character set: what `dokuei dump --json` reads must equal what pydicom wrote, and what pydicom reads.

usage: check_text.py DOKUEI [FOLDER OF DICOM FILES]...
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

TEXT = ("PN", "LO", "SH", "UC", "LT", "ST", "UT")

# pydicom 3.0 cannot write ISO_IR 203, writes IR 58 without escape sequences, IR 149 without a new one after a line
# end, and katakana of IR 13 in LT as question marks: unit tests have those.
# Specific Character Set, a person's name, a description of one line, a comment of several.
SETS = [
    (["ISO_IR 100"], "Müller^René", "Thorax à deux incidences", "größer\r\nkleiner"),
    (["ISO_IR 101"], "Wałęsa^Zdzisława", "Klatka piersiowa źle", "ąęć\r\nłńó"),
    (["ISO_IR 109"], "Ħelu^Ġorġ", "Sidra ċ", "ħ\r\nġ"),
    (["ISO_IR 110"], "Bērziņš^Jānis", "Plaušas", "ķ\r\nļ"),
    (["ISO_IR 144"], "Люксембург^Роза", "Грудная клетка", "лёгкие\r\nсердце"),
    (["ISO_IR 127"], "قباني^لنزار", "صدر", "رئة\r\nقلب"),
    (["ISO_IR 126"], "Διονυσιος^Μαρια", "Θώρακας", "πνεύμονας\r\nκαρδιά"),
    (["ISO_IR 138"], "שרון^דבורה", "חזה", "ריאה\r\nלב"),
    (["ISO_IR 148"], "Çavuşoğlu^Gülşen", "Göğüs", "ışık\r\nşeker"),
    (["ISO_IR 166"], "นามสกุล^ชื่อ", "ทรวงอก", "ปอด\r\nหัวใจ"),
    (["ISO_IR 13"], "ﾔﾏﾀﾞ^ﾀﾛｳ", "ｷｮｳﾌﾞ", "HAI\r\nSINZOU"),
    (["ISO_IR 192"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "胸部ＣＴ 単純 𠮷野家", "髙橋・﨑本\r\n結節"),
    (["GB18030"], "Wang^XiaoDong=王^小东", "胸部 平扫", "肺\r\n心脏"),
    (["GBK"], "Wang^XiaoDong=王^小东", "胸部 平扫", "肺\r\n心脏"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "胸部 単純 表示", "施設：本施設\r\n構造"),
    (["", "ISO 2022 IR 87"], "Honda^Masumi=本田^真澄=ほんだ^ますみ", "本 施 尺 府 養 載 須", "目\\本"),
    (["ISO 2022 IR 6", "ISO 2022 IR 87"], "Suzuki^Hana=鈴木^花=すずき^はな", "頭部", "一\r\n二"),
    (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "ﾑﾈ 胸部", "ﾊｲ 肺\r\n心"),
    (["", "ISO 2022 IR 87", "ISO 2022 IR 159"], "Mori^Ougai=森^鷗外=もり^おうがい", "鷗 丂", "鷗\r\n外"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "흉부", "폐 심장"),
    (["ISO 2022 IR 100", "ISO 2022 IR 144"], "Müller^Роза", "Größe Люк", "é\r\nЛ"),
    (["ISO 2022 IR 100", "ISO 2022 IR 126"], "Buc^Jérôme=Διονυσιος", "é Δ", "é\r\nΔ"),
]

# Wild files of the test-data folder that pydicom reads as broken text, and what they mean.
WILD = {
    "wrong-euc-declared-latin1.dcm": "山田^花子",
    "wrong-ir87-as-first-value.dcm": "YAMADA^HANAKO=山田^花子",
    "wrong-missing-escape-before-caret.dcm": "YAMADA^HANAKO=山田^花子",
    "wrong-shift-jis-undeclared.dcm": "山田^花子",
    "wrong-utf8-undeclared.dcm": "YAMADA^HANAKO=山田^花子",
}


def written(folder, index, sets, name, line, lines, syntax):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    path = folder / f"{index}.dcm"
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    ds = FileDataset(
        str(path), {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=implicit, is_little_endian=little
    )
    ds.SpecificCharacterSet = sets if len(sets) > 1 else sets[0]
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = generate_uid()
    ds.SeriesInstanceUID = generate_uid()
    ds.PatientName = name
    ds.StudyDescription = line
    ds.PatientComments = lines
    # One item inherits the set, one brings its own.
    inherits, overrides = Dataset(), Dataset()
    inherits.CodeMeaning = line
    overrides.SpecificCharacterSet = "ISO_IR 192"
    overrides.CodeMeaning = "上書き " + line
    ds.ProcedureCodeSequence = [inherits, overrides]
    ds.save_as(path, enforce_file_format=True)
    return path, [name, line, lines, line, "上書き " + line]


def read(dokuei, path):
    """(header as DICOM JSON or None, whether something was odd)"""
    done = subprocess.run([dokuei, "dump", "--json", str(path)], capture_output=True, check=False)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{path}: exit code {done.returncode}: {done.stderr!r}")
    return (None if done.returncode == 2 else json.loads(done.stdout)), done.returncode == 1


def texts(element):
    """Values of a DICOM JSON attribute as strings."""
    out = []
    for value in element.get("Value", []):
        if isinstance(value, dict):
            groups = (value.get(g, "") for g in ("Alphabetic", "Ideographic", "Phonetic"))
            out.append("=".join(groups).rstrip("="))
        else:
            out.append("" if value is None else str(value))
    return [t.strip(" ") for t in out]


def compare(dataset, ours, path, differences):
    for element in dataset:
        key = f"{int(element.tag):08X}"
        here = f"{path}/{key}"
        mine = ours.get(key, {})
        if element.VR == "SQ":
            items = mine.get("Value", [])
            for index, item in enumerate(element.value):
                compare(item, items[index] if index < len(items) else {}, f"{here}/{index}", differences)
        elif element.VR in TEXT and not element.tag.is_private:
            value = element.value
            several = value if isinstance(value, (MultiValue, list)) else [value]
            theirs = [str(v).rstrip(" \0").strip(" ") for v in several if v is not None]
            if element.VR == "PN":
                theirs = [t.rstrip("=") for t in theirs]
            theirs = [] if theirs == [""] else theirs
            if theirs != texts(mine):
                differences.append((here, theirs, texts(mine)))


def check_written(dokuei):
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for index, (sets, name, line, lines) in enumerate(SETS):
            for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
                path, wanted = written(pathlib.Path(folder), index, sets, name, line, lines, syntax)
                ours, odd = read(dokuei, path)
                items = ours["00081032"]["Value"]
                found = [ours[k] for k in ("00100010", "00081030", "00104000")] + [i["00080104"] for i in items]
                found = ["\\".join(texts(f)) for f in found]
                if found != wanted or odd:
                    failures += 1
                    print(f"FAILED {sets} {syntax.name}: {found} for {wanted}; odd: {odd}")
    print(f"{len(SETS)} character sets in 3 codings written by pydicom: {failures} read otherwise")
    return failures


def check_folder(dokuei, folder):
    compared = failures = skipped = 0
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            dataset.decode()
        except Exception:  # whatever pydicom cannot read cannot be compared
            skipped += 1
            continue
        ours, odd = read(dokuei, path)
        if ours is None:
            # Text of a file that we refuse as broken is not compared; the refusal is other tests' business.
            skipped += 1
            continue
        differences = []
        try:
            compare(dataset, ours, "", differences)
        except Exception:
            skipped += 1
            continue
        compared += 1
        if path.name in WILD:
            name = texts(ours["00100010"])
            differences = [] if name == [WILD[path.name]] and odd else [("/00100010", WILD[path.name], name)]
        for place, theirs, mine in differences:
            failures += 1
            print(f"FAILED {path.name} {place}: {mine} for {theirs}")
    print(f"{folder}: {compared} files compared, {failures} elements differ, {skipped} not readable by pydicom or by us")
    if compared == 0:
        raise SystemExit("nothing was compared")
    return failures


def main():
    warnings.simplefilter("ignore")
    dokuei, *folders = sys.argv[1:]
    failures = check_written(dokuei)
    for folder in folders:
        failures += check_folder(dokuei, folder)
    if not folders:
        print("No folder of real DICOM files was named: only generated files were compared.")
    raise SystemExit(1 if failures else 0)


main()
