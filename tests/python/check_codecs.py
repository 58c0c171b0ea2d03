"""Transfer syntax x pixel format: what `dokuei pixels --stage stored` reads must equal what others encoded.

usage: check_codecs.py DOKUEI

Seeded arrays are written by pydicom and compressed by dcmtk, pydicom's RLE, pylibjpeg-openjpeg and imagecodecs
(libjpeg-turbo, OpenJPEG, OpenJPH, libjxl). Lossless must be equal. Lossy is compared with the decoder of the encoder's
maker: within 1, colour within 3 after conversion. Nothing is skipped: a missing encoder is an error.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID, generate_uid

warnings.simplefilter("ignore")
BASE = "1.2.840.10008.1.2"
EXPLICIT, IMPLICIT, BIG, DEFLATED = BASE + ".1", BASE, BASE + ".2", BASE + ".1.99"
JPEG = BASE + ".4."
DEFLATED_FRAMES, XL = BASE + ".8.1", ("110", "111", "112")
ROWS, COLUMNS = 37, 51  # odd, and no multiple of any block

# bits allocated, bits stored, signed
GREY = {
    "u8": (8, 8, 0), "s8": (8, 8, 1), "u10": (16, 10, 0), "u12": (16, 12, 0), "s12": (16, 12, 1),
    "u14": (16, 14, 0), "u16": (16, 16, 0), "s16": (16, 16, 1),
}


def grey(bits, signed, seed=1, frames=1):
    """A ramp with noise over the whole range, extremes included."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    smooth = (x / (COLUMNS - 1) * 0.6 + y / (ROWS - 1) * 0.4) * (2**bits - 1)
    values = np.stack([smooth + random.normal(0, 2**bits / 200 + 1, smooth.shape) for _ in range(frames)])
    values = np.clip(np.rint(values), 0, 2**bits - 1).astype(np.int64)
    values[:, 0, 0], values[:, 0, 1] = 0, 2**bits - 1
    return values - (2 ** (bits - 1) if signed else 0)


def colour(seed=2):
    return np.stack([np.roll(grey(8, 0, seed + n)[0], 9 * n, axis=1) for n in range(3)], axis=-1).astype(np.uint8)


def dataset(values, allocated, stored, signed, high=None, photometric=None, syntax=EXPLICIT):
    rgb = values.shape[-1] == 3 and values.ndim >= 3 and photometric not in ("MONOCHROME2", "PALETTE COLOR")
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = UID(syntax)
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = generate_uid()
    d.StudyInstanceUID, d.SeriesInstanceUID = generate_uid(), generate_uid()
    d.PatientName, d.PatientID, d.Modality = "Test^Codec", "1", "OT"
    d.Rows, d.Columns = ROWS, COLUMNS
    d.SamplesPerPixel = 3 if rgb else 1
    d.PhotometricInterpretation = photometric or ("RGB" if rgb else "MONOCHROME2")
    if rgb:
        d.PlanarConfiguration = 0
    frames = values.shape[0] if values.ndim == (4 if rgb else 3) else 1
    if frames > 1:
        d.NumberOfFrames = frames
    d.BitsAllocated, d.BitsStored, d.PixelRepresentation = allocated, stored, signed
    d.HighBit = stored - 1 if high is None else high
    return d


def native(values, allocated, stored, signed, big=False, shift=0, **more):
    d = dataset(values, allocated, stored, signed, **more)
    kind = f"{'>' if big else '<'}u{allocated // 8}"
    raw = ((values.astype(np.int64) & (2**stored - 1)) << shift).astype(kind).tobytes()
    d.PixelData = raw + b"\0" * (len(raw) % 2)
    d["PixelData"].VR = "OW" if allocated > 8 else "OB"
    return d


def write(folder, name, d):
    path = folder / f"{name}.dcm"
    big = d.file_meta.TransferSyntaxUID == BIG
    implicit = d.file_meta.TransferSyntaxUID == IMPLICIT
    pydicom.dcmwrite(path, d, implicit_vr=implicit, little_endian=not big, enforce_file_format=True)
    return path


