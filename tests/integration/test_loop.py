"""The loop of the daemon and `culld once` continue after unexpected errors."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.app.daemon import Daemon
from culld.app.once import OnePass
from culld.app.service_status import ServiceStatus
from culld.clock import SystemClock
from culld.config import load_config
from culld.errors import SystemFaultError
from culld.journal.store import SqliteJournal
from culld.records import Assessment, FileSnapshot, Format, Outcome, Photo, Scores, UserMetadata
from culld.stages.read import ReadRequest, UserMetadataRequest
from culld.stages.watch.signals import LoopQueue, Signal
from culld.system.sd_notify import Notifier
from culld.tags.draft import TagDraft, TagRequest
from harness import fakes

POLICY = """\
watch: [{path: first}, {path: second}]
quarantine: quarantine
state: state
settle: {quiet: 100ms}
batch: {wait: 0s, size: 4}
policy: {mode: enforce, brake: {max_share: never}}
"""


class FakeWorker:
    """Every file is a blurred photo, but over mistake.jpg there is a mistake."""

    def read(self, request: ReadRequest) -> Assessment:
        """Certainly blurred; its digest is that of its bytes."""
        snapshot = request.snapshot
        if snapshot.place.relative.name == "mistake.jpg":
            raise OverflowError("date value out of range")
        digest = hashlib.sha256(snapshot.place.path.read_bytes()).hexdigest()
        return Assessment(Photo(snapshot.place, snapshot.stamp, digest, Format.JPEG), Scores(0.99, 0, 0), "model@1")

    def user_metadata(self, _request: UserMetadataRequest) -> UserMetadata:
        """There is no user metadata."""
        return UserMetadata()

    def draft(self, _request: TagRequest) -> TagDraft:
        """Nothing is written."""
        return TagDraft((), ())


class MistakenJournal(SqliteJournal):
    """A journal with a mistake over some names, and one in the end of the first batch."""

    unclosable = 0

    def unknown(self, seen: Iterable[FileSnapshot]) -> Iterator[FileSnapshot]:
        """Fails over unlisted.jpg."""
        for snapshot in super().unknown(seen):
            if snapshot.place.relative.name == "unlisted.jpg":
                raise ZeroDivisionError
            yield snapshot

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Fails over unasked.jpg."""
        if any(photo.place.relative.name == "unasked.jpg" for photo in photos):
            raise LookupError("unasked")
        return super().unseen(photos)

    def _close(self, db: object, outcome: Outcome) -> None:
        if self.unclosable:
            self.unclosable -= 1
            raise RecursionError("unclosable")
        super()._close(db, outcome)  # type: ignore[arg-type]


@dataclass
class Rig:
    """A daemon in a thread of its own, with two folders."""

    folder: Path
    wakeups: LoopQueue = field(default_factory=LoopQueue)
    pool: fakes.FakePool = field(default_factory=lambda: fakes.FakePool(FakeWorker()))
    unclosable: int = 0
    raised: list[BaseException] = field(default_factory=list)

    def build(self) -> Rig:
        """Make the folders and the configuration."""
        for name in ("first", "second", "state", "quarantine"):
            (self.folder / name).mkdir()
        (self.folder / "culld.yaml").write_text(POLICY)
        SqliteJournal.open(self.journal, SystemClock()).close()
        return self

    @property
    def journal(self) -> Path:
        """The database."""
        return self.folder / "state" / "journal.sqlite3"

    def serve(self) -> None:
        """Run the daemon without worker processes, signals and timers."""
        config, clock = load_config(self.folder / "culld.yaml", {}), SystemClock()
        try:
            with MistakenJournal.open(self.journal, clock) as journal:
                journal.unclosable = self.unclosable
                status = ServiceStatus(Notifier.of({}), None, clock)
                path = self.folder / "culld.yaml"
                Daemon(config, path, journal, self.pool, status, self.wakeups).run({})  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 (the test looks at it)
            self.raised.append(error)

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """The daemon, running; it must live until the end."""
        thread = threading.Thread(target=self.serve)
        thread.start()
        try:
            yield
            assert self.raised == []
        finally:
            self.wakeups.put(Signal.STOP)
            thread.join(30)

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Request scans until the condition is true."""
        deadline = time.monotonic() + 50
        while not true():
            assert self.raised == []
            assert time.monotonic() < deadline
            self.wakeups.put(Signal.RESCAN)
            time.sleep(0.1)

    def drop(self, *names: str) -> None:
        """Photos, by their names below the folder."""
        for name in names:
            (self.folder / name).write_bytes(name.encode())

    def quarantined(self) -> set[str]:
        """The names in quarantine."""
        return {path.name for path in (self.folder / "quarantine").rglob("*.jpg")}

    def faults(self) -> dict[str, str]:
        """The reasons of what failed, by name."""
        with SqliteJournal.open_readonly(self.journal, SystemClock()) as journal:
            return {fault.place.relative.name: fault.reason for fault in journal.open_faults()}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Two folders with a configuration."""
    return Rig(tmp_path).build()


