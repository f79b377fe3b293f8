"""One sentence about the difference of two photos."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from culld.compare.difference import Difference
    from culld.compare.places import ChangedPlace, SharperPlace, Which

LEAST_CHANGED: Final = 0.002
"""A smaller share of changed content is not named."""
LEAST_EV: Final = 0.1
"""A smaller difference of exposure is not named."""
_MOST_STEEP: Final = 3.0  # times: from it on edges have vanished, and the number says no more
_EVERYWHERE: Final = 6  # of nine places
_MOST_NAMED: Final = 2


def sentence(found: Difference, first: str, second: str) -> str:
    """Return what differs between the photos of these names.

    Such as `b.jpg is sharper (edges 1.6 times as steep, mostly at the top left), 0.3 EV brighter, and 4 % of the scene
    differs (bottom right).`
    """
    names: dict[Which, str] = {"first": first, "second": second}
    return f"{_sharpness(found, names)}, {_exposure(found, names)}, and {_content(found)}."


def _sharpness(found: Difference, names: dict[Which, str]) -> str:
    match found.sharper:
        case "same":
            return "Both are equally sharp"
        case "unknown":
            return "Neither shows edges to measure the sharpness by"
        case "mixed":
            first, second = (_first_place(found.sharper_where, frame) for frame in names)
            if not (first and second):
                return "Each is sharper than the other one in places"
            return f"{names['first']} is sharper {first} and {names['second']} {second}"
        case frame:
            steep = math.exp(abs(math.log(found.sharpness_ratio)))
            times = f"{steep:.1f}" if steep < _MOST_STEEP else f"at least {_MOST_STEEP:.0f}"
            where = _where_sharper(found.sharper_where, frame)
            return f"{names[frame]} is sharper (edges {times} times as steep{',' if where else ''}{where})"


def _where_sharper(places: tuple[SharperPlace, ...], frame: Which) -> str:
    """Return where a frame is sharper, with a space before; empty if that is everywhere or in no one place."""
    found = [place.where for place in places if place.frame == frame]
    if not found or len(found) >= _EVERYWHERE:
        return ""
    return f" mostly {_at(found[0])}" if len(found) > _MOST_NAMED else f" {' and '.join(map(_at, found))}"


def _first_place(places: tuple[SharperPlace, ...], frame: Which) -> str:
    return next((_at(place.where) for place in places if place.frame == frame), "")


def _exposure(found: Difference, names: dict[Which, str]) -> str:
    """Return the exposure of the sharper photo, or of the second one."""
    if math.isnan(found.exposure_ev):
        return "their exposure cannot be compared"
    if abs(found.exposure_ev) < LEAST_EV:
        return "equally bright" if found.sharper == "same" else "both are equally bright"
    if found.sharper == "first":
        return _brighter(-found.exposure_ev)
    verb = "" if found.sharper == "second" else f"{names['second']} is "
    return f"{verb}{_brighter(found.exposure_ev)}"


def _brighter(ev: float) -> str:
    return f"{abs(ev):.1f} EV {'brighter' if ev > 0 else 'darker'}"


def _content(found: Difference) -> str:
    if found.changed < LEAST_CHANGED:
        return "their content is the same"
    share = f"{found.changed:.1%}" if found.changed < 0.0095 else f"{found.changed:.0%}"
    return f"{share.replace('%', ' %')} of the scene differs{_where_changed(found.changed_where)}"


def _where_changed(places: tuple[ChangedPlace, ...]) -> str:
    return f" ({' and '.join(place.where for place in places[:_MOST_NAMED])})" if places else ""


def _at(where: str) -> str:
    return "in the centre" if where == "centre" else f"at the {where}"