def packed(folder, name, d, syntax, streams, **how):
    """The data set with compressed frames in place of its own."""
    extended = how.pop("extended", False)
    # pydicom 3.0 does not know all: it writes one that it knows and whose name is as long.
    known = JPEG + "80" if syntax == DEFLATED_FRAMES else JPEG + "201" if syntax[len(JPEG) :] in XL else syntax
    d.file_meta.TransferSyntaxUID = UID(known)
    if extended:
        d.PixelData, d.ExtendedOffsetTable, d.ExtendedOffsetTableLengths = encapsulate_extended(streams)
    else:
        d.PixelData = encapsulate(streams, **how)
    d["PixelData"].VR = "OB"
    d["PixelData"].is_undefined_length = True
    path = write(folder, name, d)
    if known != syntax:
        path.write_bytes(path.read_bytes().replace(known.encode(), syntax.encode().ljust(len(known), b"\0"), 1))
    return path


def dcmtk(program, *arguments):
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))}: {result.stderr.strip()}")


def cases(folder):
    """Yields name, file, frame number, truth, tolerance."""
    # Uncompressed: every format in every coding.
    for key, (allocated, stored, signed) in GREY.items():
        values = grey(stored, signed)
        for coding, syntax in [("implicit", IMPLICIT), ("explicit", EXPLICIT), ("big", BIG), ("deflated", DEFLATED)]:
            big = syntax == BIG and allocated > 8
            d = native(values[0], allocated, stored, signed, big=big, syntax=syntax)
            yield f"{coding} {key}", write(folder, f"{coding}-{key}", d), 1, values[0], 0
    for shift in (1, 4):
        values = grey(12, 0)[0]
        d = native(values, 16, 12, 0, shift=shift, high=11 + shift)
        yield f"explicit u12 high bit {11 + shift}", write(folder, f"high-{shift}", d), 1, values, 0
    for signed in (0, 1):
        values = grey(31, signed)[0]
        for coding, syntax in [("explicit", EXPLICIT), ("big", BIG)]:
            d = native(values, 32, 32, signed, big=syntax == BIG, syntax=syntax)
            yield f"{coding} 32 bits signed {signed}", write(folder, f"{coding}-32-{signed}", d), 1, values, 0
    # Beyond 2^31, and doubles: what a picture rounds, the stages do not.
    values = grey(32, 0)[0]
    path = write(folder, "explicit-u32", native(values, 32, 32, 0))
    for stage in ("stored", "modality"):
        yield f"explicit 32 bits to the top, {stage}", path, 1, values, 0
    for width, keyword, vr in [(4, "FloatPixelData", "OF"), (8, "DoubleFloatPixelData", "OD")]:
        values = (grey(12, 1)[0] / 7).astype(f"<f{width}")  # sevenths: no double of them is a single
        d = dataset(values, width * 8, width * 8, 0)
        del d.BitsStored, d.HighBit, d.PixelRepresentation
        setattr(d, keyword, values.tobytes())
        d[keyword].VR = vr
        path = write(folder, keyword, d)
        for stage in ("stored", "modality"):
            yield f"{keyword}, {stage}", path, 1, values, 0
    bits = (grey(8, 0, frames=3) > 120).astype(np.uint8)
    d = dataset(bits, 1, 1, 0)
    raw = np.packbits(bits.ravel(), bitorder="little").tobytes()
    d.PixelData = raw + b"\0" * (len(raw) % 2)
    d["PixelData"].VR = "OB"
    path = write(folder, "bits", d)
    for number in (1, 2, 3):
        yield f"explicit 1 bit, frame {number}", path, number, bits[number - 1], 0

    # Uncompressed colour.
    rgb = colour()
    yield "explicit rgb by pixel", write(folder, "rgb", native(rgb, 8, 8, 0)), 1, rgb, 0
    d = native(rgb, 8, 8, 0)
    raw = rgb.transpose(2, 0, 1).tobytes()
    d.PixelData, d.PlanarConfiguration = raw + b"\0" * (len(raw) % 2), 1
    yield "explicit rgb by plane", write(folder, "planes", d), 1, rgb, 0
    wide = native((rgb.astype(np.int64) << 8) | 0x80, 16, 16, 0)
    yield "explicit rgb 16 bits", write(folder, "rgb16", wide), 1, rgb, 1
    ybr = pydicom.pixels.convert_color_space(rgb, "RGB", "YBR_FULL")
    back = pydicom.pixels.convert_color_space(ybr, "YBR_FULL", "RGB")
    yield "explicit ybr_full", write(folder, "ybr", native(ybr, 8, 8, 0, photometric="YBR_FULL")), 1, back, 1
    even = np.stack([rgb[:, :50], rgb[::-1, :50]])
    ybr = np.stack([pydicom.pixels.convert_color_space(f, "RGB", "YBR_FULL") for f in even])
    shared = np.repeat(ybr[:, :, 0::2, 1:], 2, axis=2)
    truth = np.concatenate([ybr[..., :1], shared], axis=-1)
    pairs = np.stack([ybr[:, :, 0::2, 0], ybr[:, :, 1::2, 0], ybr[:, :, 0::2, 1], ybr[:, :, 0::2, 2]], axis=-1)
    for name, samples in [("4:2:2", pairs), ("4:2:2 by name only", truth)]:
        d = dataset(truth, 8, 8, 0, photometric="YBR_FULL_422")
        d.Columns, d.PlanarConfiguration, d.PixelData = 50, 0, samples.astype(np.uint8).tobytes()
        d["PixelData"].VR = "OB"
        path = write(folder, f"native-{len(name)}", d)
        for number in (2, 1):
            back = pydicom.pixels.convert_color_space(truth[number - 1], "YBR_FULL", "RGB")
            yield f"explicit {name}, frame {number}", path, number, back, 1
    index = grey(8, 0)[0]
    table = np.random.default_rng(5).integers(0, 65536, (3, 256))
    for kind in ("plain", "segmented"):
        d = native(index, 8, 8, 0, photometric="PALETTE COLOR")
        for n, name in enumerate(("Red", "Green", "Blue")):
            setattr(d, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            words = table[n].astype("<u2")
            if kind == "segmented":
                words = np.concatenate([[0, 128], table[n][:128], [0, 128], table[n][128:]]).astype("<u2")
                setattr(d, f"Segmented{name}PaletteColorLookupTableData", words.tobytes())
            else:
                setattr(d, f"{name}PaletteColorLookupTableData", words.tobytes())
        truth = np.stack([table[n][index] >> 8 for n in range(3)], axis=-1)
        yield f"palette {kind}", write(folder, f"palette-{kind}", d), 1, truth, 0

    # Grey, compressed by independent encoders.
    for key, (allocated, stored, signed) in GREY.items():
        values = grey(stored, signed)[0]
        plain = native(values, allocated, stored, signed)
        source = write(folder, f"source-{key}", plain)
        kind = np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")
        d = native(values, allocated, stored, signed)
        d.compress(BASE + ".5", encoding_plugin="pydicom")
        yield f"rle {key}", write(folder, f"rle-{key}", d), 1, values, 0
        if not (key == "s8"):  # dcmtk refuses 8 bits signed
            for name, options in [("sv1", ["+e1"]), ("p14-4", ["+el", "+sv", "4"]), ("p14-7", ["+el", "+sv", "7"])]:
                out = folder / f"{name}-{key}.dcm"
                dcmtk("dcmcjpeg", *options, source, out)
                yield f"jpeg lossless {name} {key}", out, 1, values, 0
        out = folder / f"jls-{key}.dcm"
        dcmtk("dcmcjpls", "+el", source, out)
        yield f"jpeg-ls {key}", out, 1, values, 0
        if not signed:  # dcmtk refuses the others
            out = folder / f"near-{key}.dcm"
            dcmtk("dcmcjpls", "+en", "+md", "3", source, out)
            yield f"jpeg-ls near 3 {key}", out, 1, values, 3
        d = native(values, allocated, stored, signed)
        d.compress(JPEG + "90", encoding_plugin="pylibjpeg")
        yield f"jpeg 2000 {key}", write(folder, f"j2k-{key}", d), 1, values, 0
        lossy = native(values, allocated, stored, signed)
        lossy.compress(JPEG + "91", encoding_plugin="pylibjpeg", j2k_cr=[8])
        path = write(folder, f"j2kl-{key}", lossy)
        yield f"jpeg 2000 lossy {key}", path, 1, pydicom.dcmread(path).pixel_array, 1
        # imagecodecs writes the precision of the container, with the sign of the type.
        ht = bytes(imagecodecs.htj2k_encode(values.astype(kind), reversible=True))
        for syntax in ("201", "202", "203"):
            d = native(values, allocated, stored, signed)
            yield f"htj2k .{syntax} {key}", packed(folder, f"ht{syntax}-{key}", d, JPEG + syntax, [ht]), 1, values, 0
        raw = values.astype(f"<i{allocated // 8}").tobytes()
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        stream = deflater.compress(raw) + deflater.flush()
        d = native(values, allocated, stored, signed)
        yield f"deflated frame {key}", packed(folder, f"df-{key}", d, DEFLATED_FRAMES, [stream]), 1, values, 0
        if not signed:
            xl = bytes(imagecodecs.jpegxl_encode(values.astype(kind), lossless=True))
            d = native(values, allocated, stored, signed)
            yield f"jpeg xl lossless {key}", packed(folder, f"xl-{key}", d, JPEG + "110", [xl]), 1, values, 0
    # The sign of the codestream is not the object's: pydicom's reading decides.
    for signed, kind in [(0, np.int16), (1, np.uint16)]:
        values = (grey(12, 1) if signed == 0 else grey(12, 0))[0].astype(kind)
        stream = bytes(imagecodecs.jpeg2k_encode(values, codecformat="j2k", reversible=True, bitspersample=12))
        path = packed(folder, f"j2k-sign-{signed}", native(values, 16, 12, signed), JPEG + "90", [stream])
        yield f"jpeg 2000 {kind.__name__} read as signed {signed}", path, 1, pydicom.dcmread(path).pixel_array, 0
    for bits, signed in ((31, 0), (32, 0), (31, 1)):
        values = grey(bits, signed)[0]
        # pydicom refuses 32 bits: segments by imagecodecs, one for each byte, the most significant first.
        planes = values.astype(">i4").view(np.uint8).reshape(ROWS, COLUMNS, 4)
        segments = [
            b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in planes[:, :, n]) for n in range(4)
        ]
        segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
        starts = [64 + sum(map(len, segments[:n])) for n in range(4)]
        stream = np.array([4, *starts] + [0] * 11, "<u4").tobytes() + b"".join(segments)
        d = native(values, 32, 32, signed)
        path = packed(folder, f"rle32-{bits}-{signed}", d, BASE + ".5", [stream])
        yield f"rle 32 bits signed {signed}, {bits} used", path, 1, values, 0

    # Lossy grey: the makers' own decoders are the truth.
    for name, options, key in [("baseline", ["+eb", "+q", "95"], "u8"), ("extended", ["+ee", "+q", "95"], "u12")]:
        allocated, stored, signed = GREY[key]
        source, out, back = folder / f"source-{key}.dcm", folder / f"{name}.dcm", folder / f"{name}-back.dcm"
        dcmtk("dcmcjpeg", *options, source, out)
        dcmtk("dcmdjpeg", out, back)
        yield f"jpeg {name} {key}", out, 1, pydicom.dcmread(back).pixel_array, 1
    values = grey(8, 0)[0].astype(np.uint8)
    xl = bytes(imagecodecs.jpegxl_encode(values, distance=1.0))
    truth = imagecodecs.jpegxl_decode(xl)
    path = packed(folder, "xl-lossy", native(values, 8, 8, 0), JPEG + "112", [xl])
    yield "jpeg xl lossy u8", path, 1, truth, 1
    jpeg = bytes(imagecodecs.jpeg8_encode(values, level=92))
    xl = bytes(imagecodecs.jpegxl_encode_jpeg(jpeg))
    path = packed(folder, "xl-jpeg", native(values, 8, 8, 0), JPEG + "111", [xl])
    yield "jpeg xl of jpeg u8", path, 1, imagecodecs.jpeg8_decode(jpeg), 1

    # Colour, compressed.
    source = write(folder, "source-rgb", native(rgb, 8, 8, 0))
    d = native(rgb, 8, 8, 0)
    d.compress(BASE + ".5", encoding_plugin="pydicom")
    yield "rle rgb", write(folder, "rle-rgb", d), 1, rgb, 0
    out = folder / "sv1-rgb.dcm"
    dcmtk("dcmcjpeg", "+e1", source, out)
    yield "jpeg lossless rgb", out, 1, rgb, 0
    for name, options in [("none", ["+in"]), ("line", ["+il"]), ("sample", ["+is"])]:
        out = folder / f"jls-rgb-{name}.dcm"
        dcmtk("dcmcjpls", "+el", *options, source, out)
        yield f"jpeg-ls rgb, interleave {name}", out, 1, rgb, 0
    for mct, photometric in [(True, "YBR_RCT"), (False, "RGB")]:
        stream = bytes(imagecodecs.jpeg2k_encode(rgb, codecformat="j2k", reversible=True, mct=mct))
        d = native(rgb, 8, 8, 0, photometric=photometric)
        yield f"jpeg 2000 rgb {photometric}", packed(folder, f"j2k-{photometric}", d, JPEG + "90", [stream]), 1, rgb, 0
    stream = bytes(imagecodecs.htj2k_encode(rgb, reversible=True))
    yield "htj2k rgb", packed(folder, "ht-rgb", native(rgb, 8, 8, 0), JPEG + "201", [stream]), 1, rgb, 0
    stream = bytes(imagecodecs.jpegxl_encode(rgb, lossless=True))
    yield "jpeg xl lossless rgb", packed(folder, "xl-rgb", native(rgb, 8, 8, 0), JPEG + "110", [stream]), 1, rgb, 0
    for subsampling in ("444", "422", "420"):
        stream = bytes(imagecodecs.jpeg8_encode(rgb, level=95, subsampling=subsampling))
        d = native(rgb, 8, 8, 0, photometric="YBR_FULL" if subsampling == "444" else "YBR_FULL_422")
        path = packed(folder, f"jpeg-{subsampling}", d, JPEG + "50", [stream])
        yield f"jpeg baseline colour {subsampling}", path, 1, imagecodecs.jpeg8_decode(stream), 3
    jpeg = bytes(imagecodecs.jpeg8_encode(rgb, level=95, subsampling="420"))
    d = native(rgb, 8, 8, 0, photometric="YBR_FULL_422")
    path = packed(folder, "xl-jpeg-rgb", d, JPEG + "111", [bytes(imagecodecs.jpegxl_encode_jpeg(jpeg))])
    yield "jpeg xl of jpeg colour", path, 1, imagecodecs.jpeg8_decode(jpeg), 3
    stream = bytes(imagecodecs.jpegxl_encode(rgb, distance=1.0))
    path = packed(folder, "xl-rgb-lossy", native(rgb, 8, 8, 0), JPEG + "112", [stream])
    yield "jpeg xl lossy rgb", path, 1, imagecodecs.jpegxl_decode(stream), 3
    stream = bytes(imagecodecs.jpeg8_encode(rgb, level=95, colorspace="rgb", outcolorspace="rgb"))
    path = packed(folder, "jpeg-rgb", native(rgb, 8, 8, 0), JPEG + "50", [stream])
    truth = imagecodecs.jpeg8_decode(stream, colorspace="rgb", outcolorspace="rgb")
    yield "jpeg baseline rgb", path, 1, truth, 1

    # Fragments and offset tables: frames of their own content, each one asked for.
    allocated, stored, signed = GREY["u12"]
    stack = grey(stored, signed, seed=9, frames=4)
    streams = [bytes(imagecodecs.jpegls_encode(f.astype(np.uint16))) for f in stack]
    for name, how in [
        ("basic table", {"has_bot": True}),
        ("no table", {"has_bot": False}),
        ("three fragments, basic table", {"has_bot": True, "fragments_per_frame": 3}),
        ("three fragments, no table", {"has_bot": False, "fragments_per_frame": 3}),
        ("extended table", {"extended": True}),
    ]:
        d = native(stack, allocated, stored, signed)
        path = packed(folder, f"frames-{name}", d, JPEG + "80", streams, **how)
        for number in (4, 1, 3):
            yield f"jpeg-ls u12, {name}, frame {number}", path, number, stack[number - 1], 0


