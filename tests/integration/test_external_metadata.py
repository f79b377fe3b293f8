"""User metadata of photo programs, on real files: which of it keeps a blurred photo in its folder."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import piexif
import pytest

from culld.imaging.image_file import DecodeLimits
from culld.records import Assessment, Decision, FileStat, Format, Photo, Protection, RootedPath, Scores, Stack, Verdict
from culld.stages.decide.decide import decide
from culld.stages.read.messages import UserMetadataRequest, WorkerSettings
from culld.stages.read.worker import PhotoWorker
from harness import factories

NAMESPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "darktable": "http://darktable.sf.net/",
    "photomech": "http://ns.camerabits.com/photomechanic/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "fstop": "http://www.fstopapp.com/xmp/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
}
HISTORY = "<darktable:history><rdf:Seq><rdf:li/><rdf:li/><rdf:li/><rdf:li/></rdf:Seq></darktable:history>"
FACES = '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:Name>Ada</mwg-rs:Name></mwg-rs:Regions>'
COMMENT = '<?xml version="1.0" encoding="UTF-8"?><comment version="3.0">{}</comment>'
Put = Callable[[Path], None]


def xmp(attributes: str = "", elements: str = "") -> bytes:
    """A packet with these properties."""
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def inside(attributes: str = "", elements: str = "") -> Put:
    """Write XMP into the photo itself."""

    def put(photo: Path) -> None:
        data = photo.read_bytes()
        packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(attributes, elements)
        segment = b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet
        photo.write_bytes(data[:2] + segment + data[2:])

    return put


def exif(tag: int, value: int) -> Put:
    """Write one tag into the photo's EXIF."""

    def put(photo: Path) -> None:
        stream = io.BytesIO()
        piexif.insert(piexif.dump({"0th": {tag: value}}), photo.read_bytes(), stream)
        photo.write_bytes(stream.getvalue())

    return put


def beside(name: str, text: str | bytes = "") -> Put:
    """Write another file, by its path from the photo's folder."""

    def put(photo: Path) -> None:
        path = photo.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return put


def attribute(name: str, value: bytes) -> Put:
    """Set an extended attribute."""

    def put(photo: Path) -> None:
        try:
            os.setxattr(photo, name, value)
        except OSError as error:
            pytest.skip(f"this file system keeps no extended attributes: {error}")

    return put


def nothing(_photo: Path) -> None:
    """Leave the photo as it is."""


IMPORT = 'xmp:Rating="1" darktable:import_timestamp="63818" darktable:change_timestamp="-1"'
STAYS: dict[str, tuple[Put, str]] = {
    "four stars by KDE": (attribute("user.baloo.rating", b"8"), "KDE rating 4"),
    "Photo Mechanic's tag": (inside('photomech:Tagged="True"'), "photomech:Tagged True"),
    "Photo Mechanic's colour class": (inside('photomech:ColorClass="1"'), "photomech:ColorClass 1"),
    "urgency": (inside('photoshop:Urgency="2"'), "photoshop:Urgency 2"),
    "ACDSee's rating": (inside('acdsee:Rating="4"'), "acdsee:Rating 4"),
    "ACDSee's tag": (inside('acdsee:Tagged="True"'), "acdsee:Tagged True"),
    "F-Stop's favourite": (inside('fstop:favorite="1"'), "fstop:favorite 1"),
    "EXIF Rating": (exif(piexif.ImageIFD.Rating, 4), "EXIF Rating 4"),
    "EXIF RatingPercent": (exif(piexif.ImageIFD.RatingPercent, 75), "EXIF RatingPercent 75"),
    "XMP rating": (inside('xmp:Rating="4"'), "xmp:Rating 4"),
    "four stars by darktable": (beside("a.jpg.xmp", xmp(IMPORT.replace('"1"', '"4"'))), "xmp:Rating 4"),
    "developed in darktable": (beside("a.jpg.xmp", xmp(IMPORT.replace("-1", "6381"), HISTORY)), "edited in another"),
    "developed in Camera Raw": (inside('crs:Exposure2012="+0.50"'), "Lightroom or Camera Raw"),
    "gThumb's rating": (beside(".comments/a.jpg.xml", COMMENT.format('<rating value="3"/>')), "gThumb rating 3"),
    "gThumb's note": (
        beside(".comments/a.jpg.xml", COMMENT.format("<note>on the way</note>")),
        ".comments/a.jpg.xml belongs to it",
    ),
    "gThumb's category": (
        beside(".comments/a.jpg.xml", COMMENT.format('<categories><category value="x"/></categories>')),
        ".comments/a.jpg.xml belongs to it",
    ),
    "a broken comment of gThumb": (beside(".comments/a.jpg.xml", "<comment"), "its metadata cannot be read"),
    "edited in Capture One": (beside("CaptureOne/Settings131/a.jpg.cos"), "CaptureOne/Settings131/a.jpg.cos"),
    "edited in NX Studio": (beside("NKSC_PARAM/a.jpg.nksc"), "NKSC_PARAM/a.jpg.nksc"),
}
MOVES: dict[str, Put] = {
    "nothing": nothing,
    "no stars by KDE": attribute("user.baloo.rating", b"0"),
    "nonsense in KDE's attribute": attribute("user.baloo.rating", b"\xff" * 300),
    "KDE's tags": attribute("user.xdg.tags", b"Holiday"),
    "imported by darktable": beside("a.jpg.xmp", xmp(IMPORT)),
    "opened in darktable": beside("a.jpg.xmp", xmp(IMPORT + ' darktable:auto_presets_applied="1"', HISTORY)),
    "rejected": inside('xmp:Rating="-1"'),
    "no rating": inside('xmp:Rating="0" photomech:Tagged="False" photomech:ColorClass="0" acdsee:Rating="0"'),
    "EXIF RatingPercent 0": exif(piexif.ImageIFD.RatingPercent, 0),
    "named faces": inside(elements=FACES),
    "a title": inside(elements='<dc:title><rdf:Alt><rdf:li xml:lang="x-default">harbour</rdf:li></rdf:Alt></dc:title>'),
    "own keywords": inside(elements="<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject>"),
    "an empty comment of gThumb": beside(".comments/a.jpg.xml", COMMENT.format('<time value="2026"/>')),
    "the comment of another photo": beside(".comments/b.jpg.xml", COMMENT.format('<rating value="5"/>')),
    "edits of another photo": beside("CaptureOne/Settings131/b.jpg.cos"),
}


