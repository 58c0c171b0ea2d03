"""Makes an angiographic run with presentation states that subtract a mask, sound by dciodvfy, and judges what `dokuei pixels
--state` shows of every frame by numpy: modality values within 0.001 of their range, presentations within 1 of 255. No other
viewer at hand shows such states.

usage: check_masks.py DOKUEI FOLDER    (exit code 1: something differs)
"""

import pathlib
import subprocess
import sys

import check_grey
import make_states
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

FRAMES = 7


def moved(mask, down, right):
    """Bilinear, edges held: the mean of the four neighbours, weighted."""
    rows, columns = mask.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    y, x = y - down, x - right
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    at = lambda r, c: mask[np.clip(r, 0, rows - 1), np.clip(c, 0, columns - 1)]
    dy, dx = y - top, x - left
    upper = at(top, left) * (1 - dx) + at(top, left + 1) * dx
    lower = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx
    return upper * (1 - dy) + lower * dy


def run_of_frames():
    ds, low, high = make_states.picture(900, "m2-12u")
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.12.1"
    ds.Modality, ds.NumberOfFrames = "XA", FRAMES
    random = np.random.default_rng(11)
    first = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns).astype(int)
    frames = [np.clip(first // 2 + random.integers(0, 300, first.shape) + 40 * n, low, high - 1) for n in range(FRAMES)]
    ds.PixelData = np.stack(frames).astype("<u2").tobytes()
    ds.FrameTime, ds.FrameIncrementPointer = "250", 0x00181063
    return ds, np.stack(frames)


def masked(ds, operation, numbers=None, offset=None, shift=None, frame_range=None):
    item = Dataset()
    item.MaskOperation = operation
    if numbers:
        item.MaskFrameNumbers = numbers
    if offset is not None:
        item.TIDOffset = offset
    if shift:
        item.MaskSubPixelShift = shift
    if frame_range:
        item.ApplicableFrameRange = frame_range
    item.ContrastFrameAveraging = 1
    ds.MaskSubtractionSequence, ds.RecommendedViewingMode = Sequence([item]), "SUB"


# Name: the mask, slope and intercept, centre and width, masks of a frame (from 1; none: shown as it is).
STATES = {
    "average": (dict(operation="AVG_SUB", numbers=[1, 2], frame_range=[3, FRAMES]), (1, 0), (0, 800),
                lambda n: [1, 2] if n >= 3 else []),
    "one": (dict(operation="AVG_SUB", numbers=[4]), (2, 30), (100, 3000), lambda n: [4]),
    "shifted": (dict(operation="AVG_SUB", numbers=[1], shift=[0.5, -1.25]), (1, -1024), (-50, 700), lambda n: [1]),
    "before": (dict(operation="TID", offset=2), (1, 0), (0, 400), lambda n: [n - 2] if n > 2 else []),
    "before-in-range": (dict(operation="TID", offset=1, frame_range=[3, 5]), (1, 0), (0, 400),
                        lambda n: [n - 1] if 4 <= n <= 5 else []),
}


def main():
    dokuei, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    image, frames = run_of_frames()
    picture, out = folder / "run.dcm", folder / "ours.npy"
    image.save_as(picture, enforce_file_format=True)
    failures, compared, worst = [], 0, 0
    for number, (name, (mask, (slope, intercept), (center, width), masks_of)) in enumerate(STATES.items(), 950):
        ds = make_states.state(number, image)
        make_states.rescaled(ds, slope, intercept)
        make_states.windowed(ds, center, width)
        masked(ds, **mask)
        state = folder / f"{name}.pr.dcm"
        ds.save_as(state, enforce_file_format=True)
        judged = subprocess.run(["dciodvfy", str(state)], capture_output=True, text=True, check=False)
        failures += [f"{name}: {line}" for line in judged.stderr.splitlines() if line.startswith("Error")]
        for frame in range(1, FRAMES + 1):
            values = frames * float(slope) + intercept
            expected = values[frame - 1]
            if masks_of(frame):
                mean = np.mean([values[m - 1] for m in masks_of(frame)], axis=0)
                expected = expected - moved(mean, *mask.get("shift", (0, 0)))
            for stage in ("modality", "presentation"):
                found, said = check_grey.run(dokuei, picture, frame - 1, stage, out, "--state", str(state))
                if found is None:
                    failures.append(f"{name}, frame {frame}: {said}")
                    continue
                compared += 1
                wanted = expected
                if stage == "presentation":
                    # C.11.2.1.2.1
                    ramp = (expected - (center - 0.5)) / (width - 1) + 0.5
                    wanted = np.clip(ramp, 0, 1) * 255
                off = np.abs(found.astype(float) - wanted).max()
                allowed = 1 if stage == "presentation" else 0.001 * 4096
                worst = max(worst, off) if stage == "presentation" else worst
                if found.shape != wanted.shape or off > allowed or ("a mask is subtracted" in said) != bool(masks_of(frame)):
                    failures.append(f"{name}, frame {frame}, {stage}: off by {off}, {said!r}")
    for failure in failures:
        print("DIFFERENT:", failure)
    print(f"mask subtraction: {compared} compared, largest {worst:.2f} of 255, {len(failures)} differences")
    return 1 if failures or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
