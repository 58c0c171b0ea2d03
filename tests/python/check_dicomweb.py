"""A DICOMweb client that is not ours, against a running reading center.

DOKUEI_CENTER_URL   base URL, such as https://127.0.0.1:8443
DOKUEI_CENTER_CA    PEM file of the center's CA
and either
DOKUEI_CENTER_TOKEN an access token
or
DOKUEI_CENTER_USER, DOKUEI_CENTER_PASSWORD, DOKUEI_CENTER_TOTP   to sign in with (TOTP: the secret in base32)

Asks in turn for everything that QIDO-RS, WADO-RS and STOW-RS of the center promise, and compares the answers with each
other: the parts of a file must be the file, counts must be what is there.
"""

import base64
import copy
import hashlib
import hmac
import io
import os
import struct
import time

import PIL.Image
import pydicom
import pydicom.uid
import requests
from dicomweb_client import DICOMwebClient

UNCOMPRESSED = {pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian}
# Instances of a study that is read whole.
SMALL = 60

checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def value(item, tag):
    return (item.get(tag, {}).get("Value") or [None])[0]


def one_time_password(secret, at):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def sign_in(session, base):
    if "DOKUEI_CENTER_TOKEN" in os.environ:
        return os.environ["DOKUEI_CENTER_TOKEN"]
    form = {
        "grant_type": "password",
        "username": os.environ["DOKUEI_CENTER_USER"],
        "password": os.environ["DOKUEI_CENTER_PASSWORD"],
    }
    wrong = session.post(f"{base}/oauth/token", data=form | {"password": "not it", "otp": "000000"})
    check(400 <= wrong.status_code < 500, f"a wrong password is refused ({wrong.status_code})")
    form["otp"] = one_time_password(os.environ["DOKUEI_CENTER_TOTP"], time.time())
    answer = session.post(f"{base}/oauth/token", data=form)
    check(answer.status_code == 200, f"sign-in: {answer.status_code} {answer.text}")
    return answer.json()["access_token"]


def query(client):
    """QIDO-RS: returns the studies with pictures that are small enough to be read whole, as (study, instances by series)."""
    studies = client.search_for_studies()
    check(studies, "there are studies")
    found = []
    for study in studies:
        uid = value(study, "0020000D")
        series = client.search_for_series(uid)
        instances = {value(s, "0020000E"): client.search_for_instances(uid, value(s, "0020000E")) for s in series}
        count = sum(map(len, instances.values()))
        check(value(study, "00201206") == len(series), f"number of series of {uid}")
        check(value(study, "00201208") == count, f"number of instances of {uid}")
        for s in series:
            of_series = value(s, "00201209")
            check(of_series is None or of_series == len(instances[value(s, "0020000E")]), f"instances of a series of {uid}")
        if count <= SMALL and any(value(i, "00280010") for items in instances.values() for i in items):
            found.append((uid, instances))
    check(found, "there are studies with pictures")
    found.sort(key=lambda study: study[0])
    uid = found[0][0]
    study = next(s for s in studies if value(s, "0020000D") == uid)

    def uids(filters, **more):
        return {value(s, "0020000D") for s in client.search_for_studies(search_filters=filters, **more)}

    everything = {value(s, "0020000D") for s in studies}
    check(uids({"StudyInstanceUID": uid}) == {uid}, "search by study UID")
    check(uids({"StudyInstanceUID": "1.2.3.4"}) == set(), "search for what is not there")
    patient = value(study, "00100020")
    if patient:
        same = {value(s, "0020000D") for s in studies if value(s, "00100020") == patient}
        check(uids({"PatientID": patient}) == same, "search by patient")
    modality = (study.get("00080061", {}).get("Value") or [None])[0]
    if modality:
        same = {value(s, "0020000D") for s in studies if modality in (s.get("00080061", {}).get("Value") or [])}
        check(uids({"ModalitiesInStudy": modality}) == same, "search by modality")
    date = value(study, "00080020")
    if date:
        same = {value(s, "0020000D") for s in studies if value(s, "00080020") == date}
        check(uids({"StudyDate": f"{date}-{date}"}) == same, "search by date range")
    paged = []
    while page := client.search_for_studies(limit=1, offset=len(paged)):
        check(len(page) == 1, "limit is kept")
        paged += [value(s, "0020000D") for s in page]
        check(len(paged) <= len(studies), "paging ends")
    check(len(paged) == len(set(paged)) and set(paged) == everything, "paging gives each study once")
    return found


