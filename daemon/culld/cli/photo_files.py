"""Photos as the command line names them, and the pictures that it writes about them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from culld.errors import SystemFaultError
from culld.records import RootedPath, display_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def place_of(path: Path) -> RootedPath:
    """Return the place of a single file."""
    return RootedPath(path.parent, path.relative_to(path.parent))


def json_path(path: Path) -> str:
    """Return a path as text for `--json`; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def print_missing(paths: Iterable[Path]) -> None:
    """Print a line about each path that is missing."""
    for path in paths:
        print(f"culld: {display_path(path)} does not exist, or is neither a regular file nor a folder", file=sys.stderr)


def write_picture(out: Path, picture: bytes, photo: Path | None = None) -> None:
    """Write a picture; raises SystemFaultError if it cannot be written, or would replace the photo itself."""
    try:
        if photo is not None and out.exists() and out.samefile(photo):
            raise SystemFaultError(f"{display_path(out)} is the photo itself; name another file for the picture")
        out.write_bytes(picture)
    except OSError as error:
        raise SystemFaultError(f"{display_path(out)} cannot be written: {error}") from error
    print(f"picture written to {display_path(out)}", file=sys.stderr)
