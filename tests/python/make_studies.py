"""Writes small studies into a folder, with pydicom and none of our own code.

    make_studies.py DIR

A CT with a native and an RLE series (patient's name in ISO 2022 IR 87, as from a Japanese scanner) and a mammogram of
14 bit with a name in UTF-8. Deterministic.
"""

import pathlib
import sys

import numpy
import pydicom
import pydicom.uid

ROOT = "1.2.826.0.1.3680043.10.99999"


def image(study, series, number, modality, sop_class, pixels, bits, signed):
    ds = pydicom.Dataset()
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = f"{ROOT}.{study}.{series}.{number}"
    ds.StudyInstanceUID = f"{ROOT}.{study}"
    ds.SeriesInstanceUID = f"{ROOT}.{study}.{series}"
    ds.Modality, ds.StudyDate, ds.StudyTime = modality, f"2026010{study}", "101500"
    ds.AccessionNumber, ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = f"A{study}", f"{study}", series, number
    ds.PatientBirthDate, ds.PatientSex, ds.ReferringPhysicianName = "19600401", "F", ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits, bits - 1, int(signed)
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "HU" if modality == "CT" else "US"
    ds.WindowCenter, ds.WindowWidth = 40, 400
    ds.PixelData = pixels.astype("<i2" if signed else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(7)
    y, x = numpy.mgrid[:64, :96]
    made = []
    for series in (1, 2):
        for number in range(1, 6):
            circle = numpy.where((x - 48) ** 2 + (y - 32) ** 2 < (20 + number) ** 2, 60, -1000)
            ds = image(1, series, number, "CT", pydicom.uid.CTImageStorage, circle + random.integers(-9, 9, circle.shape), 16, True)
            ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
            ds.PatientName, ds.PatientID = "Yamada^Hanako=山田^花子=やまだ^はなこ", "P1"
            ds.ImageOrientationPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.7, 0.7]
            ds.ImagePositionPatient, ds.SliceThickness = [-33.6, -22.4, 5.0 * number], 5
            ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{ROOT}.1.9", ""
            ds.ImageType, ds.KVP, ds.AcquisitionNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], 120, 1
            if series == 2:
                ds.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
            made.append(ds)
    ramp = (x * 100 + y * 50) % 16384
    ds = image(2, 1, 1, "MG", pydicom.uid.DigitalMammographyXRayImageStorageForPresentation, ramp, 14, False)
    ds.SpecificCharacterSet, ds.PatientName, ds.PatientID = "ISO_IR 192", "Sato^Yuki=佐藤^雪=さとう^ゆき", "P2"
    ds.ImageType, ds.ImageLaterality, ds.ImagerPixelSpacing = ["ORIGINAL", "PRIMARY"], "R", [0.1, 0.1]
    ds.PresentationLUTShape, ds.WindowCenter, ds.WindowWidth = "IDENTITY", 8000, 16000
    made.append(ds)
    for ds in made:
        ds.save_as(folder / f"{ds.SOPInstanceUID}.dcm", enforce_file_format=True)
    print(f"{len(made)} files")


main()
