"""The values of the variables of rule conditions: scores, camera facts, and facts of the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from culld.records import Format, Scores
from culld.records.regions import RegionClass

if TYPE_CHECKING:
    from datetime import datetime

    from culld.records import Assessment, Stack, Subject
    from culld.rules import Facts

_DAY_S = 86400.0
FACE_BLURRED_FROM: Final = 0.5
"""The probability from which the main face is out of focus."""
SHARP_FROM: Final = 0.08
"""The share of the frame from which the largest sharp region of a photo without a face is its sharp subject.

Chosen on the calibration split, see `tests/bench/subject_sharp.py`.
"""


def variables_of(stack: Stack, now: datetime) -> Facts:
    """Return the values for the primary photo of a stack, by the names of `rules.VARIABLES`; None if not known.

    `age_days` counts from the time of the shot, or from the mtime of the file if that is not known; `hour` is that of
    the clock of the camera. `folder` is the path below the watched folder, with slashes. `face_blur` and `face_light`
    are those of the main face. `share_blur` (out of focus or moved) and `share_clipped` are shares of the frame;
    `subject_sharp` is whether the main face, or a large region of a photo without one, is sharp. `series_ev` is the
    light that a photo shows against that of its neighbours, see `Stack`.
    `longest` is the longer side in pixels.
    """
    photo = stack.primary.photo
    camera, exposure = photo.camera, photo.camera.exposure
    scores = stack.primary.result
    taken = camera.taken_at
    changed_s = photo.stamp.mtime_ns / 1e9 if taken is None else taken.timestamp()
    relative = photo.place.relative
    return {
        "blur": scores.blur if isinstance(scores, Scores) else None,
        "under": scores.under if isinstance(scores, Scores) else None,
        "over": scores.over if isinstance(scores, Scores) else None,
        "missed_focus": scores.focus if isinstance(scores, Scores) else None,
        **_of_subject(stack.primary.subject),
        **region_variables(stack.primary),
        "iso": exposure.iso,
        "aperture": exposure.aperture,
        "exposure_time": exposure.time_s,
        "bias": exposure.bias_ev,
        "light_value": exposure.light_value,
        "focal_length": camera.focal_mm,
        "camera": camera.model,
        "hour": None if taken is None else taken.hour,
        "age_days": (now.timestamp() - changed_s) / _DAY_S,
        "name": relative.name,
        "extension": relative.suffix.removeprefix(".").lower(),
        "folder": "/".join(map(os.fspath, relative.parent.parts)),
        "longest": stack.primary.longest,
        "pictures": len(stack.members),
        "raw": any(member.photo.format is Format.RAW for member in stack.members),
        "series": None if stack.series is None else stack.series.kind.value,
        "series_ev": stack.series_ev,
    }


def _of_subject(subject: Subject | None) -> Facts:
    """Return the variables about the subject; None for each value that is not known."""
    main = subject.faces[0] if subject is not None and subject.faces else None
    return {
        "faces": None if subject is None else len(subject.faces),
        "face_blur": None if main is None else main.blur,
        "face_light": None if main is None else main.light,
        "sharpness": None if subject is None else subject.sharpness,
        "sharp_share": None if subject is None else subject.sharp_share,
    }


def region_variables(photo: Assessment) -> Facts:
    """Return the variables about the regions of a photo; None for each value that is not known."""
    regions = photo.regions
    return {
        "share_blur": None if regions is None else regions.blurred,
        "share_clipped": None if regions is None else regions.shares[RegionClass.HIGHLIGHT],
        "subject_sharp": _subject_sharp(photo),
    }


def _subject_sharp(photo: Assessment) -> bool | None:
    subject, regions = photo.subject, photo.regions
    face = subject.faces[0].blur if subject is not None and subject.faces else None
    if face is not None:
        return face < FACE_BLURRED_FROM
    return None if regions is None else regions.sharpest >= SHARP_FROM
