"""Where the photos of a shard are read: files where they are, objects as copies, a slice of them at a time."""

from __future__ import annotations

import contextlib
import shutil
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from culld.archive.objects.arrow import Stores
from culld.archive.objects.copies import Allowance, Copier, Copy
from culld.archive.objects.errors import ObjectError
from culld.archive.objects.folders import ObjectFolders
from culld.archive.objects.scratch import scratch_folder
from culld.archive.objects.uri import is_object, shown
from culld.errors import PhotoError
from culld.files.open_beneath import stamp_of
from culld.records import Assessment, FileSnapshot, ReadFailure
from culld.stages.group.directory import FolderCache

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from culld.archive.objects.copies import Copied
    from culld.records import FileStat, Photo, RootedPath
    from culld.stages.group.directory import Folders

    Answer = Photo | Assessment | ReadFailure | PhotoError

FIRST: Final = 4
"""Objects of the first slice of a shard; each next one has twice as many."""
SLICE_BYTES: Final = 256 << 20
"""Bytes of the objects of a slice, of which two have copies at a time; a larger object has a slice of its own."""
_GONE: Final = "it was removed after it was listed"


class Readable(Protocol):
    """Some photos that can be read now."""

    @property
    def places(self) -> Sequence[RootedPath]:
        """The photos."""

    def snapshot(self, place: RootedPath) -> FileSnapshot | ReadFailure | PhotoError:
        """Return the file that holds a photo now, or why there is none."""

    def answer(self, place: RootedPath, answer: Answer) -> Answer:
        """Return the answer of a worker about that file as one about the photo."""


class Source(Protocol):
    """Makes the photos of a shard readable."""

    @property
    def folders(self) -> Folders:
        """The contents of their folders."""

    def slices(self, places: Sequence[RootedPath], most: int) -> Generator[Readable, None, None]:
        """Yield the photos in order, `most` at a time; each slice can be read until the next one is taken."""

    def readable(self, places: Sequence[RootedPath]) -> AbstractContextManager[Readable]:
        """Make some photos readable for a block."""

    def stamp(self, place: RootedPath) -> FileStat | None:
        """Return the stamp of a photo without an answer; None if it is gone or cannot be asked for."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files of this machine, which are read where they are."""

    places: Sequence[RootedPath]

    def snapshot(self, place: RootedPath) -> FileSnapshot | PhotoError:
        """Return the present snapshot of a file."""
        try:
            stamp = stamp_of(place)
        except PhotoError as error:
            return error
        return PhotoError(_GONE) if stamp is None else FileSnapshot(place, stamp)

    def answer(self, place: RootedPath, answer: Answer) -> Answer:
        """Return it as it is."""
        del place
        return answer


@dataclass(frozen=True, slots=True)
class Copies:
    """Objects with their copies, and files among them."""

    places: Sequence[RootedPath]
    copied: Mapping[RootedPath, Copied]

    def snapshot(self, place: RootedPath) -> FileSnapshot | ReadFailure | PhotoError:
        """Return the snapshot of the copy, or of the file."""
        found = self.copied.get(place)
        if found is None:
            return Files(self.places).snapshot(place)
        return found.local if isinstance(found, Copy) else found

    def answer(self, place: RootedPath, answer: Answer) -> Answer:
        """Return an answer about the copy as one about the object."""
        found = self.copied.get(place)
        if not isinstance(found, Copy):
            return answer
        if isinstance(answer, Assessment):
            return _assessment_at(place, found.stamp, answer)
        if isinstance(answer, ReadFailure):
            reason = answer.reason.replace(str(found.local.place.path), shown(place.path))
            return replace(answer, snapshot=FileSnapshot(place, found.stamp), reason=reason)
        return answer


def _assessment_at(place: RootedPath, stamp: FileStat, found: Assessment) -> Assessment:
    sources = found.user_metadata
    if sources is not None:
        sidecars = tuple((place.beside(copy.relative.name), each) for copy, each in sources.sidecars)
        sources = replace(sources, sidecars=sidecars)
    return replace(found, photo=replace(found.photo, place=place, stamp=stamp), user_metadata=sources)


