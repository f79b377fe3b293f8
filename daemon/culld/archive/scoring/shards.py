"""Score the photos of a shard, and commit its rows as Parquet; an actor does this, without any of Ray here."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from culld.archive.parquet.folder import placed
from culld.archive.parquet.row import Companions, failed_row, place_columns, scored_row
from culld.archive.parquet.schema import row_schema
from culld.archive.records import MAX_TRIES, SharpnessChoice, Status, Tally
from culld.archive.scoring.burst_sharpness import BurstComparison
from culld.archive.scoring.source import FileSource
from culld.errors import WorkerLostError
from culld.records import Assessment, FileSnapshot, ReadFailure
from culld.stages.group.directory import FolderListing
from culld.stages.read import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.archive.parquet.folder import ArchiveFolder
    from culld.archive.parquet.row import Row
    from culld.archive.records import Shard
    from culld.archive.scoring.source import Answer, Readable, Source
    from culld.records import RootedPath
    from culld.stages.read.reader import Workers

AT_ONCE: Final = 16
"""So many photos are handed to the workers at once."""


@dataclass(slots=True)
class ShardScorer:
    """Scores shards with the workers of a pool, in the form in which `culld score` and the daemon ask them.

    `done` counts the photos of the present shard that were read.
    """

    workers: Workers
    folder: ArchiveFolder
    sharpness: SharpnessChoice = SharpnessChoice.BURSTS
    at_once: int = AT_ONCE
    source: Source = field(default_factory=FileSource)
    done: int = 0
    _losses: int = field(default=0, init=False)

    def score(self, shard: Shard) -> Tally:
        """Score the photos of a shard and commit its rows; raises SystemFaultError, and OSError of the output."""
        self.done = self._losses = 0
        companions = Companions(FolderListing(self.source.folders))
        answers = self._with_bursts(dict(self._answers(shard.places)))
        rows = [self._row(place, answer, companions) for place, answer in answers.items()]
        write_rows(self.folder.shard(shard.scan, shard.number), rows, shard.scan)
        return Tally(dict(Counter(Status(row["status"]) for row in rows)), self._losses)

    def _with_bursts(self, answers: dict[RootedPath, Answer]) -> dict[RootedPath, Answer]:
        """Return the answers, with the sharpness of the frames of bursts if only these are measured."""
        if self.sharpness is not SharpnessChoice.BURSTS:
            return answers
        comparison = BurstComparison(self.workers, self.source)
        photos = {place: each for place, each in answers.items() if isinstance(each, Assessment)}
        subjects = comparison.subjects(photos.values())
        self._losses += comparison.losses
        return answers | {place: replace(photos[place], subject=subject) for place, subject in subjects.items()}

    def _answers(self, places: Sequence[RootedPath]) -> Iterator[tuple[RootedPath, Answer]]:
        """Yield each place with its answer, in order."""
        with contextlib.closing(self.source.slices(places, self.at_once)) as slices:
            for some in slices:
                yield from zip(some.places, self._read(some), strict=True)
                self.done += len(some.places)

    def _read(self, some: Readable) -> list[Answer]:
        """Return the answer for each place; a photo that lost its worker, or changed, is read up to three times."""
        answers: dict[RootedPath, Answer] = {}
        waiting = list(some.places)
        measure = self.sharpness is SharpnessChoice.ALL
        for _ in range(MAX_TRIES):
            found = {place: some.snapshot(place) for place in waiting}
            answers |= {place: each for place, each in found.items() if not isinstance(each, FileSnapshot)}
            here = {place: each for place, each in found.items() if isinstance(each, FileSnapshot)}
            results = self.workers.submit([ReadRequest(each, measure=measure) for each in here.values()]).results()
            read = dict(zip(here, results, strict=True))
            answers |= {place: some.answer(place, result) for place, result in read.items()}
            self._losses += sum(isinstance(result, WorkerLostError) for result in results)
            waiting = [place for place, result in read.items() if _again(some, place, here[place], result)]
        return [answers[place] for place in some.places]

    def _row(self, place: RootedPath, answer: Answer, companions: Companions) -> Row:
        if isinstance(answer, Assessment):
            return scored_row(answer, companions.beside(place))
        if isinstance(answer, ReadFailure):
            return failed_row(place, answer.snapshot.stamp, Status.FAILED, answer.reason)
        lost = isinstance(answer, WorkerLostError)
        why = f"{answer} ({MAX_TRIES} tries)" if lost else str(answer)
        return failed_row(place, self.source.stamp(place), Status.LOST if lost else Status.FAILED, why)


def write_rows(file: Path, rows: Iterable[Row], scan: int) -> None:
    """Write rows to a Parquet file, durably and in one step; raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([{**row, "scan": scan} for row in rows], schema=row_schema())
    with placed(file) as hidden:
        pq.write_table(table, hidden, compression="zstd")


def deleted_row(place: RootedPath) -> Row:
    """Return the row of a photo that was there at an earlier scan."""
    return {**place_columns(place.path), "status": str(Status.DELETED)}


def _again(some: Readable, place: RootedPath, snapshot: FileSnapshot, result: Answer) -> bool:
    """Whether a photo is read again: its worker was lost, or it changed while it was read."""
    if isinstance(result, WorkerLostError):
        return True
    now = some.snapshot(place) if isinstance(result, ReadFailure) else snapshot
    return now != snapshot
