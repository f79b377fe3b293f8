"""The regions of a photo as JSON in the facts of a decision; decisions of an older culld have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culld.journal.subject_json import number_in
from culld.records.regions import REGION_CLASSES, Regions

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLACES = 4


def regions_out(regions: Regions | None) -> dict[str, Any] | None:
    """Return regions as JSON values; None if they were not found."""
    if regions is None:
        return None
    return {
        "shares": {kind.value: round(share, _PLACES) for kind, share in regions.shares.items()},
        "blurred": round(regions.blurred, _PLACES),
        "sharpest": round(regions.sharpest, _PLACES),
    }


def regions_in(known: object) -> Regions | None:
    """Return the regions of JSON values; None if one of them is missing or not valid."""
    if not isinstance(known, dict) or not isinstance(known.get("shares"), dict):
        return None
    shares = _numbers(known["shares"].get(kind.value) for kind in REGION_CLASSES)
    match (shares, number_in(known.get("blurred")), number_in(known.get("sharpest"))):
        case [[*shares], float(blurred), float(sharpest)]:
            try:
                return Regions(dict(zip(REGION_CLASSES, shares, strict=True)), blurred, sharpest)
            except ValueError:
                return None
    return None


def _numbers(values: Iterable[object]) -> list[float]:
    found = [number_in(value) for value in values]
    return [value for value in found if value is not None]
