"""The photos that the URIs of an archive name: folders, globs, text files with paths, and single photos."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from culld.archive.objects.listing import ObjectListing
from culld.archive.objects.uri import is_object, object_uri, scheme_of, shown
from culld.errors import ConfigError
from culld.imaging.formats import supported_extensions
from culld.records import RootedPath, display_path
from culld.stages.watch.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.archive.objects.uri import ObjectUri
    from culld.records import FileSnapshot


def resolved(uris: Sequence[str]) -> tuple[str, ...]:
    """Return the URIs as absolute paths, patterns and URIs of objects, each once, in order.

    Raises ConfigError for a path at which nothing is, and for a URI that cannot be one of objects.
    """
    problems: list[str] = []
    found: list[str] = []
    for uri in uris:
        scheme = scheme_of(uri)
        if scheme not in {"", "file"}:
            try:
                found.append(str(object_uri(uri)))
            except ConfigError as error:
                problems += error.problems
            continue
        path = uri[len("file://") :] if scheme else uri
        if not _is_pattern(path) and not Path(path).exists():
            problems.append(f"{display_path(Path(path))}: is not there")
            continue
        found.append(os.path.abspath(path) if _is_pattern(path) else os.path.realpath(path))  # noqa: PTH100 (a pattern)
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(sorted(set(found)))


def require_outside(out: Path, uris: Sequence[str]) -> None:
    """Raise ConfigError if the archive would lie in a folder of photos, beside which nothing is written."""
    if is_object(out):
        raise ConfigError((f"--out {shown(out)}: the archive must be a folder of this machine",))
    for uri in uris:
        if Path(uri).is_dir() and out.resolve().is_relative_to(uri):
            raise ConfigError(
                (f"--out {display_path(out)} lies in the folder of photos {uri}; name one outside of it",)
            )


@dataclass(slots=True)
class Listing:
    """Lists the photos of resolved URIs; `missing` and `unreadable` hold what could not be found or listed."""

    uris: Sequence[str]
    missing: list[str] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    _scanner: Scanner = field(default_factory=lambda: Scanner(supported_extensions()))
    objects: ObjectListing = field(init=False)

    def __post_init__(self) -> None:
        """Let objects be noted where files are."""
        self.objects = ObjectListing(self._scanner.is_photo, self.missing, self.unreadable)

    def photos(self) -> Iterator[FileSnapshot]:
        """Yield the photos folder by folder; one that several URIs name is yielded several times.

        A named folder without any photo counts as one that cannot be read: its disk may be away.
        """
        for uri in self.uris:
            if scheme_of(uri):
                yield from self.objects.photos(object_uri(uri))
            elif _is_pattern(uri):
                yield from self._matching(uri)
            else:
                yield from self._at(Path(uri), listed=False)
        self.unreadable.update(self._scanner.unreadable.reasons)

    def _matching(self, pattern: str) -> Iterator[FileSnapshot]:
        paths = sorted(glob.iglob(pattern, recursive=True))  # noqa: PTH207 (an absolute pattern)
        if not paths:
            self.missing.append(display_path(Path(pattern)))
        for path in paths:
            yield from self._at(Path(path), listed=False)

    def _at(self, path: Path, *, listed: bool) -> Iterator[FileSnapshot]:
        if path.is_dir():
            yield from self._below(path.resolve(), is_named=str(path) in self.uris)
        elif self._scanner.is_photo(path.name):
            place = RootedPath(path.parent.resolve(), Path(path.name))
            found = self._scanner.find(place)
            if found is None:
                self.missing.append(display_path(path))
            elif listed or not self._scanner.is_copy(place):
                yield found
        elif not listed and path.is_file() and str(path) in self.uris:
            yield from self._in_list(path)
        elif listed:
            self.missing.append(display_path(path))

    def _below(self, root: Path, *, is_named: bool) -> Iterator[FileSnapshot]:
        """Yield the photos folder by folder, each in the order of its names: those of the frames of a burst follow."""
        count = 0
        for _, photos in groupby(self._scanner.scan(root), lambda found: found.place.relative.parent):
            for found in sorted(photos, key=lambda photo: photo.place.relative):
                count += 1
                yield found
        if is_named and not count:
            self.unreadable[root] = "holds no photo (is its disk mounted?); rows of its photos stay as they are"

    def _in_list(self, file: Path) -> Iterator[FileSnapshot]:
        """Yield the photos of a text file with one path a line; a relative one starts in the folder of the file."""
        with file.open("rb") as lines:
            for line in lines:
                name = line.rstrip(b"\r\n")
                if b"\0" in name:
                    raise ConfigError((f"{display_path(file)}: is neither a photo nor a text file with paths",))
                if scheme_of(os.fsdecode(name)) not in {"", "file"}:
                    yield from self.objects.photos(_uri_in(file, os.fsdecode(name)))
                elif name:
                    yield from self._at(file.parent / os.fsdecode(name), listed=True)


def _uri_in(file: Path, text: str) -> ObjectUri:
    try:
        return object_uri(text)
    except ConfigError as error:
        raise ConfigError(tuple(f"{display_path(file)}: {each}" for each in error.problems)) from error


def _is_pattern(path: str) -> bool:
    return glob.has_magic(path) and not Path(path).exists()