def read_instance(client, session, root, study, series, instance):
    """One instance as a file, as metadata, as frames, as a picture: all must be the same thing."""
    file = client.retrieve_instance(study, series, instance, media_types=(("application/dicom", "*"),))
    check(file.SOPInstanceUID == instance, "the file is the one asked for")
    metadata = client.retrieve_instance_metadata(study, series, instance)
    check("7FE00010" not in metadata or "InlineBinary" not in metadata["7FE00010"], "metadata hold no pixels")
    described = pydicom.Dataset.from_json(metadata, bulk_data_uri_handler=lambda *_: None)
    for keyword in ("SOPClassUID", "PatientID", "StudyDate", "Modality", "Rows", "Columns"):
        check(described.get(keyword) == file.get(keyword), f"{keyword} is the same in metadata and file")
    name = file.get("PatientName")
    if name and described.get("PatientName"):
        file.decode()
        check(str(described.PatientName).rstrip("=^") == str(file.PatientName).rstrip("=^"), "the patient's name")
    if "PixelData" not in file:
        return None
    frames = int(file.get("NumberOfFrames") or 1)
    numbers = list(range(1, frames + 1))[:3]
    got = client.retrieve_instance_frames(
        study, series, instance, numbers, media_types=(("application/octet-stream", "*"),))
    check(len(got) == len(numbers), "as many frames as asked for")
    if file.file_meta.TransferSyntaxUID in UNCOMPRESSED and file.BitsAllocated >= 8:
        size = file.Rows * file.Columns * file.SamplesPerPixel * file.BitsAllocated // 8
        for number, frame in zip(numbers, got):
            stored = file.PixelData[(number - 1) * size:number * size]
            check(frame[:size] == stored, f"frame {number} is the stored one")
    path = f"{root}/studies/{study}/series/{series}/instances/{instance}"
    check(session.get(f"{path}/frames/{frames + 1}").status_code in (400, 404), "a frame too many is refused")
    uri = (metadata.get("7FE00010") or {}).get("BulkDataURI")
    if uri:
        bulk = client.retrieve_bulkdata(
            requests.compat.urljoin(f"{path}/metadata", uri), media_types=(("application/octet-stream", "*"),))
        check(bulk and all(bulk), "bulk data")
    for media_type, name in (("image/jpeg", "JPEG"), ("image/png", "PNG")):
        answer = session.get(f"{path}/rendered", headers={"Accept": media_type})
        if media_type == "image/png" and answer.status_code == 406:
            continue
        check(answer.status_code == 200, f"rendered as {media_type}: {answer.status_code} {answer.text[:200]}")
        picture = PIL.Image.open(io.BytesIO(answer.content))
        check(picture.format == name and min(picture.size) > 0, f"rendered as {media_type}")
    return file


def retrieve(client, session, root, study, instances):
    """WADO-RS: returns one file of the study."""
    sample = None
    for series, items in instances.items():
        named = {value(item, "00080018") for item in items}
        metadata = client.retrieve_series_metadata(study, series)
        check({value(m, "00080018") for m in metadata} == named, "series metadata name every instance")
        check(len(metadata) == len(items), "series metadata name each instance once")
        got = {file.SOPInstanceUID for file in client.iter_series(study, series, media_types=(("application/dicom", "*"),))}
        check(got == named, "a series holds what its search names")
        file = read_instance(client, session, root, study, series, sorted(named)[0])
        sample = sample or file
    check(len(client.retrieve_study_metadata(study)) == sum(map(len, instances.values())), "study metadata")
    answer = session.get(f"{root}/studies/1.2.3.4/metadata", headers={"Accept": "application/dicom+json"})
    check(answer.status_code in (403, 404), f"a study that is not there: {answer.status_code}")
    check(sample is not None, "a picture was read")
    return sample