def main(dokuei):
    failures, count, syntaxes = [], 0, set()
    missing = [program for program in ("dcmcjpeg", "dcmdjpeg", "dcmcjpls") if not shutil.which(program)]
    if missing:
        sys.exit(f"check_codecs: missing: {' '.join(missing)} (Debian: dcmtk)")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, path, frame, truth, tolerance in cases(folder):
            count += 1
            syntaxes.add(str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID))
            out = folder / "out.npy"
            stage = "modality" if name.endswith(", modality") else "stored"
            command = [dokuei, "pixels", str(path), "--frame", str(frame), "--stage", stage, "-o", str(out)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode != 0 or not out.exists():
                failures.append(f"{name}: {result.stderr.strip()}")
                continue
            found = np.load(out)
            out.unlink()
            wanted = np.asarray(truth)
            if found.shape != wanted.shape:
                failures.append(f"{name}: {found.shape} instead of {wanted.shape}")
                continue
            difference = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
            if difference.max() > tolerance:
                share = (difference > tolerance).mean() * 100
                failures.append(f"{name}: differs by up to {difference.max():g} in {share:.1f} % ({result.stdout.strip()})")
    for failure in failures:
        print(failure)
    print(f"check_codecs: {count} frames in {len(syntaxes)} transfer syntaxes, {len(failures)} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
