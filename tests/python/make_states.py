"""Writes pictures and grayscale softcopy presentation states of them: each transformation of PS3.4 N.2 alone, and all
together. Numbers are seeded.

usage: make_states.py FOLDER

A state NAME.pr.dcm is for the picture NAME.dcm.
"""

import pathlib
import sys

import make_grey
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
ROWS, COLUMNS = make_grey.ROWS, make_grey.COLUMNS
# Name: allocated, stored, signed, photometric, what the picture says itself.
PICTURES = {
    "m2-8u": (8, 8, False, "MONOCHROME2"),
    "m1-10u": (16, 10, False, "MONOCHROME1"),
    "m2-12u": (16, 12, False, "MONOCHROME2"),
    "m1-12s": (16, 12, True, "MONOCHROME1"),
    "m2-16u": (16, 16, False, "MONOCHROME2"),
    "m2-16s": (16, 16, True, "MONOCHROME2"),
}


def picture(number, name):
    """Its own rescale, window and shutter must not be used under any state (PS3.4 N.2.1)."""
    allocated, stored, signed, photometric = PICTURES[name]
    ds, low, high = make_grey.image(number, allocated, stored, signed, photometric)
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20260304", "083015", "", "1"
    ds.ReferringPhysicianName, ds.PatientBirthDate, ds.PatientSex = "", "", "O"
    ds.SeriesNumber, ds.InstanceNumber, ds.ConversionType = 1, number, "SYN"
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "3", "-77", "US"
    ds.WindowCenter, ds.WindowWidth = "5", "9"
    return ds, low, high