def test_a_photo_over_which_culld_makes_a_mistake_costs_itself_only(rig: Rig) -> None:
    """In a worker's task, or in a stage of the loop; the status shows it, and it is tried again later."""
    rig.drop("first/a.jpg", "first/mistake.jpg", "first/unasked.jpg", "first/b.jpg")

    with rig.daemon():
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg", "b.jpg"} and len(rig.faults()) == 2)
        rig.drop("first/late.jpg")
        rig.wait_until(lambda: "late.jpg" in rig.quarantined())

    assert rig.faults() == {
        "mistake.jpg": "internal error: OverflowError: date value out of range; please report this",
        "unasked.jpg": "internal error: LookupError: unasked; please report this",
    }


def test_a_folder_over_which_culld_makes_a_mistake_costs_itself_only(rig: Rig) -> None:
    """The photos of the other folder are judged, and its own ones as soon as the cause is gone."""
    rig.drop("first/unlisted.jpg", "second/a.jpg")

    with rig.daemon(), fakes.Warnings() as warnings:
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg"})
        (rig.folder / "first" / "unlisted.jpg").rename(rig.folder / "first" / "listed.jpg")
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg", "listed.jpg"})

    assert len([text for text in warnings.texts if "ZeroDivisionError" in text]) == 1


@pytest.mark.parametrize(("mode", "is_told"), [("observe", True), ("enforce", False)])
def test_a_policy_that_is_saved_with_other_folders_waits_for_a_restart(rig: Rig, mode: str, *, is_told: bool) -> None:
    """The folders change at a start only, and the policy with them: the log warns of it, if the policy has changed."""
    rig.drop("first/a.jpg")
    with rig.daemon(), fakes.Warnings() as warnings:
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg"})
        (rig.folder / "culld.yaml").write_text(POLICY.replace("second", "third").replace("enforce", mode))
        rig.wakeups.put(Signal.RELOAD)
        rig.wait_until(lambda: any("restart culld to apply" in text for text in warnings.texts))
        rig.drop("first/b.jpg")
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg", "b.jpg"})

    waiting = [text for text in warnings.texts if "is not in force until culld is restarted" in text]
    assert bool(waiting) == is_told
    assert all("because `watch` changed as well" in text for text in waiting)


def test_outcomes_that_cannot_be_recorded_are_taken_from_the_disk(rig: Rig) -> None:
    """The plans stay open, a replay ends them, and no photo is judged or moved twice."""
    rig.unclosable = 1
    rig.drop("first/a.jpg", "first/b.jpg")

    with rig.daemon():
        rig.wait_until(lambda: rig.quarantined() == {"a.jpg", "b.jpg"})
        rig.wait_until(lambda: not opened(rig))

    assert rig.faults() == {}
    assert len(list((rig.folder / "quarantine").rglob("*.jpg"))) == 2


def opened(rig: Rig) -> int:
    """How many plans are open."""
    with SqliteJournal.open_readonly(rig.journal, SystemClock()) as journal:
        return len(journal.unfinished())


def test_a_pool_without_processes_is_shown_in_the_status(rig: Rig) -> None:
    """And the line disappears when processes can be started again."""
    rig.pool.trouble = "no worker process can be started: no room; culld tries again"

    def told() -> str:
        with SqliteJournal.open_readonly(rig.journal, SystemClock()) as journal:
            return journal.status().get("daemon", ("", None))[0]

    with rig.daemon():
        rig.wait_until(lambda: rig.pool.trouble in told())
        rig.pool.trouble = ""
        rig.wait_until(lambda: '"trouble": ""' in told())


class BrokenJournal(SqliteJournal):
    """A journal whose disk fails."""

    def unseen(self, photos: Sequence[Photo]) -> list[Photo]:
        """Fails as a full disk makes it fail."""
        raise SystemFaultError("the journal fails")


def swept(rig: Rig, kind: type[SqliteJournal]) -> dict[str, int]:
    """Run `culld once` without worker processes."""
    config = load_config(rig.folder / "culld.yaml", {})
    with kind.open(rig.journal, SystemClock()) as journal:
        tally = OnePass(config, journal, rig.pool).process([], lambda _: None)  # type: ignore[arg-type]
    return {"quarantined": sum(tally.verdicts.values()), "failed": len(tally.failures) + len(tally.unreadable_folders)}


def test_a_sweep_goes_on_after_a_mistake(rig: Rig) -> None:
    """It costs the photo or the rest of its folder."""
    rig.drop("first/a.jpg", "first/mistake.jpg", "first/unasked.jpg", "second/b.jpg")

    assert swept(rig, MistakenJournal)["quarantined"] == 2
    assert rig.quarantined() == {"a.jpg", "b.jpg"}
    assert rig.faults().keys() == {"mistake.jpg", "unasked.jpg"}


def test_a_broken_journal_ends_the_sweep(rig: Rig) -> None:
    """It is no photo's failure."""
    rig.drop("first/a.jpg")

    with pytest.raises(SystemFaultError, match="the journal fails"):
        swept(rig, BrokenJournal)
