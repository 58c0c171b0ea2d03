"""How fast frames are decoded, against the same C library bare, dicom-pixeldata's own codecs, imagecodecs, Cornerstone's
OpenJPH in Node, and the programs of dcmtk and gdcm.

usage: bench_codecs.py BENCH-PROGRAM [--openjph BENCH-PROGRAM-WITH-OPENJPH] [--rounds N] [--json FILE]

Every competitor takes its turn in every round; a ratio is the median over the rounds of (theirs / ours), of processor
time, one thread: above 1 we are faster. A peer that is not installed is named, not passed over in silence.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import generate_frames

import check_codecs as matrix

JPEG, BASE = matrix.JPEG, matrix.BASE
CORNERSTONE = "@cornerstonejs/codec-openjph@2.4.11"
BAR = 0.95


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


def deflate(values):
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflater.compress(values.astype("<u2").tobytes()) + deflater.flush()


def files(folder):
    stack = ct()
    eight = (stack >> 4).astype(np.uint8)
    matrix.ROWS = matrix.COLUMNS = 512

    def add(name, syntax, values, allocated, stored, encode):
        # One frame is encoded once, however often it comes.
        once = {f.tobytes(): None for f in values}
        streams = [once[f.tobytes()] or once.update({f.tobytes(): bytes(encode(f))}) or once[f.tobytes()] for f in values]
        matrix.packed(folder, name, matrix.native(values, allocated, stored, 0), syntax, streams)

    many = np.concatenate([stack] * 32)
    many_eight = np.concatenate([eight] * 32)

    def sof3(f):
        return imagecodecs.jpeg8_encode(f, lossless=True, predictor=1, bitspersample=12)

    def eight_bits(f):
        return imagecodecs.jpeg8_encode(f, level=90)

    add("jpeg-lossless-15", JPEG + "70", stack, 16, 12, sof3)
    add("jpeg-lossless-480", JPEG + "70", many, 16, 12, sof3)
    add("jpeg-baseline-15", JPEG + "50", eight, 8, 8, eight_bits)
    add("jpeg-baseline-480", JPEG + "50", many_eight, 8, 8, eight_bits)
    add("jpeg-extended", JPEG + "51", stack, 16, 12, lambda f: imagecodecs.jpeg8_encode(f, level=90, bitspersample=12))
    add("jpeg-ls-15", JPEG + "80", stack, 16, 12, imagecodecs.jpegls_encode)
    add("jpeg-ls-480", JPEG + "80", many, 16, 12, imagecodecs.jpegls_encode)
    add("jpeg-2000", JPEG + "90", stack, 16, 12, lambda f: imagecodecs.jpeg2k_encode(f, codecformat="j2k", reversible=True))
    add("htj2k", JPEG + "201", stack, 16, 12, lambda f: imagecodecs.htj2k_encode(f, reversible=True))
    add("jpeg-xl", JPEG + "110", stack[:4], 16, 12, lambda f: imagecodecs.jpegxl_encode(f, lossless=True))
    add("deflated-frame", matrix.DEFLATED_FRAMES, stack, 16, 12, deflate)
    matrix.write(folder, "deflated-data-set", matrix.native(stack, 16, 12, 0, syntax=matrix.DEFLATED))
    matrix.write(folder, "uncompressed", matrix.native(stack, 16, 12, 0))
    for name, values in [("rle-15", stack), ("rle-480", many)]:
        d = matrix.native(values, 16, 12, 0)
        d.compress(BASE + ".5", encoding_plugin="pydicom")
        matrix.write(folder, name, d)


def imagecodecs_decoder(name):
    """What imagecodecs does with a frame; none where it has no part in it."""
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
    if name.startswith("jpeg"):
        return imagecodecs.jpeg8_decode
    return None


class Cornerstone:
    """Cornerstone's OpenJPH in one Node process, asked once a round."""

    def __init__(self):
        self.reason = None
        if not (shutil.which("node") and shutil.which("npm")):
            self.reason = "node and npm are not installed"
            return
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "dokuei-ci" / "node"
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(cache), CORNERSTONE]
        if subprocess.run(command, check=False).returncode != 0:
            self.reason = f"{CORNERSTONE} could not be installed"
            return
        script = pathlib.Path(__file__).with_name("bench_openjph.js")
        environment = dict(os.environ, NODE_PATH=str(cache / "node_modules"))
        self.node = subprocess.Popen(
            ["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def load(self, streams, folder):
        names = []
        for n, stream in enumerate(streams):
            names.append(str(folder / f"frame-{n}.j2c"))
            pathlib.Path(names[-1]).write_bytes(stream)
        self.ask({"load": names})

    def ask(self, question):
        self.node.stdin.write(json.dumps(question) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())

    def milliseconds(self):
        return self.ask({"decode": 1})["ms"]

    def close(self):
        if self.reason is None:
            self.node.stdin.close()
            self.node.wait(10)


def run(program, folder, rounds):
    out = subprocess.run([program, str(folder), str(rounds)], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def ratio(theirs, ours):
    pairs = [t / o for t, o in zip(theirs, ours) if t and o]
    return statistics.median(pairs) if pairs else None


def frames_of(path):
    d = pydicom.dcmread(path)
    frames = int(d.get("NumberOfFrames", 1))
    return list(generate_frames(d.PixelData, number_of_frames=frames))[:: -(-frames // 8)]


def measure(program, path, rounds, temporary, cornerstone=None):
    """Rounds of every competitor on one file: the medians of ours, and ratios."""
    alone = temporary / "alone"
    shutil.rmtree(alone, ignore_errors=True)
    alone.mkdir()
    (alone / path.name).symlink_to(path)
    decode = imagecodecs_decoder(path.stem)
    streams = frames_of(path) if decode else []
    lines, imaging, node = [], [], []
    if cornerstone:
        cornerstone.load(streams, temporary)
        cornerstone.milliseconds()
    if decode:
        decode(streams[0])
    for _ in range(rounds):
        # Medians of three within the program: a round is one moment of the machine.
        lines.append(run(program, alone, 3))
        if decode:
            start = time.process_time()
            for stream in streams:
                decode(stream)
            imaging.append((time.process_time() - start) * 1000 / len(streams))
        if cornerstone:
            node.append(cornerstone.milliseconds())
    column = lambda key: [statistics.median(l[key]) if l.get(key) else None for l in lines]  # noqa: E731
    ours = column("ours")
    row = {
        "file": path.stem,
        "frames": lines[0]["frames"],
        "ours_ms": statistics.median(ours),
        "bare": ratio(column("bare"), ours),
        "dicom_pixeldata": ratio(column("dicom_pixeldata"), ours),
        "imagecodecs": ratio(imaging, ours),
        "two_threads": ratio(column("two"), column("one")),
    }
    if node:
        row["cornerstone"] = ratio(node, ours)
    if "borrow_ns" in lines[0]:
        row["borrow_ns"] = statistics.median(l["borrow_ns"] for l in lines)
    return row


def child_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        return None
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def whole_processes(program, folder, rounds, temporary):
    """Open, decode all frames, write the samples: processor time of the whole process."""
    ours, theirs = temporary / "ours.raw", temporary / "theirs.dcm"
    dcmtk = {"jpeg-l": "dcmdjpeg", "jpeg-b": "dcmdjpeg", "jpeg-e": "dcmdjpeg", "jpeg-ls": "dcmdjpls", "rle": "dcmdrle"}
    rows = []
    names = ["jpeg-lossless-480", "jpeg-baseline-480", "jpeg-extended", "jpeg-ls-480", "rle-480", "jpeg-2000"]
    for name in names:
        path = folder / f"{name}.dcm"
        tool = dcmtk.get(name[:7]) or dcmtk.get(name[:6]) or dcmtk.get(name[:3])
        peers = {"dcmtk": tool and [tool, str(path), str(theirs)], "gdcm": ["gdcmconv", "--raw", str(path), str(theirs)]}
        times = {"ours": [], "dcmtk": [], "gdcm": []}
        for _ in range(rounds):
            times["ours"].append(child_seconds([program, "--write", str(path), str(ours)]))
            for peer, command in peers.items():
                if command and shutil.which(command[0]):
                    times[peer].append(child_seconds(command))
        rows.append({
            "file": name,
            "ours_s": statistics.median(times["ours"]),
            "dcmtk": ratio(times["dcmtk"], times["ours"]),
            "gdcm": ratio(times["gdcm"], times["ours"]),
        })
    return rows


def show(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--openjph")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    absent = [tool for tool in ("dcmdjpeg", "dcmdjpls", "dcmdrle", "gdcmconv") if not shutil.which(tool)]
    cornerstone = Cornerstone()
    if cornerstone.reason:
        absent.append(f"Cornerstone ({cornerstone.reason})")
    if not arguments.openjph:
        absent.append("OpenJPH (libopenjph-dev)")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        folder = temporary / "files"
        folder.mkdir()
        files(folder)
        columns = ["bare", "dicom_pixeldata", "imagecodecs", "cornerstone", "two_threads"]
        print(f"{'file':20} {'frames':>6} {'ours ms':>8} " + " ".join(f"{c:>15}" for c in columns))

        def add(program, path, label=None):
            peer = cornerstone if path.stem == "htj2k" and not cornerstone.reason else None
            row = measure(program, path, arguments.rounds, temporary, peer)
            row["file"] = label or row["file"]
            rows.append(row)
            cells = " ".join(f"{show(row.get(c)):>15}" for c in columns)
            print(f"{row['file']:20} {row['frames']:6} {row['ours_ms']:8.3f} {cells}", flush=True)

        for path in sorted(folder.glob("*.dcm")):
            add(arguments.program, path)
        if arguments.openjph:
            add(arguments.openjph, folder / "htj2k.dcm", "htj2k (OpenJPH)")
        processes = whole_processes(arguments.program, folder, max(3, arguments.rounds // 2), temporary)
    cornerstone.close()
    by_name = {row["file"]: row for row in rows}
    print("\nwhole process, theirs / ours: open, decode, write")
    for row in processes:
        print(f"{row['file']:20} ours {row['ours_s']:.2f} s, dcmtk {show(row['dcmtk'])}, gdcm {show(row['gdcm'])}")
    growth = {k: by_name[f"{k}-480"]["ours_ms"] / by_name[f"{k}-15"]["ours_ms"] for k in ("jpeg-lossless", "jpeg-baseline", "jpeg-ls", "rle")}
    print("\ntime a frame with 480 frames over 15: " + ", ".join(f"{k} {v:.2f}" for k, v in growth.items()))
    print(f"an uncompressed frame that is looked at: {by_name['uncompressed']['borrow_ns']:.0f} ns")
    for peer in absent:
        print(f"NOT COMPARED: {peer}")
    # The bar of each row is the library that it stands on, or the fastest of the peers.
    bars = {n: "imagecodecs" if n.startswith("rle") else "bare" for n in by_name if n not in ("uncompressed", "jpeg-xl", "htj2k (OpenJPH)")}
    if "htj2k (OpenJPH)" in by_name:
        bars["htj2k (OpenJPH)"] = "cornerstone"
    below = [f"{n}: {by_name[n][p]:.2f} of {p}" for n, p in bars.items() if by_name[n].get(p) is not None and by_name[n][p] < BAR]
    below += [f"{n}: two threads cost {r['two_threads']:.2f}" for n, r in by_name.items() if r["two_threads"] and r["two_threads"] > 1.1]
    below += [f"{n}: 480 frames cost {v:.2f}" for n, v in growth.items() if v > 1.1]
    print("below the bar: " + ("; ".join(below) if below else "none"))
    if arguments.json:
        found = {"rows": rows, "processes": processes, "growth_480": growth, "below": below, "absent": absent}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
