"""The turns of clips in the loop: one at a time, apart from photos, and only those that are still wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from culld.app.clips.pool import ClipPool
from culld.app.clips.turns import ClipTurns, InFlightFiles
from culld.errors import SystemFaultError, WorkerLostError
from culld.inference.pending import PendingResults, Request
from culld.pipeline import Pipeline, Stages
from culld.records import Assessment, FileSnapshot, Photo, ReadFailure
from culld.stages.read import PoolReader
from culld.stages.read.messages import ClipRequest
from culld.stages.watch.scanner import Scanner
from harness import factories, fakes
from harness.judged_clips import clip


@dataclass
class OpenPool:
    """A pool whose requests are answered when the test says so."""

    works: list[PendingResults[Any]] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    is_running: bool = False

    def start_in_background(self) -> None:
        """Be running."""
        self.is_running = True

    def stop(self) -> None:
        """Be stopped."""
        self.is_running = False

    def submit(self, requests: Sequence[Request[Any]], *, urgent: bool = False) -> PendingResults[Any]:
        """Keep the requests."""
        self.requests += requests
        self.works.append(PendingResults(requests))
        return self.works[-1]

    def map(self, requests: Sequence[Request[Any]], beat: Callable[[], None] = lambda: None) -> list[Any]:
        """Nothing is asked for in this way."""
        raise NotImplementedError

    def answer(self) -> None:
        """Answer the last request with a clean clip."""
        self.works[-1].put(0, clip(str(self.requests[-1].snapshot.place.relative)))


@dataclass
class FakeBuilder:
    """What the turns need of a builder; all files that end with .mov are clips, as long as they are `judged`."""

    clock: fakes.FakeClock
    judged: bool = True

    def is_judged_clip(self, place: Any) -> bool:
        """Whether the policy judges it."""
        return self.judged and place.relative.suffix == ".mov"

    def clip_reader(self, pool: Any, *, patient: bool = False) -> PoolReader:
        """A reader that knows nothing."""
        assert patient
        return PoolReader(pool, is_clip=lambda _: True)


@dataclass
class House:
    """A folder, and the turns of its clips."""

    folder: Path
    clock: fakes.FakeClock = field(default_factory=fakes.FakeClock)
    pools: list[OpenPool] = field(default_factory=list)
    processed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start no pool."""
        self.builder = FakeBuilder(self.clock)
        self.pool = ClipPool(self.open_pool, self.clock)
        self.scanner = Scanner({".jpg"}, clips=lambda _: {".mov"})
        stages = Stages(fakes.FakeReader(), *([list] * 5), record_failure=lambda _: None)
        self.turns = ClipTurns(self.builder, self.pool, self.scanner, Pipeline(stages, fakes.FakeJournal()))  # type: ignore[arg-type]

    def open_pool(self) -> OpenPool:
        """A new pool."""
        self.pools.append(OpenPool())
        return self.pools[-1]

    def put(self, *names: str) -> list[FileSnapshot]:
        """Files as they settle."""
        for name in names:
            (self.folder / name).write_bytes(b"x")
        return sorted(self.scanner.scan(self.folder), key=lambda each: each.place.relative)

    def process(self, pipeline: Pipeline, batch: list[FileSnapshot]) -> None:
        """Read what the workers answered."""
        found: Collection[Photo | Assessment | ReadFailure] = list(pipeline.stages.reader.read(batch))
        assert [type(each) for each in found] == [Assessment]
        self.processed += [str(each.place.relative) for each in batch]

    def step(self) -> None:
        """A step of the loop."""
        self.turns.step(self.process)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty folder."""
    return House(tmp_path)


def test_photos_go_on_and_clips_wait_for_their_turn(house: House) -> None:
    """One clip at a time is read; no process is started before the first one."""
    photos = house.turns.take(house.put("a.jpg", "b.mov", "c.mov"))
    assert [each.place.relative.name for each in photos] == ["a.jpg"]
    assert (len(house.turns), house.pools) == (2, [])

    house.step()
    house.step()

    (pool,) = house.pools
    assert [type(each) for each in pool.requests] == [ClipRequest]
    assert house.processed == []
    pool.answer()
    house.step()
    assert house.processed == ["b.mov"]
    assert [str(each.snapshot.place.relative) for each in pool.requests] == ["b.mov", "c.mov"]
    assert len(house.turns) == 1


def test_a_clip_in_flight_is_not_taken_again(house: House) -> None:
    """Waiting, or being read."""
    seen = house.put("a.mov", "b.mov")
    both = InFlightFiles(house.turns, house.turns)

    house.turns.take(seen)
    house.step()

    assert [each.place in both for each in seen] == [True, True]
    assert len(both) == 4
    assert factories.place("z.mov") not in both


def test_a_clip_that_is_not_wanted_any_more_is_passed_over(house: House) -> None:
    """It is gone, it belongs to a photo that came since, or the policy has changed, also while it was read."""
    house.turns.take(house.put("a.mov", "b.mov", "c.mov"))
    (house.folder / "a.mov").unlink()
    (house.folder / "b.jpg").write_bytes(b"x")

    house.step()

    (pool,) = house.pools
    assert [str(each.snapshot.place.relative) for each in pool.requests] == ["c.mov"]
    house.builder.judged = False
    pool.answer()
    house.step()
    assert (house.processed, len(house.turns)) == ([], 0)


def test_a_movie_whose_photo_arrives_while_it_is_read_is_passed_over(house: House) -> None:
    """It may even have been moved with the photo meanwhile."""
    for name, gone in (("a", False), ("b", True)):
        house.turns.take([each for each in house.put(f"{name}.mov") if each.place.relative.name == f"{name}.mov"])
        house.step()
        (house.folder / f"{name}.heic").write_bytes(b"x")
        if gone:
            (house.folder / f"{name}.mov").unlink()
        house.pools[0].answer()
        house.step()

    assert (house.processed, len(house.turns)) == ([], 0)


def test_the_process_ends_after_a_minute_without_a_clip(house: House) -> None:
    """And another one is started for the next clip."""
    house.turns.take(house.put("a.mov"))
    house.step()
    house.pools[0].answer()
    house.step()
    assert house.pools[0].is_running
    assert 0 < house.turns.wait_s <= 60

    house.clock.advance(61)
    house.step()

    assert not house.pools[0].is_running
    assert house.turns.wait_s == float("inf")
    house.turns.take(house.put("b.mov")[1:])
    house.step()
    assert house.pools[1].is_running


def test_the_process_does_not_end_while_a_long_clip_is_read(house: House) -> None:
    """An hour of video takes longer than a minute."""
    house.turns.take(house.put("a.mov"))
    house.step()
    house.clock.advance(3600)

    house.step()

    assert house.pools[0].is_running
    house.pools[0].answer()
    house.step()
    assert house.processed == ["a.mov"]


def test_a_pool_that_fails_stops_no_photo_and_is_tried_again(house: House) -> None:
    """The clip waits for ten minutes."""
    house.turns.take(house.put("a.mov"))
    house.step()
    house.pools[0].works[0].fail(SystemFaultError("no worker process could be started"))

    house.step()
    house.step()

    assert (len(house.pools), len(house.turns)) == (1, 1)
    assert 500 < house.turns.wait_s <= 600
    house.clock.advance(601)
    house.step()
    house.pools[1].answer()
    house.step()
    assert house.processed == ["a.mov"]


def test_a_clip_that_crashes_its_process_has_three_tries(house: House) -> None:
    """Then it is left until it changes, as a photo is; the next clip goes on."""
    house.turns.take(house.put("a.mov", "b.mov"))
    house.step()
    house.pools[0].works[0].put(0, WorkerLostError("the worker process ended with code -11"))
    failed: list[ReadFailure] = []

    house.turns.step(lambda pipeline, batch: failed.extend(pipeline.stages.reader.read(batch)))  # type: ignore[arg-type]

    (failure,) = failed
    assert (failure.reason, failure.tries) == ("the worker process ended with code -11", 3)
    assert [str(each.snapshot.place.relative) for each in house.pools[0].requests] == ["a.mov", "b.mov"]


def test_a_clip_that_cannot_be_handed_over_stops_no_other(house: House) -> None:
    """An unexpected error costs this turn; the scanner finds the clip again."""
    house.turns.take(house.put("a.mov", "b.mov"))
    pool = OpenPool()
    pool.submit = broken  # type: ignore[method-assign]
    house.pool._pool = pool
    with pytest.raises(OSError, match="too many open files"):
        house.step()
    house.pool._pool = None

    house.step()

    assert [str(each.snapshot.place.relative) for each in house.pools[0].requests] == ["b.mov"]


def broken(requests: Sequence[Request[Any]], *, urgent: bool = False) -> PendingResults[Any]:
    """Fail as a system does that has no file descriptor left."""
    raise OSError("too many open files")


def test_a_stop_ends_the_process(house: House) -> None:
    """The clip is read again at the next start."""
    house.turns.take(house.put("a.mov"))
    house.step()

    house.turns.close()

    assert not house.pools[0].is_running
