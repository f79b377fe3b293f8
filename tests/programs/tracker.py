"""GNOME's tracker: prints what it would put into its index."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from programs.display import home


class Tracker:
    """`tracker3 extract`, on a message bus of its own."""

    name = "GNOME tracker"
    program = "tracker3"
    package = "tracker tracker-extract"

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the tags of each photo for which tracker has an extractor."""
        read = {photo: _extracted(photo, home(work)) for photo in photos}
        return {photo: frozenset(_labels(found)) for photo, found in read.items() if found is not None}


def _extracted(photo: Path, environment: dict[str, str]) -> object | None:
    command = ["dbus-run-session", "--", "tracker3", "extract", "-o", "json-ld", photo]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin", **environment})
    return json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else None


def _labels(value: object) -> Iterator[str]:
    """Return the labels of all tags in a tree of JSON."""
    if isinstance(value, list):
        for each in value:
            yield from _labels(each)
    if isinstance(value, dict):
        if value.get("@type") == "nao:Tag":
            yield str(value["nao:prefLabel"])
        for each in value.values():
            yield from _labels(each)
