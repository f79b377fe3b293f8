"""A new sidecar with what the photo holds, on a real disk: there, judged again, and back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import PhotoError
from culld.files.rewrite import rewrite_file, undo
from culld.records import Format, Rewrite, RootedPath, Scores, Verdict
from culld.tags.draft import TagRequest, draft
from culld.tags.own_properties import DecisionProperties
from harness import quarantined
from harness.exif import PACKET, jpeg, segment
from harness.factories import NOON, rules

RATED = jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET))
RECORD = DecisionProperties(Scores(0.98, 0.0, 0.0), rules(), Verdict.TAG, "model@1", NOON, "0.1.0")


def tag(photo: RootedPath, **changed: object) -> tuple[Rewrite, ...]:
    """Draft and publish the tags of a photo."""
    digest = hashlib.sha256(photo.path.read_bytes()).hexdigest()
    request = TagRequest(photo, Format.JPEG, digest, ("defect:blur",), RECORD, photo.beside("a.jpg.xmp"), embed=True)
    request = replace(request, **changed)  # type: ignore[arg-type]
    rewrites = draft(request, lambda place: place.path.read_bytes() if place.path.exists() else None).rewrites
    for rewrite in rewrites:
        rewrite_file(rewrite)
    return rewrites


def test_the_way_back_is_exact(tmp_path: Path) -> None:
    """The sidecar is gone, and the photo has its old bytes, also after a second judgement."""
    photo = quarantined.put(RootedPath(tmp_path, Path("a.jpg")), RATED)
    first = tag(photo)
    assert 'xmp:Rating="3"' in photo.beside("a.jpg.xmp").path.read_text()
    fine = replace(RECORD, scores=Scores(0.01, 0.0, 0.0), verdict=Verdict.KEEP)
    second = tag(photo, keywords=(), record=fine)
    assert "defect:blur" not in photo.beside("a.jpg.xmp").path.read_text()

    for rewrite in [*reversed(second), *reversed(first)]:
        undo(rewrite)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.jpg": RATED}


def test_a_new_sidecar_that_was_edited_since_is_kept(tmp_path: Path) -> None:
    """Its rating is one of the user."""
    photo = quarantined.put(RootedPath(tmp_path, Path("a.jpg")), RATED)
    (sidecar, _) = tag(photo)
    path = sidecar.place.path
    path.write_text(path.read_text().replace('xmp:Rating="3"', 'xmp:Rating="5"'))

    with pytest.raises(PhotoError):
        undo(sidecar)
    assert 'xmp:Rating="5"' in path.read_text()
