"""Compares pictures under presentation states, as `dokuei pixels --state` shows them, with dcmtk's dcmp2pgm: within 1 of
255. It shows all but shutters of lines and overlay planes; those are laid over its picture here, by numpy and Pillow from
what pydicom reads. Pixels that the line of a polygon crosses are not judged. The states must be sound by dciodvfy, and
read alike in implicit VR, which dcmp2pgm does not open where they hold tables.

usage: check_states.py DOKUEI FOLDER    (made by make_states.py; exit code 1: something differs, 2: nothing compared)
"""

import collections
import pathlib
import subprocess
import sys
import tempfile

import check_grey
import numpy as np
import pydicom
from PIL import Image, ImageDraw
from pydicom.overlays import get_overlay_array
from pydicom.uid import ImplicitVRLittleEndian


def grey(data):
    """A binary PGM."""
    head = check_grey.re.match(rb"P5\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+255\s", data)
    columns, rows = int(head[1]), int(head[2])
    return np.frombuffer(data, np.uint8, rows * columns, head.end()).reshape(rows, columns)


def ours(dokuei, picture, state, out):
    found, said = check_grey.run(dokuei, picture, 0, "presentation", out, "--state", str(state))
    if found is None:
        raise ValueError(said)
    return found


def laid_over(ds, shape):
    """Level of each pixel that a shutter or a plane covers (else -1), and what is not judged, on the picture as it is."""
    level, open_question = np.full(shape, -1), np.zeros(shape, bool)
    shapes = ds.get("ShutterShape", [])
    shapes = [shapes] if isinstance(shapes, str) else list(shapes)
    y, x = np.mgrid[1:shape[0] + 1, 1:shape[1] + 1]
    is_open = np.ones(shape, bool)
    if "RECTANGULAR" in shapes:
        is_open &= (x >= ds.ShutterLeftVerticalEdge) & (x <= ds.ShutterRightVerticalEdge)
        is_open &= (y >= ds.ShutterUpperHorizontalEdge) & (y <= ds.ShutterLowerHorizontalEdge)
    if "CIRCULAR" in shapes:
        row, column = ds.CenterOfCircularShutter
        is_open &= np.hypot(y - row, x - column) <= ds.RadiusOfCircularShutter
    if "POLYGONAL" in shapes:
        numbers = list(ds.VerticesOfThePolygonalShutter)
        corners = [(column - 1, row - 1) for row, column in zip(numbers[::2], numbers[1::2])]
        inside, line = Image.new("1", shape[::-1]), Image.new("1", shape[::-1])
        ImageDraw.Draw(inside).polygon(corners, fill=1, outline=1)
        ImageDraw.Draw(line).line([*corners, corners[0]], fill=1)
        is_open &= np.array(inside)
        open_question |= np.array(line)
    level[~is_open] = round(int(ds.get("ShutterPresentationValue", 0)) / 65535 * 255)
    if (0x6000, 0x1001) in ds:
        # In white, whatever grey the layer recommends.
        level[get_overlay_array(ds, 0x6000) == 1] = 255
    return level, open_question


def turned(array, ds):
    """Turned clockwise, then mirrored (C.10.6)."""
    array = np.rot90(array, -(int(ds.get("ImageRotation", 0)) // 90))
    return np.fliplr(array) if ds.get("ImageHorizontalFlip") == "Y" else array


# Tables whose entries are far apart: dcmtk takes the entry below, we the straight line between entries, so that grey
# levels next to each other stay apart. C.11.6 leaves it open.
COARSE = {"presentation-256": 2}


def check(dokuei, state, folder):
    """The largest difference, the pixels that differ by more than 1, and faults."""
    picture = state.with_name(state.name.split("_")[0] + ".dcm")
    judged = subprocess.run(["dciodvfy", str(state)], capture_output=True, text=True, check=False)
    faults = [line for line in judged.stderr.splitlines() if line.startswith("Error")]
    pgm, out, implicit = folder / "theirs.pgm", folder / "ours.npy", folder / "implicit.dcm"
    pgm.unlink(missing_ok=True)
    subprocess.run(["dcmp2pgm", "-q", "-p", str(state), str(picture), str(pgm)], check=True)
    expected, found = grey(pgm.read_bytes()), ours(dokuei, picture, state, out)
    ds = pydicom.dcmread(state)
    level, open_question = laid_over(ds, pydicom.dcmread(picture).pixel_array.shape)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds.save_as(implicit, implicit_vr=True, little_endian=True, enforce_file_format=True)
    if not np.array_equal(ours(dokuei, picture, implicit, out), found):
        faults.append("another picture by the same state in implicit VR")
    if found.shape != expected.shape:
        return 255, found.size, faults + [f"{found.shape}, by dcmtk {expected.shape}"]
    level, open_question = turned(level, ds), turned(open_question, ds)
    expected = np.where(level >= 0, level, expected.astype(int))
    different = np.abs(found.astype(int) - expected)[~open_question]
    return int(different.max()), int((different > 1).sum()), faults


def main():
    dokuei, made = sys.argv[1], pathlib.Path(sys.argv[2])
    rows = collections.defaultdict(lambda: [0, 0, 0])
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for state in sorted(made.glob("*.pr.dcm")):
            kind = state.name.removesuffix(".pr.dcm").split("_")[1]
            worst, pixels, faults = check(dokuei, state, pathlib.Path(folder))
            rows[kind][0] += 1
            rows[kind][1] += worst <= 1
            rows[kind][2] = max(rows[kind][2], worst)
            if worst > COARSE.get(kind, 1):
                faults.append(f"off by {worst}, {pixels} pixels by more than 1")
            failures += [f"{state.name}: {fault}" for fault in faults]
    for kind, (count, within, worst) in rows.items():
        print(f"{kind}: {count} compared, {within} within 1, largest {worst}")
    for failure in failures:
        print("DIFFERENT:", failure)
    print(f"{sum(r[0] for r in rows.values())} states, {len(failures)} differences")
    return 2 if not rows else 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
