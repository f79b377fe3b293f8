"""`culld segment`: which regions of a photo or a clip have which defect: text, JSON, a picture; it is only read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from culld.app.segment import segment_photo
from culld.app.segment_clip import is_clip
from culld.app.segment_json import regions_json
from culld.app.segment_messages import SegmentRequest
from culld.cli import configuration, exit_codes, segment_clip
from culld.cli.photo_files import json_path, place_of, write_picture
from culld.errors import PhotoError
from culld.records import display_path

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Segment the photo or the clip; return 1 if it cannot be segmented."""
    config = configuration.load_or_default(args)
    path = args.photo.absolute()
    try:
        if is_clip(place_of(path)):
            return segment_clip.run(config, path, args.out, as_json=args.json)
        found = segment_photo(config, SegmentRequest(place_of(path)))
    except PhotoError as error:
        print(f"culld: {display_path(args.photo)}: {error}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if args.out is not None:
        write_picture(args.out, found.picture, path)
    print(json.dumps({"path": json_path(path)} | regions_json(found)) if args.json else found.sentence)
    return exit_codes.FINE