def store(client, session, root, study, sample):
    """STOW-RS: a key object selection that names the sample, as a reader would make one; twice makes no duplicate."""
    result = pydicom.Dataset()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
                    "AccessionNumber", "StudyID", "ReferringPhysicianName"):
        setattr(result, keyword, copy.deepcopy(sample.get(keyword) or ""))
    result.SpecificCharacterSet = "ISO_IR 192"
    result.SOPClassUID = pydicom.uid.KeyObjectSelectionDocumentStorage
    result.SOPInstanceUID = pydicom.uid.generate_uid()
    result.StudyInstanceUID = study
    result.SeriesInstanceUID = pydicom.uid.generate_uid()
    result.Modality = "KO"
    result.Manufacturer = "independent client"
    result.SeriesNumber = 9000
    result.InstanceNumber = 1
    result.ContentDate, result.ContentTime = time.strftime("%Y%m%d %H%M%S").split()
    result.ReferencedPerformedProcedureStepSequence = []

    def code(meaning, number):
        item = pydicom.Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = number, "DCM", meaning
        return item

    def reference():
        item = pydicom.Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sample.SOPClassUID, sample.SOPInstanceUID
        return item

    series = pydicom.Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = sample.SeriesInstanceUID, [reference()]
    evidence = pydicom.Dataset()
    evidence.StudyInstanceUID, evidence.ReferencedSeriesSequence = study, [series]
    result.CurrentRequestedProcedureEvidenceSequence = [evidence]
    result.ValueType = "CONTAINER"
    result.ContinuityOfContent = "SEPARATE"
    result.ConceptNameCodeSequence = [code("Of Interest", "113000")]
    image = pydicom.Dataset()
    image.RelationshipType, image.ValueType, image.ReferencedSOPSequence = "CONTAINS", "IMAGE", [reference()]
    result.ContentSequence = [image]
    result.preamble = b"\0" * 128
    result.file_meta = pydicom.dataset.FileMetaDataset()
    result.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    result.file_meta.MediaStorageSOPClassUID = result.SOPClassUID
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID

    for _ in range(2):
        answer = client.store_instances([result], study)
        stored = {item.ReferencedSOPInstanceUID for item in answer.get("ReferencedSOPSequence") or []}
        check(stored == {result.SOPInstanceUID}, f"stored: {answer}")
    found = client.search_for_instances(study, result.SeriesInstanceUID)
    check([value(item, "00080018") for item in found] == [result.SOPInstanceUID], "found once after storing twice")
    back = client.retrieve_instance(
        study, result.SeriesInstanceUID, result.SOPInstanceUID, media_types=(("application/dicom", "*"),))
    check(back.ContentSequence == result.ContentSequence, "comes back as it was sent")
    broken = session.post(
        f"{root}/studies/{study}", data=b"--x\r\nContent-Type: application/dicom\r\n\r\nnot DICOM\r\n--x--\r\n",
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=x', "Accept": "application/dicom+json"})
    check(broken.status_code in (400, 409), f"what is not DICOM is refused ({broken.status_code})")


def main():
    base = os.environ["DOKUEI_CENTER_URL"].rstrip("/")
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ["DOKUEI_CENTER_CA"]
    discovery = session.get(f"{base}/.well-known/reading-center")
    check(discovery.status_code == 200, "discovery")
    root = discovery.json()["dicomweb"][0]["root"].rstrip("/")
    root = requests.compat.urljoin(f"{base}/", root)

    for refused in ({}, {"Authorization": "Bearer not-a-token"}):
        answer = session.get(f"{root}/studies", headers=refused)
        check(answer.status_code == 401, f"{'a wrong' if refused else 'no'} token: {answer.status_code}")
    session.headers["Authorization"] = f"Bearer {sign_in(session, base)}"
    client = DICOMwebClient(url=root, session=session, timeout=120)

    studies = query(client)
    for study, instances in studies:
        sample = retrieve(client, session, root, study, instances)
        store(client, session, root, study, sample)
        print(f"read {study}: {len(instances)} series, {sum(map(len, instances.values()))} instances")
    print(f"{checks} checks passed")


if __name__ == "__main__":
    main()
