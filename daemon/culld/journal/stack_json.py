"""The facts of a decision besides the scores, as JSON: with them it can be repeated without the photo."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from culld.journal.clip_json import clip_out
from culld.journal.regions_json import regions_out
from culld.journal.subject_json import number_in, subject_in, subject_out
from culld.records import (
    Camera,
    DHash,
    Exposure,
    Format,
    Rating,
    Scores,
    SeriesKind,
    SeriesMembership,
    Stack,
    UserMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from culld.records import Assessment, RootedPath, Series, Subject, Unreadable

_FORMATS: Final = frozenset(Format)
_KINDS: Final = frozenset(SeriesKind)
NOTHING: Final = "{}"
"""The JSON of a decision whose facts are not known: one of an older culld, or imported from quarantine."""


def to_json(stack: Stack) -> str:
    """Return the facts of a judged photo and of the files beside it as one line of JSON, without unknown facts.

    Files are given by their names in the photo's folder. The keys are older than the names in `records`.
    """
    photo, dhash = stack.primary.photo, stack.primary.dhash
    known: dict[str, Any] = {
        "format": photo.format.value,
        "camera": _camera(photo.camera),
        "likeness": None if dhash is None else [f"{dhash.rows:x}", f"{dhash.columns:x}"],
        "sidecars": _names(stack.sidecars),
        "kin": _names(stack.blocking_files),
        "edits": _names(stack.editor_sidecars),
        "partners": _names(sibling.photo.place for sibling in stack.siblings),
        "care": _user_metadata(stack.user_metadata),
        "series": _series(stack.series),
        "series_ev": None if stack.series_ev is None else round(stack.series_ev, 2),
        "subject": subject_out(stack.primary.subject),
        "focus": _focus(stack.primary.result),
        "full_size": stack.primary.full_size,
        "clip": clip_out(stack.primary.clip),
        "live_movie": stack.primary.is_live_movie,
        "regions": regions_out(stack.primary.regions),
    }
    given = {name: value for name, value in known.items() if value or value == 0.0}
    return json.dumps(given, separators=(",", ":"))


def parsed(text: str) -> dict[str, Any]:
    """Return the JSON of a decision as an object; an empty one if it cannot be read."""
    try:
        return _object(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def facts_in(known: Mapping[str, Any]) -> tuple[Format, Camera, DHash | None, Subject | None]:
    """Return the format of the photo, its camera facts, its dhash and its subject.

    A value that cannot be read counts as not known: an older culld stored invalid dates and numbers.
    """
    format_ = known.get("format")
    return (
        Format(format_) if isinstance(format_, str) and format_ in _FORMATS else Format.UNKNOWN,
        _camera_in(_object(known.get("camera"))),
        _dhash_in(known.get("likeness")),
        subject_in(known.get("subject")),
    )


def stack_in(known: Mapping[str, Any], primary: Assessment) -> Stack:
    """Return the stack of a photo, without its siblings and its series."""
    place = primary.photo.place
    sidecars, blocking, edits = (_places(known.get(key), place) for key in ("sidecars", "kin", "edits"))
    light = number_in(known.get("series_ev"))
    return Stack(primary, sidecars, blocking, (), edits, user_metadata_in(known), series_ev=light)


def user_metadata_in(known: Mapping[str, Any]) -> UserMetadata:
    """Return what the user wrote about the photo: ratings, labels, flags and edits."""
    return _user_metadata_in(_object(known.get("care")))


def siblings_in(known: Mapping[str, Any], place: RootedPath) -> tuple[RootedPath, ...]:
    """Return the places of the siblings of the photo at a place."""
    return _places(known.get("partners"), place)


def series_in(known: Mapping[str, Any], place: RootedPath) -> SeriesMembership | None:
    """Return the series that the photo at a place belonged to; None if there is none, or its kind is not known."""
    series = _object(known.get("series"))
    kind = series.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    return SeriesMembership(SeriesKind(kind), _places(series.get("members"), place))


def _focus(result: Scores | Unreadable) -> float | None:
    return result.focus if isinstance(result, Scores) else None


def focus_in(known: Mapping[str, Any]) -> float | None:
    """Return the probability of missed focus; None if there is none."""
    focus = known.get("focus")
    return float(focus) if isinstance(focus, int | float) and not isinstance(focus, bool) and 0 <= focus <= 1 else None


def full_size_in(known: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the (width, height) of the photo in pixels; None if it is not known, as in older journals."""
    match known.get("full_size"):
        case [int(width), int(height)] if width > 0 and height > 0:
            return width, height
    return None


def _places(names: object, place: RootedPath) -> tuple[RootedPath, ...]:
    return tuple(place.beside(name) for name in _texts(names) if _is_name(name))


def _is_name(text: str) -> bool:
    return "/" not in text and text not in {"", ".", ".."}


def _names(places: Iterable[RootedPath]) -> list[str]:
    return [place.relative.name for place in places]


def _series(series: Series | None) -> dict[str, Any] | None:
    return (
        None
        if series is None
        else {
            "kind": series.kind.value,
            "members": _names(member.photo.place for member in series.members),
        }
    )


def _user_metadata(metadata: UserMetadata) -> dict[str, Any]:
    known: dict[str, Any] = {
        "rated": metadata.ratings,
        "edited": metadata.edited_by,
        "unclear": metadata.unclear,
        "apart": metadata.ratings_outside,
        "incomplete": metadata.incomplete,
        "stars": [[rating.source, rating.stars] for rating in metadata.stars],
    }
    return {name: value for name, value in known.items() if value}


def _user_metadata_in(known: Mapping[str, Any]) -> UserMetadata:
    return UserMetadata(
        ratings=_texts(known.get("rated")),
        edited_by=_texts(known.get("edited")),
        unclear=_text(known.get("unclear")),
        stars=tuple(_ratings_in(known.get("stars"))),
        ratings_outside=_texts(known.get("apart")),
        incomplete=_text(known.get("incomplete")),
    )


def _ratings_in(known: object) -> Iterator[Rating]:
    for each in known if isinstance(known, list) else ():
        match each:
            case [str(source), int(stars) | float(stars)]:
                yield Rating(source, stars)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _dhash_in(bits: object) -> DHash | None:
    match bits:
        case [str(rows), str(columns)]:
            try:
                return DHash(int(rows, 16), int(columns, 16))
            except ValueError:
                return None
    return None


def _camera_in(known: Mapping[str, Any]) -> Camera:
    return Camera.of(known, _moment_in(known.get("taken_at")), _exposure_in(_object(known.get("exposure"))))


def _exposure_in(known: Mapping[str, Any]) -> Exposure:
    return Exposure.of({**known, "time_s": known.get("seconds")})


def _moment_in(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _camera(camera: Camera) -> dict[str, Any]:
    exposure = camera.exposure
    known = {
        "model": camera.model,
        "taken_at": None if camera.taken_at is None else camera.taken_at.isoformat(),
        "orientation": camera.orientation,
        "focal_mm": camera.focal_mm,
        "auto_bracket": camera.auto_bracket or None,
        "exposure": {
            key: value
            for key, value in {
                "seconds": exposure.time_s,
                "aperture": exposure.aperture,
                "iso": exposure.iso,
                "bias_ev": exposure.bias_ev,
            }.items()
            if value is not None
        },
    }
    return {name: value for name, value in known.items() if value is not None}
