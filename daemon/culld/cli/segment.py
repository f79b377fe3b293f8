"""`culld segment`: which regions of a photo have which defect, as text, JSON and a picture; the photo is only read."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from culld.app.segment import segment_photo
from culld.app.segment_messages import SegmentRequest
from culld.cli import configuration, exit_codes
from culld.errors import PhotoError, SystemFaultError
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from culld.app.segment_messages import PhotoRegions


def run(args: argparse.Namespace) -> int:
    """Segment the photo; return 1 if it cannot be segmented."""
    config = configuration.load_or_default(args)
    path = args.photo.absolute()
    try:
        found = segment_photo(config, SegmentRequest(RootedPath(path.parent, path.relative_to(path.parent))))
    except PhotoError as error:
        print(f"culld: {display_path(args.photo)}: {error}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.out is not None:
        _write_picture(args.out, path, found.picture)
    print(json.dumps(as_json(path, found)) if args.json else found.sentence)
    return exit_codes.FINE


def as_json(path: Path, found: PhotoRegions) -> dict[str, object]:
    """Return the regions as values of `--json`; polygons are lists of corners in px of the upright photo."""
    return {
        "path": os.fsencode(path).decode("utf-8", "backslashreplace"),
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


def _write_picture(out: Path, photo: Path, picture: bytes) -> None:
    """Write the PNG; raises SystemFaultError if it cannot be written, or would replace the photo itself."""
    try:
        if out.exists() and out.samefile(photo):
            raise SystemFaultError(f"{display_path(out)} is the photo itself; name another file for the picture")
        out.write_bytes(picture)
    except OSError as error:
        raise SystemFaultError(f"{display_path(out)} cannot be written: {error}") from error
    print(f"picture written to {display_path(out)}", file=sys.stderr)
