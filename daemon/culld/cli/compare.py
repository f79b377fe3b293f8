"""`culld compare`: what differs between two photos of one scene; both are only read."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from culld.app.compare import compare_photos
from culld.app.compare_messages import CompareRequest, as_json
from culld.cli import configuration, exit_codes
from culld.cli.photo_files import json_path, place_of, write_picture
from culld.errors import ConfigError, PhotoError, SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Compare the photos, or run the bench; return 1 if a photo cannot be read or they show no common scene."""
    if args.second is None:
        return _run_bench(args)
    config = configuration.load_or_default(args)
    photos = (Path(args.first).absolute(), Path(args.second).absolute())
    places = (place_of(photos[0]), place_of(photos[1]))
    request = CompareRequest(places[0], places[1], _names(args), picture=args.out is not None)
    if args.out is not None:
        _require_other_file(args.out, photos)
    try:
        found = compare_photos(config, request, args.model)
    except PhotoError as error:
        print(f"culld: {error}", file=sys.stderr)
        return exit_codes.SOME_FAILED
    if found.picture:
        write_picture(args.out, found.picture)
    first, second = map(json_path, photos)
    print(json.dumps(as_json(found, first, second)) if args.json else found.sentence)
    return exit_codes.FINE if found.alignment is not None else exit_codes.SOME_FAILED


def _run_bench(args: argparse.Namespace) -> int:
    """Run the bench if that is what the only argument names; a file of that name is given as ./bench."""
    if args.first != "bench":
        raise ConfigError(("culld compare needs two photos: culld compare A B",))
    return int(importlib.import_module("culld.cli.compare_bench").run(args))


def _names(args: argparse.Namespace) -> tuple[str, str]:
    """Return what the photos are called: their names, or their paths as given if the names are equal."""
    first, second = Path(args.first), Path(args.second)
    if first.name == second.name and first != second:
        return display_path(first), display_path(second)
    return display_path(Path(first.name)), display_path(Path(second.name))


def _require_other_file(out: Path, photos: tuple[Path, Path]) -> None:
    """Raise SystemFaultError if the picture would replace one of the photos."""
    for photo in photos:
        if out.exists() and photo.exists() and out.samefile(photo):
            raise SystemFaultError(f"{display_path(out)} is one of the photos; name another file for the picture")
