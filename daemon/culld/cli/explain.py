"""`culld explain`: where in a photo a defect is seen, as a sentence, JSON and a picture; the photo is only read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.app.explain import explain_photo
from culld.app.explain_messages import ExplainRequest
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, place_of, write_picture
from culld.errors import PhotoError
from culld.explain.method import Method
from culld.records import Defect, display_path

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from culld.app.explain_messages import PhotoExplanation


def run(args: argparse.Namespace) -> int:
    """Explain the photo; return 1 if it cannot be explained."""
    config = configuration.load_or_default(args)
    path = args.photo.absolute()
    head = None if args.head is None else Defect(args.head)
    try:
        found = explain_photo(config, ExplainRequest(place_of(path), head, Method(args.method)))
    except PhotoError as error:
        print(f"culld: {display_path(args.photo)}: {error}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.out is not None:
        write_picture(args.out, found.picture, path)
    print(json.dumps(as_json(path, found)) if args.json else found.sentence)
    return exit_codes.FINE


def as_json(path: Path, found: PhotoExplanation) -> dict[str, object]:
    """Return the explanation as values of `--json`; the map has rows from the top, in units of the logit."""
    rows = found.values
    return {
        "path": json_path(path),
        "head": found.head,
        "method": found.method,
        "probability": round(found.probability, 4),
        "logit": round(found.logit, 4),
        "light_value": None if found.light_value is None else round(found.light_value, 2),
        "sentence": found.sentence,
        "strongest": [round(place, 4) for place in found.strongest],
        "share": round(found.share, 4),
        "map": {
            "width": len(rows[0]) if rows else 0,
            "height": len(rows),
            "values": [[round(value, 5) for value in row] for row in rows],
        },
    }