class FakeWorker(PhotoWorker):
    """A worker without a network."""

    def __init__(self) -> None:
        """Load nothing."""
        self._settings = WorkerSettings(Path(), "constant@1", 1_000_000, 1_000_000)
        self._limits = DecodeLimits()


def plan(folder: Path, put: Put, protect: Protection = Protection()) -> Decision:  # noqa: B008 (a frozen record)
    """Return the decision about a blurred photo in a folder after `put`."""
    place = RootedPath(folder, Path("a.jpg"))
    place.path.write_bytes(factories.encoded(factories.picture(1, size=(64, 48))))
    put(place.path)
    photo = Photo(place, FileStat.of(place.path.lstat()), "digest", Format.JPEG)
    sidecars = tuple(place.beside(name) for name in ("a.jpg.xmp",) if (folder / name).exists())
    metadata = FakeWorker().user_metadata(UserMetadataRequest((photo,), sidecars))
    stack = Stack(Assessment(photo, Scores(0.99, 0, 0), "model@1"), sidecars, user_metadata=metadata)
    rules = replace(factories.rules(), protect=protect)
    return decide(stack, rules, now=factories.NOON, restored=False)


@pytest.mark.parametrize("case", STAYS)
def test_a_photo_with_user_metadata_stays(tmp_path: Path, case: str) -> None:
    """The reason names the metadata."""
    put, reason = STAYS[case]

    decided = plan(tmp_path, put)

    assert decided.verdict is Verdict.TAG
    assert reason in decided.reason


@pytest.mark.parametrize("case", MOVES)
def test_other_metadata_protects_nothing(tmp_path: Path, case: str) -> None:
    """Metadata that programs and cameras write by themselves, and descriptions."""
    assert plan(tmp_path, MOVES[case]).verdict is Verdict.QUARANTINE


@pytest.mark.parametrize("case", ["gThumb's note", "edited in Capture One", "edited in NX Studio"])
def test_files_in_subfolders_are_never_left_behind(tmp_path: Path, case: str) -> None:
    """Not even where the policy protects neither ratings nor edits."""
    decided = plan(tmp_path, STAYS[case][0], Protection(rated=None, edited=False))

    assert decided.verdict is Verdict.TAG
    assert "belongs to it" in decided.reason


def test_a_link_in_place_of_a_programs_folder_is_not_followed(tmp_path: Path) -> None:
    """Its target is not read; the photo stays, with the reason."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "photos").mkdir()

    def put(photo: Path) -> None:
        (photo.parent / "CaptureOne").symlink_to(elsewhere)

    decided = plan(tmp_path / "photos", put)

    assert decided.verdict is Verdict.TAG
    assert "culld follows no links" in decided.reason
