"""Compares every stage of `dokuei pixels` with pydicom and dcmtk.

usage: check_grey.py DOKUEI PATH... [--markdown] [--verbose]

Frames: the first, the middle and the last of every grey image that pydicom decodes. Stored values and modality values
must be equal (lossy JPEG: within 1); each VOI choice within 0.02 of 255 of pydicom; the presentation, without padding,
within 1 of 255 of dcmtk's dcm2pnm family. Differences that are explained by the standard's text are named in EXPLAINED
below and counted apart. Exit code 1 on any other difference, 2 if nothing could be compared.
"""

import argparse
import collections
import copy
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing, pixel_array

warnings.filterwarnings("ignore")
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91",
         "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.4.112", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.110"}
JPEG = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
          "1.2.840.10008.1.2.5"}
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}


class Table:
    """Counts of one comparison."""

    def __init__(self):
        self.rows = collections.OrderedDict()
        self.failures = []
        self.explained = collections.Counter()
        self.not_compared = collections.Counter()

    def add(self, name, what, worst, limit, reason=None):
        row = self.rows.setdefault(name, [0, 0, 0, 0.0])
        row[0] += 1
        if worst == 0:
            row[1] += 1
        if worst <= limit:
            row[2] += 1
            row[3] = max(row[3], worst)
        elif reason:
            self.explained[(name, reason)] += 1
        else:
            self.failures.append(f"{name}: {what}: off by {worst:g} (allowed {limit:g})")


def effective(ds, frame):
    """A copy of the small attributes with the frame's functional groups at the root, where pydicom looks for them."""
    out = pydicom.Dataset()
    out.file_meta = ds.file_meta
    out.set_original_encoding(*ds.original_encoding)
    for element in ds:
        if element.tag != (0x7FE0, 0x0010) and element.tag.group in (0x0028, 0x2050):
            out.add(copy.copy(element))
    groups = []
    for holder in (ds.get("SharedFunctionalGroupsSequence"), ds.get("PerFrameFunctionalGroupsSequence")):
        if holder:
            groups.append(holder[frame] if len(holder) > frame and holder is not ds.get("SharedFunctionalGroupsSequence") else holder[0])
    for group in groups:
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if group.get(name):
                for element in group[name].value[0] if hasattr(group[name], "value") else group[name][0]:
                    out.add(copy.copy(element))
    return out


def run(dokuei, file, frame, stage, out, *options):
    done = subprocess.run([dokuei, "pixels", str(file), "--frame", str(frame + 1), "--stage", stage, "-o", str(out),
                           *options], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip()
    return np.load(out), done.stdout


def dcmtk(tool, file, frame, out, *options):
    plain = [] if "+O" in options else ["-O"]
    done = subprocess.run([tool, *plain, "+F", str(frame + 1), "+op", *options, str(file), str(out)],
                          capture_output=True, text=True)
    if done.returncode != 0 or not out.exists():
        return None
    data = out.read_bytes()
    head = re.match(rb"P5\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+(\d+)\s", data)
    if not head:
        return None
    columns, rows = int(head[1]), int(head[2])
    return np.frombuffer(data, np.uint8, rows * columns, head.end()).reshape(rows, columns)


def padding_of(ds, stored):
    """Pixels that are padding."""
    mask = np.zeros(stored.shape, bool)
    value = ds.get("PixelPaddingValue")
    if value is None or value == "":
        return mask
    limit = ds.get("PixelPaddingRangeLimit", value)

    def sign(v):
        v = int(v)
        if ds.BitsStored <= 16:
            v &= 0xFFFF
            if ds.PixelRepresentation == 1 and v >= 0x8000:
                v -= 0x10000
        return v

    low, high = sorted((sign(value), sign(limit if limit not in (None, "") else value)))
    return (stored >= low) & (stored <= high)


def windows_of(ds):
    """Sound windows with their place among all."""
    def numbers(name):
        try:
            value = ds.get(name)
            if value is None or value == "":
                return []
            return [float(v) for v in (value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value])]
        except (TypeError, ValueError):
            return []
    function = str(ds.get("VOILUTFunction") or "LINEAR")
    least = 1 if function not in ("LINEAR_EXACT", "SIGMOID") else 1e-300
    pairs = zip(numbers("WindowCenter"), numbers("WindowWidth"))
    return [(at, c, w, function) for at, (c, w) in enumerate(pairs) if w >= least]


def output_range(ds):
    """Smallest and largest value of pydicom's windows."""
    if ds.get("ModalityLUTSequence") and ds.ModalityLUTSequence[0].get("LUTDescriptor"):
        return 0.0, float(2 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1)
    bits = ds.BitsStored
    low, high = (0, 2 ** bits - 1) if ds.PixelRepresentation == 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    if slope not in (None, "") and intercept not in (None, ""):
        low, high = low * float(slope) + float(intercept), high * float(slope) + float(intercept)
    return float(low), float(high)


