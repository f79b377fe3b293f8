"""Archives: a row becomes the photo again that it was made of."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from culld.archive.parquet.row import Beside, failed_row, scored_row
from culld.archive.parquet.row_in import assessment_of, place_of
from culld.archive.parquet.schema import row_schema
from culld.archive.records import Status
from culld.archive.scoring.shards import write_rows
from culld.records import (
    Assessment,
    Camera,
    DHash,
    Exposure,
    Face,
    FileStat,
    Format,
    Photo,
    Rating,
    RootedPath,
    Scores,
    Subject,
    Unreadable,
    UserMetadata,
    UserMetadataSources,
)
from harness.archives import rows_of

pytest.importorskip("pyarrow")

ROOT = Path("/photos")
FACE = Face((0.1, 0.2, 0.3, 0.4), ((0.2, 0.3), (0.3, 0.3)), 0.9, 0.25, -0.5)
MOMENT = datetime(2026, 5, 1, 23, 30, tzinfo=timezone(timedelta(hours=2)))


def photo(name: str = "trip/a.jpg") -> Assessment:
    """A photo of which every fact is known."""
    camera = Camera("X100", MOMENT, 6, Exposure(0.01, 2.8, 400, -0.5), 35.0, auto_bracket=True)
    place = RootedPath(ROOT, Path(name))
    rated = UserMetadata(stars=(Rating("xmp:Rating 4", 4),), edited_by=("darktable",), unclear="XMP: cut off")
    return Assessment(
        Photo(place, FileStat(0, 0, 7, 8, 0), "ab" * 32, Format.JPEG, camera),
        Scores(0.1, 0.2, 0.3, 0.4),
        "model@1",
        DHash(1, 2 << 250),
        "an image",
        UserMetadataSources(rated),
        Subject((FACE,), 0.123456789, 0.5, (0.5, 0.5), -1.23456789),
        (60, 40),
    )


def stored(found: Assessment, tmp_path: Path, beside: Beside = Beside()) -> dict[str, Any]:  # noqa: B008 (frozen)
    """The row of a photo, through a file."""
    write_rows(tmp_path / "rows/0001/shard-000000.parquet", [scored_row(found, beside)], 1)
    (row,) = rows_of(tmp_path)
    return row


def test_a_row_becomes_the_photo_that_it_was_made_of(tmp_path: Path) -> None:
    """With its faces, its rating, its figures as they were, and the hour on the clock of the camera."""
    found = assessment_of(stored(photo(), tmp_path), ROOT)

    assert found == photo()
    assert found.photo.camera.taken_at is not None
    assert found.photo.camera.taken_at.hour == MOMENT.hour


def test_what_a_sidecar_says_counts_once_with_the_photo(tmp_path: Path) -> None:
    """The row holds both together; the sidecar is named so that a stack knows that it was read."""
    beside = RootedPath(ROOT, Path("trip/a.jpg.xmp"))
    sources = UserMetadataSources(UserMetadata(), ((beside, UserMetadata(ratings=("label Red",))),))

    row = stored(replace(photo(), user_metadata=sources), tmp_path, Beside(sidecars=("a.jpg.xmp",)))

    expected = UserMetadataSources(UserMetadata(ratings=("label Red",)), ((beside, UserMetadata()),))
    assert assessment_of(row, ROOT).user_metadata == expected


def test_a_photo_that_cannot_be_decoded_keeps_the_reason(tmp_path: Path) -> None:
    """Without scores, subject and size."""
    bare = replace(photo(), result=Unreadable("cut off"), subject=None, full_size=None, dhash=None)

    assert assessment_of(stored(bare, tmp_path), ROOT) == bare


def test_a_name_that_is_no_utf_8_comes_back(tmp_path: Path) -> None:
    """By its bytes."""
    name = os.fsdecode(b"\xff.jpg")

    assert place_of(stored(photo(name), tmp_path), ROOT) == RootedPath(ROOT, Path(name))


def test_impossible_values_count_as_not_known(tmp_path: Path) -> None:
    """As those of a file of another program."""
    damaged = {"facts": "{", "iso": -1, "orientation": 9, "format": "bmp", "width": 0, "brightness": float("nan")}

    found = assessment_of({**stored(photo(), tmp_path), **damaged}, ROOT)

    assert (found.photo.camera.exposure.iso, found.photo.camera.orientation) == (None, 1)
    assert (found.photo.format, found.full_size) == (Format.UNKNOWN, None)
    assert found.subject == Subject((), 0.123456789, 0.5)


def test_a_row_without_a_judgement_and_another_root_are_refused(tmp_path: Path) -> None:
    """Neither is a photo below the root."""
    empty = dict.fromkeys(row_schema().names)
    failed = failed_row(RootedPath(ROOT, Path("a.jpg")), None, Status.FAILED, "no permission")

    with pytest.raises(ValueError, match="holds no judgement"):
        assessment_of({**empty, **failed}, ROOT)
    with pytest.raises(ValueError, match="/elsewhere"):
        assessment_of(stored(photo(), tmp_path), Path("/elsewhere"))
