"""One row for one photo: what `culld score` and the daemon find out about it, and the files beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from culld.archive.objects.uri import stored_bytes
from culld.archive.records import Status
from culld.errors import PhotoError
from culld.journal.stack_json import to_json
from culld.records import Scores, Stack, UserMetadata
from culld.stages.decide.decider import metadata_read_with
from culld.stages.group.directory import FolderListing
from culld.stages.group.stacks import companions, is_live_photo_video, may_be_siblings
from culld.tags.names import EDITOR_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culld.records import Assessment, Camera, DHash, FileStat, RootedPath, Subject

    Row = dict[str, Any]
    """The values of a row by the columns of `schema.row_schema`; a column without a value is missing."""

_HALF: Final = 32
_MOVIES: Final = frozenset({".mov", ".mp4"})


@dataclass(frozen=True, slots=True)
class Beside:
    """The names of the files beside a photo that belong to its shot.

    `siblings` are other photos of the shot, such as the JPEG of a RAW; `blocking` are files that may belong to it. The
    movie of a Live Photo is a sidecar, and a link is blocking, as in the daemon.
    """

    sidecars: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()


@dataclass(slots=True)
class Companions:
    """Lists the files beside the photos of one shard; each folder is listed once."""

    _listing: FolderListing = field(default_factory=FolderListing)

    def beside(self, place: RootedPath) -> Beside:
        """Return the files beside a photo; none if its folder is gone."""
        name = place.relative.name
        try:
            names, links = self._listing.beside(place), self._listing.unclear(place)
        except PhotoError:
            return Beside()
        siblings = sorted(other for other in names if may_be_siblings(name, other))
        about, rest = companions(name, [*names, *links], siblings)
        live = [each for each in rest if each not in links and _is_live(place.beside(each), siblings)]
        sidecars = [*(each for each in about if each not in links), *live]
        blocking = [*(each for each in rest if each not in live), *(each for each in about if each in links)]
        return Beside(tuple(map(_text, sidecars)), tuple(map(_text, siblings)), tuple(map(_text, blocking)))


def _is_live(place: RootedPath, siblings: Sequence[str]) -> bool:
    """Return whether a file is the movie of a Live Photo; beside siblings with its stem the photo is not known."""
    name = place.relative
    has_rival = any(PurePath(other).stem == name.stem for other in siblings)
    return name.suffix.lower() in _MOVIES and not has_rival and is_live_photo_video(place)


def scored_row(found: Assessment, beside: Beside) -> Row:
    """Return the row of a photo that a worker has read, whether it can be decoded or not."""
    photo, result, scored = found.photo, found.result, isinstance(found.result, Scores)
    width, height = found.full_size or (None, None)
    return {
        **place_columns(photo.place.path),
        **_stamp_columns(photo.stamp),
        "status": str(Status.SCORED if scored else Status.UNREADABLE),
        "error": None if isinstance(result, Scores) else result.reason,
        "digest": bytes.fromhex(photo.digest),
        "format": str(photo.format),
        "width": width,
        "height": height,
        **_camera_columns(photo.camera),
        **_score_columns(result if isinstance(result, Scores) else None),
        **_subject_columns(found.subject),
        "dhash": None if found.dhash is None else hash_bytes(found.dhash),
        "missing_part": found.missing_part or None,
        "sidecars": beside.sidecars,
        "siblings": beside.siblings,
        "blocking": beside.blocking,
        "marked": is_marked(found, beside),
        "facts": facts_of(found, beside),
        "model": found.model,
    }


def failed_row(place: RootedPath, stamp: FileStat | None, status: Status, why: str) -> Row:
    """Return the row of a photo that could not be read; without its stamp it was gone."""
    known = {} if stamp is None else _stamp_columns(stamp)
    return {**place_columns(place.path), **known, "status": str(status), "error": why}


def place_columns(path: Path) -> Row:
    """Return the path as `culld score --json` prints it, or a URI, and its bytes if they are no UTF-8."""
    raw = stored_bytes(path)
    shown = raw.decode("utf-8", "backslashreplace")
    return {"path": shown, "path_bytes": None if shown.encode() == raw else raw}


def facts_of(found: Assessment, beside: Beside) -> str:
    """Return the facts of a photo that no column holds, as the journal stores them: faces, ratings, edits."""
    return to_json(Stack(replace(found, dhash=None), user_metadata=_user_metadata(found, beside)))


def is_marked(found: Assessment, beside: Beside) -> bool:
    """Return whether the user rated, flagged or edited a photo, or a part of it or of its metadata cannot be read."""
    known = replace(_user_metadata(found, beside), filled_flags=frozenset())
    edits = any(PurePath(name.casefold()).suffix in EDITOR_SUFFIXES for name in beside.sidecars)
    return edits or known != UserMetadata() or bool(found.missing_part)


def _user_metadata(found: Assessment, beside: Beside) -> UserMetadata:
    place = found.photo.place
    stack = Stack(found, sidecars=tuple(place.beside(os.fsdecode(name)) for name in beside.sidecars))
    return metadata_read_with(stack) or UserMetadata()


def hash_bytes(dhash: DHash) -> bytes:
    """Return a difference hash as 64 bytes."""
    return dhash.rows.to_bytes(_HALF, "big") + dhash.columns.to_bytes(_HALF, "big")


def _stamp_columns(stamp: FileStat) -> Row:
    return {"size": stamp.size, "mtime_ns": stamp.mtime_ns}


def _camera_columns(camera: Camera) -> Row:
    exposure = camera.exposure
    return {
        "orientation": camera.orientation,
        "camera": camera.model,
        "taken_at": camera.taken_at,
        "hour": None if camera.taken_at is None else camera.taken_at.hour,
        "exposure_s": exposure.time_s,
        "aperture": exposure.aperture,
        "iso": exposure.iso,
        "bias_ev": exposure.bias_ev,
        "focal_mm": camera.focal_mm,
        "auto_bracket": camera.auto_bracket,
    }


def _score_columns(scores: Scores | None) -> Row:
    if scores is None:
        return {}
    return {"blur": scores.blur, "under": scores.under, "over": scores.over, "focus": scores.focus}


def _subject_columns(subject: Subject | None) -> Row:
    if subject is None:
        return {}
    main = subject.faces[0] if subject.faces else None
    return {
        "sharpness": subject.sharpness,
        "sharp_share": subject.sharp_share,
        "brightness": subject.brightness,
        "faces": len(subject.faces),
        "face_blur": None if main is None else main.blur,
        "face_light": None if main is None else main.light,
    }


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
