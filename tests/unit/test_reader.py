"""Reading through the pool: batches that are begun ahead, and known contents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from culld.records import Assessment, FileSnapshot, Photo, ReadFailure
from culld.stages.read import PoolReader, ReadRequest
from harness import factories, fakes


@dataclass
class FakeWorker:
    """A worker that gives every photo the same answer."""

    answer: object

    def read(self, _request: object) -> object:
        """That one."""
        return self.answer


def reader(answer: object, patience: timedelta | None) -> PoolReader:
    """Return a reader whose worker gives this answer for every photo."""
    return PoolReader(fakes.FakePool(FakeWorker(answer)), recheck=lambda _: patience)  # type: ignore[arg-type]


def read(reader: PoolReader, judged: Assessment) -> list[Photo | Assessment | ReadFailure]:
    """Return the results of the reader for the file of a photo."""
    return list(reader.read([FileSnapshot(judged.photo.place, judged.photo.stamp)]))


def test_what_cannot_be_read_yet_is_a_fault_with_a_steady_wait() -> None:
    """It is read again before that becomes its verdict."""
    damaged = factories.unreadable(reason="incomplete: its end is missing")

    (found,) = read(reader(damaged, timedelta(minutes=4)), damaged)

    assert isinstance(found, ReadFailure)
    assert (found.retry_after, found.steady) == (timedelta(minutes=4), True)
    assert found.reason == "incomplete: its end is missing; it will be read again"


def test_what_stays_unreadable_is_called_so() -> None:
    """After the last read; a readable file never waits."""
    damaged, sharp = factories.unreadable(), factories.assessment()

    assert read(reader(damaged, None), damaged) == [damaged]
    assert read(reader(sharp, timedelta(minutes=4)), sharp) == [sharp]


def test_a_photo_that_lacks_a_part_waits_and_is_then_judged_by_its_picture() -> None:
    """An editor may have dropped the part for good."""
    short = replace(factories.assessment(), missing_part="its movie")

    (found,) = read(reader(short, timedelta(minutes=4)), short)

    assert isinstance(found, ReadFailure)
    assert (found.reason, found.steady) == ("incomplete: its movie; it will be read again", True)
    assert read(reader(short, None), short) == [short]


@dataclass
class Counting:
    """A worker that counts how often it reads each file."""

    asked: list[str] = field(default_factory=list)

    def read(self, request: ReadRequest) -> Assessment:
        """A sharp photo."""
        self.asked.append(request.snapshot.place.relative.name)
        return factories.assessment(request.snapshot.place.relative.name)


def test_a_batch_that_was_begun_is_read_once() -> None:
    """Also where the next one is begun in between; a part of a batch is a batch of its own."""
    worker = Counting()
    reader = PoolReader(fakes.FakePool(worker))  # type: ignore[arg-type]
    first, second = [factories.snapshot("a.jpg"), factories.snapshot("b.jpg")], [factories.snapshot("c.jpg")]

    reader.begin(first)
    reader.begin(second)

    assert [result.photo.place for result in reader.read(first) if isinstance(result, Assessment)] == [
        seen.place for seen in first
    ]
    assert len(reader.read(second)) == 1
    assert worker.asked == ["a.jpg", "b.jpg", "c.jpg"]
    reader.begin(first)
    reader.read(first[:1])
    assert worker.asked == ["a.jpg", "b.jpg", "c.jpg", "a.jpg", "b.jpg", "a.jpg"]


def test_a_batch_that_was_begun_and_given_up_is_forgotten() -> None:
    """The one after it is read."""
    worker = Counting()
    reader = PoolReader(fakes.FakePool(worker))  # type: ignore[arg-type]

    for name in "abc":
        reader.begin([factories.snapshot(f"{name}.jpg")])

    assert len(reader.read([factories.snapshot("c.jpg")])) == 1
    assert worker.asked == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_content_that_is_known_comes_without_scores() -> None:
    """The request holds the digests that are known for the path."""
    seen = factories.snapshot("a.jpg")
    told: list[ReadRequest] = []

    class Worker:
        """Notes what it is asked."""

        def read(self, request: ReadRequest) -> Photo:
            """A known photo."""
            told.append(request)
            return factories.photo("a.jpg")

    reader = PoolReader(fakes.FakePool(Worker()), known=lambda _: {seen.place: ["digest"]})  # type: ignore[arg-type]

    assert reader.read([seen]) == [factories.photo("a.jpg")]
    assert told == [ReadRequest(seen, frozenset({"digest"}))]
