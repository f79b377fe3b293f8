"""What a photo program is to the matrix of keywords."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Protocol


class Reader(Protocol):
    """A program that displays or prints the keywords of photos.

    `name` stands in the table; `program` is what $PATH must have; `package` is the Debian package that brings it.
    """

    name: str
    program: str
    package: str

    def keywords(self, photos: list[Path], work: Path) -> dict[Path, frozenset[str]]:
        """Return the keywords of each photo that the program opens; `work` is a folder that it may make and fill.

        Raises NotDrivenError if the program does not react.
        """
        ...


def output(*command: str | Path) -> str | None:
    """Return what a command prints; None if it fails, which for these programs is a file that they do not open."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def version(package: str) -> str:
    """Return the version of a Debian package that is installed, without the parts that Debian adds."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=True)
    return re.sub(r"^\d+:|[-+].*$", "", done.stdout)


def beside(photo: Path) -> list[Path]:
    """Return the sidecars of a photo that are there, by either name."""
    return [path for path in (photo.with_name(f"{photo.name}.xmp"), photo.with_suffix(".xmp")) if path.exists()]
