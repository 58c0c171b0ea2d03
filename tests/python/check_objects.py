"""Compares what dokuei reads of structured documents with pydicom, item by item, and with dsrdump's item count.

Usage: check_objects.py DOKUEI FILE…    (exit code 1: something differs)
"""

import json
import shutil
import subprocess
import sys

import pydicom


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
        # Fractions of zero are left out.
        whole, _, fraction = written.partition(".")
        written = whole + ("." + fraction.rstrip("0") if fraction.rstrip("0") else "")
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


def check(dokuei, path):
    faults = []
    done = subprocess.run([dokuei, "object", "--json", path], capture_output=True, check=False)
    if not done.stdout:
        return None, [done.stderr.decode()]
    found = json.loads(done.stdout)["document"]["items"]
    wanted = []
    walk(pydicom.dcmread(path), "1", wanted)
    if [n for n, _ in wanted] != [f["number"] for f in found]:
        faults.append(f"items: {len(wanted)} by pydicom, {len(found)} here")
    for (number, item), ours in zip(wanted, found):
        why = differs(item, ours)
        if why:
            faults.append(f"{number}: {why}")
    if shutil.which("dsrdump"):
        dump = subprocess.run(["dsrdump", "-q", "-Ph", path], capture_output=True, check=False)
        lines = [line for line in dump.stdout.splitlines() if line.lstrip().startswith(b"<")]
        # dsrdump refuses what breaks a rule of the class; pydicom has judged that already. Its first line is the root.
        if dump.returncode == 0 and lines and len(lines) - 1 != len(found):
            faults.append(f"items: {len(lines) - 1} by dsrdump, {len(found)} here")
    return len(found), faults


def main():
    dokuei, files = sys.argv[1], sys.argv[2:]
    bad = False
    for path in files:
        count, faults = check(dokuei, path)
        bad |= bool(faults)
        print(f"{path}: {count} items, {len(faults)} differ")
        for fault in faults:
            print("   ", fault)
    sys.exit(bad)


if __name__ == "__main__":
    main()
