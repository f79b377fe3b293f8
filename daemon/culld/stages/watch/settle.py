"""The decision which files are complete, from observations and their times; pure, with the time passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from culld.records import FileSnapshot, FileStat, RootedPath

REMOTE_QUIET_S = 15.0
"""The shortest quiet time in seconds on a file system that other machines write to, such as a network share."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A file's stat, the monotonic second since which it has not changed, and that of the first observation."""

    stamp: FileStat
    since: float
    first: float


@dataclass(slots=True)
class Settler:
    """Holds files back until two equal observations are a quiet time apart and no program has them open for writing.

    A file whose writer pauses for longer than the quiet time would count as complete (measured: `fallocate`, then a
    pause), so
    `is_open_elsewhere` asks the kernel as well; where the kernel cannot know (None), the quiet time is doubled.
    `remote_roots` are the roots on file systems that other machines write to as well: their files must be quiet for
    `REMOTE_QUIET_S` at least.
    """

    quiet_s: float
    is_open_elsewhere: Callable[[RootedPath], bool | None]
    remote_roots: Collection[Path] = ()
    # By quiet time in seconds; in each dict the files that have been quiet for longest come first.
    _by_quiet_time: dict[float, dict[RootedPath, Observation]] = field(default_factory=dict)

    def observe(self, snapshots: Iterable[FileSnapshot], now: float) -> list[FileSnapshot]:
        """Record files as seen at the monotonic second `now`, and return those that are complete."""
        return [snapshot for snapshot in snapshots if self._settled(snapshot, now)]

    def forget(self, place: RootedPath) -> None:
        """Stop waiting for a file that is gone."""
        for files in self._by_quiet_time.values():
            files.pop(place, None)

    def due(self, now: float) -> list[RootedPath]:
        """Return the files that have been quiet for long enough, and must be observed once more."""
        return [place for quiet, files in self._by_quiet_time.items() for place in _is_quiet_since(files, now - quiet)]

    @property
    def waiting(self) -> list[RootedPath]:
        """The files that were observed and are not complete yet."""
        return [place for files in self._by_quiet_time.values() for place in files]

    def __len__(self) -> int:
        return sum(map(len, self._by_quiet_time.values()))

    def slow(self, seconds: float, now: float) -> int:
        """Return how many files were first observed more than `seconds` ago and are not complete."""
        return sum(
            now - observation.first > seconds
            for files in self._by_quiet_time.values()
            for observation in files.values()
        )

    def is_complete(self, place: RootedPath, age: float) -> bool:
        """Whether a file that last changed `age` seconds ago is complete."""
        quiet = self.quiet(place)
        if age < quiet:
            return False
        written = self.is_open_elsewhere(place)
        return not written and (written is not None or age >= 2 * quiet)

    def _settled(self, snapshot: FileSnapshot, now: float) -> bool:
        place = snapshot.place
        files = self._by_quiet_time.setdefault(self.quiet(place), {})
        before = files.get(place)
        if before is None or before.stamp != snapshot.stamp:
            self.forget(place)  # so that it comes last
            files[place] = Observation(snapshot.stamp, now, before.first if before else now)
            return False
        if not self.is_complete(place, now - before.since):
            return False
        self.forget(place)
        return True

    def quiet(self, place: RootedPath) -> float:
        """Return for how many seconds this file must be quiet."""
        return max(self.quiet_s, REMOTE_QUIET_S) if place.root in self.remote_roots else self.quiet_s


def _is_quiet_since(files: dict[RootedPath, Observation], moment: float) -> Iterator[RootedPath]:
    return (place for place, _ in takewhile(lambda entry: entry[1].since <= moment, files.items()))
