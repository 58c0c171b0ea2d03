"""Writes objects without pictures: reports with every value type and character set, key objects, segmentations of each
kind, a structure set, presentation states, a document. Numbers are seeded.

usage: make_objects.py FOLDER
"""

import pathlib
import sys

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

ROOT = "1.2.826.0.1.3680043.10.77"
CT = "1.2.840.10008.5.1.4.1.1.2"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
TEXTS = {
    "ISO_IR 100": "Lebermetastase, größer: 3 × 4 mm; voilà",
    "ISO_IR 192": "肝S8に12 mmの結節。ｶﾅ、Ü、😀",
    "ISO 2022 IR 6\\ISO 2022 IR 87": "右肺尖に結節を認める\r\n大きさは変わらない",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ 肝右葉 に ﾉｳﾎｳ",
    "GB18030": "肝右叶见低密度影",
    "ISO_IR 144": "Очаг в печени",
}


def plain(number, sop_class, modality, syntax=ExplicitVRLittleEndian, charset="ISO_IR 192"):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{number}"
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.2.{number}"
    ds.Modality, ds.PatientID, ds.PatientName = modality, "OBJECTS", "Test^Objects"
    ds.SeriesNumber, ds.InstanceNumber = number, 1
    ds.ContentDate, ds.ContentTime = "20260304", "083015.250"
    return ds


def coded(value, scheme, meaning):
    item = Dataset()
    if len(value) > 16:
        item.LongCodeValue = value
    else:
        item.CodeValue = value
    item.CodingSchemeDesignator, item.CodeMeaning = scheme, meaning
    return Sequence([item])


def reference(instance, frames=None, segments=None, of=CT):
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = of, f"{ROOT}.9.{instance}"
    if frames:
        item.ReferencedFrameNumber = frames
    if segments:
        item.ReferencedSegmentNumber = segments
    return item


def content(relation, kind, name, children=(), **values):
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = coded(f"T-{len(kind)}", "99TEST", name)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    if children:
        item.ContentSequence = Sequence(children)
    return item


def measured(value, unit, floating=None):
    item = Dataset()
    item.NumericValue = value
    if floating is not None:
        item.FloatingPointValue = floating
    item.MeasurementUnitsCodeSequence = coded(unit, "UCUM", unit)
    return Sequence([item])


def report(number, charset, syntax):
    """Comprehensive 3D: every value type once, nested, with items by reference."""
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.88.34", "SR", syntax, charset)
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = coded("126000", "DCM", "Imaging Measurement Report")
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    text = TEXTS[charset]
    by_number = Dataset()
    by_number.RelationshipType, by_number.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 6]
    image = content("SELECTED FROM", "IMAGE", "Source", ReferencedSOPSequence=Sequence([reference(1, [1, 3])]))
    region = content("INFERRED FROM", "SCOORD", "Outline", [image], GraphicType="POLYLINE",
                     GraphicData=[1.5, 2.25, 30.125, 2.25, 30.0, 40.0, 1.5, 2.25])
    space = content("CONTAINS", "SCOORD3D", "Place", GraphicType="ELLIPSOID", ReferencedFrameOfReferenceUID=f"{ROOT}.8",
                    GraphicData=[0.0, 1.0, 2.0, 0.0, -1.0, 2.0, 1.0, 0.0, 2.0, -1.0, 0.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 1.0])
    long_code = coded("1234567890123456789", "SCT", text[:20])
    inner = content("CONTAINS", "CONTAINER", "Group", [
        content("CONTAINS", "TEXT", "Finding", TextValue=text),
        content("CONTAINS", "NUM", "Length", [region, by_number], MeasuredValueSequence=measured("12.50", "mm")),
        content("CONTAINS", "NUM", "Exact", MeasuredValueSequence=measured("0.3333333333333", "1", 1 / 3)),
        content("CONTAINS", "NUM", "Not measured", MeasuredValueSequence=Sequence([]),
                NumericValueQualifierCodeSequence=coded("114006", "DCM", "Measurement failure")),
        content("CONTAINS", "CODE", text[:10], ConceptCodeSequence=long_code),
    ], ContinuityOfContent="CONTINUOUS")
    ds.ContentSequence = Sequence([
        inner,
        content("HAS OBS CONTEXT", "PNAME", "Observer", PersonName="Reader^First"),
        content("HAS OBS CONTEXT", "UIDREF", "Device", UID=f"{ROOT}.5"),
        content("CONTAINS", "DATE", "Day", Date="20260228"),
        content("CONTAINS", "TIME", "Hour", Time="0830"),
        content("CONTAINS", "DATETIME", "Moment", DateTime="20260304083015.5000+0900"),
        content("CONTAINS", "IMAGE", "Picture", ReferencedSOPSequence=Sequence([reference(2)])),
        content("CONTAINS", "COMPOSITE", "Other", ReferencedSOPSequence=Sequence([reference(3)])),
        content("CONTAINS", "WAVEFORM", "Trace", ReferencedSOPSequence=Sequence([reference(4, of=ECG)])),
        content("CONTAINS", "TCOORD", "Beat", TemporalRangeType="MULTIPOINT", ReferencedTimeOffsets=[0.5, 1.25]),
        space,
    ])
    return ds


