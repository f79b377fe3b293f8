"""Score the photos of a shard, and commit its rows as Parquet; an actor does this, without any of Ray here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from culld.archive.burst_sharpness import BurstComparison
from culld.archive.folder import placed
from culld.archive.records import MAX_TRIES, SharpnessChoice, Status, Tally
from culld.archive.row import Companions, failed_row, place_columns, scored_row
from culld.archive.schema import row_schema
from culld.errors import PhotoError, WorkerLostError
from culld.files.open_beneath import stamp_of
from culld.records import Assessment, FileSnapshot, ReadFailure, RootedPath
from culld.stages.read import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.archive.folder import ArchiveFolder
    from culld.archive.records import Shard
    from culld.archive.row import Row
    from culld.records import Photo
    from culld.stages.read.reader import Workers

    Answer = Photo | Assessment | ReadFailure | PhotoError

AT_ONCE: Final = 16
"""So many photos are handed to the workers at once."""
_GONE: Final = "it was removed after it was listed"


@dataclass(slots=True)
class ShardScorer:
    """Scores shards with the workers of a pool, in the form in which `culld score` and the daemon ask them.

    `done` counts the photos of the present shard that were read.
    """

    workers: Workers
    folder: ArchiveFolder
    sharpness: SharpnessChoice = SharpnessChoice.BURSTS
    at_once: int = AT_ONCE
    done: int = 0
    _losses: int = field(default=0, init=False)

    def score(self, shard: Shard) -> Tally:
        """Score the photos of a shard and commit its rows; raises SystemFaultError, and OSError of the output."""
        self.done = self._losses = 0
        companions = Companions()
        answers = self._with_bursts(dict(self._answers(shard.places)))
        rows = [self._row(place, answer, companions) for place, answer in answers.items()]
        write_rows(self.folder.shard(shard.scan, shard.number), rows, shard.scan)
        return Tally(dict(Counter(Status(row["status"]) for row in rows)), self._losses)

    def _with_bursts(self, answers: dict[RootedPath, Answer]) -> dict[RootedPath, Answer]:
        """Return the answers, with the sharpness of the frames of bursts if only these are measured."""
        if self.sharpness is not SharpnessChoice.BURSTS:
            return answers
        comparison = BurstComparison(self.workers)
        photos = {place: each for place, each in answers.items() if isinstance(each, Assessment)}
        subjects = comparison.subjects(photos.values())
        self._losses += comparison.losses
        return answers | {place: replace(photos[place], subject=subject) for place, subject in subjects.items()}

    def _answers(self, places: Sequence[RootedPath]) -> Iterator[tuple[RootedPath, Answer]]:
        """Yield each place with its answer, in order."""
        rest = iter(places)
        while slice_ := list(islice(rest, self.at_once)):
            yield from zip(slice_, self._read(slice_), strict=True)
            self.done += len(slice_)

    def _read(self, places: Sequence[RootedPath]) -> list[Answer]:
        """Return the answer for each place; a photo that lost its worker, or changed, is read up to three times."""
        answers: dict[RootedPath, Answer] = {}
        waiting = list(places)
        measure = self.sharpness is SharpnessChoice.ALL
        for _ in range(MAX_TRIES):
            found = [(place, _snapshot(place)) for place in waiting]
            answers |= {place: each for place, each in found if isinstance(each, PhotoError)}
            here = [each for _, each in found if isinstance(each, FileSnapshot)]
            results = self.workers.submit([ReadRequest(each, measure=measure) for each in here]).results()
            answers |= {each.place: result for each, result in zip(here, results, strict=True)}
            self._losses += sum(isinstance(result, WorkerLostError) for result in results)
            waiting = [each.place for each, result in zip(here, results, strict=True) if _again(each, result)]
        return [answers[place] for place in places]

    def _row(self, place: RootedPath, answer: Answer, companions: Companions) -> Row:
        if isinstance(answer, Assessment):
            return scored_row(answer, companions.beside(place))
        if isinstance(answer, ReadFailure):
            return failed_row(place, answer.snapshot.stamp, Status.FAILED, answer.reason)
        lost = isinstance(answer, WorkerLostError)
        why = f"{answer} ({MAX_TRIES} tries)" if lost else str(answer)
        snapshot = _snapshot(place)
        stamp = snapshot.stamp if isinstance(snapshot, FileSnapshot) else None
        return failed_row(place, stamp, Status.LOST if lost else Status.FAILED, why)


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


def _snapshot(place: RootedPath) -> FileSnapshot | PhotoError:
    try:
        stamp = stamp_of(place)
    except PhotoError as error:
        return error
    return PhotoError(_GONE) if stamp is None else FileSnapshot(place, stamp)


def _again(snapshot: FileSnapshot, result: Answer) -> bool:
    """Whether a photo is read again: its worker was lost, or it changed while it was read."""
    if isinstance(result, WorkerLostError):
        return True
    now = _snapshot(snapshot.place) if isinstance(result, ReadFailure) else snapshot
    return now != snapshot
