"""The subject of a photo as JSON in the facts of a decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from culld.records import Face, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACES = 5  # a ten-thousandth of a photo is less than a pixel of 6,000
_BOX, _POINT = 4, 2


def subject_out(subject: Subject | None) -> dict[str, Any] | None:
    """Return a subject as JSON values, without unknown ones; None if the photo was not searched for one."""
    if subject is None:
        return None
    known = {
        "sharpness": _rounded(subject.sharpness),
        "sharp_share": _rounded(subject.sharp_share),
        "brightness": _rounded(subject.brightness),
        "sharpest": None if subject.sharpest is None else _numbers(subject.sharpest),
    }
    return {"faces": [_face_out(face) for face in subject.faces]} | _without_none(known)


def subject_in(known: object) -> Subject | None:
    """Return the subject of JSON values; a value that is not valid counts as not known."""
    if not isinstance(known, dict):
        return None
    faces = known.get("faces")
    found = [_face_in(each) for each in faces if isinstance(each, dict)] if isinstance(faces, list) else []
    return Subject(
        tuple(face for face in found if face is not None),
        number_in(known.get("sharpness")),
        number_in(known.get("sharp_share")),
        _point(known.get("sharpest")),
        number_in(known.get("brightness")),
    )


def _face_out(face: Face) -> dict[str, Any]:
    known = {
        "box": _numbers(face.box),
        "eyes": [_numbers(eye) for eye in face.eyes],
        "confidence": _rounded(face.confidence),
        "blur": _rounded(face.blur),
        "light": _rounded(face.light),
    }
    return _without_none(known)


def _face_in(known: Mapping[str, Any]) -> Face | None:
    box, eyes, confidence = _all_numbers(known.get("box"), _BOX), known.get("eyes"), number_in(known.get("confidence"))
    points = [_point(eye) for eye in eyes] if isinstance(eyes, list) else []
    match (box, points, confidence):
        case ((x, y, width, height), [(_, _) as left, (_, _) as right], float(sure)):
            return Face(
                (x, y, width, height), (left, right), sure, number_in(known.get("blur")), number_in(known.get("light"))
            )
    return None


def _point(value: object) -> tuple[float, float] | None:
    match _all_numbers(value, _POINT):
        case (x, y):
            return x, y
    return None


def _all_numbers(value: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    found = tuple(number for each in value if (number := number_in(each)) is not None)
    return found if len(found) == count else None


def number_in(value: object) -> float | None:
    """Return a finite number of JSON, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _numbers(values: Sequence[float]) -> list[float]:
    return [round(value, _PLACES) for value in values]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _PLACES)


def _without_none(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if value is not None}
