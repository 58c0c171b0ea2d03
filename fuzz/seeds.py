"""Makes the seeds that the fuzzer starts from: small sound objects of every kind, from numbers alone.

usage: seeds.py FOLDER            needs pydicom, numpy, imagecodecs
"""

import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import imagecodecs
import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)


def keep(target, name, data):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(data))


def picture(dtype, samples, size=12):
    top = {"u1": 255, "i1": 127, "u2": 4095, "i2": 2000, "u4": 1 << 20}[dtype]
    y, x = np.mgrid[0:size, 0:size]
    base = (x * y * top // (size * size)).astype(dtype)
    noise = rng.integers(0, 3, base.shape).astype(dtype)
    one = np.minimum(base + noise, top).astype(dtype)
    return one if samples == 1 else np.stack([one, one[::-1], one.T], axis=-1)


CODECS = {
    "1.2.840.10008.1.2.4.50": ("u1", lambda a: imagecodecs.jpeg8_encode(a, level=90)),
    "1.2.840.10008.1.2.4.57": ("u2", lambda a: imagecodecs.ljpeg_encode(a, bitspersample=12)),
    "1.2.840.10008.1.2.4.70": ("u2", lambda a: imagecodecs.ljpeg_encode(a, bitspersample=12)),
    "1.2.840.10008.1.2.4.80": ("u2", lambda a: imagecodecs.jpegls_encode(a)),
    "1.2.840.10008.1.2.4.81": ("u1", lambda a: imagecodecs.jpegls_encode(a, level=2)),
    "1.2.840.10008.1.2.4.90": ("u2", lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="J2K", reversible=True)),
    "1.2.840.10008.1.2.4.91": ("u1", lambda a: imagecodecs.jpeg2k_encode(a, level=40, codecformat="J2K")),
    "1.2.840.10008.1.2.4.201": ("u2", lambda a: imagecodecs.htj2k_encode(a, reversible=True)),
    "1.2.840.10008.1.2.4.110": ("u1", lambda a: imagecodecs.jpegxl_encode(a, lossless=True)),
    "1.2.840.10008.1.2.4.112": ("u1", lambda a: imagecodecs.jpegxl_encode(a, level=80)),
    "1.2.840.10008.1.2.5": ("u2", None),
    "1.2.840.10008.1.2.8.1": ("u2", lambda a: imagecodecs.deflate_encode(a.tobytes(), raw=True)),
    "1.2.840.10008.1.2.1.98": ("u2", lambda a: a.tobytes()),
}
# The targets of one codec each with their codings, as in fuzz/targets.rs.
FAMILIES = {
    "rle": ["5"],
    "deflated": ["8.1", "1.98"],
    "jpeg": ["4.50", "4.51", "4.53", "4.57", "4.70"],
    "jpeg-ls": ["4.80", "4.81"],
    "jpeg-2000": ["4.90", "4.91", "4.92", "4.93"],
    "htj2k": ["4.201", "4.202", "4.203"],
    "jpeg-xl": ["4.110", "4.111", "4.112"],
}


def rle(array):
    """Every segment as literal runs (PS3.5 annex G)."""
    planes = array.reshape(-1, 1) if array.ndim == 2 else array.reshape(-1, array.shape[2])
    segments = []
    for channel in planes.T:
        data = np.ascontiguousarray(channel).view("u1").reshape(len(channel), -1)
        for byte in reversed(range(data.shape[1])):
            raw = data[:, byte].tobytes()
            packed = b"".join(bytes([len(raw[i:i + 128]) - 1]) + raw[i:i + 128] for i in range(0, len(raw), 128))
            segments.append(packed + b"\x80" * (len(packed) % 2))
    header = [len(segments)] + [64 + sum(map(len, segments[:i])) for i in range(len(segments))]
    header += [0] * (16 - len(header))
    return np.array(header, "<u4").tobytes() + b"".join(segments)


