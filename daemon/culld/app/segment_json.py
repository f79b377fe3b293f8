"""The regions of a photo as values of `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culld.app.segment_messages import PhotoRegions


def regions_json(found: PhotoRegions) -> dict[str, object]:
    """Return the regions as values of `--json`; polygons are lists of corners in px of the upright photo."""
    return {
        "model": found.model,
        "width": found.width,
        "height": found.height,
        "sentence": found.sentence,
        "shares": {kind: round(share, 4) for kind, share in found.shares.items()},
        "regions": [
            {"class": kind, "hole": polygon.is_hole, "polygon": [list(point) for point in polygon.points]}
            for kind, polygons in found.polygons.items()
            for polygon in polygons
        ],
    }
