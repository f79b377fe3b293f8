"""Keywords in real camera files: everything else in them must survive."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import piexif
import pytest
from PIL import Image

from culld.errors import TagRefusedError
from culld.files.rewrite import inverse
from culld.records import Format
from culld.tags.containers.ifd_append import XP_KEYWORDS
from culld.tags.edits import apply_edits
from culld.tags.embedded import embedded_edits
from culld.tags.verify import verify_embedded
from harness import images

if TYPE_CHECKING:
    from pathlib import Path

KEYWORDS = ("defect:blur", "defect:overexposed")

CLEAN = {"dresden": 16, "exif_orientation": 18, "ultrahdr": 4}
"""Folders of the camera set, and how many of their JPEGs can be tagged; the others have tails or several pictures."""


def pixels(data: bytes) -> bytes:
    """Return the pixels of the first image as Pillow decodes them."""
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def entries(data: bytes) -> dict[str, Any]:
    """All that piexif reads, but for the keywords."""
    found: dict[str, Any] = piexif.load(data)
    found["0th"].pop(XP_KEYWORDS, None)
    return found


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool (apt install libimage-exiftool-perl)")
@pytest.mark.parametrize("folder", CLEAN)
def test_exiftool_sees_no_change_but_ours(shared: Path, tmp_path: Path, folder: str) -> None:
    """MakerNotes, thumbnails, previews and profiles are compared with their bytes, of three files of each folder."""
    compared = 0
    for path in sorted((shared / "camera" / folder).glob("*.[jJ][pP][gG]"))[:3]:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        before = images.listed(copy)
        try:
            copy.write_bytes(apply_edits(copy.read_bytes(), embedded_edits(copy.read_bytes(), Format.JPEG, KEYWORDS)))
        except TagRefusedError:
            continue
        assert images.listed(copy) == before, path.name
        compared += 1

    assert compared


@pytest.mark.parametrize("folder", CLEAN)
def test_camera_files_keep_everything_they_had(shared: Path, folder: str) -> None:
    """Equal pixels and EXIF entries by other readers, an exact inverse, and no edits in a second run."""
    written = 0
    for path in sorted((shared / "camera" / folder).glob("*.[jJ][pP][gG]")):
        old = path.read_bytes()
        try:
            edits = embedded_edits(old, Format.JPEG, KEYWORDS)
        except TagRefusedError:
            continue
        new = apply_edits(old, edits)
        verify_embedded(old, new, Format.JPEG, KEYWORDS)
        assert ";".join(KEYWORDS) + "\0" == bytes(piexif.load(new)["0th"][XP_KEYWORDS]).decode("utf-16-le"), path.name
        assert pixels(old) == pixels(new), path.name
        assert entries(old) == entries(new), path.name
        assert old == apply_edits(new, inverse(edits)), path.name
        assert () == embedded_edits(new, Format.JPEG, KEYWORDS), path.name
        written += 1

    assert CLEAN[folder] == written
