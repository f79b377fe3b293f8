"""Keeping the shots of a series together, in `culld run` and in `culld once`.

A reject waits while other shots of its series may arrive, and batches are cut between series.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from culld.stages.group.series import SERIES_WINDOW_S
from culld.stages.watch.batching import GROWTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from culld.records import FileSnapshot, Photo, Protection

_MAX_HELD: Final = 100_000


@dataclass(slots=True)
class SeriesHold:
    """Makes a reject wait, once, while more files arrive: a bracket that is copied slowly arrives shot by shot.

    `more_to_come` returns whether more files arrive: in `culld run` files that settle or wait for a batch, in
    `culld once` the rest of a folder that takes several batches.
    """

    more_to_come: Callable[[], bool] = lambda: False
    _held: dict[str, None] = field(default_factory=dict)

    def must_wait(self, photo: Photo, protect: Protection) -> bool:
        """Return whether a reject waits for other shots of its series; a photo without a time is in no series."""
        may_be_in_series = photo.camera.taken_at is not None and (protect.series or protect.bursts)
        if may_be_in_series and photo.digest not in self._held and self.more_to_come():
            self._held[photo.digest] = None
            if len(self._held) > _MAX_HELD:  # photos that vanished while they waited
                del self._held[next(iter(self._held))]
            return True
        self._held.pop(photo.digest, None)
        return False


@dataclass(frozen=True, slots=True)
class BatchCut:
    """A batch of files.

    `begins`: the folder of its first file has no files in the batch before. `ends`: the folder of its last file has no
    files in the batch after.
    """

    batch: list[FileSnapshot]
    begins: bool = True
    ends: bool = True


def batches(ready: Iterable[FileSnapshot], size: int) -> Iterator[list[FileSnapshot]]:
    """Yield the files in batches of `size`, or up to `GROWTH` times that to keep possible series in one batch.

    The files of a folder must be consecutive in `ready`. Files of a folder whose mtimes are less than `SERIES_WINDOW_S`
    apart may be of one series. At most one folder is held in memory.
    """
    batch: list[FileSnapshot] = []
    for snapshot in _by_time(ready):
        if (
            batch
            and len(batch) >= size
            and not (_may_be_one_series(batch[-1], snapshot) and len(batch) < GROWTH * size)
        ):
            yield batch
            batch = []
        batch.append(snapshot)
    if batch:
        yield batch


def cut(ready: Iterable[FileSnapshot], size: int) -> Iterator[BatchCut]:
    """Yield the `batches`, each with whether it begins and ends between folders: elsewhere a series may be cut."""
    before: BatchCut | None = None
    for batch in batches(ready, size):
        whole = before is None or before.batch[-1].place.path.parent != batch[0].place.path.parent
        if before is not None:
            yield replace(before, ends=whole)
        before = BatchCut(batch, begins=whole)
    if before is not None:
        yield before


def _by_time(ready: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
    for _, files in groupby(ready, lambda snapshot: snapshot.place.path.parent):
        yield from sorted(files, key=lambda snapshot: snapshot.stamp.mtime_ns)


def _may_be_one_series(one: FileSnapshot, other: FileSnapshot) -> bool:
    near = other.stamp.mtime_ns - one.stamp.mtime_ns < SERIES_WINDOW_S * 1e9
    return near and one.place.path.parent == other.place.path.parent
