"""What a decision was made from, besides the scores: kept as JSON, so that it can be made again without the photo."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from culld.records import Camera, Exposure, Format, Likeness

if TYPE_CHECKING:
    from culld.records import Assessment

NOTHING: Final = "{}"
"""What stands for a decision whose facts are not known: one of an older culld, or taken over from quarantine."""


def dossier(assessment: Assessment) -> str:
    """The facts of a judged photo as one line of JSON; what is not known is left out."""
    photo, likeness = assessment.photo, assessment.likeness
    known: dict[str, Any] = {"format": photo.format.value, "camera": _camera(photo.camera)}
    if likeness is not None:
        known["likeness"] = [f"{likeness.rows:x}", f"{likeness.columns:x}"]
    return json.dumps(known, separators=(",", ":"))


def format_in(text: str) -> Format:
    """The format of the photo; UNKNOWN if the dossier does not tell."""
    return Format(json.loads(text).get("format", Format.UNKNOWN))


def likeness_in(text: str) -> Likeness | None:
    """How the photo looks from afar; None if the dossier does not tell."""
    found = json.loads(text).get("likeness")
    return None if found is None else Likeness(*(int(bits, 16) for bits in found))


def camera_in(text: str) -> Camera:
    """The camera facts of the photo; empty if the dossier does not tell."""
    known: dict[str, Any] = json.loads(text).get("camera", {})
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
