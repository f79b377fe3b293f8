"""The photo of a row of an archive, as the stages take it: the inverse of `row.scored_row`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.archive.records import Status
from culld.journal.stack_json import facts_in, full_size_in, parsed, user_metadata_in
from culld.journal.subject_json import number_in
from culld.records import (
    Assessment,
    Camera,
    DHash,
    Exposure,
    FileStat,
    Format,
    Photo,
    RootedPath,
    Scores,
    Subject,
    Unreadable,
    UserMetadata,
    UserMetadataSources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_HALF: Final = 32
_FORMATS: Final = frozenset(Format)
_XMP: Final = ".xmp"


def assessment_of(row: Mapping[str, Any], root: Path) -> Assessment:
    """Return the photo of a row with all columns; its path is given below `root`, a folder that holds it.

    `user_metadata` holds what the photo and its sidecars say together. The times of the stamp but mtime are 0, since no
    column has them. An impossible value counts as not known. Raises ValueError for a row without a judgement (`failed`,
    `lost` or `deleted`), and for a path outside of `root`.
    """
    if row["status"] not in {Status.SCORED, Status.UNREADABLE} or row["digest"] is None:
        raise ValueError(f"{row['path']}: a row with the status {row['status']} holds no judgement")
    place, recorded = place_of(row, root), _recorded(row["facts"])
    stamp = FileStat(0, 0, row["size"] or 0, row["mtime_ns"] or 0, 0)
    return Assessment(
        Photo(place, stamp, row["digest"].hex(), _format(row), _camera(row, recorded.taken_at)),
        _result(row),
        row["model"] or "",
        _dhash(row["dhash"]),
        row["missing_part"] or "",
        _sources(row, place, recorded.user_metadata),
        _subject(row, recorded.subject),
        full_size_in({"full_size": [row["width"], row["height"]]}),
    )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What only the facts of a row hold."""

    taken_at: datetime | None
    subject: Subject | None
    user_metadata: UserMetadata


def _recorded(facts: str | None) -> _Recorded:
    if not facts:
        return _NOTHING
    known = parsed(facts)
    _, camera, _, subject = facts_in(known)
    return _Recorded(camera.taken_at, subject, user_metadata_in(known))


_NOTHING: Final = _Recorded(None, None, UserMetadata())


def place_of(row: Mapping[str, Any], root: Path) -> RootedPath:
    """Return where the photo of a row is; raises ValueError if that is outside of `root`."""
    path, above = os.fsdecode(row["path_bytes"] or row["path"].encode()), f"{os.fspath(root).rstrip('/')}/"
    if path.startswith(above):  # ten times as fast as paths
        return RootedPath(root, Path(path[len(above) :]))
    return RootedPath(root, Path(path).relative_to(root))  # a URI has one slash less as a path


def _format(row: Mapping[str, Any]) -> Format:
    return Format(row["format"]) if row["format"] in _FORMATS else Format.UNKNOWN


def _camera(row: Mapping[str, Any], local: datetime | None) -> Camera:
    """Return the camera facts; the time of the shot has the offset of the camera's clock if the facts hold it."""
    exposure = {"time_s": row["exposure_s"], "aperture": row["aperture"], "iso": row["iso"], "bias_ev": row["bias_ev"]}
    names = ("orientation", "focal_mm", "auto_bracket")
    values = {"model": row["camera"], **{name: row[name] for name in names}}
    return Camera.of(values, _taken(row["taken_at"], local), Exposure.of(exposure))


def _taken(moment: object, local: datetime | None) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    return local if local == moment else moment


def _result(row: Mapping[str, Any]) -> Scores | Unreadable:
    if row["status"] == Status.UNREADABLE or None in (row["blur"], row["under"], row["over"]):
        return Unreadable(row["error"] or "it has no scores")
    return Scores(row["blur"], row["under"], row["over"], row["focus"])


def _dhash(bits: bytes | None) -> DHash | None:
    if bits is None:
        return None
    return DHash(int.from_bytes(bits[:_HALF], "big"), int.from_bytes(bits[_HALF:], "big"))


def _subject(row: Mapping[str, Any], recorded: Subject | None) -> Subject | None:
    """Return the subject: faces by the facts, and the figures of all by the columns, which are not rounded."""
    sharpness, share, brightness = (number_in(row[name]) for name in ("sharpness", "sharp_share", "brightness"))
    known = (sharpness, share, brightness, row["faces"])
    if recorded is None and all(each is None for each in known):
        return None
    found = replace(recorded or Subject(), sharpness=sharpness, sharp_share=share, brightness=brightness)
    if not found.faces:
        return found
    main = replace(found.faces[0], blur=number_in(row["face_blur"]), light=number_in(row["face_light"]))
    return replace(found, faces=(main, *found.faces[1:]))


def _sources(row: Mapping[str, Any], place: RootedPath, found: UserMetadata) -> UserMetadataSources:
    """Return the user metadata as if the photo held all of it; its XMP sidecars add nothing."""
    beside = [name for name in row["sidecars"] or () if Path(name).suffix.lower() == _XMP]
    return UserMetadataSources(found, tuple((place.beside(name), UserMetadata()) for name in beside))
