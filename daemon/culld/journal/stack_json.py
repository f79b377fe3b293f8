"""What a decision was made from, besides the scores: kept as JSON, so that it can be made again without the photo."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from culld.records import Camera, DHash, Exposure, Format, Rating, Stack, UserMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from culld.records import Assessment, RootedPath

NOTHING: Final = "{}"
"""What stands for a decision whose facts are not known: one of an older culld, or taken over from quarantine."""


def to_json(stack: Stack) -> str:
    """The facts of a judged photo and of what lies with it as one line of JSON; what is not known is left out.

    Files are told by their names, which are in the photo's own folder.
    """
    photo, likeness, care = stack.primary.photo, stack.primary.dhash, stack.user_metadata
    known: dict[str, Any] = {
        "format": photo.format.value,
        "camera": _camera(photo.camera),
        "likeness": None if likeness is None else [f"{likeness.rows:x}", f"{likeness.columns:x}"],
        "sidecars": _names(stack.sidecars),
        "kin": _names(stack.blocking_files),
        "edits": _names(stack.editor_sidecars),
        "partners": _names(partner.photo.place for partner in stack.siblings),
        "care": _user_metadata(care),
    }
    return json.dumps({name: value for name, value in known.items() if value}, separators=(",", ":"))


def from_json(text: str, lead: Assessment, judged: Mapping[RootedPath, Assessment]) -> Stack:
    """The photo with what lay with it; partners are looked up among those that were `judged`."""
    known = _known(text)
    place = lead.photo.place
    sidecars, kin, edits, partners = (
        tuple(place.beside(name) for name in _texts(known.get(key)) if _is_name(name))
        for key in ("sidecars", "kin", "edits", "partners")
    )
    found = tuple(judged[partner] for partner in partners if partner in judged)
    return Stack(lead, sidecars, kin, found, edits, _user_metadata_in(_object(known.get("care"))))


def _is_name(text: str) -> bool:
    return PurePath(text).name == text and text not in {"", ".."}


def _names(places: Iterable[RootedPath]) -> list[str]:
    return [place.relative.name for place in places]


def facts_in(text: str) -> tuple[Format, Camera, DHash | None]:
    """The format of the photo, what its camera said, and how it looks from afar; empty where the dossier is.

    What cannot be read counts as not known: an older culld wrote dates and numbers down that no camera can mean.
    """
    known = _known(text)
    format_ = known.get("format")
    return (
        Format(format_) if isinstance(format_, str) and format_ in set(Format) else Format.UNKNOWN,
        _camera_in(_object(known.get("camera"))),
        _dhash_in(known.get("likeness")),
    )


def _user_metadata(care: UserMetadata) -> dict[str, Any]:
    known: dict[str, Any] = {
        "rated": care.ratings,
        "edited": care.edited_by,
        "unclear": care.unclear,
        "apart": care.ratings_outside,
        "incomplete": care.incomplete,
        "stars": [[rating.source, rating.stars] for rating in care.stars],
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
            case [str(said), int(stars) | float(stars)]:
                yield Rating(said, stars)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _known(text: str) -> dict[str, Any]:
    """The dossier as it was written; empty if it cannot be read."""
    try:
        return _object(json.loads(text))
    except (ValueError, RecursionError):
        return {}


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
