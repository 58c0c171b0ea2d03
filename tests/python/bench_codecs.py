"""How fast frames are decoded, against the same C library bare, dicom-pixeldata's own codecs and imagecodecs.

usage: bench_codecs.py BENCH-PROGRAM [ROUNDS]

Competitors take turns; medians; one thread. Prints milliseconds a frame and how many times faster we are (below 1: slower).
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import generate_frames

import check_codecs as matrix

JPEG, BASE = matrix.JPEG, matrix.BASE


def ct(frames=15):
    """512 x 512, 12 of 16 bits: a body with noise of neighbouring pixels."""
    random = np.random.default_rng(11)
    y, x = np.mgrid[0:512, 0:512]
    body = np.hypot(x - 256, (y - 256) * 1.3) < 220
    out = []
    for n in range(frames):
        noise = random.normal(0, 30, (512, 512))
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, 1, (0, 1))) / 2
        organ = np.hypot(x - 200 - n, y - 240) < 70
        out.append(np.clip(np.where(body, 1040 + organ * 60 + noise, 24 + noise / 10), 0, 4095))
    return np.stack(out).astype(np.uint16)


def files(folder):
    stack = ct()
    eight = (stack[:, :, :] >> 4).astype(np.uint8)
    matrix.ROWS = matrix.COLUMNS = 512

    def add(name, syntax, values, allocated, stored, encode):
        streams = [bytes(encode(f)) for f in values]
        d = matrix.native(values, allocated, stored, 0)
        matrix.packed(folder, name, d, syntax, streams)

    sof3 = lambda f: imagecodecs.jpeg8_encode(f, lossless=True, predictor=1, bitspersample=12)  # noqa: E731
    add("jpeg-lossless-ct", JPEG + "70", stack, 16, 12, sof3)
    add("jpeg-lossless-ct-480", JPEG + "70", np.concatenate([stack] * 32), 16, 12, sof3)
    add("jpeg-12-bit-ct", JPEG + "51", stack, 16, 12, lambda f: imagecodecs.jpeg8_encode(f, level=90, bitspersample=12))
    add("jpeg-8-bit-ct", JPEG + "50", eight, 8, 8, lambda f: imagecodecs.jpeg8_encode(f, level=90))
    add("jpeg-ls-ct", JPEG + "80", stack, 16, 12, imagecodecs.jpegls_encode)
    add("jpeg-2000-ct", JPEG + "90", stack, 16, 12, lambda f: imagecodecs.jpeg2k_encode(f, codecformat="j2k", reversible=True))
    add("htj2k-ct", JPEG + "201", stack, 16, 12, lambda f: imagecodecs.htj2k_encode(f, reversible=True))
    add("jpeg-xl-ct", JPEG + "110", stack[:4], 16, 12, lambda f: imagecodecs.jpegxl_encode(f, lossless=True))
    d = matrix.native(stack, 16, 12, 0)
    d.compress(BASE + ".5", encoding_plugin="pydicom")
    matrix.write(folder, "rle-ct", d)


def decoder(name):
    if name.startswith("jpeg-ls"):
        return imagecodecs.jpegls_decode
    if name.startswith("jpeg-2000"):
        return imagecodecs.jpeg2k_decode
    if name.startswith("htj2k"):
        return imagecodecs.htj2k_decode
    if name.startswith("jpeg-xl"):
        return lambda s: imagecodecs.jpegxl_decode(s, numthreads=1)
    if name.startswith("rle"):
        return lambda s: imagecodecs.dicomrle_decode(s, np.uint16)
    return imagecodecs.jpeg8_decode


def main(program, rounds=5):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files(folder)
        print(f"{'file':22} {'frames':>6} {'ours ms':>8} {'bare':>6} {'dicom-pixeldata':>15} {'imagecodecs':>11}")
        for path in sorted(folder.glob("*.dcm")):
            d = pydicom.dcmread(path)
            frames = int(d.get("NumberOfFrames", 1))
            streams = list(generate_frames(d.PixelData, number_of_frames=frames))[:: -(-frames // 8)]
            decode = decoder(path.stem)
            alone = folder / "alone"
            alone.mkdir(exist_ok=True)
            (alone / path.name).symlink_to(path)
            lines, theirs = [], []
            for _ in range(rounds):
                out = subprocess.run([program, str(alone), "3"], capture_output=True, text=True, check=True).stdout
                lines.append([float(v) if v != "-" else None for v in out.split()[2:]])
                decode(streams[0])
                start = time.perf_counter()
                for stream in streams:
                    decode(stream)
                theirs.append((time.perf_counter() - start) * 1000 / len(streams))
            (alone / path.name).unlink()
            ours = statistics.median(line[0] for line in lines)

            def ratio(values):
                values = [v for v in values if v is not None]
                return f"{statistics.median(values) / ours:.2f}" if values else "-"

            columns = [ratio([line[n] for line in lines]) for n in (1, 2)] + [ratio(theirs)]
            print(f"{path.stem:22} {frames:6} {ours:8.3f} {columns[0]:>6} {columns[1]:>15} {columns[2]:>11}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