@dataclass(slots=True)
class FileSource:
    """Files of this machine."""

    folders: FolderCache = field(default_factory=FolderCache)

    def slices(self, places: Sequence[RootedPath], most: int) -> Generator[Files, None, None]:
        """Yield slices of files."""
        rest = iter(places)
        while some := list(islice(rest, most)):
            yield Files(some)

    @contextlib.contextmanager
    def readable(self, places: Sequence[RootedPath]) -> Iterator[Files]:
        """Return the files."""
        yield Files(places)

    def stamp(self, place: RootedPath) -> FileStat | None:
        """Return the present stamp of a file."""
        found = Files([place]).snapshot(place)
        return found.stamp if isinstance(found, FileSnapshot) else None


@dataclass(slots=True)
class ObjectSource:
    """Objects, and files among them; while a slice is read the next one is copied."""

    allowance: Allowance = field(default_factory=Allowance)
    stores: Stores = field(default_factory=Stores)
    temp: Path | None = None
    folders: ObjectFolders = field(init=False)
    _copier: Copier = field(init=False)

    def __post_init__(self) -> None:
        """Share the listings of folders."""
        self.folders = ObjectFolders(self.stores)
        self._copier = Copier(self.folders, self.allowance)

    def slices(self, places: Sequence[RootedPath], most: int) -> Generator[Copies, None, None]:
        """Yield slices with their copies; these are removed when the next slice is taken, and after an exception."""
        if not any(is_object(place.root) for place in places):
            yield from (Copies(each.places, {}) for each in FileSource().slices(places, most))
            return
        waiting: deque[tuple[Path, Future[Copies]]] = deque()
        with scratch_folder(self.temp) as scratch, ThreadPoolExecutor(1) as ahead:
            slices = ((scratch / str(number), some) for number, some in enumerate(self._cut(places, most)))
            for folder, some in slices:
                waiting.append((folder, ahead.submit(self._copies, some, folder)))
                if len(waiting) > 1:
                    yield from _taken(*waiting.popleft())
            yield from _taken(*waiting.popleft())

    @contextlib.contextmanager
    def readable(self, places: Sequence[RootedPath]) -> Iterator[Copies]:
        """Copy some objects for a block."""
        with scratch_folder(self.temp) as scratch:
            yield self._copies(places, scratch / "0")

    def stamp(self, place: RootedPath) -> FileStat | None:
        """Return the stamp of an object by the listing of its folder."""
        if not is_object(place.root):
            return FileSource().stamp(place)
        try:
            found = self.folders.find(place)
        except ObjectError:
            return None
        return None if found is None else found.stamp

    def _copies(self, places: Sequence[RootedPath], into: Path) -> Copies:
        return Copies(places, self._copier.copies([each for each in places if is_object(each.root)], into))

    def _cut(self, places: Iterable[RootedPath], most: int) -> Iterator[list[RootedPath]]:
        """Yield places by number and bytes; the first slices are small, since the workers wait for the first one."""
        some: list[RootedPath] = []
        held, number = 0, min(FIRST, most)
        for place in places:
            size = self._size(place)
            if some and (len(some) == number or held + size > SLICE_BYTES):
                yield some
                some, held, number = [], 0, min(2 * number, most)
            some.append(place)
            held += size
        if some:
            yield some

    def _size(self, place: RootedPath) -> int:
        """Return the bytes of a copy; 0 for a file, and where the folder cannot be listed: there nothing is copied."""
        found = self.stamp(place) if is_object(place.root) else None
        return 0 if found is None else min(found.size, self.allowance.most_bytes)


def _taken(folder: Path, copies: Future[Copies]) -> Iterator[Copies]:
    """Yield copies when they are complete, and remove them then."""
    try:
        yield copies.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
