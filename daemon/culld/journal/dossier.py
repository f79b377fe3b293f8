"""What a decision was made from, besides the scores: kept as JSON, so that it can be made again without the photo."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from culld.records import Camera, Care, Exposure, Format, Likeness, Rating, Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culld.records import Assessment, Place

NOTHING: Final = "{}"
"""What stands for a decision whose facts are not known: one of an older culld, or taken over from quarantine."""


def dossier(stack: Stack) -> str:
    """The facts of a judged photo and of what lies with it as one line of JSON; what is not known is left out.

    Files are told by their names, which are in the photo's own folder.
    """
    photo, likeness, care = stack.lead.photo, stack.lead.likeness, stack.care
    known: dict[str, Any] = {
        "format": photo.format.value,
        "camera": _camera(photo.camera),
        "likeness": None if likeness is None else [f"{likeness.rows:x}", f"{likeness.columns:x}"],
        "sidecars": _names(stack.sidecars),
        "kin": _names(stack.kin),
        "edits": _names(stack.edits),
        "partners": _names(partner.photo.place for partner in stack.partners),
        "care": _care(care),
    }
    return json.dumps({name: value for name, value in known.items() if value}, separators=(",", ":"))


def stack_in(text: str, lead: Assessment, judged: Mapping[Place, Assessment]) -> Stack:
    """The photo with what lay with it; partners are looked up among those that were `judged`."""
    known: dict[str, Any] = json.loads(text)
    place = lead.photo.place
    sidecars, kin, edits, partners = (
        tuple(place.beside(name) for name in known.get(key, ())) for key in ("sidecars", "kin", "edits", "partners")
    )
    found = tuple(judged[partner] for partner in partners if partner in judged)
    return Stack(lead, sidecars, kin, found, edits, _care_in(known.get("care", {})))


def _names(places: Iterable[Place]) -> list[str]:
    return [place.relative.name for place in places]


def facts_in(text: str) -> tuple[Format, Camera, Likeness | None]:
    """The format of the photo, what its camera said, and how it looks from afar; empty where the dossier is."""
    known: dict[str, Any] = json.loads(text)
    bits = known.get("likeness")
    likeness = None if bits is None else Likeness(*(int(each, 16) for each in bits))
    return Format(known.get("format", Format.UNKNOWN)), _camera_in(known.get("camera", {})), likeness


def _care(care: Care) -> dict[str, Any]:
    known: dict[str, Any] = {
        name: getattr(care, name) for name in ("rated", "edited", "unclear", "apart", "incomplete")
    }
    known["stars"] = [[rating.said, rating.stars] for rating in care.stars]
    return {name: value for name, value in known.items() if value}


def _care_in(known: dict[str, Any]) -> Care:
    return Care(
        rated=tuple(known.get("rated", ())),
        edited=tuple(known.get("edited", ())),
        unclear=known.get("unclear", ""),
        stars=tuple(Rating(said, stars) for said, stars in known.get("stars", ())),
        apart=tuple(known.get("apart", ())),
        incomplete=known.get("incomplete", ""),
    )


def _camera_in(known: dict[str, Any]) -> Camera:
    taken = known.pop("taken_at", None)
    exposure = Exposure(**known.pop("exposure", {}))
    return Camera(**known, taken_at=None if taken is None else datetime.fromisoformat(taken), exposure=exposure)


def _camera(camera: Camera) -> dict[str, Any]:
    exposure = camera.exposure
    known = {
        "model": camera.model,
        "taken_at": None if camera.taken_at is None else camera.taken_at.isoformat(),
        "orientation": camera.orientation,
        "focal_mm": camera.focal_mm,
        "auto_bracket": camera.auto_bracket or None,
        "exposure": {
            name: value
            for name in ("seconds", "aperture", "iso", "bias_ev")
            if (value := getattr(exposure, name)) is not None
        },
    }
    return {name: value for name, value in known.items() if value is not None}
