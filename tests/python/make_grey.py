"""Writes DICOM files that exercise every part of the grey-scale chain, from seeded noise and ramps.

usage: make_grey.py FOLDER
"""

import itertools
import pathlib
import sys

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, SecondaryCaptureImageStorage

ROWS, COLUMNS = 48, 64


def image(number, allocated, stored, signed, photometric):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if number % 3 else ImplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = "1.2.826.0.1.3680043.10.2"
    ds.SeriesInstanceUID = "1.2.826.0.1.3680043.10.3"
    ds.Modality = "OT"
    ds.PatientID = "GREY"
    ds.PatientName = "Chain^Grey"
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = photometric
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, stored, stored - 1
    ds.PixelRepresentation = int(signed)
    random = np.random.default_rng(number)
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
    ramp = np.linspace(low, high - 1, ROWS * COLUMNS // 2)
    noise = random.integers(low, high, ROWS * COLUMNS // 2)
    values = np.concatenate([ramp, noise]).astype(np.int64).reshape(ROWS, COLUMNS)
    values[0, :4] = [low, high - 1, low, high - 1]
    ds.PixelData = values.astype({8: "<i1", 16: "<i2"}[allocated] if signed else {8: "<u1", 16: "<u2"}[allocated]).tobytes()
    return ds, low, high


def lut(first, entries, bits, explanation, signed, packed=False):
    item = Dataset()
    data = np.clip(entries, 0, (1 << bits) - 1).astype("<u2")
    item.add_new(0x00283002, "SS" if signed else "US", [len(data) if len(data) < 32768 or not signed else len(data) - 65536, first, bits])
    item.LUTExplanation = explanation
    if packed:
        data = data.astype("<u1")
    raw = data.tobytes()
    item.add_new(0x00283006, "OW", raw + b"\0" * (len(raw) % 2))
    return item


def chain(ds, number, low, high, signed):
    """Modality transform, VOI choices and padding, each by another digit of the number."""
    width = high - low
    out_low, out_high = low, high
    # dcmtk keeps fractional modality values as whole numbers, hence whole slopes here.
    kind = number % 4
    if kind == 1:
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "-1024", "HU"
        out_low, out_high = low - 1024, high - 1024
    elif kind == 2:
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "2", "100", "US"
        out_low, out_high = low * 2 + 100, high * 2 + 100
    elif kind == 3 and width <= 4096:
        curve = np.sqrt(np.linspace(0, 1, width)) * 4095 * (16 if number % 8 == 3 else 1)
        item = lut(low, curve, 16, "root", signed)
        item.ModalityLUTType = "OD"
        ds.ModalityLUTSequence = Sequence([item])
        out_low, out_high = 0, 65536 if number % 8 == 3 else 4096
    center, span = (out_low + out_high) / 2, out_high - out_low
    ds.WindowCenter = [f"{center:g}", f"{center - span / 5:g}", f"{center + 3:g}"]
    ds.WindowWidth = [f"{span:g}", f"{span / 3:.0f}", "1" if number % 2 else "2"]
    ds.WindowCenterWidthExplanation = ["WHOLE", "THIRD", "EDGE"]
    if number % 3:
        ds.VOILUTFunction = ["LINEAR", "SIGMOID", "LINEAR_EXACT"][number % 3]
    negative = out_low < 0
    count = min(int(span), 4096)
    first = int(out_low) if span <= 4096 else int(center) - 2048
    if -32768 <= first < (32768 if negative else 65536):
        place = np.linspace(0, 1, count)
        bits = [16, 12, 8, 10][number % 4]
        full = (1 << bits) - 1
        # Entries of 8 bits lie one a byte (C.11.2.1.1), or, as the field does, one a word.
        packed = bits == 8 and number % 8 == 2
        ds.VOILUTSequence = Sequence([
            lut(first, np.round((1 / (1 + np.exp(-8 * (place - 0.5)))) * full), bits, "NORMAL", negative, packed),
            lut(first, np.round(place ** 2 * full), bits, "DARK", negative, packed),
        ])
    if number % 5 == 0:
        value = low if number % 2 else high - 1
        ds.add_new(0x00280120, "SS" if signed else "US", value)
        if number % 10 == 0:
            ds.add_new(0x00280121, "SS" if signed else "US", value - 3 if value > low else value + 3)


def overlays(ds, number):
    """A plane of its own data, and where the pixels leave bits unused one in them."""
    random = np.random.default_rng(number + 1000)
    plane = random.random((ROWS - 8, COLUMNS - 4)) < 0.2
    ds.add_new(0x60000010, "US", plane.shape[0])
    ds.add_new(0x60000011, "US", plane.shape[1])
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [5, 3])
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    bits = np.packbits(plane.ravel(), bitorder="little").tobytes()
    ds.add_new(0x60003000, "OW", bits + b"\0" * (len(bits) % 2))
    if ds.BitsAllocated == 16 and ds.BitsStored == 12 and ds.PixelRepresentation == 0:
        words = np.frombuffer(ds.PixelData, "<u2").reshape(ROWS, COLUMNS)
        plane = random.random((ROWS, COLUMNS)) < 0.1
        ds.PixelData = (words | (plane.astype("<u2") << 13)).astype("<u2").tobytes()
        ds.add_new(0x60020010, "US", ROWS)
        ds.add_new(0x60020011, "US", COLUMNS)
        ds.add_new(0x60020040, "CS", "G")
        ds.add_new(0x60020050, "SS", [1, 1])
        ds.add_new(0x60020100, "US", 16)
        ds.add_new(0x60020102, "US", 13)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    depths = [(8, 8, False), (16, 10, False), (16, 12, False), (16, 12, True), (16, 16, False), (16, 16, True)]
    number = 0
    for (allocated, stored, signed), photometric, _ in itertools.product(depths, ["MONOCHROME1", "MONOCHROME2"], range(4)):
        number += 1
        ds, low, high = image(number, allocated, stored, signed, photometric)
        chain(ds, number, low, high, signed)
        if number % 2:
            overlays(ds, number)
        ds.save_as(folder / f"{number:03}-{photometric.lower()}-{stored}{'s' if signed else 'u'}.dcm", enforce_file_format=True)
    print(f"{number} files")


if __name__ == "__main__":
    main()