def key_objects(number):
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.88.59", "KO")
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = coded("113000", "DCM", "Of Interest")
    images = [content("CONTAINS", "IMAGE", "Picture", ReferencedSOPSequence=Sequence([reference(n)])) for n in (1, 2, 5)]
    ds.ContentSequence = Sequence([content("CONTAINS", "TEXT", "Key Object Description", TextValue="重要画像"), *images])
    return ds


def segmentation(number, kind, syntax, bits):
    """Frames whose bits do not end on a byte; one segment is empty."""
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.66.7" if kind == "LABELMAP" else "1.2.840.10008.5.1.4.1.1.66.4", "SEG", syntax)
    rows, columns, frames = 11, 13, 6
    random = np.random.default_rng(number)
    ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = rows, columns, frames, 1
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.SegmentationType, ds.ContentLabel = kind, "GENERATED"
    if kind == "FRACTIONAL":
        ds.SegmentationFractionalType, ds.MaximumFractionalValue = "PROBABILITY", 200
    labels = [(1, "Liver"), (2, "脾臓"), (7, "Empty")]
    ds.SegmentSequence = Sequence([])
    for segment, label in ([(0, "Background")] if kind == "LABELMAP" else []) + labels:
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = segment, label, "MANUAL"
        item.RecommendedDisplayCIELabValue = random.integers(0, 65536, 3).tolist()
        ds.SegmentSequence.append(item)
    ds.PerFrameFunctionalGroupsSequence = Sequence([])
    for at in range(frames):
        group, segment = Dataset(), Dataset()
        if kind != "LABELMAP":
            segment.ReferencedSegmentNumber = 1 + at % 2
            group.SegmentIdentificationSequence = Sequence([segment])
        ds.PerFrameFunctionalGroupsSequence.append(group)
    shape = (frames, rows, columns)
    if kind == "BINARY":
        values = random.random(shape) < 0.4
        raw = np.packbits(values.ravel(), bitorder="little").tobytes()
    elif kind == "FRACTIONAL":
        values = (random.integers(0, 201, shape) * (random.random(shape) < 0.7)).astype("u1")
        raw = values.tobytes()
    else:
        values = random.choice([0, 1, 2], shape).astype(f"<u{bits // 8}")
        raw = values.tobytes()
    if syntax == RLELossless:
        encoded = [RLELosslessEncoder.encode(f, rows=rows, columns=columns, samples_per_pixel=1, bits_allocated=bits,
                   bits_stored=bits, pixel_representation=0, number_of_frames=1,
                   photometric_interpretation="MONOCHROME2") for f in values]
        ds.PixelData = encapsulate(encoded)
        ds["PixelData"].VR = "OB"
    else:
        ds.PixelData = raw + b"\0" * (len(raw) % 2)
        ds["PixelData"].VR = "OW" if bits == 16 else "OB"
    return ds


def structures(number):
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", ImplicitVRLittleEndian)
    random = np.random.default_rng(number)
    ds.StructureSetLabel = "GENERATED"
    ds.StructureSetROISequence, ds.ROIContourSequence = Sequence([]), Sequence([])
    # Contours of a structure come in another order than the structures; one structure has none.
    for roi, name in ((3, "Heart"), (1, "左肺"), (8, "Not drawn")):
        item = Dataset()
        item.ROINumber, item.ReferencedFrameOfReferenceUID, item.ROIName = roi, f"{ROOT}.8", name
        ds.StructureSetROISequence.append(item)
    for roi in (1, 3):
        item = Dataset()
        item.ReferencedROINumber, item.ROIDisplayColor = roi, random.integers(0, 256, 3).tolist()
        item.ContourSequence = Sequence([])
        for kind, points in (("CLOSED_PLANAR", 40), ("OPEN_PLANAR", 5), ("POINT", 1)):
            contour = Dataset()
            contour.ContourImageSequence = Sequence([reference(roi)])
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, points
            contour.ContourData = [f"{v:.4f}" for v in random.uniform(-400, 400, points * 3)]
            item.ContourSequence.append(contour)
        ds.ROIContourSequence.append(item)
    return ds