def image(syntax, array, samples, name):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    implicit, little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
    ds = FileDataset(
        "x", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=implicit, is_little_endian=little
    )
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, "2.25.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = "2.25.2", "2.25.3", "MR"
    ds.PatientName, ds.PatientID = "A^B", "1"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SamplesPerPixel = samples
    ds.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = array.shape[:2]
    ds.BitsAllocated = ds.BitsStored = array.dtype.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(array.dtype.kind == "i")
    ds.WindowCenter, ds.WindowWidth = [100, 50], [200, 80]
    ds.RescaleSlope, ds.RescaleIntercept, ds.PixelPaddingValue = 2, -10, 5
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [1, 1]
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTExplanation = [4, 0, 16], "LUT"
    lut.add_new(0x00283006, "OW", np.array([0, 9, 99, 999], "<u2" if little else ">u2").tobytes())
    ds.VOILUTSequence = [lut]
    ds.add_new(0x60000010, "US", ds.Rows)
    ds.add_new(0x60000011, "US", ds.Columns)
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    ds.add_new(0x60003000, "OW", bytes((ds.Rows * ds.Columns + 15) // 16 * 2))
    if syntax in CODECS:
        encode = CODECS[syntax][1]
        frame = rle(array) if encode is None else encode(array)
        ds.PixelData = encapsulate([frame, frame])
        ds.NumberOfFrames = 2
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        size = array.shape[0] - 1
        depth = {1: 0, 2: 1, 4: 3}[array.dtype.itemsize] | (ds.PixelRepresentation << 2) | ((ds.BitsStored - 1) << 3)
        colour = (1 | 1 << 0) if samples == 3 else 2
        family, codings = next((f, c) for f, c in FAMILIES.items() if syntax[18:] in c)
        keep(family, name, bytes([codings.index(syntax[18:]), depth & 255, colour, size, size]) + frame)
    else:
        data = array if little else array.byteswap()
        ds.PixelData = data.tobytes() + b"\0" * (data.nbytes % 2)
        ds["PixelData"].VR = "OW" if array.dtype.itemsize > 1 else "OB"
    import io
    buffer = io.BytesIO()
    dcmwrite(buffer, ds, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    keep("pixels", name, buffer.getvalue())
    keep("info", name, buffer.getvalue())
    ds.pop("PixelData")
    keep("json", name, json.dumps([ds.to_json_dict()]).encode())
    keep("json", name + "-one", json.dumps(ds.to_json_dict()).encode())


for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian):
    for dtype in ("u1", "u2", "i2", "u4"):
        image(str(syntax), picture(dtype, 1), 1, f"{syntax.name.split()[0].lower()}-{syntax[-1]}-{dtype}")
image(str(ExplicitVRLittleEndian), picture("u1", 3), 3, "native-rgb")
for syntax, (dtype, _) in CODECS.items():
    for samples in (1, 3):
        try:
            image(syntax, picture(dtype if samples == 1 else "u1", samples), samples, f"{syntax[18:]}-{samples}")
        except Exception as error:
            print(f"no seed for {syntax} with {samples} samples: {error}")
TEXTS = [
    (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J"),
    (b"\\ISO 2022 IR 87\\ISO 2022 IR 159", b"\x1b$(Dl?\x1b(B\x1b$BK\\ED\x1b(B"),
    (b"\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\r\n\xd4\xd7"),
    (b"\\ISO 2022 IR 58", b"\x1b$)A\xd5\xc5"),
    (b"ISO_IR 100", b"M\xfcller"), (b"ISO_IR 192", "山田^太郎".encode()), (b"GB18030", b"\xcd\xf5^\xd0\xa1\x81\x30\x81\x30"),
    (b"ISO_IR 166", b"\xb9\xd2"), (b"ISO 2022 IR 100\\ISO 2022 IR 144", b"\xe4\x1b-L\xbb"), (b"", b"\x8e\x52\x93\x63"),
]
for index, (name, value) in enumerate(TEXTS):
    keep("text", f"{index}", name + b"\0" + value)
part = b"--boundary\r\nContent-Type: application/dicom\r\n\r\n12345\r\n--boundary\r\n\r\nabc\r\n--boundary--\r\n"
for step in (1, 7, 255):
    keep("multipart", f"{step}", bytes([step]) + part)
    keep("multipart", f"{step}-preamble", bytes([step]) + b"preamble\r\n" + part)

# Objects without pictures: those of the tests.
with tempfile.TemporaryDirectory() as made:
    maker = pathlib.Path(__file__).parent.parent / "tests/python/make_objects.py"
    subprocess.run([sys.executable, str(maker), made], check=True, stdout=subprocess.DEVNULL)
    objects = sorted(pathlib.Path(made).glob("**/*.dcm"))
    for path in objects:
        keep("objects", path.stem, path.read_bytes())
    # Media: archives of them and of pictures, with and without an index, and an index alone.
    index = FileSet()
    for path in objects[:4]:
        ds = dcmread(path)
        ds.StudyDate, ds.StudyTime, ds.StudyID, ds.PatientID, ds.SeriesNumber = "20260101", "101500", "1", "P1", 1
        ds.PatientName, ds.InstanceNumber, ds.ContentDate, ds.ContentTime = "A^B", 1, "20260101", "101500"
        index.add(ds)
    disc = pathlib.Path(made) / "disc"
    index.write(disc)
    keep("media", "index", (disc / "DICOMDIR").read_bytes())
    pictures = sorted((out / "info").glob("*"))[:3]
    for name, method, files in [
        ("stored", zipfile.ZIP_STORED, [(p.name, p) for p in pictures]),
        ("deflated", zipfile.ZIP_DEFLATED, [(f"A/{p.name}", p) for p in objects[:6]]),
        ("disc", zipfile.ZIP_DEFLATED, [(str(p.relative_to(disc)), p) for p in sorted(disc.glob("**/*")) if p.is_file()]),
    ]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            for inside, path in files:
                archive.writestr(zipfile.ZipInfo(inside), path.read_bytes(), method)
        keep("media", name, packed.getvalue())
