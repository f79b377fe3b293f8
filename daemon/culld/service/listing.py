"""What lies beside a photo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from culld.disk.beneath import open_folder

if TYPE_CHECKING:
    from culld.records import Place


def names_beside(place: Place) -> list[str]:
    """The names in the folder of a file, its own included; raises PhotoError if the folder is gone."""
    descriptor = open_folder(place.root, place.relative.parent)
    try:
        return os.listdir(descriptor)  # noqa: PTH208 (of an open descriptor, so that no link can be swapped in)
    finally:
        os.close(descriptor)
