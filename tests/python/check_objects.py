"""Compares what `dokuei object` reads with pydicom: structured documents item by item (and dsrdump's item count),
segmentations pixel by pixel in number, structure sets and presentation states coordinate by coordinate, documents within
objects byte by byte.

usage: check_objects.py DOKUEI [--sound] PATH...

Of a folder every object of these kinds is taken. With --sound an object that a reference cannot read is a difference
too. Exit code 1: something differs; 2: a path held nothing to compare.
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom

warnings.filterwarnings("ignore")


def code(ds, keyword):
    seq = ds.get(keyword)
    if not seq:
        return None
    item = seq[0]
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
    return (str(value), str(item.get("CodingSchemeDesignator", "") or ""), str(item.get("CodeMeaning", "") or "").strip())


def as_code(found):
    return (found["value"], found["scheme"], found["meaning"]) if found else None


def reference(ds):
    item = ds.ReferencedSOPSequence[0]
    frames = item.get("ReferencedFrameNumber", [])
    frames = [int(frames)] if not hasattr(frames, "__iter__") else [int(f) for f in frames]
    return item.ReferencedSOPInstanceUID, frames


def digits(text):
    return "".join(c for c in str(text) if c.isdigit() or c in "+-.").replace("-", "")


def walk(ds, number, out):
    for at, item in enumerate(ds.get("ContentSequence", []), 1):
        here = f"{number}.{at}"
        out.append((here, item))
        walk(item, here, out)


def differs(item, found):
    """Why an item is not what pydicom reads, or None."""
    if str(item.get("RelationshipType", "") or "") != found["relation"]:
        return "relation"
    if code(item, "ConceptNameCodeSequence") != as_code(found["name"]):
        return "concept name"
    kind, value = item.get("ValueType"), found["value"]
    if kind is None:
        path = ".".join(str(n) for n in item.ReferencedContentItemIdentifier)
        return None if value.get("see") == path else "reference by number"
    if kind == "CONTAINER":
        return None if value == "container" else "container"
    if kind == "TEXT":
        return None if value["text"] == str(item.TextValue).rstrip(" \0") else "text"
    if kind == "CODE":
        return None if as_code(value["code"]) == code(item, "ConceptCodeSequence") else "code"
    if kind == "NUM":
        number = value["number"]
        if not item.get("MeasuredValueSequence"):
            return None if number["value"] is None else "number without measurement"
        measured = item.MeasuredValueSequence[0]
        if number["value"] != float(measured.get("FloatingPointValue", measured.NumericValue)):
            return "number"
        return None if as_code(number["unit"]) == code(measured, "MeasurementUnitsCodeSequence") else "unit"
    if kind in ("DATE", "TIME", "DATETIME"):
        written = str(item.get({"DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}[kind]))
        # Zeros at the end of a fraction are left out; an offset from UTC may follow.
        fraction = re.search(r"\.\d*", written)
        if fraction:
            written = written.replace(fraction[0], fraction[0].rstrip("0").rstrip("."))
        return None if digits(value["time"].replace("-", "").replace(":", "")) == digits(written) else "time"
    if kind == "PNAME":
        groups = str(item.PersonName).split("=")
        return None if value["name"]["alphabetic"] == groups[0].rstrip("^") else "name"
    if kind == "UIDREF":
        return None if value["uid"] == item.UID else "uid"
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        if "unknown" in value:
            ok = not pydicom.uid.UID(reference(item)[0]).is_valid
            return None if ok else "reference refused"
        to = value["image" if kind == "IMAGE" else "object"]
        return None if (to["instance"], to["frames"]) == reference(item) else "reference"
    if kind in ("SCOORD", "SCOORD3D"):
        flat = [v for point in value["region"]["points"] for v in point]
        same = flat == [float(v) for v in item.GraphicData] and value["region"]["shape"] == item.GraphicType
        return None if same else "region"
    if kind == "TCOORD":
        return None if value["range"].startswith(item.TemporalRangeType) else "range"
    return None if value == {"unknown": kind} else "value type"


def check_document(ds, path, found):
    faults = []
    found = found["items"]
    wanted = []
    walk(ds, "1", wanted)
    if [n for n, _ in wanted] != [f["number"] for f in found]:
        faults.append(f"items: {len(wanted)} by pydicom, {len(found)} here")
    for (number, item), ours in zip(wanted, found):
        why = differs(item, ours)
        if why:
            faults.append(f"{number}: {why}")
    dump = subprocess.run(["dsrdump", "-q", "-Ph", path], capture_output=True, check=False)
    lines = [line for line in dump.stdout.splitlines() if line.lstrip().startswith(b"<")]
    # dsrdump refuses what breaks a rule of the class; pydicom has judged that already. Its first line is the root.
    if dump.returncode != 0 or not lines:
        return len(found), faults, "dsrdump refuses it"
    if len(lines) - 1 != len(found):
        faults.append(f"items: {len(lines) - 1} by dsrdump, {len(found)} here")
    return len(found), faults, None


def check_segmentation(ds, path, found):
    faults = []
    segments = [s for s in ds.SegmentSequence if not (ds.SegmentationType == "LABELMAP" and s.SegmentNumber == 0)]
    names = [(int(s.SegmentNumber), str(s.SegmentLabel).strip()) for s in segments]
    if names != [(s["number"], s["label"]) for s in found["segments"]]:
        faults.append("numbers and labels of the segments")
    try:
        frames = ds.pixel_array
    except Exception as error:  # pydicom lacks the decoder: named by the caller, never taken as equal
        return len(names), faults, f"pydicom has no pixels ({type(error).__name__})"
    frames = frames.reshape(-1, ds.Rows, ds.Columns)
    counts = collections.Counter()
    for at, frame in enumerate(frames):
        if ds.SegmentationType == "LABELMAP":
            values, numbers = np.unique(frame, return_counts=True)
            counts.update(dict(zip(values.tolist(), numbers.tolist())))
            continue
        shared = ds.get("SharedFunctionalGroupsSequence", [pydicom.Dataset()])[0]
        groups = ds.PerFrameFunctionalGroupsSequence[at]
        group = groups if "SegmentIdentificationSequence" in groups else shared
        counts[int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)] += int(np.count_nonzero(frame))
    for segment in found["segments"]:
        if counts[segment["number"]] != segment["pixels"]:
            faults.append(f"segment {segment['number']}: {counts[segment['number']]} pixels by pydicom, {segment['pixels']} here")
    return len(names), faults, None


def check_structures(ds, path, found):
    faults = []
    rois = {int(r.ROINumber): r for r in ds.StructureSetROISequence}
    drawn = {int(r.ReferencedROINumber): r for r in ds.get("ROIContourSequence", [])}
    if [(n, str(r.ROIName).strip()) for n, r in rois.items()] != [(s["number"], s["name"]) for s in found["structures"]]:
        faults.append("numbers and names of the structures")
    for structure in found["structures"]:
        number = structure["number"]
        roi = drawn.get(number, pydicom.Dataset())
        if roi.get("ROIDisplayColor") and [int(v) for v in roi.ROIDisplayColor] != structure["rgb"]:
            faults.append(f"structure {number}: colour")
        wanted = [c for c in roi.get("ContourSequence", []) or [] if len(c.ContourData) % 3 == 0]
        if len(wanted) != len(structure["contours"]):
            faults.append(f"structure {number}: {len(wanted)} contours by pydicom, {len(structure['contours'])} here")
        for contour, ours in zip(wanted, structure["contours"]):
            if [float(v) for v in contour.ContourData] != [v for point in ours["points_mm"] for v in point]:
                faults.append(f"structure {number}: coordinates")
            if contour.ContourGeometricType.startswith("CLOSED") != ours["closed"]:
                faults.append(f"structure {number}: closed or open")
            if [i.ReferencedSOPInstanceUID for i in contour.get("ContourImageSequence", [])] != ours["images"]:
                faults.append(f"structure {number}: images")
    return len(rois), faults, None


def named(ds):
    return [i.ReferencedSOPInstanceUID for i in ds.get("ReferencedImageSequence", [])]


def numbers(value):
    return [float(v) for v in value] if hasattr(value, "__iter__") and not isinstance(value, str) else [float(value)]


def check_state(ds, path, found):
    pictures = [uid for series in ds.get("ReferencedSeriesSequence", []) for uid in named(series)]
    turned = (int(ds.get("ImageRotation", 0)) % 360 // 90, ds.get("ImageHorizontalFlip", "N") == "Y")
    windows, areas, graphics, texts = [], [], [], []
    for item in ds.get("SoftcopyVOILUTSequence", []):
        if item.get("WindowCenter") is not None:
            pairs = zip(numbers(item.WindowCenter), numbers(item.WindowWidth))
            windows += [(named(item), center, width) for center, width in pairs]
    for item in ds.get("DisplayedAreaSelectionSequence", []):
        first, last = item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner
        edges = [min(first[0], last[0]), min(first[1], last[1]), max(first[0], last[0]), max(first[1], last[1])]
        areas.append((named(item), edges, item.PresentationSizeMode))
    for item in ds.get("GraphicAnnotationSequence", []):
        graphics += [(g.GraphicType, numbers(g.GraphicData), g.GraphicAnnotationUnits == "DISPLAY")
                     for g in item.get("GraphicObjectSequence", [])]
        texts += [str(t.UnformattedTextValue).replace("\r\n", "\n").rstrip() for t in item.get("TextObjectSequence", [])]
    # Windows that are LUTs have no centre of their own in the object.
    luts = [item for item in ds.get("SoftcopyVOILUTSequence", []) if item.get("VOILUTSequence")]
    ours = [v for v in found["vois"] if not isinstance(v["voi"]["function"], dict)]
    drawings = found["drawings"]
    pairs = {
        "pictures": (pictures, [i["instance"] for i in found["images"]]),
        "turning": (turned, (found["quarter_turns"], found["flip"])),
        "windows": (windows, [([i["instance"] for i in v["images"]], v["voi"]["center"], v["voi"]["width"]) for v in ours]),
        "number of LUTs": (sum(len(i.VOILUTSequence) for i in luts), len(found["vois"]) - len(ours)),
        "displayed areas": (areas, [([i["instance"] for i in a["images"]], a["edges"], a["mode"]) for a in found["areas"]]),
        "graphics": (graphics, [(g["shape"], [v for p in g["points"] for v in p], g["of_display"])
                                for d in drawings for g in d["graphics"]]),
        "texts": (texts, [t["text"] for d in drawings for t in d["texts"]]),
    }
    faults = [f"{what}: {wanted} by pydicom, {here} here" for what, (wanted, here) in pairs.items() if wanted != here]
    return len(pairs), faults, None


def check_encapsulated(dokuei, ds, path):
    wanted = bytes(ds.EncapsulatedDocument)[:ds.get("EncapsulatedDocumentLength")]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "document"
        done = subprocess.run([dokuei, "object", "--export", out, path], capture_output=True, check=False)
        same = done.returncode == 0 and out.read_bytes() == wanted
    return 1, [] if same else ["the document's bytes"], None


def kind_of(ds):
    if "ContentSequence" in ds:
        return "document"
    if "EncapsulatedDocument" in ds:
        return "encapsulated"
    kinds = {"1.2.840.10008.5.1.4.1.1.66.4": "segmentation", "1.2.840.10008.5.1.4.1.1.66.7": "segmentation",
             "1.2.840.10008.5.1.4.1.1.481.3": "structure_set", "1.2.840.10008.5.1.4.1.1.11.1": "presentation_state",
             "1.2.840.10008.5.1.4.1.1.11.2": "presentation_state"}
    return kinds.get(str(ds.get("SOPClassUID", "")))


def check(dokuei, path, ds, kind):
    if kind == "encapsulated":
        return check_encapsulated(dokuei, ds, path)
    done = subprocess.run([dokuei, "object", "--json", path], capture_output=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return 0, [done.stderr.decode(errors="replace") or "no JSON"], None
    if kind not in found:
        return 0, [f"read as {', '.join(found)}"], None
    checks = {"document": check_document, "segmentation": check_segmentation, "structure_set": check_structures,
              "presentation_state": check_state}
    return checks[kind](ds, path, found[kind])


def main():
    dokuei, sound = sys.argv[1], "--sound" in sys.argv[2:]
    paths = [pathlib.Path(p) for p in sys.argv[2:] if p != "--sound"]
    if not shutil.which("dsrdump"):
        sys.exit("dsrdump of dcmtk is missing")
    bad = False
    totals = {}
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        compared = 0
        for file in files:
            try:
                ds = pydicom.dcmread(file)
                kind = kind_of(ds)
            except Exception:  # pydicom cannot say what it is: nothing to compare with
                continue
            if kind is None:
                continue
            compared += 1
            count, faults, apart = check(dokuei, file, ds, kind)
            if sound and apart:
                faults.append(apart)
            bad |= bool(faults)
            total = totals.setdefault(kind, [0, 0, 0])
            total[0] += 1
            total[1] += count
            total[2] += len(faults)
            print(f"{file.name}: {kind}, {count} parts, {len(faults)} differ" + (f"; {apart}" if apart else ""))
            for fault in faults:
                print("    DIFFERENT:", fault)
        if not compared:
            print(f"nothing to compare in {path}")
            sys.exit(2)
    for kind, (objects, parts, faults) in totals.items():
        print(f"{kind}: {objects} objects, {parts} parts, {faults} differences")
    sys.exit(bad)


if __name__ == "__main__":
    main()
