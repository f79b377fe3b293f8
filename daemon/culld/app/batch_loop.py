"""The loop over the batches of one pass, in which a reject that may belong to a cut series waits for its folder."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from culld.app.once_counts import Counts, FailureCollector
from culld.errors import PhotoError
from culld.records import display_path
from culld.stages.group.grouping import batches, cut
from culld.stages.read import read_ahead
from culld.stages.watch.batching import GROWTH
from culld.unexpected import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.pipeline import Pipeline
    from culld.records import FileSnapshot, ReadFailure
    from culld.stages.watch.scanner import Scanner

log = logging.getLogger(__name__)


class BatchLoop:
    """Passes complete files to a pipeline in batches of about `size`, and counts what becomes of them.

    The pipeline takes `more_to_come` and `failed.add` of the loop. `record` stores a failure that is not deferred.
    """

    def __init__(self, size: int, record: Callable[[ReadFailure], object]) -> None:
        """Start without counts."""
        self.counts = Counts()
        self.failed = FailureCollector(record, self.more_to_come)
        self.unexpected = UnexpectedErrors()
        self._size = size
        self._is_cut = False

    def more_to_come(self) -> bool:
        """Return whether other photos of a folder of the present batch are in another batch."""
        return self._is_cut

    def process(self, pipeline: Pipeline, complete: Iterable[FileSnapshot], advance: Callable[[int], None]) -> None:
        """Judge files; those of a folder must be consecutive. `advance` is called with the size of each batch.

        If a folder takes several batches, a reject that may belong to a series is deferred to the end of the folder.
        """
        cuts = cut(complete, self._size)
        for one in read_ahead(pipeline.stages.reader, cuts, lambda each: each.batch, self.unexpected):
            self._is_cut = not (one.begins and one.ends)
            self.take(pipeline, one.batch)
            advance(len(one.batch))
            if one.ends:
                self._take_deferred(pipeline)
        self._is_cut = False

    def scan(self, scanner: Scanner, root: Path, folder: Path) -> Iterator[FileSnapshot]:
        """Yield the photos below a folder; an unexpected error ends the scan, and is logged and counted."""
        found = iter(scanner.scan(root, folder))
        doing = f"scanning {display_path(folder)}"
        while (snapshot := self.unexpected.attempt(doing, partial(next, found, None))) is not None:
            if isinstance(snapshot, PhotoError):
                log.warning("the scan of %s was not completed: %s", display_path(folder), snapshot)
                self.counts.unreadable_folders[folder] = str(snapshot)
                return
            yield snapshot

    def take(self, pipeline: Pipeline, batch: Sequence[FileSnapshot], *, deferred: bool = False) -> None:
        """Judge one batch; if it fails unexpectedly, its photos count as failed."""
        outcomes = self.unexpected.attempt("judging a batch", partial(pipeline.process, batch))
        if isinstance(outcomes, PhotoError):
            self.counts.failures |= {snapshot.place: str(outcomes) for snapshot in batch}
            return
        known = 0 if deferred else len(batch)
        self.counts.add(outcomes, max(0, known - len(outcomes) - self.failed.take_count()))

    def _take_deferred(self, pipeline: Pipeline) -> None:
        """Judge the deferred photos, after all photos of their folder."""
        self._is_cut = False
        for batch in batches(self.failed.take_deferred(), GROWTH * self._size):
            self.take(pipeline, batch, deferred=True)