def state(number, image):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = GSPS, f"1.2.826.0.1.3680043.10.4.{number}"
    # dcmtk 3.6.7 does not open states with tables in implicit VR: check_states.py has us read those too.
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = GSPS, meta.MediaStorageSOPInstanceUID
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate", "StudyTime", "AccessionNumber", "StudyID",
                    "ReferringPhysicianName", "PatientBirthDate", "PatientSex"):
        setattr(ds, keyword, image.get(keyword))
    ds.SeriesInstanceUID, ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "1.2.826.0.1.3680043.10.5", "PR", 2, number
    ds.Laterality = ""
    ds.Manufacturer, ds.ManufacturerModelName, ds.DeviceSerialNumber, ds.SoftwareVersions = "TEST", "TEST", "1", "1"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = f"STATE{number}", "", "Reader^First"
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20260304", "083015"
    series, reference = Dataset(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedImageSequence = image.SeriesInstanceUID, Sequence([reference])
    ds.ReferencedSeriesSequence = Sequence([series])
    ds.PresentationLUTShape = "IDENTITY"
    displayed(ds, [1, 1], [COLUMNS, ROWS])
    return ds


def displayed(ds, first, last):
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = first, last
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    ds.DisplayedAreaSelectionSequence = Sequence([area])


def rescaled(ds, slope, intercept):
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = str(slope), str(intercept), "US"


def windowed(ds, center, width):
    item = Dataset()
    item.WindowCenter, item.WindowWidth = f"{center:g}", f"{width:g}"
    ds.SoftcopyVOILUTSequence = Sequence([item])


def tabled(ds, first, count, bits, signed):
    full = (1 << bits) - 1
    curve = np.round(np.linspace(0, 1, count) ** 2 * full)
    item = Dataset()
    item.VOILUTSequence = Sequence([make_grey.lut(first, curve, bits, "SQUARE", signed, packed=bits == 8)])
    ds.SoftcopyVOILUTSequence = Sequence([item])


def modality_table(ds, low, high, signed):
    curve = np.round(np.sqrt(np.linspace(0, 1, high - low)) * 65535)
    item = make_grey.lut(low, curve, 16, "ROOT", signed)
    item.ModalityLUTType = "US"
    ds.ModalityLUTSequence = Sequence([item])


def presented(ds, count, bits):
    del ds.PresentationLUTShape
    curve = np.round((1 - np.linspace(0, 1, count)) ** 1.5 * ((1 << bits) - 1))
    ds.PresentationLUTSequence = Sequence([make_grey.lut(0, curve, bits, "DARK", False)])


def shuttered(ds, shapes, value=0x8000):
    ds.ShutterShape = shapes if len(shapes) > 1 else shapes[0]
    if "RECTANGULAR" in shapes:
        ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 6, 50
        ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 4, 41
    if "CIRCULAR" in shapes:
        ds.CenterOfCircularShutter, ds.RadiusOfCircularShutter = [25, 30], 19
    if "POLYGONAL" in shapes:
        ds.VerticesOfThePolygonalShutter = [2, 5, 12, 60, 44, 50, 30, 28, 40, 3]
    ds.ShutterPresentationValue = value


def plane(ds, group, seed, active):
    """A plane of bits; `active`: on a layer, else for a shutter."""
    bits = np.random.default_rng(seed).random((ROWS, COLUMNS)) < 0.25
    for element, vr, value in ((0x0010, "US", ROWS), (0x0011, "US", COLUMNS), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
                               (0x0100, "US", 1), (0x0102, "US", 0),
                               (0x3000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes())):
        ds.add_new((group, element), vr, value)
    if not active:
        ds.ShutterShape, ds.ShutterOverlayGroup, ds.ShutterPresentationValue = "BITMAP", group, 0x4000
        return
    ds.add_new((group, 0x1001), "CS", "NOTES")
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = "NOTES", 1
    layer.GraphicLayerRecommendedDisplayGrayscaleValue = active
    ds.GraphicLayerSequence = Sequence([layer])


def turned(ds, rotation, flip, first=None, last=None):
    """Corners of the displayed area are those of the picture as it is turned (C.10.4)."""
    ds.ImageRotation, ds.ImageHorizontalFlip = rotation, flip
    columns, rows = COLUMNS, ROWS
    left, top, right, bottom = (*first, *last) if first else (1, 1, columns, rows)
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    quarter = rotation // 90
    shown = [corners[(at - quarter) % 4] for at in range(4)]
    if flip == "Y":
        shown = [shown[1], shown[0], shown[3], shown[2]]
    displayed(ds, shown[0], shown[2])


def states(name, low, high, signed):
    """Name and what is done to a plain state."""
    span, center = high - low, (low + high) / 2
    yield "plain", lambda ds: None
    yield "inverse", lambda ds: setattr(ds, "PresentationLUTShape", "INVERSE")
    yield "window", lambda ds: windowed(ds, center - span / 8, span / 3)
    yield "narrow", lambda ds: windowed(ds, center, 1)
    yield "rescale", lambda ds: rescaled(ds, 2, -100)
    yield "rescale-window", lambda ds: (rescaled(ds, 1, -1024), windowed(ds, center - 1024, span / 2))
    if span <= 4096:
        yield "table-16", lambda ds: tabled(ds, low, span, 16, signed)
        yield "table-8-short", lambda ds: tabled(ds, int(center) - span // 8, span // 4, 8, signed)
        yield "modality-table", lambda ds: modality_table(ds, low, high, signed)
        yield "modality-table-window", lambda ds: (modality_table(ds, low, high, signed), windowed(ds, 30000, 20000))
    yield "presentation-256", lambda ds: presented(ds, 256, 12)
    yield "presentation-4096", lambda ds: presented(ds, 4096, 16)
    yield "presentation-window", lambda ds: (windowed(ds, center, span / 2), presented(ds, 1024, 16))
    for shape in ("RECTANGULAR", "CIRCULAR", "POLYGONAL"):
        yield shape.lower(), lambda ds, shape=shape: shuttered(ds, [shape])
    yield "shutters", lambda ds: shuttered(ds, ["RECTANGULAR", "CIRCULAR", "POLYGONAL"], 0)
    yield "bitmap-shutter", lambda ds: plane(ds, 0x6000, 7, 0)
    yield "overlay", lambda ds: plane(ds, 0x6000, 8, 0xFFFF)
    yield "overlay-grey", lambda ds: plane(ds, 0x6000, 9, 0x6000)
    for rotation in (0, 90, 180, 270):
        for flip in ("N", "Y"):
            if (rotation, flip) != (0, "N"):
                yield f"turned-{rotation}{flip.lower()}", lambda ds, r=rotation, f=flip: turned(ds, r, f)
    yield "area", lambda ds: displayed(ds, [9, 5], [40, 30])
    yield "area-turned", lambda ds: turned(ds, 90, "Y", [9, 5], [40, 30])

    def everything(ds):
        rescaled(ds, 2, 50)
        windowed(ds, center * 2, span)
        presented(ds, 512, 12)
        plane(ds, 0x6000, 10, 0xFFFF)
        shuttered(ds, ["CIRCULAR"])
        turned(ds, 270, "N")

    yield "everything", everything


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for place, name in enumerate(PICTURES, 200):
        _, _, signed, _ = PICTURES[name]
        image, low, high = picture(place, name)
        image.save_as(folder / f"{name}.dcm", enforce_file_format=True)
        for what, change in states(name, low, high, signed):
            number += 1
            ds = state(number, image)
            change(ds)
            ds.save_as(folder / f"{name}_{what}.pr.dcm", enforce_file_format=True)
    print(f"{len(PICTURES)} pictures, {number} states")


if __name__ == "__main__":
    main()