def check(dokuei, file, table, folder, options):
    try:
        ds = pydicom.dcmread(file, force=False)
    except Exception:
        return
    if "PixelData" not in ds or ds.get("SamplesPerPixel", 1) != 1 or ds.get("PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2"):
        return
    syntax = str(ds.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2"))
    frames = int(ds.get("NumberOfFrames") or 1)
    out = folder / "out.npy"
    pnm = folder / "out.pgm"
    for frame in sorted({0, frames // 2, frames - 1}):
        name = f"{file}#{frame + 1}"
        try:
            reference = pixel_array(ds, index=frame, raw=True)
        except Exception as error:
            table.not_compared["pydicom does not decode: " + type(error).__name__] += 1
            continue
        ours, text = run(dokuei, file, frame, "stored", out)
        if ours is None:
            table.failures.append(f"stored: {name}: {text}")
            continue
        if ours.shape != reference.shape:
            table.failures.append(f"stored: {name}: {ours.shape} is not {reference.shape}")
            continue
        lossy = syntax in LOSSY
        worst = float(np.abs(ours.astype(np.float64) - reference.astype(np.float64)).max())
        table.add("stored, lossy coding" if lossy else "stored", name, worst, 1 if lossy else 0, explain(file, "stored", ds))
        if worst > (1 if lossy else 0):
            continue
        stored = ours
        ds_frame = effective(ds, frame)
        if "RescaleIntercept" in ds_frame and ds_frame.get("RescaleIntercept") in (None, ""):
            del ds_frame.RescaleIntercept
        if "RescaleSlope" in ds_frame and ds_frame.get("RescaleSlope") in (None, ""):
            del ds_frame.RescaleSlope
        modality, _ = run(dokuei, file, frame, "modality", out)
        try:
            reference = apply_modality_lut(stored, ds_frame)
            worst = float(np.abs(modality - reference).max())
            scale = max(1.0, float(np.abs(reference).max()))
            table.add("modality", name, worst if worst > 1e-12 * scale else 0.0, 0, explain(file, "modality", ds))
        except Exception as error:
            reference = None
            table.not_compared["pydicom has no modality value: " + type(error).__name__] += 1
        input_values = modality if reference is None else reference
        choices = []
        if ds_frame.get("VOILUTSequence"):
            for at, item in enumerate(ds_frame.VOILUTSequence):
                if item.get("LUTDescriptor") and item.get("LUTData"):
                    choices.append(("LUT", at, None))
        choices += [("window", at, (c, w, f)) for at, c, w, f in windows_of(ds_frame)]
        padded = padding_of(ds_frame, stored) | ~np.isfinite(stored)
        for number, (kind, at, window) in enumerate(choices, 1):
            label = f"{name} choice {number}"
            ours, said = run(dokuei, file, frame, "voi", out, "--voi", str(number))
            if ours is None:
                table.failures.append(f"voi: {label}: {said}")
                continue
            try:
                if kind == "LUT":
                    whole = np.all(input_values == np.trunc(input_values))
                    if not whole:
                        raise ValueError("fractional input")
                    values = apply_voi(input_values.astype(np.int64), ds_frame, index=at)
                    bits = ds_frame.VOILUTSequence[at].LUTDescriptor[2]
                    expected = values / (2.0 ** bits - 1) * 255
                    row = "voi LUT"
                else:
                    values = apply_windowing(input_values, ds_frame, index=at)
                    low, high = output_range(ds_frame)
                    expected = (values - low) / (high - low) * 255
                    row = "voi window " + window[2]
                worst = float(np.abs(ours - expected).max())
                reason = explain_lut(ds_frame, ds_frame.VOILUTSequence[at]) if kind == "LUT" else None
                table.add(row, label, 0.0 if worst < 1e-3 else worst, 0.02, reason)
            except Exception as error:
                table.not_compared[f"pydicom has no {kind}: {error}"] += 1
            arguments = ["+Wl", str(at + 1)] if kind == "LUT" else ["+Wi", str(at + 1)]
            if window and window[2] == "LINEAR_EXACT":
                table.not_compared["dcmtk does not know LINEAR_EXACT"] += 1
                continue
            if window:
                arguments += ["+Wfs"] if window[2] == "SIGMOID" else ["+Wfl"]
            present(dokuei, file, frame, ds, ds_frame, syntax, table, out, pnm, padded, modality,
                    "presentation " + ("LUT" if kind == "LUT" else window[2]), label, ["--voi", str(number)], arguments)
        # A window of our own over the values that are there, so that every grey image is compared.
        sound = modality[~padded]
        if sound.size and np.isfinite(sound).all():
            low, high = float(sound.min()), float(sound.max())
            center, width = np.floor((low + high) / 2), max(2.0, np.ceil((high - low) * 0.8))
            window = f"{center:g},{width:g}" if abs(center) < 1e6 else f"{center:.0f},{width:.0f}"
            present(dokuei, file, frame, ds, ds_frame, syntax, table, out, pnm, padded, modality,
                    "presentation, window of the check", name, ["--window", window], ["+Ww", *window.split(","), "+Wfl"])
            if any(e.tag.group & 0xFF01 == 0x6000 and e.tag.element == 0x0040 and e.value == "G" for e in ds):
                present(dokuei, file, frame, ds, ds_frame, syntax, table, out, pnm, padded, modality,
                        "presentation with overlays", name, ["--window", window, "--overlays"],
                        ["+Ww", *window.split(","), "+Wfl", "+O", "0", "+Omr"])


def present(dokuei, file, frame, ds, ds_frame, syntax, table, out, pnm, padded, modality, row, label, ours, theirs):
    tool = "dcmj2pnm" if syntax in JPEG else "dcml2pnm" if syntax in JPEG_LS else "dcm2pnm" if syntax in NATIVE else None
    if tool is None or not shutil.which(tool):
        table.not_compared[f"dcmtk has no decoder for {pydicom.uid.UID(syntax).name}"] += 1
        return
    pnm.unlink(missing_ok=True)
    expected = dcmtk(tool, file, frame, pnm, *theirs)
    if expected is None:
        table.not_compared["dcmtk gives no picture"] += 1
        return
    shown, said = run(dokuei, file, frame, "presentation", out, *ours)
    if shown is None:
        table.failures.append(f"{row}: {label}: {said}")
        return
    if shown.shape != expected.shape:
        table.failures.append(f"{row}: {label}: {shown.shape} is not {expected.shape}")
        return
    different = np.abs(shown.astype(int) - expected.astype(int))[~padded]
    worst = float(different.max()) if different.size else 0.0
    reason = explain(file, row, ds)
    groups = ds.get("PerFrameFunctionalGroupsSequence")
    if not reason and theirs[0] == "+Wi" and frame > 0 and groups and "FrameVOILUTSequence" in groups[frame]:
        reason = "dcmtk takes the first frame's window for all; C.7.6.16.2.10: each frame has its own"
    if worst > 1 and not reason and not np.array_equal(modality, np.trunc(modality)):
        reason = "dcmtk cuts fractional modality values to whole numbers before the window"
    limit, what = 1, row
    if syntax in LOSSY:
        # Decoders of lossy codings may differ by one stored value; a narrow window makes more of it.
        width = float(theirs[2]) if theirs[0] == "+Ww" else None
        if width is None and theirs[0] == "+Wi":
            width = windows_by_place(ds_frame).get(int(theirs[1]) - 1)
        limit = 1 + int(np.ceil(255 / max(width, 1.0))) if width else 2
        what = row + ", lossy coding"
    table.add(what, f"{label} ({int((different > limit).sum())} pixels)", worst, limit, reason)


def windows_by_place(ds):
    return {at: width for at, _, width, _ in windows_of(ds)}


def explain(file, stage, ds):
    """Known differences, each with who is right by the standard's text."""
    if stage == "stored":
        if ds.HighBit + 1 != ds.BitsStored:
            return "pydicom takes the lowest bits whatever High Bit says; PS3.5 8.1.1 puts the pixel below High Bit"
    return None


def explain_lut(ds, item):
    entries, first, bits = item.LUTDescriptor
    entries = (entries & 0xFFFF) or 65536
    if bits == 8 and entries > 256:
        return "more than 256 entries of 8 bits: pydicom's index wraps at 256; dcmtk agrees with us"
    intercept = ds.get("RescaleIntercept")
    negative = intercept not in (None, "") and float(intercept) < 0
    if ds.PixelRepresentation == 0 and negative and first >= 0x8000:
        return "implicit VR: pydicom takes the first input value as unsigned; C.11.2.1.1: signed, since the rescale output may be"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dokuei")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    files = []
    for path in options.paths:
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            check(options.dokuei, file, table, pathlib.Path(folder), options)
    if options.markdown:
        print("| stage | compared | equal | within | largest difference |\n|---|---|---|---|---|")
    for name, (count, equal, within, worst) in table.rows.items():
        if options.markdown:
            print(f"| {name} | {count} | {equal} | {within} | {worst:.3g} |")
        else:
            print(f"{name}: {count} compared, {equal} equal, {within} within, largest {worst:.3g}")
    for (name, reason), count in table.explained.items():
        print(f"explained: {name}: {count}: {reason}")
    for reason, count in table.not_compared.most_common():
        print(f"not compared: {count}: {reason}")
    for failure in table.failures[:200]:
        print("DIFFERENT:", failure)
    print(f"{len(files)} files, {len(table.failures)} differences")
    if not table.rows:
        return 2
    return 1 if table.failures else 0


if __name__ == "__main__":
    sys.exit(main())
