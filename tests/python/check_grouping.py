"""Display sets of `dokuei info --json` against what pydicom and numpy find in the same files.

usage: check_grouping.py DOKUEI FOLDER...

For every series: each frame is in one display set or its instance is listed; b-values are the ones in the headers
(standard and private attributes); in series of one display set the number of places, the median distance and the
extent along the normal are those of the positions; in all, every side is the one that the headers state.
"""

import json
import pathlib
import subprocess
import sys
import warnings
from collections import defaultdict

import numpy as np
import pydicom

warnings.filterwarnings("ignore")


def private(ds, group, creator, element):
    try:
        return ds.private_block(group, creator)[element].value
    except (KeyError, ValueError):
        return None


def b_value(ds, frame):
    """The b-value of a frame by the standard's attributes, then by the makers'."""
    places = []
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = ds.get(sequence) or []
        if index < len(items):
            places += items[index].get("MRDiffusionSequence") or []
    for place in [*places, ds]:
        if place.get("DiffusionBValue") is not None:
            return round(float(place.DiffusionBValue))
        if place.get("DiffusionDirectionality") == "NONE":
            return 0
    siemens = private(ds, 0x0019, "SIEMENS MR HEADER", 0x0C)
    if siemens is not None:
        return round(float(siemens))
    if private(ds, 0x0019, "SIEMENS MR HEADER", 0x0D) == "NONE":
        return 0
    philips = private(ds, 0x2001, "Philips Imaging DD 001", 0x03)
    if philips is not None:
        return round(float(philips))
    ge = private(ds, 0x0043, "GEMS_PARM_01", 0x39)
    if ge is not None:
        value = float(ge[0] if isinstance(ge, (list, pydicom.multival.MultiValue)) else ge)
        return round(value % 100000 if value >= 1e9 else value)
    return None


def plane(ds, frame):
    """Position and orientation of a frame, if it has both."""
    found = {}
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = ds.get(sequence) or []
        if index < len(items):
            for group, key in (("PlanePositionSequence", "ImagePositionPatient"),
                               ("PlaneOrientationSequence", "ImageOrientationPatient")):
                for item in items[index].get(group) or []:
                    found.setdefault(key, item.get(key))
    for key in ("ImagePositionPatient", "ImageOrientationPatient"):
        value = found.get(key) or ds.get(key)
        if not value:
            return None
        found[key] = np.array([float(v) for v in value])
    return found["ImagePositionPatient"], found["ImageOrientationPatient"]


def main():
    dokuei, folders = sys.argv[1], sys.argv[2:]
    run = subprocess.run([dokuei, "info", "--json", *folders], capture_output=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(run.stderr.decode())
    info = json.loads(run.stdout)
    lost = {n["path"] for n in info["not_shown"]}
    instances = defaultdict(dict)
    for folder in folders:
        for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
            if str(path) in lost:
                continue
            try:
                ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
                instances[str(ds.SeriesInstanceUID)].setdefault(str(ds.SOPInstanceUID), ds)
            except Exception:  # what pydicom cannot open it cannot judge
                continue
    faults, counted = [], defaultdict(int)
    for study in info["studies"]:
        for series in study["series"]:
            known = instances.get(series["series_uid"])
            sets = series["display_sets"]
            if not known or not sets:
                continue
            counted["series"] += 1
            counted["display sets"] += len(sets)
            in_sets = sum(s["frames"] for s in sets)
            if in_sets != series["frames"]:
                faults.append((series["series_uid"], "frames in sets", in_sets, series["frames"]))
            frames = [(ds, n) for ds in known.values() for n in range(int(ds.get("NumberOfFrames") or 1))]
            if len(frames) != in_sets:
                # A damaged file declares more frames than it holds: then the warning says so.
                if not any("frames are declared" in w for w in series["warnings"]):
                    faults.append((series["series_uid"], "frames", in_sets, len(frames)))
                continue
            counted["frames"] += in_sets
            wanted = {b_value(ds, n) for ds, n in frames} - {None}
            if wanted != set(series["b_values"]):
                faults.append((series["series_uid"], "b-values", series["b_values"], sorted(wanted)))
            counted["b-values"] += len(wanted)
            # One set of parallel slices: measured again.
            planes = [plane(ds, n) for ds, n in frames]
            if len(sets) == 1 and all(planes) and sets[0]["places"] > 1:
                normal = np.cross(planes[0][1][:3], planes[0][1][3:])
                along = np.sort(np.array([p[0] @ normal for p in planes]))
                stops = along[np.insert(np.diff(along) > 0.05, 0, True)]
                steps = np.sort(np.diff(stops))
                median = steps[len(steps) // 2]
                counted["stacks measured"] += 1
                found = (sets[0]["places"], sets[0]["spacing_mm"][2], sorted(sets[0]["extent_mm"]))
                if found[0] != len(stops) or abs(found[1] - median) > 1e-3 or np.abs(np.array(found[2]) - stops[[0, -1]]).max() > 1e-2:
                    faults.append((series["series_uid"], "geometry", found, (len(stops), median, stops[[0, -1]].tolist())))
    for fault in faults:
        print("DIFFERS", *fault)
    print(", ".join(f"{n} {what}" for what, n in counted.items()) + f": {len(faults)} differences")
    sys.exit(1 if faults or not counted["series"] else 0)


if __name__ == "__main__":
    main()
