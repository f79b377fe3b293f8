"""Camera facts of a shot; the records hold possible values only, so that no later stage fails on a value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_LONGEST_MODEL: Final = 200
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
POSSIBLE: Final = {
    "time_s": (1e-9, 1e6),
    "aperture": (0.1, 1000.0),
    "iso": (1, 100_000_000),
    "bias_ev": (-50.0, 50.0),
    "focal_mm": (0.01, 100_000.0),
}
"""The smallest and the largest value of each number: wider than any camera, narrow enough to calculate with."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The camera settings of a shot, None if the file holds none; raises ValueError for an impossible value."""

    time_s: float | None = None
    aperture: float | None = None
    iso: int | None = None
    bias_ev: float | None = None

    def __post_init__(self) -> None:
        """Check that each value is possible."""
        for name in ("time_s", "aperture", "iso", "bias_ev"):
            _require(name, getattr(self, name))

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Return the exposure from the values of a file, by field name; an impossible or unknown value becomes None."""
        seconds, aperture, bias = (_number(name, values.get(name)) for name in ("time_s", "aperture", "bias_ev"))
        iso = _number("iso", values.get("iso"))
        return cls(seconds, aperture, None if iso is None else int(iso), bias)

    @property
    def light_value(self) -> float | None:
        """The light value of a scene that these settings expose well: 15 in the sun, 0 for 1 s at f/1.

        It is the exposure value (APEX) at ISO 100. None if time, aperture or ISO is not known.
        """
        if not (self.time_s and self.aperture and self.iso):
            return None
        return math.log2(self.aperture**2 / self.time_s) - math.log2(self.iso / 100)


@dataclass(frozen=True, slots=True)
class Camera:
    """The EXIF facts of a shot; orientation is the EXIF value 1..8, `focal_mm` the real focal length in mm.

    `taken_at` is aware and lies in the years 1900 to 2200, so that calculations around it do not overflow.
    `auto_bracket` is true if the camera took the shot as part of a bracket (EXIF ExposureMode 2).
    An impossible value raises ValueError.
    """

    model: str | None = None
    taken_at: datetime | None = None
    orientation: int = 1
    exposure: Exposure = field(default_factory=Exposure)
    focal_mm: float | None = None
    auto_bracket: bool = False

    def __post_init__(self) -> None:
        """Check that each value is possible."""
        _require("focal_mm", self.focal_mm)
        if self.model is not None and len(self.model) > _LONGEST_MODEL:
            raise ValueError(f"a camera model has {_LONGEST_MODEL} characters at most")
        if not _is_orientation(self.orientation):
            raise ValueError(f"{self.orientation!r} is not an orientation 1..8")
        if self.taken_at is not None and not is_possible_moment(self.taken_at):
            raise ValueError(f"{self.taken_at!r} is not a possible time of a shot")

    @classmethod
    def of(cls, values: Mapping[str, object], taken_at: datetime | None, exposure: Exposure) -> Self:
        """Return the camera from the values of a file, by field name; an impossible value becomes the default."""
        model, orientation = values.get("model"), values.get("orientation")
        return cls(
            model=(model[:_LONGEST_MODEL].strip() or None) if isinstance(model, str) else None,
            taken_at=taken_at if taken_at is not None and is_possible_moment(taken_at) else None,
            orientation=orientation if isinstance(orientation, int) and _is_orientation(orientation) else 1,
            exposure=exposure,
            focal_mm=_number("focal_mm", values.get("focal_mm")),
            auto_bracket=values.get("auto_bracket") is True,
        )


def is_possible_moment(moment: datetime) -> bool:
    """Return whether a moment is a possible time of a shot: aware, and in the years 1900 to 2200."""
    return moment.utcoffset() is not None and _FIRST_YEAR <= moment.year <= _LAST_YEAR


def _require(name: str, value: float | None) -> None:
    if value is not None and _number(name, value) is None:
        least, largest = POSSIBLE[name]
        raise ValueError(f"{name} is {value!r}, but must lie between {least:g} and {largest:g}")


def _number(name: str, value: object) -> float | None:
    """Return the value if it is a possible number, else None; NaN is not possible."""
    least, largest = POSSIBLE[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if least <= value <= largest else None


def _is_orientation(value: int) -> bool:
    return type(value) is int and 1 <= value <= 8