def state(number):
    """Windows of some pictures and a LUT of others, areas, graphics and texts in both units."""
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.11.1", "PR")
    ds.ContentLabel = "GENERATED"
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedImageSequence = f"{ROOT}.7", Sequence([reference(1), reference(2, [2, 4])])
    ds.ReferencedSeriesSequence = Sequence([series])
    ds.ImageRotation, ds.ImageHorizontalFlip = 270, "Y"
    window, table, entries = Dataset(), Dataset(), Dataset()
    window.ReferencedImageSequence = Sequence([reference(1)])
    window.WindowCenter, window.WindowWidth = ["40.5", "-600"], ["350", "1600"]
    entries.add_new(0x00283002, "US", [4, 0, 8])
    entries.add_new(0x00283006, "OW", bytes([0, 0, 10, 0, 100, 0, 255, 0]))
    table.ReferencedImageSequence, table.VOILUTSequence = Sequence([reference(2)]), Sequence([entries])
    ds.SoftcopyVOILUTSequence = Sequence([window, table])
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [200, 10], [20, 300]
    area.PresentationSizeMode = "SCALE TO FIT"
    ds.DisplayedAreaSelectionSequence = Sequence([area])
    note, line, circle, text = Dataset(), Dataset(), Dataset(), Dataset()
    for item, kind, data, units in ((line, "POLYLINE", [1.5, 2.5, 30.25, 40.75], "PIXEL"),
                                    (circle, "CIRCLE", [0.5, 0.5, 0.5, 0.25], "DISPLAY")):
        item.GraphicAnnotationUnits, item.GraphicDimensions, item.NumberOfGraphicPoints = units, 2, 2
        item.GraphicType, item.GraphicData, item.GraphicFilled = kind, data, "N"
    text.BoundingBoxAnnotationUnits, text.BoundingBoxTextHorizontalJustification = "DISPLAY", "LEFT"
    text.BoundingBoxTopLeftHandCorner, text.BoundingBoxBottomRightHandCorner = [0.1, 0.1], [0.5, 0.2]
    text.UnformattedTextValue = "結節\r\n12 mm"
    note.GraphicLayer, note.GraphicObjectSequence = "NOTES", Sequence([line, circle])
    note.TextObjectSequence = Sequence([text])
    ds.GraphicAnnotationSequence = Sequence([note])
    ds.PresentationLUTShape = "INVERSE"
    return ds


def document(number):
    """An odd length: the byte that makes it even is none of the document."""
    ds = plain(number, "1.2.840.10008.5.1.4.1.1.104.1", "DOC")
    body = b"%PDF-1.4\n" + np.random.default_rng(number).bytes(500)
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = "検査報告", "application/pdf"
    ds.EncapsulatedDocument, ds.EncapsulatedDocumentLength = body + b"\0", len(body)
    return ds


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
    made = {}
    for at, charset in enumerate(TEXTS):
        made[f"report-{at}"] = report(10 + at, charset, syntaxes[at % 3])
    made["key-objects"] = key_objects(20)
    made["seg-binary"] = segmentation(30, "BINARY", ExplicitVRLittleEndian, 1)
    made["seg-binary-deflated"] = segmentation(31, "BINARY", DeflatedExplicitVRLittleEndian, 1)
    made["seg-fractional"] = segmentation(32, "FRACTIONAL", ImplicitVRLittleEndian, 8)
    made["seg-fractional-rle"] = segmentation(33, "FRACTIONAL", RLELossless, 8)
    made["seg-labelmap-8"] = segmentation(34, "LABELMAP", ExplicitVRLittleEndian, 8)
    made["seg-labelmap-16"] = segmentation(35, "LABELMAP", ExplicitVRLittleEndian, 16)
    made["structures"] = structures(40)
    made["state"] = state(50)
    made["document"] = document(60)
    for name, ds in made.items():
        ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    print(f"{len(made)} objects")


if __name__ == "__main__":
    main()
